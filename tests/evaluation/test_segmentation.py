"""Overlap, distance and volume: against MONAI, against counting by hand, and honest about what is not there."""

import importlib
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.spatial.distance import cdist

from course_lib.evaluation.segmentation import (
    ImageScores,
    MaskMetric,
    Presence,
    SegmentationPredictions,
    dice,
    iou,
    mean_dice,
    mean_hausdorff,
    mean_iou,
    mean_surface_dice,
    per_image,
    presence,
    volume_difference_ml,
)
from course_lib.evaluation.surfaces import Mask, hausdorff_distance, image_diagonal, surface_dice, surface_distances
from tests.counted import seconds_of

# MONAI 1.6 warns about a call of its own.
pytestmark = pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")

LabelMap = NDArray[np.uint8]

LABELS = ("background", "liver", "tumour")
SHAPES = ((40, 31), (64, 64), (7, 50), (20, 24, 16), (32, 9, 32), (1, 30, 30))

sides = st.integers(1, 6)
steps = st.sampled_from([0.1, 0.5, 0.7, 1.0, 3.0])


@st.composite
def two_masks(draw: st.DrawFn) -> tuple[Mask, Mask, tuple[float, ...]]:
    shape = draw(st.tuples(sides, sides) | st.tuples(sides, sides, sides))
    masks = [draw(arrays(np.bool_, shape)) for _ in range(2)]
    return masks[0], masks[1], tuple(draw(steps) for _ in shape)


@st.composite
def any_predictions(draw: st.DrawFn) -> SegmentationPredictions:
    shapes = draw(st.lists(st.tuples(sides, sides) | st.tuples(sides, sides, sides), min_size=1, max_size=4))
    predicted, true = (
        [draw(arrays(np.uint8, shape, elements=st.integers(0, 2))) for shape in shapes] for _ in range(2)
    )
    return predictions_of(predicted, true, spacings=[tuple(draw(steps) for _ in shape) for shape in shapes])


def predictions_of(
    predicted: list[LabelMap], true: list[LabelMap], spacings: list[tuple[float, ...]] | None = None
) -> SegmentationPredictions:
    return SegmentationPredictions(
        labels=LABELS,
        predicted=tuple(predicted),
        true=tuple(true),
        spacings=tuple(spacings or [(1.0,) * image.ndim for image in true]),
        losses=np.zeros(len(true)),
        patients=np.array([f"p{i}" for i in range(len(true))]),
        files=tuple(f"{i}.nii.gz" for i in range(len(true))),
    )


def blobs(shape: tuple[int, ...], seed: int) -> tuple[Mask, Mask]:
    """Two masks of many pieces that overlap in part and touch the border."""
    rng = np.random.default_rng(seed)
    first, change = (gaussian_filter(rng.normal(size=shape), 2) for _ in range(2))
    second = first + 0.5 * change
    return first > np.quantile(first, 0.7), second > np.quantile(second, 0.75)


def block(*corners: slice, shape: tuple[int, ...] = (20, 20)) -> Mask:
    mask = np.zeros(shape, dtype=np.bool_)
    mask[corners] = True
    return mask


def monai(module: str, function: str) -> Any:
    """A function of MONAI, imported where it is asked for: that takes some seconds."""
    return getattr(importlib.import_module(f"monai.metrics.{module}"), function)


def as_monai(mask: Mask) -> torch.Tensor:
    return torch.from_numpy(mask.astype(np.float32))[None, None]


def any_spacing(shape: tuple[int, ...], seed: int) -> tuple[float, ...]:
    return tuple(np.random.default_rng(seed + 100).uniform(0.3, 5.0, len(shape)).round(2).tolist())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", SHAPES)
def test_overlap_is_monais(shape: tuple[int, ...], seed: int) -> None:
    predicted, true = blobs(shape, seed)
    assert dice(predicted, true) == pytest.approx(
        monai("meandice", "compute_dice")(as_monai(predicted), as_monai(true)).item(), rel=1e-6
    )
    assert iou(predicted, true) == pytest.approx(
        monai("meaniou", "compute_iou")(as_monai(predicted), as_monai(true)).item(), rel=1e-6
    )


@pytest.mark.slow
@pytest.mark.parametrize("percentile", [50, 95, 100])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", SHAPES)
def test_the_hausdorff_distance_is_monais(shape: tuple[int, ...], seed: int, percentile: float) -> None:
    predicted, true = blobs(shape, seed)
    spacing = any_spacing(shape, seed)
    expected = monai("hausdorff_distance", "compute_hausdorff_distance")(
        as_monai(predicted), as_monai(true), include_background=True, percentile=percentile, spacing=spacing
    )
    assert hausdorff_distance(predicted, true, spacing, percentile) == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", SHAPES)
def test_surface_dice_is_monais(shape: tuple[int, ...], seed: int) -> None:
    predicted, true = blobs(shape, seed)
    spacing = any_spacing(shape, seed)
    for tolerance in (0.0, 1.01, 3.03):
        expected = monai("surface_dice", "compute_surface_dice")(
            as_monai(predicted), as_monai(true), [tolerance], include_background=True, spacing=spacing
        )
        assert surface_dice(predicted, true, spacing, tolerance) == pytest.approx(expected.item(), rel=1e-5)


def balls(radius_mm: float, shift_mm: float, spacing: tuple[float, ...]) -> tuple[Mask, Mask]:
    """Two balls of one size, of which the second lies aside along the diagonal."""
    shape = [int(2 * (radius_mm + shift_mm) / step) + 5 for step in spacing]
    from_middle = [(np.arange(side) - (side - 1) / 2) * step for side, step in zip(shape, spacing, strict=True)]

    def ball(aside_mm: float) -> Mask:
        axes = np.meshgrid(*(axis - aside_mm for axis in from_middle), indexing="ij")
        inside: Mask = sum(axis**2 for axis in axes) <= radius_mm**2
        return inside

    return ball(0.0), ball(shift_mm / 3**0.5)


def below_the_mesh(spacing: tuple[float, ...], tolerance_mm: float) -> float:
    """How much lower surface Dice is where voxels are counted than where MONAI weighs the area of a mesh."""
    predicted, true = balls(15.0, 3.0, spacing)
    of_mesh = monai("surface_dice", "compute_surface_dice")(
        as_monai(predicted),
        as_monai(true),
        [tolerance_mm],
        include_background=True,
        spacing=spacing,
        use_subvoxels=True,
    )
    return float(of_mesh.item()) - surface_dice(predicted, true, spacing, tolerance_mm)


@pytest.mark.slow
def test_counting_voxels_is_stricter_than_the_area_of_a_mesh_and_less_so_the_finer_the_voxels() -> None:
    assert 0.10 < below_the_mesh((1.0, 1.0, 1.0), 1.5) < 0.13
    assert 0.05 < below_the_mesh((1.0, 1.0, 4.0), 1.5) < 0.10
    assert 0.03 < below_the_mesh((0.5, 0.5, 0.5), 1.5) < 0.07


def test_a_missed_part_does_not_hide_behind_a_surface_that_is_right() -> None:
    """Three definitions of HD95 on one pair: the large block is outlined, the small one, 8 % of the truth, is not."""
    spacing = (1.0, 1.0)
    large = block(slice(2, 42), slice(2, 42), shape=(100, 60))
    true = large | block(slice(90, 94), slice(2, 6), shape=(100, 60))
    forth, back = surface_distances(large, true, spacing)
    pooled = np.percentile(np.concatenate([forth, back]), 95)
    averaged = (np.percentile(forth, 95) + np.percentile(back, 95)) / 2
    ours = hausdorff_distance(large, true, spacing)
    assert pooled == 0
    assert ours == pytest.approx(2 * averaged)
    assert ours > 10
    assert hausdorff_distance(large, true, spacing, 100) == np.concatenate([forth, back]).max()


def test_the_distances_of_two_squares_are_those_worked_out_by_hand() -> None:
    true, shifted = block(slice(5, 10), slice(5, 10)), block(slice(8, 13), slice(5, 10))
    assert dice(shifted, true) == 2 * 10 / 50
    assert iou(shifted, true) == 10 / 40
    assert hausdorff_distance(shifted, true, (1, 1), 100) == 3
    assert hausdorff_distance(shifted, true, (2.5, 1), 100) == 7.5  # three rows of 2.5 mm
    assert hausdorff_distance(shifted, true, (1, 2.5), 100) == 3
    # The 16 pixels of the outline, by row: its top edge, its sides (inside, then below the true one), its bottom edge.
    forth, _ = surface_distances(shifted, true, (1, 1))
    assert forth.tolist() == [0, 1, 1, 1, 0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3]
    assert hausdorff_distance(shifted, true, (1, 1)) == 3
    assert surface_dice(shifted, true, (1, 1), 1) == 18 / 32  # 9 of 16 pixels in both directions


@settings(deadline=None, max_examples=25)
@given(two_masks())
def test_distances_are_those_of_all_pairs_of_surface_voxels(case: tuple[Mask, Mask, tuple[float, ...]]) -> None:
    predicted, true, spacing = case
    points = [np.array([index for index in np.argwhere(mask) if on_surface(mask, index)]) for mask in case[:2]]
    if not len(points[0]) or not len(points[1]):
        return
    every = cdist(points[0] * np.array(spacing), points[1] * np.array(spacing))
    forth, back = surface_distances(predicted, true, spacing)
    assert forth == pytest.approx(every.min(axis=1))
    assert back == pytest.approx(every.min(axis=0))


def on_surface(mask: Mask, index: NDArray[np.int64]) -> bool:
    """Whether a neighbour across a face, or across the border of the image, is outside."""
    padded = np.pad(mask, 1)
    around = np.concatenate([np.eye(mask.ndim, dtype=int), -np.eye(mask.ndim, dtype=int)])
    return not all(padded[tuple(index + 1 + step)] for step in around)


@settings(deadline=None, max_examples=25)
@given(two_masks())
def test_the_order_of_the_two_masks_does_not_matter(case: tuple[Mask, Mask, tuple[float, ...]]) -> None:
    first, second, spacing = case
    assert dice(first, second) == dice(second, first)
    assert iou(first, second) == iou(second, first)
    assert dice(first, second) == pytest.approx(2 * iou(first, second) / (1 + iou(first, second)))
    assert hausdorff_distance(first, second, spacing) == hausdorff_distance(second, first, spacing)
    assert surface_dice(first, second, spacing, 1.0) == surface_dice(second, first, spacing, 1.0)
    if first.ndim == 3:
        assert volume_difference_ml(first, second, spacing) == -volume_difference_ml(second, first, spacing)


@settings(deadline=None, max_examples=25)
@given(two_masks(), st.integers(0, 5), st.integers(0, 5))
def test_moving_both_masks_within_the_image_changes_nothing(
    case: tuple[Mask, Mask, tuple[float, ...]], before: int, after: int
) -> None:
    """A mask that touches the border has a surface there, as it has with room around it."""
    predicted, true, spacing = case
    if not predicted.any() or not true.any():
        return
    found, expected = (np.pad(mask, (before, after)) for mask in (predicted, true))
    assert hausdorff_distance(found, expected, spacing) == pytest.approx(hausdorff_distance(predicted, true, spacing))
    assert surface_dice(found, expected, spacing, 1.0) == surface_dice(predicted, true, spacing, 1.0)


@settings(deadline=None, max_examples=25)
@given(two_masks(), st.sampled_from([0.1, 0.3, 2.0, 7.0]))
def test_distances_grow_with_the_spacing(case: tuple[Mask, Mask, tuple[float, ...]], factor: float) -> None:
    predicted, true, spacing = case
    larger = tuple(factor * step for step in spacing)
    near, far = (hausdorff_distance(predicted, true, which) for which in (spacing, larger))
    assert far == pytest.approx(factor * near)
    assert surface_dice(predicted, true, larger, factor) == surface_dice(predicted, true, spacing, 1.0)


@settings(deadline=None, max_examples=25)
@given(two_masks())
def test_a_distance_lies_between_nothing_and_the_diagonal(case: tuple[Mask, Mask, tuple[float, ...]]) -> None:
    predicted, true, spacing = case
    distances = [hausdorff_distance(predicted, true, spacing, percentile) for percentile in (50, 95, 100)]
    assert 0 <= distances[0] <= distances[1] <= distances[2] <= image_diagonal(true.shape, spacing)
    if predicted.any() == true.any():
        assert surface_dice(predicted, true, spacing, distances[2]) == 1
    assert hausdorff_distance(true, true, spacing) == 0
    assert dice(true, true) == iou(true, true) == surface_dice(true, true, spacing, 0.0) == 1


@settings(deadline=None, max_examples=25)
@given(any_predictions())
def test_no_mean_gets_better_because_a_structure_was_missed(predictions: SegmentationPredictions) -> None:
    nothing = [np.zeros_like(image) for image in predictions.true]
    silent = predictions_of(nothing, list(predictions.true), list(predictions.spacings))
    for label in LABELS[1:]:
        where = np.array([i for i, true in enumerate(predictions.true) if (true == LABELS.index(label)).any()], int)
        if len(where):
            spoke, kept_silent = predictions.take(where), silent.take(where)
            assert mean_dice(kept_silent, label) == mean_iou(kept_silent, label) == 0 <= mean_dice(spoke, label)
            assert mean_surface_dice(kept_silent, label, tolerance_mm=1.0) == 0
            assert mean_hausdorff(kept_silent, label) >= mean_hausdorff(spoke, label)


@pytest.mark.parametrize("shape", [(20, 20), (20, 20, 4)])
def test_what_is_not_there_has_the_value_that_the_table_says(shape: tuple[int, ...]) -> None:
    spacing = (3.0, 4.0, 5.0)[: len(shape)]
    some, none = block(slice(2, 4), slice(2, 4), shape=shape), np.zeros(shape, dtype=np.bool_)
    diagonal = {2: 100.0, 3: 10400**0.5}[len(shape)]  # 60 and 80 mm, and 20 mm deep
    for predicted, true, overlap, distance in (
        (none, none, 1.0, 0.0),
        (some, none, 0.0, diagonal),
        (none, some, 0.0, diagonal),
    ):
        assert dice(predicted, true) == iou(predicted, true) == overlap
        assert surface_dice(predicted, true, spacing, 1e6) == overlap
        assert hausdorff_distance(predicted, true, spacing) == pytest.approx(distance)


@pytest.mark.slow
def test_monai_leaves_out_of_its_mean_what_ours_counts() -> None:
    some, none = block(slice(2, 4), slice(2, 4)), np.zeros((20, 20), dtype=np.bool_)
    with pytest.warns(UserWarning, match="all 0"):
        referee = monai("hausdorff_distance", "compute_hausdorff_distance")(
            as_monai(none), as_monai(some), include_background=True, percentile=95
        )
    assert not np.isfinite(referee.item())
    assert np.isfinite(hausdorff_distance(none, some, (1, 1)))


def test_a_slice_of_a_volume_is_all_surface() -> None:
    """Above and below lies the border, so nothing is inside: a 2-D image is measured as a 2-D image."""
    true, predicted = block(slice(2, 12), slice(2, 12)), block(slice(2, 12), slice(3, 13))
    assert len(surface_distances(predicted, true, (1, 1))[0]) == 36
    assert len(surface_distances(predicted[None], true[None], (5, 1, 1))[0]) == 100


def test_a_tolerance_holds_in_spite_of_rounding() -> None:
    true, predicted = block(slice(2, 3), slice(2, 3)), block(slice(5, 6), slice(2, 3))
    assert 3 * 0.1 > 0.3
    assert surface_dice(predicted, true, (0.1, 0.1), 0.3) == 1
    assert surface_dice(predicted, true, (0.1, 0.1), 0.29) == 0


def test_the_volume_difference_counts_millilitres() -> None:
    shape = (20, 20, 20)
    true, predicted = block(slice(0, 10), shape=shape), block(slice(0, 15), shape=shape)
    assert volume_difference_ml(predicted, true, (1, 1, 1)) == 2
    assert volume_difference_ml(true, predicted, (0.5, 0.5, 5.0)) == -2.5
    assert volume_difference_ml(true, ~true, (1, 1, 1)) == 0  # nothing overlaps, and the volume is right


def test_a_volume_of_64_cubed_takes_no_longer_than_a_few_maps_of_distances() -> None:
    predicted, true = (ball[:64, :64, :64] for ball in balls(27.0, 4.0, (1.0, 1.0, 1.0)))
    assert predicted.shape == (64, 64, 64)
    one_map = seconds_of(lambda: distance_transform_edt(~true))
    assert seconds_of(lambda: hausdorff_distance(predicted, true, (1, 1, 3))) < 10 * one_map  # usually less than one


def three_images() -> SegmentationPredictions:
    """Two sizes, two spacings; the liver is right, half and missed; the tumour right, invented and absent."""
    right = np.zeros((8, 8), np.uint8)
    right[:4, :4], right[4:6, :] = 1, 2
    true_half = np.zeros((4, 4, 4), np.uint8)
    true_half[:2] = 1
    half = np.zeros_like(true_half)
    half[0], half[3] = 1, 2
    missed = np.zeros((8, 8), np.uint8)
    missed[0, 0] = 1
    return predictions_of(
        [right, half, np.zeros_like(missed)], [right, true_half, missed], [(1.0, 1.0), (1.0, 1.0, 2.0), (3.0, 4.0)]
    )


def test_means_are_over_images_and_structures() -> None:
    predictions = three_images()
    liver, tumour = [1, 2 / 3, 0], [1, 0, 1]
    assert per_image(predictions, lambda p, t, _: dice(p, t)).values.T.tolist() == [liver, tumour]
    assert mean_dice(predictions, "liver") == pytest.approx(np.mean(liver))
    assert mean_dice(predictions, "tumour") == pytest.approx(np.mean(tumour))
    assert mean_dice(predictions) == pytest.approx(np.mean(liver + tumour))
    assert mean_iou(predictions, "liver") == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert mean_hausdorff(predictions, "liver") == pytest.approx((0 + 1 + 40) / 3)  # 8 x 3 and 8 x 4 mm: 40 mm
    assert mean_hausdorff(predictions, "tumour") == pytest.approx((0 + 96**0.5 + 0) / 3)  # 4, 4 and 8 mm
    assert mean_hausdorff(predictions, "liver", percentile=100) == pytest.approx((0 + 1 + 40) / 3)
    assert mean_surface_dice(predictions, "liver", tolerance_mm=1.0) == pytest.approx(2 / 3)
    assert mean_surface_dice(predictions, "tumour", tolerance_mm=0.0) == pytest.approx(2 / 3)


def test_presence_counts_the_rows_of_the_table() -> None:
    assert presence(three_images(), "liver") == Presence(found=2, missed=1, invented=0, absent=0)
    twice_invented = three_images().take(np.array([0, 1, 1, 2]))
    assert presence(twice_invented, "tumour") == Presence(found=1, missed=0, invented=2, absent=1)


def test_the_background_is_measured_only_where_it_is_named() -> None:
    predictions = three_images()
    assert per_image(predictions, hausdorff_distance).labels == LABELS[1:]
    assert 0.5 < mean_dice(predictions, "background") < 1


@settings(deadline=None, max_examples=20)
@given(any_predictions(), st.lists(st.integers(0, 3), max_size=6))
def test_measuring_first_and_drawing_then_is_the_same(predictions: SegmentationPredictions, drawn: list[int]) -> None:
    indices = np.array(drawn, dtype=np.int64) % len(predictions)
    taken = predictions.take(indices)
    assert len(taken) == len(drawn)
    assert taken.files == tuple(predictions.files[i] for i in indices)
    assert taken.measurable
    metric: MaskMetric = hausdorff_distance
    measured = per_image(predictions, metric).take(indices)
    assert measured.measurable
    assert len(measured) == len(drawn)
    assert measured.patients.tolist() == taken.patients.tolist()
    assert measured.mean() == pytest.approx(mean_hausdorff(taken), nan_ok=True)
    assert measured.mean("tumour") == pytest.approx(mean_hausdorff(taken, "tumour"), nan_ok=True)


def test_no_image_has_no_mean() -> None:
    nothing = three_images().take(np.array([], dtype=np.int64))
    assert np.isnan(mean_dice(nothing))
    assert np.isnan(ImageScores.mean(per_image(nothing, hausdorff_distance)))
    assert presence(nothing, "liver") == Presence(0, 0, 0, 0)


def test_an_unknown_structure_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"'kidney'.*background, liver, tumour"):
        mean_dice(three_images(), "kidney")
    with pytest.raises(ValueError, match="'kidney'"):
        presence(three_images(), "kidney")
    with pytest.raises(ValueError, match="'background'"):
        per_image(three_images(), hausdorff_distance, "liver").mean("background")


def test_only_a_background_is_an_error() -> None:
    empty = np.zeros((4, 4), np.uint8)
    alone = SegmentationPredictions(
        ("background",), (empty,), (empty,), ((1.0, 1.0),), np.zeros(1), np.array(["p"]), ("a.png",)
    )
    with pytest.raises(ValueError, match="nothing to measure"):
        mean_dice(alone)


def test_masks_that_do_not_fit_are_an_error() -> None:
    mask, label_map = block(slice(2, 4)), np.ones((20, 20), np.uint8)
    for metric in (dice, iou):
        with pytest.raises(ValueError, match="one shape"):
            metric(mask, mask[1:])
        with pytest.raises(ValueError, match="boolean masks, but got uint8"):
            metric(mask, label_map)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="3 axes"):
        volume_difference_ml(mask, mask, (1, 1))
    with pytest.raises(ValueError, match="percentile"):
        hausdorff_distance(mask, mask, (1, 1), 0)
    with pytest.raises(ValueError, match="tolerance"):
        surface_dice(mask, mask, (1, 1), -1)
    for spacing in ((1.0,), (1.0, 0.0), (1.0, float("nan")), (1.0, 1.0, 1.0)):
        with pytest.raises(ValueError, match="2 numbers above 0"):
            hausdorff_distance(mask, mask, spacing)


def test_predictions_that_do_not_fit_are_an_error() -> None:
    image = np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="one per file"):
        predictions_of([image, image], [image])
    with pytest.raises(ValueError, match=r"0\.nii\.gz: the predicted map"):
        predictions_of([image[1:]], [image])
    with pytest.raises(ValueError, match="2 numbers"):
        predictions_of([image], [image], [(1.0, 1.0, 1.0)])
    with pytest.raises(ValueError, match="holds 255"):
        predictions_of([image], [image + np.uint8(255)])
    with pytest.raises(ValueError, match="expected a label map of uint8, but got float64"):
        predictions_of([image + 0.5], [image])  # type: ignore[list-item]
