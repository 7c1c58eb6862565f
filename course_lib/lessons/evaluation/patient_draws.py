"""One draw of the bootstrap over patients."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 5.9 --- one draw of the bootstrap


def images_of_draw(patients: list[str], drawn: list[str]) -> list[int]:
    """The places of all images of the drawn patients, patient by patient; who is drawn twice comes twice."""
    places = []
    for name in drawn:
        places += [place for place, patient in enumerate(patients) if patient == name]
    return places


def _draw_patients(rng: np.random.Generator) -> Inputs:
    patients = [*"ABCABC", *rng.choice(list("ABCD"), 2).tolist()]
    names = sorted(set(patients))
    others = rng.choice(names, len(names) - 2).tolist()
    return patients, [names[2], *others, names[2]]


def _each_once(patients: list[str], drawn: list[str]) -> list[int]:
    return [place for place, patient in enumerate(patients) if patient in drawn]


def _each_once_in_order(patients: list[str], drawn: list[str]) -> list[int]:
    return images_of_draw(patients, list(dict.fromkeys(drawn)))


def _first_image_only(patients: list[str], drawn: list[str]) -> list[int]:
    return [patients.index(name) for name in drawn]


def _names_for_places(patients: list[str], drawn: list[str]) -> list[str]:
    return [patients[place] for place in images_of_draw(patients, drawn)]


def _sorted(patients: list[str], drawn: list[str]) -> list[int]:
    return sorted(images_of_draw(patients, drawn))


def _one_list_each(patients: list[str], drawn: list[str]) -> list[list[int]]:
    return [images_of_draw(patients, [name]) for name in drawn]


IMAGES_OF_DRAW = Exercise(
    "5.9",
    "One draw of the bootstrap",
    images_of_draw,
    hints=(
        "Go through the drawn patients, one after the other. A patient who is drawn twice is met twice.",
        "For each, go through all images and keep the places where this patient stands.",
        "enumerate(patients) gives the place and the patient of each image.",
        "places += [place for place, patient in enumerate(patients) if patient == name]",
    ),
    mistakes=(
        Mistake(_each_once, "A patient who is drawn twice comes twice, with all images."),
        Mistake(_each_once_in_order, "A patient who is drawn twice comes twice. You dropped the second time."),
        Mistake(_first_image_only, "You took one image of each patient. All images of a drawn patient come along."),
        Mistake(_names_for_places, "These are names. The places of the images were asked for."),
        Mistake(_one_list_each, "Yours has a list for each patient. Put all places into one: += in place of append."),
        Mistake(_sorted, "Right images, other order: patient by patient, as they were drawn."),
    ),
    draw=_draw_patients,
)
