"""A question as a widget: options to click, and a line that explains the chosen one."""

from html import escape
from typing import Any

import ipywidgets

from course_lib.exercises.questions import Question, answer


class Quiz(ipywidgets.VBox):  # type: ignore[misc]
    """A question, its options as buttons, and a line that explains the chosen one; without a browser, as text."""

    def __init__(self, question: Question) -> None:
        self._question = question
        asked = ipywidgets.HTML(f"<b>{escape(question.text)}</b>")
        options = ipywidgets.RadioButtons(
            options=[(option.text, place) for place, option in enumerate(question.options)],
            value=None,
            layout=ipywidgets.Layout(width="max-content"),
        )
        told = ipywidgets.HTML()

        def tell(change: dict[str, Any]) -> None:
            told.value = escape(answer(question, change["new"]))

        options.observe(tell, names="value")
        super().__init__([asked, options, told])

    def __repr__(self) -> str:
        return str(self._question)

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, Any]:
        """As ipywidgets makes it, but with the whole text: it would be cut after 110 characters."""
        return {**super()._repr_mimebundle_(**kwargs), "text/plain": str(self._question)}
