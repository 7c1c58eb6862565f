"""The exercises: right answers are right, typical mistakes get their words, and nothing stops a check."""

import _thread
import contextlib
import importlib
import json
import linecache
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from course_lib.authoring.exercise_cells import ExerciseError, find, solve, solved_alone
from course_lib.authoring.notebook_form import course_notebooks
from course_lib.exercises import judging, limits
from course_lib.exercises.child import NoChildError
from course_lib.exercises.comparing import difference, shown
from course_lib.exercises.exercise import Exercise, Mistake
from course_lib.exercises.judging import judge
from course_lib.lessons import WORKBOOK, building_net, check, hint, preprocessing, solution
from course_lib.lessons import auditing_the_data as auditing

EXERCISES, LESSONS = WORKBOOK.exercises, WORKBOOK.lessons
FIRST = EXERCISES["3.1"]
SECONDS = judging.SECONDS  # that a learner has
ROUNDS = 20 if os.environ.get("COURSE_THOROUGH") else 3  # a reference answer is tried so often, on fresh inputs
FUNCTIONS = [exercise for exercise in EXERCISES.values() if exercise.parameters]  # the others ask for a value
each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.number)
each_function = pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda exercise: exercise.number)


@pytest.fixture(autouse=True)
def own_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))


@pytest.fixture
def in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge in this process, as where there can be no child: what an answer does is seen here."""

    def no_child(*_: object) -> NoReturn:
        raise NoChildError

    monkeypatch.setattr(judging, "in_child", no_child)


@pytest.fixture(params=["in a child", "in a thread"])
def either_way(request: pytest.FixtureRequest) -> None:
    if request.param == "in a thread":
        request.getfixturevalue("in_a_thread")


# --- every exercise


def handed_over(exercise: Exercise, answer: Callable[..., object]) -> object:
    """What a learner hands over: the function itself, or its value where a value is asked for."""
    return answer if exercise.parameters else answer()


@pytest.mark.slow
@each_exercise
def test_the_reference_answer_is_correct(exercise: Exercise) -> None:
    for _ in range(ROUNDS):
        verdict = judge(exercise, handed_over(exercise, exercise.reference))
        assert verdict.text == f"Exercise {exercise.number}: correct."


@pytest.mark.slow
@pytest.mark.usefixtures("in_a_thread")  # a child for each of them, a thousand, would take longer than all else here
@pytest.mark.parametrize(
    ("exercise", "mistake"),
    [
        pytest.param(exercise, mistake, id=f"{exercise.number}-{mistake.answer.__name__}")
        for exercise in EXERCISES.values()
        for mistake in exercise.mistakes
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_each_mistake_gets_its_words(exercise: Exercise, mistake: Mistake, seed: int) -> None:
    text = judge(exercise, handed_over(exercise, mistake.answer), seed).text
    assert text.startswith(f"Exercise {exercise.number}: not yet.\n  {'input' if exercise.parameters else 'looked'} ")
    assert re.search(r"\n  expected   .+\n  came       .+\n", text)
    assert text.splitlines()[-1] == f"  → {mistake.diagnosis}"


@each_exercise
def test_each_exercise_is_whole(exercise: Exercise) -> None:
    assert len(exercise.mistakes) >= 3
    assert 3 <= len(exercise.hints) <= 4
    (lesson,) = (lesson for lesson in LESSONS if exercise in lesson.exercises)
    assert exercise.number.split(".")[0] == str(int(lesson.number))


@pytest.mark.slow
@each_exercise
def test_the_solution_can_stand_in_a_cell(exercise: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    solution(exercise.number)
    namespace: dict[str, object] = {}
    exec(capsys.readouterr().out, namespace)
    assert judge(exercise, namespace[exercise.name]).outcome == "correct"


@pytest.mark.slow
@each_function
@pytest.mark.parametrize("body", ["...", "'''Say it.'''", "pass", "return ...", "x = ...; return x"])
def test_a_stub_is_not_attempted(exercise: Exercise, body: str, capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, object] = {}
    exec(stub(exercise, body), namespace)
    for answer in (namespace[exercise.name], ..., None):
        check(exercise.number, answer)
        assert capsys.readouterr().out == (
            f'Exercise {exercise.number}: not attempted yet. Fill in the cell above; hint("{exercise.number}") helps.\n'
        )


def test_a_value_that_is_left_open_is_not_attempted() -> None:
    for exercise in EXERCISES.values():
        if not exercise.parameters:
            assert [judge(exercise, value).outcome for value in (..., None)] == ["not attempted"] * 2


def stub(exercise: Exercise, body: str = "...") -> str:
    return f"def {exercise.name}({', '.join(exercise.parameters)}):\n    {body}"


def by_windows(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.asarray(np.einsum("ijkl,kl->ij", windows, kernel))


def cleared_at_the_end(model: Any, images: torch.Tensor, labels: torch.Tensor, optimizer: Any) -> float:
    loss = F.nll_loss(F.log_softmax(model(images), dim=1), labels)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    model.zero_grad()
    return float(loss)


def in_inference_mode(model: Any, batches: Any) -> Any:
    before = model.training
    model.eval()
    with torch.inference_mode():
        losses = [F.cross_entropy(model(images), labels).item() for images, labels in batches]
    model.train(before)
    return np.average(losses, weights=[len(labels) for _, labels in batches])


def with_a_list(model: Any, epochs: int, train: Any, measure: Any) -> float:
    kept = []
    for _ in range(epochs):
        train(model)
        kept.append((measure(model), {name: weights.clone() for name, weights in model.state_dict().items()}))
    loss, weights = min(kept, key=lambda pair: pair[0])
    model.load_state_dict(weights)
    return float(loss)


@pytest.mark.parametrize(
    ("number", "answer"),
    [("3.2", by_windows), ("3.5", cleared_at_the_end), ("3.7", in_inference_mode), ("3.8", with_a_list)],
)
def test_another_way_to_the_right_answer_is_right(number: str, answer: Callable[..., object]) -> None:
    assert judge(EXERCISES[number], answer).text == f"Exercise {number}: correct."


# --- what a check says


def test_a_message_names_the_input_what_was_expected_and_what_came() -> None:
    mistake = FIRST.mistakes[0]
    assert judge(FIRST, mistake.answer, seed=0).text.splitlines() == [
        "Exercise 3.1: not yet.",
        "  input      size=50, kernel=6, stride=2, padding=1",
        "  expected   24",
        "  came       23",
        "  → Padding is added on both sides, so it counts twice.",
    ]


def test_an_unknown_mistake_gets_no_diagnosis() -> None:
    text = judge(FIRST, lambda size, kernel, stride, padding: 10**9 + size + kernel + stride + padding).text
    assert "came       1000000" in text
    assert "→" not in text


@pytest.mark.slow
@each_function
def test_a_forgotten_return_is_named(exercise: Exercise) -> None:
    def answer(*inputs: object) -> None:
        exercise.reference(*inputs)

    assert judge(exercise, answer).text.endswith("→ Nothing was returned: is there a return at the end?")


@pytest.mark.slow
@each_function
def test_an_error_is_set_against_words(exercise: Exercise) -> None:
    text = judge(exercise, raising(ValueError("no"))).text
    assert "\n  came       ValueError: no" in text
    assert not re.search(r"expected   {|grad_fn", text)


def test_the_loss_that_an_error_kept_from_coming_is_a_number() -> None:
    text = judge(EXERCISES["3.4"], raising(ValueError("no"))).text
    assert re.search(r"expected   the loss: tensor\(\d\.\d+\), whether it leads back to the weights: True\n", text)


def test_the_numbers_of_a_small_image_are_shown() -> None:
    text = judge(EXERCISES["1.6"], EXERCISES["1.6"].mistakes[0].answer).text
    assert len(re.findall(r"(?:tensor=|expected   |came       )tensor\(\[\[\[", text)) == 3


def test_the_type_of_bytes_counts_where_their_values_are_right() -> None:
    text = judge(EXERCISES["1.2"], lambda *window: preprocessing.to_8_bit(*window).astype(np.int16)).text
    assert "looked at  the type of the values\n  expected   'uint8'\n  came       'int16'" in text


def test_a_value_where_a_function_is_wanted_is_refused() -> None:
    assert judge(FIRST, 7).text.splitlines()[1:] == [
        "  expected   a function",
        "  came       7",
        '  → Hand over a function: check("3.1", output_size).',
    ]


def test_an_exercise_may_ask_for_a_value() -> None:
    exercise = Exercise("0.1", "", rows_of_224, (), (Mistake(lambda: 4, "Count again."),))
    assert exercise.solution == "features = 28 * 28\nrows_of_224 = features * 4 / 64\n"
    assert [judge(exercise, value).outcome for value in (..., 49.0, 4, len)] == [
        "not attempted",
        "correct",
        "wrong",
        "wrong",
    ]
    assert judge(exercise, 4).text.endswith("came       4\n  → Count again.")


def rows_of_224() -> float:
    """A value to compute."""
    features = 28 * 28
    return features * 4 / 64


@pytest.mark.usefixtures("either_way")
def test_what_the_answer_prints_is_shown_in_part(capfd: pytest.CaptureFixture[str]) -> None:
    def answer(*sizes: int) -> int:
        print("sizes:", *sizes)
        print("also", file=sys.stderr)
        return 0

    text = judge(FIRST, answer, seed=0).text
    assert text.count("\n  printed    sizes:") == 3
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("number", ["99.9", "", 3.2, 10**5000, "\ud800", None, [], {}], ids=range(8))
def test_another_number_is_answered_with_those_that_exist(number: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (hint, solution):
        command(number)
    check(number, len)
    assert len(re.findall(r"one of .*3\.1, 3\.2, .*but got", capsys.readouterr().out)) == 3


@pytest.mark.parametrize(
    "seed", [-1, 2**32, 10**5000, 1.5, "x", "\ud800", True, [], np.int64(-1), float("nan")], ids=range(10)
)
def test_a_seed_that_is_none_is_refused_in_a_sentence(seed: Any, capsys: pytest.CaptureFixture[str]) -> None:
    check("3.1", FIRST.reference, seed=seed)
    assert re.fullmatch(
        r"Expected a whole number from 0 to 4294967295 as the seed, but got .+\.\n", capsys.readouterr().out
    )


def test_a_seed_may_be_numpys(capsys: pytest.CaptureFixture[str]) -> None:
    seeds: list[Any] = [0, 2**32 - 1, np.uint8(3)]
    for seed in seeds:
        check("3.1", FIRST.reference, seed=seed)
    assert capsys.readouterr().out == "Exercise 3.1: correct.\n" * 3


def test_what_no_terminal_can_print_is_spelled_out() -> None:
    def answer(*_: object) -> object:
        print("\ud800")
        raise ValueError("\udfff")

    text = judge(FIRST, answer).text
    assert "ValueError: \\udfff" in text
    assert "printed    \\ud800" in text


def test_hints_go_one_step_further_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    steps = len(FIRST.hints)
    for step in [*range(1, steps + 1), steps]:
        hint("3.1")
        assert capsys.readouterr().out == f"Hint {step} of {steps}: {FIRST.hints[step - 1]}\n"


# --- whatever a learner hands over


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def answer(*_: object) -> NoReturn:
        raise error

    return answer


def giving(value: object) -> Callable[..., object]:
    return lambda *_: value


def mutating(*inputs: Any) -> object:
    for value in inputs:
        with contextlib.suppress(Exception):
            value.clear()
        with contextlib.suppress(Exception):
            value[...] = np.nan
        if isinstance(value, torch.nn.Module):
            value.forward = None  # type: ignore[assignment]
    return inputs


def recursing(*inputs: object) -> object:
    return recursing(*inputs)


class Hostile:
    """Raises in every way in which an object can be looked at."""

    def __init__(self, error: BaseException) -> None:
        object.__setattr__(self, "error", error)

    def _fail(self, *_: object, **__: object) -> Any:
        raise object.__getattribute__(self, "error")

    __eq__ = __ne__ = __lt__ = __len__ = __repr__ = __str__ = __bool__ = __iter__ = __array__ = _fail
    __getattribute__ = __hash__ = __int__ = __float__ = __index__ = __call__ = __torch_function__ = _fail


class Lying:
    """Says that it is equal to everything, and of every type."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return int


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


errors = st.sampled_from([ValueError("no"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), HostileError()])
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from([..., NotImplemented, int, np, np.float64(1), np.array(None), np.zeros(0)]),
    st.just(5000).map(lambda n: 10**n),
    st.builds(lambda n: np.full(n, np.nan), st.integers(0, 3)),
    st.builds(lambda n: torch.full([n] * n, torch.nan), st.integers(0, 3)),
    st.sampled_from(
        [torch.tensor(1), torch.tensor(1j), torch.tensor(0.5, requires_grad=True), torch.zeros(2).to("meta")]
    ),
    st.builds(Hostile, errors),
    st.builds(Lying),
)
values = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
answers = st.one_of(
    values,
    st.builds(giving, values),
    st.builds(raising, errors),
    st.sampled_from([mutating, recursing, print, input, exit, torch.nn.Linear(1, 1), Hostile, count, object]),
)


@pytest.mark.slow
@pytest.mark.usefixtures("either_way")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(exercise=st.sampled_from(list(EXERCISES.values())), answer=answers, seed=st.integers(0, 2**32))
def test_no_answer_stops_a_check(exercise: Exercise, answer: object, seed: int) -> None:
    judging.SECONDS = SECONDS
    assert judge(exercise, answer, seed).outcome != "correct"


def loops() -> tuple[Callable[..., object], ...]:
    def forever(*_: object) -> object:
        while True:
            pass

    def printing(*_: object) -> object:
        while True:
            print("again")

    def swallowing(*_: object) -> object:
        while True:
            with contextlib.suppress(Exception):
                len([])

    def stubborn(*_: object) -> object:
        end = time.monotonic() + 5  # so that the test leaves nothing behind
        while time.monotonic() < end:
            with contextlib.suppress(BaseException):
                time.sleep(0.01)
        return 0

    def in_torch(*_: object) -> object:
        numbers = torch.ones(300, 300)
        while True:
            numbers = numbers @ numbers

    def asleep(*_: object) -> object:
        time.sleep(5)
        return 0

    def comparing(*_: object) -> object:
        class Endless(list[int]):
            def __repr__(self) -> str:
                return str(forever())

        return Endless()

    def destructing(*_: object) -> object:
        class Slow:
            def __del__(self) -> None:
                time.sleep(0.12)

        for _turn in range(3):  # the first stop comes into the last, where nothing catches it
            Slow()
        return forever()

    return forever, printing, swallowing, stubborn, in_torch, asleep, comparing, destructing


@pytest.mark.slow
@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("loop", loops(), ids=lambda loop: loop.__name__)
def test_an_endless_loop_is_stopped(loop: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    waits = loop.__name__ in ("stubborn", "asleep")
    seconds = 1.5 if waits else 0.3  # half of them is more than a busy computer calculates before the answer begins
    monkeypatch.setattr(judging, "SECONDS", seconds)
    verdict = judge(FIRST, loop)
    assert verdict.outcome == "wrong"
    words = rf"  input      size=.*\n.*\n  came       nothing after {seconds:g} s, so it was stopped"
    assert re.search(words, verdict.text)
    assert len(verdict.text) < 1000
    assert "TimeIsUpError" not in verdict.text
    if waits:
        assert "Does it wait for something?" in verdict.text


def test_an_error_is_shown_with_the_line_of_the_cell_that_raised_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["def answer(*sizes):\n", "    return largest([])\n", "def largest(sizes):\n", "    return max(sizes)\n"]
    namespace: dict[str, Any] = {}
    monkeypatch.setitem(linecache.cache, "<ipython-input-1>", (0, None, lines, "<ipython-input-1>"))
    exec(compile("".join(lines), "<ipython-input-1>", "exec"), namespace)
    text = judge(FIRST, namespace["answer"]).text
    assert re.search(r"came       ValueError: max.*, in the line return max\(sizes\)\n", text + "\n")


@pytest.mark.usefixtures("either_way")
def test_what_a_destructor_raises_is_shown_like_a_print() -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError("no")

    assert re.search(r"\n  printed    Exception ignored .*__del__", judge(FIRST, lambda *_: Broken()).text)


@pytest.mark.usefixtures("in_a_thread")
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (traceback, "walk_tb"),  # while the answer's error is described
        (contextlib.suppress, "__exit__"),  # while the stop before is caught
        (threading.Event, "set"),  # before the thread has come to the work, and after
    ],
)
def test_a_stop_outside_the_answer_is_held_too(owner: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = getattr(owner, name)

    def slowly(*arguments: Any) -> object:
        result = original(*arguments)
        time.sleep(0.1)
        return result

    def renaming_the_stop(*_: object) -> object:
        try:
            while True:
                pass
        except BaseException as stop:
            raise ValueError from stop

    escaped: list[object] = []
    monkeypatch.setattr(threading, "excepthook", escaped.append)
    monkeypatch.setattr(judging, "SECONDS", 0.05)
    monkeypatch.setattr(owner, name, slowly)
    others = set(threading.enumerate())
    assert "so it was stopped" in judge(FIRST, renaming_the_stop).text
    for thread in set(threading.enumerate()) - others:
        thread.join(60)
        assert not thread.is_alive()
    assert not escaped


def test_work_that_begins_when_nobody_waits_any_more_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    late: list[threading.Thread] = []
    done: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", lambda thread: late.append(thread))
        with pytest.raises(TimeoutError):
            limits.within(0, lambda: done.append(1))
    late[0].start()
    late[0].join(60)
    assert not late[0].is_alive()
    assert not done


def test_a_stop_is_held_at_whatever_step_of_the_thread_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    escaped: list[object] = []
    monkeypatch.setattr(threading, "excepthook", escaped.append)
    monkeypatch.setattr(limits, "STOPS", 1)
    assert next(step for step in count() if not stopped_at(step)) > 100
    assert not escaped


def stopped_at(step: int) -> bool:
    """Whether a thread with nothing to do got so far; it was sent a stop there, if it was open to one."""
    steps = count()
    there, go_on = threading.Semaphore(0), threading.Lock()
    go_on.acquire()

    def trace(frame: FrameType, _event: str, _argument: object) -> Any:
        frame.f_trace_opcodes = True
        if next(steps) == step:
            there.release()
            go_on.acquire()
        return trace

    worker = limits._Worker(lambda: None)
    threading.settrace(trace)
    try:
        worker.start()
    finally:
        threading.settrace(None)
    while worker.is_alive():
        if there.acquire(timeout=0.001):
            worker.stop()
            go_on.release()
    return next(steps) > step


def test_a_check_takes_no_more_than_two_seconds() -> None:
    assert SECONDS + limits.GRACE_SECONDS < 2  # that they are kept, the endless loops show
    assert SECONDS + judging.MORE_SECONDS <= 2


@pytest.mark.usefixtures("either_way")
def test_a_check_works_in_another_thread_too() -> None:
    texts: list[str] = []
    thread = threading.Thread(target=lambda: texts.append(judge(FIRST, FIRST.reference).text))
    thread.start()
    thread.join()
    assert texts == ["Exercise 3.1: correct."]


@pytest.mark.usefixtures("in_a_thread")
def test_a_real_interruption_ends_the_check() -> None:
    steps = [0]

    def interrupted(*_: object) -> object:
        _thread.interrupt_main()
        while True:
            steps[0] += 1

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        judge(FIRST, interrupted)
    assert time.monotonic() - started < judging.SECONDS / 2
    reached = steps[0]
    time.sleep(0.1)
    assert steps[0] == reached  # the loop is not left behind


@pytest.mark.usefixtures("in_a_thread")
def test_a_check_leaves_the_random_numbers_alone() -> None:
    before = torch.get_rng_state()
    judge(EXERCISES["3.7"], lambda *_: torch.manual_seed(1))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.usefixtures("in_a_thread")
def test_an_answer_that_is_left_behind_disturbs_no_other_check(monkeypatch: pytest.MonkeyPatch) -> None:
    finish, finished = threading.Event(), threading.Event()

    def stubborn(*_: object) -> object:
        while not finish.is_set():
            with contextlib.suppress(BaseException):
                finish.wait()
        torch.manual_seed(0)
        finished.set()
        return 0

    monkeypatch.setattr(judging, "SECONDS", 0.1)
    judge(FIRST, stubborn)
    finish.set()
    assert finished.wait(60)
    torch.manual_seed(1)
    time.sleep(0.2)
    assert torch.initial_seed() == 1  # the check that is over did not go on to its next input


def test_a_library_that_is_being_loaded_is_loaded_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_library.py").write_text("import time\nfor _ in range(10):\n    time.sleep(0.05)\nready = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(judging, "SECONDS", 0.1)
    assert "so it was stopped" in judge(FIRST, lambda *_: importlib.import_module("slow_library")).text
    assert importlib.import_module("slow_library").ready  # waits for the thread that is loading it


@pytest.mark.usefixtures("in_a_thread")
def test_exit_ends_the_answer_and_not_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = InteractiveShell()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    assert "  came       SystemExit" in judge(FIRST, lambda *_: shell.ask_exit()).text
    assert "ask_exit" not in vars(shell)


class InteractiveShell:
    """A kernel's shell, as far as ``exit()`` knows it."""

    def ask_exit(self) -> None:
        pytest.fail("the kernel was asked to end")


# --- comparing and wording


@pytest.mark.parametrize(
    ("expected", "came", "same"),
    [
        (4, np.int64(4), True),
        (4, 4.0, False),
        (1, True, False),
        (True, np.True_, True),
        (0.5, np.float32(0.5), True),
        (0.5, 0.5 + 1e-8, True),
        (0.5, float("nan"), False),
        (float("nan"), float("nan"), True),
        (float("nan"), 0.5, False),
        (0.5, torch.tensor(0.5), False),
        ([1, 2], (1, 2), True),
        ([1, 2], [1], False),
        ({1, 2}, {2, 1}, True),
        ("eval", "train", False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([{"a": np.ones(2)}], [{"a": np.ones(2)}], True),
        (np.ones(2), np.ones((2, 1)), False),
        (np.ones(2), np.array(["1", "1"]), False),
        (np.ones(2), np.ones(2, int), False),
        (np.ones(2), [1.0, 1.0], False),
        (np.array([1, np.nan]), np.array([1, np.nan]), True),
        (np.array([1, np.nan]), np.ones(2), False),
        (torch.ones(2), torch.ones(2, dtype=torch.float64), True),
        (torch.ones(2), torch.ones(2, dtype=torch.int64), False),
    ],
)
def test_types_and_shapes_count_and_rounding_does_not(expected: object, came: object, same: bool) -> None:
    assert (difference(expected, came) is None) is same


@pytest.mark.parametrize(
    ("number", "answer", "words"),
    [
        ("2.5", lambda *lists: np.array(EXERCISES["2.5"].reference(*lists)), "but a list is asked for: .tolist()"),
        ("2.5", lambda *lists: (np.array(EXERCISES["2.5"].reference(*lists)),), "The values stand in a tuple"),
        ("2.7", lambda *numbers: float(auditing.images_needed(*numbers)), "but a whole number is asked for"),
        ("2.7", lambda *_: 0.5, ""),
        ("2.5", lambda *_: (np.array([1]),), ""),
    ],
)
def test_a_right_value_of_a_wrong_kind_is_told_so(number: str, answer: Callable[..., object], words: str) -> None:
    text = judge(EXERCISES[number], answer).text
    assert "not yet" in text
    assert (words in text) if words else ("→" not in text)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1 / 3, "0.333333"),
        (float("nan"), "nan"),
        (np.int64(3), "3"),
        (np.eye(2), "array([[1.0, 0.0], [0.0, 1.0]])"),
        (torch.zeros(2, 3, 4), "tensor of shape [2, 3, 4]"),
        (torch.zeros(2, 1, 2), "tensor([[[0.0, 0.0]], [[0.0, 0.0]]])"),
        ([torch.zeros(2)], "[tensor([0.0, 0.0])]"),
        ([torch.zeros(9)], "[tensor of shape [9]]"),
        ((np.zeros(2),), "(array([0.0, 0.0]),)"),
        (torch.arange(9), "tensor([0, 1, 2, 3, 4, 5, 6, 7, …], shape [9])"),
        (torch.nn.Sequential(torch.nn.ReLU()), "a network (ReLU)"),
        (object(), "an object of type object"),
        ("x" * 300, "'" + "x" * 199 + " …"),
        (len, "len"),
    ],
)
def test_values_are_shown_in_few_words(value: object, words: str) -> None:
    assert shown(value) == words


# --- the references against torch


def test_the_convolution_by_hand_is_torchs() -> None:
    rng = np.random.default_rng(0)
    image, kernel = rng.normal(size=(7, 9)), rng.normal(size=(3, 2))
    by_torch = F.conv2d(torch.from_numpy(image)[None, None], torch.from_numpy(kernel)[None, None])[0, 0]
    assert np.allclose(building_net.convolve(image, kernel), by_torch.numpy())


@pytest.mark.parametrize("sizes", [(17, 3, 2, 1), (8, 5, 3, 0), (32, 2, 1, 2)])
def test_the_output_size_is_torchs(sizes: tuple[int, int, int, int]) -> None:
    size, kernel, stride, padding = sizes
    came = F.conv2d(torch.zeros(1, 1, size, size), torch.zeros(1, 1, kernel, kernel), stride=stride, padding=padding)
    assert building_net.output_size(*sizes) == came.shape[-1]


def test_the_receptive_field_is_that_of_the_gradient() -> None:
    layers, image = [(3, 2), (2, 1), (3, 2)], torch.ones(1, 1, 40, requires_grad=True)
    output: torch.Tensor = image
    for kernel, stride in layers:
        output = F.conv1d(output, torch.ones(1, 1, kernel), stride=stride)
    output[0, 0, 1].backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    assert building_net.receptive_field(layers) == int((image.grad > 0).sum())


def test_the_plain_descent_steps_as_torchs() -> None:
    after = []
    for make in (lambda m: building_net.PlainSGD(m, 0.5), lambda m: torch.optim.SGD(m.parameters(), 0.5)):
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 1)
        optimizer = make(model)
        for _ in range(2):
            optimizer.zero_grad()
            model(torch.ones(2, 3)).sum().backward()
            optimizer.step()
        after.append(model.weight.detach())
    assert torch.equal(*after)


# --- in the notebooks

ALL_CELLS = [
    "from course_lib.lessons import check",
    *(cell for e in EXERCISES.values() for cell in (stub(e), f'check("{e.number}", {e.name})')),
]


@pytest.mark.slow
@pytest.mark.parametrize("path", course_notebooks(), ids=lambda path: path.stem)
def test_the_checks_of_each_notebook_call_the_reference_answers_correct(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert run_alone(sources, capsys) == [place.exercise.number for place in find(sources)]


@pytest.mark.slow
def test_a_notebook_with_every_exercise_is_solved_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_alone(["1 / 0", "%matplotlib inline", *ALL_CELLS], capsys) == list(EXERCISES)


def run_alone(cells: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The numbers of the exercises that are correct."""
    namespace: dict[str, object] = {}
    if find(cells):
        for source in solved_alone(cells):
            exec(source, namespace)
    return re.findall(r"^Exercise (\S+): correct\.$", capsys.readouterr().out, re.M)


def test_solving_keeps_what_else_is_in_the_cell() -> None:
    cells = ["import os\n\n\n" + stub(FIRST) + "\n\n\nprint(os.name)", 'check("3.1", output_size)']
    solved = solve(cells)
    assert solved[0].startswith("import os\n\n\ndef output_size(size: int")
    assert solved[0].endswith("\n\n\nprint(os.name)")
    assert solved[1] == cells[1]


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (['check("99.9", f)'], "'99.9'. names no exercise"),
        (['check("3.1", f)'], "is called output_size, but what is checked is f"),
        (['check("3.1", output_size)', stub(FIRST)], "add the stub"),
    ],
)
def test_an_exercise_that_is_not_whole_is_refused(cells: list[str], problem: str) -> None:
    with pytest.raises(ExerciseError, match=problem):
        find(cells)
