"""Recipes: everything that decides the result of a training, apart from the images and the network."""

from dataclasses import dataclass, replace

from course_lib.data.augmentation import Augmentation
from course_lib.data.transforms import Preprocessing
from course_lib.training.config import TrainConfig

#: What makes a ResNet-18 out of a random start, on images of 64 px, two cores and thousands of images.
RESNET_FROM_SCRATCH = TrainConfig(
    learning_rate=3e-3,
    batch_size=64,
    weight_decay=0.05,
    schedule="one-cycle",
    gradient_clip=5.0,
    label_smoothing=0.1,
    mixed_precision=True,
)

#: Changes as strong as those between two hospitals; without them, a network leans on what its own hospital's files have
#: in common.
STRONG = Augmentation(
    rotation=10, shift=0.1, scale=0.2, aspect=0.2, shear=6, blur=1.2, noise=0.05, gamma=0.6, contrast=0.4,
    brightness=0.15, patch=0.4, jpeg=0.3, patch_side=0.4, jpeg_quality=(20, 95),
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result of a training, apart from the images and the network."""

    how: Preprocessing
    augmentation: Augmentation
    config: TrainConfig


#: A ResNet-18 from a random start on thousands of real X-rays: nine minutes on two cores. No other hospital's images
#: were there to try it on.
REAL_XRAYS = Recipe(
    Preprocessing(64, "squeeze", normalisation="per image"),
    STRONG,
    replace(RESNET_FROM_SCRATCH, epochs=20, class_weights="balanced"),
)
