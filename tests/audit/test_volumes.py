"""The audit of volumes: every fault that is planted is found, and nothing where there is none."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from course_lib.audit import audit_volumes, describe_volumes, find_mirrored, holds_volumes, take_volumes
from course_lib.audit.__main__ import main
from course_lib.audit.volumes import SIDE, SPECK
from course_lib.sources.dataset_card import DatasetCard, load_card
from course_lib.support.errors import DataError
from tests.audit.spoiled_volumes import FAULTS, LABELS, PATIENTS, change, clean_folder, copied, name, of, spoiled, write

CARD = replace(
    load_card("phantom"), task="segmentation", classes=("front", "back"), file_names=(r"(?P<patient>head_\d+)\.nii\.gz",)
)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clean_folder(tmp_path_factory.mktemp("volumes") / "set")


@pytest.fixture
def folder(clean: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "set"))


def test_a_clean_folder_gives_nothing_to_look_at(clean: Path) -> None:
    before = {path: path.read_bytes() for path in clean.rglob("*.gz")}
    report = audit_volumes(clean, card=CARD)
    assert report.titles("stop") + report.titles("look") == []
    assert {path: path.read_bytes() for path in clean.rglob("*.gz")} == before


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_nothing_else(fault: str, folder: Path) -> None:
    plant, expected = FAULTS[fault]
    plant(folder)
    report = audit_volumes(folder, card=CARD)
    assert set(report.titles("stop") + report.titles("look")) == expected
    for title in expected:
        assert name(3) in report[title].measured or title in {"size", "range of values", "other files", "mirrored volumes"}
        assert report[title].effect
        assert report[title].remedy
