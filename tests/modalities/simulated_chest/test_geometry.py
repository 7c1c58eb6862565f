"""How far rays run inside simple bodies, and the warp that makes a regular body irregular."""

import numpy as np

from course_lib.modalities.simulated_chest import draw_patient
from course_lib.modalities.simulated_chest.geometry import ellipsoid, irregular, ruler_places, shell, texture, tube


def test_the_length_inside_an_ellipsoid_is_right() -> None:
    x, y = np.meshgrid(np.linspace(-3, 3, 13), np.linspace(-3, 3, 13))
    z = np.linspace(-6, 6, 24001)
    inside = (x[..., None] / 2) ** 2 + (y[..., None] / 2.5) ** 2 + (z / 5) ** 2 <= 1
    assert np.allclose(ellipsoid(x, y, (2, 2.5, 5)), inside.sum(-1) * (z[1] - z[0]), atol=2e-3)


def test_the_length_inside_a_tube_and_its_wall_is_right() -> None:
    distance = np.linspace(0, 1.5, 31)
    z = np.linspace(-2, 2, 40001)
    off_axis = np.hypot(distance[:, None], z)
    step = z[1] - z[0]
    assert np.allclose(tube(distance, 1.1), (off_axis <= 1.1).sum(-1) * step, atol=2e-3)
    density = np.where(off_axis <= 0.8, 0.2, 1.0) * (off_axis <= 1.1)
    assert np.allclose(shell(distance, 1.1, 0.3, marrow=0.2), density.sum(-1) * step, atol=2e-3)


def test_a_place_of_the_regular_body_is_found_on_the_ruler() -> None:
    patient = draw_patient(np.random.default_rng(0), "normal", adult=True)
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-12, 12, size=(2, 200))
    on_x, on_y = ruler_places(patient, x, y)
    assert np.abs(on_x - x).max() > 0.1
    back_x, back_y, _ = irregular(patient, on_x[None], on_y[None], exact=True)
    assert np.allclose(back_x[0], x, atol=1e-3)
    assert np.allclose(back_y[0], y, atol=1e-3)


def test_an_exact_texture_is_the_same_in_any_window() -> None:
    x, y = np.meshgrid(np.arange(0, 20, 0.1, dtype=np.float32), np.arange(0, 20, 0.1, dtype=np.float32))
    whole = texture(np.random.default_rng(0), x, y, 4.0, exact=True)
    window = texture(np.random.default_rng(0), x[30:50, 60:75], y[30:50, 60:75], 4.0, exact=True)
    assert np.array_equal(whole[30:50, 60:75], window)
    assert np.abs(texture(np.random.default_rng(0), x, y, 4.0) - whole).max() < 0.5  # what a film fills in between
