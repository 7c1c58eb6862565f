"""The explorer of pulse sequences: what a learner chooses changes the slice, the bars and the words."""

import sys

import numpy as np
import pytest

from course_lib.figures.widgets.sequence_explorer import draw_sequence, sequence_explorer
from course_lib.modalities.simulated_head import Tissue
from course_lib.modalities.simulated_head.sequences import SEQUENCES
from tests.counted import count_calls

TISSUES = (Tissue.AIR, Tissue.CSF, Tissue.GREY, Tissue.WHITE, Tissue.MENINGIOMA)
SLICE = np.random.default_rng(0).choice(TISSUES, (128, 128)).astype(np.uint8)


def test_the_sequence_every_time_and_the_agent_change_the_picture_and_its_words() -> None:
    explorer = sequence_explorer(SLICE)
    name, *times, agent, shown = explorer.children
    assert [slider.description for slider in times] == ["TR, ms", "TE, ms", "TI, ms"]
    for control, value in ((name, "FLAIR"), *((slider, 0.9 * slider.value) for slider in times), (agent, True)):
        before, words = shown.value, repr(explorer)
        control.value = value
        assert shown.value.split("src=")[1] != before.split("src=")[1]
        assert repr(explorer) != words
    assert "FLAIR, TR 3,600 ms, TE 81 ms, TI 1,530 ms, with contrast agent" in repr(explorer)
    assert "meningioma" in repr(explorer)


def test_a_time_that_a_sequence_does_not_have_changes_only_the_words() -> None:
    picture, words = draw_sequence(SLICE, "spoiled gradient echo", 25, 90, 1700, agent=False)
    other, others = draw_sequence(SLICE, "spoiled gradient echo", 25, 90, 1800, agent=False)
    assert (picture == other).all()
    assert words.endswith("Not used by a spoiled gradient echo: TE (90 ms) and TI (1,700 ms).")
    assert others != words


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_every_picture_has_the_same_size(sequence: str) -> None:
    shapes = {draw_sequence(SLICE, sequence, tr, 90, 1700, agent=True)[0].shape for tr in (50, 9000)}  # type: ignore[arg-type]
    assert shapes == {(280, 660, 3)}


def test_times_that_do_not_fit_give_a_black_picture_and_say_why() -> None:
    picture, words = draw_sequence(SLICE, "FLAIR", 1000, 90, 1700, agent=False)
    assert not picture.any()
    assert words.startswith("TE + TI of this FLAIR is 1,790 ms, which does not fit into a TR of 1,000 ms.")


def test_a_move_of_a_slider_draws_the_picture_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = count_calls(monkeypatch, sys.modules[draw_sequence.__module__], "pixels_of")
    explorer = sequence_explorer(SLICE)
    assert len(drawn) == 1
    explorer.children[2].value = 20
    assert len(drawn) == 2
