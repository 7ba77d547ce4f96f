"""From a target to an engine and its answers: what is served, and what becomes of each request."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.digests import digest_tree, short
from bench.core.errors import UsageError
from bench.targets.base import ReportProgress, Target
from bench.targets.checkpoints import positions
from bench.targets.packed.target import PackedTarget, is_checkpoint

if TYPE_CHECKING:
    import pandas as pd

    from bench.targets.vllm.server import EngineModel, EngineSettings

LONGEST_CONTEXT = 4096
"""Tokens. A probe needs a photo and two sentences; a longer context only takes memory."""


def served_name(digest: str) -> str:
    """The name under which an engine serves the checkpoint with that digest."""
    return f"veilbench-{digest[:16]}"


def engine_log(logs: Path, digest: str) -> Path:
    """Where the engine of the checkpoint with that digest says what it does."""
    return logs / f"vllm-{short(digest)}.log"


def _existing(log: Path) -> Path | None:
    return log if log.exists() else None


def served_model(target: Target, digest: str, scratch: Path, lora_rank: int, adapters_at_once: int) -> "EngineModel":
    """What an engine of ``target`` serves; ``scratch`` is for a language model that must be cut out first.

    Raises UsageError for a family that no engine can serve.
    """
    from bench.targets.vllm.server import EngineModel

    packed = servable(target)
    folder = packed.served_folder(scratch / served_name(digest))
    return EngineModel(
        folder=folder,
        name=served_name(digest),
        dtype=target.spec.dtype,
        prompt_embeds=packed.loads.prompt_embeds,
        max_lora_rank=lora_rank,
        max_model_len=context_length(folder),
        adapters_at_once=adapters_at_once,
        with_tower=packed.served_with_tower,
    )


def answer_through_engine(
    target: Target,
    digest: str,
    requests: "pd.DataFrame",
    adapter: Path | None,
    address: str,
    settings: "EngineSettings",
    logs: Path,
    report: ReportProgress,
    accepted: Sequence[str] = (),
    resume: Path | None = None,
) -> "pd.DataFrame":
    """Answer like ``Target.answer``, through the engine at ``address``.

    What an earlier attempt at the same stage was answered is taken from the folder ``resume``, and kept there.

    A whole checkpoint, as full fine-tuning writes it, is no adapter of a shared engine: it is served by one of its
    own, which ends with the last answer.
    """
    from bench.targets.vllm.answering import answer_served
    from bench.targets.vllm.client import EngineClient
    from bench.targets.vllm.server import running_engine

    packed = servable(target)
    if adapter is not None and is_checkpoint(adapter):
        whole, own = packed.loaded_from(adapter), digest_tree(adapter)
        log = engine_log(logs, own)
        with running_engine(served_model(whole, own, logs.parent / "kept" / "served", 0, 1), settings, log) as started:
            client = EngineClient(started, served_name(own), log=log)
            return answer_served(whole.model, whole.kept_features, requests, None, client, report, accepted, resume)
    client = EngineClient(address, served_name(digest), log=_existing(engine_log(logs, digest)))
    client.check()
    return answer_served(packed.model, packed.kept_features, requests, adapter, client, report, accepted, resume)


def context_length(folder: Path) -> int:
    """Tokens that the language model of a checkpoint can read, as far as probes need them."""
    return min(LONGEST_CONTEXT, positions(folder, LONGEST_CONTEXT))


def servable(target: Target) -> PackedTarget:
    """The target as an engine can serve it. Raises UsageError for a family that none can."""
    if not isinstance(target, PackedTarget):
        raise UsageError(f"the family '{target.spec.family}' cannot be served by vLLM: use --backend transformers")
    return target
