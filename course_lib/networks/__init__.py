"""Networks: the course's own and torchvision's, what they cost, which parts learn, and what is trained already."""

from course_lib.networks.anchor_detectors import LiteFCOS, LiteRetinaNet
from course_lib.networks.backbones import (
    BACKBONES,
    build_backbone,
    head_of,
    imagenet_classifier,
    preprocessing_for,
    resnet18_classifier,
    shipped_classifier,
)
from course_lib.networks.costs import costs_of_unfreezing, count_parameters, gflops
from course_lib.networks.detector import HeatmapDetector
from course_lib.networks.freezing import freeze, stages, unfreeze
from course_lib.networks.frozen_features import features, linear_probe, probe_predictions
from course_lib.networks.lite_detector import LiteHeatmapDetector
from course_lib.networks.lite_unet import LiteUNet
from course_lib.networks.net import Net
from course_lib.networks.outliner import Outliner
from course_lib.networks.unet import UNet

__all__ = [
    "BACKBONES",
    "HeatmapDetector",
    "LiteFCOS",
    "LiteHeatmapDetector",
    "LiteRetinaNet",
    "LiteUNet",
    "Net",
    "Outliner",
    "UNet",
    "build_backbone",
    "costs_of_unfreezing",
    "count_parameters",
    "features",
    "freeze",
    "gflops",
    "head_of",
    "imagenet_classifier",
    "linear_probe",
    "preprocessing_for",
    "probe_predictions",
    "resnet18_classifier",
    "shipped_classifier",
    "stages",
    "unfreeze",
]
