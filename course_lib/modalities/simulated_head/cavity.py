"""The room inside the skull: everything else in the head is placed by how far it lies from its wall."""

import numpy as np

from course_lib.modalities.simulated_head.geometry import Field, Point, ellipsoid, ramp, unite


def cavity(x: Field, y: Field, z: Field) -> Field:
    """Signed distance to the inside of the skull, mm: a dome on a floor of three steps, below 0 inside."""
    out = np.abs(x)
    narrow = out * (1 + 0.0012 * (y + 10))  # narrower in front
    dome = ellipsoid(narrow, y, z, (0, 0, 0), (67, 84, 66))
    front = -29 + 6 * ramp(out, 10, 26)  # lowest above the nose, higher above the orbits
    middle = -46 + 14 * ramp(out, 24, 10) * ramp(y, -6, 4)  # with the sella in the middle
    floor = front + (middle - front) * ramp(y, 40, 24) - 28 * ramp(y + out - 9, 4, -18)
    cranium = -unite(-dome, 0.8 * (z - floor), 8)
    fossa = ellipsoid(out, y, z, (18, -40, -38), (34, 36, 27))
    return unite(cranium, fossa, 8)


def behind_petrous(out: Field, y: Field) -> Field:
    """From 0 in the middle fossa of the skull to 1 in the posterior one, behind the ridge of the petrous bone."""
    return ramp(y + out - 9, 4, -4)


def below_vault(direction: Point, depth_mm: float) -> Point:
    """The point in this direction from the middle of the head that lies so deep below the inside of the skull, mm."""
    unit = np.asarray(direction) / np.linalg.norm(direction)
    steps = np.arange(0, 90, 0.25, dtype=np.float32)[:, None, None]
    x, y, z = (steps * np.float32(part) for part in unit)
    deep_enough = np.flatnonzero(cavity(x, y, z).ravel() <= -depth_mm)
    x, y, z = unit * float(steps[deep_enough[-1]].item())
    return float(x), float(y), float(z)
