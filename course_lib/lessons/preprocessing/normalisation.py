"""Mean and spread of the training patients, and the way back from normalised numbers."""

import numpy as np
import torch

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

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
