"""Matching of open answers: whole words, one thing named, and every way in which that was got wrong elsewhere."""

import pytest

from evaluators.matching import named, open_answer_correct, words

PETS = ["dog", "cat", "parrot", "rabbit", "tortoise"]
HOMES = ["brick house", "white villa", "log cabin", "blue cottage", "glass tower"]
FRIENDS = ["Goran and Hana", "Ilka and Jorik", "Kamala and Leo"]
BEARDS = ["no beard", "light beard", "full beard"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The White  Villa.", "white villa"),
        ("a dog, an owl; the cat!", "dog owl cat"),
        ("Adrian's dog", "adrian dog"),
        ("Adrian’s dog", "adrian dog"),
        ("It isn't a dog", "it is not dog"),
        ("Goran & Hana", "goran and hana"),
        ("red-brick house", "red brick house"),
        ("snake_case", "snake case"),
        ("\n\t ", ""),
        ("José Muñoz", "jose munoz"),
        ("STRASSE straße", "strasse strasse"),
        ("ﬁne", "fine"),
        ("room 12a", "room 12a"),
        ("the", ""),
        ("…?!", ""),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert " ".join(words(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "dog",
        "Dog.",
        "A dog",
        "the DOG!",
        "It is a dog.",
        "(dog)",
        '"dog"',
        "dog\n",
        "The person has a dog, a big dog.",
        "Not sure, but a dog I think",
        "puppy",
        "a small puppy",
        "The dog's name is unknown.",
        "It is not a fish, it is a dog.",
    ],
)
def test_a_right_answer_counts(text: str) -> None:
    assert open_answer_correct(text, "dog", ["puppy"], PETS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "?",
        "cat",
        "dogma",
        "hotdog",
        "bulldogs",
        "d o g",
        "do g",
        "an animal",
        "I cannot tell.",
        "a dog or a cat",
        "dog cat parrot rabbit tortoise",
        "not a cat, a dog, or a rabbit",
        "It is not a dog.",
        "It isn't the dog.",
        "without a dog",
        "puppy and parrot",
    ],
)
def test_a_wrong_empty_or_ambiguous_answer_does_not_count(text: str) -> None:
    assert not open_answer_correct(text, "dog", ["puppy"], PETS)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("The white villa", True),
        ("a white, modern villa", False),
        ("villa white", False),
        ("white villas", False),
        ("a white villa beside a glass tower", False),
        ("white-villa", True),
        ("a house", False),
        ("white villa, white villa", True),
    ],
)
def test_answers_of_several_words_stand_in_a_row(text: str, right: bool) -> None:
    assert open_answer_correct(text, "white villa", [], HOMES) is right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Goran and Hana", True),
        ("goran & hana", True),
        ("Hana and Goran.", True),
        ("Goran, Hana", False),
        ("Goran", False),
        ("Goran and Ilka", False),
        ("Goran and Hana, and Ilka", False),
        ("Goran and Hana or Ilka and Jorik", False),
    ],
)
def test_pairs_of_names(text: str, right: bool) -> None:
    assert open_answer_correct(text, "Goran and Hana", ["Hana and Goran"], FRIENDS) is right


def test_a_pair_that_shares_a_half_with_the_answer_is_told_apart() -> None:
    options = ["Goran and Hana", "Goran and Leo"]
    assert open_answer_correct("Goran and Hana", "Goran and Hana", [], options)
    assert not open_answer_correct("Goran and Hana and Leo", "Goran and Hana", [], options)


@pytest.mark.parametrize(
    ("text", "answer", "right"),
    [
        ("no beard", "no beard", True),
        ("a full beard", "full beard", True),
        ("a beard", "full beard", False),
        ("no full beard", "no beard", False),
        ("no beard, or a light beard", "no beard", False),
    ],
)
def test_options_that_share_a_word(text: str, answer: str, right: bool) -> None:
    assert open_answer_correct(text, answer, [], BEARDS) is right


def test_an_option_inside_a_longer_one_is_not_named_by_it() -> None:
    options = ["wall", "brick wall"]
    assert open_answer_correct("a brick wall", "brick wall", [], options)
    assert not open_answer_correct("a brick wall", "wall", [], options)
    assert open_answer_correct("a wall", "wall", [], options)
    assert not open_answer_correct("a wall, or rather a brick wall", "brick wall", [], options)


def test_without_options_only_the_answer_and_its_aliases_matter() -> None:
    assert open_answer_correct("This is Amara.", "Amara Vell", ["Amara"], [])
    assert open_answer_correct("amara vell", "Amara Vell", ["Amara"], [])
    assert not open_answer_correct("Amaranth", "Amara Vell", ["Amara"], [])
    assert not open_answer_correct("Vell", "Amara Vell", ["Amara"], [])


@pytest.mark.parametrize("blank", ["", "  ", "the", "!"])
def test_an_empty_alias_matches_nothing(blank: str) -> None:
    assert not open_answer_correct("the !", "dog", [blank], PETS)
    assert not open_answer_correct("", "dog", [blank], PETS)


def test_the_answer_may_be_spelt_otherwise_among_the_options() -> None:
    assert open_answer_correct("white villa", "White Villa", [], HOMES)


def test_named_lists_every_candidate_in_order() -> None:
    assert named("a cat, then a dog, then a cat", [[pet] for pet in PETS]) == [0, 1]
    assert named("nothing of the kind", [[pet] for pet in PETS]) == []
    assert named("dog", []) == []
    assert named("rex", [["dog", "rex"], ["cat", "rex"]]) == [0, 1]
