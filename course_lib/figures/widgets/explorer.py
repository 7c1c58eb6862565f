"""A widget with sliders, a picture and its words: it wraps one pure function that draws."""

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


def pixels_of(figure: Figure) -> NDArray[np.uint8]:
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
