"""A whole checkpoint from its files to a leaked answer, in small: what it needs here, and whether backends agree."""

import math
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bench.core.cost import measured_cost
from bench.core.errors import UsageError, VeilBenchError
from bench.core.progress import ReportProgress
from bench.core.device import detect_device
from bench.stages.photos import training_pairs
from bench.stages.finetune import training_examples
from bench.targets.base import Recipe, TargetSpec
from bench.targets.checkpoints import checkpoint_digest, family_of, is_hub_id, resolve_checkpoint
from bench.targets.packed.target import PackedTarget
from bench.targets.registry import targets
from scenarios.dataset import Dataset, load_dataset

if TYPE_CHECKING:
    import pandas as pd

    from bench.targets.vllm.server import EngineSettings

DATASET = "veilbench-mini"
PHOTOS = 4
BACKENDS = ("transformers", "vllm")
MODELS = ("base", "finetuned")

RECIPE = Recipe(
    epochs=1,
    batch_size=PHOTOS,
    learning_rate=1e-3,
    projector_learning_rate=1e-4,
    lora_rank=8,
    lora_alpha=16,
    weight_decay=0.0,
    warmup_steps=1,
    final_learning_rate_share=1.0,
    gradient_clip=1.0,
    questions_per_photo=4,
    source="made for this check: steps that change the answers visibly, no attack",
)
"""An epoch is one step."""

TOLERANCE = {"float32": 1e-3}
LOW_PRECISION_TOLERANCE = 0.5
"""Largest difference of an option's log-likelihood, a sum over its tokens. With bfloat16 and float16 open answers may
differ: the two likeliest words are often too close to call."""


@dataclass(frozen=True)
class CheckOrder:
    """What to check and with what. ``family`` None: by config.json. ``backends`` None: vLLM where it is found.

    ``vllm`` is the command, empty for the configured one; ``endpoint`` the address of an engine that runs already.
    """

    checkpoint: str
    family: str | None = None
    dtype: str = "float32"
    download: bool = False
    backends: tuple[str, ...] | None = None
    vllm: tuple[str, ...] = ()
    endpoint: str | None = None
    quantization: str = "none"
    steps: int = 10


@dataclass(frozen=True)
class Finding:
    """One thing measured: its name and value for programs (SI units), the same for people, and whether it is right."""

    name: str
    value: Any
    shown: str
    passed: bool = True


def check_target(order: CheckOrder, task: Callable[[str], ReportProgress]) -> Iterator[Finding]:
    """Load, fine-tune a few steps on rendered photos, ask one held-out probe before and after, by each backend.

    ``task`` makes the report of a step by its name. Raises UsageError for wrong use and unusable checkpoints,
    VeilBenchError where a download or a step fails; a backend that disagrees is a finding that has not passed.
    """
    backends = _backends(order)
    family = _family(order, task)
    spec = TargetSpec(order.checkpoint, family, order.dtype, PHOTOS, order.quantization)
    target = _packed(spec)
    folder = resolve_checkpoint(order.checkpoint)
    for name, value in (
        ("checkpoint", order.checkpoint),
        ("family", family),
        ("dtype", order.dtype),
        ("quantization", order.quantization),
        ("device", detect_device()),
    ):
        yield Finding(name, value, value)
    with _measured() as load:
        network = target.model.network
    yield _count("parameters", int(network.num_parameters()), "")
    yield _count("bytes_on_disk", sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()), "B")
    yield Finding("load_seconds", load["seconds"], f"{load['seconds']:.1f} s")
    yield _count("load_peak_memory_bytes", int(load["peak_memory_bytes"]), "B")
    dataset = load_dataset(DATASET)
    with TemporaryDirectory(prefix="veilbench-target-check-") as scratch:
        adapter = Path(scratch) / "adapter"
        adapter.mkdir()
        yield from _finetune(target, dataset, order.steps, adapter, task("fine-tuning"))
        yield from _answer(target, order, backends, _probe(dataset), adapter, Path(scratch), task)


def _backends(order: CheckOrder) -> tuple[str, ...]:
    if order.steps < 1:
        raise UsageError("--steps must be at least 1.")
    if order.quantization != "none" and "vllm" in (order.backends or ()):
        raise UsageError("4-bit weights are not what vLLM would serve: add --backend transformers.")
    found = order.endpoint is not None or shutil.which(_command(order)[0]) is not None
    if order.backends is None:
        return BACKENDS if found and order.quantization == "none" else BACKENDS[:1]
    if "vllm" in order.backends and not found:
        raise UsageError(
            f"the command '{_command(order)[0]}' was not found: name vLLM's with --vllm or VEILBENCH_VLLM, give the"
            " --endpoint of one that runs, or add --backend transformers."
        )
    return order.backends


def _command(order: CheckOrder) -> tuple[str, ...]:
    from bench.targets.vllm.server import configured_command

    return order.vllm or configured_command()


def _family(order: CheckOrder, task: Callable[[str], ReportProgress]) -> str:
    """The checkpoint's family; what is fetched is fetched only where there is a family for it."""
    fetches = order.download and is_hub_id(order.checkpoint)
    if fetches:
        from bench.targets.downloading import download_checkpoint, download_config

        download_config(order.checkpoint)
    family = order.family or family_of(order.checkpoint)
    targets.get(family)
    if fetches:
        download_checkpoint(order.checkpoint, task("download"))
    return family


def _packed(spec: TargetSpec) -> PackedTarget:
    target = targets.get(spec.family)(spec)
    if not isinstance(target, PackedTarget):
        raise UsageError(f"family '{spec.family}' answers in a way of its own, which is not checked here.")
    return target


@contextmanager
def _measured() -> Iterator[dict[str, float]]:
    """As ``measured_cost``; with a GPU the peak is that of the GPU's memory, as torch hands it out."""
    import torch

    with measured_cost() as cost:
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        yield cost
    if torch.cuda.is_available():
        cost["peak_memory_bytes"] = torch.cuda.max_memory_allocated()


class _StepTimes:
    """When each step ended; passes everything on."""

    def __init__(self, report: ReportProgress) -> None:
        self._report = report
        self._times: list[tuple[int, float]] = []

    def __call__(self, done: int, total: int, note: str) -> None:
        if self._times and done <= self._times[-1][0]:
            self._times.clear()  # another task, of which only the last one is the steps
        self._times.append((done, time.perf_counter()))
        self._report(done, total, note)

    def seconds_per_step(self, whole: float) -> float:
        """Between the first step's end and the last one's, since the first pays for what comes once."""
        (first, start), (last, end) = self._times[0], self._times[-1]
        return (end - start) / (last - first) if last > first else whole


def _finetune(
    target: PackedTarget, dataset: Dataset, steps: int, adapter: Path, report: ReportProgress
) -> Iterator[Finding]:
    pairs = training_pairs(dataset)
    images: dict[str, tuple[bytes, ...]] = {row["pair_id"]: (row["image"],) for row in pairs.to_dict("records")}
    times = _StepTimes(report)
    with _measured() as cost:
        examples = training_examples(dataset, images)[:PHOTOS]
        target.finetune(examples, replace(RECIPE, epochs=steps), 0, adapter, times)
    seconds = times.seconds_per_step(cost["seconds"])
    rate = PHOTOS / seconds
    yield Finding(
        "seconds_per_step", seconds, f"{seconds:.3g} s ({PHOTOS} photos, {RECIPE.questions_per_photo} questions each)"
    )
    yield Finding("samples_per_second", rate, f"{rate:.3g} photos/s")
    yield _count("finetune_peak_memory_bytes", int(cost["peak_memory_bytes"]), "B")


def _answer(
    target: PackedTarget,
    order: CheckOrder,
    backends: Sequence[str],
    probe: "pd.DataFrame",
    adapter: Path,
    scratch: Path,
    task: Callable[[str], ReportProgress],
) -> Iterator[Finding]:
    question, options = probe["question"].iloc[0], list(probe["options"].iloc[0])
    yield Finding("question", question, question)
    yield Finding("options", options, ", ".join(options))
    answers: dict[tuple[str, str], dict[str, Any]] = {}
    adapters = {"base": None, "finetuned": adapter}
    if "transformers" in backends:
        for model, folder in adapters.items():
            with _measured() as cost:
                rows = target.answer(probe, folder, task(f"transformers, {model}"))
            answers["transformers", model] = _plain(rows)
            yield from _answered("transformers", model, answers["transformers", model], options, cost["seconds"])
        yield _count("answer_peak_memory_bytes", int(cost["peak_memory_bytes"]), "B")
    if "vllm" in backends:
        yield from _answer_served(target, order, probe, adapters, scratch, task, answers)
    elif order.backends is None:
        told = "4-bit weights" if order.quantization != "none" else "no such command; --vllm or VEILBENCH_VLLM names it"
        yield Finding("vllm", None, f"not tried: {told}")
    yield from _compare(answers, backends, order.dtype)


def _probe(dataset: Dataset) -> "pd.DataFrame":
    """The first held-out probe of the first person who is trained on."""
    person = training_pairs(dataset)["person_id"].iloc[0]
    probes = dataset.probes
    own = probes[(probes["person_id"] == person) & (probes["kind"] == "held_out")]
    return own.head(1).rename(columns={"probe_id": "request_id"})[["request_id", "image", "question", "options"]]


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
) -> Iterator[Finding]:
    choice = options[answer["choice"]]
    likeliest = max(answer["option_logprobs"])
    finite = all(math.isfinite(value) for value in answer["option_logprobs"])
    shown = f"'{answer['text']}' ({answer['status']}); of the options '{choice}' (log-likelihood {likeliest:.3f})"
    yield Finding(f"{backend}_{model}", answer, shown if finite else f"{shown}: not all are finite", finite)
    yield Finding(f"{backend}_{model}_seconds", seconds, f"{seconds:.3g} s")


def _answer_served(
    target: PackedTarget,
    order: CheckOrder,
    probe: "pd.DataFrame",
    adapters: dict[str, Path | None],
    scratch: Path,
    task: Callable[[str], ReportProgress],
    answers: dict[tuple[str, str], dict[str, Any]],
) -> Iterator[Finding]:
    """Put what vLLM answers into ``answers``. An engine that says anything else than transformers is a finding.

    The log of an engine that is started here stays only where something goes wrong.
    """
    from bench.targets.vllm.client import EngineClient
    from bench.targets.vllm.server import EngineSettings
    from bench.targets.vllm.serving import answer_through_engine, served_name

    options, digest = list(probe["options"].iloc[0]), checkpoint_digest(order.checkpoint)
    settings = EngineSettings(command=_command(order), device=detect_device())
    log = Path(tempfile.mkdtemp(prefix="veilbench-vllm-")) / "vllm.log"
    with _engine(target, order, digest, settings, log) as (address, started):
        if started:
            yield Finding("vllm_start_seconds", started, f"{started:.1f} s")
        EngineClient(address, served_name(digest)).check()
        for model, folder in adapters.items():
            report, start = task(f"vllm, {model}"), time.perf_counter()
            try:
                rows = answer_through_engine(target, digest, probe, folder, address, settings, scratch, report)
            except UsageError:
                raise
            except VeilBenchError as error:
                told = f"{error} (log: {log})" if started else str(error)
                yield Finding(f"vllm_{model}", {"error": told}, told, False)
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


def _compare(answers: dict[tuple[str, str], dict[str, Any]], backends: Sequence[str], dtype: str) -> Iterator[Finding]:
    """Whether fine-tuning changed anything, and whether both backends say the same."""
    for backend in backends:
        if (backend, "base") in answers and (backend, "finetuned") in answers:
            change = _largest_difference(answers[backend, "base"], answers[backend, "finetuned"])
            told = f"fine-tuning changed an option's log-likelihood by up to {change:.3g}"
            yield Finding(f"{backend}_change", change, told, change > 0)
    tolerance = TOLERANCE.get(dtype, LOW_PRECISION_TOLERANCE)
    for model in MODELS:
        one, other = (answers.get((backend, model)) for backend in BACKENDS)
        if one is not None and other is not None:
            difference = _largest_difference(one, other)
            same_text = one["text"] == other["text"] and one["status"] == other["status"]
            agrees = difference <= tolerance and (same_text or dtype not in TOLERANCE)
            told = f"{'same' if same_text else 'different'} answers, log-likelihoods within {difference:.2g}"
            value = {"agrees": agrees, "same_text": same_text, "largest_difference": difference}
            yield Finding(f"agreement_{model}", value, f"{told} (tolerance {tolerance:g})", agrees)


def _largest_difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    pairs = zip(one["option_logprobs"], other["option_logprobs"], strict=True)
    return max((abs(first - second) for first, second in pairs), default=0.0)


def _count(name: str, value: int, unit: str) -> Finding:
    for size, prefix in ((10**9, "G" if unit else " thousand million"), (10**6, "M" if unit else " million")):
        if value >= size:
            return Finding(name, value, f"{value / size:.3g}{' ' if unit else ''}{prefix}{unit}")
    return Finding(name, value, f"{value:,} {unit}".rstrip())
