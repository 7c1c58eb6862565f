"""What someone reaches who never looks at an image."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 2.2 --- what guessing reaches


def guess_accuracy(train_labels: list[int], test_labels: list[int]) -> float:
    """Accuracy on the test of always saying the class that is more frequent in training."""
    larger = max(set(train_labels), key=train_labels.count)
    return test_labels.count(larger) / len(test_labels)


def _draw_labels(rng: np.random.Generator) -> Inputs:
    larger = int(rng.integers(2))
    train = [larger] * int(rng.integers(7, 10)) + [1 - larger] * int(rng.integers(2, 5))
    few, many = int(rng.integers(2, 4)), int(rng.integers(5, 8))
    if rng.integers(2):  # sometimes the test's larger class is that of training, and sometimes the other one
        few, many = many, few
    test = [larger] * few + [1 - larger] * many
    return [train[i] for i in rng.permutation(len(train))], [test[i] for i in rng.permutation(len(test))]


def _peeks(_: list[int], test_labels: list[int]) -> float:
    return guess_accuracy(test_labels, test_labels)


def _on_training(train_labels: list[int], _: list[int]) -> float:
    return guess_accuracy(train_labels, train_labels)


def _always_sick(_: list[int], test_labels: list[int]) -> float:
    return test_labels.count(1) / len(test_labels)


def _how_often(train_labels: list[int], test_labels: list[int]) -> int:
    return test_labels.count(max(set(train_labels), key=train_labels.count))


def _how_often_not(train_labels: list[int], test_labels: list[int]) -> float:
    return 1 - guess_accuracy(train_labels, test_labels)


def _percent(train_labels: list[int], test_labels: list[int]) -> float:
    return 100 * guess_accuracy(train_labels, test_labels)


def _says_which(train_labels: list[int], _: list[int]) -> int:
    return max(set(train_labels), key=train_labels.count)


GUESS_ACCURACY = Exercise(
    "2.2",
    "What guessing reaches",
    guess_accuracy,
    hints=(
        "Somebody who never looks has to decide once. Which list may they look at before they decide?",
        "Find the more frequent label of train_labels. Then ask how often it is right in test_labels.",
        "labels.count(1) counts the ones; divide by len(labels).",
        "larger = max(set(train_labels), key=train_labels.count), then test_labels.count(larger) / len(test_labels)",
    ),
    mistakes=(
        Mistake(
            _peeks, "You chose the class by looking at the test. Choose it on train_labels, then count in the test."
        ),
        Mistake(_on_training, "That is the accuracy on the training images. Count the same class in test_labels."),
        Mistake(_always_sick, "You always say 1. Say what is more frequent in train_labels; it may be 0."),
        Mistake(_how_often, "That is how many are right. Divide by the number of test images."),
        Mistake(_how_often_not, "That is how often the guess is wrong. How often is it right?"),
        Mistake(_percent, "The value is right, in percent. Return it from 0 to 1."),
        Mistake(_says_which, "That is the class. How often is it right on the test, from 0 to 1?"),
    ),
    draw=_draw_labels,
)
