"""Simulated disease painted into real films of the healthy: fluid where there was air, added to what the film shows."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as image_functional

from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.transforms import Preprocessing, network_input
from course_lib.modalities.chest_xray.lungs import Phantoms, boxes_around

CONTRAST = (0.25, 0.5)  #: of the range 0 to 1, by which an attenuation of 1 brightens a film: so it does in phantoms
GAMMA = (0.6, 1.2)  #: of the curve that made greys of attenuation; no film tells which it was


class PaintedFilms(PixelCache):
    """Films of the healthy, each of them twice: once with disease painted in, once with *nothing* painted in.

    Both go the same way, so that the painting leaves no mark but the disease. Item i is (float32 [channels, size,
    size], 1 with disease and 0 without). Each time an image is asked for, it gets the disease of another phantom, in
    another contrast; without an augmentation always the same.

    ``lungs`` are the probabilities of a lung in each of the films, [films, 1, height, width]; ``sick`` are phantoms
    that all have the disease.

    Raises:
        ValueError: the lungs are of another number of films, or a film is of the sick.
        DataError: as in `PixelCache`.
    """

    def __init__(
        self,
        films: Sequence[LabelledImage],
        classes: Sequence[str],
        how: Preprocessing,
        augmentation: Callable[[torch.Tensor], torch.Tensor] | None,
        *,
        lungs: torch.Tensor,
        sick: Phantoms,
    ) -> None:
        if len(lungs) != len(films):
            raise ValueError(f"There are {len(films)} films, but the lungs of {len(lungs)}.")
        if ill := sum(film.label != 0 for film in films):
            raise ValueError(f"Disease is painted into films of the healthy, but {ill} of {len(films)} are not.")
        twice = [replace(film, label=label) for film in films for label in (0, 1)]
        super().__init__(twice, classes, how, augmentation)
        self.lungs, self.boxes = lungs.repeat_interleave(2, 0), boxes_around(lungs).repeat_interleave(2, 0)
        self.sick, self.sick_boxes = sick, boxes_around(sick.lungs)

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these images: float32 [images, channels, size, size] on the device."""
        rows, count = self._rows[indices], len(self.sick.films)
        films = image_functional.to_dtype(self._file.read(rows), torch.float32, scale=True)
        if self.augmentation is None:
            phantoms, draw = rows % count, torch.full((2, len(rows), 1, 1, 1), 0.5)
        else:
            phantoms, draw = torch.randint(count, (len(rows),)), torch.rand(2, len(rows), 1, 1, 1)
        disease = moved(self.sick.disease[phantoms], self.sick_boxes[phantoms], self.boxes[rows], self.how.size)
        inside = F.interpolate(self.lungs[rows], disease.shape[-2:], mode="bilinear")
        contrast, gamma = (low + part * (high - low) for part, (low, high) in zip(draw, (CONTRAST, GAMMA), strict=True))
        label = self._targets[indices].view(-1, 1, 1, 1)
        painted = paint(films, label * contrast * inside * disease, gamma)
        if self.augmentation is not None:
            painted = self.augmentation(painted)
        return network_input(painted.to(device), self.how)


def paint(films: torch.Tensor, attenuation: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
    """The films with more attenuation, all float32 [images, 1, height, width], greys from 0 to 1.

    A scanner shows the logarithm of the rays, so attenuations add up in its greys; before them lies its curve, grey =
    signal^gamma, which is taken back first and applied again afterwards. ``attenuation`` is in units of the signal's
    range; where it is 0 the film stays as it is.
    """
    signal = films.pow(1 / gamma) + attenuation
    return signal.clamp(0, 1).pow(gamma)


def moved(planes: torch.Tensor, boxes: torch.Tensor, to: torch.Tensor, size: int) -> torch.Tensor:
    """What lies in one box of each plane laid into another box of a new one: [images, 1, size, size]; beyond it is 0.

    ``boxes`` and ``to`` are float [images, 4]: left, top, right, bottom as parts of the sides.
    """
    scale = (boxes[:, 2:] - boxes[:, :2]) / (to[:, 2:] - to[:, :2])
    where = torch.zeros(len(planes), 2, 3)
    where[:, 0, 0], where[:, 1, 1] = scale.unbind(1)
    where[:, :, 2] = 2 * boxes[:, :2] - 1 + scale * (1 - 2 * to[:, :2])
    grid = F.affine_grid(where, [len(planes), 1, size, size], align_corners=False)
    return F.grid_sample(planes, grid, align_corners=False)
