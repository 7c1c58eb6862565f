"""Where the axes of an array point to in the patient, and how to turn them to right, front and top."""

import numpy as np

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake
from course_lib.lessons.volumes.voxels import draw_affine

# 9.3 --- axis codes


def axis_codes(affine: np.ndarray) -> str:
    """Where the three axes of the array point to, each by the nearest of R, L, A, P, S and I."""
    codes = ""
    for column in affine[:3, :3].T:
        row = np.abs(column).argmax()
        codes += "RAS"[row] if column[row] > 0 else "LPI"[row]
    return codes


def _draw_affine(rng: np.random.Generator) -> Inputs:
    return (draw_affine(rng),)


def _by_rows(affine: np.ndarray) -> str:
    return axis_codes(affine.T)


def _where_from(affine: np.ndarray) -> str:
    return axis_codes(-affine)


def _always_ras(affine: np.ndarray) -> str:  # noqa: ARG001  # the mistake
    return "RAS"


def _in_lps(affine: np.ndarray) -> str:
    return axis_codes(np.diag([-1, -1, 1, 1]) @ affine)


def _without_signs(affine: np.ndarray) -> str:
    return "".join("RAS"[row] for row in np.abs(affine[:3, :3]).argmax(axis=0))


def _signs_of_the_diagonal(affine: np.ndarray) -> str:
    return "".join("RAS"[n] if affine[n, n] > 0 else "LPI"[n] for n in range(3))


def _largest_not_longest(affine: np.ndarray) -> str:
    rows = affine[:3, :3].argmax(axis=0)
    return "".join("RAS"[row] if affine[row, n] > 0 else "LPI"[row] for n, row in enumerate(rows))


def _by_the_origin(affine: np.ndarray) -> str:
    return "".join("RAS"[n] if affine[n, 3] > 0 else "LPI"[n] for n in range(3))


def _a_tuple(affine: np.ndarray) -> tuple[str, ...]:
    return tuple(axis_codes(affine))


def _list_of_letters(affine: np.ndarray) -> list[str]:
    return list(axis_codes(affine))


ONE_TEXT = 'The letters are right. Return them as one text: "".join(letters).'

AXIS_CODES = Exercise(
    "9.3",
    "Where the axes point to",
    axis_codes,
    hints=(
        "A step along the first axis of the array moves by the first column: so many mm to the right, to the front, "
        "to the top. Which of the three is the largest in size?",
        "np.abs(column).argmax() is the row of the largest: 0 for right or left, 1 for front or back, 2 for top or "
        "bottom.",
        "If that component is positive, the axis points to R, A or S. If it is negative, to L, P or I.",
        'for column in affine[:3, :3].T: row = np.abs(column).argmax(), and the letter is "RAS"[row] or "LPI"[row]',
    ),
    mistakes=(
        Mistake(_by_rows, "You read the rows. A step along an axis of the array is a column: affine[:3, :3].T."),
        Mistake(_where_from, "Those are the sides that the axes come from. The codes say where they point to."),
        Mistake(_always_ras, "Many arrays are RAS, but not all of them. The affine says which way each axis points."),
        Mistake(
            _in_lps,
            "You read the affine as DICOM would, where plus is left and back. In NIfTI plus is right, front and top.",
        ),
        Mistake(_without_signs, "The signs do not count yet: where the component is negative it is L, P or I."),
        Mistake(
            _signs_of_the_diagonal,
            "The diagonal is enough only where the axes are in the order right, front, top. Find the largest component "
            "of each column.",
        ),
        Mistake(
            _largest_not_longest,
            "A component of -2 is larger in size than one of 0.6. Compare without the sign: np.abs(column).argmax().",
        ),
        Mistake(
            _by_the_origin,
            "The last column says where the first voxel lies, not where the axes point to. Read the other three.",
        ),
        Mistake(_a_tuple, ONE_TEXT),
        Mistake(_list_of_letters, ONE_TEXT),
    ),
    draw=_draw_affine,
)

# 9.4 --- turned to right, front and top


def to_ras(values: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The volume with each axis that points to L, P or I turned round, and its new affine.

    Each value stays at its place in the patient. The axes are in the order right-left, front-back, top-bottom.
    """
    affine = affine.copy()
    for axis in range(3):
        if affine[axis, axis] < 0:
            values = np.flip(values, axis)
            affine[:3, 3] += affine[:3, axis] * (values.shape[axis] - 1)
            affine[:3, axis] *= -1
    return values, affine


def _draw_volume(rng: np.random.Generator) -> Inputs:
    shape = rng.permutation([1, 2, 3, 3])[:3]
    affine = draw_affine(rng, ordered=True)
    return rng.permutation(int(shape.prod())).reshape(shape), affine


def _values_and_affine(answer: Answer, inputs: Inputs) -> object:
    came = answer(*inputs)
    if not isinstance(came, tuple | list) or len(came) != 2:
        return came
    return {"the values": came[0], "the affine": came[1]}


Volume = tuple[np.ndarray, np.ndarray]


def _turned_axes(affine: np.ndarray) -> list[int]:
    return [axis for axis in range(3) if affine[axis, axis] < 0]


def _values_only(values: np.ndarray, affine: np.ndarray) -> Volume:
    return to_ras(values, affine)[0], affine


def _affine_only(values: np.ndarray, affine: np.ndarray) -> Volume:
    return values, to_ras(values, affine)[1]


def _signs_only(values: np.ndarray, affine: np.ndarray) -> Volume:
    return values, _with_turned_columns(affine)


def _origin_stays(values: np.ndarray, affine: np.ndarray) -> Volume:
    return to_ras(values, affine)[0], _with_turned_columns(affine)


def _with_turned_columns(affine: np.ndarray) -> np.ndarray:
    turned = affine.copy()
    turned[:3, _turned_axes(affine)] *= -1
    return turned


def _one_voxel_too_far(values: np.ndarray, affine: np.ndarray) -> Volume:
    return to_ras(values, affine)[0], _with_moved_origin(affine, np.array(values.shape))


def _origin_the_other_way(values: np.ndarray, affine: np.ndarray) -> Volume:
    return to_ras(values, affine)[0], _with_moved_origin(affine, 1 - np.array(values.shape))


def _with_moved_origin(affine: np.ndarray, steps: np.ndarray) -> np.ndarray:
    moved = _with_turned_columns(affine)
    for axis in _turned_axes(affine):
        moved[:3, 3] += affine[:3, axis] * steps[axis]
    return moved


def _origin_turned(values: np.ndarray, affine: np.ndarray) -> Volume:
    turned = affine.copy()
    turned[_turned_axes(affine)] *= -1
    return to_ras(values, affine)[0], turned


def _along_one_coordinate(values: np.ndarray, affine: np.ndarray) -> Volume:
    moved = _with_turned_columns(affine)
    for axis in _turned_axes(affine):
        moved[axis, 3] += affine[axis, axis] * (values.shape[axis] - 1)
    return to_ras(values, affine)[0], moved


def _all_axes(values: np.ndarray, affine: np.ndarray) -> Volume:
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ (np.array(values.shape) - 1)
    moved[:3, :3] *= -1
    return np.flip(values), moved


def _the_other_axes(values: np.ndarray, affine: np.ndarray) -> Volume:
    mirrored = affine @ np.diag([-1, -1, -1, 1])
    turned, moved = to_ras(values, mirrored)
    moved[:3, :3] *= -1
    last = affine[:3, 3].copy()
    for axis in set(range(3)) - set(_turned_axes(affine)):
        last += affine[:3, axis] * (values.shape[axis] - 1)
    moved[:3, 3] = last
    return turned, moved


TO_RAS = Exercise(
    "9.4",
    "Turned to right, front and top",
    to_ras,
    hints=(
        "Where an axis is turned round, what was the last voxel becomes the first. So three things change: the values, "
        "the column of this axis, and the place of the voxel [0, 0, 0].",
        "np.flip(values, axis) turns the values round. The column of the axis gets the other sign.",
        "The new first voxel was the last one before: shape[axis] - 1 steps along the old column from the old origin.",
        "affine[:3, 3] += affine[:3, axis] * (values.shape[axis] - 1), and only then affine[:3, axis] *= -1",
    ),
    mistakes=(
        Mistake(
            _values_only,
            "The values are turned round, but the affine is not. Now the file says left where right is shown.",
        ),
        Mistake(
            _affine_only,
            "The affine is right, but it belongs to values that are turned round too: np.flip(values, axis).",
        ),
        Mistake(
            _signs_only,
            "Only signs of the affine have changed, so the patient is mirrored. Turn the values round as well, and "
            "move the origin.",
        ),
        Mistake(
            _origin_stays,
            "The last column still says where the old first voxel lies. After the flip another voxel is the first.",
        ),
        Mistake(
            _one_voxel_too_far,
            "One voxel too far: from the first of n voxels to the last it is n - 1 steps.",
        ),
        Mistake(
            _origin_the_other_way,
            "The origin moves the wrong way. Move it along the old column, before that column changes its sign.",
        ),
        Mistake(
            _origin_turned,
            "You turned rows of the affine, and the origin with them, which mirrors the patient. An axis of the array "
            "is a column.",
        ),
        Mistake(
            _along_one_coordinate,
            "On a tilted grid a step along one axis changes several coordinates. Move the origin along the whole "
            "column.",
        ),
        Mistake(_all_axes, "All three axes are turned round. Turn only those that point to L, P or I."),
        Mistake(_the_other_axes, "You turned the axes that were right already. Turn those that point to L, P or I."),
    ),
    draw=_draw_volume,
    observe=_values_and_affine,
)
