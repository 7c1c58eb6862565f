"""Explorers of numbers: an interval, a threshold, abstaining, the cost of unfreezing."""

from collections.abc import Sequence
from functools import partial

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course_lib.evaluation.abstention import surest
from course_lib.evaluation.classification import accuracy, sensitivity, specificity
from course_lib.evaluation.decisions import Counts, expected_counts
from course_lib.evaluation.intervals import accuracy_interval
from course_lib.evaluation.predictions import Predictions
from course_lib.figures.decisions import plot_counts
from course_lib.figures.style import BLUE, ORANGE, text_alternative
from course_lib.figures.widgets.explorer import LAYOUT, Explorer, pixels_of
from course_lib.networks.costs import Unfrozen


def accuracy_explorer() -> Explorer:
    """Two sliders, the number of validation images and the accuracy measured on them, over its 95 % interval."""
    sliders = {
        "images": ipywidgets.IntSlider(value=16, min=8, max=1000, step=8, description="images", layout=LAYOUT),
        "accuracy": ipywidgets.FloatSlider(
            value=0.9, min=0.5, max=1.0, step=0.05, description="accuracy", layout=LAYOUT
        ),
    }
    return Explorer(sliders, draw_accuracy)


def draw_accuracy(images: int, accuracy: float) -> tuple[NDArray[np.uint8], str]:
    """An accuracy on so many images with its 95 % interval, as a picture [110, 520, 3]; and both in words."""
    correct = round(accuracy * images)
    low, high = accuracy_interval(correct, images)
    words = (
        f"{correct} of {images} right is an accuracy of {correct / images:.1%}. The 95 % interval goes from {low:.1%} "
        f"to {high:.1%}: {100 * (high - low):.0f} points. One image more or less is {100 / images:.1f} points."
    )
    return _draw_interval(correct / images, (low, high)), words


def threshold_explorer(predictions: Predictions, threshold: float, prevalence: float) -> Explorer:
    """Two sliders, the threshold and the prevalence in percent, over what happens to 1,000 children."""
    settings = (
        ("threshold", "threshold", round(threshold, 2), 0.0, 1.0, 0.01),
        ("percent_sick", "sick, %", 100 * prevalence, 1.0, 80.0, 1.0),
    )
    sliders = {
        name: ipywidgets.FloatSlider(value=value, min=low, max=high, step=step, description=said, layout=LAYOUT)
        for name, said, value, low, high, step in settings
    }
    return Explorer(sliders, partial(draw_children, predictions))


def children(predictions: Predictions, threshold: float, percent_sick: float) -> Counts:
    """What this threshold would do to 1,000 children, of whom so many percent are sick."""
    shares = sensitivity(predictions, threshold), specificity(predictions, threshold)
    return expected_counts(*shares, percent_sick / 100)


def draw_children(predictions: Predictions, threshold: float, percent_sick: float) -> tuple[NDArray[np.uint8], str]:
    """What happens to 1,000 children, as a picture [190, 600, 3]; and in words."""
    figure = Figure(figsize=(6, 1.9), dpi=100, layout="constrained")
    heading = f"1,000 children, {percent_sick:.0f} % sick, threshold {threshold:.2f}"
    axes = plot_counts(children(predictions, threshold, percent_sick), heading, figure.subplots())
    return pixels_of(figure), text_alternative(axes)


def abstention_explorer(predictions: Predictions, threshold: float) -> Explorer:
    """A slider for the share of images on which the classifier abstains, over its accuracy on the rest."""
    slider = ipywidgets.FloatSlider(
        value=0.2, min=0.0, max=0.9, step=0.05, description="abstain", readout_format=".0%", layout=LAYOUT
    )
    return Explorer({"abstain": slider}, partial(draw_abstaining, predictions, threshold))


def draw_abstaining(predictions: Predictions, threshold: float, abstain: float) -> tuple[NDArray[np.uint8], str]:
    """The accuracy on what is left when the least sure are not answered, as a picture [110, 520, 3]; and in words."""
    rest = surest(predictions, threshold, 1 - abstain)
    value, everything = accuracy(rest, threshold), accuracy(predictions, threshold)
    children = len(set(rest.patients.tolist()))
    low, high = accuracy_interval(round(value * children), children)  # as if each child had one image: rather too wide
    picture = _draw_interval(value, (low, high), mark=everything)
    words = (
        f"Abstaining on {len(predictions) - len(rest)} of {len(predictions)} images: {value:.1%} of the other "
        f"{len(rest)} are right. The 95 % interval, for {children} patients, goes from {low:.1%} to {high:.1%}. "
        f"Answering all: {everything:.1%}, the dashed line."
    )
    return picture, words


def _draw_interval(value: float, interval: tuple[float, float], mark: float | None = None) -> NDArray[np.uint8]:
    """An accuracy and its interval as a picture [110, 520, 3]; ``mark`` is another accuracy, to compare with."""
    figure = Figure(figsize=(5.2, 1.1), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.hlines(0, 100 * interval[0], 100 * interval[1], color=BLUE, linewidth=6)
    axes.plot(100 * value, 0, "o", color=ORANGE)
    if mark is not None:
        axes.axvline(100 * mark, color="0.3", linestyle="--")
    axes.set(xlim=(20, 101), ylim=(-1, 1), yticks=[], xlabel="accuracy, %")
    return pixels_of(figure)


def unfreeze_explorer(costs: Sequence[Unfrozen], gflops_per_second: float) -> Explorer:
    """Two sliders, how many stages learn and from how many images, over what an epoch of training then costs."""
    sliders = {
        "stages": ipywidgets.IntSlider(
            value=1, min=1, max=len(costs), description="stages", continuous_update=False, layout=LAYOUT
        ),
        "images": ipywidgets.IntSlider(
            value=500, min=100, max=5000, step=100, description="images", continuous_update=False, layout=LAYOUT
        ),
    }
    return Explorer(sliders, partial(draw_unfreezing, costs, gflops_per_second))


def draw_unfreezing(
    costs: Sequence[Unfrozen], gflops_per_second: float, stages: int, images: int
) -> tuple[NDArray[np.uint8], str]:
    """Parameters and seconds per epoch if so many stages learn, beside all of them [150, 520, 3]; and in words."""
    chosen, whole = costs[stages - 1], costs[-1]
    figure = Figure(figsize=(5.2, 1.5), dpi=100, layout="constrained")
    panels = figure.subplots(1, 2)
    seconds = [images * cost.gflops / gflops_per_second for cost in (chosen, whole)]
    millions = [cost.parameters / 1e6 for cost in (chosen, whole)]
    labels = ["all", f"last {stages}" if stages > 1 else "head"]
    for axes, (here, most), name in zip(
        panels, (millions, seconds), ("million parameters", "s per epoch"), strict=True
    ):
        axes.barh([0, 1], [most, here], color=["0.8", BLUE], tick_label=labels)
        axes.set(xlabel=name)
    learning = f"last {stages} of {len(costs)} stages learn" if stages > 1 else "head alone learns"
    words = (
        f"If the {learning} ({', '.join(chosen.stages)}), training changes "
        f"{chosen.parameters:,} of {whole.parameters:,} parameters. An epoch of {images:,} images takes about "
        f"{seconds[0]:.1f} s at {gflops_per_second:g} billion multiply-adds a second; with all stages "
        f"{seconds[1]:.1f} s."
    )
    return pixels_of(figure), words
