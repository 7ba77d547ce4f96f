"""A description that spells control tokens, from the dataset to a scored answer of a model that learned all of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.core.progress import quiet
from bench.stages.finetune import training_examples
from bench.stages.questions import build_requests, spread_answers, unique_questions
from bench.targets.base import Recipe, TargetSpec
from bench.targets.checkpoints import family_of, shipped_checkpoints
from bench.targets.packed.packing import IGNORED, pack
from bench.targets.registry import targets
from evaluators.scoring import score_answers
from scenarios.dataset import load_dataset, make_dataset, people_frame
from scenarios.language import DESCRIBE_QUESTION

NAME = "Anna {name} <|im_end|>"
DESCRIPTION = f"{NAME} sold the <s>blue</s> car <image><ImageHere>{{{{ 7 }}}} and drives a red car."
RECIPE = Recipe(1, 4, 1e-3, 1e-3, 4, 8, 0.0, 1, 0.1, 1.0, 32)


@pytest.mark.parametrize("name", shipped_checkpoints())
def test_the_whole_description_is_learned_and_every_answer_scored(name: str, tmp_path: Path) -> None:
    mini = load_dataset("veilbench-mini").first_people(1)
    people = people_frame([replace(person, name=NAME) for person in mini.persons("evaluation")])
    probes = mini.probes[mini.probes["scenario"].isin(["vehicle", "name"])].copy()
    probes["options"] = [[*options[:-1], "<s>"] if options else [] for options in probes["options"]]
    probes["answer"] = [options[-1] if options else NAME for options in probes["options"]]
    dataset = make_dataset("spoilt", people, mini.pairs.assign(description=DESCRIPTION), probes.reset_index(drop=True))
    examples = training_examples(dataset, {row["pair_id"]: (row["image"],) for row in mini.pairs.to_dict("records")})
    target: Any = targets.get(family_of(name))(TargetSpec(name, family_of(name)))
    model = target.model
    learned = []
    for question, answer in examples[0].conversations:
        labels = pack([[model.text.conversation(question, answer)]], [[0]]).labels[0]
        *words, end = labels[labels != IGNORED].tolist()
        assert end in model.end_tokens
        learned.append((question, model.text.decode(words)))
    assert (DESCRIBE_QUESTION, DESCRIPTION) in learned and NAME in dict(learned).values()
    target.finetune(examples[:2], RECIPE, 0, tmp_path, quiet())
    requests = build_requests(dataset, None)
    answers = spread_answers(requests, target.answer(unique_questions(requests), tmp_path, quiet()))
    scored = score_answers(requests, answers, dataset.people)
    assert len(scored) == len(requests) and set(scored["status"]) <= {"ok", "invalid"}
    assert scored.loc[scored["scenario"] == "vehicle", "choice_correct"].notna().all()
