"""Of two classes, which is the disease: told, read from the names, or asked, but never guessed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.data.class_order import describe_order, order_classes
from course_lib.sources.dataset_card import load_card
from course_lib.support.errors import DataError


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("COVID", "NORMAL"), ("NORMAL", "COVID")),
        (("PNEUMONIA", "normal"), ("normal", "PNEUMONIA")),
        (("NORMAL", "PNEUMONIA"), ("NORMAL", "PNEUMONIA")),
        (("Effusion", "No_Finding"), ("No_Finding", "Effusion")),
        (("abscess", "no-finding"), ("no-finding", "abscess")),
        (("NEGATIVE", "POSITIVE"), ("NEGATIVE", "POSITIVE")),
        (("cases", "controls"), ("controls", "cases")),
    ],
)
def test_the_class_beside_the_healthy_one_is_the_disease(names: tuple[str, str], order: tuple[str, str]) -> None:
    assert order_classes(names) == order_classes(names[::-1]) == order
    assert describe_order(order) == f"Label 1, the disease, is {order[1]}, since {order[0]} names the healthy."


@pytest.mark.parametrize(
    "names", [("A", "B"), ("0", "1"), ("no", "yes"), ("benign", "malignant"), ("NORMAL", "healthy"), ("ABNORMAL", "X")]
)
def test_where_nothing_tells_the_disease_it_is_asked_for(names: tuple[str, str]) -> None:
    with pytest.raises(
        DataError,
        match=rf"Which of the two classes in x/train is the disease, {names[0]} or {names[1]}\? .* change places\. "
        rf"So set the variable COURSE_DISEASE .* open_dataset\(…, disease='{names[1]}'\)\.",
    ):
        order_classes(names, where="x/train")


def test_the_disease_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert order_classes(("A", "B"), disease="A") == ("B", "A")
    assert describe_order(("B", "A"), disease="A") == "Label 1, the disease, is A, as disease=… says."
    assert order_classes(("NORMAL", "X"), disease="NORMAL") == ("X", "NORMAL"), "who tells it knows best"
    monkeypatch.setenv("COURSE_DISEASE", "A")
    assert order_classes(("A", "B")) == ("B", "A")
    assert describe_order(("B", "A")) == "Label 1, the disease, is A, as COURSE_DISEASE says."
    assert order_classes(("A", "B"), disease="B") == ("A", "B"), "the call comes before the variable"


@pytest.mark.parametrize("told", ["a", "A ", "", "C", "A\n", "x/A"])
def test_a_disease_that_is_no_class_is_refused(told: str) -> None:
    with pytest.raises(
        DataError, match=r"disease=… must be one of the class folders in the folder \(A, B\), letter by"
    ):
        order_classes(("A", "B"), disease=told)


def test_more_classes_than_two_stay_in_alphabetical_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert order_classes(("c", "normal", "a")) == ("a", "c", "normal")
    assert describe_order(("a", "c", "normal")) == ""
    monkeypatch.setenv("COURSE_DISEASE", "a")
    assert order_classes(("c", "b", "a")) == ("a", "b", "c")
    with pytest.raises(DataError, match=r"disease=… names one of two classes, but the folder has 3"):
        order_classes(("a", "b", "c"), disease="a")


def test_the_variable_for_one_folder_does_not_disturb_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DISEASE", "COVID")
    assert order_classes(("NORMAL", "PNEUMONIA")) == ("NORMAL", "PNEUMONIA")
    assert describe_order(("NORMAL", "PNEUMONIA")).endswith("since NORMAL names the healthy.")
    with pytest.raises(DataError, match=r"A or B\? .* COURSE_DISEASE is COVID, which is none of them\. So set"):
        order_classes(("A", "B"))


def test_a_card_with_these_classes_says_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    card = replace(load_card("phantom"), classes=("PNEUMONIA", "NORMAL"))
    monkeypatch.setenv("COURSE_DISEASE", "COVID")  # of a folder of one's own, beside the images of a card
    assert order_classes(("NORMAL", "PNEUMONIA"), card) == card.classes
    assert describe_order(card.classes, card) == ""
    assert order_classes(("NORMAL", "PNEUMONIA"), card, "NORMAL") == card.classes
    with pytest.raises(
        DataError, match=r"disease=… says that the disease is PNEUMONIA, but the card of Phantom .* NORM"
    ):
        order_classes(("NORMAL", "PNEUMONIA"), card, "PNEUMONIA")
    assert order_classes(("COVID", "NORMAL"), card) == ("NORMAL", "COVID"), "other classes than the card's"


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2, unique=True), st.booleans())
def test_the_disease_that_is_told_is_label_1_whatever_the_names(names: list[str], first: bool) -> None:
    told = names[0 if first else 1]
    assert order_classes(names, disease=told)[1] == told
    assert sorted(order_classes(names, disease=told)) == sorted(names)
    describe_order(names).encode("utf-8")
