"""Figures of images, and of masks on them."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from course_lib.figures.outline_lines import draw_outline
from course_lib.figures.style import LINES, ORANGE, describe, in_a_row

Mask = NDArray[np.bool_]


def plot_images(
    images: Sequence[ArrayLike], titles: Sequence[str], heading: str, columns: int = 4, side: float = 2.4
) -> NDArray[np.object_]:
    """Grey images beside each other, black 0 and white 1 (or 255 for whole numbers); gives the Axes, row by row.

    ``side`` is the room for one image, in inches.
    """
    arrays = [np.asarray(image) for image in images]
    grid = draw_images(arrays, titles, heading, columns, side)
    describe(grid[0, 0], f"{heading}. {count_in_words(arrays)}: {_images_in_words(arrays, titles)}.")
    return grid


def plot_masks(
    images: Sequence[ArrayLike],
    masks: Sequence[ArrayLike | None],
    titles: Sequence[str],
    heading: str,
    columns: int = 4,
    side: float = 2.4,
) -> NDArray[np.object_]:
    """Grey images with the outline of a mask on each, None where there is none; gives the Axes, row by row.

    A mask is True, or above 0, inside. ``side`` is the room for one image, in inches.
    """
    grid = plot_images(images, titles, heading, columns, side)
    panels: list[Axes] = grid.ravel().tolist()
    inside = [None if mask is None else np.asarray(mask) > 0 for mask in masks]
    for axes, marked in zip(panels, inside, strict=False):
        if marked is not None:
            draw_outline(axes, marked, ORANGE)
    covered = ", ".join(f"{100 * marked.mean():.0f} %" for marked in inside if marked is not None)
    missing = [str(place) for place, marked in enumerate(inside, start=1) if marked is None]
    words = [f"An outline marks the mask, which covers {covered} of the picture."] if covered else []
    words += [f"There is no mask of picture {', '.join(missing)}."] if missing else []
    describe(panels[0], " ".join(words))
    return grid


def plot_outlines(
    images: Sequence[ArrayLike],
    outlines: Sequence[Mapping[str, ArrayLike]],
    titles: Sequence[str],
    heading: str,
    columns: int = 4,
    side: float = 2.4,
) -> NDArray[np.object_]:
    """Grey images, each with outlines that bear names, such as those of several readers; gives the Axes, row by row.

    An outline is a mask, True or above 0 inside. A name has the same line in all images, and the legend says which.

    Raises:
        ValueError: there are not as many outlines and titles as images, a mask has another shape than its image, or
            there are more names than lines that can be told apart.
    """
    arrays = [np.asarray(image) for image in images]
    insides = [{name: np.asarray(mask) > 0 for name, mask in of_image.items()} for of_image in outlines]
    _check_outlines(arrays, insides, titles)
    names = list(dict.fromkeys(name for of_image in outlines for name in of_image))
    if len(names) > len(LINES):
        raise ValueError(f"Expected at most {len(LINES)} names, got {len(names)}: {', '.join(names)}.")
    lines = dict(zip(names, LINES, strict=False))
    grid = draw_images(arrays, titles, heading, columns, side)
    panels: list[Axes] = grid.ravel().tolist()
    for axes, of_image in zip(panels, insides, strict=False):
        for name, inside in of_image.items():
            color, style, _ = lines[name]
            draw_outline(axes, inside, color, style, 1.3)
    handles = [Line2D([], [], color=color, linestyle=style, label=name) for name, (color, style, _) in lines.items()]
    if handles:
        panels[0].figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)
    said = f"{count_in_words(arrays)}, and how many pixels are within each outline"
    describe(panels[0], f"{in_a_row(heading)}. {said}: {_outlines_in_words(insides, titles)}.")
    return grid


def draw_images(
    images: Sequence[NDArray[np.generic]], titles: Sequence[str], heading: str, columns: int, side: float
) -> NDArray[np.object_]:
    """Grey images beside each other as `plot_images` has them, without words: `describe` them afterwards."""
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(side * columns, (side + 0.1) * rows + 0.4), squeeze=False, layout="constrained"
    )
    for axes in grid.flat:
        axes.axis("off")
    for axes, pixels, title in zip(grid.flat, images, titles, strict=False):
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255 if pixels.dtype == np.uint8 else 1)
        axes.set_title(title, fontsize=9)
    figure.suptitle(heading)
    return grid


def count_in_words(images: Sequence[NDArray[np.generic]]) -> str:
    """How many pictures there are, as a sentence begins."""
    return "One grey image" if len(images) == 1 else f"{len(images)} grey images"


def _check_outlines(
    images: Sequence[NDArray[np.generic]], insides: Sequence[Mapping[str, Mask]], titles: Sequence[str]
) -> None:
    if not len(images) == len(insides) == len(titles):
        raise ValueError(
            f"Expected outlines and a title for each image, but got {len(images)} images, {len(insides)} times "
            f"outlines and {len(titles)} titles. An image without outlines has an empty dict."
        )
    for image, of_image, title in zip(images, insides, titles, strict=True):
        for name, inside in of_image.items():
            if inside.shape != image.shape[:2]:
                raise ValueError(
                    f"Expected masks of the shape of their image, but {name} of {in_a_row(title)} has {inside.shape}, "
                    f"and the image {image.shape[:2]}. Cut both to the same rows and columns."
                )


def _outlines_in_words(insides: Sequence[Mapping[str, Mask]], titles: Sequence[str]) -> str:
    parts = []
    for of_image, title in zip(insides, titles, strict=True):
        sizes = ", ".join(f"{name} {np.count_nonzero(inside)}" for name, inside in of_image.items())
        parts.append(f"{in_a_row(title)}: {sizes or 'none'}")
    return "; ".join(parts)


def _images_in_words(images: Sequence[NDArray[np.generic]], titles: Sequence[str]) -> str:
    """Title, size and mean brightness; neighbours with the same title are taken together."""
    parts = []
    for title, group in groupby(zip(titles, images, strict=False), key=lambda pair: pair[0]):
        pictures = [image for _, image in group]
        sizes = sorted({f"{image.shape[1]} x {image.shape[0]}" for image in pictures})
        size = f"{sizes[0]} pixels" if len(sizes) == 1 else "of different sizes"
        bright = np.mean([image.mean() / (255 if image.dtype == np.uint8 else 1) for image in pictures])
        count = f"{len(pictures)} times " if len(pictures) > 1 else ""
        parts.append(f"{count}{title} ({size}, mean brightness {100 * bright:.0f} %)")
    return ", ".join(parts)
