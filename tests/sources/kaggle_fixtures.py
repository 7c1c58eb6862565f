"""What the tests of the download share: a small data card, a stand-in that serves it, and a learner's home."""

import io
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from course_lib.sources import dataset_card, kaggle_dataset
from course_lib.sources.archive import verify
from course_lib.sources.dataset_card import CARDS_FOLDER, DatasetCard, load_card
from course_lib.sources.download import DownloadError, Patience
from course_lib.support.errors import DataError
from course_lib.support.runtime import COURSE_ROOT
from tests.sources.kaggle_stand_in import StandIn, running
from tests.sources.xray_archive import write_archive

TOKEN = "KGAT_5ecret0123456789abcdef0123456789"
SECRETS = (TOKEN, "5ecret", "s3cr3t")  # the token, a part of it, and the signature of the storage address
QUICK = Patience(tries=2, pause_seconds=0.01, silence_seconds=1.0, longest_wait_seconds=2.0)
SMALL_COUNTS = {
    "train": {"NORMAL": 12, "PNEUMONIA": 16},
    "val": {"NORMAL": 2, "PNEUMONIA": 2},
    "test": {"NORMAL": 4, "PNEUMONIA": 6},
}
NOBODYS_PROXY = "http://127.0.0.1:9"
FAULT_TABLE = COURSE_ROOT / "build" / "faults.md"


@dataclass
class Learner:
    """A learner's computer: home, cache, the stand-in that answers it, and the small card."""

    home: Path
    cache: Path
    world: StandIn
    card: DatasetCard
    capture: pytest.CaptureFixture[str]
    log: pytest.LogCaptureFixture

    @property
    def archive(self) -> Path:
        return self.home / "served.zip"

    @property
    def target(self) -> Path:
        return self.cache / self.card.slug

    def fetch(self) -> Path:
        return kaggle_dataset.fetch_dataset(self.card.slug, patience=QUICK)

    def refused(self, expected: str, remedy: str) -> str:
        """What the call says when it fails; holds the sentence and the remedy, and no secret anywhere."""
        try:
            self.fetch()
        except (DownloadError, DataError) as error:
            said, trace = str(error), "".join(traceback.format_exception(error))
        else:
            pytest.fail("nothing was refused")
        seen = "".join(self.capture.readouterr()) + self.log.text + trace
        assert not [secret for secret in SECRETS if secret in seen], seen
        assert re.search(expected, said), said
        assert re.search(remedy, said), said
        assert not self.target.exists()
        return said

    def succeeds(self) -> None:
        """All is well again, and the next call works."""
        self.world.repair()
        write_archive(self.archive, self.card)
        folder = self.fetch()
        assert verify(folder, self.card) == sum(sum(n.values()) for n in SMALL_COUNTS.values())
        assert not [path for path in self.cache.iterdir() if path.name.endswith(".unpacking")]
        seen = "".join(self.capture.readouterr()) + self.log.text
        assert not [secret for secret in SECRETS if secret in seen], seen


def small_card(folder: Path) -> DatasetCard:
    """The card of the chest X-rays, with counts for a handful of images."""
    text = (CARDS_FOLDER / "chest-xray-pneumonia.toml").read_text(encoding="utf-8").split("[counts.train]")[0]
    for split, classes in SMALL_COUNTS.items():
        text += f"[counts.{split}]\n" + "".join(f"{name} = {n}\n" for name, n in classes.items())
    folder.mkdir(exist_ok=True)
    (folder / "chest-xray-pneumonia.toml").write_text(text, encoding="utf-8")
    return load_card("chest-xray-pneumonia")


def point_client_at(world: StandIn, setenv: Callable[[str, str], None]) -> None:
    """Let the real client, here and in every process started from here, speak with the stand-in."""
    setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
    for name in ("HTTP_PROXY", "http_proxy"):
        setenv(name, world.url)
    for name in ("NO_PROXY", "no_proxy"):
        setenv(name, "127.0.0.1")  # not localhost, which the client takes for Kaggle


@pytest.fixture
def learner(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Learner]:
    """A learner with a token that is accepted, and nothing downloaded yet."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(dataset_card, "CARDS_FOLDER", tmp_path / "cards")
    card = small_card(tmp_path / "cards")
    archive = write_archive(home / "served.zip", card)
    caplog.set_level(logging.DEBUG)
    with running(StandIn({card.handle: lambda: archive}, tokens={TOKEN})) as world:
        for name in ("COURSE_DATA", "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("USERPROFILE", str(home))
        monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
        point_client_at(world, monkeypatch.setenv)
        yield Learner(home, tmp_path / "cache", world, card, capsys, caplog)


@pytest.fixture(scope="session")
def fault_table() -> Iterator[Callable[[str, str], None]]:
    """Takes a fault and what was printed; at the end the table is in build/faults.md."""
    rows: dict[str, str] = {}
    yield rows.__setitem__
    text = io.StringIO()
    text.write("| fault | what the learner reads |\n|---|---|\n")
    for fault, said in rows.items():
        text.write(f"| {fault} | {said} |\n")
    FAULT_TABLE.parent.mkdir(exist_ok=True)
    FAULT_TABLE.write_text(text.getvalue(), encoding="utf-8")


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]
