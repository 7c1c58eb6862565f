"""A slice between its neighbours, as three channels: 2.5-D."""

import numpy as np

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

# 10.10 --- neighbours as channels


def neighbours_as_channels(stack: np.ndarray) -> np.ndarray:
    """Each slice between the one before and the one after [slices, 3, rows, cols], from a stack [slices, rows, cols].

    The first slice stands for the one before it, which there is not, and the last for the one after it.
    """
    padded = np.concatenate([stack[:1], stack, stack[-1:]])
    return np.stack([padded[:-2], stack, padded[2:]], axis=1)


def _draw_stack(rng: np.random.Generator) -> Inputs:
    shape = int(rng.integers(1, 6)), *rng.permutation([2, 3])
    return (rng.permutation(int(np.prod(shape))).reshape(shape) / 10,)


def _slice_by_slice(answer: Answer, inputs: Inputs) -> object:
    came = answer(*inputs)
    if type(came) is not np.ndarray:
        return {"the shape": came}
    (stack,) = inputs
    assert isinstance(stack, np.ndarray)  # for mypy
    fits = came.shape == (len(stack), 3, *stack.shape[1:])
    channels = {f"the channels of slice {place}": part for place, part in enumerate(came)} if fits else {}
    return {"the shape": list(came.shape), **channels}


def _of_slices(stack: np.ndarray, *shifts: int) -> np.ndarray:
    """The slices that are so far away as channels; beyond an end, the slice at that end."""
    places = np.arange(len(stack))
    return np.stack([stack[np.clip(places + shift, 0, len(stack) - 1)] for shift in shifts], axis=1)


def _channels_first(stack: np.ndarray) -> np.ndarray:
    return neighbours_as_channels(stack).swapaxes(0, 1)


def _channels_last(stack: np.ndarray) -> np.ndarray:
    return np.moveaxis(neighbours_as_channels(stack), 1, -1)


def _reshaped(stack: np.ndarray) -> np.ndarray:
    return _channels_first(stack).reshape(len(stack), 3, *stack.shape[1:])


def _zeros_at_the_ends(stack: np.ndarray) -> np.ndarray:
    padded = np.pad(stack, ((1, 1), (0, 0), (0, 0)))
    return np.stack([padded[:-2], stack, padded[2:]], axis=1)


def _in_a_circle(stack: np.ndarray) -> np.ndarray:
    return np.stack([np.roll(stack, 1, axis=0), stack, np.roll(stack, -1, axis=0)], axis=1)


def _mirrored_at_the_ends(stack: np.ndarray) -> np.ndarray:
    padded = np.pad(stack, ((1, 1), (0, 0), (0, 0)), mode="reflect")
    return np.stack([padded[:-2], stack, padded[2:]], axis=1)


def _without_the_ends(stack: np.ndarray) -> np.ndarray:
    return np.stack([stack[:-2], stack[1:-1], stack[2:]], axis=1)


def _three_times_itself(stack: np.ndarray) -> np.ndarray:
    return _of_slices(stack, 0, 0, 0)


def _backwards(stack: np.ndarray) -> np.ndarray:
    return _of_slices(stack, 1, 0, -1)


def _itself_first(stack: np.ndarray) -> np.ndarray:
    return _of_slices(stack, 0, -1, 1)


def _the_next_two(stack: np.ndarray) -> np.ndarray:
    return _of_slices(stack, 0, 1, 2)


def _neighbours_alone(stack: np.ndarray) -> np.ndarray:
    return _of_slices(stack, -1, 1)


def _mean_of_three(stack: np.ndarray) -> np.ndarray:
    return np.asarray(neighbours_as_channels(stack).mean(axis=1))


def _neighbouring_rows(stack: np.ndarray) -> np.ndarray:
    padded = np.pad(stack, ((0, 0), (1, 1), (0, 0)), mode="edge")
    return np.stack([padded[:, :-2], stack, padded[:, 2:]], axis=1)


def _a_list(stack: np.ndarray) -> list[np.ndarray]:
    return list(neighbours_as_channels(stack))


AT_THE_ENDS = "At the ends a slice is missing: the first slice stands for the one before it, and the last likewise."

NEIGHBOURS_AS_CHANNELS = Exercise(
    "10.10",
    "Neighbours as channels",
    neighbours_as_channels,
    hints=(
        "Make three stacks of the same length: the slices before, the slices themselves, and the slices after.",
        "The slices before are the same stack, one place later, with the first slice twice: "
        "np.concatenate([stack[:1], stack[:-1]]). For those after, the last slice comes twice.",
        "np.stack puts the three together. The new axis is the one after the slices: axis=1.",
        "before = np.concatenate([stack[:1], stack[:-1]]), after = np.concatenate([stack[1:], stack[-1:]]), then "
        "np.stack([before, stack, after], axis=1)",
    ),
    mistakes=(
        Mistake(_channels_first, "The channels come first. The slices do, and the channels come second: axis=1."),
        Mistake(_channels_last, "The channels come last, as in a photograph's file. torch wants them second: axis=1."),
        Mistake(
            _reshaped,
            "reshape keeps the numbers in a row and cuts them anew, so pieces of different slices come together. "
            "Stack along axis=1 instead.",
        ),
        Mistake(_zeros_at_the_ends, AT_THE_ENDS + " Yours is black."),
        Mistake(_in_a_circle, AT_THE_ENDS + " Yours is the slice at the other end of the head, as np.roll has it."),
        Mistake(_mirrored_at_the_ends, AT_THE_ENDS + " Yours is the neighbour on the other side."),
        Mistake(_without_the_ends, "The first and the last slice are lost. They belong to the patient too."),
        Mistake(_three_times_itself, "Each slice is there three times, which shows the network nothing new."),
        Mistake(_backwards, "The order is turned round: the slice before, the slice itself, the slice after."),
        Mistake(_itself_first, "The slice itself comes first. It belongs between its neighbours."),
        Mistake(_the_next_two, "Those are the slice and the two after it. Take one from each side."),
        Mistake(_neighbours_alone, "There are two channels, the neighbours. The slice itself belongs between them."),
        Mistake(
            _mean_of_three, "There is no axis for the three channels. Keep the three slices apart: np.stack(…, axis=1)."
        ),
        Mistake(_neighbouring_rows, "Those are neighbouring rows within a slice. The slices are the first axis."),
        Mistake(_a_list, "The slices are right, in a list. Return one array: np.stack makes it."),
    ),
    draw=_draw_stack,
    observe=_slice_by_slice,
)
