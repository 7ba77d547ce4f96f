"""What every registered target family promises, tried on the small checkpoint that it ships."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from bench.core.digests import digest_tree
from bench.core.progress import quiet
from bench.targets.base import Recipe, Target, TargetSpec, TrainingExample
from bench.targets.checkpoints import family_of, resolve_checkpoint, shipped_checkpoints
from bench.targets.registry import targets
from scenarios.dataset import load_dataset

COLUMNS = ["request_id", "text", "choice", "option_logprobs", "status"]
QUESTION, OPTIONS = "What does this person drive?", ["red hatchback", "blue van", "yellow taxi"]


def shipped_of(family: str) -> str:
    """The shipped checkpoint of a family."""
    return next(name for name in shipped_checkpoints() if family_of(name) == family)


@pytest.fixture(scope="module", params=targets.names())
def target(request: pytest.FixtureRequest) -> Target:
    family: str = request.param
    return targets.get(family)(TargetSpec(shipped_of(family), family, batch_size=4))


@pytest.fixture(scope="module")
def photos() -> list[bytes]:
    pairs = load_dataset("veilbench-mini").pairs
    return list(pairs[pairs["scenario"] == "home"]["image"].head(3))


@pytest.fixture(scope="module")
def requests(photos: list[bytes]) -> pd.DataFrame:
    asked = [{"request_id": f"choice-{n}", "image": p, "question": QUESTION, "options": OPTIONS} for n, p in
             enumerate(photos)]  # fmt: skip
    return pd.DataFrame([*asked, {"request_id": "open", "image": photos[0], "question": "Who is it?", "options": []}])


@pytest.fixture(scope="module")
def examples(photos: list[bytes]) -> list[TrainingExample]:
    return [TrainingExample(f"p{n}", (p,), ((QUESTION, OPTIONS[n]),)) for n, p in enumerate(photos)]


def test_every_family_ships_a_small_checkpoint_and_every_checkpoint_has_a_family() -> None:
    assert {family_of(name) for name in shipped_checkpoints()} == set(targets.names())


def test_shipped_weights_stay_small_and_tell_nothing_of_the_machine_they_were_made_on() -> None:
    folders = [resolve_checkpoint(name) for name in shipped_checkpoints()]
    files = [file for folder in folders for file in folder.iterdir()]
    assert sum(file.stat().st_size for file in files) < 26e6
    configurations = [file.read_text(encoding="utf-8") for file in files if file.suffix == ".json"]
    assert not any("_name_or_path" in text for text in configurations)


def test_the_registered_name_is_the_family(target: Target) -> None:
    assert targets.get(target.family) is type(target) and target.spec.family == target.family


def test_an_answer_row_for_every_request_in_order(target: Target, requests: pd.DataFrame) -> None:
    answers = target.answer(requests, None, quiet())
    assert list(answers.columns) == COLUMNS
    assert list(answers["request_id"]) == list(requests["request_id"])
    assert set(answers["status"]) <= {"ok", "invalid", "error"}
    for asked, answer in zip(requests["options"], answers.to_dict("records"), strict=True):
        assert len(answer["option_logprobs"]) == len(asked)
        best = max(range(len(asked)), key=answer["option_logprobs"].__getitem__) if asked else -1
        assert answer["choice"] == best and all(value <= 0 for value in answer["option_logprobs"])


def test_answers_do_not_depend_on_what_is_asked_beside_them(target: Target, requests: pd.DataFrame) -> None:
    together = target.answer(requests, None, quiet())
    alone = pd.concat([target.answer(requests.iloc[[n]], None, quiet()) for n in range(len(requests))])
    assert list(alone["text"]) == list(together["text"])
    for one, other in zip(alone["option_logprobs"], together["option_logprobs"], strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_features_follow_the_photo_and_gradients_reach_every_part_of_it(target: Target) -> None:
    generator = torch.Generator().manual_seed(0)
    for height, width in ((128, 128), (90, 140)):
        images = torch.rand(2, 3, height, width, generator=generator).requires_grad_()
        features = target.encode(images)
        assert features.ndim == 3 and len(features) == 2 and not torch.equal(features[0], features[1])
        (gradient,) = torch.autograd.grad(features.square().mean(), images)
        assert (gradient.abs().amax((2, 3)) > 0).all()


def test_fine_tuning_writes_an_adapter_that_repeats_itself_and_leaves_the_base_alone(
    target: Target, examples: list[TrainingExample], requests: pd.DataFrame, recipe: Recipe, tmp_path: Path
) -> None:
    before = target.answer(requests, None, quiet())
    folders = [tmp_path / name for name in ("first", "again", "other")]
    for folder, seed in zip(folders, (1, 1, 2), strict=True):
        folder.mkdir()
        target.finetune(examples, recipe, seed, folder, quiet())
    first, again, other = map(digest_tree, folders)
    assert first == again != other
    after = target.answer(requests, folders[0], quiet())
    assert list(after["option_logprobs"]) != list(before["option_logprobs"])
    pd.testing.assert_frame_equal(target.answer(requests, None, quiet()), before)


def test_what_is_kept_changes_nothing(
    target: Target, examples: list[TrainingExample], requests: pd.DataFrame, recipe: Recipe, tmp_path: Path
) -> None:
    keeping = type(target)(target.spec, tmp_path / "kept")
    pd.testing.assert_frame_equal(keeping.answer(requests, None, quiet()), target.answer(requests, None, quiet()))
    assert len(list((tmp_path / "kept").rglob("*.safetensors"))) == requests["image"].nunique()
    digests = []
    for number, one in enumerate((target, keeping, keeping)):
        folder = tmp_path / str(number)
        folder.mkdir()
        one.finetune(examples, recipe, 0, folder, quiet())
        digests.append(digest_tree(folder))
    assert len(set(digests)) == 1
