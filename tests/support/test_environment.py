"""Profile, seeds, and the check of the machine."""

from importlib import metadata

import pytest
import torch

from course_lib.support import environment
from course_lib.support.environment import check_environment
from course_lib.support.runtime import current_profile, pick_device, seeded


def test_the_profile_follows_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_PROFILE")
    assert current_profile().name == "quick"
    monkeypatch.setenv("COURSE_PROFILE", "full")
    assert current_profile().max_train_images is None


def test_an_unknown_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_PROFILE", "huge")
    with pytest.raises(ValueError, match=r"must be one of quick, full, but it is .huge.\. Unset it"):
        current_profile()
    report = check_environment()
    assert not report.ok
    assert "✗ COURSE_PROFILE names no profile\n  → COURSE_PROFILE must be" in str(report)


def test_seeded_repeats_and_leaves_no_trace() -> None:
    torch.manual_seed(7)
    expected = torch.rand(2)
    torch.manual_seed(7)
    with seeded(1):
        first = torch.rand(2)
    with seeded(1):
        assert torch.equal(torch.rand(2), first)
    assert torch.equal(torch.rand(2), expected)


def test_a_tensor_can_go_to_the_device() -> None:
    assert torch.ones(1).to(pick_device()).sum() == 1


def test_this_environment_is_as_it_should_be() -> None:
    assert check_environment().ok, str(check_environment())


def test_a_missing_and_an_old_package_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["no-such-package>=1", "numpy>=99", "torch>=2"])
    text = str(check_environment())
    assert "✗ no-such-package is not installed\n  → Run `make lab` again" in text
    assert "the course needs >=99" in text
    assert "torch is" not in text


def test_a_full_disk_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "FREE_DISK_NEEDED_GB", 1e9)
    assert "✗ only" in str(check_environment())
