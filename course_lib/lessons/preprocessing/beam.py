"""How much of the X-ray beam is left behind the body."""

import math

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 1.1 --- the beam


def transmission(layers: list[tuple[float, float]]) -> float:
    """The part of the beam that is left after some layers, each (attenuation per cm, thickness in cm)."""
    return math.exp(-sum(mu * thickness for mu, thickness in layers))


def _draw_layers(rng: np.random.Generator) -> Inputs:
    kinds = rng.permutation([0.24, 0.06, 0.81])[: rng.integers(2, 4)]
    return ([(float(mu), float(rng.integers(1, 13)) / 2) for mu in kinds],)


def _without_minus(layers: list[tuple[float, float]]) -> float:
    return math.exp(sum(mu * thickness for mu, thickness in layers))


def _taken_away(layers: list[tuple[float, float]]) -> float:
    return 1 - math.exp(-sum(mu * thickness for mu, thickness in layers))


def _parts_added(layers: list[tuple[float, float]]) -> float:
    return sum(math.exp(-mu * thickness) for mu, thickness in layers)


def _exponent_only(layers: list[tuple[float, float]]) -> float:
    return sum(mu * thickness for mu, thickness in layers)


def _without_thickness(layers: list[tuple[float, float]]) -> float:
    return math.exp(-sum(mu for mu, _ in layers))


def _sums_multiplied(layers: list[tuple[float, float]]) -> float:
    return math.exp(-sum(mu for mu, _ in layers) * sum(thickness for _, thickness in layers))


def _first_layer_only(layers: list[tuple[float, float]]) -> float:
    return transmission(layers[:1])


def _last_layer_only(layers: list[tuple[float, float]]) -> float:
    return transmission(layers[-1:])


def _nothing_from_the_start(layers: list[tuple[float, float]]) -> float:
    return 0 * transmission(layers)


def _each_layer_alone(layers: list[tuple[float, float]]) -> list[float]:
    return [transmission([layer]) for layer in layers]


def _array_of_layers(layers: list[tuple[float, float]]) -> np.ndarray:
    return np.array(_each_layer_alone(layers))


ONE_PER_LAYER = "That is what each layer lets through by itself. The beam goes through all of them: multiply."


TRANSMISSION = Exercise(
    "1.1",
    "What is left of the beam",
    transmission,
    hints=(
        "One layer lets the part exp(-mu * thickness) through. The next layer gets only that part.",
        "Part times part times part: a product of exponentials is the exponential of a sum.",
        "Add up mu * thickness over the layers, then take math.exp of minus that sum.",
        "return math.exp(-sum(mu * thickness for mu, thickness in layers))",
    ),
    mistakes=(
        Mistake(_without_minus, "More comes out than went in: the exponent needs a minus."),
        Mistake(_taken_away, "That is the part that the layers take away. What is left is 1 minus that."),
        Mistake(_parts_added, "The parts are added. Each layer takes its part of what the one before left: multiply."),
        Mistake(_exponent_only, "That is the attenuation of all layers together. The part that is left is exp(-that)."),
        Mistake(_without_thickness, "The thickness does not count yet: a layer twice as thick attenuates twice."),
        Mistake(_sums_multiplied, "Each layer has its own thickness: multiply inside each layer, then add up."),
        Mistake(_first_layer_only, "Only the first layer counts. Is the return inside the loop?"),
        Mistake(
            _last_layer_only, "Only the last layer counts: let the loop multiply, as in left *= …, or add up with +=."
        ),
        Mistake(
            _nothing_from_the_start, "Zero times any part stays zero. Before the first layer all is left: begin with 1."
        ),
        Mistake(_each_layer_alone, ONE_PER_LAYER),
        Mistake(_array_of_layers, ONE_PER_LAYER),
    ),
    draw=_draw_layers,
)
