"""A claim prints what holds, and fails with the values where it does not."""

import numpy as np
import pytest

from course_lib.support.claims import ClaimError, claim


def test_a_true_claim_prints_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    claim("two is more than one", 2 > 1)
    assert capsys.readouterr().out == "✓ two is more than one\n"


def test_a_false_claim_shows_what_was_compared() -> None:
    auroc = 0.87
    with pytest.raises(ClaimError, match=r"Not true here: AUROC above 0.90\. The values were: auroc = 0.87\."):
        claim("AUROC above 0.90", auroc > 0.90)


def test_every_part_of_a_chained_comparison_is_shown() -> None:
    low, values = 3, [1, 2]
    with pytest.raises(ClaimError, match=r"low = 3, values\[0\] = 1"):
        claim("between", low < values[0] < 9)


def test_a_condition_that_is_no_comparison_is_shown_too() -> None:
    found: list[int] = []
    with pytest.raises(ClaimError, match=r"found = \[\]"):
        claim("something was found", found)


def test_several_truth_values_are_refused() -> None:
    with pytest.raises(TypeError, match=r"one truth value, but got ndarray.*\.all\(\)"):
        claim("all positive", np.array([1, -1]) > 0)


def test_nan_is_not_above_anything() -> None:
    score = float("nan")
    with pytest.raises(ClaimError, match="score = nan"):
        claim("a score", score > 0)
