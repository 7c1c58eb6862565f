"""The errors of the course: each says what was expected, what came and what to do."""


class DataError(ValueError):
    """The data are not as expected; the message says what was expected, what came and what to do."""


class TrainingError(RuntimeError):
    """Training can not start, or can not go on; the message says why and what to do."""
