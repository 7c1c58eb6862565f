"""A classifier as a detector: it is asked about each window of a film, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from course_lib.data.image_file import open_grey
from course_lib.data.outlines_and_boxes import BoxedImage
from course_lib.networks.costs import gflops
from course_lib.networks.modes import evaluating

Box = tuple[float, float, float, float]
ASIDE = 0.2  #: of its side, how far a window may lie beside the middle of a box, in both directions


@dataclass(frozen=True)
class SlidingWindow:
    """Square windows that step over a film from left to right and from top to bottom, none beyond its edge.

    Raises:
        ValueError: a number is not above 0, or the window is larger than the film.
    """

    film_px: int  #: width and height of the film
    window_px: int  #: width and height of a window
    step_px: int  #: from one window to the next

    def __post_init__(self) -> None:
        if min(self.film_px, self.window_px, self.step_px) < 1:
            raise ValueError(f"Expected sizes of 1 px and more, but got {self}.")
        if self.window_px > self.film_px:
            raise ValueError(
                f"A window of {self.window_px} px does not fit into a film of {self.film_px} px. Take a smaller one."
            )

    @property
    def starts(self) -> NDArray[np.int64]:
        """[a side], where the windows begin, in px; the last one ends at the film's edge or less than a step before."""
        return np.arange(0, self.film_px - self.window_px + 1, self.step_px)

    @property
    def count(self) -> int:
        """How many windows there are."""
        return len(self.starts) ** 2

    @property
    def corners(self) -> NDArray[np.float64]:
        """[windows, 4], x0, y0, x1, y1 of each window in px, row by row."""
        y, x = np.meshgrid(self.starts, self.starts, indexing="ij")
        low = np.stack([x.ravel(), y.ravel()], axis=1)
        return np.concatenate([low, low + self.window_px], axis=1).astype(np.float64)

    def gflops(self, classifier: nn.Module, channels: int = 3) -> float:
        """Billions of multiply-adds for one film: those for a window, as often as there are windows."""
        return self.count * gflops(classifier, (channels, self.window_px, self.window_px))


def slide(
    classifier: nn.Module, film: torch.Tensor, window: SlidingWindow, of_class: int, batch_size: int = 64
) -> NDArray[np.float64]:
    """How probable a class is in each window [windows], 0 to 1, in the order of `SlidingWindow.corners`.

    ``film`` is float [channels, film_px, film_px], prepared as the classifier wants it; the classifier gives logits
    [windows, classes]. It is left in the mode that it was in.

    Raises:
        ValueError: the film has another size than the window's ``film_px``.
    """
    if film.shape[1:] != (window.film_px, window.film_px):
        raise ValueError(f"Expected a film [channels, {window.film_px}, {window.film_px}], got {list(film.shape)}.")
    corners, logits = window.corners.astype(np.int64), []
    with evaluating(classifier), torch.no_grad():
        for first in range(0, window.count, batch_size):
            views = [film[:, y0:y1, x0:x1] for x0, y0, x1, y1 in corners[first : first + batch_size]]
            logits.append(classifier(torch.stack(views)))  # [batch_size, classes]
    return np.asarray(torch.cat(logits).softmax(dim=1)[:, of_class].double().cpu().numpy())


def cut_windows(
    films: Sequence[BoxedImage], labels: Sequence[int], side: int, each: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Windows to learn from: float32 [windows, 3, side, side], `prepared`, and 1 where one is around a box, int64.

    Around each box with one of the ``labels`` there are ``each`` windows, a little aside. A film without such a box
    gives as many, at any place.

    Raises:
        ValueError: there is no film, ``side`` or ``each`` is below 1, or a film has one grey, or no room for a window.
        DataError: a film can not be read.
    """
    if not films or side < 1 or each < 1:
        raise ValueError(f"Expected films, and side and each above 0, but got {len(films)} films, {side=}, {each=}.")
    rng, windows, asked = np.random.default_rng(seed), [], []
    for film in films:
        grey = _opened(film.path, side)
        wanted: list[Box | None] = [box for box, of in zip(film.boxes, film.labels, strict=True) if of in labels]
        for box in wanted or [None]:
            for _ in range(each):
                x, y = _start(rng, box, side, grey.shape[2], grey.shape[1])
                windows.append(grey[:, y : y + side, x : x + side])
                asked.append(int(box is not None))
    return torch.stack(windows), torch.tensor(asked)


def prepared(film: NDArray[np.uint8]) -> torch.Tensor:
    """A film [height, width] as float32 [3, height, width], with greys of mean 0 and spread 1.

    Raises:
        ValueError: the film has another number of dimensions, or not two different greys.
    """
    if film.ndim != 2:
        raise ValueError(f"Expected one grey film [height, width], but got the shape {list(film.shape)}.")
    if film.size == 0 or film.min() == film.max():
        raise ValueError(f"Expected two greys or more, but the film's {film.size} pixels are all alike. Leave it out.")
    grey = torch.from_numpy(film.astype(np.float32))
    return ((grey - grey.mean()) / grey.std()).expand(3, -1, -1)


def _opened(path: Path, side: int) -> torch.Tensor:
    """The film in a file, `prepared`, if a window of ``side`` px fits into it."""
    pixels = np.asarray(open_grey(path))
    if min(pixels.shape) < side:
        height, width = pixels.shape
        raise ValueError(
            f"A window of {side} px does not fit into {path.name}, of {width} x {height} px. Take a smaller one."
        )
    try:
        return prepared(pixels)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def _start(rng: np.random.Generator, box: Box | None, side: int, width: int, height: int) -> tuple[int, int]:
    """Where a window begins, x and y in px: near the middle of the box, or anywhere if there is none."""
    if box is None:
        return int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1))
    aside = rng.uniform(-ASIDE, ASIDE, 2) * side
    x, y = ((box[axis] + box[axis + 2]) / 2 + aside[axis] - side / 2 for axis in (0, 1))
    return int(np.clip(x, 0, width - side)), int(np.clip(y, 0, height - side))
