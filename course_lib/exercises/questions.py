"""Questions with several answers to choose from, each explained. Pure data; `quiz_widget` shows them."""

from dataclasses import dataclass
from string import ascii_lowercase


@dataclass(frozen=True)
class Option:
    """One answer to choose, and why it is right or wrong."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question with exactly one right option.

    Raises:
        ValueError: there are fewer than two options, or not exactly one of them is right.
    """

    number: str  #: lesson and letter, as in "3.a"
    text: str
    options: tuple[Option, ...]

    def __post_init__(self) -> None:
        right = sum(option.right for option in self.options)
        if len(self.options) < 2 or right != 1:
            raise ValueError(
                f"Question {self.number} needs two or more options, exactly one of them right, "
                f"but has {len(self.options)} options, {right} of them right."
            )

    def __str__(self) -> str:
        """The question and its options, as a page without a browser shows them; the answer is not given away."""
        options = [f"  {letter}) {option.text}" for letter, option in zip(ascii_lowercase, self.options, strict=False)]
        return "\n".join([f"Question {self.number}: {self.text}", *options])


def answer(question: Question, option: int) -> str:
    """What to tell a learner who chose the option with this 0-based place: right or not, and why."""
    chosen = question.options[option]
    return f"{'✓ Right.' if chosen.right else '✗ Not this one.'} {chosen.why}"
