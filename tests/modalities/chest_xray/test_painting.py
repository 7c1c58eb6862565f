"""Disease painted into real films: nothing painted changes nothing, and the disease lies in the lungs of the film."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.data.augmentation import Augmentation
from course_lib.data.image_folder import read_split
from course_lib.data.samples import LabelledImage
from course_lib.data.transforms import Preprocessing, network_input
from course_lib.modalities.chest_xray.lungs import Phantoms
from course_lib.modalities.chest_xray.painting import PaintedFilms, fill, grey_beside, moved

HOW = Preprocessing(40, "squeeze", normalisation="by rank")
LUNGS = tuple((slice(24, 40), columns) for columns in (slice(2, 18), slice(22, 38)))  #: of the films below, 40 px


def sick_phantoms() -> Phantoms:
    """Two phantoms with a lung at the upper right, full of fluid."""
    lungs = torch.zeros(2, 1, 48, 48)
    lungs[..., 6:24, 24:44] = 1
    return Phantoms(torch.rand(2, 1, 48, 48), lungs, 0.8 * lungs)


def painted(films: list[LabelledImage], augmentation: Augmentation | None = None) -> PaintedFilms:
    lungs = torch.zeros(len(films), 1, 40, 40)
    for rows, columns in LUNGS:
        lungs[..., rows, columns] = 1
    return PaintedFilms(films, ("well", "ill"), HOW, augmentation, lungs=lungs, sick=sick_phantoms())


@pytest.fixture
def healthy(folder: Path) -> list[LabelledImage]:
    return [r for r in read_split(folder, "train")[0] if r.label == 0]


def test_every_film_is_there_twice_and_without_disease_it_stays_as_it_is(healthy: list[LabelledImage]) -> None:
    data = painted(healthy)
    assert data.labels == [0, 1] * len(healthy)
    assert data.patients == [film.patient for film in healthy for _ in (0, 1)]
    controls = torch.arange(0, len(data), 2)
    pixels = data._file.read(controls)
    assert torch.allclose(data.inputs(controls), network_input(pixels, HOW), atol=0.02)


def test_the_disease_lies_in_the_lungs_of_the_film_and_only_there(tmp_path: Path) -> None:
    film = np.full((40, 40), 150, np.uint8)
    for lung in LUNGS:
        film[lung] = 50
    Image.fromarray(film).save(tmp_path / "film.png")
    data = painted([LabelledImage(tmp_path / "film.png", 0, "child")])
    data.how = Preprocessing(40, "squeeze")  # greys as they are
    brighter = (data.inputs(torch.tensor([1])) - data.inputs(torch.tensor([0])))[0, 0]
    inside = [brighter[lung] for lung in LUNGS]
    assert all((lung[2:-2, 2:-2] > 0.1).all() for lung in inside)
    assert brighter.abs().sum().item() == pytest.approx(sum(lung.sum().item() for lung in inside), rel=0.05)


def test_a_part_of_the_data_is_painted_in_the_same_places(healthy: list[LabelledImage]) -> None:
    data = painted(healthy)
    assert torch.equal(data.take([3, 1]).inputs(torch.tensor([1])), data.inputs(torch.tensor([1])))


def test_with_an_augmentation_each_look_has_another_disease(healthy: list[LabelledImage]) -> None:
    data, one = painted(healthy, Augmentation()), torch.tensor([1])
    assert not torch.equal(data.inputs(one), data.inputs(one))


def test_fluid_brings_a_lung_up_to_the_tissue_and_changes_nothing_else() -> None:
    films, tissue = torch.tensor([0.1, 0.4, 0.6, 0.9]).view(1, 1, 2, 2), torch.full((1, 1, 1, 1), 0.6)
    for part, expected in ((0.0, (0.1, 0.4, 0.6, 0.9)), (0.5, (0.35, 0.5, 0.6, 0.9)), (1.0, (0.6, 0.6, 0.6, 0.9))):
        assert torch.allclose(fill(films, torch.full_like(films, part), tissue).flatten(), torch.tensor(expected))


def test_the_grey_of_the_tissue_is_that_beside_the_lungs_and_within_their_box() -> None:
    films, lungs = torch.ones(1, 1, 40, 40), torch.zeros(1, 1, 40, 40)
    films[..., 10:30, 10:30] = 0.6
    lungs[..., 10:30, 10:17] = lungs[..., 10:30, 23:30] = 1
    films[lungs > 0] = 0.2
    beside = grey_beside(films, lungs, torch.tensor([[0.25, 0.25, 0.75, 0.75]]))
    assert beside.shape == (1, 1, 1, 1)
    assert beside.item() == pytest.approx(0.6, abs=0.01)


def test_a_box_moves_to_another_one() -> None:
    planes, rows = torch.zeros(1, 1, 20, 20), np.s_[4:8]
    planes[0, 0, rows, 10:18] = 1
    boxes = torch.tensor([[10, 4, 18, 8]]) / 20
    to = torch.tensor([[0.1, 0.5, 0.5, 0.9]])
    laid = moved(planes, boxes, to, 40)
    assert laid.shape == (1, 1, 40, 40)
    assert (laid[0, 0, 22:34, 6:18] > 0.99).all()
    assert laid[0, 0, :18].max() == laid[0, 0, :, 24:].max() == 0


def test_films_of_the_sick_and_lungs_of_others_are_refused(folder: Path, healthy: list[LabelledImage]) -> None:
    everyone, classes = read_split(folder, "train")
    with pytest.raises(ValueError, match="films of the healthy, but 1 of "):
        painted([*healthy, next(r for r in everyone if r.label == 1)])
    with pytest.raises(ValueError, match="but the lungs of 1"):
        PaintedFilms(healthy, classes, HOW, None, lungs=torch.zeros(1, 1, 8, 8), sick=sick_phantoms())
