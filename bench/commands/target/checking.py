"""A whole checkpoint from its files to a leaked answer, in small: what it needs here, and whether backends agree."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.commands.target.asking import ask_backends
from bench.commands.target.facts import BACKENDS, PHOTOS, RECIPE, CheckOrder, TargetFact, count, measured, vllm_command
from bench.core.device import detect_device
from bench.core.errors import UsageError
from bench.core.progress import ReportProgress
from bench.stages.finetune import training_examples
from bench.stages.photos import training_pairs
from bench.targets.base import TargetSpec
from bench.targets.checkpoints import checkpoint_digest, family_of, is_hub_id, resolve_checkpoint
from bench.targets.packed.target import PackedTarget
from bench.targets.registry import build_target, targets
from bench.targets.texts import unsayable
from bench.targets.vllm.client import EngineClient
from bench.targets.vllm.serving import served_name
from scenarios.dataset import Dataset, load_dataset

if TYPE_CHECKING:
    import pandas as pd


DATASET = "veilbench-mini"
OTHER_SCRIPTS = ("Zoë Król", "Анна Берг", "Ελένη Παππά", "अनन्या शर्मा", "วรรณวิสา ศรีสุวรรณ", "山田太郎", "ليلى حداد")
"""Fictitious names, as they are written where such people live."""


def check_target(order: CheckOrder, task: Callable[[str], ReportProgress]) -> Iterator[TargetFact]:
    """Load, fine-tune a few steps on rendered photos, ask one held-out probe before and after, by each backend.

    ``task`` makes the report of a step by its name. Raises UsageError for wrong use and unusable checkpoints,
    VeilBenchError where a download or a step fails; a backend that disagrees is a fact that has not passed.
    """
    backends = _backends(order)
    family = _family(order, task)
    spec = TargetSpec(order.checkpoint, family, order.dtype, PHOTOS, order.quantization)
    target = _packed(spec)
    folder = resolve_checkpoint(order.checkpoint)
    if order.endpoint is not None and "vllm" in backends:
        # Before the weights are loaded: what is not there will not be there after the fine-tuning either.
        EngineClient(order.endpoint, served_name(checkpoint_digest(order.checkpoint))).check()
    for name, value in (
        ("checkpoint", order.checkpoint),
        ("family", family),
        ("dtype", order.dtype),
        ("quantization", order.quantization),
        ("device", detect_device()),
    ):
        yield TargetFact(name, value, value)
    with measured() as load:
        network = target.model.network
    yield count("parameters", int(network.num_parameters()), "")
    yield count("bytes_on_disk", sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()), "B")
    yield TargetFact("load_seconds", load["seconds"], f"{load['seconds']:.1f} s")
    yield count("load_peak_memory_bytes", int(load["peak_memory_bytes"]), "B")
    dataset = load_dataset(DATASET)
    yield _sayable(target, dataset)
    with TemporaryDirectory(prefix="veilbench-target-check-") as scratch:
        adapter = Path(scratch) / "adapter"
        adapter.mkdir()
        yield from _finetune(target, dataset, order.steps, adapter, task("fine-tuning"))
        yield from ask_backends(target, order, backends, _probe(dataset), adapter, Path(scratch), task)


def _backends(order: CheckOrder) -> tuple[str, ...]:
    if order.steps < 1:
        raise UsageError("--steps must be at least 1.")
    if order.quantization != "none" and "vllm" in (order.backends or ()):
        raise UsageError("4-bit weights are not what vLLM would serve: add --backend transformers.")
    found = order.endpoint is not None or shutil.which(vllm_command(order)[0]) is not None
    if order.backends is None:
        return BACKENDS if found and order.quantization == "none" else BACKENDS[:1]
    if "vllm" in order.backends and not found:
        raise UsageError(
            f"the command '{vllm_command(order)[0]}' was not found: name vLLM's with --vllm or VEILBENCH_VLLM, give the"
            " --endpoint of one that runs, or add --backend transformers."
        )
    return order.backends


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
    target = build_target(spec)
    if not isinstance(target, PackedTarget):
        raise UsageError(f"family '{spec.family}' answers in a way of its own, which is not checked here.")
    return target


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
) -> Iterator[TargetFact]:
    pairs = training_pairs(dataset)
    images: dict[str, tuple[bytes, ...]] = {row["pair_id"]: (row["image"],) for row in pairs.to_dict("records")}
    times = _StepTimes(report)
    with measured() as cost:
        examples = training_examples(dataset, images)[:PHOTOS]
        target.finetune(examples, replace(RECIPE, epochs=steps), 0, adapter, times)
    seconds = times.seconds_per_step(cost["seconds"])
    rate = PHOTOS / seconds
    yield TargetFact(
        "seconds_per_step", seconds, f"{seconds:.3g} s ({PHOTOS} photos, {RECIPE.questions_per_photo} questions each)"
    )
    yield TargetFact("samples_per_second", rate, f"{rate:.3g} photos/s")
    yield count("finetune_peak_memory_bytes", int(cost["peak_memory_bytes"]), "B")


def _sayable(target: PackedTarget, dataset: Dataset) -> TargetFact:
    """Whether its tokenizer gives back every answer, letter for letter; one that it changes can never be given."""
    answers = sorted({*dataset.probes["answer"], *dataset.probes["aliases"].explode().dropna(), *OTHER_SCRIPTS})
    changed = [f"'{answer}' as '{back}'" for answer, back in unsayable(target.model.text, answers)]
    shown = f"gives back {', '.join(changed)}" if changed else f"gives back {len(answers)} answers letter for letter"
    # A language model of one script is of use for people who are written in it.
    ours = [answer for answer, _ in unsayable(target.model.text, answers) if answer not in OTHER_SCRIPTS]
    return TargetFact("tokenizer", changed, shown, not ours)


def _probe(dataset: Dataset) -> "pd.DataFrame":
    """The first held-out probe of the first person who is trained on."""
    person = training_pairs(dataset)["person_id"].iloc[0]
    probes = dataset.probes
    own = probes[(probes["person_id"] == person) & (probes["kind"] == "held_out")]
    return own.head(1).rename(columns={"probe_id": "request_id"})[["request_id", "image", "question", "options"]]
