"""Where real images come from: data cards, Kaggle, downloads that resume, archives. The only package that knows
the network."""

from course_lib.sources.dataset_card import DatasetCard, load_card
from course_lib.sources.download import DownloadError

__all__ = ["DatasetCard", "DownloadError", "load_card"]
