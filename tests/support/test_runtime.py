"""What every program of the course starts with: it is light, and knows nothing of torch until it is asked for."""

import subprocess
import sys


def test_the_support_of_everything_loads_neither_torch_nor_numpy() -> None:
    heavy = ("torch", "torchvision", "numpy", "matplotlib", "sklearn")
    code = f"import sys, course_lib.support; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
