"""What gives the label away without any medicine: properties of the file, the grey scale, the corners."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.audit.inventory import Inventory
from course_lib.audit.quick_models import QuickScore, auroc_of, cross_validate, forest, linear, summarise, tree
from course_lib.support.errors import DataError
from course_lib.support.runtime import progress

CORNERS = ("upper left", "upper right", "lower left", "lower right")
CORNER = 16  #: px of 64


@dataclass(frozen=True)
class Shortcut:
    """How well something tells the classes that should not, and which part of it tells most."""

    together: QuickScore
    single: tuple[QuickScore, ...]  #: each part alone, the best first


def file_properties(inventory: Inventory) -> dict[str, NDArray[np.float64]]:
    """What is known of each file without looking at a pixel, [files] each."""
    files = inventory.files
    columns = {
        "width": [f.width for f in files],
        "height": [f.height for f in files],
        "bytes": [f.size_bytes for f in files],
        "bytes per pixel": [f.size_bytes / (f.width * f.height) for f in files],
        "colour mode": [f.mode != "L" for f in files],
        "quantisation": [sum(f.quantisation) for f in files],
        "metadata": [f.metadata_bytes for f in files],
    }
    return {name: np.array(values, dtype=np.float64) for name, values in columns.items()}


def judge_properties(
    properties: Mapping[str, NDArray[np.float64]],
    labels: NDArray[np.int64],
    patients: NDArray[np.str_],
    classes: tuple[str, ...],
    name: str = "file properties",
) -> Shortcut:
    """How well the properties tell the classes, together (a forest) and each alone (a tree with at most eight leaves).

    Raises:
        DataError: no property varies, there is only one class, or one has fewer than five patients.
    """
    varying = {key: values for key, values in properties.items() if np.ptp(values) > 0}
    if not varying:
        raise DataError(f"The {name} are the same in all {len(labels)} files, so nothing can be told from them.")
    columns = np.stack(list(varying.values()), axis=1)
    together = summarise(cross_validate(forest(), columns, labels, patients, classes), name)
    single = [
        summarise(cross_validate(tree(), values[:, None], labels, patients, classes), key)
        for key, values in progress(varying.items(), f"Trying {name}", "property")
    ]
    return Shortcut(together, tuple(sorted(single, key=lambda score: (-round(score.auroc, 3), score.name))))


def blind_model(inventory: Inventory) -> Shortcut:
    """A model that never sees a pixel: how well the properties of the files tell the classes."""
    return judge_properties(file_properties(inventory), inventory.labels, inventory.patients, inventory.classes)


def grey_scale(inventory: Inventory) -> dict[str, NDArray[np.float64]]:
    """How dark, bright and contrasty each picture is as a whole, [files] each, 0 to 255."""
    files = inventory.files
    columns = {
        "darkest": [f.darkest for f in files],
        "brightest": [f.brightest for f in files],
        "contrast": [f.contrast for f in files],
    }
    return {name: np.array(values, dtype=np.float64) for name, values in columns.items()}


def grey_scale_model(inventory: Inventory) -> Shortcut:
    """A model that sees three numbers per picture: how dark, how bright, how contrasty it is as a whole.

    A disease can be bright, so some of this may be medicine; but a model that needs no more has not looked for it.
    """
    return judge_properties(
        grey_scale(inventory), inventory.labels, inventory.patients, inventory.classes, "grey scale"
    )


def corner_model(inventory: Inventory) -> Shortcut:
    """A model that sees the four corners only, where letters are written and little of the body is.

    Each corner is a quarter of the width and height, seen as 4 x 4 tiles: the mean and the brightest spot of each.
    """
    labels, patients, classes = inventory.labels, inventory.patients, inventory.classes
    seen = _corners(inventory)
    together = cross_validate(forest(), np.concatenate(list(seen.values()), axis=1), labels, patients, classes)
    single = [
        summarise(cross_validate(forest(), features, labels, patients, classes), corner)
        for corner, features in progress(seen.items(), "Looking at corners", "corner")
    ]
    best_first = sorted(single, key=lambda score: (-round(score.auroc, 3), score.name))
    return Shortcut(summarise(together, "corners"), tuple(best_first))


def tile_scores(inventory: Inventory, tiles: int = 8) -> NDArray[np.float64]:
    """AUROC of a model that sees one tile of the picture only, [tiles, tiles]; 0.5 is chance. ``tiles`` divides 64."""
    side = 64 // tiles
    blocks = inventory.small(64).reshape(len(inventory), tiles, side, tiles, side).transpose(0, 1, 3, 2, 4)
    numbers = np.stack([blocks.mean((3, 4)), blocks.max((3, 4)), blocks.std((3, 4))], axis=3)
    scores = np.zeros((tiles, tiles))
    places = list(np.ndindex(tiles, tiles))
    for row, column in progress(places, "Looking at tiles", "tile"):
        seen = numbers[:, row, column]
        made = cross_validate(tree(), seen, inventory.labels, inventory.patients, inventory.classes)
        scores[row, column] = auroc_of(made)
    return scores


def picture_model(inventory: Inventory) -> QuickScore:
    """A logistic regression on the whole picture at 32 px: what a network has to beat."""
    features = inventory.standardised()
    model = linear(len(features))
    made = cross_validate(model, features, inventory.labels, inventory.patients, inventory.classes)
    return summarise(made, "32 px pixels")


def _corners(inventory: Inventory) -> dict[str, NDArray[np.float64]]:
    """[files, 32] per corner."""
    whole = inventory.small(64)
    near, far = slice(0, CORNER), slice(-CORNER, None)
    seen = {}
    for name, rows, columns in zip(CORNERS, (near, near, far, far), (near, far, near, far), strict=True):
        tiles = whole[:, rows, columns].reshape(len(whole), 4, CORNER // 4, 4, CORNER // 4)
        numbers = [tiles.mean(axis=(2, 4)), tiles.max(axis=(2, 4))]
        seen[name] = np.concatenate([n.reshape(len(whole), -1) for n in numbers], axis=1)
    return seen
