"""Lesson 04: the recipe in its notebook is whole, runs on any folder, and folders with other classes are refused."""

import re
from pathlib import Path

import nbformat
import pytest
import torch
from torchvision.datasets import ImageFolder

from course_lib.authoring.notebook_form import MAX_RECIPE_LINES, NOTEBOOKS, RECIPE, code_cells, tags
from course_lib.data.transforms import Preprocessing, evaluation_transform
from course_lib.lessons.finetuning_resnet import check_same_classes
from tests.conftest import write_image


@pytest.fixture(scope="module")
def recipe() -> str:
    notebook = nbformat.read(NOTEBOOKS / "04_finetuning_resnet.ipynb", as_version=4)
    (source,) = (cell["source"] for cell in code_cells(notebook) if RECIPE in tags(cell))
    return str(source)


def test_the_recipe_stands_without_the_course(recipe: str) -> None:
    assert len(recipe.splitlines()) <= MAX_RECIPE_LINES
    assert "course_lib" not in recipe
    for part in ("ResNet18_Weights", "weights.transforms(", "ImageFolder(", "DataLoader(", "network.fc = "):
        assert part in recipe


def test_the_recipe_runs_on_a_folder_with_the_network_that_is_here(
    recipe: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = torch.nn.Linear(3 * 16 * 16, 2)
    network, before = torch.nn.Sequential(torch.nn.Flatten(), head), head.weight.detach().clone()
    here = {
        "resnet_is_here": False,
        "packaged": (network, evaluation_transform(Preprocessing(size=16))),
        "folder": folder / "train",
        "shares": [0.5, 0.25, 0.25],
    }
    exec(recipe, here)
    assert re.fullmatch(r"(epoch \d: \d of 8 right, accuracy [01]\.\d\d\n){2}", capsys.readouterr().out)
    assert not torch.equal(head.weight, before)


def test_classes_that_differ_between_two_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    """As `ImageFolder` numbers them: in a folder of the sick alone, they have the label of the healthy."""
    for name in ("one", "two"):
        write_image(tmp_path / "sick" / "PNEUMONIA" / f"{name}.png", bright=True)
    learned, judged = ImageFolder(folder / "train"), ImageFolder(tmp_path / "sick")
    assert judged.targets == [0, 0]
    with pytest.raises(ValueError, match=r"the label 0 is NORMAL in the one and PNEUMONIA in the other\. Give both"):
        check_same_classes(learned.classes, judged.classes)
    with pytest.raises(ValueError, match="the label 1 is PNEUMONIA in the one and no class at all in the other"):
        check_same_classes(learned.classes, ["NORMAL"])
    check_same_classes(learned.classes, ImageFolder(folder / "test").classes)
