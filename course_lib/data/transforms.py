"""From image to tensor and back: one chain for training, one for everything else, and its inverse for display."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as image_functional

from course_lib.data.augmentation import Augmentation

Normalisation = Literal["fixed", "per image", "by rank"]
Geometry = Literal["crop", "pad", "squeeze"]
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
GREYS = 256  #: that an image is taken to have, when they are put in order
LEAST_SPREAD = 0.02  #: added to an image's own standard deviation, so that an empty image does not become all noise


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes the tensor that a network sees. Training and evaluation must agree on all of it."""

    size: int = 64  #: side of the square output, px
    geometry: Geometry = "crop"  #: what becomes of the parts that do not fit a square, see `fit_to_square`
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)  #: subtracted per channel, in units of the range 0 to 1
    std: tuple[float, ...] = (0.25, 0.25, 0.25)  #: then divided by, per channel, same units
    normalisation: Normalisation = "fixed"  #: with mean and std; or each image's own; or of its `ranks_of_greys`

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be a positive number of pixels, but is {self.size}.")
        if self.geometry not in get_args(Geometry):
            raise ValueError(f"geometry must be one of {get_args(Geometry)}, but is {self.geometry!r}.")
        if self.normalisation not in get_args(Normalisation):
            raise ValueError(f"normalisation must be one of {get_args(Normalisation)}, but is {self.normalisation!r}.")
        if len(self.mean) != len(self.std) or not all(s > 0 for s in self.std):
            raise ValueError(
                f"mean and std need one number per channel, and std above 0; got {self.mean} and {self.std}."
            )


def evaluation_transform(how: Preprocessing) -> v2.Compose:
    """The plain chain: grey, square, numbers from 0 to 1, normalised, three channels.

    Takes a grey or RGB PIL image; gives float32 of shape [3, size, size]. The same image, the same tensor.
    """
    return v2.Compose([*_to_grey_pixels(how), _OneNetworkInput(how)])


def training_transform(
    how: Preprocessing, augmentation: Callable[[torch.Tensor], torch.Tensor] = Augmentation()
) -> v2.Compose:
    """The same chain with small random changes, of the kind that differ from one exposure to the next.

    Shapes are those of `evaluation_transform`. `Augmentation` says what the changes are, and why none is a mirroring.
    """
    changes = [v2.ToDtype(torch.float32, scale=True), augmentation]
    return v2.Compose([*_to_grey_pixels(how), *changes, _OneNetworkInput(how)])


def network_input(pixels: torch.Tensor, how: Preprocessing) -> torch.Tensor:
    """What a network sees of square grey images: normalised, and as many channels as ``how`` has.

    Takes [images, 1, size, size], uint8 or float from 0 to 1; gives float32 [images, channels, size, size]. Channels
    that are alike share their memory, which makes this fast: copy the result before you write into it.
    """
    white = 255 if pixels.dtype == torch.uint8 else 1
    if how.normalisation == "by rank":
        pixels, white = ranks_of_greys(pixels), 1
    grey = pixels.to(torch.float32, copy=True)  # our own: to work in place saves most of the time
    if how.normalisation != "fixed":
        spread, offset = torch.std_mean(grey, dim=(1, 2, 3), correction=0, keepdim=True)
        spread = spread + white * LEAST_SPREAD
    else:
        different = slice(None) if len(set(zip(how.mean, how.std, strict=True))) > 1 else slice(1)
        offset, spread = (
            white * torch.tensor(v[different], device=grey.device).view(1, -1, 1, 1) for v in (how.mean, how.std)
        )
    shifted = grey.sub_(offset) if offset.shape[1] == 1 else grey.sub(offset)
    return shifted.div_(spread).expand(-1, len(how.mean), -1, -1)


def ranks_of_greys(pixels: torch.Tensor) -> torch.Tensor:
    """Each image with its greys spread evenly: of each pixel, the part of its image that is darker, and half of what is
    as dark, which is histogram equalisation.

    Which curve turned the rays into greys no longer matters, as long as it only rose. Takes
    [images, 1, height, width], uint8 or float from 0 to 1; gives float32 of the same shape, 0 to 1.
    """
    greys = pixels if pixels.dtype == torch.uint8 else (pixels * (GREYS - 1)).round()
    numbers = greys.to(torch.int64).flatten(1)  # [images, pixels]
    counts = torch.zeros(len(numbers), GREYS, device=pixels.device)
    counts.scatter_add_(1, numbers, torch.ones_like(numbers, dtype=torch.float32))
    up_to_half = counts.cumsum(1) - counts / 2
    return (up_to_half.gather(1, numbers) / numbers.shape[1]).view(pixels.shape)


def fit_to_square(how: Preprocessing) -> list[v2.Transform]:
    """The steps that make an image square, size x size pixels.

    - ``crop``: shorter side to size, then the middle; keeps the shape of things, loses the margins.
    - ``pad``: longer side to size, black around it; keeps shape and margins, things get smaller.
    - ``squeeze``: both sides to size; keeps the margins, a wide chest becomes a narrow one.
    """
    if how.geometry == "squeeze":
        return [v2.Resize((how.size, how.size), antialias=True)]
    if how.geometry == "pad":
        return [_PadToSquare(), v2.Resize((how.size, how.size), antialias=True)]
    return [v2.Resize(how.size, antialias=True), v2.CenterCrop(how.size)]


def to_display(tensor: torch.Tensor, how: Preprocessing) -> NDArray[np.float32]:
    """The picture in a normalised tensor: the inverse of the last step of the chain.

    Takes float [3, H, W]; gives float32 of shape [H, W] with values from 0 (black) to 1 (white). After normalisation
    per image or by rank the exposure is gone, so the darkest point is shown black and the brightest white.

    Raises:
        ValueError: the tensor is not one image of as many channels as ``how`` has.
    """
    if tensor.ndim != 3 or tensor.shape[0] != len(how.mean):
        expected = f"[{len(how.mean)}, height, width]"
        raise ValueError(f"Expected one image of shape {expected}, got {list(tensor.shape)}; pick one, as in batch[0].")
    if how.normalisation != "fixed":
        grey = tensor.detach().float().mean(dim=0)
        stretched: NDArray[np.float32] = ((grey - grey.min()) / (grey.max() - grey.min()).clamp(min=1e-6)).cpu().numpy()
        return stretched
    mean, std = (torch.tensor(v, device=tensor.device).view(-1, 1, 1) for v in (how.mean, how.std))
    picture: NDArray[np.float32] = (tensor.detach() * std + mean).mean(dim=0).clamp(0, 1).float().cpu().numpy()
    return picture


def _to_grey_pixels(how: Preprocessing) -> list[v2.Transform]:
    return [v2.Grayscale(), *fit_to_square(how), v2.PILToTensor()]


@dataclass(frozen=True)
class _OneNetworkInput:
    """`network_input` for a single image, as the last step of a chain; a class, so that a chain can be pickled."""

    how: Preprocessing

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        return network_input(image[None], self.how)[0].contiguous()


class _PadToSquare(v2.Transform):  # type: ignore[misc]
    """Black around an image until both sides are as long as the longer one; a mask or boxes come along."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = image_functional.get_size(flat_inputs[0])
        side = max(height, width)
        left, top = (side - width) // 2, (side - height) // 2
        return {"padding": [left, top, side - width - left, side - height - top]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return image_functional.pad(inpt, params["padding"])
