"""Pixels that are decoded once: the same as from the files, whatever happens to the cache."""

import errno
import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from course_lib.data import pixel_cache as pixels
from course_lib.data.augmentation import Augmentation
from course_lib.data.image_file import open_grey
from course_lib.data.image_folder import read_split
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import ImageDataset, LabelledImage
from course_lib.data.transforms import Geometry, Preprocessing, evaluation_transform, training_transform
from course_lib.support import locks
from course_lib.support.errors import DataError
from course_lib.support.own_files import HEADER_BYTES
from course_lib.support.runtime import seeded
from course_lib.training.inference import predict

HOW = Preprocessing(32)
EVERY = torch.arange(32)


@pytest.fixture
def radiographs(folder: Path) -> list[LabelledImage]:
    return read_split(folder, "train")[0]


@pytest.fixture
def cold(tmp_path: Path) -> Path:
    return tmp_path / "pixels"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Grows by every file that is decoded."""
    seen: list[Path] = []

    def open_and_note(path: Path, at_least: int | None = None) -> Image.Image:
        seen.append(path)
        return open_grey(path, at_least)

    monkeypatch.setattr(pixels, "open_grey", open_and_note)
    return seen


def cache_of(radiographs: list[LabelledImage], folder: Path, how: Preprocessing = HOW) -> PixelCache:
    return PixelCache(radiographs, ("NORMAL", "PNEUMONIA"), how, folder=folder)


def only_file(folder: Path) -> Path:
    (file,) = folder.glob("*.pixels")
    return file


@pytest.mark.slow
@pytest.mark.parametrize("geometry", ["crop", "pad", "squeeze"])
@pytest.mark.parametrize("normalisation", ["fixed", "per image", "by rank"])
def test_small_images_are_bit_for_bit_what_their_own_chain_gives(
    radiographs: list[LabelledImage], cold: Path, geometry: Geometry, normalisation: str
) -> None:
    how = Preprocessing(32, geometry, normalisation=normalisation)  # type: ignore[arg-type]
    cache = cache_of(radiographs, cold, how)
    files = ImageDataset(radiographs, cache.classes, evaluation_transform(how))
    chosen = torch.tensor([31, 4, 4, 0])
    assert torch.equal(cache.inputs(chosen), files.inputs(chosen))
    assert torch.equal(cache[5][0], files[5][0])
    assert (cache[31][1], cache[-1][1], len(cache)) == (1, 1, 32)
    assert (cache.labels, cache.patients) == (files.labels, files.patients)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("geometry", ["crop", "pad", "squeeze"])
def test_a_large_jpeg_decoded_small_differs_by_few_grey_levels(
    tmp_path: Path, cold: Path, mode: str, geometry: Geometry
) -> None:
    """At most 2 grey levels on average, for soft shapes with much grain and a sharp edge; real X-rays are smoother."""
    random = np.random.default_rng(0)
    soft = Image.fromarray(random.integers(0, 255, (12, 15), dtype=np.uint8)).resize((1500, 1200))
    grainy = (np.asarray(soft) + random.normal(0, 4, (1200, 1500))).clip(0, 255).astype(np.uint8)
    grainy[100:300, 100:200] = 255
    Image.fromarray(grainy).convert(mode).save(tmp_path / "large.jpeg", quality=95)
    how = Preprocessing(224, geometry)
    cache = cache_of([LabelledImage(tmp_path / "large.jpeg", 0, "a")], cold, how)
    whole = evaluation_transform(how)(open_grey(tmp_path / "large.jpeg"))
    levels = (cache[0][0] - whole).abs() * 0.25 * 255
    assert 0 < levels.mean() < 2


def test_augmentation_is_that_of_the_files_own_chain(radiographs: list[LabelledImage], cold: Path) -> None:
    changed = PixelCache(radiographs, ("NORMAL", "PNEUMONIA"), HOW, Augmentation(), folder=cold)
    with seeded(3):
        item = changed[7][0]
    with seeded(3):
        assert torch.equal(item, training_transform(HOW)(open_grey(radiographs[7].path)))
    assert not torch.equal(changed.inputs(EVERY), changed.inputs(EVERY))


def test_every_image_is_decoded_once(radiographs: list[LabelledImage], cold: Path, decoded: list[Path]) -> None:
    first = cache_of(radiographs, cold)
    second = PixelCache(radiographs, first.classes, HOW, Augmentation(), folder=cold)
    assert len(decoded) == 32
    assert len(second) == 32
    assert set(cold.iterdir()) == {only_file(cold), cold / ".pixels.lock"}


def test_taking_some_shares_the_file(radiographs: list[LabelledImage], cold: Path, decoded: list[Path]) -> None:
    cache = cache_of(radiographs, cold)
    part = cache.take([30, 2]).take([1, 0, 0])
    assert isinstance(part, PixelCache)
    assert torch.equal(part.inputs(torch.tensor([0, 1, 2])), cache.inputs(torch.tensor([2, 30, 30])))
    assert part.labels == [0, 1, 1]
    assert len(decoded) == 32
    assert len(cache) == 32
    with pytest.raises(DataError, match="at least one image"):
        cache.take([])


def test_prediction_and_the_loader_with_workers_take_it(radiographs: list[LabelledImage], cold: Path) -> None:
    cache = cache_of(radiographs, cold)
    images, labels = next(iter(DataLoader(cache, batch_size=32, num_workers=1)))
    assert torch.equal(images, cache.inputs(EVERY))
    assert labels.tolist() == cache.labels
    assert torch.equal(pickle.loads(pickle.dumps(cache)).inputs(EVERY), images)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 2))
    assert len(predict(model, cache).labels) == 32


@pytest.mark.parametrize("change", ["time", "size", "order", "geometry", "side"])
def test_what_is_stale_is_not_used(
    radiographs: list[LabelledImage], cold: Path, decoded: list[Path], change: str
) -> None:
    cache_of(radiographs, cold)
    how = HOW
    if change == "time":
        os.utime(radiographs[3].path, (1, 1))
    elif change == "size":
        found = radiographs[3].path.stat()
        radiographs[3].path.write_bytes(radiographs[4].path.read_bytes() + b"more")
        os.utime(radiographs[3].path, ns=(found.st_atime_ns, found.st_mtime_ns))
    elif change == "order":
        radiographs = radiographs[::-1]
    else:
        how = Preprocessing(32, "pad") if change == "geometry" else Preprocessing(16)
    cache = cache_of(radiographs, cold, how)
    assert len(decoded) == 64
    assert torch.equal(cache[3][0], evaluation_transform(how)(open_grey(radiographs[3].path, how.size)))


@pytest.mark.parametrize("damage", ["bit", "short", "long", "header", "empty", "foreign"])
def test_a_damaged_file_is_noticed_and_made_anew(
    radiographs: list[LabelledImage], cold: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    expected = cache_of(radiographs, cold).inputs(EVERY)
    file = only_file(cold)
    content = bytearray(file.read_bytes())
    content[{"header": 70}.get(damage, HEADER_BYTES + 12_345)] ^= 1
    new = {"short": bytes(content[:-1]), "long": bytes(content) + b"0", "empty": b"", "foreign": b"x" * len(content)}
    file.unlink()  # a file of its own, since the first cache still has the old one open
    file.write_bytes(new.get(damage, bytes(content)))
    assert torch.equal(cache_of(radiographs, cold).inputs(EVERY), expected)
    assert capsys.readouterr().out == f"The pixels in {file} are damaged. They are read anew from the images.\n"
    cache_of(radiographs, cold)
    assert not capsys.readouterr().out


SLOWLY = """
import os, sys, time
from pathlib import Path
from course_lib.data import pixel_cache as pixels
from course_lib.data import open_grey, read_split
from course_lib.data import Preprocessing

def open_slowly(path, at_least=None):
    os.write(1, b"decoding\\n")  # whole: several threads print at once
    while not Path(sys.argv[3]).exists():
        time.sleep(0.01)
    return open_grey(path, at_least)

pixels.open_grey = open_slowly
pixels.PixelCache(*read_split(Path(sys.argv[1]), "train"), Preprocessing(32), folder=Path(sys.argv[2]))
"""


@contextmanager
def another_process(folder: Path, cold: Path, go: Path) -> Iterator[subprocess.Popen[str]]:
    """One that has begun to decode the images of `folder`, and goes on when there is a file ``go``."""
    command = [sys.executable, "-c", SLOWLY, str(folder), str(cold), str(go)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "decoding\n"
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_two_processes_at_once_decode_once(
    folder: Path, cold: Path, radiographs: list[LabelledImage], decoded: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def let_it_go_on(words: str, **_: object) -> None:
        said.append(words)
        (folder / "go").touch()

    monkeypatch.setattr(locks, "print", let_it_go_on, raising=False)
    monkeypatch.setattr(pixels, "SILENT_SECONDS", 0.2)
    with another_process(folder, cold, folder / "go") as process:
        cache = cache_of(radiographs, cold)
        assert process.stdout  # not communicate, which loses what readline has read ahead
        assert process.stdout.read().count("decoding") == 31  # and the one that was waited for
    assert said == ["Another process is reading images too. Waiting for it to finish."]
    assert not decoded
    assert torch.equal(cache[3][0], evaluation_transform(HOW)(open_grey(radiographs[3].path)))


@pytest.mark.slow
def test_what_a_killed_process_leaves_does_not_count(
    folder: Path, cold: Path, radiographs: list[LabelledImage], decoded: list[Path]
) -> None:
    with another_process(folder, cold, folder / "never") as process:
        process.kill()
        process.wait()
    assert list(cold.glob("*.part"))
    assert not list(cold.glob("*.pixels"))
    cache_of(radiographs, cold)
    assert len(decoded) == 32
    assert not list(cold.glob("*.part"))


def test_an_unreadable_image_is_named_and_nothing_is_left(radiographs: list[LabelledImage], cold: Path) -> None:
    radiographs[9].path.write_bytes(b"no image")
    with pytest.raises(DataError, match=rf"{radiographs[9].path.name} is no JPEG or PNG"):
        cache_of(radiographs, cold)
    assert [file.name for file in cold.iterdir()] == [".pixels.lock"]
    radiographs[9].path.unlink()
    with pytest.raises(DataError, match=rf"{radiographs[9].path.name} can not be read"):
        cache_of(radiographs, cold)


@pytest.mark.parametrize("when", ["before", "while writing"])
def test_a_full_disk_is_said(
    radiographs: list[LabelledImage], cold: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def fill(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if when == "before":
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    else:
        monkeypatch.setattr(pixels, "progress", fill)
    with pytest.raises(DataError, match=r"can not be kept in .*No space left.*Free some space, or set COURSE_CACHE"):
        cache_of(radiographs, cold)
    assert [file.name for file in cold.iterdir()] == [".pixels.lock"]


def test_a_folder_that_can_not_be_written_is_said(radiographs: list[LabelledImage], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"can not be kept in .*Make it writable, or set COURSE_CACHE"):
        cache_of(radiographs, tmp_path / "file" / "pixels")


def test_those_unused_for_longest_go_first(
    radiographs: list[LabelledImage], cold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = HEADER_BYTES + 8 * 32**2
    monkeypatch.setattr(pixels, "MOST_BYTES", 2 * one)
    parts = [radiographs[start : start + 8] for start in (0, 8, 16)]
    files: list[Path] = []
    for age, part in ((30, parts[0]), (20, parts[1])):
        cache_of(part, cold)
        (new,) = set(cold.glob("*.pixels")) - set(files)
        os.utime(new, (time.time() - age,) * 2)
        files.append(new)
    cache_of(parts[0], cold)  # used again
    cache_of(parts[2], cold)
    assert files[0].exists()
    assert not files[1].exists()
    assert len(list(cold.glob("*.pixels"))) == 2


def test_other_files_in_the_folder_stay(
    radiographs: list[LabelledImage], cold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "MOST_BYTES", 1)
    names = ["film.part", ".film.part", "below/.film.12345678.part", "mine.pixels", "a" * 64 + ".pixels", "lock"]
    for name in names:
        (cold / name).parent.mkdir(parents=True, exist_ok=True)
        (cold / name).write_text(f"my {name}")
        os.utime(cold / name, (1, 1))
    cache_of(radiographs[:8], cold)
    cache_of(radiographs[8:16], cold)
    assert [(cold / name).read_text() for name in names] == [f"my {name}" for name in names]
    assert len(list(cold.iterdir())) == 6 + 2, "of its own files, the lock and the newest"


LEFT_BYTES = [0, 10, HEADER_BYTES, HEADER_BYTES + 1, HEADER_BYTES + 2 * 32**2 + 5, HEADER_BYTES + 31 * 32**2]


@pytest.mark.skipif(os.name != "posix", reason="on Windows nobody can cut an open file")
@pytest.mark.parametrize("left", LEFT_BYTES)
def test_a_file_that_is_cut_short_while_it_is_in_use_ends_in_a_sentence(
    radiographs: list[LabelledImage], cold: Path, left: int
) -> None:
    cache = cache_of(radiographs, cold)
    expected = cache.inputs(EVERY)
    os.truncate(only_file(cold), left)
    with pytest.raises(DataError, match=r"were cut short while they were in use. Make the PixelCache once more"):
        cache.inputs(EVERY)
    assert torch.equal(cache_of(radiographs, cold).inputs(EVERY), expected)


@pytest.mark.parametrize("call", ["preadv", "none"])
def test_any_rows_in_any_order_are_those_of_the_images(
    radiographs: list[LabelledImage], cold: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    if call == "none":
        monkeypatch.delattr(os, "preadv", raising=False)  # as on Windows
    cache, random = cache_of(radiographs, cold), torch.Generator().manual_seed(0)
    whole = torch.cat([cache.inputs(row) for row in EVERY.split(1)])  # type: ignore[no-untyped-call]
    choices = [EVERY, EVERY.flip(0), torch.tensor([3, 4, 5, 5, 6, 0, 1, 31]), EVERY[:0], EVERY % 2 == 0]
    for rows in [*choices, *(torch.randint(0, 32, (20,), generator=random) for _ in range(20))]:
        assert torch.equal(cache.inputs(rows), whole[rows])


def test_a_name_in_another_encoding_is_read_and_named(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        shutil.copytree(folder, place)
    except OSError:
        pytest.skip("this system has no such names")
    samples = read_split(place, "train")[0]
    cache = cache_of(samples, place / "pixels")
    assert torch.equal(cache[3][0], evaluation_transform(HOW)(open_grey(samples[3].path)))
    with only_file(place / "pixels").open("ab") as file:
        file.write(b"more")
    cache_of(samples, place / "pixels")
    samples[0].path.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"caf.udce9") as refused:
        cache_of(samples, place / "pixels")
    str(refused.value).encode()
    samples[0].path.unlink()
    with pytest.raises(DataError, match=r"caf.udce9") as refused:
        cache_of(samples, place / "pixels")
    str(refused.value).encode()
