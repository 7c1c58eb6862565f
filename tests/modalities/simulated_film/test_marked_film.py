"""Marks on films: where findings are, and how hard they are to see."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from course_lib.modalities.simulated_chest.distractors import draw_distractors
from course_lib.modalities.simulated_chest.findings import FINDINGS, draw_patient_with, with_heart
from course_lib.modalities.simulated_chest.people import Effusion, Nodule, Patient, Pneumothorax, Side
from course_lib.modalities.simulated_film.exposure import Exposure, draw_adult_exposure, draw_exposure
from course_lib.modalities.simulated_film.marked_film import (
    SUBTLETIES,
    Mark,
    MarkedFilm,
    box_of,
    contrast_to_noise,
    render_marked,
    subtlety_of,
    visibility,
)
from course_lib.modalities.simulated_film.radiograph import render

SIZE_PX = 112
SIDES: tuple[Side, ...] = ("right", "left")


@lru_cache
def healthy() -> tuple[Patient, Exposure]:
    """An adult without findings and distractors, straight in front of an open detector; the whole chest is on it."""
    rng = np.random.default_rng(4)
    patient = replace(draw_patient_with(rng, []), distractors=(), bend=0.0)
    exposure = replace(
        draw_adult_exposure(rng), tilt=0.0, turn=0.0, shift=(0.0, 0.0), field=1.5, collimation=(0, 0, 0, 0), leads=0
    )
    return patient, replace(exposure, photons=300.0, view="PA", heart_enlarged=1.0, inspiration=1.0)


def nodule(x: float, y: float, radius_mm: float = 11.0, **changes: float) -> Nodule:
    """A round, dense one at these parts of the half-width and of the lung height."""
    patient, _ = healthy()
    one = Nodule(x * patient.half_width, y * patient.lung_height, 3.0, radius_mm, 0.0, 0.0, "solid", False, 3)
    return replace(one, **changes)  # type: ignore[arg-type]


def marked(**changes: object) -> MarkedFilm:
    """The film of the healthy adult with these fields changed."""
    patient, exposure = healthy()
    return render_marked(replace(patient, **changes), exposure, SIZE_PX)  # type: ignore[arg-type]


def only(film: MarkedFilm, finding: str) -> Mark:
    """The one mark of a film."""
    (mark,) = film.marks
    assert mark.finding == finding
    return mark


def middle_of(mark: Mark) -> tuple[float, float]:
    """The middle of a box, as parts of the film's side."""
    x0, y0, x1, y1 = mark.box
    return (x0 + x1) / 2 / SIZE_PX, (y0 + y1) / 2 / SIZE_PX


def test_someone_healthy_has_no_mark() -> None:
    assert marked().marks == ()


@pytest.mark.parametrize(("findings", "adult"), [(FINDINGS, True), (("Mass", "Effusion"), False)])
def test_the_film_is_that_of_the_patient_and_has_the_marks_of_the_findings(
    findings: Sequence[str], adult: bool
) -> None:
    rng = np.random.default_rng(6)
    patient = draw_patient_with(rng, findings, adult=adult)
    exposure = draw_adult_exposure(rng) if adult else draw_exposure(rng)
    film = render_marked(patient, exposure, SIZE_PX)
    assert np.array_equal(film.image, render(patient, exposure, SIZE_PX)[0])
    assert {mark.finding for mark in film.marks} <= set(findings)
    assert {"Mass", "Effusion"} <= {mark.finding for mark in film.marks}
    for mark in film.marks:
        assert mark.mask.shape == film.image.shape
        assert mark.mask.dtype == np.bool_
        assert mark.box == box_of(mark.mask)
        assert mark.subtlety in SUBTLETIES
        assert mark.contrast_to_noise > 0
    again = render_marked(patient, exposure, SIZE_PX)
    assert [mark.box for mark in again.marks] == [mark.box for mark in film.marks]
    assert [mark.contrast_to_noise for mark in again.marks] == [mark.contrast_to_noise for mark in film.marks]


def test_a_nodule_is_marked_where_it_was_put_and_as_large_as_it_is() -> None:
    patient, exposure = healthy()
    pixel_mm = 10 * exposure.field * patient.lung_height / SIZE_PX
    for x, y in ((-0.5, -0.15), (0.62, 0.1)):
        mark = only(marked(nodules=(nodule(x, y),)), "Nodule")
        across, down = middle_of(mark)
        assert across == pytest.approx(0.5 + x * patient.half_width / patient.lung_height / exposure.field, abs=0.03)
        assert down == pytest.approx(0.5 + y / exposure.field, abs=0.03)
        x0, y0, x1, y1 = mark.box
        assert (x1 - x0) * pixel_mm == pytest.approx(22, abs=2 * pixel_mm)
        assert (y1 - y0) * pixel_mm == pytest.approx(22, abs=2 * pixel_mm)


def test_what_is_above_30_mm_is_a_mass_and_each_has_its_own_mark() -> None:
    film = marked(nodules=(nodule(-0.5, -0.15, 15.0), nodule(0.6, 0.0, 20.0), nodule(-0.5, 0.1, 8.0)))
    assert [mark.finding for mark in film.marks] == ["Nodule", "Mass", "Nodule"]
    assert film.marks[0].box != film.marks[2].box


@pytest.mark.parametrize("side", SIDES)
def test_an_effusion_fills_the_angle_of_its_side_and_rises_to_the_chest_wall(side: Side) -> None:
    low, high = (only(marked(effusions=(Effusion(side, height, 0.2),)), "Effusion").mask for height in (0.0, 0.35))
    assert high.sum() > 2 * low.sum() > 0
    columns = np.flatnonzero(high.any(axis=0))
    assert (columns < SIZE_PX / 2).all() if side == "right" else (columns >= SIZE_PX / 2).all()
    top = high.argmax(axis=0)[columns]
    outward = top if side == "left" else top[::-1]
    third = len(outward) // 3
    assert outward[-third:].min() < outward[third:-third].mean() - 2  # y counts down
    brighter = marked(effusions=(Effusion(side, 0.35, 0.2),)).image[high].mean()
    assert brighter > marked().image[high].mean() + 20


@pytest.mark.parametrize("side", SIDES)
def test_a_pneumothorax_is_black_above_the_lung_of_its_side(side: Side) -> None:
    small, large = (marked(pneumothoraces=(Pneumothorax(side, depth, 0.6),)) for depth in (1.0, 3.0))
    mark = only(large, "Pneumothorax")
    assert mark.mask.sum() > 2 * only(small, "Pneumothorax").mask.sum() > 0
    across, down = middle_of(mark)
    assert across < 0.45 if side == "right" else across > 0.55
    assert down < 0.45
    assert large.image[mark.mask].mean() < marked().image[mark.mask].mean() - 5


def test_a_pneumothorax_has_a_line_at_the_edge_of_the_lung_and_no_vessels_beyond() -> None:
    patient, exposure = healthy()
    exposure = replace(exposure, energy=60.0, blur=0.0005)
    drawn_away = replace(patient, pneumothoraces=(Pneumothorax("right", 3.0, 1.5),))
    film, well = (render_marked(one, exposure, 384) for one in (drawn_away, patient))
    mask = only(film, "Pneumothorax").mask
    row = int(np.mean(np.flatnonzero(mask.any(axis=1))))
    edge = np.flatnonzero(mask[row])[-1]
    change = film.image[row].astype(float) - well.image[row]
    assert change[edge : edge + 8].max() > change[edge - 12 : edge - 4].max() + 8


def test_a_large_heart_is_marked_from_border_to_border() -> None:
    patient, exposure = healthy()
    large = with_heart(patient, 0.6)
    mark = only(render_marked(large, exposure, SIZE_PX), "Cardiomegaly")
    x0, y0, x1, y1 = mark.box
    chest_px = 2 * patient.half_width / patient.lung_height / exposure.field * SIZE_PX
    assert (x1 - x0) / chest_px == pytest.approx(0.6, abs=0.06)
    assert 0.55 < (y1 - y0) / (x1 - x0) < 1
    assert render_marked(with_heart(patient, 0.49), exposure, SIZE_PX).marks == ()
    in_bed = replace(exposure, view="AP", heart_enlarged=1.15)
    wider = only(render_marked(large, in_bed, SIZE_PX), "Cardiomegaly")
    assert wider.box[2] - wider.box[0] > 1.1 * (x1 - x0)
    assert render_marked(with_heart(patient, 0.49), in_bed, SIZE_PX).marks == ()


def test_pneumonia_is_marked_in_the_lobe_where_it_sits() -> None:
    film = marked(kind="bacteria", pattern="lobar", lobe="left upper", severity=0.7)
    mark = only(film, "Pneumonia")
    assert middle_of(mark)[0] > 0.5
    assert middle_of(mark)[1] < 0.5
    assert film.image[mark.mask].mean() > marked().image[mark.mask].mean() + 20


def test_pneumonia_on_both_sides_has_two_marks() -> None:
    rng = np.random.default_rng(0)
    for seed in rng.permutation(40):
        film = marked(kind="bacteria", pattern="patchy", severity=0.9, anatomy_seed=int(seed))
        if len(film.marks) == 2:
            break
    right, left = film.marks
    assert middle_of(right)[0] < 0.5 < middle_of(left)[0]


def test_nothing_is_marked_outside_the_open_field() -> None:
    patient, exposure = healthy()
    patient = replace(
        patient, nodules=(nodule(-0.5, -0.15), nodule(0.6, 0.1)), effusions=(Effusion("right", 0.3, 0.2),)
    )
    half = replace(exposure, collimation=(0.52, 0.0, 0.0, 0.0))
    film = render_marked(patient, half, SIZE_PX)
    mark = only(film, "Nodule")
    assert middle_of(mark)[0] > 0.52
    edge = replace(exposure, collimation=(0.0, 0.0, 1 - middle_of(mark)[0], 0.0))
    cut = [one for one in render_marked(patient, edge, SIZE_PX).marks if one.finding == "Nodule"]
    assert cut[1].box[2] == SIZE_PX - round((1 - middle_of(mark)[0]) * SIZE_PX)


def test_distractors_have_no_mark_but_are_seen() -> None:
    patient, exposure = healthy()
    rng = np.random.default_rng(1)
    drawn = [draw_distractors(rng, patient) for _ in range(30)]
    busy = replace(patient, distractors=max(drawn, key=len))
    assert len(busy.distractors) > 3
    film = render_marked(busy, exposure, SIZE_PX)
    assert film.marks == ()
    assert np.abs(film.image.astype(int) - marked().image).max() > 15


def test_contrast_to_noise_falls_with_the_photons_and_with_the_nodule() -> None:
    patient, exposure = healthy()

    def ratio(radius_mm: float = 11.0, photons: float = 300.0, **changes: float) -> float:
        one = replace(patient, nodules=(nodule(-0.5, -0.15, radius_mm, **changes),))
        return only(render_marked(one, replace(exposure, photons=photons), SIZE_PX), "Nodule").contrast_to_noise

    assert ratio() > 1.3 * ratio(photons=0.1)
    assert ratio() > 1.2 * ratio(radius_mm=5.0)
    assert ratio() > 1.5 * ratio(density="ground glass")  # type: ignore[arg-type]


def test_a_nodule_in_fluid_leaves_no_pixel_and_has_no_mark() -> None:
    film = marked(nodules=(nodule(-0.5, 0.35, 6.0),), effusions=(Effusion("right", 0.8, 0.1),))
    assert only(film, "Effusion").contrast_to_noise > 1


def test_contrast_to_noise_is_contrast_over_what_varies_around() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:80, :80]
    mask = (x - 40) ** 2 + (y - 40) ** 2 < 100
    field = np.ones_like(mask)
    noise = rng.normal(0, 0.02, size=mask.shape)
    slow = 0.2 + 0.003 * x - 0.002 * y + 0.00004 * x * y
    assert contrast_to_noise(0.1 * mask, noise + slow, mask, field) == pytest.approx(5, rel=0.1)
    assert contrast_to_noise(-0.1 * mask, noise + slow, mask, field) == pytest.approx(5, rel=0.1)
    assert contrast_to_noise(0.1 * mask, 2 * noise + slow, mask, field) == pytest.approx(2.5, rel=0.1)
    assert contrast_to_noise(0 * mask, noise + slow, mask, field) == 0
    assert contrast_to_noise(0.1 * mask, noise + slow, mask, mask) == 0  # no ring


def test_subtlety_follows_from_contrast_and_size() -> None:
    assert subtlety_of(0.0, 30.0) == "invisible"
    assert [subtlety_of(ratio, 10.0) for ratio in (3.0, 1.3, 0.9, 0.4)] == list(SUBTLETIES)
    assert visibility(2.0, 10.0) == 2
    assert SUBTLETIES.index(subtlety_of(1.2, 5.0)) > SUBTLETIES.index(subtlety_of(1.2, 20.0))


def test_what_has_fewer_than_three_pixels_on_a_side_is_invisible() -> None:
    patient, exposure = healthy()
    patient = replace(patient, nodules=(nodule(-0.5, -0.15, 5.0, calcium=1.0),))
    coarse, fine = (only(render_marked(patient, exposure, size_px), "Nodule") for size_px in (72, 128))
    size_mm = 10 * exposure.field * patient.lung_height / 72 * float(np.sqrt(coarse.mask.sum()))
    assert min(coarse.mask.any(axis=0).sum(), coarse.mask.any(axis=1).sum()) == 1
    assert subtlety_of(coarse.contrast_to_noise, size_mm) == "obvious", "but for its box"
    assert coarse.subtlety == "invisible"
    assert fine.subtlety == "obvious"


@pytest.mark.slow
def test_nodules_are_from_obvious_to_invisible() -> None:
    found = []
    for seed in range(60):
        rng = np.random.default_rng([9, seed])
        patient, exposure = draw_patient_with(rng, ["Nodule"]), draw_adult_exposure(rng)
        found += [mark.subtlety for mark in render_marked(patient, exposure, 160).marks]
    for subtlety in SUBTLETIES:
        assert 0.1 < found.count(subtlety) / len(found) < 0.45, subtlety


def test_the_right_and_lower_edge_of_a_box_are_the_first_outside() -> None:
    mask = np.zeros((6, 8), dtype=bool)
    mask[2:4, 3:7] = True
    assert box_of(mask) == (3, 2, 7, 4)
    with pytest.raises(ValueError, match="A mask without any pixel has no box"):
        box_of(np.zeros((3, 3), dtype=bool))


def test_a_film_without_size_is_refused() -> None:
    with pytest.raises(ValueError, match="size_px must be at least 1, but is 0"):
        render_marked(*healthy(), 0)
