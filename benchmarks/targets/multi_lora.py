"""One vLLM engine for all adapters against one server start an adapter.

``python -m benchmarks.targets.multi_lora [--adapters 6] [--probes 48]``, from the repository's root; vLLM's command is
taken from the environment variable VEILBENCH_VLLM.

Adapters are fine-tuned from tiny-llava, a few steps each with a seed of its own. Both ways answer the same probes with
every adapter, through the same code: vision side and projector here, an open answer and the options' log-likelihoods
from the engine, and the proof against transformers' first-token log-probabilities before each adapter is trusted.

- One engine: started once, first; each adapter is loaded and unloaded at run time.
- A server each: started with its one adapter (``--lora-modules``), asked, ended, for one adapter after another.

Vision features of the photos are kept on disk by both, from before the clock starts. Every answer is compared with that
of transformers. The more probes an adapter is asked, the less a server start weighs: the ratio holds for this number.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from bench.core.device import detect_device
from bench.core.progress import quiet
from bench.targets.base import TargetSpec
from bench.targets.checkpoints import checkpoint_digest
from bench.targets.llava import Llava
from bench.targets.recipes import load_recipe
from bench.targets.vllm.adapters import write_language_adapter
from bench.targets.vllm.answering import answer_served
from bench.targets.vllm.client import EngineClient
from bench.targets.vllm.completions import Completion
from bench.targets.vllm.results import CompletionResult
from bench.targets.vllm.server import EngineSettings, running_engine
from bench.targets.vllm.serving import served_model
from benchmarks.targets.material import held_out_probes, print_table, same_answers, training_photos

if TYPE_CHECKING:
    import pandas as pd

    from bench.core.progress import ReportProgress

CHECKPOINT = "tiny-llava"
STEPS = 3
RECIPE = replace(load_recipe("veilbench").recipe(), epochs=1, warmup_steps=0)
LORA_NAME = "adapter"


@dataclass
class Spent:
    """Seconds of one way, and what came of it."""

    starting: list[float] = field(default_factory=list)
    answering: float = 0.0
    ending: float = 0.0
    same: int = 0

    @property
    def total(self) -> float:
        """Seconds in all."""
        return sum(self.starting) + self.answering + self.ending


class LoneAdapterClient(EngineClient):
    """Asks a server that was started with its one adapter: there is nothing to load or unload."""

    def load_adapter(self, name: str, folder: Path) -> None:
        """Nothing."""

    def unload_adapter(self, name: str) -> None:
        """Nothing."""

    def complete(
        self,
        completions: Sequence[Completion],
        model: str | None = None,
        report: "ReportProgress | None" = None,
    ) -> list[CompletionResult]:
        """See the base class; the adapter has the name that it had when the server was started."""
        return super().complete(completions, LORA_NAME if model else None, report)


class Comparison:
    """The adapters, the probes and what transformers answers, for both ways."""

    def __init__(self, adapters: int, probes: int, scratch: Path) -> None:
        self.scratch = scratch
        self.target = Llava(TargetSpec(CHECKPOINT), scratch / "features")
        self.digest = checkpoint_digest(CHECKPOINT)
        self.requests = held_out_probes().head(probes)
        self.adapters = [self._finetuned(seed) for seed in range(adapters)]
        self.expected = [self.target.answer(self.requests, adapter, quiet()) for adapter in self.adapters]

    def _finetuned(self, seed: int) -> Path:
        folder = self.scratch / f"adapter-{seed}"
        folder.mkdir()
        examples = training_photos()[: STEPS * RECIPE.batch_size]
        self.target.finetune(examples, RECIPE, seed, folder, quiet())
        return folder

    def one_engine(self) -> Spent:
        """All adapters through one engine."""
        spent = Spent()
        with self._engine(spent, ()) as address:
            client = EngineClient(address, self._model_name())
            for adapter, expected in zip(self.adapters, self.expected, strict=True):
                self._ask(spent, client, adapter, expected)
        return spent

    def server_each(self) -> Spent:
        """Each adapter through a server of its own."""
        spent = Spent()
        for adapter, expected in zip(self.adapters, self.expected, strict=True):
            language = self.scratch / f"{adapter.name}-language"
            language.mkdir()
            write_language_adapter(self.target.model, adapter, language)
            with self._engine(spent, ("--lora-modules", f"{LORA_NAME}={language}")) as address:
                self._ask(spent, LoneAdapterClient(address, self._model_name()), adapter, expected)
        return spent

    def _model_name(self) -> str:
        return served_model(self.target, self.digest, self.scratch, RECIPE.lora_rank, 1).name

    @contextmanager
    def _engine(self, spent: Spent, arguments: tuple[str, ...]) -> Iterator[str]:
        """A server for the block; its start and its end are noted."""
        settings = EngineSettings(arguments=arguments, device=detect_device())
        model = served_model(self.target, self.digest, self.scratch, RECIPE.lora_rank, 1)
        begun = perf_counter()
        with running_engine(model, settings, self.scratch / "vllm.log") as address:
            spent.starting.append(perf_counter() - begun)
            yield address
            left = perf_counter()
        spent.ending += perf_counter() - left

    def _ask(self, spent: Spent, client: EngineClient, adapter: Path, expected: "pd.DataFrame") -> None:
        begun = perf_counter()
        model, kept = self.target.model, self.target.kept_features
        answers = answer_served(model, kept, self.requests, adapter, client, quiet())
        spent.answering += perf_counter() - begun
        spent.same += same_answers(answers, expected)


def main() -> None:
    """Compare both ways and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--adapters", type=int, default=6)
    parser.add_argument("--probes", type=int, default=48)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="veilbench-benchmark-") as scratch:
        comparison = Comparison(options.adapters, options.probes, Path(scratch))
        one, each = comparison.one_engine(), comparison.server_each()
    asked = options.adapters * options.probes
    machine = f"{detect_device()}, {os.cpu_count()} cores"
    print(f"{options.adapters} adapters x {options.probes} probes, {CHECKPOINT}, {machine}\n")
    columns = ["", "server starts", "starting", "answering", "ending", "all", "answers as transformers'"]
    rows = [
        [
            name,
            str(len(spent.starting)),
            *(f"{seconds:.1f} s" for seconds in (sum(spent.starting), spent.answering, spent.ending, spent.total)),
            f"{spent.same} of {asked}",
        ]
        for name, spent in (("one engine, adapters loaded at run time", one), ("a server an adapter", each))
    ]
    print_table(columns, rows)
    alone = each.answering / one.answering
    print(f"\nOne engine is {each.total / one.total:.2f} times as fast; by answering alone, {alone:.2f} times.")


if __name__ == "__main__":
    main()
