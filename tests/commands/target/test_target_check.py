"""The check of a checkpoint: what it measures, and what it says when two backends disagree."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.commands.target.checking import check_target
from bench.commands.target.facts import CheckOrder, TargetFact
from bench.core.errors import UsageError, VeilBenchError
from bench.core.progress import ReportProgress, quiet
from bench.targets.base import Target

ENDPOINT = "http://127.0.0.1:9"


def findings(order: CheckOrder) -> dict[str, TargetFact]:
    """What the check of ``order`` finds, by name."""
    return {finding.name: finding for finding in check_target(order, lambda name: quiet())}


def serve(monkeypatch: pytest.MonkeyPatch, change: Callable[[pd.DataFrame, Path | None], pd.DataFrame]) -> None:
    """An engine at ENDPOINT that says what transformers says, changed."""

    def answer(
        target: Target,
        digest: str,
        requests: pd.DataFrame,
        adapter: Path | None,
        address: str,
        settings: object,
        logs: Path,
        report: ReportProgress,
    ) -> pd.DataFrame:
        assert address == ENDPOINT
        return change(target.answer(requests, adapter, report), adapter)

    monkeypatch.setattr("bench.targets.vllm.client.EngineClient.check", lambda client: None)
    monkeypatch.setattr("bench.targets.vllm.serving.answer_through_engine", answer)


def shifted(answers: pd.DataFrame, by: float) -> pd.DataFrame:
    """Every option a little likelier."""
    return answers.assign(option_logprobs=[[value + by for value in row] for row in answers["option_logprobs"]])


def test_a_checkpoint_is_loaded_fine_tuned_and_asked(checkpoint: Path) -> None:
    found = findings(CheckOrder(str(checkpoint), backends=("transformers",), steps=3))
    assert all(finding.passed for finding in found.values())
    assert (found["family"].value, found["dtype"].value) == ("llava", "float32")
    assert found["parameters"].value > 1000
    assert found["bytes_on_disk"].value == sum(file.stat().st_size for file in checkpoint.iterdir())
    for name in ("load_seconds", "seconds_per_step", "transformers_base_seconds", "finetune_peak_memory_bytes"):
        assert found[name].value > 0
    assert found["samples_per_second"].value == pytest.approx(4 / found["seconds_per_step"].value)
    answer = found["transformers_finetuned"].value
    assert len(answer["option_logprobs"]) == len(found["options"].value) > 1
    assert answer["option_logprobs"][answer["choice"]] == max(answer["option_logprobs"])
    assert found["transformers_change"].value > 0
    assert not any(name.startswith(("vllm", "agreement")) for name in found)
    json.dumps({name: finding.value for name, finding in found.items()}, allow_nan=False)


def test_backends_that_say_the_same_agree(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, lambda answers, adapter: shifted(answers, 1e-5))
    found = findings(CheckOrder(str(checkpoint), endpoint=ENDPOINT, steps=1))
    assert all(finding.passed for finding in found.values())
    assert found["vllm_base"].value["text"] == found["transformers_base"].value["text"]
    for model in ("base", "finetuned"):
        assert found[f"agreement_{model}"].value["largest_difference"] == pytest.approx(1e-5, rel=0.1)


def test_an_engine_that_ignores_the_adapter_is_found(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[pd.DataFrame] = []

    def base_only(answers: pd.DataFrame, adapter: Path | None) -> pd.DataFrame:
        kept.append(answers)
        return kept[0]

    serve(monkeypatch, base_only)
    found = findings(CheckOrder(str(checkpoint), backends=("transformers", "vllm"), endpoint=ENDPOINT, steps=2))
    assert {name for name, finding in found.items() if not finding.passed} == {"vllm_change", "agreement_finetuned"}
    assert found["agreement_base"].value["agrees"] and not found["agreement_finetuned"].value["agrees"]


def test_half_precision_may_choose_other_words_but_no_other_likelihoods(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = CheckOrder(str(checkpoint), dtype="bfloat16", endpoint=ENDPOINT, steps=1)
    serve(monkeypatch, lambda answers, adapter: shifted(answers, 0.01).assign(text="another word"))
    assert all(finding.passed for finding in findings(order).values())
    serve(monkeypatch, lambda answers, adapter: shifted(answers, 2.0))
    assert not findings(order)["agreement_base"].passed


def test_an_engine_that_dies_is_a_finding_with_its_sentence(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(answers: pd.DataFrame, adapter: Path | None) -> pd.DataFrame:
        raise VeilBenchError("the engine died.")

    serve(monkeypatch, die)
    found = findings(CheckOrder(str(checkpoint), endpoint=ENDPOINT, steps=1))
    assert found["vllm_base"].shown == "the engine died." and not found["vllm_base"].passed
    assert "agreement_base" not in found


def test_without_vllm_it_says_that_it_was_not_tried(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILBENCH_VLLM", "no-such-command")
    found = findings(CheckOrder(str(checkpoint), steps=1))
    assert found["vllm"].shown.startswith("not tried") and found["vllm"].passed


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"backends": ("vllm",), "vllm": ("no-such-command",)}, "command 'no-such-command' was not found"),
        ({"backends": ("vllm",), "quantization": "4bit"}, "add --backend transformers"),
        ({"steps": 0}, "--steps must be at least 1"),
        ({"family": "lava"}, "did you mean 'llava'"),
        ({"family": "qwen_vl", "backends": ("transformers",)}, "is a llava model: the family qwen_vl takes"),
        ({"checkpoint": "tiny-lava"}, "did you mean 'tiny-llava'"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_computed(checkpoint: Path, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        findings(CheckOrder(**{"checkpoint": str(checkpoint), **fields}))
