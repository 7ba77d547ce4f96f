"""Answering through vLLM: the vision side here, once a photo; the language side there, everything at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.core.digests import digest_tree, short
from bench.targets.base import ReportProgress
from bench.targets.packed.answer_row import COLUMNS, answer_row
from bench.targets.packed.answering import adapted, photo_features
from bench.targets.vllm.adapters import served_adapter
from bench.targets.vllm.completions import Asker, OptionScores, ShownPhoto, asker_for
from bench.targets.vllm.kept import KeptResults
from bench.targets.vllm.proof import PROBES, Expected, expect, prove
from bench.targets.vllm.results import CompletionResult

if TYPE_CHECKING:
    from bench.targets.packed.features import FeatureCache
    from bench.targets.packed.model import PackedModel
    from bench.targets.vllm.client import EngineClient


def answer_served(
    model: "PackedModel",
    kept: "FeatureCache",
    requests: pd.DataFrame,
    adapter: Path | None,
    engine: "EngineClient",
    report: ReportProgress,
    accepted: Sequence[str] = (),
    resume: Path | None = None,
) -> pd.DataFrame:
    """Answer all requests by ``engine``; rows come back in the order of ``requests``, columns as of ``answer_packed``.

    An open answer may be as long as the longest of the ``accepted`` ones. What is answered is kept in the folder
    ``resume`` until all is, so that another attempt asks only for the rest.

    The engine serves ``model``'s checkpoint (see ``EngineClient.check``). Before it is asked, it has to say what
    transformers says of ``PROBES`` of the requests. Raises VeilBenchError where it does not, or where it dies.
    """
    shown, probes = _look(model, kept, requests, adapter, report)
    asker = asker_for(model, model.text.answer_limit(accepted))
    name = "the base model" if adapter is None else f"adapter {short(digest_tree(adapter))}"
    with served_adapter(model, adapter, engine) as served:
        prove(asker, probes, engine, served, name)
        kept_results = KeptResults(resume / "answers.jsonl" if resume else None)
        answers = _ask(asker, requests, shown, engine, served, report, kept_results)
    kept_results.forget()
    return answers


def _look(
    model: "PackedModel", kept: "FeatureCache", requests: pd.DataFrame, adapter: Path | None, report: ReportProgress
) -> tuple[dict[bytes, ShownPhoto], list[Expected]]:
    """What the engine is shown of each photo, and what transformers says of some of the requests."""
    import torch

    photos = list(dict.fromkeys(requests["image"]))
    probed = requests.iloc[:: max(1, len(requests) // PROBES)].head(PROBES)
    shown: dict[bytes, ShownPhoto] = {}
    probes = []
    with torch.inference_mode(), adapted(model, adapter):
        for number, photo in enumerate(photos):
            features = photo_features(model, kept, adapter, photo)
            shown[photo] = ShownPhoto(model.project(features)[0].cpu(), features.grid)
            questions = probed.loc[probed["image"] == photo, "question"]
            probes += [expect(model, features, shown[photo], question) for question in questions]
            report(number + 1, len(photos), "photos")
    return shown, probes


def _ask(
    asker: Asker,
    requests: pd.DataFrame,
    shown: dict[bytes, ShownPhoto],
    engine: "EngineClient",
    served: str | None,
    report: ReportProgress,
    kept: KeptResults,
) -> pd.DataFrame:
    columns = (requests["image"], requests["question"], requests["options"])
    asked = [
        (asker.answer(shown[image], question), asker.scores(shown[image], question, list(options)))
        for image, question, options in zip(*columns, strict=True)
    ]
    completions = [completion for answer, scores in asked for completion in (answer, *scores.completions)]
    results = iter(engine.complete(completions, served, report, kept))
    rows = []
    for request_id, (_, scores) in zip(requests["request_id"], asked, strict=True):
        answer = next(results)
        rows.append(_row(asker, request_id, answer, scores, [next(results) for _ in scores.completions]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(
    asker: Asker,
    request_id: str,
    answer: CompletionResult,
    scores: OptionScores,
    scored: Sequence[CompletionResult],
) -> dict[str, Any]:
    ended = bool(answer.tokens) and answer.tokens[-1] in asker.model.end_tokens
    text = asker.model.text.decode(answer.tokens[:-1] if ended else answer.tokens)
    return answer_row(request_id, text, scores.read(scored), ended=ended)
