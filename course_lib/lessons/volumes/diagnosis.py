"""Which fault is in which room of the escape room: named by the learner, and looked at room by room."""

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

# 9.5 --- the escape room


def faults() -> dict[str, str]:
    """The fault of each room."""
    return {
        "A": "oblique",
        "B": "metres",
        "C": "flipped",
        "D": "scale lost",
        "E": "axes swapped",
        "F": "mask on another grid",
    }


FITS = "a fault that fits what we see"
NOT_NAMED = "no answer yet"
AGAINST = {  # what would be seen if a room had the fault
    "flipped": "Then the capsule would lie on the left. Look for it in the picture.",
    "axes swapped": "Then the face would not look to the front. Look for the eyes in the picture.",
    "metres": "Then the head would be a fifth of a millimetre long. Look at the extent.",
    "mask on another grid": "Then scan and mask would have different shapes. Look at both.",
    "oblique": "Then the axes of the array would be tilted. Look at the tilt.",
    "scale lost": "Then even air would not be near 0. Look at the lowest value.",
}


def _room_by_room(answer: Answer, _: Inputs) -> object:
    """What there is to say of the fault that is named for each room; it does not give away the right one."""
    came = answer()
    named = came if type(came) is dict else {}
    if named and all(named.get(room) is ... for room in faults()):
        return ...
    return {f"room {room}": _said(named.get(room, ...), fault) for room, fault in faults().items()}


def _said(named: object, fault: str) -> str:
    if named is ... or type(named) is not str:
        return NOT_NAMED
    if named not in AGAINST:
        return f"{named[:30]!r}, which is none of the six: {', '.join(AGAINST)}"
    return FITS if named == fault else f"{named}. {AGAINST[named]}"


def _with(**others: str) -> dict[str, str]:
    return faults() | others


def _flip_and_swap_exchanged() -> dict[str, str]:
    return _with(C="axes swapped", E="flipped")


def _tilt_and_swap_exchanged() -> dict[str, str]:
    return _with(A="axes swapped", E="oblique")


def _metres_and_scale_exchanged() -> dict[str, str]:
    return _with(B="scale lost", D="metres")


def _metres_and_grid_exchanged() -> dict[str, str]:
    return _with(B="mask on another grid", F="metres")


def _always_flipped() -> dict[str, str]:
    return dict.fromkeys(faults(), "flipped")


def _in_the_order_of_the_list() -> dict[str, str]:
    return dict(zip(faults(), AGAINST, strict=True))


FAULTS_OF_ROOMS = Exercise(
    "9.5",
    "The escape room",
    faults,
    hints=(
        "Four of the six show in the table. In one row the extent is impossible for a head, in one the values are for "
        "a scanner, in one the axes are tilted, and in one the shapes of scan and mask differ.",
        "Two could be healthy, for all that the table says. Compare their pictures with the healthy one: where are the "
        "eyes, and on which side is the capsule?",
        "Where axes are exchanged, the plane from the front shows a slice from above. Where left and right are, all "
        "planes show what they should, but the capsule is on the left.",
        "A has a tilt of 20°, B an extent below 1 mm, D values far below 0, and F two shapes. C and E are left.",
    ),
    mistakes=(
        Mistake(
            _flip_and_swap_exchanged,
            "C and E are exchanged. A flip leaves every plane in its place, and only the sides change.",
        ),
        Mistake(
            _tilt_and_swap_exchanged,
            "A and E are exchanged. Both heads look turned: the one by 20°, and its header knows it; the other by 90°, "
            "and its header does not.",
        ),
        Mistake(
            _metres_and_scale_exchanged,
            "B and D are exchanged. In one of them the millimetres are wrong, in the other the values.",
        ),
        Mistake(
            _metres_and_grid_exchanged,
            "B and F are exchanged. In one of them scan and mask agree with each other, but no head is so small.",
        ),
        Mistake(_always_flipped, "Each fault is in one room only."),
        Mistake(_in_the_order_of_the_list, "That is the order of the list of faults. The rooms have another one."),
    ),
    observe=_room_by_room,
    cases=1,
)
