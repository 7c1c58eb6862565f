"""Which network to take, when each has a score, an interval and a speed."""

from typing import Any

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

Rows = list[dict[str, Any]]

# 4.7 --- a choice with its cost


def cheapest_that_keeps_up(rows: list[dict[str, Any]]) -> str:
    """The name of the fastest network whose interval reaches up to the best AUROC of all."""
    best = max(row["auroc"] for row in rows)
    keeping_up = [row for row in rows if row["high"] >= best]
    return max(keeping_up, key=lambda row: row["images_per_second"])["name"]


def _draw_rows(rng: np.random.Generator) -> Inputs:
    names = rng.permutation(["resnet18", "vgg16_bn", "mobilenet_v3_small", "densenet121", "efficientnet_b0"])
    best = 0.9 + int(rng.integers(0, 40)) / 1000
    behind = np.array([0, 20, 40, 35, 120]) / 1000  # so far below the best
    reach = np.array([20, 30, 50, 25, 40]) / 1000  # half an interval: the first three keep up
    speeds = sorted(rng.choice(np.arange(20, 400), 5, replace=False).tolist())
    slow_to_fast = [speeds[i] for i in (1, 2, 0, 3, 4)]  # the second keeps up and is the fastest that does
    rows = [
        {
            "name": str(name),
            "auroc": round(best - less, 3),
            "low": round(best - less - half, 3),
            "high": round(best - less + half, 3),
            "images_per_second": int(speed),
        }
        for name, less, half, speed in zip(names, behind.tolist(), reach.tolist(), slow_to_fast, strict=True)
    ]
    return ([rows[i] for i in rng.permutation(5)],)


def _the_best(rows: Rows) -> object:
    return max(rows, key=lambda row: row["auroc"])["name"]


def _the_fastest(rows: Rows) -> object:
    return max(rows, key=lambda row: row["images_per_second"])["name"]


def _the_slowest_that_keeps_up(rows: Rows) -> object:
    best = max(row["auroc"] for row in rows)
    return min((r for r in rows if r["high"] >= best), key=lambda row: row["images_per_second"])["name"]


def _the_whole_row(rows: Rows) -> object:
    return next(row for row in rows if row["name"] == cheapest_that_keeps_up(rows))


def _all_that_keep_up(rows: Rows) -> object:
    best = max(row["auroc"] for row in rows)
    return [row["name"] for row in rows if row["high"] >= best]


def _intervals_that_touch(rows: Rows) -> object:
    lowest = max(rows, key=lambda row: row["auroc"])["low"]
    return max((r for r in rows if r["high"] >= lowest), key=lambda row: row["images_per_second"])["name"]


CHOICE = Exercise(
    "4.7",
    "A choice with its cost",
    cheapest_that_keeps_up,
    hints=(
        "Two steps: who is not clearly worse than the best, and who of these is the fastest?",
        "The best AUROC is max(row['auroc'] for row in rows). A network keeps up if its 'high' reaches it.",
        "Keep the rows that keep up in a list, then max(that_list, key=...) by 'images_per_second'.",
        "keeping_up = [row for row in rows if row['high'] >= best], and "
        "max(keeping_up, key=lambda row: row['images_per_second'])['name']",
    ),
    mistakes=(
        Mistake(_the_best, "That is the highest AUROC, whatever it costs. Is a faster one within reach of it?"),
        Mistake(_the_fastest, "That is the fastest of all, but its interval does not reach the best AUROC."),
        Mistake(_the_slowest_that_keeps_up, "More images per second is faster: take the largest, not the smallest."),
        Mistake(_all_that_keep_up, "These keep up. Of them the fastest is asked for, its name alone."),
        Mistake(
            _intervals_that_touch,
            "Its interval reaches the interval of the best, but not the best AUROC itself: compare 'high' with that.",
        ),
        Mistake(_the_whole_row, "The row is right. Return its name alone."),
    ),
    draw=_draw_rows,
)
