"""What a convolution makes of an image: its size, its numbers, and how much of the input each of them has seen."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 3.1 --- the size after a convolution


def output_size(size: int, kernel: int, stride: int, padding: int) -> int:
    """Height or width after a convolution."""
    return (size + 2 * padding - kernel) // stride + 1


def _draw_sizes(rng: np.random.Generator) -> Inputs:
    return int(rng.integers(16, 65)), int(rng.integers(2, 8)), int(rng.choice([1, 2, 2, 3])), int(rng.integers(1, 4))


def _padding_once(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + padding - kernel) // stride + 1


def _no_first_position(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + 2 * padding - kernel) // stride


def _rounded_up(size: int, kernel: int, stride: int, padding: int) -> int:
    return -((kernel - size - 2 * padding) // stride) + 1


def _true_division(size: int, kernel: int, stride: int, padding: int) -> float:
    return (size + 2 * padding - kernel) / stride + 1


def _without_brackets(size: int, kernel: int, stride: int, padding: int) -> int:
    return size - kernel + 2 * padding // stride + 1


def _one_more_pixel(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + 2 * padding - kernel + 1) // stride


def _without_padding(size: int, kernel: int, stride: int, padding: int) -> int:  # noqa: ARG001  # the mistake
    return output_size(size, kernel, stride, 0)


def _without_stride(size: int, kernel: int, stride: int, padding: int) -> int:  # noqa: ARG001  # the mistake
    return output_size(size, kernel, 1, padding)


OUTPUT_SIZE = Exercise(
    "3.1",
    "The size after a convolution",
    output_size,
    hints=(
        "Draw a row of 5 pixels and slide a kernel of 3 along it. In how many places can it stand?",
        "Padding makes the row longer on both sides. How far can the kernel's left edge then travel?",
        "The left edge travels size + 2 * padding - kernel pixels, in steps of stride. And it has a place before "
        "its first step.",
        "return (size + 2 * padding - kernel) // stride + 1",
    ),
    mistakes=(
        Mistake(_padding_once, "Padding is added on both sides, so it counts twice."),
        Mistake(_no_first_position, "You counted the steps. The place where the kernel starts counts too: one more."),
        Mistake(_rounded_up, "A last step that does not fit is left out: round down with //."),
        Mistake(_true_division, "There is no part of a pixel: // divides and rounds down, / does not."),
        Mistake(
            _without_brackets, "// comes before + and -, so it divides the padding only. Put brackets around the sum."
        ),
        Mistake(_one_more_pixel, "The 1 is a place, not a pixel: add it after the division."),
        Mistake(_without_padding, "The padding does not count yet. It makes the row longer on both sides."),
        Mistake(
            _without_stride, "The stride does not count yet: with steps of 2 there are only about half the places."
        ),
    ),
    draw=_draw_sizes,
)

# 3.2 --- a convolution by hand


def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """What a convolution layer computes for one channel, without padding: the kernel is not flipped."""
    height = image.shape[0] - kernel.shape[0] + 1
    width = image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            patch = image[row : row + kernel.shape[0], column : column + kernel.shape[1]]
            result[row, column] = (patch * kernel).sum()
    return result


def _draw_image_and_kernel(rng: np.random.Generator) -> Inputs:
    image = rng.integers(0, 10, size=(4, rng.integers(4, 7))).astype(float)
    kernel = rng.integers(-6, 7, size=(2, rng.integers(2, 4))) / 2
    return image, kernel + np.eye(*kernel.shape)


def _flipped(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return convolve(image, kernel[::-1, ::-1])


def _one_too_few(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return convolve(image, kernel)[:-1, :-1]


def _one_too_many(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    result = np.zeros((image.shape[0] - kernel.shape[0] + 2, image.shape[1] - kernel.shape[1] + 2))
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            patch = image[row : row + kernel.shape[0], column : column + kernel.shape[1]]
            result[row, column] = (patch * kernel).sum()
    return result


def _as_large_as_the_image(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    result = np.zeros_like(image)
    valid = convolve(image, kernel)
    result[: valid.shape[0], : valid.shape[1]] = valid
    return result


def _mean_instead_of_sum(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return convolve(image, kernel) / kernel.size


def _cut_to_whole_numbers(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return convolve(image, kernel).astype(int)


CONVOLUTION = Exercise(
    "3.2",
    "A convolution by hand",
    convolve,
    hints=(
        "How many places are there for the kernel's upper left corner? Exercise 3.1 with stride 1 and padding 0.",
        "Make an array of zeros of that size. Two loops, over its rows and its columns, fill it.",
        "In each place: cut the patch under the kernel out of the image, multiply it by the kernel, element by "
        "element, and add up.",
        "result[row, column] = (image[row : row + kernel.shape[0], column : column + kernel.shape[1]] * kernel).sum()",
    ),
    mistakes=(
        Mistake(
            _flipped,
            "Your kernel is flipped. That is the convolution of mathematics; networks leave the kernel as it is.",
        ),
        Mistake(_one_too_few, "The last row and column are missing: there are image - kernel + 1 places, not fewer."),
        Mistake(_one_too_many, "One row and column too many: there the kernel sticks out of the image."),
        Mistake(_as_large_as_the_image, "Without padding the result is smaller than the image: image - kernel + 1."),
        Mistake(_mean_instead_of_sum, "That is the mean of the products. A convolution adds them up."),
        Mistake(
            _cut_to_whole_numbers,
            "An array with dtype=int cuts off what follows the point. np.zeros makes floats by itself.",
        ),
    ),
    draw=_draw_image_and_kernel,
)

# 3.3 --- the receptive field


def receptive_field(layers: list[tuple[int, int]]) -> int:
    """How many input pixels, in one direction, a single output pixel sees; one (kernel, stride) per layer."""
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump *= stride
    return field


def _draw_layers(rng: np.random.Generator) -> Inputs:
    depth = rng.integers(2, 5)
    layers = [(int(rng.integers(2, 6)), int(rng.integers(1, 3))) for _ in range(depth)]
    return ([(3, 2), *layers],)


def _without_strides(layers: list[tuple[int, int]]) -> int:
    return 1 + sum(kernel - 1 for kernel, _ in layers)


def _stride_too_early(layers: list[tuple[int, int]]) -> int:
    field, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride
        field += (kernel - 1) * jump
    return field


def _whole_kernels(layers: list[tuple[int, int]]) -> int:
    field, jump = 1, 1
    for kernel, stride in layers:
        field += kernel * jump
        jump *= stride
    return field


def _from_nothing(layers: list[tuple[int, int]]) -> int:
    return receptive_field(layers) - 1


def _backwards(layers: list[tuple[int, int]]) -> int:
    return receptive_field(layers[::-1])


def _own_stride(layers: list[tuple[int, int]]) -> int:
    return 1 + sum((kernel - 1) * stride for kernel, stride in layers)


def _strides_added(layers: list[tuple[int, int]]) -> int:
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump += stride
    return field


RECEPTIVE_FIELD = Exercise(
    "3.3",
    "The receptive field",
    receptive_field,
    hints=(
        "Begin with no layer at all: a pixel sees itself, one pixel. What does a kernel of 3 add?",
        "A kernel of k adds k - 1 neighbours. But how far apart are they, in input pixels, after a stride of 2?",
        "Keep two numbers: the field, and the jump from one pixel to the next. Each stride multiplies the jump for "
        "the layers after it.",
        "for kernel, stride in layers: field += (kernel - 1) * jump, and then jump *= stride",
    ),
    mistakes=(
        Mistake(_without_strides, "That holds for stride 1. A stride of 2 doubles every step of the layers after it."),
        Mistake(_stride_too_early, "A layer's stride spreads the layers after it, not the layer itself: add first."),
        Mistake(_whole_kernels, "A kernel of k adds k - 1 pixels: the one in the middle was seen before."),
        Mistake(_from_nothing, "Before the first layer a pixel sees itself: begin with 1."),
        Mistake(
            _backwards,
            "You begin at the wrong end. A jump begins at the first layer; (field - 1) * stride + kernel begins at "
            "the last one, layers[::-1].",
        ),
        Mistake(
            _own_stride,
            "You multiply by the layer's own stride. What counts are the strides of all layers before it, multiplied: "
            "keep a jump.",
        ),
        Mistake(
            _strides_added, "Strides multiply: after two strides of 2, neighbours are 4 pixels apart. jump *= stride."
        ),
    ),
    draw=_draw_layers,
)
