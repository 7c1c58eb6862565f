"""The most memory that a process has held: apart, as `engine` runs these modules beside an older course too."""

import resource
import sys
from pathlib import Path


def highest_memory_mb() -> float:
    """What this process has held at most so far, in MB, its imports included."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where ru_maxrss would count the parent's memory too
        highest = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(highest.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
