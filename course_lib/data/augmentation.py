"""Small random changes, of the kind that differ from one exposure of the same chest to the next."""

import io
import math
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as image_functional

WRITTEN_FOR = 64  #: px, a side of the pictures for which changes are written
STRONGEST = {
    "rotation": 45.0,
    "shift": 0.5,
    "scale": 1.0,
    "aspect": 1.0,
    "shear": 45.0,
    "blur": 5.0,
    "noise": 0.5,
    "gamma": 1.0,
    "contrast": 1.0,
    "brightness": 0.5,
    "patch": 1.0,
    "jpeg": 1.0,
}  #: what each field of `Augmentation` may be at most; beyond it the picture would not be recognised


@dataclass(frozen=True)
class Augmentation:
    """How strongly a training image is changed each time it is shown; a field at 0 leaves its change out.

    There is no mirroring: it would put the heart on the wrong side, and a chest like that is a finding of its own.

    Every image of a batch gets its own draw (the random transforms of torchvision v2 draw once for a whole batch). All
    numbers come from torch's global generators: the same seed, the same bits. The fields are in the order in which the
    changes are made, from the child to the file.
    """

    rotation: float = 7.0  #: degrees at most, either way: the child lies a little turned
    shift: float = 0.05  #: of the side at most, in each direction: it lies off centre
    scale: float = 0.1  #: larger or smaller by this part at most: age, and the distance from the tube
    aspect: float = 0.05  #: width against height by this part at most: depth of breath, a copy that was squeezed
    shear: float = 2.0  #: degrees at most: the beam meets the detector at an angle
    blur: float = 0.5  #: px, standard deviation at most: the child moves, the focal spot is no point
    noise: float = 0.02  #: of the range 0 to 1, standard deviation at most: fewer quanta, more grain
    gamma: float = 0.15  #: exponent larger or smaller by this part at most: the curve of film or display
    contrast: float = 0.2  #: around the mean, by this part at most: the voltage of the tube
    brightness: float = 0.1  #: of the range 0 to 1, at most: exposure time, and the window that someone chose
    patch: float = 0.0  #: probability of a rectangle in one grey: a side marker, a clip, a name blacked out
    jpeg: float = 0.2  #: probability of one more compression: archives store at different qualities
    patch_side: float = 0.15  #: of the image's side, the longest side of a patch; the shortest is a quarter of it
    jpeg_quality: tuple[int, int] = (40, 95)  #: lowest and highest quality of that compression, 1 to 100

    def __post_init__(self) -> None:
        for name, most in STRONGEST.items():
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from 0 (off) to {most:g}, but is {getattr(self, name)}.")
        if not 0 < self.patch_side <= 1:
            raise ValueError(f"patch_side must be above 0 and at most 1, but is {self.patch_side}.")
        if not 1 <= self.jpeg_quality[0] <= self.jpeg_quality[1] <= 100:
            raise ValueError(f"jpeg_quality must be lowest and highest, from 1 to 100, but is {self.jpeg_quality}.")

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """The images, each changed in its own way; the given tensor stays as it is.

        Takes float32 [n, 1, H, W] or one image [1, H, W], from 0 (black) to 1 (white), before normalisation; gives the
        same shape and range, on the same device.

        Raises:
            ValueError: these are no grey images from 0 to 1.
        """
        _check(images)
        batch = images if images.ndim == 4 else images[None]
        draw = _draw(len(batch))
        batch = self._expose(self._move(batch, draw), draw)
        return batch if images.ndim == 4 else batch[0]

    def with_masks(self, images: torch.Tensor, masks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch, changed as a call changes it, and its masks, bool [n, H, W], which move as their images do.

        Images of several channels [n, channels, H, W], slices of one patient for example, are changed as one, and there
        may be several masks of each, bool [n, masks, H, W]. Only the grain is another in each channel, and contrast is
        changed around the channel's own mean.

        Raises:
            ValueError: these are no images [n, channels, H, W] from 0 to 1.
        """
        if images.ndim != 4:
            raise ValueError(f"Expected images of shape [n, channels, height, width], but got {list(images.shape)}.")
        channels = images.shape[1]
        _check(images.flatten(0, 1)[:, None])
        draw = _draw(len(images))
        several = masks if masks.ndim == 4 else masks[:, None]
        moved = self._move(torch.cat([images, several.float()], dim=1), draw)
        inside = moved[:, channels:] > 0.5
        return self._expose(moved[:, :channels], draw), inside if masks.ndim == 4 else inside[:, 0]

    def at_size(self, px: int) -> "Augmentation":
        """The same changes, written for 64 px, for pictures of another side in px: a blur is as wide in the chest.

        The blur is cut where it would pass what is allowed.
        """
        return replace(self, blur=min(self.blur * px / WRITTEN_FOR, STRONGEST["blur"]))

    def _expose(self, batch: torch.Tensor, draw: dict[str, torch.Tensor]) -> torch.Tensor:
        """All changes that leave every thing at its place."""
        for change in (self._blur, self._develop, self._patch, self._compress):
            batch = change(batch, draw)
        return batch

    def _move(self, batch: torch.Tensor, draw: dict[str, torch.Tensor]) -> torch.Tensor:
        """Turned, shifted, scaled and sheared in one interpolation; what comes in at the margin repeats the border."""
        if not any((self.rotation, self.shift, self.scale, self.aspect, self.shear)):
            return batch
        height, width = batch.shape[-2:]
        angle = _either_way(draw["rotation"][:, 0]) * math.radians(self.rotation)
        slant = (_either_way(draw["shear"][:, 0]) * math.radians(self.shear)).tan()
        size = _factor(draw["scale"][:, 0], self.scale)
        ratio = _factor(draw["aspect"][:, 0], self.aspect).sqrt()
        turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=1).view(-1, 2, 2)
        stretch = torch.zeros_like(turn)
        stretch[:, 0, 0], stretch[:, 0, 1], stretch[:, 1, 1] = size * ratio, size * slant, size / ratio
        from_px = torch.tensor([[1.0, height / width], [width / height, 1.0]])  # affine_grid counts in half sides
        where = torch.cat([turn @ stretch * from_px, 2 * self.shift * _either_way(draw["shift"][:, :2, None])], dim=2)
        grid = F.affine_grid(where.to(batch.device), list(batch.shape), align_corners=False)
        return F.grid_sample(batch, grid, padding_mode="border", align_corners=False)

    def _blur(self, batch: torch.Tensor, draw: dict[str, torch.Tensor]) -> torch.Tensor:
        """Each image blurred by a Gaussian of its own width: the images are the channels of one convolution."""
        if not self.blur:
            return batch
        reach = math.ceil(3 * self.blur)
        sigma = (draw["blur"][:, :1] * self.blur).clamp(min=0.01)
        kernel = (-(torch.arange(-reach, reach + 1) ** 2) / (2 * sigma**2)).exp()
        kernel = (kernel / kernel.sum(dim=1, keepdim=True)).to(batch.device)
        padded = F.pad(batch, [reach] * 4, mode="replicate").transpose(0, 1)
        rows = F.conv2d(padded, kernel[:, None, :, None], groups=len(batch))
        return F.conv2d(rows, kernel[:, None, None, :], groups=len(batch)).transpose(0, 1)

    def _develop(self, batch: torch.Tensor, draw: dict[str, torch.Tensor]) -> torch.Tensor:
        """Grain, then the way from quanta to grey: gamma, contrast, brightness."""
        if not any((self.noise, self.gamma, self.contrast, self.brightness)):
            return batch
        noise, gamma, contrast, brightness = (
            draw[name][:, :1, None, None].to(batch.device) for name in ("noise", "gamma", "contrast", "brightness")
        )
        if self.noise:
            batch = (batch + self.noise * noise * torch.randn_like(batch)).clamp(0, 1)
        if self.gamma:
            batch = batch.pow(_factor(gamma, self.gamma))
        factor = _factor(contrast, self.contrast)
        offset = batch.mean(dim=(2, 3), keepdim=True) * (1 - factor) + self.brightness * _either_way(brightness)
        return torch.addcmul(offset, batch, factor).clamp_(0, 1)

    def _patch(self, batch: torch.Tensor, draw: dict[str, torch.Tensor]) -> torch.Tensor:
        """On some images a rectangle anywhere, all in one grey."""
        if not self.patch:
            return batch
        chosen, level = (draw["patch"][:, i, None, None, None].to(batch.device) for i in (0, 1))
        inside = chosen < self.patch
        for dim, column in ((2, 0), (3, 1)):
            along = torch.linspace(0, 1, batch.shape[dim], device=batch.device)
            along = along.view(-1, 1) if dim == 2 else along
            middle = draw["patch"][:, 2 + column, None, None, None].to(batch.device)
            part = 0.25 + 0.75 * draw["patch_side"][:, column, None, None, None].to(batch.device)
            inside = inside & ((along - middle).abs() <= part * self.patch_side / 2)
        return torch.where(inside, level, batch)

    def _compress(self, batch: torch.Tensor, draw: dict[str, torch.Tensor]) -> torch.Tensor:
        """Some images to 8-bit JPEG and back, one by one and on the CPU."""
        chosen = (draw["jpeg"][:, 0] < self.jpeg).nonzero()[:, 0]
        if not len(chosen):
            return batch
        low, high = self.jpeg_quality
        quality = (low + draw["jpeg_quality"][chosen, 0] * (high + 1 - low)).int().clamp(max=high)
        picked = batch[chosen.to(batch.device)]
        pixels = image_functional.to_dtype(picked, torch.uint8, scale=True).cpu().numpy()
        stored = [
            [_through_jpeg(channel, int(q)) for channel in image] for image, q in zip(pixels, quality, strict=True)
        ]
        again = image_functional.to_dtype(torch.from_numpy(np.array(stored)), torch.float32, scale=True)
        return batch.index_copy(0, chosen.to(batch.device), again.to(batch.device))


@dataclass(frozen=True)
class OneOf:
    """Each image goes through one of the changes, drawn at random; shapes and ranges are those of `Augmentation`."""

    changes: tuple[Augmentation, ...]

    def __post_init__(self) -> None:
        if not self.changes:
            raise ValueError("There is no change to draw from. Give one at least; NO_CHANGE is one, too.")

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """The images, each changed in one way; the given tensor stays as it is."""
        batch = images if images.ndim == 4 else images[None]
        changed, drawn = batch.clone(), torch.randint(len(self.changes), (len(batch),))
        for number, change in enumerate(self.changes):
            if len(rows := (drawn == number).nonzero()[:, 0].to(batch.device)):
                changed[rows] = change(batch[rows])
        return changed if images.ndim == 4 else changed[0]


NO_CHANGE = Augmentation(**dict.fromkeys(STRONGEST, 0.0))  # type: ignore[arg-type]  # patch_side, jpeg_quality stay


def _through_jpeg(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """With Pillow: torchvision's own ``jpeg`` is about to go (since 0.29)."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file, formats=("JPEG",)))


FIELDS = tuple(field.name for field in fields(Augmentation))


def _check(images: torch.Tensor) -> None:
    grey = images.ndim in (3, 4) and images.shape[-3] == 1 and images.dtype == torch.float32
    if not grey:
        raise ValueError(
            "Expected grey images, float32 of shape [images, 1, height, width] or [1, height, width]; got "
            f"{images.dtype} of shape {list(images.shape)}. Convert with v2.Grayscale() and "
            "v2.ToDtype(torch.float32, scale=True)."
        )
    low, high = (value.item() for value in images.aminmax())
    if not 0 <= low <= high <= 1:
        raise ValueError(
            f"Expected values from 0 (black) to 1 (white), got {low:.3g} to {high:.3g}. Augment before you normalise."
        )


def _draw(images: int) -> dict[str, torch.Tensor]:
    """Four numbers from 0 to 1 for each image and field, [n, 4] by the field's name."""
    numbers = torch.rand(len(FIELDS), images, 4)  # on the CPU: small, and alike on all devices
    return dict(zip(FIELDS, numbers.unbind(), strict=True))


def _either_way(draw: torch.Tensor) -> torch.Tensor:
    """From -1 to 1, for numbers drawn from 0 to 1."""
    return 2 * draw - 1


def _factor(draw: torch.Tensor, part: float) -> torch.Tensor:
    """From 1 / (1 + part) to 1 + part, so that larger and smaller are equally likely."""
    return torch.exp(_either_way(draw) * math.log1p(part))
