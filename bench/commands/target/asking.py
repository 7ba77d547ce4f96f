"""One probe put to a checkpoint before and after fine-tuning, by each backend, and whether their answers agree."""

import math
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands.target.facts import BACKENDS, MODELS, RECIPE, CheckOrder, TargetFact, count, measured, vllm_command
from bench.core.device import detect_device
from bench.core.errors import UsageError, VeilBenchError
from bench.core.progress import ReportProgress
from bench.targets.checkpoints import checkpoint_digest
from bench.targets.packed.target import PackedTarget

if TYPE_CHECKING:
    import pandas as pd

    from bench.targets.vllm.server import EngineSettings

TOLERANCE = {"float32": 1e-3}
LOW_PRECISION_TOLERANCE = 0.5
"""Largest difference of an option's log-likelihood, a sum over its tokens. With bfloat16 and float16 open answers may
differ: the two likeliest words are often too close to call."""


def ask_backends(
    target: PackedTarget,
    order: CheckOrder,
    backends: Sequence[str],
    probe: "pd.DataFrame",
    adapter: Path,
    scratch: Path,
    task: Callable[[str], ReportProgress],
) -> Iterator[TargetFact]:
    """Put the probe to each backend, before and after fine-tuning; ``probe`` has one row of requests.

    Raises UsageError where an engine cannot be used at all.
    """
    question, options = probe["question"].iloc[0], list(probe["options"].iloc[0])
    yield TargetFact("question", question, question)
    yield TargetFact("options", options, ", ".join(options))
    answers: dict[tuple[str, str], dict[str, Any]] = {}
    adapters = {"base": None, "finetuned": adapter}
    if "transformers" in backends:
        for model, folder in adapters.items():
            with measured() as cost:
                rows = target.answer(probe, folder, task(f"transformers, {model}"))
            answers["transformers", model] = _plain(rows)
            yield from _answered("transformers", model, answers["transformers", model], options, cost["seconds"])
        yield count("answer_peak_memory_bytes", int(cost["peak_memory_bytes"]), "B")
    if "vllm" in backends:
        yield from _answer_served(target, order, probe, adapters, scratch, task, answers)
    elif order.backends is None:
        told = "4-bit weights" if order.quantization != "none" else "no such command; --vllm or VEILBENCH_VLLM names it"
        yield TargetFact("vllm", None, f"not tried: {told}")
    yield from _compare(answers, backends, order.dtype)


def _plain(rows: "pd.DataFrame") -> dict[str, Any]:
    row = rows.iloc[0]
    logprobs = [float(value) for value in row["option_logprobs"]]
    return {
        "text": str(row["text"]),
        "choice": int(row["choice"]),
        "option_logprobs": logprobs,
        "status": str(row["status"]),
    }


def _answered(
    backend: str, model: str, answer: dict[str, Any], options: Sequence[str], seconds: float
) -> Iterator[TargetFact]:
    choice = options[answer["choice"]]
    likeliest = max(answer["option_logprobs"])
    finite = all(math.isfinite(value) for value in answer["option_logprobs"])
    shown = f"'{answer['text']}' ({answer['status']}); of the options '{choice}' (log-likelihood {likeliest:.3f})"
    yield TargetFact(f"{backend}_{model}", answer, shown if finite else f"{shown}: not all are finite", finite)
    yield TargetFact(f"{backend}_{model}_seconds", seconds, f"{seconds:.3g} s")


def _answer_served(
    target: PackedTarget,
    order: CheckOrder,
    probe: "pd.DataFrame",
    adapters: dict[str, Path | None],
    scratch: Path,
    task: Callable[[str], ReportProgress],
    answers: dict[tuple[str, str], dict[str, Any]],
) -> Iterator[TargetFact]:
    """Put what vLLM answers into ``answers``; an engine that says something else than transformers has not passed.

    The log of an engine that is started here stays only where something goes wrong.
    """
    from bench.targets.vllm.client import EngineClient
    from bench.targets.vllm.server import EngineSettings
    from bench.targets.vllm.serving import answer_through_engine, served_name

    options, digest = list(probe["options"].iloc[0]), checkpoint_digest(order.checkpoint)
    settings = EngineSettings(command=vllm_command(order), device=detect_device())
    log = Path(tempfile.mkdtemp(prefix="veilbench-vllm-")) / "vllm.log"
    with _engine(target, order, digest, settings, log) as (address, started):
        if started:
            yield TargetFact("vllm_start_seconds", started, f"{started:.1f} s")
        EngineClient(address, served_name(digest)).check()
        for model, folder in adapters.items():
            report, start = task(f"vllm, {model}"), time.perf_counter()
            try:
                rows = answer_through_engine(target, digest, probe, folder, address, settings, scratch, report)
            except UsageError:
                raise
            except VeilBenchError as error:
                told = f"{error} (log: {log})" if started else str(error)
                yield TargetFact(f"vllm_{model}", {"error": told}, told, False)
                continue
            answers["vllm", model] = _plain(rows)
            seconds = time.perf_counter() - start
            yield from _answered("vllm", model, answers["vllm", model], options, seconds)
    if all(("vllm", model) in answers for model in MODELS):
        shutil.rmtree(log.parent)


@contextmanager
def _engine(
    target: PackedTarget, order: CheckOrder, digest: str, settings: "EngineSettings", log: Path
) -> Iterator[tuple[str, float]]:
    """Address of the engine, and the seconds that its start took: 0 for one that ran already."""
    import torch

    from bench.targets.vllm.server import running_engine
    from bench.targets.vllm.serving import served_model

    if order.endpoint is not None:
        yield order.endpoint, 0.0
        return
    if torch.cuda.is_available():
        torch.cuda.empty_cache()  # what torch only keeps in reserve is room for the engine
    served = served_model(target, digest, log.parent, RECIPE.lora_rank, 1)
    start = time.perf_counter()
    with running_engine(served, settings, log) as address:
        yield address, time.perf_counter() - start


def _compare(
    answers: dict[tuple[str, str], dict[str, Any]], backends: Sequence[str], dtype: str
) -> Iterator[TargetFact]:
    """Whether fine-tuning changed anything, and whether both backends say the same."""
    for backend in backends:
        if (backend, "base") in answers and (backend, "finetuned") in answers:
            change = _largest_difference(answers[backend, "base"], answers[backend, "finetuned"])
            told = f"fine-tuning changed an option's log-likelihood by up to {change:.3g}"
            yield TargetFact(f"{backend}_change", change, told, change > 0)
    tolerance = TOLERANCE.get(dtype, LOW_PRECISION_TOLERANCE)
    for model in MODELS:
        one, other = (answers.get((backend, model)) for backend in BACKENDS)
        if one is not None and other is not None:
            difference = _largest_difference(one, other)
            same_text = one["text"] == other["text"] and one["status"] == other["status"]
            agrees = difference <= tolerance and (same_text or dtype not in TOLERANCE)
            told = f"{'same' if same_text else 'different'} answers, log-likelihoods within {difference:.2g}"
            value = {"agrees": agrees, "same_text": same_text, "largest_difference": difference}
            yield TargetFact(f"agreement_{model}", value, f"{told} (tolerance {tolerance:g})", agrees)


def _largest_difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    pairs = zip(one["option_logprobs"], other["option_logprobs"], strict=True)
    return max((abs(first - second) for first, second in pairs), default=0.0)
