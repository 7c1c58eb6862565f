"""Figures of volumes: three planes through a point, slices in a row, one plane of several volumes, intensities."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from course_lib.figures.plane_pictures import Outline, Picture, draw_pictures, outlines_of
from course_lib.figures.planes import CONVENTION, PLANES, DrawnVolume, Window, number, unturned, upright, window_of
from course_lib.figures.style import LINES, axes_or_new, describe, in_a_row

BINS, RAREST = 60, 0.5  #: of a histogram; and the percent of the voxels, on either side, that it leaves out


class ChannelImage(Protocol):
    """What a torchio image offers: an affine [4, 4], and voxels [channels, i, j, k]."""

    @property
    def affine(self) -> NDArray[np.float64]: ...

    def numpy(self) -> NDArray[Any]: ...


VolumeLike = ChannelImage | tuple[ArrayLike, ArrayLike]  #: an image of one channel; or values [i, j, k] and an affine


def show_planes(
    values: ArrayLike,
    affine: ArrayLike,
    at: ArrayLike | None = None,
    *,
    title: str,
    mask: ArrayLike | None = None,
    labels: Sequence[str] | None = None,
    window: Window | None = None,
    crosshair: bool = True,
    as_stored: bool = False,
) -> NDArray[np.object_]:
    """The axial, coronal and sagittal plane of a volume [i, j, k] through a point, on one scale; gives the Axes.

    ``at`` is x, y and z in mm; else the planes go through the middle, or where they cut the most of the mask. They are
    upright, and letters say to which side of the patient an edge points. ``mask`` holds whole numbers on the same grid,
    ``labels`` their names, the background's first; each structure is outlined. ``window`` holds the values that are
    drawn black and white. ``as_stored`` shows what a program sees that knows no affine: rows and columns of the array,
    each voxel a square; then ``at`` is a voxel.

    Raises:
        ValueError: the volume, its affine, the mask, its labels and the point do not fit each other.
    """
    volume = unturned(values, mask) if as_stored else upright(values, affine, mask)
    voxel = volume.middle() if at is None else volume.voxel(at)
    shown, structures = window_of(volume.values, window), outlines_of([volume], labels)
    cuts = [volume.cut(plane, voxel) for plane in PLANES]
    panels = draw_pictures([Picture(cut, shown, cut.name) for cut in cuts], structures, title, crosshair)
    if as_stored:
        where = f"Planes across k, j and i through {volume.place_in_words(voxel)}; the first index grows downwards"
    else:
        where = f"Axial, coronal and sagittal plane through {volume.place_in_words(voxel)}, {CONVENTION}"
    words = f"{_capital(volume.grid_in_words())}, {_window_in_words(shown)}. {where}."
    describe(panels[0], f"{in_a_row(title)}. {words}{_outlines_in_words(volume, structures)}")
    return panels


def show_slices(
    values: ArrayLike,
    affine: ArrayLike,
    plane: str,
    positions: Sequence[float],
    *,
    title: str,
    mask: ArrayLike | None = None,
    labels: Sequence[str] | None = None,
    window: Window | None = None,
) -> NDArray[np.object_]:
    """Parallel planes of a volume [i, j, k], drawn as in `show_planes`; gives the Axes.

    ``plane`` is axial, coronal or sagittal, and ``positions`` says where, in mm to the patient's superior, anterior or
    right.

    Raises:
        ValueError: as in `show_planes`; or no plane has that name, or there is no position.
    """
    if plane not in PLANES or not len(positions):
        raise ValueError(f"Expected one of {', '.join(PLANES)}, and positions in mm; got {plane!r} and {positions!r}.")
    volume = upright(values, affine, mask)
    points = [volume.point(volume.middle()) for _ in positions]
    for point, position in zip(points, positions, strict=True):
        point[PLANES[plane]] = position
    cuts = [volume.cut(plane, volume.voxel(point)) for point in points]
    shown, structures = window_of(volume.values, window), outlines_of([volume], labels)
    panels = draw_pictures([Picture(cut, shown, cut.name) for cut in cuts], structures, title)
    words = f"{_capital(volume.grid_in_words())}, {_window_in_words(shown)}. {len(cuts)} planes, {CONVENTION}: "
    words += f"{'; '.join(cut.name for cut in cuts)}."
    describe(panels[0], f"{in_a_row(title)}. {words}{_outlines_in_words(volume, structures)}")
    return panels


def compare_planes(
    pictures: Mapping[str, VolumeLike],
    plane: str = "axial",
    at: ArrayLike | None = None,
    *,
    title: str,
    masks: Mapping[str, ArrayLike] | None = None,
    labels: Sequence[str] | None = None,
    window: Window | None = None,
) -> NDArray[np.object_]:
    """The same plane of several volumes by name, on one scale in mm, drawn as in `show_planes`; gives the Axes.

    A volume is a torchio image of one channel, or its values [i, j, k] and its affine. ``at`` is a point in mm, else
    the middle of each. ``masks`` holds, by the same names, the masks of some. Without a ``window``, each volume has its
    own.

    Raises:
        ValueError: as in `show_planes`; or no plane has that name, or there is no volume.
    """
    if not pictures:
        raise ValueError("There is no volume to compare: give at least one, by name.")
    if unknown := set(masks or {}) - set(pictures):
        raise ValueError(f"No volume is called {', '.join(sorted(unknown))}. There are: {', '.join(pictures)}.")
    volumes = {name: upright(*_pair(name, one), (masks or {}).get(name)) for name, one in pictures.items()}
    cuts = [one.cut(plane, one.middle() if at is None else one.voxel(at)) for one in volumes.values()]
    windows = [window_of(one.values, window) for one in volumes.values()]
    structures = outlines_of(list(volumes.values()), labels)
    panels = draw_pictures(list(map(Picture, cuts, windows, volumes)), structures, title)
    words = [
        f"{name}: {cut.name}; {one.grid_in_words()}, {_window_in_words(shown)}.{_outlines_in_words(one, structures)}"
        for (name, one), cut, shown in zip(volumes.items(), cuts, windows, strict=True)
    ]
    describe(panels[0], f"{in_a_row(title)}. Planes {CONVENTION}. {' '.join(words)}")
    return panels


def plot_histograms(volumes: Mapping[str, ArrayLike], title: str, ax: Axes | None = None) -> Axes:
    """How often each intensity occurs in each of several volumes, or in chosen voxels of them, on common bins.

    The rarest half percent on either side is left out.

    Raises:
        ValueError: there are more volumes than lines that can be told apart, or one has no voxel.
    """
    if not 0 < len(volumes) <= len(LINES):
        raise ValueError(f"Expected 1 to {len(LINES)} volumes, got {len(volumes)}. Draw two figures.")
    found = {name: np.asarray(values, dtype=float).ravel() for name, values in volumes.items()}
    if empty := [name for name, values in found.items() if not values.size]:
        raise ValueError(f"No voxel is left of {', '.join(empty)}: choose others.")
    axes = axes_or_new(ax, (5.5, 3))
    first, last = np.percentile(np.concatenate(list(found.values())), (RAREST, 100 - RAREST)).tolist()
    edges = np.linspace(first, last, BINS + 1)
    words = []
    for (name, values), (color, style, _) in zip(found.items(), LINES, strict=False):
        share = 100 * np.histogram(values, edges)[0] / values.size
        axes.plot((edges[:-1] + edges[1:]) / 2, share, color=color, linestyle=style, linewidth=1.2, label=name)
        low, median, high = (number(value) for value in np.percentile(values, (5, 50, 95)))
        words.append(f"{name} {median} ({low} to {high})")
    axes.set(title=title, xlabel="intensity", ylabel="voxels, %", ylim=(0, None))
    axes.legend(fontsize=8)
    describe(axes, f"{in_a_row(title)}. Median intensity, and where the middle 90 % lie: {'; '.join(words)}.")
    return axes


def _pair(name: str, volume: VolumeLike) -> tuple[ArrayLike, ArrayLike]:
    if isinstance(volume, tuple):
        return volume
    channels = volume.numpy()
    if len(channels) != 1:
        raise ValueError(f"{name}: expected an image of one channel, but got {len(channels)}. Choose one of them.")
    return channels[0], volume.affine


def _window_in_words(window: Window) -> str:
    return f"grey from {number(window[0])} (black) to {number(window[1])} (white)"


def _outlines_in_words(volume: DrawnVolume, structures: Mapping[int, Outline]) -> str:
    if not volume.mask.any():
        return ""
    marked = [f"{one.name} ({one.words}), {volume.marked_in_words(value)}" for value, one in structures.items()]
    return f" Outlined: {'; '.join(marked)}."


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
