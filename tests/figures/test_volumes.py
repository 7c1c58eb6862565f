"""Figures of volumes: where the patient's sides are in the picture, in true proportions, and told in words."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torchio as tio
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.contour import ContourSet
from matplotlib.text import Annotation

from course_lib.figures.plane_pictures import DPI, OUTLINES, outlines_of
from course_lib.figures.planes import WIDTH_PX, upright
from course_lib.figures.style import text_alternative
from course_lib.figures.volumes import VolumeLike, compare_planes, plot_histograms, show_planes
from tests.figures.made_volumes import AFFINE, LABELS, MARK_MM, SPACING, head, mask, store


@pytest.fixture(autouse=True)
def closed() -> None:
    plt.close("all")


@pytest.mark.parametrize(
    ("order", "mirrored"), [((0, 1, 2), (False,) * 3), ((0, 1, 2), (True, True, False)), ((2, 0, 1), (True,) * 3)]
)
def test_a_bright_voxel_is_drawn_near_the_letters_of_its_sides(
    order: tuple[int, ...], mirrored: tuple[bool, ...]
) -> None:
    panels = show_planes(*store(head(), order, mirrored), MARK_MM, title="Marked", window=(0, 2))
    for axes, near, far in zip(panels, ("RA", "RS", "AS"), ("LP", "LI", "PI"), strict=True):
        pixels = np.asarray(axes.images[0].get_array())
        row, column = np.unravel_index(int(pixels.argmax()), pixels.shape)
        mark = axes.transData.transform((column, row))
        for close, distant in zip(near, far, strict=True):
            places = [axes.transAxes.transform(_letter(axes, letter)) for letter in (close, distant)]
            assert np.linalg.norm(places[0] - mark) < np.linalg.norm(places[1] - mark), (close, distant)


def _letter(axes: Axes, letter: str) -> tuple[float, float]:
    (found,) = (text for text in axes.texts if text.get_text() == letter)
    assert isinstance(found, Annotation)
    return found.xy


def test_all_planes_have_true_proportions_and_one_scale() -> None:
    panels = show_planes(*store(head(), (1, 2, 0), (False, True, False)), title="Thick slices")
    sizes = []
    for axes in panels:
        axes.apply_aspect()
        box = axes.get_window_extent()
        sizes.append((box.width, box.height))
    across, along, up = (size * step for size, step in zip(head().shape, SPACING, strict=True))
    scale = sizes[0][0] / across
    assert sizes == [pytest.approx(scale * np.array(mm)) for mm in ((across, along), (across, up), (along, up))]
    assert panels[0].get_figure().get_size_inches()[0] * DPI == WIDTH_PX


def test_the_outline_lies_where_the_mask_is() -> None:
    panels = show_planes(head(), AFFINE, title="Outlined", mask=mask(), labels=LABELS)
    contours = [part for part in panels[0].collections if isinstance(part, ContourSet)]
    assert [part.linestyles for part in contours] == [["-"], ["--"]]
    box = contours[0].get_paths()[0].get_extents()  # voxels 2 to 4 of 12 from the left end; the picture starts right
    assert (box.x0, box.x1) == (pytest.approx(11 - 4.5), pytest.approx(11 - 1.5))
    assert (box.y0, box.y1) == (pytest.approx(15 - 11.5), pytest.approx(15 - 7.5))
    (legend,) = panels[0].get_figure().legends
    assert [text.get_text() for text in legend.get_texts()] == ["front", "back"]
    assert text_alternative(panels[0]) == (
        "Outlined. 12 x 16 x 8 voxels of 1 x 1.5 x 3 mm, stored as RAS, grey from 0 (black) to 1 (white). Axial, "
        "coronal and sagittal plane through x -4, y -7.5, z -3 mm, voxel [2, 3, 3], in radiological convention: the "
        "patient's right is on the left. Outlined: front (solid orange), 0.108 ml, 3 x 6 x 6 mm; back (dashed blue), "
        "0.135 ml, 3 x 7.5 x 6 mm."
    )


def test_the_window_is_black_and_white_at_its_ends() -> None:
    values = np.arange(4.0).reshape(4, 1, 1).repeat(4, 1).repeat(4, 2)
    (axes, *_) = show_planes(values, np.eye(4), title="Ramp", window=(1, 2))
    assert np.asarray(axes.images[0].get_array())[0].tolist() == [1, 1, 0, 0]  # the patient's right is on the left
    assert "grey from 1 (black) to 2 (white)" in text_alternative(axes)


def test_the_crosshair_leaves_its_voxel_free_and_can_be_left_out() -> None:
    for crosshair, count in ((True, 2), (False, 0)):
        axes = show_planes(head(), AFFINE, MARK_MM, title="Cross", crosshair=crosshair)[0]
        lines = [part for part in axes.collections if isinstance(part, LineCollection)]
        assert len(lines) == count
    axes = show_planes(head(), AFFINE, MARK_MM, title="Cross")[0]
    ends = np.concatenate([part.get_segments() for part in axes.collections]).reshape(-1, 2)
    assert np.abs(ends - (2, 2)).max(axis=1).min() > 0.3  # column 11 - 9, row 15 - 13


def test_as_stored_shows_what_a_careless_program_sees() -> None:
    values, affine = store(head(), (2, 0, 1), (True, False, False))
    panels = show_planes(values, affine, (1, 9, 13), title="Careless", as_stored=True)
    assert np.asarray(panels[0].images[0].get_array()).shape == values.shape[:2]
    assert [axes.get_title() for axes in panels] == ["k = 13", "j = 9", "i = 1"]
    assert text_alternative(panels[0]).endswith(
        "8 x 12 x 16 voxels as they are stored, whatever their affine says, grey from 0 (black) to 1 (white). Planes "
        "across k, j and i through voxel [1, 9, 13]; the first index grows downwards."
    )


def test_a_volume_of_one_slice_is_drawn_with_its_outline() -> None:
    panels = show_planes(head()[:, :, 4:5], AFFINE, title="One", mask=mask()[:, :, 4:5])
    assert [np.asarray(axes.images[0].get_array()).shape for axes in panels] == [(16, 12), (1, 12), (1, 16)]
    assert sum(isinstance(part, ContourSet) for axes in panels for part in axes.collections) >= 3
    panels[0].get_figure().canvas.draw()


def test_volumes_are_compared_on_one_scale_wherever_they_come_from() -> None:
    coarse = tio.ScalarImage(tensor=head()[None, ::2, ::2, ::2], affine=AFFINE @ np.diag([2, 2, 2, 1]))
    pictures: dict[str, VolumeLike] = {"as measured": (head(), AFFINE), "half as fine": coarse}
    panels = compare_planes(pictures, "axial", (0, 0, 0), title="Two", masks={"as measured": mask()})
    assert [axes.get_title() for axes in panels] == ["as measured", "half as fine"]
    assert [np.asarray(axes.images[0].get_array()).shape for axes in panels] == [(16, 12), (8, 6)]
    assert panels[0].get_position().width == pytest.approx(panels[1].get_position().width)
    words = text_alternative(panels[0])
    assert "as measured: axial, z = 0 mm; 12 x 16 x 8 voxels of 1 x 1.5 x 3 mm" in words
    assert "Outlined: label 1 (solid orange), 0.108 ml, 3 x 6 x 6 mm; label 2" in words
    assert words.endswith(
        "half as fine: axial, z = 0 mm; 6 x 8 x 4 voxels of 2 x 3 x 6 mm, stored as RAS, grey from 0 (black) to 1 "
        "(white)."
    )


def test_many_pictures_stand_in_even_rows() -> None:
    small, large = (head(), AFFINE), (np.zeros((200, 200, 2), np.uint8), np.eye(4))
    for volume, count, expected in ((small, 4, [4]), (small, 6, [3, 3]), (large, 4, [2, 2]), (large, 2, [2])):
        panels = compare_planes({str(n): volume for n in range(count)}, title="Many")
        heights = [round(axes.get_position().y0, 3) for axes in panels]
        assert [heights.count(height) for height in sorted(set(heights))] == expected
        assert heights == sorted(heights, reverse=True)


def test_what_can_not_be_compared_is_refused() -> None:
    two = tio.ScalarImage(tensor=np.zeros((2, 3, 3, 3), np.float32))
    with pytest.raises(ValueError, match="b: expected an image of one channel, but got 2"):
        compare_planes({"b": two}, title="Two channels")
    with pytest.raises(ValueError, match="no volume to compare"):
        compare_planes({}, title="None")
    with pytest.raises(ValueError, match="No volume is called c"):
        compare_planes({"a": (head(), AFFINE)}, title="A", masks={"c": mask()})


def test_structures_keep_their_colours_and_have_names() -> None:
    volume = upright(head(), AFFINE, mask())
    found = outlines_of([volume], LABELS)
    assert {value: one.name for value, one in found.items()} == {1: "front", 2: "back"}
    only = outlines_of([upright(head(), AFFINE, 2 * (mask() == 2))], LABELS)
    assert only == {2: found[2]}
    assert outlines_of([upright(head(), AFFINE, mask() > 0)], None)[1].name == "mask"
    assert len({one[1] for one in OUTLINES}) == len(OUTLINES)
    with pytest.raises(ValueError, match="The mask holds 2, but the labels end at 1: background, front"):
        outlines_of([volume], LABELS[:2])
    many = np.arange(np.prod(head().shape)).reshape(head().shape) % 9
    with pytest.raises(ValueError, match="at most 4 structures, got 8"):
        outlines_of([upright(head(), AFFINE, many)], None)


def test_histograms_are_shares_and_say_the_middle_of_each() -> None:
    values = {"A": np.arange(101.0), "B": np.arange(101.0).reshape(1, -1) + 50}
    axes = plot_histograms(values, "Before")
    assert text_alternative(axes).endswith("A 50 (5 to 95); B 100 (55 to 145).")
    for line in axes.lines:
        assert 90 < np.sum(line.get_ydata()) <= 100
    with pytest.raises(ValueError, match="1 to 5 volumes, got 6"):
        plot_histograms({str(n): np.ones(3) for n in range(6)}, "Many")
    with pytest.raises(ValueError, match="No voxel is left of A"):
        plot_histograms({"A": np.ones(0)}, "None")
