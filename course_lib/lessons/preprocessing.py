"""The exercises and questions of notebook 01, Preprocessing: from the beam to balanced, normalised numbers."""

import math

import numpy as np
import torch

from course_lib.exercises.comparing import same
from course_lib.exercises.exercise import Answer, Exercise, Inputs, Lesson, Mistake, returned
from course_lib.exercises.questions import Option, Question

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

# 1.2 --- the window


def to_8_bit(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """Grey values 0 to 255, as uint8: the window is spread over them, the rest is cut off."""
    low = center - width / 2
    part = np.clip((values - low) / width, 0, 1)
    return np.round(255 * part).astype(np.uint8)


def _draw_window(rng: np.random.Generator) -> Inputs:
    center, width = int(rng.integers(1200, 2400)), 2 * int(rng.integers(300, 700))
    low, high = center - width // 2, center + width // 2
    values = rng.integers(low, high, size=6)
    values[1] = low + math.ceil(width * (rng.integers(255) + 0.55) / 255)  # a grey to be rounded up
    if rng.integers(4):  # sometimes nothing is below or above the window
        values[0] = low - rng.integers(50, 400)
    if rng.integers(4):
        values[5] = high + rng.integers(50, 400)
    return values.reshape(2, 3), center, width


def _values_and_type(answer: Answer, inputs: Inputs) -> object:
    right, came = returned(to_8_bit, inputs), answer(*inputs)
    seen = {"the values": came}
    if isinstance(came, np.ndarray) and same(right, came):  # one thing after the other
        seen["the type of the values"] = str(came.dtype)
    return seen


def _wraps_around(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.round(255 * (values - center + width / 2) / width).astype(int).astype(np.uint8)


def _from_the_center(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.round(255 * np.clip((values - center) / width, 0, 1)).astype(np.uint8)


def _half_the_width(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.round(255 * np.clip((values - center + width) / (2 * width), 0, 1)).astype(np.uint8)


def _cut_down(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return (255 * np.clip((values - center + width / 2) / width, 0, 1)).astype(np.uint8)


def _to_one(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.clip((values - center + width / 2) / width, 0, 1)


def _no_bytes(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return 255 * np.clip((values - center + width / 2) / width, 0, 1)


def _rounded_but_no_bytes(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.round(255 * np.clip((values - center + width / 2) / width, 0, 1))


def _whole_range(values: np.ndarray, center: float, width: float) -> np.ndarray:  # noqa: ARG001  # the mistake
    return np.round(255 * values / 4095).astype(np.uint8)


def _from_zero(values: np.ndarray, center: float, width: float) -> np.ndarray:
    low, high = center - width / 2, center + width / 2
    return np.round(255 * np.clip(values, low, high) / high).astype(np.uint8)


def _divided_down(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.round(255 * np.clip((values - center + width / 2) // width, 0, 1)).astype(np.uint8)


def _own_range(values: np.ndarray, center: float, width: float) -> np.ndarray:  # noqa: ARG001  # the mistake
    return np.round(255 * (values - values.min()) / (values.max() - values.min())).astype(np.uint8)


def _own_range_in_the_window(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return _own_range(np.clip(values, center - width / 2, center + width / 2), center, width)


def _eight_bytes_each(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return to_8_bit(values, center, width).astype(np.int64)


TO_8_BIT = Exercise(
    "1.2",
    "A window from 12 bits to 8",
    to_8_bit,
    hints=(
        "Where does the window begin? Half of its width lies below the center.",
        "(values - low) / width is 0 at the beginning of the window and 1 at its end.",
        "np.clip(…, 0, 1) cuts off what lies outside. Then times 255, np.round, and astype(np.uint8).",
        "return np.round(255 * np.clip((values - center + width / 2) / width, 0, 1)).astype(np.uint8)",
    ),
    mistakes=(
        Mistake(_wraps_around, "A byte has no room below 0 and above 255, and starts anew: clip before astype."),
        Mistake(_from_the_center, "Your window begins at the center. Half of its width lies below."),
        Mistake(_half_the_width, "Your window is twice as wide: width is the whole of it, from end to end."),
        Mistake(_cut_down, "astype(np.uint8) and // cut off what follows the point: divide with /, and round first."),
        Mistake(_to_one, "That goes from 0 to 1. A byte goes from 0 to 255."),
        Mistake(_rounded_but_no_bytes, "The values are right, but still floats: astype(np.uint8) makes them bytes."),
        Mistake(_no_bytes, "The values are still floats: round them, then astype(np.uint8)."),
        Mistake(_whole_range, "That spreads all 4096 values over the greys. Only the window should be spread."),
        Mistake(_from_zero, "Black should be where the window begins: subtract low, and divide by width."),
        Mistake(_divided_down, "// leaves out what follows the point, so the whole window becomes 0: divide with /."),
        Mistake(_own_range, "You spread what this picture has, from its darkest to its brightest. Spread the window."),
        Mistake(
            _own_range_in_the_window,
            "Black and white are the ends of the window, whether this picture reaches them or not: center and width "
            "give them.",
        ),
        Mistake(_eight_bytes_each, "The values are right, but each takes 8 bytes: astype(np.uint8)."),
    ),
    draw=_draw_window,
    observe=_values_and_type,
)

# 1.3 --- the negative


def turn_round(pixels: np.ndarray, bits: int) -> np.ndarray:
    """The same picture with black and white exchanged; what is stored has so many bits."""
    return 2**bits - 1 - pixels


def _draw_negative(rng: np.random.Generator) -> Inputs:
    bits = int(rng.choice([10, 12, 14]))
    return rng.integers(3, 2**bits - 60, size=(2, 3)), bits


def _as_if_bytes(pixels: np.ndarray, bits: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return 255 - pixels


def _from_the_brightest(pixels: np.ndarray, bits: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return np.asarray(pixels.max() - pixels)


def _one_too_high(pixels: np.ndarray, bits: int) -> np.ndarray:
    return 2**bits - pixels


def _minus(pixels: np.ndarray, bits: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return -pixels


def _mirrored(pixels: np.ndarray, bits: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return pixels[:, ::-1]


def _no_power(pixels: np.ndarray, bits: int) -> np.ndarray:
    return (2 ^ bits) - 1 - pixels


def _no_power_of_all(pixels: np.ndarray, bits: int) -> np.ndarray:
    return 2 ^ bits - 1 - pixels


def _always_12_bits(pixels: np.ndarray, bits: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return 4095 - pixels


def _all_bits(pixels: np.ndarray, bits: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return ~pixels


def _as_floats(pixels: np.ndarray, bits: int) -> np.ndarray:
    return turn_round(pixels, bits).astype(float)


NO_POWER = "^ is not a power in Python, it compares bits. The power is 2**bits."


TURN_ROUND = Exercise(
    "1.3",
    "A negative, turned round",
    turn_round,
    hints=(
        "With 3 bits, 0 should become 7, and 7 should become 0. What becomes of 2?",
        "With so many bits the largest value is 2**bits - 1, whether this picture has it or not.",
        "Subtract each pixel from the largest possible value.",
        "return 2**bits - 1 - pixels",
    ),
    mistakes=(
        Mistake(_as_if_bytes, "255 is the largest value of 8 bits. These pixels have more."),
        Mistake(
            _from_the_brightest,
            "You start from this picture's brightest pixel, so each picture gets a scale of its own. Start from the "
            "largest value that the bits allow.",
        ),
        Mistake(_one_too_high, "One too high: counting starts at 0, so the largest value is 2**bits - 1."),
        Mistake(_minus, "Greys can not be negative: subtract from the largest value that the bits allow."),
        Mistake(_mirrored, "That exchanges left and right. Here black and white change places."),
        Mistake(_no_power, NO_POWER),
        Mistake(_no_power_of_all, NO_POWER),
        Mistake(_always_12_bits, "4095 is the largest value of 12 bits. Other pictures have other bits: use bits."),
        Mistake(
            _all_bits,
            "~ exchanges all bits that the computer stores, also the sign. Subtract from the largest value that these "
            "bits allow.",
        ),
        Mistake(_as_floats, "The values are right, but floats. Greys are whole numbers: without 2.0 or astype(float)."),
    ),
    draw=_draw_negative,
)

# 1.4 --- what a crop costs


def lost_by_crop(height: int, width: int) -> float:
    """The part of the picture, 0 to 1, that is outside of the largest square that fits into it."""
    short, long = sorted((height, width))
    return 1 - short / long


def _draw_size(rng: np.random.Generator) -> Inputs:
    short = 10 * int(rng.integers(8, 20))
    long = short + 10 * int(rng.integers(1, 12))
    return (short, long) if rng.integers(2) else (long, short)


def _kept_by_crop(height: int, width: int) -> float:
    return min(height, width) / max(height, width)


def _always_wide(height: int, width: int) -> float:
    return 1 - height / width


def _always_high(height: int, width: int) -> float:
    return 1 - width / height


def _side_twice(height: int, width: int) -> float:
    return 1 - (min(height, width) / max(height, width)) ** 2


def _in_pixels(height: int, width: int) -> int:
    return height * width - min(height, width) ** 2


def _by_the_width(height: int, width: int) -> float:
    return abs(height - width) / width


def _by_the_height(height: int, width: int) -> float:
    return abs(height - width) / height


def _by_the_shorter(height: int, width: int) -> float:
    return abs(height - width) / min(height, width)


def _long_by_short(height: int, width: int) -> float:
    return 1 - max(height, width) / min(height, width)


def pixels_of_a_side(height: int, width: int) -> int:
    return abs(height - width)


def _rounded(height: int, width: int) -> float:
    return round(lost_by_crop(height, width), 2)


def _in_percent(height: int, width: int) -> float:
    return 100 * lost_by_crop(height, width)


LOST_BY_CROP = Exercise(
    "1.4",
    "What a crop costs",
    lost_by_crop,
    hints=(
        "Draw a picture of 100 x 150 and the largest square in it. What is left over?",
        "The square's side is the shorter side, so it keeps short * short of short * long pixels.",
        "Kept is short / long. min(height, width) finds the shorter side whichever it is.",
        "return 1 - min(height, width) / max(height, width)",
    ),
    mistakes=(
        Mistake(_kept_by_crop, "That is the part that is kept. The rest is lost."),
        Mistake(_always_wide, "That holds for wide pictures only. Some are higher than they are wide."),
        Mistake(_always_high, "That holds for high pictures only. Most are wider than they are high."),
        Mistake(_side_twice, "The crop cuts one direction only: the shorter side stays whole."),
        Mistake(_in_pixels, "That is a number of pixels. Divide by the pixels of the whole picture."),
        Mistake(_by_the_width, "That holds for wide pictures only. Divide by the longer side, whichever it is."),
        Mistake(_by_the_height, "That holds for high pictures only. Divide by the longer side, whichever it is."),
        Mistake(_by_the_shorter, "What is lost is part of the longer side: divide by that one."),
        Mistake(_long_by_short, "The division is turned round, so it comes out above 1: short / long is kept."),
        Mistake(pixels_of_a_side, "So many pixels of the longer side are lost. Divide by that side."),
        Mistake(_rounded, "The value is right, but rounded. Return it as it is."),
        Mistake(_in_percent, "The value is right, in percent. Return it from 0 to 1."),
    ),
    draw=_draw_size,
)

# 1.5 --- mean and standard deviation


def mean_and_std(images: np.ndarray, patients: list[str], training: set[str]) -> tuple[float, float]:
    """Mean and standard deviation of all pixels of the training patients; the images are [n, height, width]."""
    chosen = images[np.array([patient in training for patient in patients])]
    return float(chosen.mean()), float(chosen.std())


def _draw_images_and_patients(rng: np.random.Generator) -> Inputs:
    patients = ["anna", "anna", "ben", "carl", "carl", "dora"]
    levels = rng.permutation(np.arange(6)) / 10 + 0.2
    images = np.round(levels[:, None, None] + rng.normal(0, 0.1, size=(6, 2, 2)), 2)
    training = rng.choice(["anna", "carl"]), rng.choice(["ben", "dora"])
    return images, patients, {str(name) for name in training}


def _over_all(images: np.ndarray, patients: list[str], training: set[str]) -> tuple[float, float]:  # noqa: ARG001
    return float(images.mean()), float(images.std())


def _over_the_others(images: np.ndarray, patients: list[str], training: set[str]) -> tuple[float, float]:
    return mean_and_std(images, patients, set(patients) - training)


def _mean_of_the_images_stds(images: np.ndarray, patients: list[str], training: set[str]) -> tuple[float, float]:
    chosen = images[[patient in training for patient in patients]]
    return float(chosen.mean()), float(chosen.std(axis=(1, 2)).mean())


def _std_of_the_images_means(images: np.ndarray, patients: list[str], training: set[str]) -> tuple[float, float]:
    chosen = images[[patient in training for patient in patients]]
    return float(chosen.mean()), float(chosen.mean(axis=(1, 2)).std())


def _one_image_each(images: np.ndarray, patients: list[str], training: set[str]) -> tuple[float, float]:
    chosen = images[[patients.index(name) for name in sorted(training)]]
    return float(chosen.mean()), float(chosen.std())


def _variance(images: np.ndarray, patients: list[str], training: set[str]) -> tuple[float, float]:
    mean, std = mean_and_std(images, patients, training)
    return mean, std**2


def _one_each(images: np.ndarray, patients: list[str], training: set[str]) -> tuple[np.ndarray, np.ndarray]:
    chosen = images[[patient in training for patient in patients]]
    return chosen.mean(axis=(1, 2)), chosen.std(axis=(1, 2))


def _lists_of_one_each(images: np.ndarray, patients: list[str], training: set[str]) -> tuple[list[float], list[float]]:
    means, stds = _one_each(images, patients, training)
    return means.tolist(), stds.tolist()


def _one_less(images: np.ndarray, patients: list[str], training: set[str]) -> tuple[float, float]:
    chosen = images[[patient in training for patient in patients]]
    return float(chosen.mean()), float(chosen.std(ddof=1))


ONE_PER_IMAGE = "That is a mean and a spread for each image. Take the pixels of all these images together."

MEAN_AND_STD = Exercise(
    "1.5",
    "Mean and spread of the training patients",
    mean_and_std,
    hints=(
        "Two steps: pick the images of the training patients, then take all their pixels together.",
        "patient in training is True or False. A list of these, one for each image, can pick rows of an array.",
        "chosen = images[[patient in training for patient in patients]] has all pixels you need.",
        "return float(chosen.mean()), float(chosen.std())",
    ),
    mistakes=(
        Mistake(_over_all, "That is over all patients. Those we measure on must not take part, not even in a mean."),
        Mistake(_over_the_others, "Those are the other patients. Take the ones that are in training."),
        Mistake(
            _mean_of_the_images_stds,
            "That is the mean of each image's own spread. It leaves out how much the images differ from each other: "
            "take all pixels together.",
        ),
        Mistake(
            _std_of_the_images_means,
            "That is the spread of the images' means. Take the spread of all pixels together.",
        ),
        Mistake(_one_image_each, "Some patients have two images. All images of a training patient take part."),
        Mistake(_variance, "That is the variance. The standard deviation is its square root."),
        Mistake(_one_each, ONE_PER_IMAGE),
        Mistake(_lists_of_one_each, ONE_PER_IMAGE),
        Mistake(_one_less, "torch's std divides by n - 1, and so does ddof=1. Use numpy's own, or correction=0."),
    ),
    draw=_draw_images_and_patients,
)

# 1.6 --- the way back


def denormalise(tensor: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    """The image [channels, height, width] before its channels were normalised, each with its own mean and std."""
    return tensor * torch.tensor(std).view(-1, 1, 1) + torch.tensor(mean).view(-1, 1, 1)


def _draw_normalised(rng: np.random.Generator) -> Inputs:
    tensor = torch.from_numpy(np.round(rng.normal(size=(3, 1, 3)), 1)).float()
    mean = [float(m) / 100 for m in rng.permutation(np.arange(40, 60))[:3]]
    std = [float(s) / 100 for s in rng.permutation(np.arange(15, 30))[:3]]
    return tensor, mean, std


def _along_the_columns(tensor: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    return tensor * torch.tensor(std) + torch.tensor(mean)


def _along_the_rows(tensor: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    return tensor * torch.tensor(std).view(-1, 1) + torch.tensor(mean).view(-1, 1)


def _in_the_wrong_order(tensor: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    return (tensor + torch.tensor(mean).view(-1, 1, 1)) * torch.tensor(std).view(-1, 1, 1)


def _normalised_again(tensor: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    return (tensor - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)


def _first_channel_for_all(tensor: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    return tensor * std[0] + mean[0]


def _mean_taken_away(tensor: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    return tensor * torch.tensor(std).view(-1, 1, 1) - torch.tensor(mean).view(-1, 1, 1)


def _divided_by_std(tensor: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    return tensor / torch.tensor(std).view(-1, 1, 1) + torch.tensor(mean).view(-1, 1, 1)


def _list_of_channels(tensor: torch.Tensor, mean: list[float], std: list[float]) -> list[torch.Tensor]:
    return list(denormalise(tensor, mean, std))


DENORMALISE = Exercise(
    "1.6",
    "The way back from normalised",
    denormalise,
    hints=(
        "Normalising was (x - mean) / std. Solve for x: which step has to be undone first?",
        "Undo the last step first: times std, then plus mean.",
        "torch.tensor(std) has shape [3] and would go along the columns. .view(-1, 1, 1) makes it one per channel.",
        "return tensor * torch.tensor(std).view(-1, 1, 1) + torch.tensor(mean).view(-1, 1, 1)",
    ),
    mistakes=(
        Mistake(
            _along_the_columns,
            "Your three numbers went along the three columns, since broadcasting starts at the last axis. Give them "
            "the shape [3, 1, 1].",
        ),
        Mistake(_along_the_rows, "Your three numbers went along the rows. Give them the shape [3, 1, 1]."),
        Mistake(_in_the_wrong_order, "The order is turned round: dividing came last, so undo it first."),
        Mistake(_normalised_again, "That normalises once more. The way back multiplies and adds."),
        Mistake(_first_channel_for_all, "All channels got the numbers of the first. Each has its own."),
        Mistake(_mean_taken_away, "The mean was taken away, so the way back adds it."),
        Mistake(_divided_by_std, "Normalising divided by std, so the way back multiplies."),
        Mistake(_list_of_channels, "The channels are right, but in a list: torch.stack makes one tensor of them."),
    ),
    draw=_draw_normalised,
)

# 1.7 --- balanced weights


def class_weights(counts: list[int]) -> list[float]:
    """A weight for each class, so that every class counts alike and the weights are 1 where classes are equal."""
    return [sum(counts) / (len(counts) * count) for count in counts]


def _draw_counts(rng: np.random.Generator) -> Inputs:
    return ([10 * int(count) for count in rng.permutation(np.arange(2, 40))[: rng.integers(2, 4)]],)


def _like_the_counts(counts: list[int]) -> list[float]:
    return [count / sum(counts) for count in counts]


def _not_per_class(counts: list[int]) -> list[float]:
    return [sum(counts) / count for count in counts]


def _one_by_count(counts: list[int]) -> list[float]:
    return [1 / count for count in counts]


def _to_the_largest(counts: list[int]) -> list[float]:
    return [max(counts) / count for count in counts]


def _for_two_classes(counts: list[int]) -> list[float]:
    return [sum(counts) / (2 * count) for count in counts]


def _to_the_smallest(counts: list[int]) -> list[float]:
    return [min(counts) / count for count in counts]


def _with_a_fixed_sum(counts: list[int]) -> list[float]:
    total = sum(1 / count for count in counts)
    return [len(counts) / (count * total) for count in counts]


def _part_of_the_others(counts: list[int]) -> list[float]:
    return [1 - count / sum(counts) for count in counts]


CLASS_WEIGHTS = Exercise(
    "1.7",
    "Weights that balance the classes",
    class_weights,
    hints=(
        "The rarer a class, the larger the weight of each of its images.",
        "weight * count must be the same for all classes. With equal classes each weight should be 1.",
        "If all were equal, each class would have sum(counts) / len(counts) images. Divide that by what it has.",
        "return [sum(counts) / (len(counts) * count) for count in counts]",
    ),
    mistakes=(
        Mistake(_like_the_counts, "These weights grow with the class. The rare class needs the larger one."),
        Mistake(_not_per_class, "Equal classes would get weights above 1: divide by the number of classes as well."),
        Mistake(_one_by_count, "In the right proportion, but tiny: the loss would shrink with the size of the data."),
        Mistake(_to_the_largest, "In the right proportion, but the loss would grow: on average an image weighs 1."),
        Mistake(_for_two_classes, "That holds for two classes. Use len(counts)."),
        Mistake(_to_the_smallest, "In the right proportion, but the loss would shrink: on average an image weighs 1."),
        Mistake(
            _with_a_fixed_sum,
            "In the right proportion, but per class they weigh 1 on average. Images should: sum(counts) / len(counts) "
            "is what a class would have if all were equal.",
        ),
        Mistake(
            _part_of_the_others, "The rare class weighs more, but weight * count must be the same for all classes."
        ),
    ),
    draw=_draw_counts,
)

# --- questions

BONE_QUESTION = Question(
    "1.a",
    "A lobe of the lung fills with pus. The detector counts the photons behind it. What happens to these counts?",
    (
        Option(
            "They fall",
            "Pus stops more rays than air, so fewer photons arrive. The film turns that round and shows it lighter.",
            right=True,
        ),
        Option(
            "They rise, since the film gets lighter there",
            "The film does get lighter, but it is a negative: light means that few photons arrived.",
        ),
        Option(
            "They stay: pus is soft tissue",
            "It attenuates like soft tissue, but what it displaces is air, which hardly attenuates at all.",
        ),
    ),
)

DIVIDE_QUESTION = Question(
    "1.b",
    "A program divides every image by 255. One day it gets a DICOM file with values from 0 to 4095. What does the "
    "network see?",
    (
        Option("The same picture, only sharper", "More bits are finer steps, not sharper edges, and the scale is off."),
        Option(
            "Numbers up to 16, of which it has never seen any above 1",
            "4095 / 255 is 16. No error is raised; the answers are just wrong. Know your file's bits and its window.",
            right=True,
        ),
        Option("An error", "Division works for all numbers. That is why this mistake stays unseen for long."),
    ),
)

LIE_QUESTION = Question(
    "1.c",
    "Which of these changes may be shown to a network that learns to find pneumonia in children?",
    (
        Option(
            "Turned by 5 degrees, a little darker",
            "Children do not lie straight, and exposures differ. Such a picture could have been taken.",
            right=True,
        ),
        Option(
            "Left and right exchanged",
            "The heart would be on the wrong side. About one person in ten thousand is built so, not every second one.",
        ),
        Option(
            "Shifted by half the picture, so that one lung is outside",
            "If the diseased lung is outside, the label PNEUMONIA is no longer true of what is shown.",
        ),
        Option(
            "So bright that the lungs are white",
            "Then air looks like fluid. The change has put in what the label says is not there.",
        ),
    ),
)

LESSON = Lesson(
    "01",
    "Preprocessing",
    (TRANSMISSION, TO_8_BIT, TURN_ROUND, LOST_BY_CROP, MEAN_AND_STD, DENORMALISE, CLASS_WEIGHTS),
    (BONE_QUESTION, DIVIDE_QUESTION, LIE_QUESTION),
)
