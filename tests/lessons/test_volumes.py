"""Lesson 09: the six rooms are wrong as they say and can be repaired, and the answers agree with the libraries."""

from typing import Any

import nibabel
import numpy as np
import pytest
import torch
import torchio
from scipy import stats

from course_lib.exercises.judging import judge
from course_lib.lessons.volumes import (
    LESSON,
    axis_codes,
    faults,
    halve_labels,
    megabytes,
    patch_starts,
    to_ras,
    usual_outline,
    voxel_to_world,
    z_score,
)
from course_lib.lessons.volumes import escape_room as escape
from course_lib.lessons.volumes.diagnosis import AGAINST
from course_lib.lessons.volumes.escape_room import FAULTS, ROOMS, Room, facts, facts_table, likeness, read, repaired

EXERCISES = {exercise.name: exercise for exercise in LESSON.exercises}
ROOM_OF = {fault: name for name, fault in ROOMS.items()}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Room]:
    healthy, others = escape.build_rooms(tmp_path_factory.mktemp("rooms"))
    return {room.name: room for room in (healthy, *others)}


@pytest.fixture(scope="module")
def healthy(rooms: dict[str, Room]) -> torchio.Subject:
    return read(rooms["healthy"])


# --- the escape room


def test_the_exercise_asks_for_the_faults_that_the_rooms_have() -> None:
    assert faults() == ROOMS
    assert sorted(AGAINST) == sorted(ROOMS.values()) == sorted(FAULTS)


def test_the_healthy_file_fits_itself_and_its_capsule_touches_the_right_temple(
    rooms: dict[str, Room], healthy: torchio.Subject
) -> None:
    found = likeness(healthy, healthy)
    assert (found.in_space, found.in_array, found.mask, found.capsule) == (1, 1, 1, "R")
    values, grid = healthy.image.numpy()[0], facts(rooms["healthy"])
    capsule = np.argwhere(values == escape.GREATEST)
    j, k = capsule.mean(axis=0).round().astype(int)[1:]
    skin = np.flatnonzero((values[:, j, k] > 150) & (values[:, j, k] < escape.GREATEST)).max()
    assert 0 <= capsule[:, 0].min() - skin <= 2
    assert 1 < len(capsule) * np.prod(grid.spacing_mm) / 1000 < 2  # ml
    assert values.shape[0] - 1 > capsule[:, 0].max()


def test_the_same_rooms_are_built_each_time(rooms: dict[str, Room], tmp_path_factory: pytest.TempPathFactory) -> None:
    for room in escape.build_rooms(tmp_path_factory.mktemp("again"))[1]:
        assert facts(room) == facts(rooms[room.name])
        assert torch.equal(read(room).image.data, read(rooms[room.name]).image.data)


@pytest.mark.parametrize("fault", FAULTS)
def test_only_the_right_repair_opens_a_room(fault: str, rooms: dict[str, Room], healthy: torchio.Subject) -> None:
    """Or a more general one: on a grid of its own choice, scan and mask come together, too."""
    room = rooms[ROOM_OF[fault]]
    assert not likeness(read(room), healthy).fits
    opened = {name for name in FAULTS if likeness(repaired(room, name), healthy).fits}
    assert opened == {fault} | ({escape.OBLIQUE} if fault == escape.OTHER_GRID else set())


def test_a_repair_gives_back_the_grid_and_the_values(rooms: dict[str, Room], healthy: torchio.Subject) -> None:
    for name, fault in ROOMS.items():
        scan = repaired(rooms[name], fault)
        assert np.allclose(scan.image.affine, healthy.image.affine, atol=1e-4)
        assert scan.image.shape == scan.mask.shape == healthy.image.shape
        assert set(scan.mask.data.unique().tolist()) == {0, 1, 2}
        if fault != escape.OBLIQUE:  # which has noise of its own
            assert np.abs(scan.image.numpy() - healthy.image.numpy()).max() <= 0.01


def test_what_a_fault_does_shows_in_the_array_or_in_space(rooms: dict[str, Room], healthy: torchio.Subject) -> None:
    found = {fault: likeness(read(rooms[name]), healthy) for name, fault in ROOMS.items()}
    assert (found["flipped"].capsule, found["flipped"].in_array > 0.9) == ("L", True)  # nothing else tells the sides
    assert found["axes swapped"].in_space < 0.8
    assert (found["metres"].in_space < 0.01, found["metres"].in_array) == (True, 1)
    assert (found["mask on another grid"].in_array, found["mask on another grid"].mask < 0.1) == (1, True)
    oblique = found["oblique"]
    assert (oblique.in_space > 0.95, oblique.in_array < oblique.in_space - 0.04, oblique.mask < 0.6) == (True,) * 3
    assert found["scale lost"].in_array < 0.5


def test_four_faults_show_in_the_facts_and_two_do_not(rooms: dict[str, Room]) -> None:
    told = {fault: facts(rooms[name]) for name, fault in ROOMS.items()}
    assert round(told["oblique"].tilt_degrees) == escape.TILT_DEGREES
    assert max(told["metres"].extent_mm) < 1
    assert told["scale lost"].values == pytest.approx((-30000, 20000))
    assert "value = 0.02 * stored + 600" in told["scale lost"].note
    assert told["mask on another grid"].mask_shape != told["mask on another grid"].shape
    for fault in ("flipped", "axes swapped"):
        seen = told[fault]
        assert (seen.codes, round(seen.tilt_degrees), seen.values) == ("RAS", 0, (0, escape.GREATEST))
        assert seen.mask_shape == seen.shape
        assert sorted(seen.extent_mm) == [160, 160, 192]


def test_the_table_of_facts_has_a_row_for_each_room_and_straight_columns(rooms: dict[str, Room]) -> None:
    head, *rows = facts_table(list(rooms.values())).splitlines()
    assert [row.split()[0] for row in rows] == list(rooms)
    assert all(row[head.index(title) - 1] == " " for row in rows for title in ("spacing", "tilt", "extent", "values"))
    assert "0.002 x 0.002 x 0.002" in rows[2]
    assert max(map(len, rows)) < 115


def test_an_unknown_fault_is_refused(rooms: dict[str, Room]) -> None:
    with pytest.raises(ValueError, match=r"one of flipped, axes swapped, .*, but is 'broken'"):
        repaired(rooms["A"], "broken")


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ({"A": "oblique", "B": ..., "C": ..., "D": ..., "E": ..., "F": ...}, "room B.*no answer yet"),
        ({"A": "oblique"}, "room B.*no answer yet"),
        ({"A": "tilted"}, "room A.*'tilted', which is none of the six: flipped"),
        (dict.fromkeys("ABCDEF", "metres"), "room A.*metres. Then the head would be a fifth"),
        (["oblique"], "room A.*no answer yet"),
    ],
)
def test_a_wrong_name_for_a_fault_is_met_by_what_speaks_against_it(named: object, says: str) -> None:
    text = judge(EXERCISES["faults"], named).text
    assert text.startswith("Exercise 9.5: not yet.")
    (looked_at,) = (line for line in text.splitlines() if "looked at" in line)
    (came,) = (line for line in text.splitlines() if "came" in line)
    room, words = says.split(".*")
    assert room in looked_at
    assert words in came.replace('"', "'")
    assert "oblique" not in text.replace(came, "")  # the answer is not given away


def test_rooms_without_a_name_are_not_attempted() -> None:
    assert judge(EXERCISES["faults"], dict.fromkeys("ABCDEF", ...)).outcome == "not attempted"


# --- the answers against the libraries


def drawn(name: str, seed: int) -> tuple[Any, ...]:
    return EXERCISES[name].draw(np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(20))
def test_axis_codes_are_those_of_nibabel(seed: int) -> None:
    (affine,) = drawn("axis_codes", seed)
    assert axis_codes(affine) == "".join(nibabel.orientations.aff2axcodes(affine))


@pytest.mark.parametrize("seed", range(20))
def test_to_ras_does_what_torchio_does_and_leaves_each_voxel_at_its_place(seed: int) -> None:
    values, affine = drawn("to_ras", seed)
    turned, mended = to_ras(values, affine)
    canonical = torchio.ToCanonical()(torchio.ScalarImage(tensor=torch.tensor(values)[None].float(), affine=affine))
    assert np.array_equal(turned, canonical.numpy()[0])
    assert np.allclose(mended, canonical.affine)
    assert axis_codes(mended) == "RAS"
    for value in range(values.size):
        (before,), (after,) = (np.argwhere(array == value) for array in (values, turned))
        assert np.allclose(voxel_to_world(affine, tuple(before)), voxel_to_world(mended, tuple(after)))


@pytest.mark.parametrize("seed", range(10))
def test_patches_begin_where_torchios_do(seed: int) -> None:
    side, patch, overlap = (int(number) for number in drawn("patch_starts", seed))
    subject = torchio.Subject(image=torchio.ScalarImage(tensor=torch.zeros(1, side, patch, patch)))
    sampler = torchio.GridSampler(subject, patch, (overlap, 0, 0))
    assert patch_starts(side, patch, overlap) == sampler.locations[:, 0].tolist()


@pytest.mark.parametrize("seed", range(5))
def test_resampled_volumes_take_the_memory_that_was_said(seed: int) -> None:
    _, spacing, new_spacing, _ = drawn("megabytes", seed)
    image = torchio.ScalarImage(tensor=torch.zeros(1, 10, 10, 20), affine=np.diag((*spacing, 1.0)))
    voxels = torchio.Resample(new_spacing)(image).data
    assert megabytes((10, 10, 20), spacing, new_spacing, 4) == pytest.approx(voxels.nbytes / 1e6)


def test_the_z_score_is_that_of_torchio_up_to_how_it_counts() -> None:
    values, head = drawn("z_score", 0)
    scaled = z_score(values, head)
    assert (scaled[head].mean(), scaled[head].std()) == pytest.approx((0, 1))
    image, mask = torch.from_numpy(values)[None].float(), torch.from_numpy(head)[None]
    torchios = torchio.ZNormalization.znorm(image, mask)
    assert torchios is not None
    n = head.sum()
    assert np.allclose(torchios[0].numpy() * np.sqrt(n / (n - 1)), scaled, atol=1e-5)  # torch divides by n - 1


@pytest.mark.parametrize("seed", range(10))
def test_labels_are_voted_on_as_scipy_votes(seed: int) -> None:
    (labels,) = drawn("halve_labels", seed)
    i, j, k = (side // 2 for side in labels.shape)
    blocks = labels.reshape(i, 2, j, 2, k, 2).transpose(0, 2, 4, 1, 3, 5).reshape(i, j, k, 8)
    assert np.array_equal(halve_labels(labels), stats.mode(blocks, axis=3).mode)
    maps, patient = drawn("usual_outline", seed)
    others = np.delete(np.stack(maps), patient, axis=0)
    assert np.array_equal(usual_outline(maps, patient), stats.mode(others, axis=0).mode)
