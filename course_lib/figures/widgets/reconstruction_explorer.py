"""The explorer of reconstruction: a slice from the angles and photons, and by the method, that a learner chooses."""

from functools import partial

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course_lib.figures.style import describe, text_alternative
from course_lib.figures.widgets.explorer import LAYOUT, Explorer, pixels_of
from course_lib.modalities.chest_ct.beam import hounsfield
from course_lib.modalities.chest_ct.tomography import KERNELS, Geometry, filtered_back_projection, project, sirt

SIZE_INCHES, DPI = (7.6, 2.9), 100
SIRT, STEPS = "SIRT", 20  #: so many keep it under a second
METHODS = (*KERNELS, SIRT)  #: filtered back-projection with each of the kernels, or step by step
ANGLES = (4, 6, 9, 12, 18, 30, 45, 60, 90, 180)  #: that the slider offers
SHOWN_HU = (-1100.0, 300.0)  #: black and white: lungs and soft parts both keep their greys
DIFFERENCE_HU = 400.0  #: from the true slice that is black, and white
SEED = 11  #: of the photons: the noise stays while other things change

Slice = NDArray[np.float32]


def reconstruction_explorer(attenuation: Slice, pixel_mm: float) -> Explorer:
    """Sliders for the angles and the photons, and a choice of the method, over the slice that they give.

    ``attenuation`` [rows, columns] is the true slice, 1/cm.

    Raises:
        ValueError: the slice is not square, holds NaN or values below 0, or its pixels have no size.
    """
    style = {"description_width": "8em"}
    sliders = {
        "angles": ipywidgets.SelectionSlider(
            options=ANGLES, value=30, description="angles", continuous_update=False, layout=LAYOUT, style=style
        ),
        "photons": ipywidgets.FloatLogSlider(
            value=1e5, min=2, max=6, step=0.5, description="photons per ray", readout_format=",.0f",
            continuous_update=False, layout=LAYOUT, style=style,
        ),
        "method": ipywidgets.RadioButtons(
            options=METHODS, value="ramp", description="filter, or SIRT", layout=LAYOUT, style=style
        ),
    }  # fmt: skip
    return Explorer(sliders, partial(draw_reconstruction, attenuation, pixel_mm))


def draw_reconstruction(
    attenuation: Slice, pixel_mm: float, angles: int, photons: float, method: str
) -> tuple[NDArray[np.uint8], str]:
    """The sinogram, the slice made from it, and how far that is from the true one, as a picture [290, 760, 3]; and in
    words.

    ``attenuation`` [rows, columns] is the true slice, 1/cm; ``photons`` start on each ray; ``method`` is one of
    `METHODS`.

    Raises:
        ValueError: the slice is not square, or holds NaN or values below 0; its pixels have no size; or there is no
            angle, no photon, or no such method.
    """
    sinogram, slice_hu = reconstruct(attenuation, pixel_mm, angles, photons, method)
    wrong_hu = slice_hu - hounsfield(attenuation)
    rms_hu = float(np.sqrt(np.mean(wrong_hu**2)))
    figure = Figure(figsize=SIZE_INCHES, dpi=DPI, layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    rays = (0, sinogram.shape[1], 180, 0)
    left.imshow(sinogram, cmap="gray", vmin=0, aspect="auto", interpolation="nearest", extent=rays)
    left.set(xlabel="detector", ylabel="angle, degrees", yticks=(0, 90, 180), xticks=())
    middle.imshow(slice_hu, cmap="gray", vmin=SHOWN_HU[0], vmax=SHOWN_HU[1])
    right.imshow(wrong_hu, cmap="gray", vmin=-DIFFERENCE_HU, vmax=DIFFERENCE_HU)
    for panel, title in ((left, "sinogram"), (middle, "slice"), (right, f"error, rms {rms_hu:,.0f} HU")):
        panel.set_title(title, fontsize=10)
        if panel is not left:
            panel.axis("off")
    describe(
        left,
        f"Simulated CT from {angles} {'angle' if angles == 1 else 'angles'} with {photons:,.0f} photons per ray, "
        f"{_said(method)}: the sinogram, the slice ({SHOWN_HU[0]:.0f} HU black, {SHOWN_HU[1]:.0f} HU white), and "
        f"what is wrong with it (black {DIFFERENCE_HU:.0f} HU too low, white as much too high). The rms error is "
        f"{rms_hu:,.0f} HU.",
    )
    return pixels_of(figure), text_alternative(left)


def reconstruct(
    attenuation: Slice, pixel_mm: float, angles: int, photons: float, method: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The line integrals that a scan measures [angle, detector], and the slice made from them in HU, [rows, columns].

    All photons have the same energy, each that arrives counts one, and where none arrives one is taken to have. The
    noise is the same each time.

    Raises:
        ValueError: as `draw_reconstruction`.
    """
    _check(attenuation, photons, method)
    geometry = Geometry(len(attenuation), pixel_mm, angles)
    arriving = photons * np.exp(-project(attenuation[None], geometry))
    counts = np.random.default_rng(SEED).poisson(arriving)
    measured = -np.log(np.maximum(counts, 1) / photons).astype(np.float32)
    if method == SIRT:
        return measured[0], hounsfield(sirt(measured, geometry, STEPS)[0])
    return measured[0], hounsfield(filtered_back_projection(measured, geometry, method)[0])


def _said(method: str) -> str:
    return f"by {STEPS} steps of SIRT" if method == SIRT else f"by filtered back-projection with the {method} filter"


def _check(attenuation: Slice, photons: float, method: str) -> None:
    """Refuse what is no slice of attenuation, a scan without photons, and an unknown method; `project` refuses NaN."""
    if attenuation.ndim != 2 or attenuation.shape[0] != attenuation.shape[1]:
        raise ValueError(f"attenuation must be one square slice [rows, columns], not {list(attenuation.shape)}.")
    if attenuation.size and attenuation.min() < 0:
        raise ValueError(
            f"attenuation must be 0 or more, not {attenuation.min():.3g}. Was it made from HU below -1000, which noise "
            "makes of air? Then np.maximum(attenuation, 0) mends it; HU themselves are no attenuation."
        )
    if not 0 < photons < np.inf:
        raise ValueError(f"photons must be a positive number per ray, not {photons}.")
    if method not in METHODS:
        raise ValueError(f"There is no method {method!r}; choose one of {', '.join(METHODS)}.")
