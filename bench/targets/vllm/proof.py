"""Before an engine's answers are trusted: its first-token log-probabilities are transformers' own."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.core.errors import VeilBenchError
from bench.targets.vllm.completions import Asker, ShownPhoto
from bench.targets.vllm.results import CompletionResult

if TYPE_CHECKING:
    import torch

    from bench.targets.packed.features import PhotoFeatures
    from bench.targets.packed.model import PackedModel
    from bench.targets.vllm.client import EngineClient

PROBES = 8
LIKELIEST = 5
TOLERANCE = {"float32": 1e-3}
LOW_PRECISION_TOLERANCE = 5e-2
"""Largest difference of two natural log-probabilities, bfloat16 and float16."""


@dataclass(frozen=True)
class Expected:
    """A probe and what transformers says of it: natural log-probabilities of the likeliest first tokens, by id."""

    question: str
    shown: ShownPhoto
    logprobs: Mapping[int, float]


def expect(model: "PackedModel", features: "PhotoFeatures", shown: ShownPhoto, question: str) -> Expected:
    """What transformers, as the model is adapted now, says first to ``question`` on the photo of ``features``.

    ``shown`` is what the engine will be shown of that photo.
    """
    logprobs = first_logprobs(model, features, question)
    likeliest = logprobs.topk(LIKELIEST)
    pairs = zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True)
    return Expected(question, shown, {int(token): float(value) for token, value in pairs})


def first_logprobs(model: "PackedModel", features: "PhotoFeatures", question: str) -> "torch.Tensor":
    """Natural log-probabilities (vocabulary,) of the answer's first token: one photo, one question, nothing packed."""
    import torch

    from bench.targets.packed.packing import attention_mask

    with torch.inference_mode():
        prefix = model.embed_prefix([features])
        words = model.embed_tokens(torch.tensor([model.text.question(question).tokens]))
        embedded = torch.cat([prefix.embedded, words], dim=1)
        behind = torch.arange(words.shape[1]) + prefix.ends[0]
        positions = torch.cat([prefix.positions, behind.expand(len(prefix.positions), 1, -1)], dim=2)
        whole = torch.zeros(1, embedded.shape[1], dtype=torch.long)
        mask = attention_mask(whole, whole[:, :0], None, embedded.dtype)
        hidden = model.run(embedded, mask, positions, None, prefix)
        return torch.log_softmax(model.logits(hidden[0, -1]).float(), dim=-1).cpu()


def prove(asker: Asker, expected: Sequence[Expected], engine: "EngineClient", served: str | None, adapter: str) -> None:
    """Raise VeilBenchError where the engine reads a probe as other tokens, or says anything else than transformers.

    ``served`` is the adapter's name at the engine, ``adapter`` what it is called in the error.
    """
    completions = [asker.first(probe.shown, probe.question, list(probe.logprobs)) for probe in expected]
    results = engine.complete(completions, served)
    tolerance = TOLERANCE.get(asker.model.spec.dtype, LOW_PRECISION_TOLERANCE)
    for probe, result in zip(expected, results, strict=True):
        _check_tokens(asker, probe, result, engine)
        _check_values(probe, result, tolerance, adapter)


def _check_tokens(asker: Asker, probe: Expected, result: CompletionResult, engine: "EngineClient") -> None:
    wanted = asker.reads_as(probe.shown, probe.question)
    if wanted is not None and result.prompt != wanted:
        raise VeilBenchError(
            f"the engine at {engine.url} reads the question {probe.question!r} as {len(result.prompt)} other tokens "
            f"than transformers' {len(wanted)}: start it with --chat-template set to VeilBench's verbatim.jinja, "
            "--chat-template-content-format string, and this checkpoint's own tokenizer."
        )


def _check_values(probe: Expected, result: CompletionResult, tolerance: float, adapter: str) -> None:
    def difference(token: int) -> float:
        return abs(result.next.get(token, float("-inf")) - probe.logprobs[token])

    # What is not a number is larger than nothing, and differs all the same.
    worst = max(probe.logprobs, key=lambda token: (math.isnan(difference(token)), difference(token)))
    if not difference(worst) <= tolerance:
        raise VeilBenchError(
            f"vLLM does not serve {adapter} as transformers runs it: first-token log-probability to the question "
            f"{probe.question!r} is {result.next.get(worst, float('-inf')):.4f} with vLLM and "
            f"{probe.logprobs[worst]:.4f} with transformers (tolerance {tolerance:g}): answer with the transformers "
            "backend instead."
        )
