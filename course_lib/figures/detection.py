"""Figures of detectors: FROC curves with bands, films with boxes, sensitivity by stratum, screening, a heat map."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, NullLocator
from matplotlib.typing import LineStyleType
from numpy.typing import ArrayLike, NDArray

from course_lib.evaluation.box_strata import Stratum
from course_lib.evaluation.detection import FROC_RATES, Boxes
from course_lib.evaluation.froc_bands import FrocBand
from course_lib.evaluation.intervals import with_interval
from course_lib.evaluation.screening import Screened
from course_lib.figures.images import count_in_words, draw_images
from course_lib.figures.style import BLUE, LINES, ORANGE, axes_or_new, describe, in_a_row

Frame = tuple[float, float, float, float]  #: a box as x0, y0, x1, y1, px

RATE_LABELS = ("1/8", "1/4", "1/2", "1", "2", "4", "8")
SAID_RATES = (1 / 8, 1, 8)  #: whose sensitivities the words give
SKY = "#56B4E9"  #: of Okabe and Ito, as `style.BLUE`, but to be seen on a dark lung too
TRUE_LINE: tuple[str, LineStyleType] = (SKY, "-")  #: colour and style of a true box
FOUND_LINE: tuple[str, LineStyleType] = (ORANGE, "--")  #: colour and style of a box
PEOPLE_ACROSS = 50  #: icons in a row
HEAT = LinearSegmentedColormap.from_list("heat", [(0, "#D55E0000"), (1, "#D55E00D8")])  #: from clear to orange


def plot_froc(bands: Mapping[str, FrocBand], heading: str, ax: Axes | None = None) -> Axes:
    """One FROC curve for each detector, with its 95 % band; the seven rates of the FROC score are marked.

    The legend gives the mean sensitivity at these rates. The axis of false alarms is logarithmic.

    Raises:
        ValueError: there are more detectors than lines that can be told apart, or a rate is 0, which has no logarithm.
    """
    _check_number(bands)
    if any((band.rates <= 0).any() for band in bands.values()):
        raise ValueError("Expected rates above 0, because the axis is logarithmic. Leave out the rate 0.")
    axes = axes_or_new(ax, (5.6, 3.8))
    words = []
    for (name, band), (color, style, marker) in zip(bands.items(), LINES, strict=False):
        axes.fill_between(band.rates, band.low, band.high, color=color, alpha=0.18, linewidth=0)
        label = f"{name}: {with_interval(*band.mean, '.2f')}"
        axes.plot(band.rates, band.sensitivity, color=color, linestyle=style, label=label)
        inside = [rate for rate in FROC_RATES if band.rates.min() <= rate <= band.rates.max()]
        axes.plot(inside, np.interp(inside, band.rates, band.sensitivity), marker, color=color, markersize=5)
        words.append(f"{name}: mean {with_interval(*band.mean, '.2f')}; {_rates_in_words(band)}")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(FROC_RATES)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(FROC_RATES, RATE_LABELS)
    axes.set(title=heading, xlabel="false alarms per image", ylabel="sensitivity", ylim=(0, 1.02))
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    axes.legend(fontsize=8, loc="best", title="mean of the seven marks (95 % interval)", title_fontsize=8)
    said = (
        "FROC curves with 95 % bands over patients: sensitivity by false alarms per image, and its mean from 1/8 to 8"
    )
    describe(axes, f"{in_a_row(heading)}. {said}. {'. '.join(words)}.")
    return axes


def plot_boxes(
    images: Sequence[ArrayLike],
    true: Sequence[Boxes],
    found: Sequence[Boxes],
    classes: Sequence[str],
    titles: Sequence[str],
    heading: str,
    *,
    threshold: float = 0.0,
    columns: int = 4,
    side: float = 2.4,
) -> NDArray[np.object_]:
    """Grey images with the true boxes in solid blue and the found ones in dashed orange; gives the Axes, row by row.

    Found boxes below the threshold are left out; the others have their class and score beside them. Boxes are in pixels
    of their image. ``side`` is the room for one image, in inches.

    Raises:
        ValueError: there are not as many true and found boxes and titles as images.
    """
    if not len(images) == len(true) == len(found) == len(titles):
        counts = f"{len(images)} images, {len(true)} times true boxes, {len(found)} times found ones"
        raise ValueError(f"Expected boxes and a title for each image, but got {counts} and {len(titles)} titles.")
    surest = [boxes.from_score(threshold) for boxes in found]
    arrays = [np.asarray(image) for image in images]
    grid = draw_images(arrays, titles, heading, columns, side)
    panels: list[Axes] = grid.ravel().tolist()
    for axes, there, said in zip(panels, true, surest, strict=False):
        draw_boxes(axes, there, said, classes)
    panels[0].figure.legend(handles=box_lines(), loc="outside lower center", ncols=2, fontsize=8)
    parts = [_boxes_in_words(*image, classes) for image in zip(titles, true, surest, strict=True)]
    cut = f" of a score of {threshold:.2f} or more" if threshold > 0 else ""
    describe(
        panels[0],
        f"{in_a_row(heading)}. {count_in_words(arrays)} with true boxes, and found ones{cut}. {'; '.join(parts)}.",
    )
    return grid


def draw_boxes(axes: Axes, true: Boxes, found: Boxes, classes: Sequence[str]) -> None:
    """Draw the true boxes in solid blue with their class above, and the found ones in dashed orange with their score.

    The picture must be there before: its limits stay as they are.
    """
    limits = axes.get_xlim(), axes.get_ylim()
    for (x0, y0, x1, y1), place in zip(true.corners, true.classes, strict=True):
        _draw_box(axes, (x0, y0, x1, y1), *TRUE_LINE, halo=True)
        _label(axes, (x0, y0), classes[place], "bottom", SKY, "black")
    for (x0, y0, x1, y1), place, score in zip(found.corners, found.classes, found.scores, strict=True):
        _draw_box(axes, (x0, y0, x1, y1), *FOUND_LINE)
        _label(axes, (x0, y1), f"{classes[place]} {score:.2f}", "top", ORANGE, "white")
    axes.set(xlim=limits[0], ylim=limits[1])


def box_lines() -> list[Line2D]:
    """What a legend shows of the two kinds of boxes."""
    named = (("true", TRUE_LINE), ("found, with its score", FOUND_LINE))
    return [Line2D([], [], color=color, linestyle=style, label=name) for name, (color, style) in named]


def plot_strata(groups: Mapping[str, Sequence[Stratum]], heading: str, xlabel: str, ax: Axes | None = None) -> Axes:
    """The sensitivity of each stratum with its interval, a marker for each detector; empty strata are written as such.

    ``groups`` holds the strata by detector, each the same ones in the same order.

    Raises:
        ValueError: there is no detector, or more than markers that can be told apart, or they have different strata.
    """
    _check_number(groups)
    named = [tuple(stratum.name for stratum in strata) for strata in groups.values()]
    if not named or not named[0] or len(set(named)) != 1:
        raise ValueError(f"Expected the same strata for one detector at least, but got {named}.")
    first = next(iter(groups.values()))
    axes = axes_or_new(ax, (1.6 + 1.1 * len(first), 3.2))
    words = []
    for number, ((name, strata), (color, _, marker)) in enumerate(zip(groups.items(), LINES, strict=False)):
        places = np.arange(len(strata)) + 0.16 * (number - (len(groups) - 1) / 2)
        values, lows, highs = np.array([stratum.estimate for stratum in strata]).T
        axes.vlines(places, lows, highs, color=color, linewidth=2)
        axes.plot(places, values, marker, color=color, label=name)
        said = ", ".join(_stratum_in_words(stratum) for stratum in strata)
        words.append(f"{name}: {said}")
    for place, stratum in enumerate(first):
        if not stratum.boxes:
            axes.text(place, 0.5, "no box", ha="center", va="center", fontsize=8, color="0.4")
    ticks = [f"{stratum.name}\n{counted(stratum.boxes, 'box', 'boxes')}" for stratum in first]
    axes.set_xticks(range(len(first)), ticks, fontsize=8)
    axes.set(title=heading, xlabel=xlabel, ylabel="sensitivity", ylim=(-0.02, 1.02), xlim=(-0.5, len(first) - 0.5))
    axes.grid(axis="y", color="0.92")
    if len(groups) > 1:
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    describe(axes, f"{in_a_row(heading)}. Sensitivity with 95 % intervals, by {xlabel}. {'; '.join(words)}.")
    return axes


def plot_screened(screened: Screened, heading: str, ax: Axes | None = None) -> Axes:
    """One square for each person who is screened: found, missed, called back for nothing, or left alone.

    Numbers are rounded to whole people, so that a tenth of a cancer may vanish; the legend has one decimal where there
    are few.
    """
    axes = axes_or_new(ax, (6.4, 3.4))
    kinds = (
        ("cancer, found", screened.found, ORANGE, "s"),
        ("cancer, called back for another place", screened.elsewhere, "#E69F00", "D"),
        ("cancer, missed", screened.missed, "black", "X"),
        ("healthy, called back", screened.alarmed, BLUE, "o"),
        ("healthy, left alone", screened.spared, "0.8", "."),
    )
    start = 0
    for (name, number, color, marker), whole in zip(kinds, _whole_people([kind[1] for kind in kinds]), strict=True):
        places = np.arange(start, start + whole)
        label = f"{name}: {number:.1f}" if number < 10 else f"{name}: {number:.0f}"
        rows, columns = places // PEOPLE_ACROSS, places % PEOPLE_ACROSS
        axes.plot(columns, rows, marker, color=color, markersize=4, label=label, clip_on=False)
        start += whole
    axes.invert_yaxis()
    axes.axis("off")
    axes.set_title(heading)
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, frameon=False)
    value = screened.positive_predictive_value
    worth = f"{value:.1%} of them at the cancer" if screened.called_back else "so no alarm is right"
    describe(
        axes,
        f"{in_a_row(heading)}. Of {screened.people:,.0f} people, {screened.cancers:.1f} have cancer: "
        f"{screened.found:.1f} are found, {screened.elsewhere:.1f} are called back for another place, "
        f"{screened.missed:.1f} are missed. Of the healthy, {screened.alarmed:.0f} are called back and "
        f"{screened.spared:.0f} left alone. "
        f"{screened.called_back:.0f} are called back, {worth}.",
    )
    return axes


def plot_heat(
    image: ArrayLike, heat: ArrayLike, heading: str, *, true: Boxes | None = None, ax: Axes | None = None
) -> Axes:
    """A map of 0 to 1 over a grey image, the denser the higher, with a cross at its highest point; and true boxes.

    The map may be coarser than the image: each of its cells then covers several pixels.

    Raises:
        ValueError: image or map is not [rows, columns], or the map is not a number from 0 to 1 everywhere.
    """
    pixels, values = np.asarray(image), np.asarray(heat, dtype=np.float64)
    if pixels.ndim != 2 or values.ndim != 2 or not values.size or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(
            f"Expected an image and a map of 0 to 1, both [rows, columns], but got the shapes {list(pixels.shape)} and "
            f"{list(values.shape)}, and values from {values.min(initial=0):g} to {values.max(initial=0):g}."
        )
    axes = axes_or_new(ax, (3.1, 2.7))
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255 if pixels.dtype == np.uint8 else 1)
    extent = (-0.5, pixels.shape[1] - 0.5, pixels.shape[0] - 0.5, -0.5)
    shown = axes.imshow(values, cmap=HEAT, vmin=0, vmax=1, extent=extent, interpolation="nearest")
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    x, y = ((place + 0.5) * pixels.shape[axis] / values.shape[axis] - 0.5 for axis, place in ((1, column), (0, row)))
    axes.plot(x, y, "x", color="black", markersize=8, markeredgewidth=3)
    axes.plot(x, y, "x", color="white", markersize=7, markeredgewidth=1.2)
    for x0, y0, x1, y1 in true.corners if true is not None else ():
        _draw_box(axes, (x0, y0, x1, y1), *TRUE_LINE, halo=True)
    axes.figure.colorbar(shown, ax=axes, shrink=0.8, label="score")
    axes.axis("off")
    axes.set_title(heading, fontsize=10)
    describe(axes, f"{in_a_row(heading)}. {_heat_in_words(values, (float(x), float(y)), true)}")
    return axes


def _check_number(detectors: Mapping[str, object]) -> None:
    if len(detectors) > len(LINES):
        raise ValueError(f"Expected at most {len(LINES)} detectors, got {len(detectors)}: {', '.join(detectors)}.")


def _draw_box(axes: Axes, box: Frame, color: str, style: LineStyleType, *, halo: bool = False) -> None:
    """The frame of a box; a halo keeps a light line visible on light tissue.

    A box begins at the edge of its first pixel, whose middle is at 0 in a picture: so all moves by half a pixel.
    """
    x0, y0, x1, y1 = box
    frame = Rectangle((x0 - 0.5, y0 - 0.5), x1 - x0, y1 - y0, fill=False, edgecolor=color, linestyle=style)
    frame.set_linewidth(1.4)
    if halo:
        frame.set_path_effects([withStroke(linewidth=2.6, foreground="black", alpha=0.6)])
    axes.add_patch(frame)


def _label(axes: Axes, corner: tuple[float, float], words: str, side: str, fill: str, ink: str) -> None:
    """Small words at the corner of a box, above it where their bottom lies there, else below it."""
    away = (0, 2 if side == "bottom" else -2)
    spot = (corner[0] - 0.5, corner[1] - 0.5)
    label = axes.annotate(words, spot, xytext=away, textcoords="offset points", fontsize=6, color=ink)
    label.set(va=side, clip_on=True)
    label.set_bbox({"facecolor": fill, "alpha": 0.75, "edgecolor": "none", "pad": 0.6})


def _rates_in_words(band: FrocBand) -> str:
    spoken = [rate for rate in SAID_RATES if band.rates.min() <= rate <= band.rates.max()]
    at = np.interp(spoken, band.rates, band.sensitivity)
    return ", ".join(f"{value:.2f} at {RATE_LABELS[FROC_RATES.index(r)]}" for r, value in zip(spoken, at, strict=True))


def _boxes_in_words(title: str, true: Boxes, found: Boxes, classes: Sequence[str]) -> str:
    there = ", ".join(classes[place] for place in true.classes) or "nothing"
    said = ", ".join(f"{classes[p]} {s:.2f}" for p, s in zip(found.classes, found.scores, strict=True)) or "nothing"
    return f"{in_a_row(title)}: there is {there}; found is {said}"


def _stratum_in_words(stratum: Stratum) -> str:
    if not stratum.boxes:
        return f"{stratum.name} has no box"
    count = counted(stratum.boxes, "box", "boxes")
    return f"{stratum.name} {with_interval(*stratum.estimate, '.2f')} of {count}"


def counted(number: int, one: str, several: str) -> str:
    """A number of things in words: "1 box", "2 boxes"."""
    return f"{number} {one if number == 1 else several}"


def _whole_people(numbers: Sequence[float]) -> list[int]:
    """The numbers rounded to whole people: their whole parts, and one more each for the largest rests."""
    whole = [int(number) for number in numbers]
    rests = sorted(range(len(numbers)), key=lambda place: whole[place] - numbers[place])
    for place in rests[: round(sum(numbers)) - sum(whole)]:
        whole[place] += 1
    return whole


def _heat_in_words(heat: NDArray[np.float64], highest: tuple[float, float], true: Boxes | None) -> str:
    said = (
        f"A map of {heat.shape[1]} x {heat.shape[0]} cells over a grey image, from {heat.min():.2f} to {heat.max():.2f}"
    )
    if true is None or not len(true):
        return f"{said}."
    x, y = np.array(highest) + 0.5
    inside = any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in true.corners)
    return f"{said}; its highest point lies {'inside' if inside else 'outside'} the true box."
