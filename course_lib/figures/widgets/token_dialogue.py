"""The dialogue that stores the learner's Kaggle token."""

from html import escape

import ipywidgets

from course_lib.sources.kaggle_account import REMEDIES, TOKEN_PAGE, TokenError, save_token, token_before


class Dialogue(ipywidgets.VBox):  # type: ignore[misc]
    """A column of widgets; where no browser shows it, as on a printed page, a sentence stands for it."""

    def __repr__(self) -> str:
        return "A dialogue: a field for a Kaggle token, and a button that stores it."


def token_dialogue() -> Dialogue:
    """A field for a Kaggle token and a button that stores it.

    What is typed is shown as dots, is emptied as soon as the button is pressed, and is in no output of the notebook.
    """
    steps = ipywidgets.HTML(
        "<ol><li>Sign in to Kaggle; an account costs nothing.</li>"
        f"<li>Open <a href='{TOKEN_PAGE}' target='_blank'>{TOKEN_PAGE}</a> and press <i>Generate New Token</i>.</li>"
        "<li>Copy the token into this field and press <i>Store</i>.</li></ol>"
    )
    field = ipywidgets.Password(placeholder="paste the token here")
    button = ipywidgets.Button(description="Store", tooltip="Store the token, readable by you alone")
    told = ipywidgets.HTML()

    def store(_: ipywidgets.Button) -> None:
        token, field.value = field.value, ""
        try:
            path = save_token(token)
        except TokenError as problem:
            told.value = escape(str(problem))
        except OSError as problem:
            told.value = escape(
                f"The token could not be stored ({problem.strerror or type(problem).__name__}). Make the folder "
                ".kaggle in your home writable, free some space if the disk is full, and press Store again."
            )
        else:
            told.value = f"Stored in the file <code>{escape(path.name)}</code>, which only you can read."
            if other := token_before(path):
                told.value += escape(f" But Kaggle's client takes the token from {other} first: {REMEDIES[other]}.")
                told.value += " A variable counts from the next start of JupyterLab on." if "variable" in other else ""

    button.on_click(store)
    return Dialogue([steps, ipywidgets.HBox([field, button]), told])
