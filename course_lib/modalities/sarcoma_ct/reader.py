"""How CT volumes of sarcomas are read: a folder for each patient, with the image and the mask of the tumour.

The set: 11 of the 51 patients of M. Vallières et al., A radiomics model from joint FDG-PET and MRI texture features for
the prediction of lung metastases in soft-tissue sarcomas of the extremities, Phys. Med. Biol. 60:5471-5496, 2015; The
Cancer Imaging Archive, doi:10.7937/K9/TCIA.2015.7GO2GSKS, CC BY 3.0; cut out and written as NIfTI by the Image
Biomarker Standardisation Initiative. Voxels of 0.98 x 0.98 x 3.27 mm, in Hounsfield units.

Two things must be known of it. The tumours were outlined on MR, and the outlines were carried over to CT, where most of
the border can not be seen: `contrast` measures that. And every volume ends 5 cm from its tumour, so that its size gives
away where the tumour is and how large: what can be asked here is the outline within a box, not where a tumour lies. Of
six patients one side ends earlier, where the scan does.
"""

from pathlib import Path

from course_lib.data.volume_folder import OutlinedVolume
from course_lib.support.errors import DataError
from course_lib.support.foreign import LONGEST_PATH, printable, some_of

LABELS = ("background", "tumour")  #: what 0 and 1 mean in a mask
IMAGE, MASK = "CT_image.nii.gz", "CT_mask.nii.gz"  #: in the folder of each patient


def read_patients(root: Path) -> list[OutlinedVolume]:
    """The volumes in ``<patient>/CT_image.nii.gz``, with their masks, by the patients' names. No file is opened.

    Raises:
        DataError: there is no folder of a patient, or a folder lacks one of its two files.
    """
    folders = sorted(path for path in root.glob("*") if path.is_dir() and not path.name.startswith("."))
    layout = f"Expected a folder for each patient, with {IMAGE} and {MASK} in it"
    if not folders:
        raise DataError(f"{printable(root, LONGEST_PATH)} holds no folder. {layout}; name the folder that holds those.")
    missing = [path for folder in folders for path in (folder / IMAGE, folder / MASK) if not path.is_file()]
    if missing:
        raise DataError(
            f"{printable(root, LONGEST_PATH)} lacks {some_of([path.relative_to(root) for path in missing])}. {layout}. "
            "Copy what is missing, or move the folder out."
        )
    return [OutlinedVolume(folder / IMAGE, folder / MASK, folder.name) for folder in folders]
