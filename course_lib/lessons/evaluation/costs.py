"""What mistakes cost, where some are worse than others."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 5.8 --- what a child costs


def cost_of_a_child(
    sensitivity: float, specificity: float, prevalence: float, miss_cost: float, alarm_cost: float
) -> float:
    """The mean cost of a child, where this part of the children is sick."""
    missed = prevalence * (1 - sensitivity)
    alarmed = (1 - prevalence) * (1 - specificity)
    return missed * miss_cost + alarmed * alarm_cost


def _draw_costs(rng: np.random.Generator) -> Inputs:
    sensitivity, specificity = rng.choice([0.6, 0.7, 0.8, 0.9], 2, replace=False)
    prevalence = float(rng.choice([0.1, 0.2, 0.3]))
    return float(sensitivity), float(specificity), prevalence, float(rng.integers(4, 21)), float(rng.integers(1, 4))


def _costs_swapped(
    sensitivity: float, specificity: float, prevalence: float, miss_cost: float, alarm_cost: float
) -> float:
    return cost_of_a_child(sensitivity, specificity, prevalence, alarm_cost, miss_cost)


def _right_ones_pay(
    sensitivity: float, specificity: float, prevalence: float, miss_cost: float, alarm_cost: float
) -> float:
    return cost_of_a_child(1 - sensitivity, 1 - specificity, prevalence, miss_cost, alarm_cost)


def _no_prevalence(
    sensitivity: float, specificity: float, _prevalence: float, miss_cost: float, alarm_cost: float
) -> float:
    return (1 - sensitivity) * miss_cost + (1 - specificity) * alarm_cost


def _all_can_be_alarmed(
    sensitivity: float, specificity: float, prevalence: float, miss_cost: float, alarm_cost: float
) -> float:
    return prevalence * (1 - sensitivity) * miss_cost + (1 - specificity) * alarm_cost


COST_OF_A_CHILD = Exercise(
    "5.8",
    "What a child costs",
    cost_of_a_child,
    hints=(
        "Only mistakes cost. There are two kinds: a sick child that is missed, a healthy one that is alarmed.",
        "Of all children, the part prevalence * (1 - sensitivity) is missed. Which part is alarmed?",
        "The healthy are 1 - prevalence, and the part 1 - specificity of them is alarmed.",
        "return prevalence * (1 - sensitivity) * miss_cost + (1 - prevalence) * (1 - specificity) * alarm_cost",
    ),
    mistakes=(
        Mistake(_costs_swapped, "The two costs are exchanged: a sick child that is called healthy is a miss."),
        Mistake(_right_ones_pay, "You let the right answers pay. The missed are 1 - sensitivity of the sick."),
        Mistake(_no_prevalence, "How many are sick matters: weigh the two kinds by prevalence and 1 - prevalence."),
        Mistake(_all_can_be_alarmed, "Only the healthy can be alarmed for nothing, and they are 1 - prevalence."),
    ),
    draw=_draw_costs,
)
