"""What the card of the hippocampus set says of its files, found again in the training part of the real ones."""

import numpy as np
import pytest
import torchio

from course_lib.data.image_folder import recognise_card
from course_lib.data.volume_folder import OutlinedVolume
from course_lib.data.volumes import read_label_map, read_volume
from course_lib.evaluation.segmentation import SegmentationPredictions, mean_dice
from course_lib.modalities.hippocampus_mri.reader import LABELS, read_part
from course_lib.sources.dataset_card import load_card
from course_lib.support.runtime import COURSE_ROOT
from course_lib.tasks.segmentation import Segmentation

FOLDER = COURSE_ROOT.parent / "shared" / "data" / "hippocampus_mri"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no real volumes in {FOLDER}")
DEFECTS = " ".join(load_card("hippocampus-mri").defects)


@pytest.fixture(scope="module")
def volumes() -> list[tuple[OutlinedVolume, torchio.ScalarImage, torchio.LabelMap]]:
    learned, _ = read_part(FOLDER, "train", recognise_card(FOLDER))
    read = [(volume, read_volume(volume.path)) for volume in learned]
    return [(volume, image, read_label_map(volume.mask, image, LABELS)) for volume, image in read]


Volumes = list[tuple[OutlinedVolume, torchio.ScalarImage, torchio.LabelMap]]


@pytest.mark.slow
def test_files_2n_minus_1_and_2n_have_grey_values_of_one_scan(volumes: Volumes) -> None:
    greys = {
        int(volume.path.name[12:15]): np.log(np.percentile(image.numpy()[image.numpy() > 0], [5, 25, 50, 75, 95]))
        for volume, image, _ in volumes
    }
    pairs = [(number, number + 1) for number in greys if number + 1 in greys]
    apart = {odd: [np.abs(greys[a] - greys[b]).max() for a, b in pairs if a % 2 == odd] for odd in (0, 1)}
    assert len(apart[0]) == len(apart[1]) == 17
    for odd, factor in ((1, 1.13), (0, 1.78)):
        assert round(float(np.exp(np.median(apart[odd]))), 2) == factor
        assert str(factor) in DEFECTS


@pytest.mark.slow
def test_the_files_are_as_the_card_says(volumes: Volumes) -> None:
    assert {image.orientation for _, image, _ in volumes} == {("R", "A", "S")}
    assert {image.spacing for _, image, _ in volumes} == {(1, 1, 1)}
    assert {float(place) for _, image, _ in volumes for place in image.affine[:3, 3]} == {0, 1}
    margins, to_the_right = [], []
    for _, _, labels in volumes:
        inside = np.argwhere(labels.numpy()[0])
        margins += [*inside.min(axis=0), *(np.array(labels.spatial_shape) - 1 - inside.max(axis=0))]
        anterior, posterior = (np.argwhere(labels.numpy()[0] == part)[:, 0].mean() for part in (1, 2))
        to_the_right.append(anterior > posterior)
    assert (min(margins), max(margins)) == (3, 12)
    assert np.mean(to_the_right) > 0.9, "of left and right hippocampi together it would be half"
    brightest = [float(image.numpy().max()) for _, image, _ in volumes]
    assert (min(brightest), round(max(brightest))) == (112, 1_432_837)


@pytest.mark.slow
def test_the_mean_outline_of_others_is_a_baseline_that_counts(volumes: Volumes) -> None:
    maps = tuple(labels.numpy()[0] for _, _, labels in volumes)
    predictions = SegmentationPredictions(
        labels=LABELS,
        predicted=maps,
        true=maps,
        spacings=((1.0, 1.0, 1.0),) * len(maps),
        losses=np.zeros(len(maps)),
        patients=np.array([volume.patient for volume, _, _ in volumes]),
        files=tuple(volume.path.name for volume, _, _ in volumes),
    )
    found = mean_dice(Segmentation(LABELS).baseline(predictions))
    assert f"a Dice of {found:.2f}" in DEFECTS
