"""From image to tensor and back: one chain for training, one for everything else, and its inverse for display."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision.transforms import InterpolationMode, v2

Geometry = Literal["crop", "pad", "squeeze"]
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes the tensor that a network sees. Training and evaluation must agree on all of it."""

    size: int = 64  #: side of the square output, px
    geometry: Geometry = "crop"  #: what becomes of the parts that do not fit a square, see `fit_to_square`
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)  #: subtracted per channel, in units of the range 0 to 1
    std: tuple[float, ...] = (0.25, 0.25, 0.25)  #: then divided by, per channel, same units

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be a positive number of pixels, but is {self.size}.")
        if self.geometry not in get_args(Geometry):
            raise ValueError(f"geometry must be one of {get_args(Geometry)}, but is {self.geometry!r}.")
        if len(self.mean) != len(self.std) or not all(s > 0 for s in self.std):
            raise ValueError(
                f"mean and std need one number per channel, and std above 0; got {self.mean} and {self.std}."
            )


def evaluation_transform(how: Preprocessing) -> v2.Compose:
    """The plain chain: square, three channels, numbers from 0 to 1, normalised.

    Takes a grey or RGB PIL image; gives float32 of shape [3, size, size]. The same image, the same tensor.
    """
    return v2.Compose([*fit_to_square(how), *_to_normalised_tensor(how)])


def training_transform(how: Preprocessing) -> v2.Compose:
    """The same chain with small random changes, of the kind that differ from one exposure to the next.

    The child lies a little turned, off centre, nearer or farther; the film is a little darker or of more contrast.
    No mirroring: it would put the heart on the wrong side. Shapes are those of `evaluation_transform`.
    """
    changes = [
        v2.RandomAffine(degrees=7, translate=(0.05, 0.05), scale=(0.9, 1.1), interpolation=InterpolationMode.BILINEAR),
        v2.ColorJitter(brightness=0.2, contrast=0.2),
    ]
    return v2.Compose([*fit_to_square(how), *changes, *_to_normalised_tensor(how)])


def fit_to_square(how: Preprocessing) -> list[v2.Transform]:
    """The steps that make an image square, size x size pixels.

    - ``crop``: shorter side to size, then the middle; keeps the shape of things, loses the margins.
    - ``pad``: longer side to size, black around it; keeps shape and margins, things get smaller.
    - ``squeeze``: both sides to size; keeps the margins, a wide chest becomes a narrow one.
    """
    if how.geometry == "squeeze":
        return [v2.Resize((how.size, how.size), antialias=True)]
    if how.geometry == "pad":
        return [v2.Lambda(_pad_to_square), v2.Resize((how.size, how.size), antialias=True)]
    return [v2.Resize(how.size, antialias=True), v2.CenterCrop(how.size)]


def to_display(tensor: torch.Tensor, how: Preprocessing) -> NDArray[np.float32]:
    """The picture in a normalised tensor: the inverse of the last step of the chain.

    Takes float [3, H, W]; gives float32 of shape [H, W] with values from 0 (black) to 1 (white).

    Raises:
        ValueError: the tensor is not one image of as many channels as ``how`` has.
    """
    if tensor.ndim != 3 or tensor.shape[0] != len(how.mean):
        expected = f"[{len(how.mean)}, height, width]"
        raise ValueError(f"Expected one image of shape {expected}, got {list(tensor.shape)}; pick one, as in batch[0].")
    mean, std = (torch.tensor(v, device=tensor.device).view(-1, 1, 1) for v in (how.mean, how.std))
    picture: NDArray[np.float32] = (tensor.detach() * std + mean).mean(dim=0).clamp(0, 1).float().cpu().numpy()
    return picture


def _to_normalised_tensor(how: Preprocessing) -> list[v2.Transform]:
    return [
        v2.Grayscale(num_output_channels=len(how.mean)),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(how.mean, how.std),
    ]


def _pad_to_square(image: Image.Image) -> Image.Image:
    side = max(image.size)
    square = Image.new(image.mode, (side, side))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square
