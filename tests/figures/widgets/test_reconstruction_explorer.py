"""The explorer of reconstruction: angles, photons and method change the slice, its error and the words."""

import re
import sys
from itertools import cycle, pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from course_lib.figures.widgets.reconstruction_explorer import (
    ANGLES,
    METHODS,
    draw_reconstruction,
    reconstruct,
    reconstruction_explorer,
)
from course_lib.modalities.chest_ct.beam import MU_WATER, hounsfield
from course_lib.modalities.chest_ct.tomography import Geometry, project
from tests.counted import count_calls, seconds_of

PIXEL_MM = 8.0
MOST_PROJECTIONS = 200  #: as long as they take may a move take: 20 steps of SIRT take about 70


def body(pixels: int = 48) -> NDArray[np.float32]:
    """Water with two lungs, 1/cm, and no edge so sharp that it hides the noise."""
    right = np.arange(pixels) - (pixels - 1) / 2
    down = right[:, None]
    trunk = (right / 19) ** 2 + (down / 14) ** 2 < 1
    lungs = ((abs(right) - 9) / 6) ** 2 + (down / 9) ** 2 < 1
    return np.asarray(MU_WATER * gaussian_filter(trunk - 0.8 * lungs, 1.5), dtype=np.float32)


def rms_hu(words: str) -> float:
    (number,) = re.findall(r"rms error is ([\d,]+) HU", words)
    return float(number.replace(",", ""))


def error(angles: int, photons: float, method: str = "ramp") -> float:
    return rms_hu(draw_reconstruction(body(), PIXEL_MM, angles, photons, method)[1])


def test_every_control_changes_the_picture_and_its_words() -> None:
    explorer = reconstruction_explorer(body(), PIXEL_MM)
    angles, photons, method, shown = explorer.children
    assert repr(explorer).startswith(
        "Simulated CT from 30 angles with 100,000 photons per ray, by filtered back-projection with the ramp filter: "
    )
    for control, value in ((angles, 90), (photons, 1000.0), (method, "hann"), (method, "SIRT")):
        before, words = shown.value, repr(explorer)
        control.value = value
        assert shown.value.split("src=")[1] != before.split("src=")[1]
        assert repr(explorer) != words
    assert "from 90 angles with 1,000 photons per ray, by 20 steps of SIRT: " in repr(explorer)


def test_more_angles_and_more_photons_make_the_error_smaller() -> None:
    by_angles = [error(angles, 1e6) for angles in (4, 12, 45)]
    by_photons = [error(90, photons) for photons in (1e2, 1e3, 1e4, 1e6)]
    for errors in (by_angles, by_photons):
        assert all(after < 0.6 * before for before, after in pairwise(errors))


def test_a_smooth_filter_helps_where_photons_are_few_and_harms_where_they_are_many() -> None:
    assert error(60, 1e3, "hann") < 0.6 * error(60, 1e3, "ramp")
    assert error(60, 1e6, "hann") > 1.8 * error(60, 1e6, "ramp")


def test_sirt_does_better_where_angles_are_few_and_worse_where_they_are_many() -> None:
    assert error(6, 1e6, "SIRT") < 0.75 * error(6, 1e6, "ramp")
    assert error(90, 1e6, "SIRT") > 1.5 * error(90, 1e6, "ramp")


def test_the_error_is_that_of_the_slice_against_the_true_one() -> None:
    _, slice_hu = reconstruct(body(), PIXEL_MM, 60, 1e5, "cosine")
    true_hu = hounsfield(body())
    assert error(60, 1e5, "cosine") == round(float(np.sqrt(np.mean((slice_hu - true_hu) ** 2))))


def test_the_line_integrals_are_those_of_the_slice_and_end_where_no_photon_arrives() -> None:
    lines = project(body()[None], Geometry(48, PIXEL_MM, 30))[0]
    many, few = (reconstruct(body(), PIXEL_MM, 30, photons, "ramp")[0] for photons in (1e7, 100))
    assert np.abs(many - lines).max() < 0.05
    assert few.max() == pytest.approx(np.log(100))
    assert lines.max() > np.log(100)
    assert few.min() < -0.1  # rays through air that counted more photons than were sent stay below 0


@pytest.mark.parametrize("method", METHODS)
def test_every_picture_has_the_same_size(method: str) -> None:
    shapes = {draw_reconstruction(body(), PIXEL_MM, angles, 1e3, method)[0].shape for angles in (1, ANGLES[0], 60)}
    assert shapes == {(290, 760, 3)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"angles": 0}, "A scan needs a pixel and an angle at least, not 48 and 0"),
        ({"photons": 0}, "photons must be a positive number per ray, not 0"),
        ({"photons": np.inf}, "photons must be a positive number per ray, not inf"),
        ({"pixel_mm": 0.0}, "pixel_mm must be a positive number of millimetres"),
        ({"method": "sharp"}, "There is no method 'sharp'; choose one of ramp, "),
        ({"attenuation": body()[:40]}, r"one square slice \[rows, columns\], not \[40, 48\]"),
        ({"attenuation": body()[None]}, r"one square slice \[rows, columns\], not \[1, 48, 48\]"),
        ({"attenuation": hounsfield(body())}, "attenuation must be 0 or more, not -1e[+]03"),
        ({"attenuation": np.where(body() > 0, body(), np.nan)}, "images must be finite"),
        ({"attenuation": np.zeros((0, 0), np.float32)}, "A scan needs a pixel"),
    ],
)
def test_what_can_not_be_scanned_is_refused(change: dict[str, object], said: str) -> None:
    usual = {"attenuation": body(), "pixel_mm": PIXEL_MM, "angles": 30, "photons": 1e4, "method": "ramp"}
    with pytest.raises(ValueError, match=said):
        draw_reconstruction(**usual | change)  # type: ignore[arg-type]


def test_a_move_draws_once_and_takes_no_longer_than_the_steps_of_the_slowest_method(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = count_calls(monkeypatch, sys.modules[reconstruct.__module__], "pixels_of")
    explorer = reconstruction_explorer(body(128), PIXEL_MM / 2)
    explorer.children[2].value = "SIRT"
    assert len(drawn) == 2
    # The first projection prepares the geometry, which the widget then finds prepared.
    projection = seconds_of(lambda: project(body(128)[None], Geometry(128, PIXEL_MM / 2, ANGLES[-1])), times=4)
    most = cycle(ANGLES[:-3:-1])
    move = seconds_of(lambda: setattr(explorer.children[0], "value", next(most)))
    assert len(drawn) == 2 + 3
    assert move < MOST_PROJECTIONS * projection
