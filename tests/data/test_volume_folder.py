"""Which files in a folder are volumes, and what is said where one of them is missing."""

import os
from pathlib import Path

import pytest

from course_lib.data.volume_folder import holds_volumes, read_outlined
from course_lib.sources.dataset_card import load_card
from course_lib.support.errors import DataError


@pytest.mark.skipif(os.name == "nt", reason="not everybody may make links here")
def test_links_to_nothing_among_volumes_and_label_maps_are_named(tmp_path: Path) -> None:
    names = [f"hippocampus_{number:03d}.nii.gz" for number in (1, 3)]
    for part in ("imagesTr", "labelsTr"):
        (tmp_path / part).mkdir()
        (tmp_path / part / names[0]).touch()
        (tmp_path / part / names[1]).symlink_to(tmp_path / "gone")
        (tmp_path / part / f"._{names[0]}").symlink_to(tmp_path / "gone")  # no volume by its name
    assert holds_volumes(tmp_path)
    cards = [load_card("hippocampus-mri")]
    with pytest.raises(DataError, match=r"1 of 2 volumes in .*imagesTr are no files, .*\(hippocampus_003\.nii\.gz\)"):
        read_outlined(tmp_path, cards)
    (tmp_path / "imagesTr" / names[1]).unlink()
    with pytest.raises(DataError, match=r"1 of 2 label maps in .*labelsTr are no files, .*\. Copy the label maps"):
        read_outlined(tmp_path, cards)
    (tmp_path / "labelsTr" / names[1]).unlink()
    assert [volume.path.name for volume in read_outlined(tmp_path, cards)] == names[:1]
