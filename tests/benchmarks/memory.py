"""The most memory that this process has held so far, which the benchmarks report."""

import resource
import sys
from pathlib import Path


def highest_memory_mb() -> float:
    """In MB, with everything that has been imported."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where ru_maxrss would count the parent's memory too
        highest = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(highest.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
