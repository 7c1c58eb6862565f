"""Figures of contrast in MRI: a slice in one pulse sequence, and what its tissues answer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, cycle
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course_lib.figures.style import LINES, describe, in_a_row
from course_lib.modalities.simulated_head import PulseSequence, sequence_picture
from course_lib.modalities.simulated_head.sequences import TIMES, compared_signals, white_signal

DARK = 0.05  #: a tissue with at most this part of the brightest one's signal is called dark
FURTHER = 2.5  #: the curves go on to so many times the chosen time
POINTS = 120  #: of a curve
LABEL_GAP = 0.075  #: between the names of two curves, as a part of the highest signal


def plot_contrast(
    tissues: NDArray[np.uint8],
    sequence: PulseSequence,
    title: str,
    *,
    along: Literal["tr_ms", "te_ms", "ti_ms"] | None = None,
    panels: Sequence[Axes] | None = None,
) -> NDArray[np.object_]:
    """A slice in a pulse sequence, and beside it what its tissues answer, as bars of the same grey; gives the two Axes.

    ``tissues`` [rows, columns] holds values of `Tissue`, as `Scan.tissues` does. ``along`` names one of the sequence's
    times: then there are curves over it instead of bars, and a line where the sequence has it.

    Raises:
        ValueError: the sequence has no such time, or the slice holds no tissue of the brain.
    """
    if along is not None and along not in sequence.used_times:
        raise ValueError(
            f"A {sequence.name} has {', '.join(sequence.used_times)}, but not {along}. Choose one of them."
        )
    signals = compared_signals(tissues, sequence)
    picture, beside = panels if panels is not None else _new_panels()
    picture.imshow(sequence_picture(tissues, sequence), cmap="gray", vmin=0, vmax=255)
    picture.axis("off")
    picture.set_title(title, fontsize=10)
    if along is None:
        _draw_bars(beside, signals)
        said = "Signal"
    else:
        said = _draw_curves(beside, tissues, sequence, along)
    describe(picture, f"{in_a_row(title)}. A slice of a head, {sequence}. {said}: {_in_words(signals)}")
    return np.array([picture, beside], dtype=object)


def _new_panels() -> Sequence[Axes]:
    _, (picture, beside) = plt.subplots(1, 2, figsize=(6.6, 3), width_ratios=(1, 1.2), layout="constrained")
    return picture, beside


def _draw_bars(axes: Axes, signals: Mapping[str, float]) -> None:
    """A bar for each tissue, as grey as it is in the picture."""
    white = white_signal(signals)
    for place, signal in enumerate(signals.values()):
        axes.barh(place, signal, color=str(signal / white), edgecolor="black")
        axes.text(signal + 0.015 * white, place, f"{signal:.3f}", va="center", fontsize=9)
    axes.set(xlabel="signal", xlim=(0, white), ylim=(len(signals) - 0.5, -0.5))
    axes.set_yticks(range(len(signals)), list(signals))


def _draw_curves(axes: Axes, tissues: NDArray[np.uint8], sequence: PulseSequence, along: str) -> str:
    """A curve for each tissue over one time, named at its end; gives where they begin and end in words."""
    chosen, letters = getattr(sequence, along), TIMES[along]
    times = np.linspace(*_room(sequence, along), POINTS)
    changes: list[dict[str, Any]] = [{along: time} for time in times.tolist()]
    answers = [compared_signals(tissues, replace(sequence, **change)) for change in changes]
    names = list(answers[0])
    curves = np.array([[answer[name] for answer in answers] for name in names])
    highest = curves.max()
    ends = _spread_apart(curves[:, -1], LABEL_GAP * highest)
    for name, curve, end, (color, style, _) in zip(names, curves, ends, cycle(LINES)):
        axes.plot(times, curve, color=color, linestyle=style)
        axes.text(times[-1] + 0.02 * (times[-1] - times[0]), end, name, color=color, va="center", fontsize=9)
    axes.axvline(chosen, color="0.5", linewidth=1)
    axes.set(xlabel=f"{letters}, ms (line: {chosen:,.0f})", ylabel="signal", ylim=(0, 1.05 * highest))
    axes.spines[["top", "right"]].set_visible(False)
    courses = zip(names, curves[:, 0], curves[:, -1], strict=True)
    starts = "; ".join(f"{name} from {first:.3f} to {last:.3f}" for name, first, last in courses)
    return f"Signal over {letters} from {times[0]:,.0f} to {times[-1]:,.0f} ms: {starts}; at {chosen:,.0f} ms"


def _room(sequence: PulseSequence, along: str) -> tuple[float, float]:
    """From where to where a time is drawn, ms; TR is always longer than the others together."""
    chosen = getattr(sequence, along)
    others = sum(getattr(sequence, time) for time in sequence.used_times if time not in ("tr_ms", along))
    if along == "tr_ms":
        return others + 1, FURTHER * chosen
    return 1, min(FURTHER * chosen, sequence.tr_ms - others - 1)


def _spread_apart(places: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """The places with at least ``gap`` between them: those that are nearer are moved, half up and half down."""
    return (_pushed_up(places, gap) - _pushed_up(-places, gap)) / 2


def _pushed_up(places: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    order, steps = np.argsort(places, kind="stable"), gap * np.arange(len(places))
    moved = np.empty_like(places)
    moved[order] = np.maximum.accumulate(places[order] - steps) + steps
    return moved


def _in_words(signals: Mapping[str, float]) -> str:
    """What the tissues answer, which are dark, and which two differ most."""
    brightest = max(signals.values())
    said = ", ".join(f"{name} {signal:.3f}" for name, signal in signals.items()) + "."
    if dark := [name for name, signal in signals.items() if signal <= DARK * brightest]:
        said += f" Dark: {', '.join(dark)}."
    if len(signals) > 1:
        one, other = max(combinations(signals, 2), key=lambda pair: abs(signals[pair[0]] - signals[pair[1]]))
        said += f" The largest difference is between {one} and {other}."
    return said
