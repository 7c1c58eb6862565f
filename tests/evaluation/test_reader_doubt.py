"""Doubt: highest where it should be, held beside what the border and the size say without a model."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from course_lib.evaluation.intervals import bootstrap_interval, compare
from course_lib.evaluation.reader_doubt import ReadNodules, by_nodule, disagreement, disagreement_auroc, entropy
from course_lib.evaluation.segmentation import ImageScores
from tests.evaluation.made_readers import SIDE, read, square

NOTHING = square(0)


def test_entropy_is_a_bit_at_a_half_and_nothing_where_all_is_certain() -> None:
    bits = entropy(np.array([0.0, 0.25, 0.5, 0.75, 1.0], np.float32))
    assert bits.tolist() == pytest.approx([0, 0.8112781, 1, 0.8112781, 0])


def test_readers_disagree_where_some_of_them_marked_but_not_all() -> None:
    marks = np.stack([square(4), square(2), square(2)])
    assert np.array_equal(disagreement(marks), (square(4) - square(2)) == 1)
    assert np.array_equal(disagreement(np.stack([square(4), NOTHING])), square(4) == 1)
    assert not disagreement(marks[:1]).any()


def test_the_auroc_is_1_for_who_doubts_where_readers_do_and_a_half_for_who_never_does() -> None:
    marks = [[square(4), square(2)], [square(2), square(2)]]
    votes = 0.5 * square(4) + 0.5 * square(2)
    model, border = disagreement_auroc(read(marks, [votes, square(2)]))
    assert model.files == border.files == ("0.png",)
    assert model.mean() == 1
    certain, _ = disagreement_auroc(read(marks, [square(4), square(2)]))
    assert certain.mean() == 0.5


def test_the_auroc_is_that_of_scikit_learn_and_its_baseline_is_nearness_to_the_models_own_border() -> None:
    found = np.random.default_rng(0).random((SIDE, SIDE)).astype(np.float32)
    predictions = read([[square(4), square(2)]], [found])
    model, _ = disagreement_auroc(predictions)
    disputed = disagreement(predictions.marks[0]).ravel()
    assert model.mean() == pytest.approx(roc_auc_score(disputed, entropy(found).ravel()))
    # The border of an outline of 3 px lies between marks of 2 and of 4 px: all that is disputed is nearest to it.
    _, border = disagreement_auroc(read([[square(4), square(2)]], [square(3)]))
    assert border.mean() == 1
    _, empty = disagreement_auroc(read([[square(4), square(2)]], [NOTHING]))
    assert empty.mean() == 0.5
    assert compare(model, border, ImageScores.mean, resamples=10).difference == pytest.approx(model.mean() - 1)


def test_without_disagreement_there_is_nothing_to_doubt() -> None:
    for marks in ([[square(2), square(2)]], [[square(2)]], [[NOTHING, NOTHING]]):
        with pytest.raises(ValueError, match="In none of 1 images do the"):
            disagreement_auroc(read(marks))


def test_a_nodule_is_all_its_slices_and_one_that_no_one_marked_is_left_out() -> None:
    marks = [[square(4), square(2)], [square(2), square(2)], [NOTHING, NOTHING], [square(3), NOTHING]]
    found = [0.5 * square(4), square(2), NOTHING, NOTHING]
    nodules = by_nodule(read(marks, found, patients=["a"] * 3 + ["b"], nodules=["a0", "a0", "a1", "b0"]))
    assert nodules.files == ("a0", "b0")
    assert nodules.patients.tolist() == ["a", "b"]
    assert nodules.disagreement.tolist() == pytest.approx([12 / 20, 1])
    assert nodules.doubt.tolist() == pytest.approx([16 / (16 + 4), 0])  # who expects nothing has no doubt
    assert nodules.size.tolist() == pytest.approx([14, 4.5])
    with pytest.raises(ValueError, match="No reader marked anything in 1 images"):
        by_nodule(read([[NOTHING, NOTHING]]))


@pytest.mark.parametrize("background", [0, 1e-6, 1e-3])
def test_a_faint_background_leaves_the_order_of_the_doubts(background: float) -> None:
    """The first is passed over with certainty, the second found with certainty, the third half believed."""
    found = [NOTHING, square(4), 0.5 * square(4)]
    marks = [[square(4), square(2)]] * 3
    nodules = by_nodule(read(marks, [np.where(each, each, background) for each in found]))
    assert nodules.doubt.tolist() == [0, 0, 1]


def test_two_patients_may_have_nodules_of_the_same_name() -> None:
    nodules = by_nodule(read([[square(4)], [square(2)]], patients=["a", "b"], nodules=["nodule-0", "nodule-0"]))
    assert nodules.patients.tolist() == ["a", "b"]
    assert nodules.size.tolist() == [16, 4]


def test_the_rank_correlation_is_that_of_scipy_and_smallness_is_its_baseline() -> None:
    rng = np.random.default_rng(0)
    names = tuple(str(number) for number in range(20))
    nodules = ReadNodules(rng.random(20), rng.random(20), rng.integers(1, 9, 20).astype(float), np.array(names), names)
    assert nodules.rank_correlation() == pytest.approx(spearmanr(nodules.doubt, nodules.disagreement).statistic)
    expected = spearmanr(-nodules.size, nodules.disagreement).statistic
    assert nodules.rank_correlation_of_size() == pytest.approx(expected)
    as_readers = replace(nodules, doubt=nodules.disagreement**3)
    assert as_readers.rank_correlation() == pytest.approx(1)
    low, high = bootstrap_interval(as_readers, ReadNodules.rank_correlation, resamples=50)
    assert (low, high) == pytest.approx((1, 1))


def test_where_all_nodules_are_equal_the_correlation_does_not_exist() -> None:
    nodules = by_nodule(read([[square(4), square(2)], [square(3), NOTHING]], [0.5 * square(4), 0.5 * square(3)]))
    assert np.isnan(nodules.take(np.array([0, 0])).rank_correlation_of_size())
    assert np.isnan(nodules.take(np.array([1, 1])).rank_correlation())
