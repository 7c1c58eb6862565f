"""Computed tomography: from a slice to its projections, and from projections back to the slice.

In reading order: the `Geometry` of the scanner, the `system_matrix` that says how much of each pixel each ray crosses,
`project` (the scan), `filtered_back_projection` (ramp filter, then back-projection) and `sirt` (the slice that explains
the projections, found step by step).
Source: A. C. Kak, M. Slaney, Principles of Computerized Tomographic Imaging, 1988, chapters 3 and 7.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, sparse

from course_lib.support.runtime import progress

Images = NDArray[np.float32]  #: [slices, row, column]
Sinograms = NDArray[np.float32]  #: [slices, angle, detector]

#: What part each kernel leaves of a frequency (cycles per detector, 0 to 0.5). The sharp "ramp" leaves all, the noise
#: too; the others give up fine detail for a smooth picture, "hann" the most.
KERNELS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "ramp": np.ones_like,
    "shepp-logan": np.sinc,
    "cosine": lambda frequency: np.cos(np.pi * frequency),
    "hann": lambda frequency: 0.5 + 0.5 * np.cos(2 * np.pi * frequency),
}


@dataclass(frozen=True)
class Geometry:
    """A scanner with a parallel beam: square slices, and detectors as wide as a pixel that see all of the slice.

    Raises:
        ValueError: less than one pixel or angle, or a pixel without a size.
    """

    pixels: int  #: rows of a slice, and columns
    pixel_mm: float
    angles: int  #: evenly over 180 degrees, the first at 0; rays from the other side would measure the same

    def __post_init__(self) -> None:
        if self.pixels < 1 or self.angles < 1:
            raise ValueError(f"A scan needs a pixel and an angle at least, not {self.pixels} and {self.angles}.")
        if not 0 < self.pixel_mm < np.inf:
            raise ValueError(f"pixel_mm must be a positive number of millimetres, not {self.pixel_mm}.")

    @property
    def pixel_cm(self) -> float:
        """The side of a pixel, and the width of a detector."""
        return self.pixel_mm / 10

    @property
    def detectors(self) -> int:
        """As many as cover the diagonal of the slice, the middle one (or two) over its middle."""
        margin = np.ceil((np.sqrt(2) - 1) / 2 * self.pixels)
        return self.pixels + 2 * int(margin) + 2

    @property
    def radians(self) -> NDArray[np.float64]:
        """The direction from the first detector to the last, per angle: 0 to the right, then counterclockwise."""
        return np.pi * np.arange(self.angles) / self.angles


@lru_cache(maxsize=2)
def system_matrix(geometry: Geometry) -> sparse.csr_matrix:
    """How many cm of each ray lie in each pixel: [angle x detector, row x column], float32.

    The matrix times a slice, written as one column, is its sinogram; the transposed matrix times a sinogram is its
    back-projection. A detector is as wide as a pixel, so an entry is an average over the detector's width.

    It is distance-driven. Of a pixel's two middle lines (along its row, along its column), take the one that
    lies more across the rays: it casts a shadow, and each detector gets the part of the shadow that falls on it.
    Shadows of neighbours touch without gap or overlap, so an even slice has an even projection at any angle, and an
    even sinogram an even back-projection. Interpolating in the image gives only the first, interpolating on the
    detectors only the second.

    It takes 16 bytes per pixel and angle: 47 MB for 128 x 128 pixels and 180 angles. The last two are kept.
    Source: B. De Man, S. Basu, Distance-driven projection and backprojection in three dimensions, Phys Med Biol
    49:2463, 2004.
    """
    right = np.arange(geometry.pixels, dtype=np.float32) - np.float32((geometry.pixels - 1) / 2)
    cosine, sine = np.cos(geometry.radians).astype(np.float32), np.sin(geometry.radians).astype(np.float32)
    centre = (right[:, None] * cosine - right[:, None, None] * sine).reshape(-1, geometry.angles)  # rows go down
    width = np.maximum(np.abs(cosine), np.abs(sine))
    left = centre - width / 2 + geometry.detectors / 2  # detector j reaches from j to j + 1
    first = np.floor(left)
    share = np.clip((first + 1 - left) / width, 0, 1)  # of the shadow on its first detector; the next has the rest
    ray = first.astype(np.int32) + geometry.detectors * np.arange(geometry.angles, dtype=np.int32)
    rays = np.stack([ray, ray + 1], axis=-1).ravel()
    lengths = np.float32(geometry.pixel_cm) * np.stack([share, 1 - share], axis=-1).ravel()
    starts = 2 * geometry.angles * np.arange(geometry.pixels**2 + 1)
    shape = (geometry.pixels**2, geometry.angles * geometry.detectors)
    return sparse.csr_matrix((lengths, rays, starts), shape=shape).T.tocsr()


def project(images: Images, geometry: Geometry) -> Sinograms:
    """The sum along each ray, [slices, angle, detector]: of attenuation in 1/cm a number, of a density its cm.

    Raises:
        ValueError: images of another shape than [slices, pixels, pixels], or with NaN.
    """
    check_stack(images, (geometry.pixels, geometry.pixels), "images")
    lines = system_matrix(geometry) @ _as_columns(images)
    return np.ascontiguousarray(lines.T).reshape(len(images), geometry.angles, geometry.detectors)


def filtered_back_projection(sinograms: Sinograms, geometry: Geometry, kernel: str = "ramp") -> Images:
    """The slices, 1/cm, [slices, row, column]: each projection filtered, then spread back along its rays.

    One angle is allowed. It says nothing about where along a ray something lies, so the slice is a smear.

    Raises:
        ValueError: sinograms of another shape, or with NaN, or a kernel that is not in `KERNELS`.
    """
    return back_project(filter_projections(sinograms, geometry, kernel), geometry)


def filter_projections(sinograms: Sinograms, geometry: Geometry, kernel: str = "ramp") -> Sinograms:
    """Each projection, convolved with a filter whose response grows with the frequency like a ramp; 1/cm.

    Spreading projections back puts too much weight on low frequencies, since near frequency 0 the angles lie close
    together; the ramp takes just that out again. Zeros are added on both sides, so that one end does not leak into the
    other.
    """
    check_stack(sinograms, (geometry.angles, geometry.detectors), "sinograms")
    length = fft.next_fast_len(2 * geometry.detectors, real=True)
    spectrum = fft.rfft(sinograms, length) * ramp_filter(length, kernel)
    filtered = fft.irfft(spectrum, length)[..., : geometry.detectors] / geometry.pixel_cm
    return np.asarray(filtered, dtype=np.float32)


def ramp_filter(length: int, kernel: str = "ramp") -> NDArray[np.float32]:
    """The response at each frequency of `scipy.fft.rfft` for so many detectors: about the frequency itself, 0 to 0.5.

    It is computed from the filter's values at the detectors. The straight line |frequency| has 0 at frequency 0, which
    would make every slice a little too dark.
    Source: Kak and Slaney, equation 61 of chapter 3.
    """
    if kernel not in KERNELS:
        raise ValueError(f"There is no kernel {kernel!r}; choose one of {', '.join(KERNELS)}.")
    distance = np.minimum(np.arange(length), length - np.arange(length))  # from the middle, round the end
    values = np.zeros(length)
    values[0] = 1 / 4
    odd = distance % 2 == 1
    values[odd] = -1 / (np.pi * distance[odd]) ** 2
    response = fft.rfft(values).real * KERNELS[kernel](fft.rfftfreq(length))
    return np.asarray(response, dtype=np.float32)


def back_project(sinograms: Sinograms, geometry: Geometry) -> Images:
    """The sum of the values of all rays through each pixel, times the step from angle to angle: an integral to pi."""
    check_stack(sinograms, (geometry.angles, geometry.detectors), "sinograms")
    spread = system_matrix(geometry).T @ _as_columns(sinograms)
    spread *= np.float32(np.pi / geometry.angles / geometry.pixel_cm)  # cm of ray over the pixel's side: a weight
    return np.ascontiguousarray(spread.T).reshape(len(sinograms), geometry.pixels, geometry.pixels)


def sirt(sinograms: Sinograms, geometry: Geometry, iterations: int) -> Images:
    """The slices, 1/cm, after so many steps towards those whose projections are the ``sinograms``.

    Each step projects the slices so far, and spreads what is missing back: per ray over its length (the sums of the
    rows), per pixel as the average over its rays (the sums of the columns). Few steps give a smooth picture, many bring
    in detail and noise. It does better than filtered back-projection where angles are few.

    Raises:
        ValueError: sinograms of another shape, or with NaN, or less than one iteration.

    Source: J. Gregor, T. Benson, Computational analysis and improvement of SIRT, IEEE Trans Med Imaging 27:918, 2008.
    """
    check_stack(sinograms, (geometry.angles, geometry.detectors), "sinograms")
    if iterations < 1:
        raise ValueError(f"iterations must be 1 or more, not {iterations}.")
    matrix, measured = system_matrix(geometry), _as_columns(sinograms)
    per_ray = _inverse(matrix.sum(axis=1))
    per_pixel = _inverse(matrix.sum(axis=0).T)
    slices = np.zeros((geometry.pixels**2, len(sinograms)), dtype=np.float32)
    for _ in progress(range(iterations), "Reconstructing by SIRT", "step"):
        missing = measured - matrix @ slices
        slices += per_pixel * (matrix.T @ (per_ray * missing))
    return np.ascontiguousarray(slices.T).reshape(len(sinograms), geometry.pixels, geometry.pixels)


def check_stack(values: NDArray[np.float32], shape: tuple[int, ...], name: str) -> None:
    """Refuse what is not a stack of finite values in this shape."""
    if values.ndim != 1 + len(shape) or values.shape[1:] != shape or len(values) == 0:
        wanted = ", ".join(["slices", *map(str, shape)])
        raise ValueError(f"{name} must have the shape [{wanted}] with one slice at least, not {list(values.shape)}.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, but hold NaN or infinity; look where they were made.")


def _as_columns(stack: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each slice as a column, as a matrix product needs it."""
    return np.ascontiguousarray(stack.reshape(len(stack), -1).T, dtype=np.float32)


def _inverse(sums: NDArray[np.float32]) -> NDArray[np.float32]:
    """One over each sum, and 0 for a ray that meets no pixel."""
    sums = np.asarray(sums, dtype=np.float32)
    return np.divide(1, sums, out=np.zeros_like(sums), where=sums > 0)
