"""The metric breaker: an outline that a learner spoils until one metric praises what another one condemns."""

from dataclasses import dataclass
from typing import Literal

import ipywidgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course_lib.evaluation.lesion_counts import LesionCounts, count_lesions
from course_lib.evaluation.segmentation import dice, iou
from course_lib.evaluation.surfaces import Mask, hausdorff_distance, surface_dice
from course_lib.figures.outline_errors import draw_two_outlines
from course_lib.figures.widgets.explorer import LAYOUT, Explorer, pixels_of

SIZE_INCHES, DPI = (7.2, 3.5), 100
TOLERANCE_MM = 1.0  #: of the surface Dice
GOOD_DICE, BAD_DICE, FAR_MM, NEAR_MM = 0.9, 0.6, 10.0, 2.0  #: of the two goals
SPECK_ANGLE = np.deg2rad(150)  #: in which direction the speck lies: to the upper left
BAR_MM = 25.0  #: the bars of the distances end here
FIRST_DISTANCE = 3  #: the place of the first bar that is a distance

StructureName = Literal["large", "small"]


@dataclass(frozen=True)
class Structure:
    """A disc with a thin tail to its right, and the slice around it."""

    name: str
    radius_mm: float
    tail_mm: float  #: how far the tail reaches beyond the disc
    tail_width_mm: float
    spacing_mm: float  #: from pixel to pixel, along both axes
    size_mm: tuple[float, float]  #: of the slice, rows and columns
    centre_mm: tuple[float, float]  #: of the disc, from the upper left corner of the slice


STRUCTURES: dict[StructureName, Structure] = {
    "large": Structure("a large tumour with a thin tail", 18, 24, 2, 0.5, (64, 96), (32, 42)),
    "small": Structure("a small nodule with a thin tail", 2.5, 3.5, 1, 0.25, (28, 40), (15.5, 24)),
}


@dataclass(frozen=True)
class Spoiling:
    """What is wrong with an outline; nothing, as it is made."""

    right_mm: float = 0.0
    up_mm: float = 0.0
    growth_mm: float = 0.0  #: of the border, outwards; below 0 the outline is too small
    tail_left_out: float = 0.0  #: the part of the tail's length, from its tip
    speck_mm: float = 0.0  #: diameter of a speck that is not there; 0: there is no speck
    speck_away_mm: float = 15.0  #: from the disc's border to the middle of the speck


@dataclass(frozen=True)
class OutlineNumbers:
    """What the metrics say of one outline."""

    dice: float
    iou: float
    surface_dice: float  #: within `TOLERANCE_MM`
    hd95_mm: float
    hd_mm: float  #: the farthest point, HD100
    area_mm2: float  #: of the predicted outline
    true_area_mm2: float
    lesions: LesionCounts

    @property
    def good_overlap_far_away(self) -> bool:
        """The first goal: Dice is good, and yet a part of an outline lies far away."""
        return self.dice > GOOD_DICE and self.hd95_mm >= FAR_MM

    @property
    def near_with_bad_overlap(self) -> bool:
        """The second goal: no part lies far away, and yet Dice is bad."""
        return self.dice < BAD_DICE and self.hd95_mm <= NEAR_MM


def metric_breaker() -> Explorer:
    """A choice of the structure, and sliders that spoil its outline, over both outlines and what the metrics say."""
    style = {"description_width": "10em"}
    structures = [(one.name, name) for name, one in STRUCTURES.items()]
    sliders = {
        "structure": ipywidgets.RadioButtons(
            options=structures, value="large", description="structure", layout=LAYOUT, style=style
        )
    }
    for name, said, value, first, last, step in (
        ("right_mm", "to the right, mm", 0, -6, 6, 0.5),
        ("up_mm", "up, mm", 0, -6, 6, 0.5),
        ("growth_mm", "growth, mm", 0, -3, 3, 0.25),
        ("tail_left_out", "tail left out", 0, 0, 1, 0.1),
        ("speck_mm", "speck, mm across", 0, 0, 6, 0.5),
        ("speck_away_mm", "speck, mm away", 15, 3, 20, 1),
    ):
        sliders[name] = ipywidgets.FloatSlider(
            value=value, min=first, max=last, step=step, description=said, layout=LAYOUT, style=style
        )
    return Explorer(sliders, draw_outlines)


def draw_outlines(
    structure: StructureName,
    right_mm: float,
    up_mm: float,
    growth_mm: float,
    tail_left_out: float,
    speck_mm: float,
    speck_away_mm: float,
) -> tuple[NDArray[np.uint8], str]:
    """Both outlines, the numbers of the metrics and the two goals as a picture [350, 720, 3]; and in words."""
    shape = STRUCTURES[structure]
    spoiling = Spoiling(right_mm, up_mm, growth_mm, tail_left_out, speck_mm, speck_away_mm)
    predicted, true = outlines(shape, spoiling), outlines(shape, Spoiling())
    spacing = (shape.spacing_mm,) * 2
    numbers = measure(predicted, true, spacing)
    figure = Figure(figsize=SIZE_INCHES, dpi=DPI)
    draw_two_outlines(figure.add_axes((0.01, 0.17, 0.5, 0.81)), predicted, true, spacing)
    _draw_numbers(figure.add_axes((0.71, 0.17, 0.16, 0.81)), numbers)
    for place, (goal, reached) in enumerate(_goals(numbers)):
        weight = "bold" if reached else "normal"
        figure.text(0.01, 0.1 - 0.07 * place, f"{'☑' if reached else '☐'} {goal}", fontsize=10, weight=weight)
    return pixels_of(figure), _in_words(shape, spoiling, numbers)


def outlines(structure: Structure, spoiling: Spoiling) -> Mask:
    """The structure's outline as it is spoilt, [rows, columns]; as it truly is for ``Spoiling()``."""
    counts = [round(mm / structure.spacing_mm) for mm in structure.size_mm]
    rows, columns = ((np.arange(count, dtype=np.float64) + 0.5) * structure.spacing_mm for count in counts)
    down, right = rows[:, None] - structure.centre_mm[0], columns - structure.centre_mm[1]
    inside = _beyond_border(structure, spoiling.tail_left_out, down + spoiling.up_mm, right - spoiling.right_mm)
    away = structure.radius_mm + spoiling.speck_away_mm
    speck = np.hypot(down + away * np.sin(SPECK_ANGLE), right - away * np.cos(SPECK_ANGLE)) < spoiling.speck_mm / 2
    mask: Mask = (inside <= spoiling.growth_mm) | speck
    return mask


def measure(predicted: Mask, true: Mask, spacing_mm: tuple[float, float]) -> OutlineNumbers:
    """What the course's metrics say of a predicted outline [rows, columns] beside the true one."""
    pixel = float(np.prod(spacing_mm))
    return OutlineNumbers(
        dice(predicted, true),
        iou(predicted, true),
        surface_dice(predicted, true, spacing_mm, TOLERANCE_MM),
        hausdorff_distance(predicted, true, spacing_mm),
        hausdorff_distance(predicted, true, spacing_mm, 100),
        np.count_nonzero(predicted) * pixel,
        np.count_nonzero(true) * pixel,
        count_lesions(predicted, true),
    )


def _beyond_border(
    structure: Structure, tail_left_out: float, down: NDArray[np.floating], right: NDArray[np.floating]
) -> NDArray[np.floating]:
    """How far each pixel lies outside the disc with its tail, in mm; below 0 inside."""
    disc = np.hypot(down, right) - structure.radius_mm
    half = structure.tail_width_mm / 2
    tip = structure.radius_mm + (1 - tail_left_out) * structure.tail_mm - half
    tail = np.hypot(down, right - np.clip(right, 0, tip)) - half
    return np.asarray(np.minimum(disc, tail) if tail_left_out < 1 else disc)


def _draw_numbers(axes: Axes, numbers: OutlineNumbers) -> None:
    """Bars from 0 to 1 and from 0 to `BAR_MM`, each with its number; below them area and lesions."""
    rows = (
        ("Dice", numbers.dice, f"{numbers.dice:.2f}"),
        ("IoU", numbers.iou, f"{numbers.iou:.2f}"),
        (f"surface Dice, {TOLERANCE_MM:g} mm", numbers.surface_dice, f"{numbers.surface_dice:.2f}"),
        ("HD95", numbers.hd95_mm / BAR_MM, f"{numbers.hd95_mm:.1f} mm"),
        ("HD (100)", numbers.hd_mm / BAR_MM, f"{numbers.hd_mm:.1f} mm"),
    )
    for place, (name, part, said) in enumerate(rows):
        axes.barh(place, 1, color="0.93", height=0.6)
        color, hatch = ("0.45", "") if place < FIRST_DISTANCE else ("0.75", "//")
        axes.barh(place, min(part, 1), color=color, height=0.6, hatch=hatch)
        axes.text(-0.06, place, name, ha="right", va="center", fontsize=9)
        axes.text(1.06, place, said, va="center", fontsize=9)
    for place, said in enumerate((_area(numbers), _lesions(numbers.lesions)), start=len(rows)):
        axes.text(-1.1, place + 0.2, said, va="center", fontsize=9)
    axes.set(xlim=(0, 1), ylim=(len(rows) + 1.7, -0.6))
    axes.axis("off")


def _area(numbers: OutlineNumbers) -> str:
    more = numbers.area_mm2 - numbers.true_area_mm2
    percent = 100 * more / numbers.true_area_mm2
    return f"area {more:+,.0f} mm² ({percent:+.0f} % of {numbers.true_area_mm2:,.0f} mm²)"


def _lesions(counts: LesionCounts) -> str:
    alarms = "false alarm" if counts.false_alarms == 1 else "false alarms"
    return f"lesions: {counts.found} found, {counts.missed} missed, {counts.false_alarms} {alarms}"


def _goals(numbers: OutlineNumbers) -> list[tuple[str, bool]]:
    return [
        (f"Goal 1: Dice above {GOOD_DICE}, though HD95 is {FAR_MM:g} mm or more", numbers.good_overlap_far_away),
        (f"Goal 2: Dice below {BAD_DICE}, though HD95 is {NEAR_MM:g} mm or less", numbers.near_with_bad_overlap),
    ]


def _in_words(structure: Structure, spoiling: Spoiling, numbers: OutlineNumbers) -> str:
    goals = " ".join(f"{goal}: {'reached' if reached else 'not yet'}." for goal, reached in _goals(numbers))
    empty = "" if numbers.area_mm2 else " Nothing is outlined, so each distance counts as the diagonal of the slice."
    return (
        f"The true outline of {structure.name}, and a predicted one: {_spoiling_in_words(spoiling)}. Dice "
        f"{numbers.dice:.2f}, IoU {numbers.iou:.2f}, surface Dice within {TOLERANCE_MM:g} mm "
        f"{numbers.surface_dice:.2f}, HD95 {numbers.hd95_mm:.1f} mm, HD {numbers.hd_mm:.1f} mm, {_area(numbers)}, "
        f"{_lesions(numbers.lesions)}.{empty} {goals}"
    )


def _spoiling_in_words(spoiling: Spoiling) -> str:
    """What is wrong with the outline, and nothing else."""
    across = "right" if spoiling.right_mm > 0 else "left"
    along = "up" if spoiling.up_mm > 0 else "down"
    said = [
        f"{abs(spoiling.right_mm):g} mm too far {across}" if spoiling.right_mm else "",
        f"{abs(spoiling.up_mm):g} mm too far {along}" if spoiling.up_mm else "",
        f"{abs(spoiling.growth_mm):g} mm too {'large' if spoiling.growth_mm > 0 else 'small'} on all sides"
        if spoiling.growth_mm
        else "",
        f"without {100 * spoiling.tail_left_out:.0f} % of the tail" if spoiling.tail_left_out else "",
        f"with a speck of {spoiling.speck_mm:g} mm that lies {spoiling.speck_away_mm:g} mm away"
        if spoiling.speck_mm
        else "",
    ]
    return ", ".join(part for part in said if part) or "the same"
