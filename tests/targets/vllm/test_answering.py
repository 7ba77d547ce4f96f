"""Served answers are the in-process ones, by image embeddings and by prompt embeddings; else they are refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from fake_vllm import FakeVllm
from safetensors import safe_open
from small_checkpoints import write_llava

from bench.core.digests import digest_tree
from bench.core.errors import UsageError, VeilBenchError
from bench.core.progress import quiet
from bench.targets.base import Recipe, TargetSpec, TrainingExample
from bench.targets.llava import Llava
from bench.targets.vllm.adapters import served_adapter, write_language_adapter
from bench.targets.vllm.answering import answer_served
from bench.targets.vllm.client import EngineClient
from bench.targets.vllm.completions import ShownPhoto, asker_for
from bench.targets.vllm.kept import KeptResults
from bench.targets.vllm.proof import expect, prove

OPTIONS = ["red", "red word", "blue"]

# LoRA's layers are named by their last names, which the tower's layers share; they get no weights there.
pytestmark = pytest.mark.filterwarnings("ignore:Found missing adapter keys")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Llava:
    folder = tmp_path_factory.mktemp("llava")
    write_llava(folder)
    return Llava(TargetSpec(str(folder), batch_size=2))


@pytest.fixture(scope="module")
def requests(photos: list[bytes]) -> pd.DataFrame:
    rows = [(photo, question) for photo in photos[:2] for question in ("Which colour?", "Which word?", "Who?")]
    return pd.DataFrame(
        {
            "request_id": [f"request-{number}" for number in range(len(rows))],
            "image": [photo for photo, _ in rows],
            "question": [question for _, question in rows],
            "options": [OPTIONS if question != "Who?" else [] for _, question in rows],
        }
    ).sample(frac=1, random_state=0, ignore_index=True)


@pytest.fixture(scope="module")
def adapter(target: Llava, examples: list[TrainingExample], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few steps: LoRA on the language model, and the projector."""
    recipe = Recipe(3, 2, 2e-2, 2e-2, 4, 8, 0.0, 1, 0.1, 1.0, 2)
    folder = tmp_path_factory.mktemp("adapter")
    target.finetune(examples, recipe, 1, folder, quiet())
    return folder


@pytest.fixture(params=["image embeddings", "prompt embeddings"])
def served(request: pytest.FixtureRequest, target: Llava, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeVllm]:
    monkeypatch.setattr(target.model, "prompt_embeds", request.param == "prompt embeddings", raising=False)
    fake = FakeVllm(target.model)
    with fake.engine:
        yield fake


def client_of(fake: FakeVllm) -> EngineClient:
    return EngineClient(fake.engine.url, "base", timeout_s=60, attempts=1)


def assert_equal(served: pd.DataFrame, own: pd.DataFrame) -> None:
    for column in ("request_id", "text", "status", "choice"):
        assert list(served[column]) == list(own[column]), column
    for left, right in zip(served["option_logprobs"], own["option_logprobs"], strict=True):
        assert left == pytest.approx(right, abs=1e-3)


def test_served_answers_are_the_in_process_ones(
    target: Llava, requests: pd.DataFrame, adapter: Path, served: FakeVllm
) -> None:
    answers = {}
    for number, folder in enumerate((None, adapter)):
        own = target.answer(requests, folder, quiet())
        answers[number] = answer_served(
            target.model, target.kept_features, requests, folder, client_of(served), quiet()
        )
        assert_equal(answers[number], own)
    assert list(answers[0]["option_logprobs"]) != list(answers[1]["option_logprobs"])
    assert served.engine.loaded == {}


def test_an_engine_that_leaves_the_adapter_out_is_refused(
    target: Llava, requests: pd.DataFrame, adapter: Path, served: FakeVllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "_network", lambda name, alone: served.base)
    question = r"question '(Which colour|Which word|Who)\?' is -\d+\.\d+ with vLLM and -\d+\.\d+ with transformers"
    with pytest.raises(VeilBenchError, match=rf"does not serve adapter [0-9a-f]{{12}} .*{question}"):
        answer_served(target.model, target.kept_features, requests, adapter, client_of(served), quiet())
    assert served.engine.loaded == {}


def test_image_embeddings_of_another_projector_are_refused(
    target: Llava, requests: pd.DataFrame, served: FakeVllm
) -> None:
    model, photo = target.model, requests["image"][0]
    features = model.features(model.pixels(photo)[None])
    right = ShownPhoto(model.project(features)[0], features.grid)
    prove(asker_for(model), [expect(model, features, right, "Who?")], client_of(served), None, "the base model")
    wrong = ShownPhoto(right.image * 1.1, features.grid)
    with pytest.raises(VeilBenchError, match="vLLM does not serve adapter wrong as transformers runs it"):
        prove(asker_for(model), [expect(model, features, wrong, "Who?")], client_of(served), None, "adapter wrong")


def test_another_chat_template_is_named(target: Llava, requests: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeVllm(target.model)
    chat = fake._chat
    monkeypatch.setattr(
        fake, "_chat", lambda network, image, text, body: chat(network, image, {"text": "USER: " + text["text"]}, body)
    )
    with fake.engine, pytest.raises(VeilBenchError, match=r"reads the question .* --chat-template set to .*verbatim"):
        answer_served(target.model, target.kept_features, requests, None, client_of(fake), quiet())


def test_only_the_language_models_lora_is_served(target: Llava, adapter: Path, tmp_path: Path) -> None:
    assert write_language_adapter(target.model, adapter, tmp_path)
    with safe_open(tmp_path / "adapter_model.safetensors", "pt") as file:
        names = list(file.keys())
    assert names and all(name.startswith("base_model.model.model.language_model.layers.") for name in names)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config["modules_to_save"] is None and config["rank_pattern"] == {}
    assert config["target_modules"] == sorted(
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    )


def test_two_who_ask_the_same_adapter_do_not_unload_it_under_each_others_hands(
    target: Llava, adapter: Path, served: FakeVllm
) -> None:
    client, digest = client_of(served), digest_tree(adapter)
    with served_adapter(target.model, adapter, client) as first:
        with served_adapter(target.model, adapter, client) as second:
            assert set(served.engine.loaded) == {first, second} and first != second
        assert list(served.engine.loaded) == [first] and str(first).startswith(digest)


def test_what_vllm_cannot_serve_is_not_dropped(target: Llava, adapter: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(adapter / "adapter_model.safetensors")
    head = weights[next(iter(weights))].clone()
    save_file({**weights, "base_model.model.lm_head.weight": head}, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text((adapter / "adapter_config.json").read_text())
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match=r"vLLM cannot serve 'base_model\.model\.lm_head\.weight'"):
        write_language_adapter(target.model, tmp_path, tmp_path / "out")


def test_an_adapter_without_language_lora_is_served_as_the_base(
    target: Llava, requests: pd.DataFrame, adapter: Path, served: FakeVllm, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(adapter / "adapter_model.safetensors")
    projector = {name: tensor for name, tensor in weights.items() if "multi_modal_projector" in name}
    save_file(projector, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text((adapter / "adapter_config.json").read_text())
    with pytest.warns(UserWarning, match="missing adapter keys"):
        own = target.answer(requests, tmp_path, quiet())
        asked = answer_served(target.model, target.kept_features, requests, tmp_path, client_of(served), quiet())
    assert_equal(asked, own)
    assert served.tuned == {} and list(own["option_logprobs"]) != list(
        target.answer(requests, None, quiet())["option_logprobs"]
    )


def test_another_attempt_asks_only_for_what_was_not_answered(
    target: Llava, requests: pd.DataFrame, served: FakeVllm, tmp_path: Path
) -> None:
    def answer(client: EngineClient) -> pd.DataFrame:
        kept = target.kept_features
        return answer_served(target.model, kept, requests, None, client, quiet(), resume=tmp_path)

    served.engine.troubles = {0: [None] * 14 + [400] * 99}
    with pytest.raises(VeilBenchError, match="trouble 400"):
        answer(client_of(served))
    kept = KeptResults(tmp_path / "answers.jsonl").read(99)
    again = FakeVllm(target.model)
    with again.engine:
        assert_equal(answer(client_of(again)), target.answer(requests, None, quiet()))
    with FakeVllm(target.model).engine as whole:
        answer(EngineClient(whole.url, "base"))
    assert kept and again.engine.answered.total() == whole.answered.total() - len(kept)
    assert list(tmp_path.iterdir()) == []


def test_a_likelihood_that_is_left_out_is_an_error_and_no_choice(
    target: Llava, requests: pd.DataFrame, served: FakeVllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    respond, prompts = served.engine.respond, []

    def leave_out(path: str, body: dict[str, object]) -> dict[str, object]:
        payload = respond(path, body)
        place = payload.get("prompt_logprobs") or (payload["choices"][0]["logprobs"] or {}).get("top_logprobs")
        # The probes that come first ask for the five likeliest; an option asks for fewer.
        if place and len(body.get("logprob_token_ids", ())) < 5 and not prompts:
            prompts.append(body)
            entry = place[-1]
            entry[next(iter(entry))] = None
        return payload

    monkeypatch.setattr(served.engine, "respond", leave_out)
    answers = answer_served(target.model, target.kept_features, requests, None, client_of(served), quiet())
    lost = answers[answers["status"] == "error"]
    assert len(prompts) == 1 and len(lost) == 1 and list(lost["choice"]) == [-1]
    assert list(answers.loc[answers["status"] != "error", "choice"]).count(-1) == 2  # those without options
