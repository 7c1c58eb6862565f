"""The explorer of a detector's threshold: the boxes on a film, beside the point on the FROC curve."""

from collections.abc import Sequence
from functools import partial

import ipywidgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike, NDArray

from course_lib.evaluation.detection import FALSE_ALARM, FROC_RATES, DetectionPredictions, Froc, match
from course_lib.evaluation.hit_rules import Rule
from course_lib.figures.detection import RATE_LABELS, box_lines, counted, draw_boxes
from course_lib.figures.style import BLUE, ORANGE, describe, text_alternative
from course_lib.figures.widgets.explorer import LAYOUT, Explorer, pixels_of

SIZE_INCHES, DPI = (7.6, 3.6), 100
#: At which fewer false alarms are drawn, because a logarithmic axis has no 0.
LEAST_RATE = FROC_RATES[0] / 2


def froc_explorer(
    images: Sequence[ArrayLike], predictions: DetectionPredictions, curve: Froc, rule: Rule, threshold: float = 0.5
) -> Explorer:
    """Two sliders, the threshold and the film, over the boxes on that film and the point on the FROC curve.

    ``images`` [rows, columns] and ``predictions`` are of the films that can be shown. ``curve`` is of all films, with
    the same ``rule`` of what a hit is.

    Raises:
        ValueError: there is no image, or not one prediction for each.
    """
    if not len(images) or len(images) != len(predictions):
        raise ValueError(f"Expected a prediction for each image, but got {len(predictions)} for {len(images)}.")
    names = [f"{place}: {file}" for place, file in enumerate(predictions.files, start=1)]
    options = [(name, place) for place, name in enumerate(names)]
    sliders = {
        "threshold": ipywidgets.FloatSlider(
            value=threshold, min=0.0, max=1.0, step=0.01, description="threshold", layout=LAYOUT
        ),
        "film": ipywidgets.Dropdown(options=options, value=0, description="film", layout=LAYOUT),
    }
    return Explorer(sliders, partial(draw_operating_point, images, predictions, curve, rule))


def draw_operating_point(
    images: Sequence[ArrayLike],
    predictions: DetectionPredictions,
    curve: Froc,
    rule: Rule,
    threshold: float,
    film: int,
) -> tuple[NDArray[np.uint8], str]:
    """The boxes of a film with the score of the threshold or more, and the point on the curve [360, 760, 3]; in words.

    Raises:
        ValueError: there is no such film, or the threshold is not a number.
    """
    if not 0 <= film < len(images) or np.isnan(threshold):
        raise ValueError(f"Expected a threshold and a film from 0 to {len(images) - 1}, got {threshold} and {film}.")
    found, true = predictions.found[film].from_score(threshold), predictions.true[film]
    pixels = np.asarray(images[film])
    alarms, sensitivity = operating_point(curve, threshold)
    figure = Figure(figsize=SIZE_INCHES, dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    left.imshow(pixels, cmap="gray", vmin=0, vmax=255 if pixels.dtype == np.uint8 else 1)
    left.axis("off")
    draw_boxes(left, true, found, predictions.classes)
    left.set_title(predictions.files[film], fontsize=9)
    left.legend(handles=box_lines(), loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, fontsize=8, frameon=False)
    _draw_curve(right, curve, (alarms, sensitivity))
    hits = match(found, true, rule)
    describe(
        left,
        f"{predictions.files[film]} at a threshold of {threshold:.2f}: {counted(len(true), 'true box', 'true boxes')}, "
        f"{int((hits >= 0).sum())} of them found; "
        f"{counted(int((hits == FALSE_ALARM).sum()), 'false alarm', 'false alarms')}. In all films, the sensitivity is "
        f"{sensitivity:.2f} at {alarms:.2f} false alarms per image.",
    )
    return pixels_of(figure), text_alternative(left)


def operating_point(curve: Froc, threshold: float) -> tuple[float, float]:
    """The false alarms per image and the sensitivity of all boxes with the score of the threshold or more."""
    last = int(np.flatnonzero(curve.thresholds >= threshold)[-1])
    return float(curve.false_alarms[last]), float(curve.sensitivity[last])


def _draw_curve(axes: Axes, curve: Froc, point: tuple[float, float]) -> None:
    """The curve on a logarithmic axis with the point on it; what makes fewer false alarms lies at the left end."""
    axes.step(curve.false_alarms.clip(min=LEAST_RATE), curve.sensitivity, where="post", color=BLUE)
    axes.plot(max(point[0], LEAST_RATE), point[1], "o", color=ORANGE, markersize=9, clip_on=False)
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks((LEAST_RATE, *FROC_RATES), ("less", *RATE_LABELS))
    axes.set(xlabel="false alarms per image", ylabel="sensitivity")
    axes.set(xlim=(LEAST_RATE, 2 * FROC_RATES[-1]), ylim=(0, 1.02))
    axes.set_title(f"sensitivity {point[1]:.2f} at {point[0]:.2f} false alarms", fontsize=9)
    axes.grid(color="0.92")
