"""A loss for structures that fill few pixels: Dice, of probabilities."""

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

# 11.5 --- Dice as a loss


def soft_dice_loss(probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """1 - the mean over the images of their Dice, one number that leads back to the probabilities.

    Both are float [images, rows, columns]: the probabilities from 0 to 1, the target 1 where the structure is and 0
    elsewhere. The Dice of an image is (2 * overlap + 1) / (both sums + 1). The overlap is the sum of the products, and
    the 1 is one pixel, so that an image without the structure costs nothing if nothing is said.
    """
    overlap = (probabilities * target).sum(dim=(1, 2))
    both = probabilities.sum(dim=(1, 2)) + target.sum(dim=(1, 2))
    return 1 - ((2 * overlap + 1) / (both + 1)).mean()


def _draw_images(rng: np.random.Generator) -> Inputs:
    """Two or three images; now and then one holds nothing, and nothing is said of it."""
    images = int(rng.integers(2, 4))
    parts = rng.permutation([0.2, 0.5, 0.8])[:images, None, None]
    target = (rng.random((images, 2, 3)) < parts).astype(float)
    probabilities = rng.integers(1, 10, target.shape) / 10
    if rng.random() < 0.6:
        empty = int(rng.integers(images))
        target[empty] = 0
        probabilities[empty] *= rng.integers(2)
    said = torch.tensor(probabilities, dtype=torch.float32, requires_grad=True)
    return said, torch.tensor(target, dtype=torch.float32)


def _loss_that_leads_back(answer: Answer, inputs: Inputs) -> object:
    loss = answer(*inputs)
    leads_back = bool(getattr(loss, "requires_grad", False))
    is_number = not isinstance(loss, torch.Tensor) or not loss.isnan().any()
    return {"the loss": loss if is_number else "nan", "whether it leads back to the probabilities": leads_back}


def _dice(said: torch.Tensor, true: torch.Tensor, above: float = 1.0, below: float = 1.0) -> torch.Tensor:
    """Of each image, with so many pixels added above and below."""
    overlap, both = (said * true).sum(dim=(1, 2)), (said + true).sum(dim=(1, 2))
    return (2 * overlap + above) / (both + below)


def _thresholded(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return soft_dice_loss((said > 0.5).float(), true)


def _rounded(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return soft_dice_loss(said.round(), true)


def _detached(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return soft_dice_loss(said.detach(), true)


def _plain_number(said: torch.Tensor, true: torch.Tensor) -> float:
    return soft_dice_loss(said, true).item()


def _dice_itself(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return _dice(said, true).mean()


def _minus_dice(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return -_dice(said, true).mean()


def _of_each_image(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return 1 - _dice(said, true)


def _added_up(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return (1 - _dice(said, true)).sum()


def _sum_of_dice(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return 1 - _dice(said, true).sum()


def _whole_batch(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return 1 - (2 * (said * true).sum() + 1) / (said.sum() + true.sum() + 1)


def _without_the_2(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    overlap, both = (said * true).sum(dim=(1, 2)), (said + true).sum(dim=(1, 2))
    return 1 - ((overlap + 1) / (both + 1)).mean()


def _one_inside_the_2(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return 1 - _dice(said, true, above=2).mean()


def _not_smoothed(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return 1 - _dice(said, true, 0, 0).mean()


def _smoothed_below_alone(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return 1 - _dice(said, true, 0, 1).mean()


def _tiny_below(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return 1 - _dice(said, true, 0, 1e-8).mean()


def _tiny(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return 1 - _dice(said, true, 1e-6, 1e-6).mean()


def _jaccard(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    overlap, both = (said * true).sum(dim=(1, 2)), (said + true).sum(dim=(1, 2))
    return 1 - ((overlap + 1) / (both - overlap + 1)).mean()


def _squared_below(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    overlap, squares = (said * true).sum(dim=(1, 2)), (said**2 + true**2).sum(dim=(1, 2))
    return 1 - ((2 * overlap + 1) / (squares + 1)).mean()


def _means_for_sums(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    overlap, both = (said * true).mean(dim=(1, 2)), (said + true).mean(dim=(1, 2))
    return 1 - ((2 * overlap + 1) / (both + 1)).mean()


def _by_column(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    overlap, both = (said * true).sum(dim=1), (said + true).sum(dim=1)
    return 1 - ((2 * overlap + 1) / (both + 1)).mean()


def _by_row(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    overlap, both = (said * true).sum(dim=2), (said + true).sum(dim=2)
    return 1 - ((2 * overlap + 1) / (both + 1)).mean()


def _by_pixel(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return 1 - ((2 * said * true + 1) / (said + true + 1)).mean()


def _over_the_batch(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    overlap, both = (said * true).sum(dim=(0, 1)), (said + true).sum(dim=(0, 1))
    return 1 - ((2 * overlap + 1) / (both + 1)).mean()


def _sigmoid_again(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return soft_dice_loss(said.sigmoid(), true)


def _cross_entropy(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy(said, true)


NOT_YES_OR_NO = (
    "A threshold makes yes or no of the probabilities. A small change of them changes nothing then, so nothing can be "
    "learned. Multiply the probabilities themselves."
)
ONE_SUM_AN_IMAGE = "Each image has one Dice, from the sums over its rows and its columns: sum(dim=(1, 2))."
ONE_PIXEL = (
    "Add 1 above and 1 below, in each image. It makes an image without the structure cost 0 if nothing is said, and "
    "little if little is said."
)

SOFT_DICE_LOSS = Exercise(
    "11.5",
    "Dice as a loss",
    soft_dice_loss,
    hints=(
        "Dice is twice the overlap over both sizes. What are the overlap and the sizes, if a pixel counts by its "
        "probability?",
        "(probabilities * target).sum(dim=(1, 2)) is the overlap of each image, in pixels. The sizes are sums like it.",
        "dice = (2 * overlap + 1) / (both + 1) has one number for each image. A loss is small where all is well.",
        "return 1 - dice.mean(), with no item(), detach() or threshold on the way",
    ),
    mistakes=(
        Mistake(_thresholded, NOT_YES_OR_NO),
        Mistake(_rounded, NOT_YES_OR_NO),
        Mistake(_detached, "After detach(), or inside no_grad, nothing leads back to the probabilities."),
        Mistake(
            _plain_number, "A plain number has forgotten where it came from. Return the tensor; backward() needs it."
        ),
        Mistake(_dice_itself, "That is the Dice, which is 1 at best. A loss is small where all is well: 1 - Dice."),
        Mistake(_minus_dice, "-Dice leads to the same weights, but the loss is 1 - Dice here: 0 at best, never below."),
        Mistake(_of_each_image, "There is a loss for each image. Take their mean: backward() needs one number."),
        Mistake(_added_up, "The losses are added up. Their mean does not grow with the number of images."),
        Mistake(_sum_of_dice, "The Dice of the images are added up before 1 - …: take their mean."),
        Mistake(
            _whole_batch,
            "All images are one here, so a large structure in one of them counts more than a small one in another. "
            + ONE_SUM_AN_IMAGE,
        ),
        Mistake(_without_the_2, "The factor 2 is missing, so a perfect answer would have a Dice of about a half."),
        Mistake(_one_inside_the_2, "The 1 is added after the overlap is doubled: 2 * overlap + 1."),
        Mistake(_not_smoothed, "An image without the structure gives 0 / 0 if nothing is said. " + ONE_PIXEL),
        Mistake(_smoothed_below_alone, "An image without the structure costs 1, even if nothing is said. " + ONE_PIXEL),
        Mistake(_tiny_below, "An image without the structure costs 1, even if nothing is said. " + ONE_PIXEL),
        Mistake(
            _tiny,
            "With a tiny number, an image without the structure costs nearly 1 as soon as anything is said. "
            + ONE_PIXEL,
        ),
        Mistake(_jaccard, "That is intersection over union. Dice is twice the overlap over the sum of both sizes."),
        Mistake(
            _squared_below, "Below, the probabilities are squared, as some papers do it. Here the sums are plain ones."
        ),
        Mistake(
            _means_for_sums,
            "With means in place of sums, the 1 is as much as the whole image, and hides the rest. Take sums.",
        ),
        Mistake(_by_column, "There is a Dice for each column of an image. " + ONE_SUM_AN_IMAGE),
        Mistake(_by_row, "There is a Dice for each row of an image. " + ONE_SUM_AN_IMAGE),
        Mistake(_by_pixel, "There is a Dice for each pixel. " + ONE_SUM_AN_IMAGE),
        Mistake(_over_the_batch, "The first axis is the images, and they are added up. " + ONE_SUM_AN_IMAGE),
        Mistake(_sigmoid_again, "A sigmoid turns logits into probabilities. These are probabilities already."),
        Mistake(
            _cross_entropy, "That is cross-entropy, in which each pixel counts alike. Dice counts overlap and sizes."
        ),
    ),
    draw=_draw_images,
    observe=_loss_that_leads_back,
)
