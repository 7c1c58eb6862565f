"""What the recipe that everybody writes does not look at by itself: whether two folders have the same classes."""

from collections.abc import Sequence
from itertools import zip_longest


def check_same_classes(learned: Sequence[str], judged: Sequence[str]) -> None:
    """Nothing, if both lists of classes are the same, in the same order; ``classes`` of two ``ImageFolder``, say.

    Raises:
        ValueError: they are not, so that a label means one class in one folder and another one in the other.
    """
    pairs = enumerate(zip_longest(learned, judged, fillvalue="no class at all"))
    for label, (one, other) in pairs:
        if one != other:
            raise ValueError(
                f"The folder to learn from has the classes {', '.join(learned)}, the folder to judge by has "
                f"{', '.join(judged)}. ImageFolder numbers the classes of each folder by itself, so that the label "
                f"{label} is {one} in the one and {other} in the other. Give both folders the same subfolders."
            )
