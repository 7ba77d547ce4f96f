"""Answering through vLLM: one engine a target, started when its questions are due and ended after them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.core.device import detect_device
from bench.core.errors import StoreFullError, UsageError, VeilBenchError
from bench.core.network.addresses import server_address
from bench.core.store import ArtifactStore
from bench.execute.base import StageFailure
from bench.stages.answer import AnswerSpec
from bench.stages.base import EngineAccess, Stage
from bench.stages.references import PinnedTarget
from bench.targets.registry import build_target
from bench.targets.vllm.client import EXAMPLE, EngineClient
from bench.targets.vllm.command import command_words, configured_command, found_program
from bench.targets.vllm.server import EngineModel, EngineSettings, reserved_rank, running_engine
from bench.targets.vllm.serving import engine_log, servable, served_model, served_name

LOOKS = 2
LOOK_SECONDS = 30.0
"""Tries, and seconds each, in which an engine that shall be asked later has to say what it serves."""

Compute = Callable[[Sequence[Stage], EngineAccess | None], list[StageFailure]]


@dataclass(frozen=True)
class Backend:
    """What answers questions: ``transformers`` in process, or ``vllm``.

    Only the name is part of a result's key. ``command`` starts a server; ``endpoint`` is the address of one that runs
    already, and then none is started.
    """

    name: str = "transformers"
    command: tuple[str, ...] = ()
    endpoint: str = ""


def chosen_backend(name: str, command: str, endpoint: str) -> Backend:
    """The backend of the command line's options.

    Raises UsageError where an option of vLLM comes without it, or both ways to reach it are named.
    """
    if name != "vllm" and (command or endpoint):
        raise UsageError("--vllm and --endpoint say how vLLM is reached: add --backend vllm.")
    if command and endpoint:
        raise UsageError("--vllm starts a server and --endpoint names one that runs: give one of the two.")
    if endpoint:
        endpoint = server_address(endpoint, "--endpoint (VEILBENCH_ENDPOINT)", EXAMPLE)
    return Backend(name, command_words(command, "--vllm"), endpoint)


def check_engines(stages: Sequence[Stage], backend: Backend) -> None:
    """Look for the engines that ``stages`` will ask, before any is computed; where none will be, for nothing.

    Raises UsageError where a target cannot be served, there is no command that starts an engine, or the endpoint serves
    another checkpoint, and VeilBenchError where nothing answers there.
    """
    asking = [_answers(stage) for stage in stages if isinstance(stage.spec, AnswerSpec) and backend.name == "vllm"]
    for target in dict.fromkeys(answers.target for answers in asking):
        servable(build_target(target.spec))
        if backend.endpoint:
            name, seconds = served_name(target.digest), LOOK_SECONDS
            EngineClient(backend.endpoint, name, timeout_s=seconds, attempts=LOOKS, patience_s=seconds).check()
    if asking and not backend.endpoint:
        found_program(backend.command or configured_command(), detect_device())
        reserved_rank(max(answers.lora_rank for answers in asking))


def compute_in_order(
    stages: Sequence[Stage],
    backend: Backend,
    store: ArtifactStore,
    workers: int,
    compute: Compute,
    *,
    keep_going: bool = False,
) -> list[StageFailure]:
    """Compute stages; with vLLM, first all that no answer precedes, then the answers engine by engine, then the rest.

    So fine-tuning and an engine never share an accelerator's memory, and one engine serves all adapters of a target.
    With ``keep_going``, a failure (an engine that does not start among them) costs what rests on it, and is returned.
    """
    if backend.name == "transformers":
        return compute(stages, None)
    asking = [stage for stage in stages if isinstance(stage.spec, AnswerSpec)]
    behind = _behind(stages, {stage.name for stage in asking})
    failures = compute([stage for stage in stages if stage not in asking and stage.name not in behind], None)
    failures += _lost(asking, failures)
    for target in dict.fromkeys(_answers(stage).target for stage in asking):
        due = [stage for stage in _left(asking, failures) if _answers(stage).target == target]
        rank = max((_answers(stage).lora_rank for stage in due), default=0)
        try:
            with engine_access(target, backend, store, rank, workers) as access:
                failures += compute(due, access)
        except VeilBenchError as error:
            if not keep_going or isinstance(error, StoreFullError):
                raise
            failures += [StageFailure(stage.name, str(error)) for stage in _left(due, failures)]
    last = [stage for stage in stages if stage.name in behind]
    failures += _lost(last, failures)
    return failures + compute(_left(last, failures), None)


def _answers(stage: Stage) -> AnswerSpec:
    assert isinstance(stage.spec, AnswerSpec)
    return stage.spec


def _left(stages: Sequence[Stage], failures: Sequence[StageFailure]) -> list[Stage]:
    failed = {failure.stage for failure in failures}
    return [stage for stage in stages if stage.name not in failed]


def _lost(stages: Sequence[Stage], failures: Sequence[StageFailure]) -> list[StageFailure]:
    """The stages that rest on one that failed; stages stand after those that they depend on."""
    causes = {failure.stage: failure.rests_on or failure.stage for failure in failures}
    found = []
    for stage in stages:
        cause = next((causes[name] for name in stage.depends_on if name in causes), None)
        if cause is not None and stage.name not in causes:
            causes[stage.name] = cause
            found.append(StageFailure(stage.name, f"rests on '{cause}'", cause))
    return found


@contextmanager
def engine_access(
    target: PinnedTarget, backend: Backend, store: ArtifactStore, lora_rank: int, workers: int
) -> Iterator[EngineAccess]:
    """Reach an engine for one target: the one whose address was given, else one started for the block.

    Raises UsageError where vLLM is not there, and VeilBenchError where it does not start.
    """
    command = backend.command or configured_command()
    settings = EngineSettings(command=command, device=detect_device())
    if backend.endpoint:
        yield EngineAccess(settings, backend.endpoint.rstrip("/"))
        return
    scratch = store.kept / "served"
    model = engine_model(target, scratch, lora_rank, workers)
    log = engine_log(store.root / "logs", target.digest)
    with running_engine(model, settings, log) as address:
        yield EngineAccess(settings, address)


def engine_model(target: PinnedTarget, scratch: Path, lora_rank: int, adapters_at_once: int) -> EngineModel:
    """What the engine of a target serves."""
    return served_model(build_target(target.spec), target.digest, scratch, lora_rank, adapters_at_once)


def _behind(stages: Sequence[Stage], names: set[str]) -> set[str]:
    """Names of the stages that rest on one of ``names``; stages stand after those that they depend on."""
    found: set[str] = set()
    for stage in stages:
        if any(name in names or name in found for name in stage.depends_on):
            found.add(stage.name)
    return found - names
