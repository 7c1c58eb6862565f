"""Images that are made in memory: what a training needs, and no files."""

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import torch

from course_lib.data.samples import LabelledImage
from course_lib.tasks.classification import Classification


class MemoryData:
    """Noise of a few pixels, brighter on the right in the sick; satisfies `dataset.ImageData`."""

    task = Classification(("NORMAL", "PNEUMONIA"))

    def __init__(self, images: int, size: int = 32, seed: int = 0, contrast: float = 0.5) -> None:
        random = torch.Generator().manual_seed(seed)
        labels = torch.arange(images) % 2
        self.pixels = torch.randn(images, 1, size, size, generator=random).expand(-1, 3, -1, -1).contiguous()
        self.pixels[:, :, :, size // 2 :] += contrast * labels.view(-1, 1, 1, 1)
        self.samples = tuple(
            LabelledImage(Path(f"phantom{seed:02}{i // 2:04}_{i}.jpeg"), label, f"phantom{seed:02}{i // 2:04}")
            for i, label in enumerate(labels.tolist())
        )

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.task.classes

    @property
    def labels(self) -> list[int]:
        return [radiograph.label for radiograph in self.samples]

    @property
    def patients(self) -> list[str]:
        return [radiograph.patient for radiograph in self.samples]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        return self.pixels[indices].to(device)

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        return self.inputs(indices, device), torch.tensor(self.labels)[indices].to(device)

    def take(self, indices: Iterable[int]) -> Self:
        chosen, part = list(indices), copy.copy(self)
        part.pixels = self.pixels[chosen]
        part.samples = tuple(self.samples[i] for i in chosen)
        return part
