"""What the reader says of the real sarcomas, found again in their files."""

import numpy as np
import pytest

from course_lib.data.volumes import read_label_map, read_volume
from course_lib.modalities.sarcoma_ct import reader
from course_lib.modalities.sarcoma_ct.reader import LABELS, read_patients
from course_lib.support.runtime import COURSE_ROOT

FOLDER = COURSE_ROOT.parent / "shared" / "data" / "tumour_ct"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no real volumes in {FOLDER}")


@pytest.mark.slow
def test_volumes_end_5_cm_from_their_tumours_so_that_their_sizes_give_the_boxes_away() -> None:
    samples, nearer = read_patients(FOLDER), set()
    assert f"{len(samples)} of the 51 patients" in (reader.__doc__ or "")
    for sample in samples:
        image = read_volume(sample.path)
        assert " x ".join(f"{side:.2f}" for side in image.spacing) == "0.98 x 0.98 x 3.27"
        inside = np.argwhere(read_label_map(sample.mask, image, LABELS).numpy()[0])
        first, last = inside.min(axis=0), inside.max(axis=0)
        margins = np.stack([first, np.array(image.spatial_shape) - 1 - last]) * image.spacing  # [2, 3] mm
        assert margins.max() < 53
        nearer |= {sample.patient for margin in margins.ravel() if margin < 50}
        assert image.numpy().min() == -1000
    assert nearer == {"STS_005", "STS_006", "STS_023", "STS_033", "STS_034", "STS_050"}
    assert "six patients one side ends earlier" in (reader.__doc__ or "")
