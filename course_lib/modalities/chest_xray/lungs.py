"""Where the lungs are in a chest X-ray, as a small U-Net says that learned it from phantoms alone."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.data.augmentation import NO_CHANGE, Augmentation
from course_lib.data.samples import ImageData, LabelledImage
from course_lib.data.transforms import Preprocessing, network_input
from course_lib.modalities.chest_xray import simulator
from course_lib.networks.modes import evaluating
from course_lib.networks.unet import UNet
from course_lib.support.files import digest
from course_lib.support.runtime import progress, seeded
from course_lib.tasks.segmentation import Segmentation
from course_lib.tasks.task import P
from course_lib.training.checkpoints import identity_of
from course_lib.training.loop import fit_whole
from course_lib.training.recipe import FROM_SCRATCH

#: What the U-Net sees: one channel, of which only the order of the greys counts.
LOOK = Preprocessing(48, "squeeze", mean=(0.5,), std=(0.25,), normalisation="by rank")
CONFIG = replace(FROM_SCRATCH, epochs=8, batch_size=8, label_smoothing=0.0)
HELD_OUT = 10  #: one phantom in so many chooses the epoch
A_CM_OF_AIR = 0.15  #: attenuation that 1 cm of lung takes away, roughly: from there on, a ray crosses a lung
OUTSIDE_BOX = 0.02  #: of a lung's area lies beyond each side of its box, so that a stray pixel moves none

MOVES = Augmentation(
    rotation=10, shift=0.1, scale=0.2, aspect=0.2, shear=6, blur=0, noise=0, gamma=0, contrast=0, brightness=0, jpeg=0
)
GREYS = replace(NO_CHANGE, blur=1.2, noise=0.05, contrast=0.4, brightness=0.15, patch=0.4, patch_side=0.4)


@dataclass(frozen=True)
class Phantoms:
    """Simulated chests in memory, each a plane of `LOOK`'s size: float32 [phantoms, 1, size, size]."""

    films: torch.Tensor  #: 0 black to 1 white
    lungs: torch.Tensor  #: 1 where a ray crosses room for the lung, 0 elsewhere
    filled: torch.Tensor  #: the part of the air along a ray that the disease has replaced, 0 to 1; 0 in the healthy

    def take(self, chosen: torch.Tensor) -> "Phantoms":
        """Some of them; ``chosen`` are places, or True and False."""
        return Phantoms(self.films[chosen], self.lungs[chosen], self.filled[chosen])


def draw_phantoms(count: int, seed: int = 0) -> Phantoms:
    """So many patients at random, each filmed once; the same seed, the same phantoms."""
    rng, planes = np.random.default_rng(seed), []
    for _ in progress(range(count), "Drawing phantoms", "phantom"):
        patient, exposure = simulator.draw_patient(rng), simulator.draw_exposure(rng)
        layers = simulator.render_layers(patient, exposure, LOOK.size)
        air = layers["soft tissue"] - layers["lungs"] > A_CM_OF_AIR
        fluid = layers["disease"] / np.maximum(layers["soft tissue"] - layers["heart"], A_CM_OF_AIR)
        wide = torch.from_numpy(np.stack([layers["film"], air.astype(np.float32), fluid]))[None]
        planes.append(F.interpolate(wide, (LOOK.size, LOOK.size), mode="area"))
    films, lungs, filled = torch.cat(planes)[:, :, None].unbind(1)
    return Phantoms(films.clamp(0, 1), (lungs > 0.5).float(), filled.clamp(0, 1))


def train_lung_finder(phantoms: Phantoms, folder: Path) -> UNet:
    """A U-Net that outlines lungs, trained in about two minutes; it is kept in the folder and not trained again."""
    places = torch.arange(len(phantoms.films))
    learning, held_out = (phantoms.take(chosen) for chosen in (places % HELD_OUT > 0, places % HELD_OUT == 0))
    with seeded(0):
        unet = UNet(2, 1, depth=3, width=8)
    data = _Outlined(learning, changed=True), _Outlined(held_out)
    fit_whole(unet, *data, CONFIG, checkpoint=folder / f"{digest(identity_of(unet, *data, CONFIG), 16)}.pt")
    return unet


def find_lungs(unet: UNet, data: ImageData[P]) -> torch.Tensor:
    """How probable a lung is at each pixel, float32 [images, 1, size, size]. The data are prepared as `LOOK` says."""
    batches = torch.arange(len(data)).split(256)  # type: ignore[no-untyped-call]
    with evaluating(unet), torch.inference_mode():
        return torch.cat([unet(data.inputs(chosen)).softmax(dim=1)[:, 1:] for chosen in batches])


def boxes_around(lungs: torch.Tensor) -> torch.Tensor:
    """The box of both lungs, float32 [images, 4]: left, top, right, bottom as parts of the sides.

    Takes the lungs as a probability, [images, 1, height, width]. Where there is none, the box is the whole picture.
    """
    inside = (lungs[:, 0] > 0.5).float() + 1e-6
    ends = []
    for across in (1, 2):  # the sums over the rows tell left and right, those over the columns top and bottom
        along = inside.sum(across)
        reached = along.cumsum(1) / along.sum(1, keepdim=True)
        counts = (reached < OUTSIDE_BOX).sum(1), (reached < 1 - OUTSIDE_BOX).sum(1) + 1
        ends.append([count / along.shape[1] for count in counts])
    return torch.stack([ends[0][0], ends[1][0], ends[0][1], ends[1][1]], dim=1)


class _Outlined:
    """Phantoms beside the outline of their lungs; satisfies `ImageData`."""

    task = Segmentation(("elsewhere", "lung"))

    def __init__(self, phantoms: Phantoms, *, changed: bool = False) -> None:
        self.phantoms, self.changed = phantoms, changed
        names = [f"phantom{number:04}" for number in range(len(phantoms.films))]
        self.samples = tuple(LabelledImage(Path(name), 0, name) for name in names)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def patients(self) -> list[str]:
        return [sample.patient for sample in self.samples]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        return self.batch(indices, device)[0]

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        films, lungs = self.phantoms.films[indices], self.phantoms.lungs[indices]
        if self.changed:
            before = torch.get_rng_state()  # so that the outline moves as its film does
            films = MOVES(films)
            torch.set_rng_state(before)
            films, lungs = GREYS(films), MOVES(lungs)
        return network_input(films, LOOK).to(device), (lungs[:, 0] > 0.5).long().to(device)

    def take(self, indices: Iterable[int]) -> "_Outlined":
        return _Outlined(self.phantoms.take(torch.tensor(list(indices))), changed=self.changed)
