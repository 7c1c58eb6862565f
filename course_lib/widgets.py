"""Dialogues in a notebook: thin views of functions that work without them; the only room that knows ipywidgets."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from io import BytesIO
from typing import Any

import ipywidgets
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import correlate
from torch import nn

from course_lib.audit import accuracy_interval
from course_lib.comparison import Unfrozen
from course_lib.decisions import Counts, expected_counts
from course_lib.evaluation import Predictions, accuracy, sensitivity, specificity
from course_lib.evaluation_plots import plot_counts
from course_lib.exercises import QUESTIONS
from course_lib.exercises.quizzes import Question, answer
from course_lib.explain import occlusion
from course_lib.kaggle_account import REMEDIES, TOKEN_PAGE, TokenError, save_token, token_before
from course_lib.phantom import Exposure, Patient, render_with
from course_lib.plots import text_alternative
from course_lib.robustness import surest

PATCHES = (8, 16, 24, 32)  #: sides of the patches that the slider of `occlusion_explorer` offers, px


class Dialogue(ipywidgets.VBox):  # type: ignore[misc]
    """A column of widgets; where no browser shows it, as on a printed page, a sentence stands for it."""

    def __repr__(self) -> str:
        return "A dialogue: a field for a Kaggle token, and a button that stores it."


def token_dialogue() -> Dialogue:
    """A field for a Kaggle token and a button that stores it.

    What is typed is shown as dots, is emptied as soon as the button is pressed, and is in no output of the notebook.
    """
    steps = ipywidgets.HTML(
        "<ol><li>Sign in to Kaggle; an account costs nothing.</li>"
        f"<li>Open <a href='{TOKEN_PAGE}' target='_blank'>{TOKEN_PAGE}</a> and press <i>Generate New Token</i>.</li>"
        "<li>Copy the token into this field and press <i>Store</i>.</li></ol>"
    )
    field = ipywidgets.Password(placeholder="paste the token here")
    button = ipywidgets.Button(description="Store", tooltip="Store the token, readable by you alone")
    told = ipywidgets.HTML()

    def store(_: ipywidgets.Button) -> None:
        token, field.value = field.value, ""
        try:
            path = save_token(token)
        except TokenError as problem:
            told.value = escape(str(problem))
        except OSError as problem:
            told.value = escape(
                f"The token could not be stored ({problem.strerror or type(problem).__name__}). Make the folder "
                ".kaggle in your home writable, free some space if the disk is full, and press Store again."
            )
        else:
            told.value = f"Stored in the file <code>{escape(path.name)}</code>, which only you can read."
            if other := token_before(path):
                told.value += escape(f" But Kaggle's client takes the token from {other} first: {REMEDIES[other]}.")
                told.value += " A variable counts from the next start of JupyterLab on." if "variable" in other else ""

    button.on_click(store)
    return Dialogue([steps, ipywidgets.HBox([field, button]), told])


class Quiz(ipywidgets.VBox):  # type: ignore[misc]
    """A question, its options as buttons, and a line that explains the chosen one; without a browser, as text."""

    def __init__(self, question: Question) -> None:
        self._question = question
        asked = ipywidgets.HTML(f"<b>{escape(question.text)}</b>")
        options = ipywidgets.RadioButtons(
            options=[(option.text, place) for place, option in enumerate(question.options)],
            value=None,
            layout=ipywidgets.Layout(width="max-content"),
        )
        told = ipywidgets.HTML()

        def tell(change: dict[str, Any]) -> None:
            told.value = escape(answer(question, change["new"]))

        options.observe(tell, names="value")
        super().__init__([asked, options, told])

    def __repr__(self) -> str:
        return str(self._question)

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, Any]:
        """As ipywidgets makes it, but with the whole text: it would be cut after 110 characters."""
        return {**super()._repr_mimebundle_(**kwargs), "text/plain": str(self._question)}


def quiz(number: str) -> Quiz:
    """A question to answer with a click.

    Raises:
        ValueError: there is no such question.
    """
    if number not in QUESTIONS:
        raise ValueError(f"Expected the number of a question, one of {', '.join(QUESTIONS)}, but got {number!r}.")
    return Quiz(QUESTIONS[number])


LAYOUT = {"width": "28em"}


class Explorer(ipywidgets.VBox):  # type: ignore[misc]
    """Sliders above a picture and its words; without a browser, the words for where the sliders stand."""

    def __init__(
        self, sliders: dict[str, ipywidgets.FloatSlider], draw: Callable[..., tuple[NDArray[np.uint8], str]]
    ) -> None:
        self._sliders, self._draw = sliders, draw
        self._shown = ipywidgets.HTML()
        for slider in sliders.values():
            slider.observe(self._show, names="value")
        self._show()
        super().__init__([*sliders.values(), self._shown])

    def __repr__(self) -> str:
        return self._words

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, Any]:
        """As ipywidgets makes it, but with the whole text: it would be cut after 110 characters."""
        return {**super()._repr_mimebundle_(**kwargs), "text/plain": self._words}

    def _show(self, _: object = None) -> None:
        picture, self._words = self._draw(**{name: slider.value for name, slider in self._sliders.items()})
        words = escape(self._words)
        self._shown.value = f"<img alt='{words}' src='{_data_address(picture)}'><p><small>{words}</small></p>"


SLIDERS = (
    ("severity", "disease", 0.0, 1.0, 0.1),
    ("energy", "energy, keV", 30.0, 80.0, 5.0),
    ("photons", "photons, 1000s", 1.0, 200.0, 1.0),
    ("gamma", "gamma", 0.5, 2.0, 0.1),
    ("turn", "turn, degrees", -20.0, 20.0, 2.0),
)  #: parameter of `phantom.render_with`, what the slider says, lowest, highest, step


def exposure_explorer(patient: Patient, exposure: Exposure, size_px: int = 112) -> Explorer:
    """The simulated patient in this exposure, with sliders for what `phantom.render_with` can change."""
    sliders = {
        name: ipywidgets.FloatSlider(
            value=getattr(patient if name == "severity" else exposure, name),
            min=low,
            max=high,
            step=step,
            description=said,
            layout=LAYOUT,
            style={"description_width": "8em"},
        )
        for name, said, low, high, step in SLIDERS
    }
    return Explorer(sliders, partial(draw_exposed, patient, exposure, size_px))


def draw_exposed(
    patient: Patient, exposure: Exposure, size_px: int, **settings: float
) -> tuple[NDArray[np.uint8], str]:
    """The simulated radiograph with these settings, three times as large [height, width]; and it in words."""
    pixels = render_with(patient, exposure, **settings, size_px=size_px)
    return _enlarged(pixels / 255, 3 * size_px), radiograph_in_words(pixels, settings)


def radiograph_in_words(pixels: NDArray[np.uint8], settings: Mapping[str, float]) -> str:
    """What a simulated radiograph with these settings shows, with its mean brightness and its grain."""
    greys = pixels / 255
    grain = np.abs(np.diff(greys, axis=1)).mean()
    said = ", ".join(f"{words} {settings[name]:.3g}" for name, words, *_ in SLIDERS)
    return (
        f"Simulated radiograph, {pixels.shape[1]} x {pixels.shape[0]} pixels: {said}. Mean brightness "
        f"{greys.mean():.0%}; neighbouring pixels differ by {grain:.1%} on average."
    )


def kernel_explorer(image: NDArray[np.floating[Any]]) -> Explorer:
    """Two sliders for the weights of a 3 x 3 kernel, over what it makes of the image [height, width], 0 to 1."""
    sliders = {
        name: ipywidgets.FloatSlider(
            value=value,
            min=-1.0,
            max=2.0,
            step=0.25,
            description=name,
            continuous_update=False,
            layout=LAYOUT,
        )
        for name, value in (("centre", 1.0), ("neighbours", 0.0))
    }
    return Explorer(sliders, partial(draw_filtered, image))


def filtered(image: NDArray[np.floating[Any]], centre: float, neighbours: float) -> NDArray[np.float64]:
    """What a 3 x 3 kernel makes of the image: ``centre`` in its middle, ``neighbours`` shared by the eight around it.

    Takes [height, width]; gives [height - 2, width - 2], since the kernel stays inside the image.
    """
    kernel = np.full((3, 3), neighbours / 8)
    kernel[1, 1] = centre
    result: NDArray[np.float64] = correlate(image.astype(np.float64), kernel)[1:-1, 1:-1]
    return result


def draw_filtered(
    image: NDArray[np.floating[Any]], centre: float, neighbours: float, side: int = 256
) -> tuple[NDArray[np.uint8], str]:
    """The image and what the kernel makes of it, beside each other, as grey [side, 2 * side]; and both in words.

    On the right, black is the lowest value and white the highest.
    """
    before, after = image[1:-1, 1:-1], filtered(image, centre, neighbours)
    lowest, highest = after.min(), after.max()
    spread = np.full_like(after, 0.5) if highest - lowest < 1e-9 else (after - lowest) / (highest - lowest)
    pictures = [_enlarged(np.clip(part, 0, 1), side) for part in (before, spread)]
    words = (
        f"Left the picture, right what the kernel makes of it, from {lowest:.2f} (black) to {highest:.2f} (white). The "
        f"weights add up to {centre + neighbours:.2f}. The mean goes from {before.mean():.2f} to {after.mean():.2f}, "
        f"the mean difference between neighbouring pixels from {_roughness(before):.3f} to {_roughness(after):.3f}."
    )
    return np.hstack(pictures), words.replace("-0.00", "0.00")


def _roughness(image: NDArray[np.floating[Any]]) -> float:
    return float(np.abs(np.diff(image, axis=1)).mean())


def _enlarged(image: NDArray[np.floating[Any]], side: int) -> NDArray[np.uint8]:
    """The image, 0 to 1, as grey [side, side] with its pixels left to be seen."""
    grey = Image.fromarray((255 * image).round().astype(np.uint8))
    return np.asarray(grey.resize((side, side), Image.Resampling.NEAREST))


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
    return _pixels_of(figure), text_alternative(axes)


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
    axes.hlines(0, 100 * interval[0], 100 * interval[1], color="#0072B2", linewidth=6)
    axes.plot(100 * value, 0, "o", color="#D55E00")
    if mark is not None:
        axes.axvline(100 * mark, color="0.3", linestyle="--")
    axes.set(xlim=(20, 101), ylim=(-1, 1), yticks=[], xlabel="accuracy, %")
    return _pixels_of(figure)


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
        axes.barh([0, 1], [most, here], color=["0.8", "#0072B2"], tick_label=labels)
        axes.set(xlabel=name)
    learning = f"last {stages} of {len(costs)} stages learn" if stages > 1 else "head alone learns"
    words = (
        f"If the {learning} ({', '.join(chosen.stages)}), training changes "
        f"{chosen.parameters:,} of {whole.parameters:,} parameters. An epoch of {images:,} images takes about "
        f"{seconds[0]:.1f} s at {gflops_per_second:g} billion multiply-adds a second; with all stages "
        f"{seconds[1]:.1f} s."
    )
    return _pixels_of(figure), words


def occlusion_explorer(
    model: nn.Module, image: torch.Tensor, picture: NDArray[np.floating[Any]], target: int, fill: float = 0.0
) -> Explorer:
    """A slider for the size of the covering patch, over where the target's logit falls without what is there.

    ``image`` [channels, height, width] is what the network sees, ``picture`` [height, width] the same from 0 to 1;
    ``fill`` is in the units of the image. The maps of all sizes are computed first, so that the slider answers at once.
    """
    falls = {patch: occlusion(model, image[None], target, patch=patch, stride=8, fill=fill)[0] for patch in PATCHES}
    shade = float(np.interp(fill, [image.min(), image.max()], [picture.min(), picture.max()]))
    slider = ipywidgets.IntSlider(
        value=16, min=PATCHES[0], max=PATCHES[-1], step=8, description="patch, px", layout=LAYOUT
    )
    return Explorer({"patch": slider}, partial(draw_occlusion, picture, falls, shade))


def draw_occlusion(
    picture: NDArray[np.floating[Any]],
    falls: Mapping[int, NDArray[np.float32]],
    shade: float,
    patch: int,
    side: int = 256,
) -> tuple[NDArray[np.uint8], str]:
    """The picture with a patch in its middle, and beside it the map for that size [side, 2 * side]; both in words.

    On the right, white is the largest fall of all sizes, grey is none, and black is as large a rise.
    """
    middle, limit, fall = len(picture) // 2, max(float(np.abs(f).max()) for f in falls.values()), falls[patch]
    covered = np.array(picture, dtype=float)
    covered[middle - patch // 2 : middle + patch // 2, middle - patch // 2 : middle + patch // 2] = shade
    shown = np.hstack([_enlarged(np.clip(part, 0, 1), side) for part in (covered, 0.5 + fall / (2 * limit))])
    row, column = np.unravel_index(int(fall.argmax()), fall.shape)
    words = (
        f"Left a patch of {patch} x {patch} pixels, {(patch / len(picture)) ** 2:.0%} of the picture, right how far "
        f"the logit falls when it covers a place, from {fall.min():.2f} to {fall.max():.2f}. The fall is largest in "
        f"row {row + 1}, column {column + 1} of {len(fall)}."
    )
    return shown, words


def _pixels_of(figure: Figure) -> NDArray[np.uint8]:
    """The figure as it would be shown, [height, width, 3]."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels: NDArray[np.uint8] = np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]
    return pixels


def _data_address(picture: NDArray[np.uint8]) -> str:
    """A picture that is its own address, for a page without files."""
    file = BytesIO()
    Image.fromarray(picture).save(file, "png")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
