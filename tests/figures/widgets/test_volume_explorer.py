"""The explorer of a volume: sliders move the planes, their greys and their words."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from course_lib.figures.plane_pictures import OUTLINES, outlines_of
from course_lib.figures.planes import LETTER_PX, PLANES, pixels_per_mm, upright
from course_lib.figures.widgets.volume_explorer import LINE_PX, draw_volume, volume_viewer
from tests.counted import seconds_of
from tests.figures.made_volumes import AFFINE, LABELS, MARK_MM, head, mask, store


def test_every_slider_changes_the_picture_and_its_words() -> None:
    explorer = volume_viewer(head(), AFFINE, mask=mask(), labels=LABELS)
    *sliders, shown = explorer.children
    assert [slider.description for slider in sliders] == [
        "x, right, mm",
        "y, anterior, mm",
        "z, superior, mm",
        "window, centre",
        "window, width",
        "outlines",
    ]
    for slider in sliders[:-1]:
        before, words = shown.value, repr(explorer)
        slider.value += slider.step if slider.value < slider.max else -slider.step
        assert shown.value.split("src=")[1] != before.split("src=")[1]
        assert repr(explorer) != words
    before = shown.value
    sliders[-1].value = False
    assert shown.value != before


def test_the_words_say_where_the_crosshair_is_and_what_is_there() -> None:
    values, affine = store(head(), (2, 0, 1), (True, False, True))
    volume = upright(values, affine, store(mask(), (2, 0, 1), (True, False, True))[0])
    structures = outlines_of([volume], LABELS)
    assert draw_volume(volume, structures, *MARK_MM, centre=1, width=2)[1] == (
        "The crosshair is at x 3, y 7.5, z 6 mm, voxel [1, 9, 2], in no outline, where the value is 2. Axial, coronal "
        "and sagittal plane, in radiological convention: the patient's right is on the left. Grey goes from 0 (black) "
        "to 2 (white)."
    )
    assert "in front, where the value is 1" in draw_volume(volume, structures, -3, 2, -1, centre=1, width=2)[1]
    assert "voxel [1, 9, 2], where" in draw_volume(upright(values, affine), {}, *MARK_MM, centre=1, width=2)[1]


@pytest.mark.parametrize(("order", "mirrored"), [((0, 1, 2), (False,) * 3), ((1, 2, 0), (True, False, True))])
def test_the_bright_voxel_is_drawn_to_the_right_in_front_and_above(
    order: tuple[int, ...], mirrored: tuple[bool, ...]
) -> None:
    volume = upright(*store(head(), order, mirrored))
    picture, _ = draw_volume(volume, {}, *MARK_MM, centre=1.5, width=1)
    cuts = [volume.cut(plane, volume.voxel(MARK_MM)) for plane in PLANES]
    scale, left = pixels_per_mm([cuts]), 0
    for cut in cuts:
        tall, wide = (round(mm * scale) for mm in cut.size_mm)
        top = picture.shape[0] - max(round(one.size_mm[0] * scale) for one in cuts) - LETTER_PX
        panel = picture[top : top + tall, left + LETTER_PX : left + LETTER_PX + wide]
        rows, columns = np.nonzero((panel == 255).all(axis=2))
        assert rows.max() < tall / 2
        assert columns.max() < wide / 2
        assert (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1) == tuple(
            pytest.approx(mm * scale, abs=1) for mm in cut.pixel_mm
        )
        left += wide + 2 * LETTER_PX


def test_the_letters_stand_at_the_edges_of_their_sides() -> None:
    side = 40
    picture, _ = draw_volume(upright(np.zeros((side,) * 3), np.eye(4)), {}, 20, 20, 20, centre=1, width=2)
    wide = (picture.shape[1] - 6 * LETTER_PX) // 3 + 2 * LETTER_PX  # of a plane with its letters
    panels = [picture[LINE_PX:, left : left + wide].max(axis=2) for left in (0, wide, 2 * wide)]
    axial, coronal, sagittal = ([_trimmed(margin) for margin in _margins(panel)] for panel in panels)
    left, right, top, bottom = range(4)
    for one, other in (
        (axial[left], coronal[left]),  # R
        (axial[right], coronal[right]),  # L
        (axial[top], sagittal[left]),  # A
        (axial[bottom], sagittal[right]),  # P
        (coronal[top], sagittal[top]),  # S
        (coronal[bottom], sagittal[bottom]),  # I
    ):
        np.testing.assert_array_equal(one, other)
    ink = [int(glyph.sum()) for glyph in (axial[left], axial[right], coronal[bottom])]
    assert ink == sorted(ink, reverse=True)  # an R has more than an L, and an I the least


def _margins(panel: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    return panel[:, :LETTER_PX], panel[:, -LETTER_PX:], panel[:LETTER_PX], panel[-LETTER_PX:]


def _trimmed(margin: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = np.nonzero(margin > 60)
    return margin[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def test_outlines_are_drawn_in_their_colours_or_left_out() -> None:
    volume = upright(head(), AFFINE, mask())
    structures = outlines_of([volume], LABELS)
    for outlined in (True, False):
        picture, _ = draw_volume(volume, structures, -3, 0, -3, centre=1, width=2, outlined=outlined)
        for color, *_ in OUTLINES[:2]:
            pixels = np.multiply(to_rgb(color), 255).astype(np.uint8)
            planes = picture[LINE_PX:-LINE_PX]  # without the names, which have the same colours
            assert ((planes == pixels).all(axis=2).sum() > 20) == outlined


def test_a_place_outside_is_taken_to_the_border() -> None:
    volume = upright(head(), AFFINE)
    assert "x 5, y -12, z 0 mm" in draw_volume(volume, {}, 99, -99, 0, centre=1, width=2)[1]


def test_a_volume_of_one_slice_has_sliders_that_can_be_shown() -> None:
    explorer = volume_viewer(head()[:, :, 4:5], AFFINE)
    assert all(slider.min < slider.max for slider in explorer.children[:-1])
    assert all(slider.min <= slider.value <= slider.max for slider in explorer.children[:-1])


def test_a_head_is_drawn_anew_in_less_time_than_it_was_prepared() -> None:
    size = (160, 192, 160)
    values = np.random.default_rng(0).random(size, dtype=np.float32)
    marked = np.zeros(size, np.uint8)
    marked[40:80, 40:80, 40:80] = 1
    explorers = []
    prepared = seconds_of(lambda: explorers.append(volume_viewer(values, np.eye(4), mask=marked)))
    slider = explorers[0].children[0]
    assert seconds_of(lambda: setattr(slider, "value", slider.value + 1)) < 0.6 * prepared  # usually a quarter
