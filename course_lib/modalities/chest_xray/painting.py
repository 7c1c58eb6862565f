"""Simulated disease painted into real films of the healthy: fluid in place of the air that the film itself shows.

It teaches little about real pneumonia: the networks of `authoring.from_phantoms` tell painted films of other patients
from unpainted ones, but reach an AUROC of 0.755 on real training images, where those that saw phantoms alone have
0.881. The healthy films are real in both, so it is probably the painted disease that is unlike the real one.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as image_functional

from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.transforms import Preprocessing, network_input
from course_lib.modalities.chest_xray.lungs import Phantoms, boxes_around


class PaintedFilms(PixelCache):
    """Films of the healthy, each of them twice: once with disease painted in, once with *nothing* painted in.

    Both go the same way, so that the painting leaves no mark but the disease. Item i is (float32 [channels, size,
    size], 1 with disease and 0 without). Each time an image is asked for, it gets the disease of another phantom;
    without an augmentation always that of the same.

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
        chosen = rows % count if self.augmentation is None else torch.randint(count, (len(rows),))
        filled = moved(self.sick.filled[chosen], self.sick_boxes[chosen], self.boxes[rows], self.how.size)
        lungs = F.interpolate(self.lungs[rows], filled.shape[-2:], mode="bilinear")
        filled = self._targets[indices].view(-1, 1, 1, 1) * lungs * filled  # nothing in the controls
        painted = fill(films, filled, grey_beside(films, lungs, self.boxes[rows]))
        if self.augmentation is not None:
            painted = self.augmentation(painted)
        return network_input(painted.to(device), self.how)


def fill(films: torch.Tensor, filled: torch.Tensor, tissue: torch.Tensor) -> torch.Tensor:
    """The films with fluid in place of a part of the air, all float32 [images, 1, height, width], from 0 to 1.

    A scanner shows the logarithm of the rays, in which attenuations add up, and air is what makes a lung darker than
    the ``tissue`` beside it. So a lung whose air is ``filled`` by half comes half way up to the grey of the tissue, and
    what is as bright as that already stays as it is: the film itself tells how much air was there.
    """
    return films + filled * (tissue - films).clamp(min=0)


def grey_beside(films: torch.Tensor, lungs: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """The mean grey of each film inside the box around its lungs and outside of them, [images, 1, 1, 1].

    Films and lungs, which are probabilities, are both [images, 1, size, size].
    """
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).expand(len(films), 4)
    beside = moved(torch.ones_like(films), whole, boxes, films.shape[-1]) * (1 - lungs)
    return (beside * films).sum((1, 2, 3), keepdim=True) / beside.sum((1, 2, 3), keepdim=True).clamp(min=1e-6)


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
