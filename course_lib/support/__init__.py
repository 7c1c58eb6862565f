"""Settings of this computer, claims, errors, files and locks: what everything else stands on.

It knows nothing of images, and loads in a moment: torch comes in only where a function needs it. Three rules of the
course live here: `foreign` (what comes from elsewhere is understood or refused), `identity` (two things are the same if
they behave the same) and `own_files` (in a folder that others use too, the course touches what it wrote itself).
"""

from course_lib.support.claims import ClaimError, claim
from course_lib.support.environment import check_environment
from course_lib.support.errors import DataError, TrainingError
from course_lib.support.runtime import COURSE_ROOT, current_profile, pick_device, seeded

__all__ = [
    "COURSE_ROOT",
    "ClaimError",
    "DataError",
    "TrainingError",
    "check_environment",
    "claim",
    "current_profile",
    "pick_device",
    "seeded",
]
