"""Dialogues in a notebook: thin views of functions that work without them; the only room that knows ipywidgets."""

from base64 import b64encode
from collections.abc import Callable
from html import escape
from io import BytesIO
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from course_lib.audit import accuracy_interval
from course_lib.exercises import QUESTIONS
from course_lib.exercises.quizzes import Question, answer
from course_lib.kaggle_account import REMEDIES, TOKEN_PAGE, TokenError, save_token, token_before


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


def accuracy_explorer() -> Explorer:
    """Two sliders, the number of validation images and the accuracy measured on them, over its 95 % interval."""
    layout = ipywidgets.Layout(width="28em")
    sliders = {
        "images": ipywidgets.IntSlider(value=16, min=8, max=1000, step=8, description="images", layout=layout),
        "accuracy": ipywidgets.FloatSlider(
            value=0.9, min=0.5, max=1.0, step=0.05, description="accuracy", layout=layout
        ),
    }
    return Explorer(sliders, draw_accuracy)


def draw_accuracy(images: int, accuracy: float) -> tuple[NDArray[np.uint8], str]:
    """An accuracy on so many images with its 95 % interval, as a picture [110, 520, 3]; and both in words."""
    correct = round(accuracy * images)
    low, high = accuracy_interval(correct, images)
    figure = Figure(figsize=(5.2, 1.1), dpi=100, layout="constrained")
    canvas, axes = FigureCanvasAgg(figure), figure.subplots()
    axes.hlines(0, 100 * low, 100 * high, color="#0072B2", linewidth=6)
    axes.plot(100 * correct / images, 0, "o", color="#D55E00")
    axes.set(xlim=(20, 101), ylim=(-1, 1), yticks=[], xlabel="accuracy, %")
    canvas.draw()
    words = (
        f"{correct} of {images} right is an accuracy of {correct / images:.1%}. The 95 % interval goes from {low:.1%} "
        f"to {high:.1%}: {100 * (high - low):.0f} points. One image more or less is {100 / images:.1f} points."
    )
    return np.asarray(canvas.buffer_rgba())[..., :3].copy(), words


def _data_address(picture: NDArray[np.uint8]) -> str:
    """A picture that is its own address, for a page without files."""
    file = BytesIO()
    Image.fromarray(picture).save(file, "png")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
