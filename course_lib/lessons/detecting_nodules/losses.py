"""A loss for maps in which hardly any cell is a centre."""

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

SHAPES = ((2, 4), (3, 3), (3, 4))  #: rows and columns of a map
WITHOUT_CENTRE = 0.3  #: of the maps

# 12.4 --- focal loss


def focal_loss(probability: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """What a map costs, one number that leads back to the probabilities; both are float [rows, columns], 0 to 1.

    A cell where 1 is wanted is a centre and costs -(1 - p)² log(p). Any other costs -(1 - wanted)⁴ p² log(1 - p). The
    sum over the cells is divided by the number of centres, or by 1 where there is none. So that no logarithm becomes
    infinite, p is the probability, but 0.0001 at least and 0.9999 at most.
    """
    p = probability.clamp(1e-4, 1 - 1e-4)
    missed = -((1 - p) ** 2) * torch.log(p)
    alarmed = -((1 - wanted) ** 4) * p**2 * torch.log(1 - p)
    centre = wanted == 1
    return torch.where(centre, missed, alarmed).sum() / centre.sum().clamp(min=1)


def _draw_map(rng: np.random.Generator) -> Inputs:
    """A map with one or two centres and what is left of bumps beside them, or with none; some are quite sure."""
    shape = SHAPES[rng.integers(len(SHAPES))]
    wanted = np.where(rng.random(shape) < 0.4, rng.integers(1, 10, shape) / 10, 0.0)
    wanted.flat[rng.permutation(wanted.size)[: int(rng.integers(1, 4))]] = 1
    if rng.random() < WITHOUT_CENTRE:
        wanted[...] = 0
    probability = rng.integers(1, 10, shape) / 10
    if rng.random() < 0.4:
        probability.flat[int(rng.integers(probability.size))] = rng.integers(2)
    said = torch.tensor(probability, dtype=torch.float32, requires_grad=True)
    return said, torch.tensor(wanted, dtype=torch.float32)


def _loss_that_leads_back(answer: Answer, inputs: Inputs) -> object:
    loss = answer(*inputs)
    leads_back = bool(getattr(loss, "requires_grad", False))
    is_number = not isinstance(loss, torch.Tensor) or not loss.isnan().any()
    return {"the loss": loss if is_number else "nan", "whether it leads back to the probabilities": leads_back}


def _cells(said: torch.Tensor, wanted: torch.Tensor, focus: float = 2, tolerance: float = 4) -> torch.Tensor:
    p = said.clamp(1e-4, 1 - 1e-4)
    missed = -((1 - p) ** focus) * p.log()
    return torch.where(wanted == 1, missed, -((1 - wanted) ** tolerance) * p**focus * (1 - p).log())


def _per_centre(cells: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return cells.sum() / (wanted == 1).sum().clamp(min=1)


def _mean_of_cells(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _cells(said, wanted).mean()


def _not_divided(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _cells(said, wanted).sum()


def _of_each_cell(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _cells(said, wanted)


def _no_centre_is_infinite(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _cells(said, wanted).sum() / (wanted == 1).sum()


def _no_centre_is_0(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _per_centre(_cells(said, wanted), wanted) * (wanted == 1).any()


def _divided_by_the_sum(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _cells(said, wanted).sum() / wanted.sum().clamp(min=1)


def _not_focal(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _per_centre(_cells(said, wanted, focus=0), wanted)


def _cross_entropy(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _per_centre(F.binary_cross_entropy(said, wanted, reduction="none"), wanted)


def _mean_cross_entropy(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy(said, wanted)


def _not_tolerant(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _per_centre(_cells(said, wanted, tolerance=0), wanted)


def _powers_swapped(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _per_centre(_cells(said, wanted, focus=4, tolerance=2), wanted)


def _focus_swapped(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    p = said.clamp(1e-4, 1 - 1e-4)
    cells = torch.where(wanted == 1, -(p**2) * p.log(), -((1 - wanted) ** 4) * (1 - p) ** 2 * (1 - p).log())
    return _per_centre(cells, wanted)


def _cases_swapped(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    p = said.clamp(1e-4, 1 - 1e-4)
    cells = torch.where(wanted == 1, -((1 - wanted) ** 4) * p**2 * (1 - p).log(), -((1 - p) ** 2) * p.log())
    return _per_centre(cells, wanted)


def _bumps_as_centres(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _cells(said, (wanted > 0).float()).sum() / (wanted == 1).sum().clamp(min=1)


def _half_as_centre(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    p = said.clamp(1e-4, 1 - 1e-4)
    alarmed = -((1 - wanted) ** 4) * p**2 * (1 - p).log()
    return _per_centre(torch.where(wanted >= 0.5, -((1 - p) ** 2) * p.log(), alarmed), wanted)


def _bumps_count_in_part(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    p = said.clamp(1e-4, 1 - 1e-4)
    cells = -wanted * (1 - p) ** 2 * p.log() - (1 - wanted) ** 4 * p**2 * (1 - p).log()
    return _per_centre(cells, wanted)


def _wanted_not_turned(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    p = said.clamp(1e-4, 1 - 1e-4)
    cells = torch.where(wanted == 1, -((1 - p) ** 2) * p.log(), -(wanted**4) * p**2 * (1 - p).log())
    return _per_centre(cells, wanted)


def _log_of_p(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    p = said.clamp(1e-4, 1 - 1e-4)
    cells = torch.where(wanted == 1, -((1 - p) ** 2) * p.log(), -((1 - wanted) ** 4) * p**2 * p.log())
    return _per_centre(cells, wanted)


def _centres_alone(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _per_centre(_cells(said, wanted) * (wanted == 1), wanted)


def _alarms_alone(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _per_centre(_cells(said, wanted) * (wanted < 1), wanted)


def _background_alone(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _per_centre(_cells(said, wanted) * ((wanted == 1) | (wanted == 0)), wanted)


def _without_minus(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return -focal_loss(said, wanted)


def _logarithm_of_ten(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return focal_loss(said, wanted) / float(np.log(10))


def _not_kept_from_infinity(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    alarmed = -((1 - wanted) ** 4) * said**2 * (1 - said).log()
    return _per_centre(torch.where(wanted == 1, -((1 - said) ** 2) * said.log(), alarmed), wanted)


def _hidden_infinity(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    centre = (wanted == 1).float()
    missed = -((1 - said) ** 2) * said.log() * centre
    return _per_centre(missed - (1 - wanted) ** 4 * said**2 * (1 - said).log() * (1 - centre), wanted)


def _tiny(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    alarmed = -((1 - wanted) ** 4) * said**2 * (1 - said + 1e-8).log()
    return _per_centre(torch.where(wanted == 1, -((1 - said) ** 2) * (said + 1e-8).log(), alarmed), wanted)


def _detached(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return focal_loss(said.detach(), wanted)


def _plain_number(said: torch.Tensor, wanted: torch.Tensor) -> float:
    return focal_loss(said, wanted).item()


def _sigmoid_again(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return focal_loss(said.sigmoid(), wanted)


def _squares(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return _per_centre((said - wanted) ** 2, wanted)


KEPT_FROM_INFINITY = (
    "Where the network is quite sure and wrong, log(0) is infinite, and one such cell outweighs all films: clamp(1e-4, "
    "1 - 1e-4) first."
)
NO_CENTRE = "A film without a box has no centre, "

FOCAL_LOSS = Exercise(
    "12.4",
    "Focal loss",
    focal_loss,
    hints=(
        "There are two kinds of cells, with a formula each. Write both for all cells, and choose afterwards.",
        "p = probability.clamp(1e-4, 1 - 1e-4), then missed = -(1 - p) ** 2 * torch.log(p). The other formula goes "
        "likewise; (1 - wanted) ** 4 makes a cell cheap that is near a centre.",
        "torch.where(wanted == 1, missed, alarmed) takes the first where a centre is, and the second elsewhere.",
        "torch.where(...).sum() / (wanted == 1).sum().clamp(min=1), with no item() or detach() on the way",
    ),
    mistakes=(
        Mistake(
            _mean_of_cells,
            "You take the mean over the cells. Nearly all of them are empty, so that the mean makes a missed centre "
            "look cheap, the more so the larger the map is. Divide the sum by the number of centres.",
        ),
        Mistake(_not_divided, "That is the sum. Divide it by the number of centres, 1 at least."),
        Mistake(_of_each_cell, "There is a loss for each cell. Sum them up: backward() needs one number."),
        Mistake(
            _no_centre_is_infinite,
            NO_CENTRE + "and you divide by 0. Divide by 1 there: its false alarms must cost something.",
        ),
        Mistake(
            _no_centre_is_0,
            NO_CENTRE
            + "and you let it cost nothing. But its cells must cost something wherever the network says that a "
            "centre is. It learns from them what looks like a nodule and is none.",
        ),
        Mistake(
            _divided_by_the_sum,
            "You divide by the sum of what is wanted, and the bumps are in it too. Count the centres: wanted == 1.",
        ),
        Mistake(
            _not_focal,
            "(1 - p)² and p² are missing. Without them, thousands of cells that are nearly right outweigh the one that "
            "is missed.",
        ),
        Mistake(
            _cross_entropy,
            "That is cross-entropy, which counts each cell alike and wants the bumps to be met as they are. Write down "
            "the two formulas.",
        ),
        Mistake(
            _mean_cross_entropy,
            "That is cross-entropy, the mean over the cells: a network that never says anything does well. Write down "
            "the two formulas, and divide by the number of centres.",
        ),
        Mistake(
            _not_tolerant,
            "(1 - wanted)⁴ is missing, so that a centre which is told one cell beside costs as much as one far away.",
        ),
        Mistake(_powers_swapped, "The powers are swapped: p goes with 2, and 1 - wanted with 4."),
        Mistake(
            _focus_swapped,
            "(1 - p)² and p² are swapped, so what is right already costs most. A missed centre has a small p, so (1 - "
            "p)² belongs to it.",
        ),
        Mistake(
            _cases_swapped,
            "The two formulas are swapped. -(1 - p)² log(p) is for the centres, where p should be high.",
        ),
        Mistake(
            _bumps_as_centres,
            "You take each cell above 0 for a centre. The bump around it only makes an alarm there cheaper; a centre "
            "is where 1 is wanted.",
        ),
        Mistake(_half_as_centre, "You take the cells from 0.5 up for centres. A centre is where exactly 1 is wanted."),
        Mistake(
            _bumps_count_in_part,
            "Cells beside a centre pay for both in your loss, as in cross-entropy. The first formula is for wanted == "
            "1 alone: torch.where chooses.",
        ),
        Mistake(
            _wanted_not_turned,
            "You take wanted⁴ and not (1 - wanted)⁴. Then an alarm far from any centre costs nothing.",
        ),
        Mistake(_log_of_p, "Where no centre is, p should be low, so log(1 - p) belongs there and not log(p)."),
        Mistake(
            _centres_alone, "You let only the centres cost something, so a network that calls every cell one is best."
        ),
        Mistake(_alarms_alone, "You let missed centres cost nothing, so a network that never finds one is best."),
        Mistake(
            _background_alone,
            "You leave the cells of the bumps out. They cost less than others, by (1 - wanted)⁴, but something.",
        ),
        Mistake(_without_minus, "The minus is missing. log(p) is below 0, and a loss is above."),
        Mistake(_logarithm_of_ten, "Take the natural logarithm: torch.log."),
        Mistake(_not_kept_from_infinity, KEPT_FROM_INFINITY),
        Mistake(_hidden_infinity, KEPT_FROM_INFINITY + " Multiplied by 0, it is not even a number any more."),
        Mistake(
            _tiny,
            "You add a tiny number in the logarithm, so that a cell may cost 18. Here p is held between 0.0001 and "
            "0.9999: probability.clamp(1e-4, 1 - 1e-4).",
        ),
        Mistake(_detached, "After detach(), or inside no_grad, nothing leads back to the probabilities."),
        Mistake(
            _plain_number, "A plain number has forgotten where it came from. Return the tensor; backward() needs it."
        ),
        Mistake(_sigmoid_again, "A sigmoid turns logits into probabilities. These are probabilities already."),
        Mistake(_squares, "Those are squared errors. Write down the two formulas, with their logarithms."),
    ),
    draw=_draw_map,
    observe=_loss_that_leads_back,
    cases=30,
)
