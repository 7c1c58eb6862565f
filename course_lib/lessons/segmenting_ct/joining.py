"""The way up of a U-Net: the small map is enlarged, and joined with the large one from the way down."""

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

# 11.4 --- up, and join


def up_and_join(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    """The bridge's channels, then those of the deep map at the bridge's size [batch, d + c, H, W].

    ``deep`` [batch, c, h, w] becomes twice as large, each pixel 2 x 2 equal ones. ``bridge`` [batch, d, H, W] has twice
    its sides or one pixel more; there the last row or column of the enlarged map is repeated.
    """
    large = F.interpolate(deep, scale_factor=2, mode="nearest")
    rows, columns = bridge.shape[2] - large.shape[2], bridge.shape[3] - large.shape[3]
    large = F.pad(large, (0, columns, 0, rows), mode="replicate")
    return torch.cat([bridge, large], dim=1)


def _draw_maps(rng: np.random.Generator) -> Inputs:
    batch, of_deep, of_bridge = (int(number) for number in rng.integers(1, 4, 3))
    height, width = (int(side) for side in rng.integers(1, 4, 2))
    odd_rows, odd_columns = (int(odd) for odd in rng.integers(0, 2, 2))
    deep = _distinct(rng, (batch, of_deep, height, width))
    bridge = _distinct(rng, (batch, of_bridge, 2 * height + odd_rows, 2 * width + odd_columns))
    return deep, -bridge


def _distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> torch.Tensor:
    numbers = 1 + rng.permutation(int(np.prod(shape)))
    return torch.tensor(numbers.reshape(shape) / 10, dtype=torch.float32)


def _shape_and_maps(answer: Answer, inputs: Inputs) -> object:
    came = answer(*inputs)
    if not isinstance(came, torch.Tensor):
        return {"the shape": came}
    channels = inputs[1].shape[1]  # type: ignore[attr-defined]
    fits = came.ndim == 4 and came.shape[1] > channels
    seen = {"the bridge's first map": came[0, 0], "the first enlarged map": came[0, channels]} if fits else {}
    return {"the shape": list(came.shape), **seen, "all maps": came}


def _enlarged(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    """The reference's enlarged map, without the bridge."""
    return up_and_join(deep, bridge)[:, bridge.shape[1] :]


def _to_fit(large: torch.Tensor, bridge: torch.Tensor, mode: str = "replicate") -> torch.Tensor:
    rows, columns = bridge.shape[2] - large.shape[2], bridge.shape[3] - large.shape[3]
    return F.pad(large, (0, columns, 0, rows), mode=mode)


def _deep_first(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([_enlarged(deep, bridge), bridge], dim=1)


def _added(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return bridge + _enlarged(deep, bridge)


def _along_the_batch(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([bridge, _enlarged(deep, bridge)], dim=0)


def _along_the_rows(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([bridge, _enlarged(deep, bridge)], dim=2)


def _along_the_columns(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([bridge, _enlarged(deep, bridge)], dim=3)


def _stacked(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.stack([bridge, _enlarged(deep, bridge)], dim=1)


def _without_bridge(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return _enlarged(deep, bridge)


def _bridge_pooled(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([F.max_pool2d(bridge, 2), deep], dim=1)


def _bridge_averaged(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([F.avg_pool2d(bridge, 2), deep], dim=1)


def _bridge_thinned(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([F.interpolate(bridge, size=deep.shape[2:], mode="nearest"), deep], dim=1)


def _not_enlarged(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([bridge, deep], dim=1)


def _bilinear(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    large = F.interpolate(deep, scale_factor=2, mode="bilinear")
    return torch.cat([bridge, _to_fit(large, bridge)], dim=1)


def _bilinear_to_the_size(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([bridge, F.interpolate(deep, size=bridge.shape[2:], mode="bilinear")], dim=1)


def _tiled(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([bridge, _to_fit(deep.repeat(1, 1, 2, 2), bridge)], dim=1)


def _to_the_size(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([bridge, F.interpolate(deep, size=bridge.shape[2:], mode="nearest")], dim=1)


def _never_padded(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([bridge, F.interpolate(deep, scale_factor=2, mode="nearest")], dim=1)


def _zeros_at_the_end(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    return torch.cat([bridge, _to_fit(F.interpolate(deep, scale_factor=2), bridge, "constant")], dim=1)


def _axes_exchanged(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    large = F.interpolate(deep, scale_factor=2, mode="nearest")
    rows, columns = bridge.shape[2] - large.shape[2], bridge.shape[3] - large.shape[3]
    return torch.cat([bridge, F.pad(large, (0, rows, 0, columns), mode="replicate")], dim=1)


def _bridge_cut(deep: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
    large = F.interpolate(deep, scale_factor=2, mode="nearest")
    return torch.cat([bridge[:, :, : large.shape[2], : large.shape[3]], large], dim=1)


OTHER_AXIS = "They are joined along another axis. The axes are batch, channels, rows, columns: dim=1."
DETAILS_LOST = (
    "The bridge was made smaller, and the details that it carries are lost. Make the deep map larger instead."
)
BLURRED = "The enlarged map is blurred. Each pixel becomes 2 x 2 equal ones: mode='nearest'."
LAST_REPEATED = "Where the bridge is one pixel larger, the last row or column of the enlarged map comes once more."

UP_AND_JOIN = Exercise(
    "11.4",
    "Up, and join",
    up_and_join,
    hints=(
        "Three steps: enlarge, make up for a row or column that is missing, join.",
        "F.interpolate(deep, scale_factor=2, mode='nearest') makes 2 x 2 of each pixel. Halving cuts off an odd last "
        "row: 5 rows became 2, and 2 become 4.",
        "F.pad(large, (left, right, top, bottom), mode='replicate') repeats what is at the edge. How many columns are "
        "missing on the right, and how many rows at the bottom?",
        "F.pad(large, (0, bridge.shape[3] - large.shape[3], 0, bridge.shape[2] - large.shape[2]), mode='replicate'), "
        "then torch.cat([bridge, …], dim=1)",
    ),
    mistakes=(
        Mistake(_deep_first, "The enlarged map comes first. The bridge does, in [bridge, large]."),
        Mistake(_added, "The two are added up, so nobody can tell them apart afterwards. Join them: torch.cat."),
        Mistake(_along_the_batch, OTHER_AXIS),
        Mistake(_along_the_rows, OTHER_AXIS),
        Mistake(_along_the_columns, OTHER_AXIS),
        Mistake(
            _stacked, "torch.stack makes a new axis, and needs equally many channels. torch.cat joins along dim=1."
        ),
        Mistake(_without_bridge, "The bridge is missing: torch.cat([bridge, large], dim=1)."),
        Mistake(_bridge_pooled, DETAILS_LOST),
        Mistake(_bridge_averaged, DETAILS_LOST),
        Mistake(_bridge_thinned, DETAILS_LOST),
        Mistake(
            _not_enlarged,
            "The deep map is half as large as the bridge, and torch.cat joins only what has the same rows and columns. "
            "Enlarge it first.",
        ),
        Mistake(_bilinear, BLURRED),
        Mistake(_bilinear_to_the_size, BLURRED),
        Mistake(
            _tiled,
            "repeat puts four copies of the map side by side. Here each pixel becomes four: F.interpolate with "
            "mode='nearest', or repeat_interleave along both axes.",
        ),
        Mistake(
            _to_the_size,
            "The first row or column comes three times, so all that follows is one pixel away from what the bridge "
            "shows there. F.interpolate does so with size=, and F.pad with the numbers of left and top. Enlarge by 2, "
            "then repeat the last.",
        ),
        Mistake(
            _never_padded,
            "Where the bridge has an odd number of rows or columns, the enlarged map is one short, and torch.cat "
            "refuses. Repeat its last row or column with F.pad.",
        ),
        Mistake(_zeros_at_the_end, LAST_REPEATED + " Yours is 0: mode='replicate'."),
        Mistake(_axes_exchanged, "Rows and columns are exchanged: F.pad begins with the last axis, the columns."),
        Mistake(
            _bridge_cut,
            "The bridge was cut, so the answer would be smaller than the image. Repeat the enlarged map's last row or "
            "column instead.",
        ),
    ),
    draw=_draw_maps,
    observe=_shape_and_maps,
)
