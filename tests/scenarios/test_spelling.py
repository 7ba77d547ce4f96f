"""What counts as one spelling, in which script, and what does not."""

import pytest

from scenarios.spelling import fold, joined, parts, repeated_spelling, same_answer, singular, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The White  Villa.", "white villa"),
        ("a dog, an owl; the cat!", "dog owl cat"),
        ("Adrian's dog", "adrian dog"),
        ("Adrian’s dog", "adrian dog"),
        ("It isn't a dog", "it is not dog"),
        ("He can't, cannot and won't", "he can not can not and will not"),
        ("Goran & Hana", "goran and hana"),
        ("red-brick house", "red brick house"),
        ("snake_case", "snake case"),
        ("\n\t ", ""),
        ("José Muñoz", "jose munoz"),
        ("STRASSE straße", "strasse strasse"),
        ("Łódź Đặng Søren İzmir Isparta", "lodz dang soren izmir isparta"),
        ("ﬁne", "fine"),
        ("room 12a", "room 12a"),
        ("the", "the"),
        ("…?!", ""),
        ("par\u00adrot", "parrot"),
        ("l'hôpital", "l hopital"),
        ("Ayşe'nin evi", "ayse evi"),
        ("यह मीरा है।", "यह मीरा है"),
        ("ﾊﾞﾅﾅ", "バナナ"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert " ".join(words(text)) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("मोर", "मीरा"),
        ("मेरा", "मीरा"),
        ("か", "が"),
        ("ハナ", "バナ"),
        ("йод", "иод"),
        ("เสือ", "เสื้อ"),
        ("ї", "і"),
        ("மீன்", "மான்"),
    ],
)
def test_marks_of_other_scripts_carry_meaning(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Алёна", "Алена"), ("за́мок", "замок"), ("كَلْب", "كلب"), ("שָׁלוֹם", "שלום"), ("Μαρία", "Μαρια"), ("й", "й")],
)
def test_marks_that_readers_leave_out_do_not(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("brick-house", "brick house"),
        ("brickhouse", "brick house"),
        ("café cat", "Cafe Cat"),
        ("Ana and Tom", "Tom and Ana"),
        ("Ana and Tom", "Tom & Ana"),
        ("Ana, Tom and Mia", "Mia, Ana & Tom"),
        ("the dogs", "a dog"),
        ("two trophies", "two trophy"),
        ("a dog's house", "dog house"),
        ("grey", "gray"),
        ("+", "+"),
    ],
)
def test_one_answer_in_two_spellings(one: str, other: str) -> None:
    assert same_answer(one, other) and same_answer(other, one)
    assert repeated_spelling(["parrot", one, "tortoise", other]) == (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("wall", "brick wall"),
        ("no beard", "beard"),
        ("glass", "glasses"),
        ("Ana and Tom", "Ana and Mia"),
        ("Ana and Tom", "Ana"),
        ("room 1 5", "room 15"),
        ("+", "-"),
        ("मोर", "मीरा"),
    ],
)
def test_two_answers(one: str, other: str) -> None:
    assert not same_answer(one, other)
    assert repeated_spelling([one, other]) is None


def test_singular_and_plural_have_one_form() -> None:
    pairs = (
        "dog dogs house houses bus buses library libraries budgie budgies box boxes mouse mice shoe shoes wolf wolves"
    )
    forms = [singular(word) for word in pairs.split()]
    assert forms[::2] == forms[1::2]
    assert len(set(forms)) == len(forms) // 2


def test_parts_and_joined() -> None:
    assert parts("Tom & the Ana") == ("ana", "tom")
    assert joined(["log", "cabins"]) == "logcabin"
    assert parts("the") == ("the",)
