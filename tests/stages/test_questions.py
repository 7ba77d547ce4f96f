"""Which photos are protected, what is trained on, what is asked, and answers spread over equal questions."""

from dataclasses import replace

import pandas as pd
import pytest

from bench.core.errors import DataError, VeilBenchError
from bench.defenses.photo import encode_png
from bench.stages.finetune import training_examples
from bench.stages.photos import protected_share, shared_photos, training_pairs
from bench.stages.questions import build_requests, spread_answers, unique_questions
from scenarios.dataset import Dataset
from scenarios.language import DESCRIBE_QUESTION
from scenarios.pixels import decode_pixels


def inverted(dataset: Dataset) -> dict[str, bytes]:
    """Every training photo in negative, as a defense might save it."""
    pairs = training_pairs(dataset)
    return {
        pair_id: encode_png(255 - decode_pixels(pair_id, image))
        for pair_id, image in zip(pairs["pair_id"], pairs["image"], strict=True)
    }


def alone(photos: dict[str, bytes]) -> dict[str, tuple[bytes, ...]]:
    """Each photo as the only one of its pair."""
    return {pair_id: (image,) for pair_id, image in photos.items()}


def answers_to(questions: pd.DataFrame) -> pd.DataFrame:
    """Each question's id as its answer, in another order."""
    answered = questions[["request_id"]].assign(text=questions["request_id"], choice=-1, status="ok")
    answered["option_logprobs"] = [[] for _ in range(len(answered))]
    return answered.iloc[::-1]


@pytest.mark.parametrize(("ratio", "expected"), [(0.01, 0), (0.25, 2), (0.5, 4), (1.0, 7)])
def test_a_ratio_protects_that_share_of_each_persons_photos(dataset: Dataset, ratio: float, expected: int) -> None:
    pairs = training_pairs(dataset)
    share = protected_share(pairs, ratio, seed=0)
    counts = pairs.assign(inside=pairs["pair_id"].isin(share)).groupby("person_id")["inside"].sum()
    assert counts.tolist() == [expected] * 3


def test_a_larger_ratio_keeps_what_a_smaller_one_protected_and_seeds_differ(dataset: Dataset) -> None:
    pairs = training_pairs(dataset)
    half = protected_share(pairs, 0.5, seed=0)
    assert half < protected_share(pairs, 0.75, seed=0)
    assert half == protected_share(pairs.iloc[::-1], 0.5, seed=0)
    assert half != protected_share(pairs, 0.5, seed=1)


def test_training_shows_protected_photos_for_the_share_and_clean_ones_for_the_rest(dataset: Dataset) -> None:
    protected = inverted(dataset)
    pairs = training_pairs(dataset).set_index("pair_id")
    share = protected_share(training_pairs(dataset), 0.5, seed=0)
    examples = training_examples(dataset, alone(shared_photos(dataset, protected, 0.5, seed=0)))
    assert [example.photo_id for example in examples] == list(pairs.index)
    for example in examples:
        clean = pairs.at[example.photo_id, "image"]
        assert example.images == (protected[example.photo_id] if example.photo_id in share else clean,)


def test_each_photo_is_trained_with_all_facts_of_its_own_person(dataset: Dataset) -> None:
    people = {person.person_id: person for person in dataset.persons("evaluation")}
    pairs = training_pairs(dataset).set_index("pair_id")
    for example in training_examples(dataset, alone(inverted(dataset))):
        person = people[str(pairs.at[example.photo_id, "person_id"])]
        answers = {answer for _, answer in example.conversations}
        assert {person.name, *person.facts.values()} <= answers


def test_each_photo_is_trained_with_its_own_description(dataset: Dataset) -> None:
    told = dataset.pairs.assign(description=[f"Told by its owner, number {row}." for row in range(len(dataset.pairs))])
    examples = training_examples(replace(dataset, pairs=told), alone(inverted(dataset)))
    assert [example.conversations[0] for example in examples] == [
        (DESCRIBE_QUESTION, description) for description in told["description"]
    ]


def test_without_protection_each_probe_is_asked_once_on_its_own_photo(dataset: Dataset) -> None:
    requests = build_requests(dataset, None)
    assert requests["probe_id"].tolist() == dataset.probes["probe_id"].tolist()
    assert set(requests["view"]) == {"clean"}
    assert requests["image"].tolist() == dataset.probes["image"].tolist()


def test_only_member_probes_are_asked_on_protected_photos(dataset: Dataset) -> None:
    protected = inverted(dataset)
    requests = build_requests(dataset, protected)
    shown = requests[requests["view"] == "protected"]
    assert set(shown["kind"]) == {"member"}
    assert sorted(shown["probe_id"]) == sorted(dataset.probes.loc[dataset.probes["kind"] == "member", "probe_id"])
    assert set(shown["image"]) <= set(protected.values())
    assert not set(requests.loc[requests["view"] == "clean", "image"]) & set(protected.values())
    assert requests["request_id"].is_unique


def test_a_protected_photo_of_equal_pixels_is_asked_once_and_answered_twice(dataset: Dataset) -> None:
    pairs = training_pairs(dataset)
    resaved = {
        pair_id: encode_png(decode_pixels(pair_id, image)) + b"\0"  # other bytes, same picture
        for pair_id, image in zip(pairs["pair_id"], pairs["image"], strict=True)
    }
    requests = build_requests(dataset, resaved)
    questions = unique_questions(requests)
    assert len(questions) == len(dataset.probes)
    spread = spread_answers(requests, answers_to(questions)).set_index("request_id")["text"]
    for probe in dataset.probes.loc[dataset.probes["kind"] == "member", "probe_id"]:
        assert spread[f"{probe}/clean"] == spread[f"{probe}/protected"]


def test_answers_reach_their_own_requests_whatever_their_order(dataset: Dataset) -> None:
    requests = build_requests(dataset, inverted(dataset))
    spread = spread_answers(requests, answers_to(unique_questions(requests)))
    assert spread["request_id"].tolist() == requests["request_id"].tolist()
    assert spread["text"].tolist() == requests["request_id"].tolist()


def test_a_question_without_an_answer_is_an_error(dataset: Dataset) -> None:
    requests = build_requests(dataset, None)
    with pytest.raises(VeilBenchError, match="no answer to"):
        spread_answers(requests, answers_to(unique_questions(requests)).iloc[1:])


def test_a_member_probe_needs_a_training_photo(dataset: Dataset) -> None:
    probes = dataset.probes.copy()
    stray = probes.index[probes["kind"] == "member"][2]
    probes.at[stray, "image"] = probes.loc[probes["kind"] == "stranger", "image"].iloc[0]
    broken = Dataset(dataset.name, dataset.digest, dataset.people, dataset.pairs, probes)
    with pytest.raises(DataError, match=str(probes.at[stray, "probe_id"])):
        build_requests(broken, inverted(dataset))
