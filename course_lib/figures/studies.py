"""Figures of studies: what was measured with several seeds, for several numbers of patients, by several methods."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes

from course_lib.evaluation.intervals import with_interval
from course_lib.figures.style import LINES, MARKS, axes_or_new, describe, in_a_row

NOTHING = "nothing"  #: the start that the others are compared with
Group = tuple[str, int]  #: the use of a start, and the side of the images in px


def curves_of(
    rows: Iterable[Mapping[str, str | int | float]], line: str, x: str, value: str = "auroc"
) -> dict[str, dict[float, list[float]]]:
    """The rows of a study as `plot_repeated` wants them: by what ``line`` says, then by ``x``, all values."""
    curves: dict[str, dict[float, list[float]]] = {}
    for row in rows:
        curves.setdefault(str(row[line]), {}).setdefault(float(row[x]), []).append(float(row[value]))
    return curves


def plot_repeated(
    curves: Mapping[str, Mapping[float, Sequence[float]]],
    heading: str,
    xlabel: str,
    ylabel: str,
    *,
    logarithmic: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Lines through the means of what was measured several times at each x, with the range from lowest to highest.

    ``curves`` holds by name, then by x, the values of all repeats.

    Raises:
        ValueError: there are more curves than lines that can be told apart.
    """
    if len(curves) > len(LINES):
        raise ValueError(f"Expected at most {len(LINES)} curves, got {len(curves)}. Draw two figures.")
    axes = axes_or_new(ax, (5.5, 3.4))
    words = []
    for (name, points), (color, style, marker) in zip(curves.items(), LINES, strict=False):
        places = sorted(points)
        means = [float(np.mean(points[x])) for x in places]
        lows, highs = ([float(end(points[x])) for x in places] for end in (min, max))
        axes.plot(places, means, color=color, linestyle=style, marker=marker, markersize=4, label=name)
        axes.fill_between(places, lows, highs, color=color, alpha=0.15, linewidth=0)
        values = ", ".join(
            f"{mean:.2f} at {x:g} ({low:.2f} to {high:.2f})"
            for x, mean, low, high in zip(places, means, lows, highs, strict=True)
        )
        words.append(f"{name}: {values}")
    axes.set(title=heading, xlabel=xlabel, ylabel=ylabel)
    if logarithmic:
        ticks = sorted({x for points in curves.values() for x in points})
        axes.set_xscale("log")
        # two labels that would touch are one: the higher
        axes.set_xticks(ticks, [f"{x:g}" if x * 1.25 < after else "" for x, after in pairwise([*ticks, np.inf])])
        axes.minorticks_off()
    axes.legend(fontsize=8)
    describe(axes, f"{heading}. {ylabel} by {xlabel}, mean and range of the repeats. {'; '.join(words)}.")
    return axes


def plot_gains(rows: Sequence[Mapping[str, str | int | float]], heading: str, ax: Axes | None = None) -> Axes:
    """What a start has gained over the same network from nothing: one mark a start, by use, size and patients.

    A row has ``start``, ``use``, ``px`` (side of the images), ``patients``, and ``gain``, a paired difference of AUROC,
    with its ``gain_low`` and ``gain_high``. A mark is the mean over the seeds, each of which is a dot beside it; a line
    goes from the mean low to the mean high end. Rows of the start ``nothing`` gain nothing, and are not drawn.

    Raises:
        ValueError: there are more starts than marks that can be told apart.
    """
    found: dict[Group, dict[int, dict[str, list[Mapping[str, str | int | float]]]]] = {}
    for row in (row for row in rows if row["start"] != NOTHING):
        patients = found.setdefault((str(row["use"]), int(row["px"])), {}).setdefault(int(row["patients"]), {})
        patients.setdefault(str(row["start"]), []).append(row)
    starts = sorted({str(row["start"]) for row in rows} - {NOTHING})
    if len(starts) > len(MARKS):
        raise ValueError(f"Expected at most {len(MARKS)} starts, got {len(starts)}. Draw two figures.")
    places = _places({group: sorted(sizes) for group, sizes in found.items()})
    axes = axes_or_new(ax, (2 + 0.55 * len(places), 3.4))
    words = []
    for number, (start, (color, marker)) in enumerate(zip(starts, MARKS, strict=False)):
        axes.plot([], [], marker, color=color, label=start)
        for group, sizes in found.items():
            gained = {size: sizes[size][start] for size in sorted(sizes) if start in sizes[size]}
            shift = 0.3 * (number - (len(starts) - 1) / 2)
            said = [_draw_gain(axes, places[group, size] + shift, own, color, marker) for size, own in gained.items()]
            spoken = (f"{size:,} patients {gain}" for size, gain in zip(gained, said, strict=True))
            words += [f"{start}, {group[0]}, {group[1]} px: {', '.join(spoken)}"] if gained else []
    _label_gains(axes, places, heading)
    seeds = len({row["seed"] for row in rows})
    describe(
        axes,
        f"{in_a_row(heading)}. AUROC gained over the same network from nothing, with its paired 95 % interval"
        f"{f', means of {seeds} seeds' if seeds > 1 else ''}. {'; '.join(words)}.",
    )
    return axes


def _places(sizes: Mapping[Group, Sequence[int]]) -> dict[tuple[Group, int], int]:
    """Where on the x axis each number of patients stands: one after the other, with a gap between groups."""
    cases = [(group, size) for group, of in sizes.items() for size in of]
    groups = list(sizes)
    return {case: number + groups.index(case[0]) for number, case in enumerate(cases)}


def _draw_gain(axes: Axes, x: float, rows: Sequence[Mapping[str, str | int | float]], color: str, marker: str) -> str:
    """One mark with its interval, and a dot for each seed if there are several; gives the gain in words."""
    seeds = [float(row["gain"]) for row in rows]
    gain, low, high = (float(np.mean([float(row[name]) for row in rows])) for name in ("gain", "gain_low", "gain_high"))
    axes.vlines(x, low, high, color=color, linewidth=2)
    axes.plot(x, gain, marker, color=color)
    if len(seeds) > 1:
        axes.plot([x + 0.1] * len(seeds), seeds, ".", color=color, markersize=3)
    return with_interval(gain, low, high, "+.2f")


def _label_gains(axes: Axes, places: Mapping[tuple[Group, int], int], heading: str) -> None:
    """The axes' words: patients below each place, and above each group what the start was used for."""
    for group in dict.fromkeys(group for group, _ in places):
        middle = float(np.mean([place for (of, _), place in places.items() if of == group]))
        words = f"{group[0]}\n{group[1]} px"
        axes.text(middle, 1.01, words, transform=axes.get_xaxis_transform(), ha="center", fontsize=8)
    axes.axhline(0, color="0.4", linestyle="--", linewidth=1)
    axes.set(xlabel="patients to learn from", ylabel="AUROC gained", xlim=(-0.7, max(places.values()) + 0.7))
    axes.set_title(heading, fontsize=10, pad=26)
    axes.set_xticks(list(places.values()), [f"{size:,}" for _, size in places], fontsize=8)
    axes.legend(fontsize=8)
