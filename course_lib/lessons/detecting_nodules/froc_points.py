"""A point of a FROC curve: what is found from a threshold up, and the false alarms that it costs."""

import numpy as np

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

WORDS = ("hit", "double", "false alarm")
Films = list[list[float]]
Words = list[list[str]]
Counts = list[int]
Point = tuple[float, float]

# 12.8 --- a point of the FROC curve


def froc_point(
    scores: list[list[float]], words: list[list[str]], boxes: list[int], threshold: float
) -> tuple[float, float]:
    """Sensitivity and false alarms per film, if the found boxes with a score of the threshold or more count.

    Of each film, ``scores`` are those of the found boxes, ``words`` say what each of them is ("hit", "double" or "false
    alarm"), and ``boxes`` is how many true boxes it has, often 0. The sensitivity is the part of all true boxes that is
    hit, nan if there is none at all.
    """
    kept = []
    for of_film, said in zip(scores, words, strict=True):
        kept += [word for score, word in zip(of_film, said, strict=True) if score >= threshold]
    sensitivity = kept.count("hit") / sum(boxes) if sum(boxes) else float("nan")
    return sensitivity, kept.count("false alarm") / len(boxes)


def _draw_films(rng: np.random.Generator) -> Inputs:
    """Four to six films, half of them without a true box, now and then all; the threshold is one of the scores."""
    films = int(rng.integers(4, 7))
    boxes = rng.integers(1, 4, films) * (rng.random(films) < 0.5)
    boxes[0] = rng.choice([1, 2, 3])
    boxes = rng.permutation(boxes) * (rng.random() < 0.85)
    words = [_words_of_film(rng, int(count)) for count in boxes]
    scores = [np.sort(rng.permutation(np.arange(1, 20))[: len(said)])[::-1] / 20 for said in words]
    threshold = rng.choice([score for of_film in scores for score in of_film] or [0.5])
    return [of_film.tolist() for of_film in scores], words, boxes.tolist(), float(threshold)


def _words_of_film(rng: np.random.Generator, true: int) -> list[str]:
    """The surest first; a double comes after its hit."""
    found = ["hit"] * int(rng.integers(0, true + 1))
    said = rng.permutation([*found, *["false alarm"] * int(rng.choice([0, 1, 2], p=[0.35, 0.4, 0.25]))]).tolist()
    if found and rng.random() < 0.5:
        said.insert(int(rng.integers(said.index("hit"), len(said))) + 1, "double")
    return said


def _two_numbers(answer: Answer, inputs: Inputs) -> object:
    came = answer(*inputs)
    if came is None:
        return {"the sensitivity": None}
    if not isinstance(came, tuple | list) or len(came) != 2:
        return {"what is returned": came}
    return {"the sensitivity": came[0], "the false alarms per film": came[1]}


def _kept(scores: Films, words: Words, threshold: float) -> Words:
    """The words of the boxes that count, film by film."""
    films = zip(scores, words, strict=True)
    return [[w for s, w in zip(of_film, said, strict=True) if s >= threshold] for of_film, said in films]


def _how_many(kept: Words, *wanted: str) -> int:
    return sum(said.count(word) for said in kept for word in wanted)


def _part(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _films_with_a_box_below(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    sensitivity, alarms = froc_point(scores, words, boxes, threshold)
    return sensitivity, _part(alarms * len(boxes), sum(count > 0 for count in boxes))


def _films_with_a_box_alone(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    kept = [said for said, count in zip(_kept(scores, words, threshold), boxes, strict=True) if count]
    return _part(_how_many(kept, "hit"), sum(boxes)), _part(_how_many(kept, "false alarm"), len(kept))


def _healthy_films_alone(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    kept = _kept(scores, words, threshold)
    healthy = [said for said, count in zip(kept, boxes, strict=True) if not count]
    return _part(_how_many(kept, "hit"), sum(boxes)), _part(_how_many(healthy, "false alarm"), len(healthy))


def _films_with_found_boxes_below(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    kept = _kept(scores, words, threshold)
    return froc_point(scores, words, boxes, threshold)[0], _part(_how_many(kept, "false alarm"), sum(map(bool, kept)))


def _films_with_an_alarm(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    alarmed = sum("false alarm" in said for said in _kept(scores, words, threshold))
    return froc_point(scores, words, boxes, threshold)[0], alarmed / len(boxes)


def _doubles_as_alarms(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    kept = _kept(scores, words, threshold)
    return _part(_how_many(kept, "hit"), sum(boxes)), _how_many(kept, "false alarm", "double") / len(boxes)


def _doubles_as_hits(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    kept = _kept(scores, words, threshold)
    return _part(_how_many(kept, "hit", "double"), sum(boxes)), _how_many(kept, "false alarm") / len(boxes)


def _above_the_threshold(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    return froc_point(scores, words, boxes, threshold + 1e-6)


def _below_the_threshold(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    return froc_point([[-s for s in of_film] for of_film in scores], words, boxes, -threshold + 1e-6)


def _no_threshold(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:  # noqa: ARG001
    return froc_point(scores, words, boxes, 0)


def _of_what_is_ever_hit(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    sensitivity, alarms = froc_point(scores, words, boxes, threshold)
    return _part(sensitivity * sum(boxes), _how_many(words, "hit")), alarms


def _films_with_a_hit(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    hit = sum("hit" in said for said in _kept(scores, words, threshold))
    return _part(hit, sum(count > 0 for count in boxes)), froc_point(scores, words, boxes, threshold)[1]


def _mean_of_films(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    films = zip(_kept(scores, words, threshold), boxes, strict=True)
    parts = [said.count("hit") / count for said, count in films if count]
    return float(np.mean(parts)) if parts else float("nan"), froc_point(scores, words, boxes, threshold)[1]


def _mean_of_all_films(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    films = zip(_kept(scores, words, threshold), boxes, strict=True)
    parts = [said.count("hit") / count if count else 0.0 for said, count in films]
    return float(np.mean(parts)), froc_point(scores, words, boxes, threshold)[1]


def _hits_per_film(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    kept = _kept(scores, words, threshold)
    return _how_many(kept, "hit") / len(boxes), _how_many(kept, "false alarm") / len(boxes)


def _precision(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    kept = _kept(scores, words, threshold)
    hit, alarms = _how_many(kept, "hit"), _how_many(kept, "false alarm")
    return _part(hit, hit + alarms), alarms / len(boxes)


def _alarms_per_found_box(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    kept = _kept(scores, words, threshold)
    return _part(_how_many(kept, "hit"), sum(boxes)), _part(_how_many(kept, "false alarm"), sum(map(len, kept)))


def _alarms_per_true_box(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    kept = _kept(scores, words, threshold)
    return _part(_how_many(kept, "hit"), sum(boxes)), _part(_how_many(kept, "false alarm"), sum(boxes))


def _counts(scores: Films, words: Words, boxes: Counts, threshold: float) -> tuple[int, int]:  # noqa: ARG001
    kept = _kept(scores, words, threshold)
    return _how_many(kept, "hit"), _how_many(kept, "false alarm")


def _number_of_alarms(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    kept = _kept(scores, words, threshold)
    return _part(_how_many(kept, "hit"), sum(boxes)), _how_many(kept, "false alarm")


def _swapped(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    sensitivity, alarms = froc_point(scores, words, boxes, threshold)
    return alarms, sensitivity


def _no_box_raises(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    kept = _kept(scores, words, threshold)
    return _how_many(kept, "hit") / sum(boxes), _how_many(kept, "false alarm") / len(boxes)


def _no_box_is_0(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    sensitivity, alarms = froc_point(scores, words, boxes, threshold)
    return sensitivity if sum(boxes) else 0.0, alarms


def _no_box_is_1(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    sensitivity, alarms = froc_point(scores, words, boxes, threshold)
    return sensitivity if sum(boxes) else 1.0, alarms


def _percent(scores: Films, words: Words, boxes: Counts, threshold: float) -> Point:
    sensitivity, alarms = froc_point(scores, words, boxes, threshold)
    return 100 * sensitivity, alarms


ALL_FILMS = "Divide by the number of all films, len(boxes)."
NO_BOX = "Where no film has a true box, there is nothing to be found, and nobody knows how much would be: return nan. "

FROC_POINT = Exercise(
    "12.8",
    "A point of the FROC curve",
    froc_point,
    hints=(
        "Gather the words of all found boxes whose score is high enough. Then it is counting.",
        "zip(scores, words) goes through the films, and in each of them zip(of_film, said) through its found boxes.",
        'kept.count("hit") is divided by all true boxes, sum(boxes), and kept.count("false alarm") by all films, '
        "len(boxes).",
        'kept.count("hit") / sum(boxes) if sum(boxes) else float("nan"), then kept.count("false alarm") / len(boxes)',
    ),
    mistakes=(
        Mistake(
            _films_with_a_box_below,
            "You divide by the films that have a true box. The alarms of the others are counted, so they belong below "
            "as well. " + ALL_FILMS,
        ),
        Mistake(
            _films_with_a_box_alone,
            "The films without a true box are left out. Most people who are screened have nothing, and a doctor looks "
            "at the alarms on their films too. Count these alarms. " + ALL_FILMS,
        ),
        Mistake(
            _healthy_films_alone,
            "You count the false alarms on films without a true box alone. A film with a nodule has some as well. "
            + ALL_FILMS,
        ),
        Mistake(
            _films_with_found_boxes_below,
            "You divide by the films on which anything is left above the threshold. A film on which the detector "
            "stays silent is a success that counts. " + ALL_FILMS,
        ),
        Mistake(
            _films_with_an_alarm,
            "You count films with a false alarm. A film with three of them costs three looks: count the alarms.",
        ),
        Mistake(_doubles_as_alarms, "Doubles are neither hits nor false alarms; you count them as false alarms."),
        Mistake(_doubles_as_hits, "Doubles are neither hits nor false alarms; you count them as hits."),
        Mistake(_above_the_threshold, "A box with exactly the threshold's score counts too: >= rather than >."),
        Mistake(_below_the_threshold, "You count the boxes below the threshold. The surer ones count."),
        Mistake(_no_threshold, "All boxes are counted. Only those with a score of the threshold or more do."),
        Mistake(
            _of_what_is_ever_hit,
            "You divide by the hits at any threshold, and what the detector never finds is forgotten. Divide by all "
            "true boxes: sum(boxes).",
        ),
        Mistake(_films_with_a_hit, "You count films with a hit. A film may have several nodules: count true boxes."),
        Mistake(
            _mean_of_films,
            "You take the part of each film, then the mean, so a nodule counts less if it has others beside it. Add up "
            "first, then divide.",
        ),
        Mistake(
            _mean_of_all_films,
            "You take the mean over all films, and those without a true box count as if something had been missed.",
        ),
        Mistake(_hits_per_film, "You divide the hits by the number of films. Divide them by all true boxes."),
        Mistake(
            _precision,
            "That is the part of the alarms that is right: the precision. The sensitivity is the part of the true "
            "boxes that is hit.",
        ),
        Mistake(_alarms_per_found_box, "You divide the false alarms by the found boxes. " + ALL_FILMS),
        Mistake(_alarms_per_true_box, "You divide the false alarms by the true boxes. " + ALL_FILMS),
        Mistake(_counts, "Those are the counts. Divide the hits by all true boxes, and the false alarms by all films."),
        Mistake(_number_of_alarms, "The sensitivity is right. The false alarms are to be told per film: divide them."),
        Mistake(_swapped, "The numbers are right, in the other order: first the sensitivity."),
        Mistake(_no_box_raises, NO_BOX + "Yours divides by 0."),
        Mistake(_no_box_is_0, NO_BOX + "0 would say that all was missed."),
        Mistake(_no_box_is_1, NO_BOX + "1 would say that all was found."),
        Mistake(_percent, "The sensitivity is right, in percent. Return it from 0 to 1."),
    ),
    draw=_draw_films,
    observe=_two_numbers,
    cases=60,
)
