"""From counted photons to line integrals: what a scanner measures, and what a reconstruction needs."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 11.1 --- from photons to line integrals


def line_integrals(counts: np.ndarray, sent: int) -> np.ndarray:
    """The attenuation along each ray, summed up: -ln of the part of the photons that arrived.

    ``counts`` [angles, pixels] are the photons that arrived in each pixel of the detector, ``sent`` those that set out
    towards each. Where none arrived, one is taken to have arrived, because the logarithm of 0 does not exist.
    """
    arrived = np.maximum(counts, 1)
    return np.asarray(-np.log(arrived / sent))


def _draw_counts(rng: np.random.Generator) -> Inputs:
    """Rays through bodies, two on which nothing arrives, and two through air that counted more than were sent."""
    sent = int(rng.choice([500, 2000, 8000, 20000]))
    through = np.exp(-rng.uniform(0.5, 5, size=8))
    counts = [*np.rint(sent * through).astype(int), 0, 0, sent + rng.integers(5, 20), sent + rng.integers(20, 60)]
    return rng.permutation(counts).reshape(3, 4), sent


def _without_minus(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(np.log(np.maximum(counts, 1) / sent))


def _to_base_ten(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(-np.log10(np.maximum(counts, 1) / sent))


def _to_base_two(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(-np.log2(np.maximum(counts, 1) / sent))


def _part_that_arrived(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(np.maximum(counts, 1) / sent)


def _part_that_was_lost(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(1 - np.maximum(counts, 1) / sent)


def _same_part_of_zero(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(counts / sent)


def _same_loss_of_zero(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(1 - counts / sent)


def _zeros_stay(counts: np.ndarray, sent: int) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log(counts / sent))


def _zeros_made_huge(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.nan_to_num(_zeros_stay(counts, sent))


def _zeros_made_air(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.where(counts > 0, _zeros_stay(counts, sent), 0.0)


def _one_more_everywhere(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(-np.log((counts + 1) / sent))


def _one_more_on_both_sides(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(-np.log((counts + 1) / (sent + 1)))


def _maximum_of_the_part(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(-np.log(np.maximum(counts / sent, 1)))


def _clipped_at_zero(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.maximum(line_integrals(counts, sent), 0)


def _never_more_than_sent(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.abs(line_integrals(counts, sent))


def _sent_not_used(counts: np.ndarray, sent: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return np.asarray(-np.log(np.maximum(counts, 1)))


def _counts_subtracted(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(np.log(sent) - counts)


def _difference_inside(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(np.log(np.maximum(sent - counts, 1)))


def _quotient_of_logarithms(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(-np.log(np.maximum(counts, 1)) / np.log(sent))


def _brightest_for_sent(counts: np.ndarray, sent: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return np.asarray(-np.log(np.maximum(counts, 1) / counts.max()))


def _exponential(counts: np.ndarray, sent: int) -> np.ndarray:
    return np.asarray(np.exp(-np.maximum(counts, 1) / sent))


ZERO_FOR_LARGEST = "Where nothing arrived, that says the ray met nothing. It met more than any other: count one there."

LINE_INTEGRALS = Exercise(
    "11.1",
    "From photons to line integrals",
    line_integrals,
    hints=(
        "The part of the photons that arrived is exp(-p), where p is the line integral. Which function takes exp back?",
        "p = -ln(counts / sent). np.log is the natural logarithm, and it takes a whole array.",
        "A count of 0 has no logarithm. np.maximum(counts, 1) makes it 1, and leaves all others as they are.",
        "return -np.log(np.maximum(counts, 1) / sent)",
    ),
    mistakes=(
        Mistake(
            _without_minus,
            "The minus is missing. Fewer photons arrive than were sent, so the logarithm is negative, but matter in "
            "the way is to give a positive number.",
        ),
        Mistake(
            _to_base_ten,
            "That is the logarithm to base 10. The photons decrease as exp(-p), and np.log takes exp back.",
        ),
        Mistake(
            _to_base_two,
            "That is the logarithm to base 2: it counts how often the beam was halved. The photons decrease as "
            "exp(-p), and np.log takes exp back.",
        ),
        Mistake(
            _part_that_arrived,
            "That is the part that arrived. Twice as much water does not halve it, but it doubles its logarithm, as a "
            "sum along the ray should: take -np.log of it.",
        ),
        Mistake(_same_part_of_zero, "That is the part that arrived. Take -np.log of it, and count at least one."),
        Mistake(
            _part_that_was_lost,
            "That is the part that was lost. It can not pass 1, however thick the body is, so it is no sum along the "
            "ray. Take -np.log of the part that arrived.",
        ),
        Mistake(_same_loss_of_zero, "That is the part that was lost. Take -np.log of the part that arrived."),
        Mistake(
            _zeros_stay,
            "Where no photon arrived there is infinity, and one such ray spoils the whole slice. Count one there: "
            "np.maximum(counts, 1).",
        ),
        Mistake(
            _zeros_made_huge,
            "np.nan_to_num puts the largest number there is in place of infinity, which spoils the slice as well. "
            "Count one photon where none arrived: np.maximum(counts, 1).",
        ),
        Mistake(_zeros_made_air, ZERO_FOR_LARGEST),
        Mistake(
            _one_more_everywhere,
            "You added one photon on every ray. Only those on which none arrived get one: np.maximum(counts, 1).",
        ),
        Mistake(
            _one_more_on_both_sides,
            "You added one photon on every ray, and to those that were sent. Only rays on which none arrived get one: "
            "np.maximum(counts, 1).",
        ),
        Mistake(
            _maximum_of_the_part,
            "np.maximum came after the division, so that every part below 1 became 1. Take the larger of counts and "
            "1 first, then divide.",
        ),
        Mistake(
            _clipped_at_zero,
            "Rays with more photons than were sent became 0. Keep them negative: they are chance, which errs to both "
            "sides, and without them air would look denser than it is.",
        ),
        Mistake(
            _never_more_than_sent,
            "Rays with more photons than were sent became positive, as if there were matter. Keep them negative: "
            "chance errs to both sides.",
        ),
        Mistake(_sent_not_used, "Divide by sent first: what counts is the part of the photons that arrived."),
        Mistake(
            _counts_subtracted,
            "The counts need the logarithm too: ln(sent) - ln(counts), with at least one count.",
        ),
        Mistake(
            _difference_inside,
            "ln(sent - counts) is the logarithm of the photons that were lost. Take ln(sent) - ln(counts), which is "
            "-ln(counts / sent).",
        ),
        Mistake(
            _quotient_of_logarithms,
            "You divided two logarithms. Divide the photons first, then take one logarithm of the part.",
        ),
        Mistake(
            _brightest_for_sent,
            "You took the largest count for what was sent. It differs by chance, and in a slice that fills the whole "
            "detector no ray misses the body. Divide by sent.",
        ),
        Mistake(_exponential, "exp leads from line integrals to photons. The way back is the logarithm: -np.log."),
    ),
    draw=_draw_counts,
)
