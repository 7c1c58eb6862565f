"""From a voxel's place in the array to millimetres in the patient, and what a finer grid costs in memory."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

ROTATION = ((0.8, -0.6), (0.6, 0.8))  # by 37 degrees, with numbers that can be checked by hand


def draw_affine(rng: np.random.Generator, *, ordered: bool = False) -> np.ndarray:
    """A tilted grid with a spacing of its own for each axis; its axes are in the order right, front, top or in any."""
    axes = np.eye(3)[:, range(3) if ordered else rng.permutation(3)] * rng.choice([-1, 1], size=3)
    plane = np.ix_(*[rng.permutation(3)[:2]] * 2)
    tilt = np.eye(3)
    tilt[plane] = ROTATION
    affine = np.eye(4)
    affine[:3, :3] = tilt @ axes * rng.choice([0.5, 1.0, 1.5, 2.0, 3.0], size=3, replace=False)
    affine[:3, 3] = rng.choice([-1, 1], size=3) * rng.integers(50, 120, size=3)
    return np.round(affine, 2) + 0.0  # no -0.0


# 9.1 --- from voxels to millimetres


def voxel_to_world(affine: np.ndarray, index: tuple[int, int, int]) -> np.ndarray:
    """Where the middle of the voxel [i, j, k] lies in the patient: three coordinates in mm."""
    return np.asarray(affine[:3, :3] @ index + affine[:3, 3])


def _draw_voxel(rng: np.random.Generator) -> Inputs:
    i, j, k = (int(n) for n in rng.permutation(np.arange(2, 40))[:3])
    return draw_affine(rng), (i, j, k)


def _without_origin(affine: np.ndarray, index: tuple[int, int, int]) -> np.ndarray:
    return np.asarray(affine[:3, :3] @ index)


def _rows_for_columns(affine: np.ndarray, index: tuple[int, int, int]) -> np.ndarray:
    return np.asarray(index @ affine[:3, :3] + affine[:3, 3])


def _spacing_only(affine: np.ndarray, index: tuple[int, int, int]) -> np.ndarray:
    return np.asarray(np.linalg.norm(affine[:3, :3], axis=0) * index + affine[:3, 3])


def _diagonal_only(affine: np.ndarray, index: tuple[int, int, int]) -> np.ndarray:
    return np.asarray(np.diag(affine)[:3] * index + affine[:3, 3])


def _elementwise(affine: np.ndarray, index: tuple[int, int, int]) -> np.ndarray:
    return np.asarray(affine[:3, :3] * index + affine[:3, 3])


def _last_axis_first(affine: np.ndarray, index: tuple[int, int, int]) -> np.ndarray:
    return voxel_to_world(affine, index[::-1])


def _the_way_back(affine: np.ndarray, index: tuple[int, int, int]) -> np.ndarray:
    return voxel_to_world(np.linalg.inv(affine), index)


def _origin_first(affine: np.ndarray, index: tuple[int, int, int]) -> np.ndarray:
    return np.asarray(affine[:3, :3] @ (index + affine[:3, 3]))


def _origin_taken_away(affine: np.ndarray, index: tuple[int, int, int]) -> np.ndarray:
    return np.asarray(affine[:3, :3] @ index - affine[:3, 3])


def _four_numbers(affine: np.ndarray, index: tuple[int, int, int]) -> np.ndarray:
    return np.asarray(affine @ (*index, 1))


def _a_list(affine: np.ndarray, index: tuple[int, int, int]) -> list[float]:
    return [float(mm) for mm in voxel_to_world(affine, index)]


NOT_ELEMENTWISE = "Multiply with @, not with *: each coordinate is a sum over i, j and k."

VOXEL_TO_WORLD = Exercise(
    "9.1",
    "From voxels to millimetres",
    voxel_to_world,
    hints=(
        "Begin at the voxel [0, 0, 0], whose place is the last column. Each step along i then adds the first column.",
        "i times the first column, plus j times the second, plus k times the third: that is a matrix product.",
        "affine[:3, :3] holds the three steps, affine[:3, 3] the place of the voxel [0, 0, 0].",
        "return affine[:3, :3] @ index + affine[:3, 3]",
    ),
    mistakes=(
        Mistake(_without_origin, "The last column is missing: it says where the voxel [0, 0, 0] lies."),
        Mistake(_rows_for_columns, "You took the rows for the steps. A step along i is the first column."),
        Mistake(
            _spacing_only,
            "The spacing alone says how long a step is, not where it leads. Take the whole columns, so that axes which "
            "are tilted, exchanged or turned round count too.",
        ),
        Mistake(
            _diagonal_only,
            "The diagonal is enough only where the axes are parallel to the patient's. Take the whole 3 x 3 part.",
        ),
        Mistake(_elementwise, NOT_ELEMENTWISE),
        Mistake(_last_axis_first, "The index is turned round: the first column belongs to i, the third to k."),
        Mistake(_the_way_back, "That is the inverse, which leads from millimetres to voxels. Here it is not needed."),
        Mistake(_origin_first, "The last column is in mm already. Add it after the multiplication."),
        Mistake(_origin_taken_away, "The last column is added: at the voxel [0, 0, 0] it is all that is left."),
        Mistake(_four_numbers, "The 1 at the end has done its work. Return the first three numbers."),
        Mistake(_a_list, "The numbers are right, in a list. Return an array: np.array makes one."),
    ),
    draw=_draw_voxel,
)

# 9.2 --- memory


def megabytes(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    new_spacing: tuple[float, float, float],
    bytes_per_voxel: int,
) -> float:
    """What the volume takes in megabytes (millions of bytes) after it was resampled to another spacing."""
    voxels = 1.0
    for size, old, new in zip(shape, spacing, new_spacing, strict=True):
        voxels *= size * old / new
    return voxels * bytes_per_voxel / 1e6


def _draw_grids(rng: np.random.Generator) -> Inputs:
    spacing = tuple(float(mm) for mm in rng.choice([1.5, 2.0, 3.0, 4.0], size=3, replace=False))
    new_spacing = tuple(float(mm) for mm in rng.choice([0.5, 1.0, 1.0, 2.5], size=3))
    shape = tuple(10 * int(n) for n in rng.permutation(np.arange(4, 26))[:3])
    return shape, spacing, new_spacing, int(rng.choice([2, 4, 8]))


Three = tuple[float, float, float]


def _turned_round(shape: Three, spacing: Three, new_spacing: Three, bytes_per_voxel: int) -> float:
    return float(np.prod(np.multiply(shape, new_spacing) / spacing) * bytes_per_voxel / 1e6)


def _as_it_was(shape: Three, spacing: Three, new_spacing: Three, bytes_per_voxel: int) -> float:  # noqa: ARG001
    return float(np.prod(shape) * bytes_per_voxel / 1e6)


def _one_axis(shape: Three, spacing: Three, new_spacing: Three, bytes_per_voxel: int) -> float:
    return float(np.prod(shape) * spacing[0] / new_spacing[0] * bytes_per_voxel / 1e6)


def _last_axis(shape: Three, spacing: Three, new_spacing: Three, bytes_per_voxel: int) -> float:
    return float(np.prod(shape) * spacing[2] / new_spacing[2] * bytes_per_voxel / 1e6)


def _one_ratio(shape: Three, spacing: Three, new_spacing: Three, bytes_per_voxel: int) -> float:
    return float(np.prod(shape) * (spacing[0] / new_spacing[0]) ** 3 * bytes_per_voxel / 1e6)


def _of_the_extent(shape: Three, spacing: Three, new_spacing: Three, bytes_per_voxel: int) -> float:  # noqa: ARG001
    return float(np.prod(np.multiply(shape, spacing)) * bytes_per_voxel / 1e6)


def _divided_by_new(shape: Three, spacing: Three, new_spacing: Three, bytes_per_voxel: int) -> float:  # noqa: ARG001
    return float(np.prod(np.divide(shape, new_spacing)) * bytes_per_voxel / 1e6)


def _sum_of_axes(shape: Three, spacing: Three, new_spacing: Three, bytes_per_voxel: int) -> float:
    return float(np.sum(np.multiply(shape, spacing) / new_spacing) * bytes_per_voxel / 1e6)


def _millions_of_voxels(shape: Three, spacing: Three, new_spacing: Three, bytes_per_voxel: int) -> float:
    return float(_bytes(shape, spacing, new_spacing, bytes_per_voxel) / bytes_per_voxel / 1e6)


def _bytes(shape: Three, spacing: Three, new_spacing: Three, bytes_per_voxel: int) -> float:
    return float(np.prod(np.multiply(shape, spacing) / new_spacing) * bytes_per_voxel)


def _mebibytes(shape: Three, spacing: Three, new_spacing: Three, bytes_per_voxel: int) -> float:
    return _bytes(shape, spacing, new_spacing, bytes_per_voxel) / 2**20


def _megabits(shape: Three, spacing: Three, new_spacing: Three, bytes_per_voxel: int) -> float:
    return 8 * _bytes(shape, spacing, new_spacing, bytes_per_voxel) / 1e6


MEGABYTES = Exercise(
    "9.2",
    "What a finer grid costs",
    megabytes,
    hints=(
        "The patient does not grow. How many mm long is each axis, and how many of the new voxels fit into that?",
        "An axis of size voxels is size * spacing mm long, so it gets size * spacing / new_spacing new voxels.",
        "Multiply the new numbers of voxels of the three axes, then by the bytes of each voxel.",
        "np.prod(np.multiply(shape, spacing) / new_spacing) * bytes_per_voxel / 1e6",
    ),
    mistakes=(
        Mistake(_turned_round, "The ratio is turned round: a smaller spacing needs more voxels."),
        Mistake(_as_it_was, "That is the volume before it was resampled. The spacings have to come in."),
        Mistake(_one_axis, "Only the first axis was resampled. Each axis has its own ratio."),
        Mistake(_last_axis, "Only the last axis was resampled. Each axis has its own ratio."),
        Mistake(_one_ratio, "The ratio of the first axis was taken for all three. Each axis has its own."),
        Mistake(_of_the_extent, "That counts voxels of 1 mm. The new spacing does not count yet."),
        Mistake(_divided_by_new, "The old spacing does not count yet: size * spacing is the length in mm."),
        Mistake(_sum_of_axes, "You added the three axes. A volume has the product of them."),
        Mistake(_millions_of_voxels, "That is millions of voxels. Each of them takes several bytes."),
        Mistake(_bytes, "That is in bytes. A megabyte is a million of them."),
        Mistake(_mebibytes, "You divided by 1024 * 1024, which gives mebibytes. A megabyte is a million bytes."),
        Mistake(_megabits, "That is in bits. A voxel of 4 bytes takes 4, not 32."),
    ),
    draw=_draw_grids,
)
