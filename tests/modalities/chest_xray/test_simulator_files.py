"""Data sets of phantoms: whole or not there, continued after any interruption, checked, packed; and their traps."""

import errno
import io
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from PIL import Image

from course_lib.data.image_folder import read_split
from course_lib.data.splits import check_patients_apart
from course_lib.modalities.chest_xray import simulator as phantom
from course_lib.modalities.chest_xray.simulator import (
    Confounders,
    Exposure,
    Patient,
    PhantomError,
    Settings,
    check_dataset,
    make_dataset,
    pack_dataset,
    read_mask,
    render,
    shipping,
    unpack_dataset,
)
from course_lib.modalities.chest_xray.simulator.plan import Picture, make_picture, plan_pictures
from course_lib.modalities.phantom_files import MANIFEST
from course_lib.support import files
from course_lib.support.errors import DataError
from course_lib.support.files import write_whole
from course_lib.support.runtime import COURSE_ROOT

SMALL = Settings(patients={"train": 6, "val": 2, "test": 3}, size_px=24, seed=0)


def make(root: Path, settings: Settings = SMALL, workers: int = 1) -> Path:
    return make_dataset(root, settings, workers=workers, progress=False)


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished set that no test may change."""
    return make(tmp_path_factory.mktemp("phantoms") / "whole")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A finished set to spoil."""
    return make(tmp_path / "copy")


@pytest.mark.slow
def test_a_dataset_has_the_layout_and_keeps_patients_apart(whole: Path) -> None:
    splits = {split: read_split(whole, split)[0] for split in SMALL.patients}
    assert {split: len({r.patient for r in images}) for split, images in splits.items()} == SMALL.patients
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        check_patients_apart(splits[one], splits[other], (one, other))
    for images in splits.values():
        assert {r.label for r in images} == {0, 1}
        assert all(re.fullmatch(r"phantom\d{4}_(normal|bacteria|virus)_[1-3]\.jpeg", r.path.name) for r in images)


def test_masks_lie_beside_the_pictures_of_the_sick_and_read_mask_finds_them(whole: Path) -> None:
    pictures = sorted(whole.glob("t*/*/*.jpeg"))
    masks = {p.relative_to(whole / "masks").with_suffix("").as_posix() for p in whole.glob("masks/*/*/*.png")}
    sick = {p.relative_to(whole).with_suffix("").as_posix() for p in whole.glob("*/PNEUMONIA/*.jpeg")}
    assert masks == sick
    for path in pictures:
        mask = read_mask(path)
        with Image.open(path) as image:
            assert mask.shape == image.size[::-1]
        assert mask.dtype == np.bool_
        assert not (mask.any() and path.parent.name == "NORMAL")
    assert any(read_mask(path).any() for path in pictures)
    assert np.array_equal(read_mask(Path(os.path.relpath(pictures[-1]))), read_mask(pictures[-1]))


@pytest.mark.slow
def test_only_phantoms_have_masks(copy: Path, folder: Path) -> None:
    with pytest.raises(PhantomError, match=r"no mask of .*Only of simulated images"):
        read_mask(next(folder.glob("train/NORMAL/*")))
    with pytest.raises(PhantomError, match=r"no mask of .*not a picture in a set of phantoms"):
        read_mask(copy / "train" / "PNEUMONIA" / "phantom9999_virus_1.jpeg")
    sick = next(copy.glob("train/PNEUMONIA/*.jpeg"))
    next(copy.glob(f"masks/*/*/{sick.stem}.png")).unlink()
    with pytest.raises(PhantomError, match=f"The mask of {sick.name} is missing"):
        read_mask(sick)


@pytest.mark.slow
def test_the_same_settings_give_the_same_bytes_and_another_seed_others(whole: Path, tmp_path: Path) -> None:
    shuffled = replace(SMALL, patients=dict(sorted(SMALL.patients.items())))
    assert contents(make(tmp_path / "a", shuffled)) == contents(whole)
    assert contents(make(tmp_path / "b", replace(SMALL, seed=1))) != contents(whole)


@pytest.mark.slow
def test_workers_give_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    assert contents(make(tmp_path / "set", workers=2)) == contents(whole)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".set.lock", "set"]


@pytest.mark.slow
def test_pictures_of_a_patient_share_the_anatomy_and_not_the_exposure(monkeypatch: pytest.MonkeyPatch) -> None:
    filmed: dict[Patient, list[Exposure]] = {}

    def watch(patient: Patient, exposure: Exposure, size_px: int) -> object:
        filmed.setdefault(patient, []).append(exposure)
        return render(patient, exposure, size_px)

    monkeypatch.setattr("course_lib.modalities.chest_xray.simulator.plan.render", watch)
    plan = list(plan_pictures(replace(SMALL, patients={"train": 30})))
    for planned in plan:
        make_picture(SMALL, planned)
    assert len(filmed) == 30 == len({planned.path.name.split("_")[0] for planned in plan})
    assert {len(exposures) for exposures in filmed.values()} == {1, 2, 3}
    assert all(len(set(exposures)) == len(exposures) for exposures in filmed.values())


def test_a_finished_folder_is_left_as_it_is_or_refused(copy: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in copy.rglob("*")}
    assert make(copy) == copy
    assert {p: p.stat().st_mtime_ns for p in copy.rglob("*")} == before
    with pytest.raises(PhantomError, match=r'(?s)other settings.*there: .*"seed": 0.*wanted: .*"seed": 5.*Remove'):
        make(copy, replace(SMALL, seed=5))


def test_an_empty_folder_is_filled_and_any_other_left_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    check_dataset(make(tmp_path / "empty"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("…", encoding="utf-8")
    for root in (tmp_path / "mine", tmp_path / "mine" / "thesis.txt"):
        with pytest.raises(PhantomError, match=r"is not a set of phantoms: manifest.json is missing"):
            make(root)
    assert (tmp_path / "mine" / "thesis.txt").read_text(encoding="utf-8") == "…"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patients": {"train": 0}}, "at least one patient per split and 1 px"),
        ({"patients": {"train": -2, "test": 5}}, "at least one patient per split and 1 px"),
        ({"patients": {}}, "The splits must be some of train, val, test"),
        ({"patients": {"../out": 3}}, "The splits must be some of train, val, test"),
        ({"size_px": 0}, "1 px, got .* and 0 px"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"quality": 0}, "quality from 1 to 95"),
        ({"patients": {"train": 9_000, "test": 1_001}}, r"names for 10,000 patients, but 10,001 were asked for"),
    ],
)
def test_settings_must_be_possible(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **changes)  # type: ignore[arg-type]


@pytest.mark.slow
def test_there_are_names_for_ten_thousand_patients() -> None:
    *_, last = plan_pictures(replace(SMALL, patients={"train": 9_000, "test": 1_000}))
    assert last.path.name.startswith("phantom9999_")


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_traps_have_a_strength_from_0_to_1(value: float) -> None:
    with pytest.raises(ValueError, match=f"marker must be from 0 to 1, but is {value}"):
        Confounders(marker=value)


def test_a_place_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"can not be written to .*file .*Choose a folder that you may write to"):
        make(tmp_path / "file" / "set")

    def refuse(file: BinaryIO, _: bytes | str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", file.name)

    monkeypatch.setattr(files, "_write", refuse)
    with pytest.raises(PermissionError, match=r"\(Permission denied\)\. Choose a folder that you may write to"):
        make(tmp_path / "set")


def interrupt(monkeypatch: pytest.MonkeyPatch, after: int, failure: BaseException) -> None:
    """Let a write fail half-way, after so many whole files: half of the bytes are on the disk."""
    write, count = files._write, iter(range(10_000))

    def fail(file: BinaryIO, content: bytes | str) -> None:
        whole = next(count) < after
        write(file, content if whole else content[: len(content) // 2])
        if not whole:
            raise failure

    monkeypatch.setattr(files, "_write", fail)


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 1, 2, 9, 20])
@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["disk full", "Ctrl-C"]
)
def test_an_interrupted_call_is_continued_with_the_same_bytes(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException, after: int
) -> None:
    root, unfinished = tmp_path / "set", tmp_path / ".set-unfinished"
    with monkeypatch.context() as patched:
        interrupt(patched, after, failure)
        with pytest.raises(type(failure), match="disk .* is full .* call again" if after and failure.args else None):
            make(root)
    assert not root.exists()
    kept = contents(unfinished)
    assert len(kept) == after
    made: list[Picture] = []

    def count(*arguments: object) -> Picture:
        made.append(make_picture(*arguments))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr("course_lib.modalities.chest_xray.simulator.files.make_picture", count)
    assert contents(make(root)) == contents(whole)
    pictures = len(list(plan_pictures(SMALL)))
    assert len(made) == pictures - sum(name.endswith(".jpeg") for name in kept)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".set.lock", "set"]


def test_what_was_interrupted_is_not_continued_with_other_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        interrupt(patched, 9, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path / "set")
    kept = contents(tmp_path / ".set-unfinished")
    with pytest.raises(PhantomError, match=r'(?s)\.set-unfinished.*"size_px": 24.*wanted: .*"size_px": 25'):
        make(tmp_path / "set", replace(SMALL, size_px=25))
    assert contents(tmp_path / ".set-unfinished") == kept


@pytest.mark.parametrize(
    "place", ["thesis.txt", "train/NORMAL/thesis.jpeg", "masks/train/PNEUMONIA/.thesis.png.12ab34cd.part"]
)
def test_what_lies_where_the_course_works_but_is_not_its_own_stays(whole: Path, tmp_path: Path, place: str) -> None:
    archive = pack_dataset(whole, tmp_path / "set.zip")
    for folder, call in ((".set-unfinished", make), (".set-unpacking", lambda root: unpack_dataset(archive, root))):
        mine = tmp_path / folder / place
        mine.parent.mkdir(parents=True)
        mine.write_text("mine")
        with pytest.raises(DataError, match=rf"{re.escape(place)} is not the course's.*Move it away, and call again"):
            call(tmp_path / "set")
        assert mine.read_text() == "mine"
    assert not (tmp_path / "set").exists()


def test_what_a_killed_process_was_writing_is_removed_and_other_hidden_files_stay(tmp_path: Path) -> None:
    unfinished = tmp_path / ".set-unfinished"
    write_whole(unfinished / MANIFEST, json.dumps({"settings": SMALL.to_json()}))
    for name in (".manifest.json.12ab34cd.part", "train/NORMAL/.phantom0000_normal_1.jpeg.12ab34cd.part"):
        write_whole(unfinished / name, "")
    mine = write_whole(unfinished / ".film.12ab34cd.part", "mine")
    make(tmp_path / "set")
    left = [path.name for path in (tmp_path / "set").rglob(".*")]
    assert left == [mine.name]


SCRIPT = """
import sys
from pathlib import Path
from course_lib.modalities.chest_xray.simulator import Settings, make_dataset

if __name__ == "__main__":
    settings = Settings(patients={"train": 24, "test": 8}, size_px=48, seed=0)
    make_dataset(Path(sys.argv[1]), settings, workers=int(sys.argv[2]), progress=False)
"""
LONGER = Settings(patients={"train": 24, "test": 8}, size_px=48, seed=0)


def start(script: Path, root: Path, workers: int, text: str = SCRIPT) -> subprocess.Popen[str]:
    script.write_text(text, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(script), str(root), str(workers)],
        env={**os.environ, "PYTHONPATH": str(COURSE_ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc and sends SIGKILL")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_process_is_continued_and_leaves_no_worker(tmp_path: Path, workers: int) -> None:
    root, unfinished = tmp_path / "set", tmp_path / ".set-unfinished"
    process = start(tmp_path / "script.py", root, workers)
    until(lambda: len(list(unfinished.rglob("*.jpeg"))) >= 5 or process.poll() is not None)
    helpers = children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not root.exists()
    until(lambda: not any(_runs(pid) for pid in helpers))
    assert contents(make(root, LONGER)) == contents(make(tmp_path / "other", LONGER))


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.slow
def test_two_processes_that_start_at_once_make_it_once(tmp_path: Path) -> None:
    root = tmp_path / "set"
    processes = [start(tmp_path / f"{name}.py", root, 1) for name in "ab"]
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    waited = [out for out, _ in said if "Another process is making set. Waiting" in out]
    assert len(waited) <= 1
    assert check_dataset(root) == LONGER
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix != ".py") == [".set.lock", "set"]


@pytest.mark.slow
def test_a_script_without_a_guard_ends_with_a_sentence(tmp_path: Path) -> None:
    process = start(tmp_path / "script.py", tmp_path / "set", 2, SCRIPT.replace('__name__ == "__main__"', "True"))
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "A process that renders phantoms ended early" in errors
    assert "in a script, under `if __name__ == '__main__':`" in errors


@pytest.mark.slow
def test_nothing_is_left_running(tmp_path: Path) -> None:
    make(tmp_path / "set", workers=2)
    assert not multiprocessing.active_children()


def test_check_dataset_gives_the_settings_back(whole: Path) -> None:
    assert check_dataset(whole) == SMALL
    assert list(plan_pictures(check_dataset(whole))) == list(plan_pictures(SMALL))


def test_a_changed_a_missing_and_a_foreign_file_are_noticed(copy: Path) -> None:
    path = next(copy.glob("train/NORMAL/*.jpeg"))
    before = path.read_bytes()
    path.write_bytes(before[:-1])
    with pytest.raises(PhantomError, match=f"1 files in .* are missing, changed or one too many .*{path.name}"):
        check_dataset(copy)
    path.unlink()
    with pytest.raises(PhantomError, match=f"missing, changed or one too many .*{path.name}"):
        check_dataset(copy)
    path.write_bytes(before)
    (copy / "train" / ".DS_Store").touch()
    check_dataset(copy)
    (copy / "train" / "NORMAL" / "phantom0000_normal_9.jpeg").write_bytes(before)
    with pytest.raises(PhantomError, match=r"one too many .*phantom0000_normal_9.jpeg"):
        check_dataset(copy)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda content: content["settings"].update(seed=7), "was edited"),
        (lambda content: content["files"].popitem(), "was edited"),
        (lambda content: content.pop("files"), "was edited or is not finished"),
        (lambda content: content.update(files=[1, 2]), "was edited"),
        (lambda content: content.update(digest="0" * 64), "was edited"),
        (lambda content: content.pop("settings"), "not a set of phantoms: .*holds no settings"),
    ],
)
def test_an_edited_manifest_is_noticed(copy: Path, edit: Callable[[dict[str, object]], object], message: str) -> None:
    content = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    edit(content)
    (copy / MANIFEST).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(PhantomError, match=message):
        check_dataset(copy)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00\xff", "[" * 100_000])
def test_a_manifest_that_is_none(copy: Path, text: str) -> None:
    (copy / MANIFEST).write_text(text, encoding="latin-1")
    for use in (check_dataset, make):
        with pytest.raises(PhantomError, match=r"not a set of phantoms: manifest.json is missing or can not be read"):
            use(copy)


@pytest.mark.slow
def test_a_packed_set_comes_back_as_it_was(whole: Path, tmp_path: Path) -> None:
    archive = pack_dataset(whole, tmp_path / "set.zip")
    assert pack_dataset(make(tmp_path / "again"), tmp_path / "again.zip").read_bytes() == archive.read_bytes()
    root = unpack_dataset(archive, tmp_path / "out" / "set")
    assert contents(root) == contents(whole)
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*")}
    assert unpack_dataset(archive, root) == root
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*")} == before
    assert sorted(p.name for p in root.parent.iterdir()) == [".set.lock", "set"]


def test_a_folder_with_other_phantoms_is_not_taken_for_the_archive(whole: Path, tmp_path: Path) -> None:
    archive = pack_dataset(whole, tmp_path / "set.zip")
    other = make(tmp_path / "other", replace(SMALL, seed=3))
    with pytest.raises(PhantomError, match=r"other holds other phantoms than .*Remove that folder, and call again"):
        unpack_dataset(archive, other)


def test_only_a_whole_set_is_packed(copy: Path, tmp_path: Path) -> None:
    next(copy.glob("train/NORMAL/*.jpeg")).unlink()
    with pytest.raises(PhantomError, match="missing, changed or one too many"):
        pack_dataset(copy, tmp_path / "set.zip")
    assert not (tmp_path / "set.zip").exists()


def test_a_damaged_archive_is_refused_and_leaves_nothing(whole: Path, tmp_path: Path) -> None:
    archive = pack_dataset(whole, tmp_path / "set.zip")
    good = archive.read_bytes()
    rng = np.random.default_rng(0)
    spoilt = [b"", b"PK", good[:-30], good[: len(good) // 2], good[100:]]
    for place in rng.integers(0, int(0.8 * len(good)), size=12):
        changed = bytearray(good)
        changed[place : place + 20] = bytes(20 * [0xA5])
        spoilt.append(bytes(changed))
    for content in spoilt:
        archive.write_bytes(content)
        with pytest.raises(PhantomError, match=r"set\.zip is missing or damaged: .*Get the file again"):
            unpack_dataset(archive, tmp_path / "out" / "set")
        assert not (tmp_path / "out" / "set").exists()
        assert not (tmp_path / "out" / ".set-unpacking").exists()
    archive.unlink()
    with pytest.raises(PhantomError, match="missing or damaged"):
        unpack_dataset(archive, tmp_path / "out" / "set")


@pytest.mark.parametrize(
    "name",
    [
        "../escaped.jpeg",
        "/tmp/escaped.jpeg",
        "train/NORMAL/../../../escaped.jpeg",
        "train\\NORMAL\\phantom0001_normal_1.jpeg",
        "train/NORMAL/phantom0001_normal_1.exe",
        "train/NORMAL/phantom\u0660\u0660\u0660\u0661_normal_1.jpeg",
        "train/NORMAL/phantom0001_normal_1.jpeg\n",
        "train/NORMAL/",
    ],
)
def test_an_archive_with_strange_names_is_refused_before_anything_is_written(
    whole: Path, tmp_path: Path, name: str
) -> None:
    archive = pack_dataset(whole, tmp_path / "set.zip")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(zipfile.ZipInfo(name), b"")
    with pytest.raises(PhantomError, match="which is no part of a set of phantoms"):
        unpack_dataset(archive, tmp_path / "out" / "set")
    assert [p.name for p in tmp_path.iterdir()] == ["set.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile_archives_are_refused(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, out = tmp_path / "set.zip", tmp_path / "out"
    pack_dataset(whole, archive)
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("manifest.json", b"{}")
    with pytest.raises(PhantomError, match="holds a file twice"):
        unpack_dataset(archive, out)
    pack_dataset(whole, archive)
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_BZIP2) as file:
        file.writestr("train/NORMAL/phantom9999_normal_1.jpeg", b"x" * 100)
    with pytest.raises(PhantomError, match="packed in another way"):
        unpack_dataset(archive, out)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("manifest.json", bytes(60_000_000))
    with pytest.raises(PhantomError, match="it would grow to 60 MB"):
        unpack_dataset(archive, out)
    pack_dataset(whole, archive)
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("train/NORMAL/phantom9999_normal_1.jpeg", b"not in the manifest")
    with pytest.raises(PhantomError, match="one too many"):
        unpack_dataset(archive, out)
    assert not out.exists()
    pack_dataset(whole, archive)
    monkeypatch.setattr(shipping, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(PhantomError, match="it would grow to"):
        unpack_dataset(archive, out)


def test_an_archive_for_which_there_is_no_room(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = pack_dataset(whole, tmp_path / "set.zip")
    with monkeypatch.context() as patched:
        interrupt(patched, 9, OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(OSError, match=r"is full \(No space left on device\)\. Free some space and call again"):
            unpack_dataset(archive, tmp_path / "set")
    assert contents(unpack_dataset(archive, tmp_path / "set")) == contents(whole)


@cache
def pictures_with(**traps: float) -> list[tuple[bool, Picture]]:
    """Whether the patient is sick, and the picture, for some dozen pictures with these traps."""
    settings = replace(SMALL, patients={"train": 24}, size_px=48, confounders=Confounders(**traps))
    return [(planned.patient.kind != "normal", make_picture(settings, planned)) for planned in plan_pictures(settings)]


def opened(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.file))


def quantisation(picture: Picture) -> float:
    return float(sum(opened(picture).quantization[0]))  # type: ignore[attr-defined]


def height(picture: Picture) -> float:
    return float(opened(picture).height)


def darkest(picture: Picture) -> float:
    return float(np.quantile(np.asarray(opened(picture)), 0.02))


def overlap(values: list[tuple[bool, float]]) -> bool:
    """Is there no threshold on the value that tells the sick from the healthy?"""
    sick, well = ([value for label, value in values if label == which] for which in (True, False))
    return not (max(sick) < min(well) or max(well) < min(sick))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trap", "value"), [("jpeg_quality", quantisation), ("image_size", height), ("exposure", darkest)]
)
def test_a_trap_gives_the_label_away_by_itself_and_only_when_it_is_set(
    trap: str, value: Callable[[Picture], float]
) -> None:
    assert not overlap([(sick, value(picture)) for sick, picture in pictures_with(**{trap: 1.0})])
    assert overlap([(sick, value(picture)) for sick, picture in pictures_with()])
    assert overlap([(sick, value(picture)) for sick, picture in pictures_with(**{trap: 0.5})])


@pytest.mark.slow
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_the_marker_gives_the_label_away(monkeypatch: pytest.MonkeyPatch, strength: float) -> None:
    marked: list[bool] = []

    def watch(patient: Patient, exposure: Exposure, size_px: int) -> object:
        image, mask = render(patient, exposure, size_px)
        without, _ = render(patient, replace(exposure, marker=(0.0, 0.0, 0.0)), size_px)
        marked.append(not np.array_equal(image, without))
        return image, mask

    monkeypatch.setattr("course_lib.modalities.chest_xray.simulator.plan.render", watch)
    pictures_with.cache_clear()
    told = [sick == (not mark) for (sick, _), mark in zip(pictures_with(marker=strength), marked, strict=True)]
    assert all(told) == (strength == 1.0)
    assert strength == 0 or np.mean(told) > 0.6


@pytest.mark.slow
def test_a_trap_changes_nothing_else() -> None:
    plain, trapped = pictures_with(), pictures_with(jpeg_quality=1.0)
    assert [picture.path for _, picture in plain] == [picture.path for _, picture in trapped]
    assert [picture.mask for _, picture in plain] == [picture.mask for _, picture in trapped]


def patients_in(settings: Settings) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {split: set() for split in settings.patients}
    for planned in plan_pictures(settings):
        found[planned.path.parts[0]].add(planned.path.name.split("_")[0])
    return found


@pytest.mark.parametrize("sizes", [{"train": 40, "val": 8, "test": 20}, {"train": 3, "val": 4, "test": 11}])
def test_patients_of_train_are_filmed_again_when_the_trap_is_set(sizes: dict[str, int]) -> None:
    settings = replace(SMALL, patients=sizes)
    apart = patients_in(settings)
    assert not apart["train"] & apart["test"]
    assert not apart["val"] & (apart["train"] | apart["test"])
    leaking = replace(settings, confounders=Confounders(patient_reuse=1.0))
    found = patients_in(leaking)
    assert found["test"] | found["val"] <= found["train"]
    names = [planned.path.name for planned in plan_pictures(leaking)]
    assert len(set(names)) == len(names)
    classes = {planned.path.parts[:2] for planned in plan_pictures(leaking)}
    assert len(classes) == 6
    anatomy: dict[str, Patient] = {}
    for planned in plan_pictures(leaking):
        assert anatomy.setdefault(planned.path.name[:11], planned.patient) == planned.patient
    if sizes["train"] == 40:
        half = patients_in(replace(settings, confounders=Confounders(patient_reuse=0.5)))
        assert 4 <= len(half["test"] & half["train"]) <= 16


def test_filming_again_needs_somebody_to_film() -> None:
    alone = replace(SMALL, patients={"test": 4})
    assert patients_in(replace(alone, confounders=Confounders(patient_reuse=1.0))) == patients_in(alone)


@pytest.mark.slow
def test_a_set_with_traps_can_be_made_and_checked(tmp_path: Path) -> None:
    settings = replace(SMALL, confounders=Confounders(1.0, 1.0, 1.0, 1.0, 1.0))
    assert check_dataset(make(tmp_path / "set", settings)) == settings
    with pytest.raises(PhantomError, match="other settings"):
        make(tmp_path / "set")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not phantom.QUICK_ARCHIVE.is_file():
        pytest.skip(f"{phantom.QUICK_ARCHIVE.name} is not made yet: python -m course_lib.authoring phantoms")
    return unpack_dataset(phantom.QUICK_ARCHIVE, tmp_path_factory.mktemp("shipped") / "quick")


@pytest.mark.slow
def test_the_set_of_the_course_is_what_its_settings_give(shipped: Path) -> None:
    plan = list(plan_pictures(phantom.QUICK_SET))
    assert check_dataset(shipped) == phantom.QUICK_SET
    assert {p.path.as_posix() for p in plan} == {
        p.relative_to(shipped).as_posix() for p in shipped.glob("*/*/*.jpeg")
    }, "the simulator draws other patients than the archive holds: make it anew"
    for index in np.random.default_rng(0).choice(len(plan), size=12, replace=False):
        picture = make_picture(phantom.QUICK_SET, plan[index])
        with Image.open(shipped / picture.path) as there, opened(picture) as now:
            assert there.size == now.size
            difference = np.abs(np.asarray(there, dtype=float) - np.asarray(now, dtype=float)).mean()
            assert difference < 1, f"{picture.path} is rendered otherwise today: make the archive anew"
        if picture.mask is not None:
            changed = read_mask(shipped / picture.path) != np.asarray(Image.open(io.BytesIO(picture.mask)))
            assert changed.mean() < 0.01


def test_the_set_of_the_course_is_small_and_shares_no_patient(shipped: Path) -> None:
    assert phantom.QUICK_ARCHIVE.stat().st_size <= shipping.MAX_QUICK_BYTES
    splits = {split: read_split(shipped, split)[0] for split in ("train", "val", "test")}
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        check_patients_apart(splits[one], splits[other], (one, other))
    assert {split: len({r.patient for r in images}) for split, images in splits.items()} == phantom.QUICK_SET.patients
