"""The studies of nodules in simulated CT: what each network sees and learns, and what is measured of it."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt
from torch.nn import functional as F

from course_lib.authoring.studies import nodule_dimensions, nodule_losses, nodule_readers, outlines
from course_lib.authoring.studies.nodule_dimensions import NETWORKS, Nodules
from course_lib.authoring.studies.nodule_losses import LOSSES, NOTHING, SAMPLINGS, Chests, InTiles, Minimised
from course_lib.authoring.studies.nodule_readers import MAJORITY, READER, VOTES, Crops
from course_lib.authoring.studies.outlines import InMemory, judged, sample_of, scores_of, sized_nodule
from course_lib.data.course_data import CourseData
from course_lib.data.samples import LabelledImage
from course_lib.evaluation.readers import MARKED
from course_lib.evaluation.segmentation import SegmentationPredictions
from course_lib.evaluation.studies import Row
from course_lib.modalities.simulated_chest.people import draw_patient
from course_lib.tasks.reader_outlines import ReaderOutlines
from course_lib.tasks.segmentation import SMOOTHING, Segmentation, dice_of_probabilities

NO_DATA = CourseData[LabelledImage]("None", True, (), (), (), (), "", None)  # they make their own
FEW_CHESTS = Chests(learned=3, validation=2, test=3, through=3, elsewhere=1, pixels=64, rows=48)
FEW_NODULES = Nodules(learned=4, validation=2, test=3, slices=12, pixels=48)
FEW_CROPS = Crops(learned=4, validation=4, test=6, pixels=32)


def slices(count: int = 4, side: int = 24) -> InMemory[SegmentationPredictions]:
    """Slices with one marked pixel each, but for the last, which has none; the image shows where it is."""
    targets = torch.zeros(count, side, side, dtype=torch.uint8)
    for number in range(count - 1):
        targets[number, 3 + number, 20 - number] = 1
    samples = [sample_of(f"patient {number}") for number in range(count)]
    return InMemory(samples, targets[:, None].float(), targets, Segmentation(MARKED))


def numbers_of(row: Row) -> list[float]:
    return [float(value) for value in row.values()]


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module, name, few in (
        (nodule_losses, "CHESTS", FEW_CHESTS),
        (nodule_dimensions, "NODULES", FEW_NODULES),
        (nodule_readers, "CROPS", FEW_CROPS),
    ):
        monkeypatch.setattr(module, name, few)
        monkeypatch.setattr(module, "SEEN", 1)
        if hasattr(module, "_learning_rate"):
            module._learning_rate.cache_clear()
    monkeypatch.setattr(outlines, "UNFINISHED", tmp_path)
    monkeypatch.setattr(outlines, "LEARNING_RATES", (1e-3,))
    monkeypatch.setattr(outlines, "RESAMPLES", 20)


def test_a_window_is_cut_out_of_image_and_target_alike() -> None:
    part = slices().with_(window=(8, 8), flips=(-1, -2))
    for _ in range(20):
        images, targets = part.batch(torch.arange(4))
        assert images.shape == (4, 1, 8, 8)
        assert torch.equal(images[:, 0], targets.float())
        assert targets.dtype == torch.int64


def test_an_aimed_window_holds_a_marked_pixel_at_any_place_in_it() -> None:
    aimed = slices().with_(window=(8, 8), aimed=(True,) * 4)
    places = set()
    for _ in range(60):
        targets = aimed.batch(torch.arange(4))[1]
        assert targets.flatten(1).sum(dim=1).tolist() == [1, 1, 1, 0]
        places |= {tuple(place) for place in targets[1].nonzero().tolist()}
    assert len(places) > 15
    blind = aimed.with_(aimed=(False,) * 4)
    assert 0 < sum(int(blind.batch(torch.arange(4))[1].sum()) for _ in range(60)) < 120


def test_without_a_window_images_are_as_they_are() -> None:
    whole = slices()
    images, targets = whole.take([2, 0]).batch(torch.tensor([0, 1]))
    assert torch.equal(images, whole.images[[2, 0]])
    assert torch.equal(targets, whole.targets[[2, 0]].long())
    assert whole.take([2, 0]).patients == ["patient 2", "patient 0"]


def test_the_content_is_another_one_for_other_pixels_or_windows() -> None:
    first, second = slices(), slices()
    assert first.content == second.content
    second.images[0, 0, 0, 0] = 0.5
    assert first.content != second.content
    assert first.content != first.with_(window=(8, 8)).content


def test_a_gain_is_measured_on_the_images_that_have_the_number() -> None:
    samples = [sample_of(f"patient {number}") for number in range(4)]
    ours = scores_of(np.array([0.9, np.nan, 0.7, 0.8]), samples)
    others = scores_of(np.array([0.6, np.nan, 0.4, 0.5]), samples)
    row = judged("", ours, others)
    assert row[""] == pytest.approx(0.8)
    assert [row["gain"], row["gain_low"], row["gain_high"]] == pytest.approx([0.3] * 3)
    assert 0.699 < row["low"] < 0.8 < row["high"] < 0.901
    assert judged("found", ours).keys() == {"found", "found_low", "found_high"}


def test_a_nodule_has_the_size_that_is_wanted_or_none_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    patient = draw_patient(rng, "normal", adult=True)
    assert 8 <= 2 * sized_nodule(rng, patient, 8, 14).radius_mm <= 14
    monkeypatch.setattr(outlines, "MOST_TRIES", 10)
    with pytest.raises(RuntimeError, match="none has 40 to 50 mm"):
        sized_nodule(rng, patient, 40, 50)


def test_both_losses_are_the_sum_of_the_two_and_dice_is_one_number_of_the_batch() -> None:
    output = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    targets = torch.zeros(2, 1, 16, 16, dtype=torch.uint8)
    targets[0, 0, 4:7, 4:7] = 1
    targets[1, 0, 2:14, 2:14] = 1
    entropy, overlap, both = (Minimised(by=loss).loss(output, targets).item() for loss in LOSSES)
    assert both == pytest.approx(entropy + overlap)
    assert entropy == pytest.approx(F.binary_cross_entropy_with_logits(output, targets.float()).item())
    flat = dice_of_probabilities(output.sigmoid().reshape(1, 1, -1), targets.float().reshape(1, 1, -1))
    assert overlap == pytest.approx(1 - flat.item())
    of_images = dice_of_probabilities(output.sigmoid(), targets.float())
    assert abs(overlap - (1 - of_images.mean().item())) > 0.05
    assert entropy != pytest.approx(overlap)


def test_an_image_without_a_nodule_hardly_counts_for_the_dice_of_a_batch() -> None:
    targets = torch.zeros(2, 1, 16, 16, dtype=torch.uint8)
    targets[0, 0, 4:7, 4:7] = 1
    right = 20.0 * (2 * targets.float() - 1)
    speck = right.clone()
    speck[1, 0, 0, 0] = 20
    loss = Minimised(by="Dice").loss
    assert loss(right, targets).item() == pytest.approx(0, abs=1e-4)
    assert loss(speck, targets).item() == pytest.approx(1 - (18 + SMOOTHING) / (19 + SMOOTHING), abs=1e-4)
    assert ReaderOutlines(0).loss(speck, targets).item() > 3 * loss(speck, targets).item()
    assert loss(right[1:], targets[1:]).item() == pytest.approx(0, abs=1e-4)
    assert loss(speck[1:], targets[1:]).item() == pytest.approx(1 - SMOOTHING / (1 + SMOOTHING), abs=1e-4)


def test_tiles_of_the_size_of_a_patch_cover_the_whole_slice() -> None:
    seen = []

    class Same(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(tuple(images.shape))
            return 2 * images

    images = torch.randn(2, 1, 96, 128, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(InTiles(Same(), 32)(images), 2 * images)
    assert seen == [(2 * 5 * 7, 1, 32, 32)]
    assert torch.equal(InTiles(Same(), 32)(images[..., :32, :32]), 2 * images[..., :32, :32])


def test_a_false_alarm_is_a_spot_that_touches_no_nodule() -> None:
    true, found = np.zeros((2, 16, 16), np.bool_)
    true[4:7, 4:7] = True
    assert nodule_losses._of_slice(found, true) == (0, 0, 0, 1 - 9 / 256)
    found[5:9, 5:9] = True
    overlap, touched, alarm, _ = nodule_losses._of_slice(found, true)
    assert (overlap, touched, alarm) == (8 / 25, 1, 0)
    found[12, 12] = True
    assert nodule_losses._of_slice(found, true)[2] == 1
    assert math.isnan(nodule_losses._of_slice(found, np.zeros_like(true))[0])


def test_a_part_of_a_stack_may_cut_its_nodule_and_who_marks_nothing_has_none_of_it() -> None:
    marks = torch.zeros(12, 16, 64, 64, dtype=torch.uint8)
    marks[:, 5:11, 29:35, 29:35] = 1
    samples = [sample_of(f"patient {number}") for number in range(12)]
    whole = InMemory(samples, marks[:, None].float(), marks, Segmentation(MARKED))
    parts = nodule_dimensions._cut(whole)
    assert parts.images.shape == (12, 1, *nodule_dimensions.WINDOW)
    assert torch.equal(parts.images[:, 0], parts.targets.float())
    assert torch.equal(parts.images, nodule_dimensions._cut(whole).images)
    sizes = parts.targets.flatten(1).sum(dim=1)
    assert 0 < int(sizes.min()) < 6**3
    assert len({tuple(part.nonzero()[0].tolist()) for part in parts.targets}) > 6
    nothing = nodule_dimensions.nothing_marked(parts)
    assert nodule_dimensions._measured(nothing).tolist() == [[0, 0]] * 12
    assert nodule_dimensions._measured(replace(nothing, predicted=nothing.true)).tolist() == [[1, 0]] * 12
    true = nothing.true[0]
    speck = true.copy()
    far = np.unravel_index(distance_transform_edt(true == 0).argmax(), true.shape)
    speck[far] = 1
    dice, alarms = nodule_dimensions._measured(replace(nothing, predicted=(speck, *nothing.true[1:])))[0]
    assert (dice, alarms) == (pytest.approx(2 * true.sum() / (2 * true.sum() + 1)), 1)


def test_patches_are_as_many_pixels_as_whole_slices() -> None:
    usual = Chests()
    assert usual.rows * usual.pixels == nodule_losses.PATCHES * nodule_losses.PATCH**2


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_sees_the_slices_that_it_should(network: str) -> None:
    model = nodule_dimensions.build(network).eval()
    stack = torch.randn(1, 1, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    other = stack.clone()
    other[:, :, 8] += 1
    with torch.inference_mode():
        answers = model(torch.cat([stack, other]))
    assert answers.shape == (2, 2, 16, 8, 8)
    changed = (answers[0] != answers[1]).flatten(2).any(dim=2).any(dim=0).nonzero().flatten().tolist()
    assert changed == {"2-D": [8], "2.5-D": [7, 8, 9]}.get(network, list(range(16)))


@pytest.mark.slow
@pytest.mark.usefixtures("cheap")
def test_losses_are_compared_on_the_same_slices() -> None:
    learned, _, test = nodule_losses.make_slices(FEW_CHESTS)
    assert learned.images.shape[1:] == (1, 48, 64)
    assert -1 <= learned.images.min() < -0.9
    assert learned.images.max() <= 1
    assert not set(learned.patients) & set(test.patients)
    assert 0 < test.targets.flatten(1).any(dim=1).sum() < len(test)
    patches, epochs = nodule_losses.slices_to_learn("patches")
    assert epochs == nodule_losses.slices_to_learn("whole slices")[1]
    assert len(patches) == len(learned) * nodule_losses.PATCHES
    assert sum(patches.aimed) == len(patches) / 2
    cases = nodule_losses.cases(NO_DATA)
    assert len(cases) == 1 + len(nodule_losses.SEEDS) * len(LOSSES) * len(SAMPLINGS)
    nothing, usual = (nodule_losses.measure(NO_DATA, case) for case in cases[:2])
    assert (nothing["dice"], nothing["nodules_found"], nothing["slices_with_a_false_alarm"]) == (0, 0, 0)
    assert 99 < float(nothing["right_pixels_in_percent"]) < 100
    assert cases[0]["loss"] == NOTHING
    assert usual["gain"] == 0
    assert all(math.isfinite(number) for number in numbers_of(usual))


@pytest.mark.slow
@pytest.mark.usefixtures("cheap")
def test_networks_are_compared_with_2d_on_the_same_nodules() -> None:
    learned, _, test = nodule_dimensions.make_stacks(FEW_NODULES)
    assert learned.images.shape[2:] == (12, 48, 48)
    assert test.images.shape[2:] == nodule_dimensions.WINDOW
    assert all(test.targets.flatten(1).any(dim=1))
    cases = nodule_dimensions.cases(NO_DATA)
    assert cases[0]["network"] == nodule_dimensions.NOTHING
    nothing, flat, _, deep = (nodule_dimensions.measure(NO_DATA, case) for case in cases[:4])
    assert (nothing["dice"], nothing["false_alarms"], nothing["weights"]) == (0, 0, 0)
    assert float(nothing["gain"]) == pytest.approx(-float(flat["dice"]))
    assert flat["gain"] == 0
    assert float(deep["gain"]) == pytest.approx(float(deep["dice"]) - float(flat["dice"]))
    assert int(deep["weights"]) > 2 * int(flat["weights"])
    assert all(math.isfinite(number) for number in numbers_of(deep))


@pytest.mark.slow
@pytest.mark.usefixtures("cheap")
def test_what_is_learned_from_readers_is_compared_on_the_same_slices() -> None:
    made = nodule_readers.make_crops(FEW_CROPS)
    assert made.test.targets.shape[1:] == (4, 32, 32)
    assert made.test.targets.dtype == torch.uint8
    assert len(made.truth) == len(made.learned) + len(made.validation) + len(made.test)
    votes, usual = (nodule_readers.measure(NO_DATA, {"learned": name, "seed": 0}) for name in (VOTES, MAJORITY))
    assert usual["gain"] == usual["dice_against_truth_gain"] == usual["auroc_of_doubt_gain"] == 0
    assert float(votes["gain"]) == pytest.approx(float(votes["dice"]) - float(usual["dice"]))
    reader = nodule_readers.measure(NO_DATA, {"learned": READER, "seed": 1})
    assert reader["auroc_of_doubt"] == 0.5
    assert float(reader["dice"]) > float(reader["dice_against_the_other_readers"]) - 0.2
    assert all(math.isfinite(number) for row in (votes, usual, reader) for number in numbers_of(row))


def test_each_seed_has_another_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    learned = []
    made = nodule_readers.Made(slices(), slices(), slices(), {})  # type: ignore[arg-type]

    def numbers_after(_: object, parts: tuple[nodule_readers.Slices, ...], *__: object) -> object:
        learned.append(parts[0].task)
        return np.zeros((1, 1)), np.zeros((1, 1))

    monkeypatch.setattr(nodule_readers, "numbers_after", numbers_after)
    monkeypatch.setattr(nodule_readers, "make_crops", lambda _: made)
    for name, seed in (("one reader", 0), ("one reader", 3), (VOTES, 1)):
        nodule_readers._answers(name, seed)
    assert learned == [ReaderOutlines(0), ReaderOutlines(3), ReaderOutlines("votes")]
