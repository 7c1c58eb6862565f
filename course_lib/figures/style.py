"""What all figures share: colours, a text alternative for each, and the caption under it in a notebook."""

import io
from base64 import b64encode
from functools import partial
from html import escape

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import LineStyleType
from PIL import Image

# Colours that people with any kind of colour vision tell apart (Okabe and Ito, 2008). Nothing rests on colour alone:
# lines differ in style and marker too, areas in hatching.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
LINES: tuple[tuple[str, LineStyleType, str], ...] = (
    (ORANGE, "-", "s"),
    (BLUE, "--", "o"),
    ("0.3", ":", "^"),
    (GREEN, "-.", "D"),
    (PURPLE, (0, (6, 1)), "v"),
)
MARKS = ((ORANGE, "s"), (BLUE, "o"), (GREEN, "D"), (PURPLE, "v"), ("0.3", "^"))
GREYS = 64  #: of a grey picture: more of them hardly look better, and take a quarter more bytes
_COARSER = [round(round(value * (GREYS - 1) / 255) * 255 / (GREYS - 1)) for value in range(256)]
AREAS = ((BLUE, "//"), (ORANGE, ".."), ("0.3", "xx"), (GREEN, "\\\\"), (PURPLE, "++"))


def text_alternative(axes: Axes) -> str:
    """What the figure that holds these axes shows, in words, for readers who can not see it.

    Raises:
        ValueError: the figure was not made by a function of this package, and nobody described it.
    """
    words = getattr(axes.get_figure(root=True), "text_alternative", None)
    if words is None:
        raise ValueError(
            "These axes have no text alternative: they were not drawn by a function of course_lib.figures. "
            "Say what they show: describe(axes, 'One or two sentences, with the values that matter.')"
        )
    return str(words)


def describe(axes: Axes, words: str) -> None:
    """Say in words what the figure that holds these axes shows; what was said of it before stays in front.

    In a notebook the figure then comes with its words twice: in the metadata of the picture, from where nbconvert takes
    a page's ``alt``, and under it as a caption. JupyterLab 4.6 gives pictures no ``alt``; there, a screen reader reads
    the caption.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    earlier = getattr(figure, "text_alternative", "")
    figure.text_alternative = f"{earlier} {words}".strip()  # type: ignore[attr-defined]
    figure._ipython_display_ = partial(_show_with_caption, figure)  # type: ignore[attr-defined]


def compact(png: bytes) -> bytes:
    """The same picture in fewer bytes: one channel of `GREYS` where all are alike, else a palette of 256 colours.

    A picture that is partly transparent stays as it was.
    """
    with Image.open(io.BytesIO(png)) as picture:
        opacity, colours = picture.convert("RGBA").getchannel("A"), picture.convert("RGB")
    red, green, blue = colours.split()
    if opacity.getextrema() != (255, 255):
        return png
    grey = red.tobytes() == green.tobytes() == blue.tobytes()
    small = red.point(_COARSER) if grey else colours.quantize(256, dither=Image.Dither.NONE)
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    return file.getvalue()


def axes_or_new(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The axes that came, or else new ones of this size, width and height in inches."""
    return ax if ax is not None else plt.subplots(figsize=size, layout="constrained")[1]


def in_a_row(heading: str) -> str:
    """A heading of several lines as it is said in a sentence."""
    return heading.replace("\n", ": ")


def _show_with_caption(figure: Figure) -> None:
    """What IPython calls to show the figure; inline figures are shown so when their cell ends."""
    from IPython.core.pylabtools import print_figure
    from IPython.display import display

    words = figure.text_alternative  # type: ignore[attr-defined]
    picture = {"image/png": b64encode(compact(print_figure(figure))).decode(), "text/plain": repr(figure)}
    display(picture, metadata={"image/png": {"alt": words}}, raw=True)
    display({"text/html": f"<p><small>{escape(words, quote=False)}</small></p>", "text/plain": words}, raw=True)
