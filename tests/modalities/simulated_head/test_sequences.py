"""One slice in any pulse sequence: against the equations, and in the greys that every radiologist knows."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.modalities.simulated_head import PulseSequence, Tissue, draw_exposure, sequence_picture
from course_lib.modalities.simulated_head.physics import csf_null_ms
from course_lib.modalities.simulated_head.scanner import signal
from course_lib.modalities.simulated_head.sequences import compared_signals

SLICE = np.array([[Tissue.AIR, Tissue.CSF, Tissue.GREY], [Tissue.WHITE, Tissue.GLIOMA, Tissue.FAT]], dtype=np.uint8)
T1 = PulseSequence("spin echo", 500, 15)
T2 = PulseSequence("spin echo", 4000, 90)
FLAIR = PulseSequence("FLAIR", 9000, 110, csf_null_ms(9000, 1.5))


@pytest.mark.parametrize("tissue", [Tissue.GREY, Tissue.FAT, Tissue.MENINGIOMA])
def test_a_sequence_answers_as_the_simulated_scanner_does(tissue: Tissue) -> None:
    exposure = replace(draw_exposure(np.random.default_rng(0)), dose=1.0)
    tr, te, field = exposure.t2_tr_ms, exposure.t2_te_ms, exposure.field_t
    assert PulseSequence("spin echo", tr, te, field_t=field).signal(tissue) == signal(tissue, exposure, "T2")
    tr, te, ti = exposure.flair_tr_ms, exposure.flair_te_ms, exposure.flair_ti_ms
    assert PulseSequence("FLAIR", tr, te, ti, field_t=field).signal(tissue) == signal(tissue, exposure, "FLAIR")
    for agent, contrast in ((False, "T1"), (True, "T1c")):
        echo = PulseSequence("spoiled gradient echo", exposure.t1_tr_ms, agent=agent, field_t=field)
        echo = replace(echo, flip_degrees=exposure.t1_flip_degrees)
        assert echo.signal(tissue) == signal(tissue, exposure, "T1" if contrast == "T1" else "T1c")


def test_each_sequence_shows_the_tissues_in_its_order() -> None:
    def order(sequence: PulseSequence) -> list[str]:
        signals = compared_signals(SLICE, sequence)
        return sorted(signals, key=lambda name: signals[name])

    assert order(T1) == ["CSF", "glioma", "grey matter", "white matter"]
    assert order(replace(T1, agent=True))[-1] == "glioma"
    assert order(T2) == ["white matter", "grey matter", "glioma", "CSF"]
    assert order(FLAIR) == ["CSF", "white matter", "grey matter", "glioma"]


def test_the_picture_gives_each_tissue_its_grey() -> None:
    picture = sequence_picture(SLICE, T2)
    assert picture.dtype == np.uint8
    assert picture.shape == SLICE.shape
    assert picture[0, 0] == 0
    assert picture[0, 1] == 204  # the brightest: 255 / 1.25
    assert picture[0, 2] / picture[0, 1] == pytest.approx(T2.signal(Tissue.GREY) / T2.signal(Tissue.CSF), abs=0.005)
    assert sequence_picture(SLICE, FLAIR)[0, 1] == 0
    assert sequence_picture(SLICE, T1)[1, 2] > 250  # fat


def test_a_slice_without_brain_can_not_be_compared() -> None:
    with pytest.raises(ValueError, match=r"some of glioma, .*, but it holds none\. Choose a slice through the brain"):
        sequence_picture(np.full((2, 2), Tissue.FAT, dtype=np.uint8), T1)


def test_times_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"TE \+ TI of this FLAIR is 1,790 ms, which does not fit into a TR of 1,500"):
        PulseSequence("FLAIR", 1500, 90, 1700)
    with pytest.raises(ValueError, match="ti_ms of a FLAIR must be above 0, but is 0"):
        PulseSequence("FLAIR", 9000, 90)
    with pytest.raises(ValueError, match=r"must be one of \(1.5, 3.0\) T, but is 7"):
        PulseSequence("spin echo", 500, 15, field_t=7)
    with pytest.raises(ValueError, match="Expected one of the sequences spin echo, spoiled gradient echo, FLAIR"):
        PulseSequence("T1", 500, 15)  # type: ignore[arg-type]


def test_a_sequence_says_its_times() -> None:
    assert str(T2) == "spin echo, TR 4,000 ms, TE 90 ms, without contrast agent"
    gradient = PulseSequence("spoiled gradient echo", 25, agent=True)
    assert str(gradient) == "spoiled gradient echo, TR 25 ms, flip angle 30 degrees, with contrast agent"
