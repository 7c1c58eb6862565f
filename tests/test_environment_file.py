"""environment.yml, the conda way in, says the same as pyproject.toml, the pip way in."""

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rattler
import yaml  # type: ignore[import-untyped]
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rattler.exceptions import InvalidMatchSpecError

ROOT = Path(__file__).parent.parent
CONDA_NAMES = {"torch": "pytorch-cpu"}
NOT_IN_PYPROJECT = {"python", "pip"}
Environment = dict[str, Any]
Change = Callable[[Environment], None]


@pytest.fixture
def environment() -> Environment:
    content: Environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    return content


def floors_of_pyproject() -> dict[str, str]:
    """Version bounds of the course and its tests, by the name that environment.yml uses."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = map(Requirement, project["dependencies"] + project["optional-dependencies"]["test"])
    names_and_floors = ((canonicalize_name(r.name), str(r.specifier)) for r in requirements)
    return {CONDA_NAMES.get(name, name): floor for name, floor in names_and_floors}


def conda_specs(environment: Environment) -> list[str]:
    return [entry for entry in environment["dependencies"] if isinstance(entry, str)]


def pip_specs(environment: Environment) -> list[str]:
    return [spec for entry in environment["dependencies"] if isinstance(entry, dict) for spec in entry["pip"]]


def floors_of(environment: Environment) -> dict[str, str]:
    """Version bounds of environment.yml, conda's and pip's, without python, pip and the course itself."""
    floors = {}
    for text in conda_specs(environment):
        spec = rattler.MatchSpec(text, strict=True)
        floors[spec.name.normalized] = str(spec.version or "")
    for text in pip_specs(environment):
        if text != "-e .":
            requirement = Requirement(text)
            floors[canonicalize_name(requirement.name)] = str(requirement.specifier)
    return {name: floor for name, floor in floors.items() if name not in NOT_IN_PYPROJECT}


def problems_of(environment: Environment) -> list[str]:
    """What is wrong with an environment file; an empty list if nothing is."""
    problems = []
    if environment["name"] != "medical-imaging-course":
        problems.append(f"its name is {environment['name']}")
    if environment["channels"] != ["conda-forge"]:
        problems.append(f"its channels are {environment['channels']}, not conda-forge alone")
    specs = conda_specs(environment)
    problems += [f"{spec} names a channel of its own" for spec in specs if "::" in spec]
    if "python=3.12" not in specs:
        problems.append("python=3.12 is missing; Binder reads the version from this form only")
    if "pip" not in specs:
        problems.append("pip is missing, but there is a list for it")
    if pip_specs(environment)[-1:] != ["-e ."]:
        problems.append("the course itself, -e ., is not the last entry of the pip list")
    names = [spec for spec in (*specs, *pip_specs(environment)) if spec != "-e ."]
    there, wanted = floors_of(environment), floors_of_pyproject()
    if len(names) != len(there) + len(NOT_IN_PYPROJECT):
        problems.append("something is listed twice")
    problems += [f"{name} is missing" for name in wanted.keys() - there.keys()]
    problems += [f"{name} is not in pyproject.toml" for name in there.keys() - wanted.keys()]
    problems += [
        f"{name}{there[name]} here, {name}{wanted[name]} in pyproject.toml"
        for name in wanted.keys() & there.keys()
        if there[name] != wanted[name]
    ]
    return problems


def replace(old: str, new: str) -> Change:
    """A change of one conda entry."""

    def change(environment: Environment) -> None:
        entries = environment["dependencies"]
        entries[entries.index(old)] = new

    return change


def add(spec: str) -> Change:
    return lambda environment: environment["dependencies"].append(spec)


def drop(spec: str) -> Change:
    return lambda environment: environment["dependencies"].remove(spec)


def add_to_pip(spec: str) -> Change:
    def change(environment: Environment) -> None:
        next(entry for entry in environment["dependencies"] if isinstance(entry, dict))["pip"].insert(0, spec)

    return change


def test_it_says_the_same_as_pyproject(environment: Environment) -> None:
    assert problems_of(environment) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda environment: environment.update(name="course"), "its name is course"),
        (lambda environment: environment["channels"].insert(0, "pytorch"), "not conda-forge alone"),
        (add("pytorch::torchaudio"), "names a channel of its own"),
        (replace("python=3.12", "python>=3.12"), "python=3.12 is missing"),
        (replace("python=3.12", "python"), "python=3.12 is missing"),
        (drop("pip"), "pip is missing"),
        (lambda environment: environment["dependencies"].pop(), "-e ., is not the last entry"),
        (add("pytorch-cpu"), "listed twice"),
        (drop("pytorch-cpu>=2.9"), "pytorch-cpu is missing"),
        (drop("nbval>=0.11"), "nbval is missing"),
        (add("pandas"), "pandas is not in pyproject.toml"),
        (add_to_pip("torch>=2.9"), "torch is not in pyproject.toml"),
        (add_to_pip("numpy>=2.0"), "listed twice"),
        (replace("pytorch-cpu>=2.9", "pytorch-cpu>=2.8"), "pytorch-cpu>=2.8 here, pytorch-cpu>=2.9"),
        (replace("numpy>=2.0", "numpy"), "numpy here, numpy>=2.0"),
    ],
)
def test_a_difference_is_found(environment: Environment, change: Change, complaint: str) -> None:
    changed = copy.deepcopy(environment)
    change(changed)
    assert any(complaint in problem for problem in problems_of(changed)), problems_of(changed)


def test_conda_understands_every_entry(environment: Environment) -> None:
    for spec in conda_specs(environment):
        assert rattler.MatchSpec(spec, strict=True).name is not None


@pytest.mark.parametrize("spec", ["numpy=>2.0", "numpy>>2", "numpy>=2.0,", "numpy~~2"])
def test_conda_would_refuse_a_slip_of_the_pen(spec: str) -> None:
    with pytest.raises(InvalidMatchSpecError):
        rattler.MatchSpec(spec, strict=True)


def test_python_is_one_that_the_course_supports(environment: Environment) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (python,) = (spec for spec in conda_specs(environment) if spec.startswith("python="))
    supported = Requirement(f"python{project['requires-python']}").specifier
    assert supported.contains(python.removeprefix("python="))
    assert not supported.contains("3.9")
