"""Figures: data in, Axes out. They never save, and each says in words what it shows, also under it in a notebook."""

from course_lib.figures.audit import (
    plot_hash_distances,
    plot_leak,
    plot_losses,
    plot_pairs,
    plot_property,
    plot_shares,
    plot_tiles,
)
from course_lib.figures.classification import (
    plot_confusion,
    plot_pairs_won,
    plot_precision_recall,
    plot_roc,
    plot_scores,
)
from course_lib.figures.contrast import plot_contrast
from course_lib.figures.course_map import plot_lessons
from course_lib.figures.decisions import (
    plot_costs,
    plot_counts,
    plot_predictive_values,
    plot_reliability,
    plot_risk_coverage,
)
from course_lib.figures.detection import plot_boxes, plot_froc, plot_heat, plot_screened, plot_strata
from course_lib.figures.explanations import plot_maps
from course_lib.figures.finetuning import plot_answers, plot_filters, plot_moved_scores, plot_unfreezing_costs
from course_lib.figures.images import plot_images, plot_masks, plot_outlines
from course_lib.figures.intervals import (
    plot_comparison,
    plot_coverage,
    plot_estimates,
    plot_intervals,
    plot_with_intervals,
)
from course_lib.figures.outline_errors import plot_border_errors, plot_surface_distances
from course_lib.figures.segmentation import plot_dice
from course_lib.figures.studies import curves_of, plot_gains, plot_repeated
from course_lib.figures.style import describe, text_alternative
from course_lib.figures.training import plot_curves, plot_history
from course_lib.figures.volumes import compare_planes, plot_histograms, show_planes

__all__ = [
    "compare_planes",
    "curves_of",
    "describe",
    "plot_answers",
    "plot_border_errors",
    "plot_boxes",
    "plot_comparison",
    "plot_confusion",
    "plot_contrast",
    "plot_costs",
    "plot_counts",
    "plot_coverage",
    "plot_curves",
    "plot_dice",
    "plot_estimates",
    "plot_filters",
    "plot_froc",
    "plot_gains",
    "plot_hash_distances",
    "plot_heat",
    "plot_histograms",
    "plot_history",
    "plot_images",
    "plot_intervals",
    "plot_leak",
    "plot_lessons",
    "plot_losses",
    "plot_maps",
    "plot_masks",
    "plot_moved_scores",
    "plot_outlines",
    "plot_pairs",
    "plot_pairs_won",
    "plot_precision_recall",
    "plot_predictive_values",
    "plot_property",
    "plot_reliability",
    "plot_repeated",
    "plot_risk_coverage",
    "plot_roc",
    "plot_scores",
    "plot_screened",
    "plot_shares",
    "plot_strata",
    "plot_surface_distances",
    "plot_tiles",
    "plot_unfreezing_costs",
    "plot_with_intervals",
    "show_planes",
    "text_alternative",
]
