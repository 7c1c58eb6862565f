"""What can not be a preparation of volumes is refused."""

from typing import Any

import pytest

from course_lib.data.volume_cases import volume_preparation


@pytest.mark.parametrize(
    ("spacing", "shape", "window", "message"),
    [
        ((1.0, 1.0), (8, 8, 8), None, "spacing_mm must be three numbers above 0"),
        ((1.0, 1.0, 0.0), (8, 8, 8), None, "spacing_mm must be three numbers above 0"),
        ((1.0, 1.0, float("nan")), (8, 8, 8), None, "spacing_mm must be three numbers above 0"),
        ((1.0, 1.0, 1.0), (8, -8, 8), None, "shape must be three numbers above 0"),
        ((1.0, 1.0, 1.0), (8, 8, 8), (40, 40), r"window_hu must rise.*\(40, 40\)"),
        ((1.0, 1.0, 1.0), (8, 8, 8), (60, -60), "window_hu must rise"),
    ],
)
def test_numbers_that_can_not_be_are_refused(spacing: Any, shape: Any, window: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        volume_preparation(spacing, shape, window)
