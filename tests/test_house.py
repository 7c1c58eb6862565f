"""The plan of the house in course_lib/__init__.py is true, and what must start fast starts without torch."""

import re
import subprocess
import sys
import tomllib

import pytest

import course_lib
from course_lib.modalities.registry import MODALITIES
from course_lib.sources.dataset_card import card_slugs, load_card
from course_lib.support.runtime import COURSE_ROOT

PACKAGES = {path.parent.name for path in (COURSE_ROOT / "course_lib").glob("*/__init__.py")}
FOLDERS_OF_MODALITIES = {path.parent.name for path in (COURSE_ROOT / "course_lib" / "modalities").glob("*/modality.py")}


def test_the_plan_names_the_packages_in_the_order_of_the_layers_one_line_each() -> None:
    plan = re.findall(r"^    (\w+)  +\S", course_lib.__doc__ or "", re.MULTILINE)
    settings = tomllib.loads((COURSE_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers" and contract["containers"] == ["course_lib"]
    )
    assert set(plan) == PACKAGES
    assert plan == layers


def test_every_package_opens_with_what_it_is_for() -> None:
    for name in sorted(PACKAGES):
        text = (COURSE_ROOT / "course_lib" / name / "__init__.py").read_text(encoding="utf-8")
        assert text.startswith('"""'), name


def test_the_registry_lists_the_folders_that_hold_a_modality() -> None:
    assert set(MODALITIES) == FOLDERS_OF_MODALITIES
    assert all(modality.name == name for name, modality in MODALITIES.items())


def test_every_card_belongs_to_a_modality_and_every_modality_has_its_cards() -> None:
    cards = {slug: load_card(slug) for slug in card_slugs()}
    assert {card.modality for card in cards.values()} == set(MODALITIES)
    for modality in MODALITIES.values():
        assert (cards[modality.real].modality, cards[modality.real].simulated) == (modality.name, False)
        assert (cards[modality.simulated].modality, cards[modality.simulated].simulated) == (modality.name, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "from course_lib.sources import __main__ as command",
        "from course_lib.sources import load_card; load_card('phantom')",
        "from course_lib.modalities.chest_xray import simulator",
        "from course_lib.modalities.hippocampus_mri import phantoms",
        "import course_lib.modalities.simulated_head",
        "import course_lib.evaluation",
    ],
)
def test_downloads_cards_simulators_and_scores_start_without_torch(statement: str) -> None:
    probe = f"{statement}; import sys; print([name for name in sys.modules if name.split('.')[0] == 'torch'])"
    done = subprocess.run([sys.executable, "-c", probe], cwd=COURSE_ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_a_data_set_is_verified_without_torch() -> None:
    blocked = "import sys; sys.modules['torch'] = None; sys.argv = ['sources', 'verify', 'moon']; "
    blocked += "import runpy; runpy.run_module('course_lib.sources', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", blocked], cwd=COURSE_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("No data card 'moon': expected one of")
