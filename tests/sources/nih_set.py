"""A small set laid out like ChestX-ray14 on Kaggle, its odd tables included, with generated films."""

import io
from functools import cache

import numpy as np
from PIL import Image

from course_lib.sources.nih_films import FILM_SIDE_PX, path_at_kaggle

HANDLE = "nih-chest-xrays/data/3"
SLUG = "nih-chest-xrays"
BOXES_HEADING = "Image Index,Finding Label,Bbox [x,y,w,h],,,"
ENTRIES_HEADING = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
)
BOXED = ("00000032_001.png", "00001335_006.png", "00003923_014.png", "00030674_000.png")
HEALTHY = tuple(f"{patient:08}_000.png" for patient in (2, 1336, 9233, 14000, 16052, 18388, 20946, 30805))
SICK = ("00000001_000.png", "00028173_003.png")
BOX_LINES = (
    f"{BOXED[0]},Nodule,225.084745762712,547.019216763771,86.7796610169491,79.1864406779661,,,",
    f"{BOXED[0]},Infiltrate,0,10.5,100,200,,,",
    f"{BOXED[1]},Mass,500.25,500.75,20,30,,,",
    f"{BOXED[2]},Cardiomegaly,300,400,500.5,400,,,",
    f"{BOXED[3]},Effusion,900,800,125.5,100,,,",
)
CARD = f"""
name = "Findings in boxes (ChestX-ray14)"
slug = "{SLUG}"
modality = "chest_findings"
task = "detection"
classes = ["Nodule", "Mass"]
simulated = false
source = "https://nihcc.app.box.com/v/ChestXray-NIHCC"
handle = "{HANDLE}"
version = "3 on Kaggle"
licence = "free to use"
commercial_use = true
citation = "Wang et al. (2017)."
doi = "10.1109/CVPR.2017.369"
patients = "Patients of the NIH Clinical Center."
patients_from = "file name"
labels = "A radiologist drew the boxes."
defects = ["Few boxes."]
file_names = ['(?P<patient>\\d{{8}})_\\d{{3}}\\.(?:png|jpg)']
selection = "nih-films"
[archive]
'images/\\d{{8}}_\\d{{3}}\\.png' = {2 * len(BOXED)}
'boxes\\.csv' = 1
"""


def box_table(lines: tuple[str, ...] = BOX_LINES, heading: str = BOXES_HEADING) -> bytes:
    """The table of boxes, with the line ends of Windows."""
    return "\r\n".join([heading, *lines, ""]).encode()


def entry_line(film: str, findings: str, view: str = "PA") -> str:
    """A line of the table of films."""
    return f"{film},{findings},0,32,58,M,{view},2682,2749,0.143,0.143,"


def entry_table(heading: str = ENTRIES_HEADING, extra: tuple[str, ...] = ()) -> bytes:
    """The table of films: those with boxes, those without a finding, and others."""
    lines = [entry_line(film, "Nodule|Infiltration", "AP" if film == BOXED[3] else "PA") for film in BOXED]
    lines += [entry_line(film, "No Finding") for film in HEALTHY] + [entry_line(film, "Edema") for film in SICK]
    return "\n".join([heading, *sorted(lines), *extra, ""]).encode()


@cache
def film(seed: int, mode: str = "L", side: int = FILM_SIDE_PX) -> bytes:
    """A grey PNG of the set's size that shows squares of noise."""
    pixels = np.random.default_rng(seed).integers(0, 255, size=(64, 64), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST).convert(mode).save(file, "PNG")
    return file.getvalue()


def whole_set() -> dict[str, bytes]:
    """Every file of the set as the stand-in serves it, by owner/name/version/path."""
    films = {path_at_kaggle(name): film(seed) for seed, name in enumerate((*BOXED, *HEALTHY, *SICK))}
    tables = {"BBox_List_2017.csv": box_table(), "Data_Entry_2017.csv": entry_table()}
    return {f"{HANDLE}/{path}": content for path, content in {**films, **tables}.items()}
