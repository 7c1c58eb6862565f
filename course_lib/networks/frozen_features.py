"""What a frozen network sees in each image, computed once; a classifier on top of that trains in seconds."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from course_lib.data.samples import LabelledData, preparation_of
from course_lib.evaluation.predictions import Predictions
from course_lib.networks.backbones import head_of
from course_lib.networks.modes import evaluating
from course_lib.support.foreign import printable
from course_lib.support.identity import fingerprint, fingerprint_of_network
from course_lib.support.own_files import HEADER_BYTES, OwnFiles
from course_lib.support.runtime import cache_folder, expanded, progress

BATCH = 64
KEPT_FILES = 32  #: in the cache; the ones that were not used for longest make room


@dataclass(frozen=True, eq=False)
class Features:
    """What the head of a network would have been given for each image."""

    values: NDArray[np.float32]  #: [images, features]
    labels: NDArray[np.int64]  #: [images], index of the true class
    patients: NDArray[np.str_]  #: [images]
    files: tuple[str, ...]  #: names, in the same order
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.int64]) -> "Features":
        """The features of some images, in the order of ``indices``."""
        return replace(
            self,
            values=self.values[indices],
            labels=self.labels[indices],
            patients=self.patients[indices],
            files=tuple(self.files[i] for i in indices),
        )


def features(
    model: nn.Module, data: LabelledData, *, device: torch.device | str = "cpu", folder: Path | str | None = None
) -> Features:
    """What the model's head would be given for every image: the model in evaluation mode, without its head.

    Computed once: the values are kept in ``folder`` (by default ``features`` in ``COURSE_CACHE``, or in ``build``),
    under a key that changes with the weights, the files and their preprocessing. The model is left in the mode it was
    in. In the folder nothing is changed or deleted but such files.

    Raises:
        ValueError: the data change from one look to the next (random augmentation), so that one look is not enough;
            or the model has no head that `head_of` knows.
        OSError: the folder can not be written; the message says what to do.
    """
    files = OwnFiles(expanded(folder) if folder else cache_folder("features"), "features of images", ".features")
    key = _key(model, data)
    values = _read(files, key, len(data))
    if values is None:
        values = _compute(model, data, device)
        _write(files, key, values)
    return Features(
        values=values,
        labels=np.array(data.labels),
        patients=np.array(data.patients),
        files=tuple(radiograph.path.name for radiograph in data.samples),
        classes=data.classes,
    )


def linear_probe(train: Features, *, regularisation: float = 1.0) -> Pipeline:
    """A logistic regression on standardised features: the head, trained to the end, with the network left as it is.

    ``regularisation`` weighs the squares of the coefficients against the sum of the losses; with few patients take
    more. The same features, the same probe.

    Raises:
        ValueError: a class has no image, or ``regularisation`` is not above 0.

    Source: Alain and Bengio, Understanding intermediate layers using linear classifier probes, arXiv:1610.01644.
    """
    if not regularisation > 0:
        raise ValueError(f"regularisation must be above 0, but is {regularisation}.")
    if missing := [name for label, name in enumerate(train.classes) if label not in train.labels]:
        raise ValueError(
            f"A probe needs images of every class, but has none of {', '.join(missing)}. Take more images."
        )
    probe: Pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=1 / regularisation, max_iter=2000))
    return probe.fit(train.values.astype(np.float64), train.labels)


def probe_predictions(probe: Pipeline, of: Features) -> Predictions:
    """What a probe says about each image; every metric and figure of the course takes it.

    Raises:
        ValueError: the probe was trained on features of another network.
    """
    if probe.n_features_in_ != of.values.shape[1]:
        raise ValueError(
            f"The probe was trained on {probe.n_features_in_} features per image, but got {of.values.shape[1]}. "
            "Compute both with the same network."
        )
    probabilities = probe.predict_proba(of.values.astype(np.float64))
    return Predictions(probabilities, of.labels, of.patients, of.files, of.classes)


def _compute(model: nn.Module, data: LabelledData, device: torch.device | str) -> NDArray[np.float32]:
    collected: list[torch.Tensor] = []

    def collect(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        collected.append(inputs[0].flatten(1).float().cpu())

    hook = head_of(model).register_forward_pre_hook(collect)
    model.to(device)
    batches = torch.arange(len(data)).split(BATCH)  # type: ignore[no-untyped-call]
    try:
        with evaluating(model), torch.inference_mode():
            for chosen in progress(batches, "Computing features", "batch"):
                model(data.inputs(chosen, device))
    finally:
        hook.remove()
    values: NDArray[np.float32] = torch.cat(collected).numpy()
    return values


def _key(model: nn.Module, data: LabelledData) -> str:
    """SHA-256 over all that the values follow from: the network, its weights, and the images as it sees them."""
    head = {id(values) for values in head_of(model).state_dict(keep_vars=True).values()}
    weights = {
        name: values.detach()
        for name, values in model.state_dict(keep_vars=True).items()
        if isinstance(values, torch.Tensor) and id(values) not in head
    }
    files = [(path.resolve(), path.stat().st_size, path.stat().st_mtime_ns) for path in (s.path for s in data.samples)]
    return fingerprint((fingerprint_of_network(model), weights, files, preparation_of(data), _look(data)))


def _look(data: LabelledData) -> torch.Tensor:
    """The first and the last image as a network sees them, which is what tells most about the preprocessing."""
    ends, generator = torch.tensor([0, len(data) - 1]), torch.get_rng_state()
    look = data.inputs(ends)
    if not torch.equal(generator, torch.get_rng_state()) or not torch.equal(look, data.inputs(ends)):
        raise ValueError(
            "These data look different each time: they have random augmentation. Features are computed once, so "
            "take the same images without it (evaluation_transform)."
        )
    return look


def _read(files: OwnFiles, key: str, images: int) -> NDArray[np.float32] | None:
    """The values in a file that `_write` wrote; None if there is none, or it is damaged or of something else."""
    path = files.path(key)
    try:
        if not path.exists():
            return None
        if files.is_whole(key):
            files.mark_used(key)
            content = np.fromfile(path, np.uint8, offset=HEADER_BYTES)
            if len(content) and len(content) % (images * np.dtype(np.float32).itemsize) == 0:
                return content.view(np.float32).reshape(images, -1)
    except OSError:  # not to be read, which writing will complain about
        return None
    print(f"{path.name} is damaged. Computing the features again.")
    return None


def _write(files: OwnFiles, key: str, values: NDArray[np.float32]) -> None:
    """Keep the values in a file that appears whole; remove those that were not used for longest."""
    try:
        files.write(key, [values.tobytes()])
    except OSError as error:
        raise OSError(
            f"The features can not be kept in {printable(files.folder)} ({error.strerror}). Name another folder: "
            "folder=…, or set COURSE_CACHE."
        ) from error
    files.delete_oldest(key, most_files=KEPT_FILES)
