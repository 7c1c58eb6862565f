"""What makes a tissue bright or silent: the spin echo, the inversion, and what contrast agent does to T1."""

import math

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake
from course_lib.modalities.simulated_head.physics import RELAXIVITY, TISSUES, Tissue

DRAWN = (Tissue.FAT, Tissue.CSF, Tissue.GREY, Tissue.WHITE, Tissue.OEDEMA, Tissue.GLIOMA, Tissue.MENINGIOMA)
FACTS = [(TISSUES[tissue].proton_density, TISSUES[tissue].t1_ms, TISSUES[tissue].t2_ms) for tissue in DRAWN]

# 10.1 --- the spin echo


def spin_echo(
    pd: np.ndarray | float, t1_ms: np.ndarray | float, t2_ms: np.ndarray | float, tr_ms: float, te_ms: float
) -> np.ndarray | float:
    """The signal of a tissue in a spin echo, from its proton density and relaxation times: one number or an array."""
    recovered = 1 - np.exp(-tr_ms / t1_ms)
    left = np.exp(-te_ms / t2_ms)
    return pd * recovered * left


def _draw_tissues(rng: np.random.Generator) -> Inputs:
    """One tissue as numbers, or three as arrays."""
    tissues = rng.permutation(FACTS)[:3]
    tr_ms, te_ms = float(rng.choice([400, 600, 2500, 4000])), float(rng.choice([15, 25, 90, 110]))
    if rng.integers(2):
        return *(float(number) for number in tissues[0]), tr_ms, te_ms
    return *tissues.T, tr_ms, te_ms


Signal = np.ndarray | float


def _still_missing(pd: Signal, t1_ms: Signal, t2_ms: Signal, tr_ms: float, te_ms: float) -> Signal:
    return pd * np.exp(-tr_ms / t1_ms) * np.exp(-te_ms / t2_ms)


def _already_gone(pd: Signal, t1_ms: Signal, t2_ms: Signal, tr_ms: float, te_ms: float) -> Signal:
    return pd * (1 - np.exp(-tr_ms / t1_ms)) * (1 - np.exp(-te_ms / t2_ms))


def _relaxations_exchanged(pd: Signal, t1_ms: Signal, t2_ms: Signal, tr_ms: float, te_ms: float) -> Signal:
    return spin_echo(pd, t2_ms, t1_ms, tr_ms, te_ms)


def _times_exchanged(pd: Signal, t1_ms: Signal, t2_ms: Signal, tr_ms: float, te_ms: float) -> Signal:
    return spin_echo(pd, t1_ms, t2_ms, te_ms, tr_ms)


def _without_minus(pd: Signal, t1_ms: Signal, t2_ms: Signal, tr_ms: float, te_ms: float) -> Signal:
    return spin_echo(pd, t1_ms, t2_ms, -tr_ms, -te_ms)


def _growing_echo(pd: Signal, t1_ms: Signal, t2_ms: Signal, tr_ms: float, te_ms: float) -> Signal:
    return spin_echo(pd, t1_ms, t2_ms, tr_ms, -te_ms)


def _ratios_turned_round(pd: Signal, t1_ms: Signal, t2_ms: Signal, tr_ms: float, te_ms: float) -> Signal:
    return pd * (1 - np.exp(-t1_ms / tr_ms)) * np.exp(-t2_ms / te_ms)


def _no_density(pd: Signal, t1_ms: Signal, t2_ms: Signal, tr_ms: float, te_ms: float) -> Signal:  # noqa: ARG001
    return spin_echo(1.0, t1_ms, t2_ms, tr_ms, te_ms)


def _no_echo_time(pd: Signal, t1_ms: Signal, t2_ms: Signal, tr_ms: float, te_ms: float) -> Signal:  # noqa: ARG001
    return spin_echo(pd, t1_ms, t2_ms, tr_ms, 0.0)


def _no_repetition(pd: Signal, t1_ms: Signal, t2_ms: Signal, tr_ms: float, te_ms: float) -> Signal:  # noqa: ARG001
    return spin_echo(pd, t1_ms, t2_ms, math.inf, te_ms)


def _added(pd: Signal, t1_ms: Signal, t2_ms: Signal, tr_ms: float, te_ms: float) -> Signal:
    return pd * (1 - np.exp(-tr_ms / t1_ms) + np.exp(-te_ms / t2_ms))


def _bracket_missing(pd: Signal, t1_ms: Signal, t2_ms: Signal, tr_ms: float, te_ms: float) -> Signal:
    return pd * 1 - np.exp(-tr_ms / t1_ms) * np.exp(-te_ms / t2_ms)


def _one_number_at_a_time(pd: float, t1_ms: float, t2_ms: float, tr_ms: float, te_ms: float) -> Signal:
    return pd * (1 - math.exp(-tr_ms / t1_ms)) * math.exp(-te_ms / t2_ms)


SPIN_ECHO = Exercise(
    "10.1",
    "The signal of a spin echo",
    spin_echo,
    hints=(
        "Three numbers are multiplied: how much water there is, the part that has recovered since the last pulse, and "
        "the part that is left when the echo is read.",
        "What is still missing after the time TR is exp(-TR / T1). So the part that has recovered is 1 minus that.",
        "After the time TE the part exp(-TE / T2) is left. np.exp takes numbers and arrays alike.",
        "return pd * (1 - np.exp(-tr_ms / t1_ms)) * np.exp(-te_ms / t2_ms)",
    ),
    mistakes=(
        Mistake(
            _still_missing,
            "exp(-TR / T1) is what is still missing when the next pulse comes. What has recovered is 1 minus that.",
        ),
        Mistake(
            _already_gone,
            "1 - exp(-TE / T2) is what has gone by the time of the echo. We read what is left: exp(-TE / T2).",
        ),
        Mistake(
            _relaxations_exchanged,
            "T1 and T2 are exchanged. Between the pulses, during TR, a tissue recovers with T1; until the echo, during "
            "TE, its signal decays with T2.",
        ),
        Mistake(
            _times_exchanged,
            "TR and TE are exchanged. TR is the long one, from pulse to pulse, and goes with T1.",
        ),
        Mistake(_without_minus, "Both exponents need a minus: with time, less is missing and less is left."),
        Mistake(_growing_echo, "The signal grows while you wait for the echo. Its exponent needs a minus: -TE / T2."),
        Mistake(_ratios_turned_round, "Both ratios are turned round. Time goes above, relaxation time below: TR / T1."),
        Mistake(_no_density, "The proton density does not count yet: without water there is no signal."),
        Mistake(_no_echo_time, "The echo is read at once. Until TE the signal decays: times exp(-TE / T2)."),
        Mistake(
            _no_repetition,
            "Everything has recovered before each pulse, as if TR were endless. Multiply by 1 - exp(-TR / T1).",
        ),
        Mistake(_added, "You added the two parts. The echo is a part of what had recovered: multiply."),
        Mistake(_bracket_missing, "* comes before -. Put 1 - np.exp(-tr_ms / t1_ms) into brackets."),
        Mistake(
            _one_number_at_a_time,
            "math.exp takes one number only. np.exp takes an array of several tissues as well.",
        ),
    ),
    draw=_draw_tissues,
)

# 10.2 --- the time at which a tissue is silent


def inversion_time(t1_ms: float, tr_ms: float) -> float:
    """The inversion time in ms at which a tissue gives no signal: where 1 - 2 exp(-TI/T1) + exp(-TR/T1) is 0."""
    return float(t1_ms * (np.log(2) - np.log(1 + np.exp(-tr_ms / t1_ms))))


def _draw_inversion(rng: np.random.Generator) -> Inputs:
    t1_ms = float(rng.choice([350, 500, 833, 1150, 2569, 4110]))
    return t1_ms, float(np.round(t1_ms * rng.uniform(1.2, 4), -1))


def _after_full_recovery(t1_ms: float, tr_ms: float) -> float:  # noqa: ARG001  # the mistake
    return t1_ms * math.log(2)


def _two_not_counted(t1_ms: float, tr_ms: float) -> float:
    return t1_ms * math.log(1 + math.exp(-tr_ms / t1_ms))


def _logarithms_added(t1_ms: float, tr_ms: float) -> float:
    return t1_ms * (math.log(2) + math.log(1 + math.exp(-tr_ms / t1_ms)))


def _difference_inside(t1_ms: float, tr_ms: float) -> float:
    return t1_ms * math.log(2 - (1 + math.exp(-tr_ms / t1_ms)))


def _one_minus(t1_ms: float, tr_ms: float) -> float:
    return t1_ms * (math.log(2) - math.log(1 - math.exp(-tr_ms / t1_ms)))


def _turned_sign(t1_ms: float, tr_ms: float) -> float:
    return -inversion_time(t1_ms, tr_ms)


def _without_brackets(t1_ms: float, tr_ms: float) -> float:
    return t1_ms * math.log(2) - math.log(1 + math.exp(-tr_ms / t1_ms))


def _to_base_ten(t1_ms: float, tr_ms: float) -> float:
    return inversion_time(t1_ms, tr_ms) / math.log(10)


def _not_times_t1(t1_ms: float, tr_ms: float) -> float:
    return inversion_time(t1_ms, tr_ms) / t1_ms


def _times_exchanged_again(t1_ms: float, tr_ms: float) -> float:
    return inversion_time(tr_ms, t1_ms)


def _half_of_t1(t1_ms: float, tr_ms: float) -> float:  # noqa: ARG001  # the mistake
    return t1_ms / 2


def _in_seconds(t1_ms: float, tr_ms: float) -> float:
    return inversion_time(t1_ms, tr_ms) / 1000


def _by_trying(t1_ms: float, tr_ms: float) -> int:
    times = np.arange(round(tr_ms))
    return int(np.abs(1 - 2 * np.exp(-times / t1_ms) + np.exp(-tr_ms / t1_ms)).argmin())


INVERSION_TIME = Exercise(
    "10.2",
    "Silence a tissue",
    inversion_time,
    hints=(
        "Set 1 - 2 exp(-TI/T1) + exp(-TR/T1) to 0, and bring the part with TI to the other side.",
        "2 exp(-TI/T1) = 1 + exp(-TR/T1). Divide by 2, then take the logarithm of both sides: np.log.",
        "-TI/T1 = ln((1 + exp(-TR/T1)) / 2). The logarithm of a quotient is a difference of two logarithms.",
        "return t1_ms * (np.log(2) - np.log(1 + np.exp(-tr_ms / t1_ms)))",
    ),
    mistakes=(
        Mistake(
            _after_full_recovery,
            "T1 ln 2 holds where TR is so long that everything has recovered before the inversion. Here it has not, "
            "so the magnetisation begins nearer to 0: exp(-TR/T1) has to count.",
        ),
        Mistake(
            _two_not_counted,
            "The 2 in front of exp(-TI/T1) is lost. From 1 to -1, where the inversion leads, it is a step of 2.",
        ),
        Mistake(_logarithms_added, "A quotient becomes a difference: ln 2 minus ln(1 + exp(-TR/T1)), and not plus."),
        Mistake(
            _difference_inside,
            "You took the logarithm of a difference. The logarithm of a quotient is the difference of two logarithms.",
        ),
        Mistake(_one_minus, "It is 1 + exp(-TR/T1): look at the signs when 2 exp(-TI/T1) goes to the other side."),
        Mistake(_turned_sign, "That time lies before the inversion. In the exponent it is -TI/T1: mind the minus."),
        Mistake(_without_brackets, "T1 multiplies both logarithms: put their difference into brackets."),
        Mistake(_to_base_ten, "That is the logarithm to base 10. exp belongs to the natural one: np.log."),
        Mistake(_not_times_t1, "That is TI/T1, a number without a unit. Multiply by T1 to have ms."),
        Mistake(_times_exchanged_again, "T1 and TR are exchanged. The tissue's T1 stands outside the logarithms."),
        Mistake(
            _half_of_t1,
            "The magnetisation does not rise in a straight line, so half of T1 is not the time: take ln 2.",
        ),
        Mistake(_in_seconds, "The value is right, in seconds. T1 comes in ms, so return ms."),
        Mistake(_by_trying, "That is right to the millisecond. Solve the equation, and it is exact."),
    ),
    draw=_draw_inversion,
)

# 10.3 --- contrast agent


def t1_after_agent(t1_ms: float, relaxivity: float, concentration: float) -> float:
    """T1 in ms of a tissue with contrast agent; relaxivity in L/(mmol s), concentration in mmol/L."""
    rate = 1000 / t1_ms + relaxivity * concentration  # both in 1/s
    return 1000 / rate


def _draw_agent(rng: np.random.Generator) -> Inputs:
    t1_ms = float(rng.choice([t1_ms for _, t1_ms, _ in FACTS]))
    relaxivity = float(rng.choice([*RELAXIVITY.values(), 3.6]))
    return t1_ms, relaxivity, float(rng.integers(2, 25)) / 20


def _units_mixed(t1_ms: float, relaxivity: float, concentration: float) -> float:
    return 1 / (1 / t1_ms + relaxivity * concentration)


def _answer_in_seconds(t1_ms: float, relaxivity: float, concentration: float) -> float:
    return t1_after_agent(t1_ms, relaxivity, concentration) / 1000


def _thousand_the_wrong_way(t1_ms: float, relaxivity: float, concentration: float) -> float:
    return 1 / (1 / t1_ms + 1000 * relaxivity * concentration)


def _rate_per_second(t1_ms: float, relaxivity: float, concentration: float) -> float:
    return 1000 / t1_ms + relaxivity * concentration


def _rate_per_millisecond(t1_ms: float, relaxivity: float, concentration: float) -> float:
    return _rate_per_second(t1_ms, relaxivity, concentration) / 1000


def _rate_falls(t1_ms: float, relaxivity: float, concentration: float) -> float:
    return 1000 / (1000 / t1_ms - relaxivity * concentration)


def _times_added(t1_ms: float, relaxivity: float, concentration: float) -> float:
    return t1_ms + relaxivity * concentration


def _times_of_both_added(t1_ms: float, relaxivity: float, concentration: float) -> float:
    return t1_ms + 1000 / (relaxivity * concentration)


def _as_if_t1_were_a_second(t1_ms: float, relaxivity: float, concentration: float) -> float:
    return t1_ms / (1 + relaxivity * concentration)


def _without_concentration(t1_ms: float, relaxivity: float, concentration: float) -> float:  # noqa: ARG001
    return t1_after_agent(t1_ms, relaxivity, 1.0)


def _without_relaxivity(t1_ms: float, relaxivity: float, concentration: float) -> float:  # noqa: ARG001
    return t1_after_agent(t1_ms, 1.0, concentration)


def _in_mol(t1_ms: float, relaxivity: float, concentration: float) -> float:
    return t1_after_agent(t1_ms, relaxivity, concentration / 1000)


def _agent_alone(t1_ms: float, relaxivity: float, concentration: float) -> float:  # noqa: ARG001  # the mistake
    return 1000 / (relaxivity * concentration)


RATE_RETURNED = "That is the rate 1/T1'. T1' is 1 divided by it, in ms."

T1_AFTER_AGENT = Exercise(
    "10.3",
    "T1 with contrast agent",
    t1_after_agent,
    hints=(
        "1/T1 is a rate, and rates add up: that of the tissue and that of the agent. Which unit has each of them?",
        "r1 C is in L/(mmol s) times mmol/L, so in 1/s. The tissue's T1 is in ms: 1000 / t1_ms is its rate in 1/s.",
        "Add the two rates in 1/s. Then 1 / rate is T1' in seconds, and 1000 / rate is T1' in ms.",
        "return 1000 / (1000 / t1_ms + relaxivity * concentration)",
    ),
    mistakes=(
        Mistake(
            _units_mixed,
            "1/T1 is in 1/ms and r1 C in 1/s, so a T1 below 10 ms comes out. Bring both to 1/s: 1000 / t1_ms.",
        ),
        Mistake(_answer_in_seconds, "The value is right, in seconds. Return ms: 1000 / rate."),
        Mistake(
            _thousand_the_wrong_way,
            "The thousand stands on the wrong side: a rate of 5 in each second is one of 0.005 in each millisecond.",
        ),
        Mistake(_rate_per_second, RATE_RETURNED),
        Mistake(_rate_per_millisecond, RATE_RETURNED),
        Mistake(_rate_falls, "The agent adds to the rate, so that T1 becomes shorter. Yours becomes longer."),
        Mistake(_times_added, "r1 C is a rate and not a time. Rates add up: 1/T1' = 1/T1 + r1 C."),
        Mistake(_times_of_both_added, "You added times, so T1 becomes longer. The rates add up: 1/T1' = 1/T1 + r1 C."),
        Mistake(
            _as_if_t1_were_a_second,
            "T1 / (1 + r1 C) takes the tissue's rate for 1 in a second. It is 1000 / t1_ms in a second.",
        ),
        Mistake(_without_concentration, "The concentration does not count yet: twice the agent has twice the effect."),
        Mistake(_without_relaxivity, "The relaxivity does not count yet: it says what 1 mmol/L does to the rate."),
        Mistake(_in_mol, "The concentration is in mmol/L already, and so is the relaxivity. Do not divide by 1000."),
        Mistake(_agent_alone, "That is the agent's rate alone. The tissue relaxes by itself too: add 1000 / t1_ms."),
    ),
    draw=_draw_agent,
)
