"""From predictions to numbers: each with an interval over patients, each beside a baseline. It knows no model."""

from course_lib.evaluation.abstention import risk_coverage, surest
from course_lib.evaluation.box_strata import sensitivity_by
from course_lib.evaluation.calibration import brier_score, fit_temperature, reliability, with_temperature
from course_lib.evaluation.classification import (
    accuracy,
    auroc,
    average_precision,
    balanced_accuracy,
    bind,
    choose_threshold,
    confusion,
    confusion_intervals,
    f1,
    negative_predictive_value,
    precision,
    sensitivity,
    specificity,
)
from course_lib.evaluation.decisions import Costs, Counts, cheapest_threshold, expected_counts
from course_lib.evaluation.detection import judge
from course_lib.evaluation.froc_bands import froc_band, sensitivity_at
from course_lib.evaluation.intervals import (
    PairedDifference,
    accuracy_interval,
    bootstrap_interval,
    bootstrap_intervals,
    compare,
    with_interval,
)
from course_lib.evaluation.model_card import ModelCard
from course_lib.evaluation.predictions import Judged, Predictions, baseline, loss_of_each, mean_of
from course_lib.evaluation.report import Report, by_group, evaluate
from course_lib.evaluation.screening import screen
from course_lib.evaluation.studies import stored

__all__ = [
    "Costs",
    "Counts",
    "Judged",
    "ModelCard",
    "PairedDifference",
    "Predictions",
    "Report",
    "accuracy",
    "accuracy_interval",
    "auroc",
    "average_precision",
    "balanced_accuracy",
    "baseline",
    "bind",
    "bootstrap_interval",
    "bootstrap_intervals",
    "brier_score",
    "by_group",
    "cheapest_threshold",
    "choose_threshold",
    "compare",
    "confusion",
    "confusion_intervals",
    "evaluate",
    "expected_counts",
    "f1",
    "fit_temperature",
    "froc_band",
    "judge",
    "loss_of_each",
    "mean_of",
    "negative_predictive_value",
    "precision",
    "reliability",
    "risk_coverage",
    "screen",
    "sensitivity",
    "sensitivity_at",
    "sensitivity_by",
    "specificity",
    "stored",
    "surest",
    "with_interval",
    "with_temperature",
]
