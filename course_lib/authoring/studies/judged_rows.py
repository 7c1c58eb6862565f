"""What a study writes of judged images: each figure with its interval, and what it is more than another's."""

from collections.abc import Callable, Mapping

from course_lib.evaluation.intervals import P, bootstrap_intervals, compare


def with_ends(judged: P, figures: Mapping[str, Callable[[P], float]], score: str) -> dict[str, float]:
    """Each figure by its name, and the ends of its 95 % interval over patients.

    Those of the ``score`` that the study is about are ``low`` and ``high``, those of another one ``<name>_low`` and
    ``<name>_high``.
    """
    row = {name: figure(judged) for name, figure in figures.items()}
    for name, (low, high) in bootstrap_intervals(judged, figures).items():
        before = "" if name == score else f"{name}_"
        row |= {f"{before}low": low, f"{before}high": high}
    return row


def gains(ours: P, others: P, figures: Mapping[str, Callable[[P], float]]) -> dict[str, float]:
    """How much higher each figure is than the others', on the same patients, with the ends of its 95 % interval.

    The names of ``figures`` are those of the gains. A gain's ends are ``<name>_low`` and ``<name>_high``.

    Raises:
        ValueError: the two do not judge the same images in the same order.
    """
    row: dict[str, float] = {}
    for name, figure in figures.items():
        gained = compare(ours, others, figure)
        row |= {name: gained.difference, f"{name}_low": gained.low, f"{name}_high": gained.high}
    return row
