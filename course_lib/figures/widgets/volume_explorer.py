"""The explorer of a volume: three planes through a point, with sliders for the point and for the window of greys."""

from collections.abc import Mapping, Sequence
from functools import partial

import ipywidgets
import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_dilation, binary_erosion

from course_lib.figures.plane_pictures import Outline, outlines_of
from course_lib.figures.planes import (
    CONVENTION,
    GAP_PX,
    LETTER_PX,
    PLANES,
    Cut,
    DrawnVolume,
    Voxel,
    Window,
    number,
    pixels_per_mm,
    upright,
    window_of,
)
from course_lib.figures.widgets.explorer import LAYOUT, Explorer

DIRECTIONS = ("x, right", "y, anterior", "z, superior")
FONT, LINE_PX = ImageFont.load_default(13), 22
WHITE, DIM = (255, 255, 255), (178, 178, 178)
DASHES_PX = {"-": (1, 1), "--": (6, 10), ":": (2, 4), "-.": (6, 8)}  #: of an outline: how much of how much is drawn
STEPS = 100  #: of the sliders of the window


def volume_viewer(
    values: ArrayLike,
    affine: ArrayLike,
    at: ArrayLike | None = None,
    *,
    mask: ArrayLike | None = None,
    labels: Sequence[str] | None = None,
    window: Window | None = None,
) -> Explorer:
    """Three planes of a volume [i, j, k], with sliders for the point in mm and for the centre and width of the window.

    They start as in `show_planes`. With a mask, a box switches its outlines off.

    Raises:
        ValueError: as in `show_planes`.
    """
    volume = upright(values, affine, mask)
    structures = outlines_of([volume], labels)
    voxel = volume.middle() if at is None else volume.voxel(at)
    low, high = window_of(volume.values, window)
    place = zip("xyz", DIRECTIONS, volume.point(voxel), *volume.ends(), volume.spacing, strict=True)
    settings = [
        (name, f"{said}, mm", mm, first, max(last, first + step / 4), step)  # a slider needs two ends
        for name, said, mm, first, last, step in place
    ]
    reach = max(float(volume.values.max()), high) - min(float(volume.values.min()), low)
    step = reach / STEPS
    settings.append(("centre", "window, centre", (low + high) / 2, low - reach / 2, high + reach / 2, step))
    settings.append(("width", "window, width", high - low, step, 2 * reach, step))
    sliders = {
        name: ipywidgets.FloatSlider(
            value=value,
            min=first,
            max=last,
            step=step,
            description=said,
            readout_format=".4g",
            layout=LAYOUT,
            style={"description_width": "8em"},
        )
        for name, said, value, first, last, step in settings
    }
    if structures:
        sliders["outlined"] = ipywidgets.Checkbox(value=True, description="outlines")
    return Explorer(sliders, partial(draw_volume, volume, structures))


def draw_volume(
    volume: DrawnVolume,
    structures: Mapping[int, Outline],
    x: float,
    y: float,
    z: float,
    centre: float,
    width: float,
    outlined: bool = True,
) -> tuple[NDArray[np.uint8], str]:
    """The three planes through the voxel nearest to a point in mm, as a picture [height, width, 3]; and in words.

    Greys go from ``centre - width / 2``, black, to ``centre + width / 2``, white.
    """
    voxel = volume.nearest_voxel((x, y, z))
    window = centre - width / 2, centre + width / 2
    cuts = [volume.cut(plane, voxel) for plane in PLANES]
    scale = pixels_per_mm([cuts])
    panels = [_panel(cut, window, structures if outlined else {}, scale) for cut in cuts]
    lines = LINE_PX * (2 if structures else 1)
    picture = Image.new("RGB", (sum(one.width for one in panels), max(one.height for one in panels) + lines))
    pen, left = ImageDraw.Draw(picture), 0
    for cut, panel in zip(cuts, panels, strict=True):
        pen.text((left + panel.width / 2, LINE_PX / 2), cut.name, WHITE, FONT, "mm")
        picture.paste(panel, (left, LINE_PX))
        left += panel.width
    _draw_names(pen, structures if outlined else {}, picture.width, picture.height - LINE_PX // 2)
    return np.asarray(picture), _in_words(volume, structures, voxel, window)


def _panel(cut: Cut, window: Window, structures: Mapping[int, Outline], scale: float) -> Image.Image:
    """One plane with its crosshair, the outlines, and the letters around it."""
    tall, wide = (max(1, round(mm * scale)) for mm in cut.size_mm)
    rows, columns = (np.arange(size) * old // size for size, old in zip((tall, wide), cut.pixels.shape, strict=True))
    large = np.ix_(rows, columns)
    shades = np.clip((cut.pixels.astype(float) - window[0]) / (window[1] - window[0]), 0, 1)
    pixels = np.repeat((255 * shades).round().astype(np.uint8)[large][..., None], 3, axis=2)
    row, column = (
        int((at + 0.5) * new / old) for at, new, old in zip(cut.cross, (tall, wide), cut.pixels.shape, strict=True)
    )
    pixels[row, np.abs(np.arange(wide) - column) > GAP_PX] = DIM
    pixels[np.abs(np.arange(tall) - row) > GAP_PX, column] = DIM
    mask = cut.mask[large]
    for value, structure in structures.items():
        inside = np.pad(mask == value, 1)
        edge = (binary_dilation(inside) & ~binary_erosion(inside))[1:-1, 1:-1]
        drawn, period = DASHES_PX[structure.line]
        edge &= np.add.outer(np.arange(tall), np.arange(wide)) % period < drawn
        pixels[edge] = np.multiply(to_rgb(structure.color), 255).astype(np.uint8)
    panel = Image.new("RGB", (wide + 2 * LETTER_PX, tall + 2 * LETTER_PX))
    panel.paste(Image.fromarray(pixels), (LETTER_PX, LETTER_PX))
    near, width, height = LETTER_PX // 2, panel.width, panel.height
    places = ((near, height / 2), (width - near, height / 2), (width / 2, near), (width / 2, height - near))
    for letter, place in zip(cut.edges, places, strict=True):
        ImageDraw.Draw(panel).text(place, letter, DIM, FONT, "mm")
    return panel


def _draw_names(pen: ImageDraw.ImageDraw, structures: Mapping[int, Outline], width: int, height: int) -> None:
    """The structures' names in the colours of their outlines, in one line."""
    for place, one in enumerate(structures.values()):
        at = width * (place + 0.5) / len(structures)
        color = tuple(int(255 * part) for part in to_rgb(one.color))
        pen.text((at, height), f"{one.name} ({one.words})", color, FONT, "mm")


def _in_words(volume: DrawnVolume, structures: Mapping[int, Outline], voxel: Voxel, window: Window) -> str:
    """Where the crosshair is, what is there, and what is black and white."""
    value, marked = volume.values[voxel], int(volume.mask[voxel])
    where = f" in {structures[marked].name}," if marked else " in no outline," if structures else ""
    return (
        f"The crosshair is at {volume.place_in_words(voxel)},{where} where the value is {number(float(value))}. "
        f"Axial, coronal and sagittal plane, {CONVENTION}. Grey goes from {number(window[0])} (black) to "
        f"{number(window[1])} (white)."
    )
