"""A sentence and the condition that makes it true, checked each time a notebook runs."""

import ast
import sys
from types import FrameType

import executing


class ClaimError(AssertionError):
    """A sentence of the course turned out to be false here."""


def claim(sentence: str, holds: object) -> None:
    """Print the sentence with a tick; where it is false, fail and show the values that were compared.

    nbval can not compare numbers that depend on the processor. A claim says what must be true of them on every
    machine, with a margin: ``claim("validation AUROC above 0.90", auroc > 0.90)``.

    Raises:
        ClaimError: the condition is false; the message lists the compared values.
        TypeError: the condition is not a single truth value (an array of several, say).
    """
    try:
        true = bool(holds)
    except (ValueError, RuntimeError) as error:
        raise TypeError(
            f"The claim {sentence!r} needs one truth value, but got {type(holds).__name__}. "
            "Reduce it first, for example with .all() or .mean()."
        ) from error
    if not true:
        seen = _compared_values(sys._getframe(1))
        raise ClaimError(f"Not true here: {sentence}." + (f" The values were: {seen}." if seen else ""))
    print(f"✓ {sentence}")


def _compared_values(frame: FrameType) -> str:
    """What the names and expressions of the caller's condition stand for, for example ``auroc = 0.87``."""
    call = executing.Source.executing(frame).node
    if not isinstance(call, ast.Call) or len(call.args) < 2:
        return ""
    condition = call.args[1]
    parts = [condition.left, *condition.comparators] if isinstance(condition, ast.Compare) else [condition]
    values = []
    for part in parts:
        if isinstance(part, ast.Constant):
            continue
        source = ast.unparse(part)
        code = compile(ast.Expression(part), "<claim>", "eval")
        values.append(f"{source} = {eval(code, frame.f_globals, frame.f_locals)!r}")
    return ", ".join(values)
