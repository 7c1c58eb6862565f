"""Figures of contrast in MRI: what they draw, and what they say about it in words."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from course_lib.figures.contrast import plot_contrast
from course_lib.figures.style import text_alternative
from course_lib.modalities.simulated_head import PulseSequence, Tissue, sequence_picture

SLICE = np.array([[Tissue.CSF, Tissue.GREY], [Tissue.WHITE, Tissue.GLIOMA]], dtype=np.uint8)
T2 = PulseSequence("spin echo", 4000, 90)
FLAIR = PulseSequence("FLAIR", 9000, 110, 1704)


@pytest.fixture(autouse=True)
def closed() -> None:
    plt.close("all")


def names_of(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_bars_have_the_signals_and_the_greys_of_the_picture() -> None:
    picture, bars = plot_contrast(SLICE, T2, "T2")
    shown = np.asarray(picture.images[0].get_array())
    assert (shown == sequence_picture(SLICE, T2)).all()
    places = [(1, 1), (0, 0), (0, 1), (1, 0)]  # glioma, CSF, grey and white matter
    assert [label.get_text() for label in bars.get_yticklabels()] == ["glioma", "CSF", "grey matter", "white matter"]
    for patch, place in zip(bars.patches, places, strict=True):
        assert patch.get_width() == pytest.approx(T2.signal(Tissue(SLICE[place])))
        assert 255 * to_rgb(patch.get_facecolor())[0] == pytest.approx(shown[place], abs=0.6)


def test_curves_are_named_at_their_ends_and_meet_the_bars_at_the_line() -> None:
    _, curves = plot_contrast(SLICE, T2, "T2", along="te_ms")
    *tissues, line = curves.lines
    assert names_of(curves) == ["glioma", "CSF", "grey matter", "white matter"]
    assert line.get_xdata()[0] == 90
    for curve, tissue in zip(tissues, (Tissue.GLIOMA, Tissue.CSF, Tissue.GREY, Tissue.WHITE), strict=True):
        assert np.interp(90, *curve.get_data()) == pytest.approx(T2.signal(tissue), rel=1e-3)


def test_the_names_of_curves_that_end_close_together_stand_apart_in_their_order() -> None:
    _, curves = plot_contrast(SLICE, PulseSequence("spin echo", 1000, 20), "T1", along="tr_ms")
    ends = [float(np.asarray(line.get_ydata())[-1]) for line in curves.lines[:4]]
    heights = [text.get_position()[1] for text in curves.texts]
    assert np.argsort(heights).tolist() == np.argsort(ends).tolist()
    assert np.diff(np.sort(ends)).min() < 0.04 < np.diff(np.sort(heights)).min()
    assert np.mean(heights) == pytest.approx(np.mean(ends), abs=0.02)


def test_an_inversion_time_is_drawn_as_long_as_it_fits_into_tr() -> None:
    _, curves = plot_contrast(SLICE, PulseSequence("FLAIR", 3000, 110, 1700), "Short TR", along="ti_ms")
    assert curves.lines[0].get_xdata()[-1] == pytest.approx(3000 - 110 - 1)


def test_the_words_say_which_tissue_is_dark_and_which_two_differ_most() -> None:
    picture, _ = plot_contrast(SLICE, FLAIR, "FLAIR\n(simulated)")
    assert text_alternative(picture) == (
        "FLAIR: (simulated). A slice of a head, FLAIR, TR 9,000 ms, TE 110 ms, TI 1,704 ms, without contrast agent. "
        "Signal: glioma 0.189, CSF 0.000, grey matter 0.169, white matter 0.149. Dark: CSF. The largest difference is "
        "between glioma and CSF."
    )
    words = text_alternative(plot_contrast(SLICE, T2, "T2", along="te_ms")[0])
    assert "Signal over TE from 1 to 225 ms: glioma from 0.865 to 0.123; CSF from 0.787 to 0.398;" in words
    assert "; at 90 ms: glioma 0.399, CSF 0.600," in words
    assert "Dark" not in words


def test_a_time_that_the_sequence_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="A spin echo has tr_ms, te_ms, but not ti_ms"):
        plot_contrast(SLICE, T2, "T2", along="ti_ms")
