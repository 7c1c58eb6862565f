"""What the reader says of the real sarcomas, found again in their files."""

import numpy as np
import pytest

from course_lib.data.volumes import read_label_map, read_volume
from course_lib.modalities.sarcoma_ct import reader
from course_lib.modalities.sarcoma_ct.reader import LABELS, read_patients
from course_lib.modalities.sarcoma_ct.recipe import FRAME
from course_lib.support.runtime import COURSE_ROOT

FOLDER = COURSE_ROOT.parent / "shared" / "data" / "tumour_ct"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no real volumes in {FOLDER}")


@pytest.mark.slow
def test_every_volume_is_cut_5_cm_around_its_tumour_so_that_its_size_gives_the_box_away() -> None:
    samples = read_patients(FOLDER)
    assert f"{len(samples)} of the 51 patients" in (reader.__doc__ or "")
    for sample in samples:
        image = read_volume(sample.path)
        assert " x ".join(f"{side:.2f}" for side in image.spacing) == "0.98 x 0.98 x 3.27"
        inside = np.argwhere(read_label_map(sample.mask, image, LABELS).numpy()[0])
        first, last = inside.min(axis=0), inside.max(axis=0)
        margins = np.stack([first, np.array(image.spatial_shape) - 1 - last]) * image.spacing  # [2, 3] mm
        assert np.abs(margins[:, :2] - 50).max() < 1.5
        assert (margins >= (last + 1 - first) * image.spacing * (FRAME - 1) / 2).all(), "no frame reaches beyond"
        assert image.numpy().min() == -1000
