"""Figures of an audit: their words say what they show."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Rectangle

from course_lib.audit import (
    LeakEffect,
    Pair,
    file_properties,
    take_inventory,
)
from course_lib.figures.audit import (
    plot_hash_distances,
    plot_leak,
    plot_losses,
    plot_pairs,
    plot_property,
    plot_shares,
    plot_tiles,
)
from course_lib.figures.intervals import plot_intervals
from course_lib.figures.style import text_alternative
from tests.sources.odd_images import LATIN, only_linux


def test_the_figures_say_in_words_what_they_show(folder: Path) -> None:
    inventory = take_inventory(folder)
    alike = [Pair(first, second, 3, 0.99) for first, second in pairwise(inventory.files)]
    pairs = plot_pairs(alike, "Alike", most=2)
    assert pairs.shape == (2, 2)
    sizes = file_properties(inventory)["bytes"]
    said = text_alternative(plot_property(sizes, inventory, "bytes", "File size"))
    assert f"from {sizes.min():,.6g}" in said
    scores = np.full((4, 4), 0.5)
    scores[0, 2] = 0.97
    assert "0.97, which is in row 1 from the top and column 3" in text_alternative(plot_tiles(scores, "Where"))
    distances = np.zeros(65, dtype=np.int64)
    distances[[3, 30, 32]] = 2, 5, 9
    told = text_alternative(plot_hash_distances(distances, 10, "Bits"))
    assert "Of 16 pairs, 2 differ in at most 10 of 64 bits; half of all pairs differ in more than 31." in told
    effect = LeakEffect(np.array([0.7, 0.8]), np.array([0.5, 0.6]), 0.2, 0.1, 0.3)
    told = text_alternative(plot_leak(effect, "Leak"))
    assert "in 2 random splits of each kind. by image: mean 75.0%, from 70.0% to 80.0%; by patient: mean 55.0%" in told
    assert "16 images, 64% to 97%; 1,000 images" in text_alternative(plot_intervals((16, 1000), 0.9, "How sure?"))
    plt.close("all")


def test_losses_are_told_by_their_medians() -> None:
    words = text_alternative(plot_losses(np.array([0.1, 0.3, 2.0, 1.0]), np.array([0, 0, 1, 0]) > 0, "Losses"))
    assert "3 images with a right label: median 0.30; 1 images with a wrong label: median 2.00" in words
    assert words.endswith("above ln 2 = 0.69, 50% have a wrong label; of all wrong labels, 100% are there.")


@only_linux
def test_names_in_another_encoding_can_be_drawn(folder: Path) -> None:
    (folder / "train" / "NORMAL").rename(folder / "train" / LATIN)
    for path in sorted((folder / "train" / LATIN).iterdir()):
        path.rename(path.with_name(f"{LATIN} {path.name}"))
    inventory = take_inventory(folder).split("train")
    first, second = [file for file in inventory.files if file.label == LATIN][:2]
    grid = plot_pairs([Pair(first, second, 3, 0.99)], "Alike")
    words = text_alternative(plot_property(file_properties(inventory)["bytes"], inventory, "bytes", "File size"))
    assert r"R\udcf6ntgen: median" in words
    grid[0, 0].figure.canvas.draw()
    plt.close("all")


def test_shares_are_percent_of_their_row() -> None:
    counts = Counter({("sick", "side"): 3, ("sick", "front"): 1, ("healthy", "front"): 30, ("healthy", "side"): 1})
    axes = plot_shares(counts, "Views", "pictures")
    assert text_alternative(axes) == "Views. healthy (31): front 97 %, side 3 %; sick (4): front 25 %, side 75 %."
    assert [text.get_text() for text in axes.texts] == ["97", "25", "75"]  # 3 % have no room for a number
    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    assert [bar.get_width() for bar in bars] == pytest.approx([3000 / 31, 25, 100 / 31, 75])
    assert [bar.get_x() for bar in bars] == pytest.approx([0, 0, 3000 / 31, 25])
    plt.close("all")


def test_what_was_never_counted_has_no_shares() -> None:
    with pytest.raises(ValueError, match="Expected 1 to 5 columns, got 0"):
        plot_shares({("sick", "side"): 0}, "Nothing")
    with pytest.raises(ValueError, match="got 6: a, b, c, d, e, f"):
        plot_shares({("sick", letter): 1 for letter in "abcdef"}, "Many")
