"""Two processes under torchrun learn what one learns, and share out the patients."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import distributed as dist

from course_lib.support.errors import TrainingError
from course_lib.support.runtime import COURSE_ROOT
from course_lib.training import parallel
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.trainer import batches_of
from tests.memory_data import MemoryData
from tests.training_run import make_net, run


@pytest.fixture(scope="module")
def in_two_processes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    result = tmp_path_factory.mktemp("torchrun") / "result.json"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "-m", "tests.training_run", str(result), "--nets", "plain", "batch-norm"]
    with subprocess.Popen(command, cwd=COURSE_ROOT, stderr=subprocess.PIPE, text=True) as child:
        try:
            _, words = child.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            child.terminate()  # torchrun then ends its processes too
            raise
    assert child.returncode == 0, words
    found: dict[str, Any] = json.loads(result.read_text())
    return found


@pytest.mark.slow
def test_two_processes_learn_the_same_weights_as_one(in_two_processes: dict[str, Any]) -> None:
    alone, together = run("plain"), in_two_processes["plain"]
    np.testing.assert_allclose(together["weights"], alone["weights"], atol=1e-5)
    for name in ("train_loss", "validation_loss", "validation_score"):
        np.testing.assert_allclose(together["history"][name], alone["history"][name], atol=1e-5)


@pytest.mark.slow
def test_batch_norm_over_parts_of_batches_learns_as_well(in_two_processes: dict[str, Any]) -> None:
    alone, together = (
        result["history"]["validation_score"][-1] for result in (run("batch-norm"), in_two_processes["batch-norm"])
    )
    assert min(alone, together) > 0.9
    assert together == pytest.approx(alone, abs=0.05)


def as_process(monkeypatch: pytest.MonkeyPatch, number: int, of: int) -> None:
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_world_size", lambda: of)
    monkeypatch.setattr(dist, "get_rank", lambda: number)


def test_no_image_is_learned_twice_in_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    for number in range(3):
        as_process(monkeypatch, number, 3)
        for batch in batches_of(MemoryData(46), TrainConfig(batch_size=8), epoch=0):
            seen += parallel.share_of(batch).tolist()
    assert sorted(seen) == sorted(set(seen))
    assert len(seen) == 46


@pytest.mark.parametrize("images", [64, 65, 66, 67, 75, 95])
def test_the_batches_of_two_processes_are_those_of_one(images: int, monkeypatch: pytest.MonkeyPatch) -> None:
    config, data = TrainConfig(batch_size=16), MemoryData(images)
    alone = [batch.tolist() for batch in batches_of(data, config, epoch=1)]
    monkeypatch.setattr("course_lib.training.trainer.processes", lambda: 2)
    assert [batch.tolist() for batch in batches_of(data, config, epoch=1)] == alone


def test_each_patient_is_predicted_by_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    data, model = MemoryData(21), make_net("plain")
    alone = predict(model, data)
    parts: list[Any] = []

    def keep(part: Any) -> list[Any]:
        parts.append(part)
        return parts

    for number in range(3):
        as_process(monkeypatch, number, 3)
        monkeypatch.setattr(parallel, "_gather", keep)
        together = parallel.predict_together(model, data)
    patients = [set(part.patients) for _, part in parts]
    assert set.union(*patients) == set(data.patients)
    assert sum(map(len, patients)) == len(set(data.patients))
    assert together.files == alone.files
    np.testing.assert_allclose(together.probabilities, alone.probabilities, atol=1e-6)
    assert (together.labels == alone.labels).all()


def test_processes_with_other_data_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_gather", lambda mine: [mine, {**mine, "training images": "7"}])
    with pytest.raises(TrainingError, match=r"Process 1 differs from the first:\n  training images: 8 there, 7 here"):
        parallel.check_alike({"training images": "8"})


def test_alone_there_is_nothing_to_share() -> None:
    with parallel.distributed() as device:
        assert device.type in {"cpu", "cuda", "mps"}
    assert (parallel.processes(), parallel.rank()) == (1, 0)
    assert torch.equal(parallel.share_of(torch.arange(5)), torch.arange(5))


def test_a_program_meets_its_processes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setattr(parallel, "_has_left", True)
    with pytest.raises(TrainingError, match="once in a program"), parallel.distributed():
        pass
