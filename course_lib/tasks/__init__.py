"""What is to be learned from images: its loss, its predictions, its score, and what someone reaches who does not
look."""

from course_lib.tasks.classification import Classification
from course_lib.tasks.detection import Detection
from course_lib.tasks.kind_and_outline import KindAndOutline
from course_lib.tasks.reader_outlines import ReaderOutlines
from course_lib.tasks.segmentation import Segmentation
from course_lib.tasks.task import Task

__all__ = ["Classification", "Detection", "KindAndOutline", "ReaderOutlines", "Segmentation", "Task"]
