"""vLLM with everything handed over at once, against transformers one by one and against packed transformers.

``python -m benchmarks.targets.vllm_batch [--probes 256]``, from the repository's root; vLLM's command is taken from the
environment variable VEILBENCH_VLLM.

Each way gives the same for every probe on tiny-llava: the greedy answer of at most 24 tokens, and the log-likelihood of
each option (five, or none where a probe asks for a name or a caption). Eight probes stand behind each photo.

- One by one: transformers as its documentation shows it, the processor, ``generate`` for the answer and a forward pass
  for each option, one probe after another; nothing is shared between them.
- Packed: ``Target.answer``, at several numbers of photos at once; a photo's probes share its prefix.
- vLLM: ``answer_served`` on a server that runs; the photo is encoded here once, and all requests go there together. The
  proof against transformers on eight of the probes is part of its time, the server's start is given apart.

Vision features are computed anew by each way. Each has answered other probes before its clock starts. Each runs with as
many threads as it takes by itself: torch's own number here, in the server one a process.
"""

import argparse
import io
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bench.core.device import detect_device
from bench.core.progress import quiet
from bench.targets.base import TargetSpec
from bench.targets.checkpoints import checkpoint_digest
from bench.targets.llava import Llava
from bench.targets.packed.text import SHORTEST_LIMIT
from bench.targets.vllm.answering import answer_served
from bench.targets.vllm.client import EngineClient
from bench.targets.vllm.server import EngineSettings, running_engine
from bench.targets.vllm.serving import served_model
from benchmarks.targets.material import held_out_probes, print_table, same_answers

if TYPE_CHECKING:
    import pandas as pd

CHECKPOINT = "tiny-llava"
BATCH_SIZES = (1, 8, 32)
WARM_UP = 16

Answer = Callable[["pd.DataFrame"], "pd.DataFrame"]


class OneByOne:
    """Transformers without any of this project's code, but for the prompt's text."""

    def __init__(self) -> None:
        from transformers import AutoProcessor, LlavaForConditionalGeneration

        loaded = Llava(TargetSpec(CHECKPOINT)).model
        self.prompt = loaded.prompt
        self.device = loaded.device
        self.processor = AutoProcessor.from_pretrained(loaded.folder)
        network: Any = LlavaForConditionalGeneration.from_pretrained(loaded.folder, dtype="float32")
        self.network = network.to(self.device).eval()

    def answer(self, requests: "pd.DataFrame") -> "pd.DataFrame":
        """One probe after another."""
        import pandas as pd

        rows = []
        for row in requests.to_dict("records"):
            asked = self._inputs(row["image"], self.prompt(row["question"]))
            ids = self.network.generate(**asked, max_new_tokens=SHORTEST_LIMIT, do_sample=False)
            length = asked["input_ids"].shape[1]
            text = self.processor.decode(ids[0, length:], skip_special_tokens=True).strip()
            wholes = [self._inputs(row["image"], self.prompt(row["question"], option)) for option in row["options"]]
            scores = [self._score(whole, length) for whole in wholes]
            best = max(range(len(scores)), key=scores.__getitem__) if scores else -1
            rows.append({"text": text, "choice": best})
        return pd.DataFrame(rows)

    def _inputs(self, image: bytes, text: str) -> Any:
        from PIL import Image

        return self.processor(images=Image.open(io.BytesIO(image)), text=text, return_tensors="pt").to(self.device)

    def _score(self, whole: Any, asked: int) -> float:
        """Log-likelihood of what stands behind the first ``asked`` tokens."""
        import torch

        with torch.inference_mode():
            logits = self.network(**whole).logits[0, asked - 1 : -1]
        return float(logits.log_softmax(-1).gather(1, whole["input_ids"][0, asked:, None]).sum())


def packed(batch_size: int) -> Answer:
    """Our transformers backend, so many photos at once."""
    target = Llava(TargetSpec(CHECKPOINT, batch_size=batch_size))
    return lambda requests: target.answer(requests, None, quiet())


def timed(answer: Answer, requests: "pd.DataFrame", warm_up: "pd.DataFrame") -> tuple[float, "pd.DataFrame"]:
    """Seconds and answers, after ``warm_up``."""
    answer(warm_up)
    begun = perf_counter()
    answers = answer(requests)
    return perf_counter() - begun, answers


def through_engine(requests: "pd.DataFrame", warm_up: "pd.DataFrame") -> tuple[float, float, "pd.DataFrame"]:
    """Seconds of the server's start, seconds of answering, and answers."""
    target = Llava(TargetSpec(CHECKPOINT))
    settings = EngineSettings(device=detect_device())
    with TemporaryDirectory(prefix="veilbench-benchmark-") as scratch:
        engine = served_model(target, checkpoint_digest(CHECKPOINT), Path(scratch), 0, 1)
        begun = perf_counter()
        with running_engine(engine, settings, Path(scratch) / "vllm.log") as address:
            start = perf_counter() - begun
            client = EngineClient(address, engine.name)

            def answer(asked: "pd.DataFrame") -> "pd.DataFrame":
                return answer_served(target.model, target.kept_features, asked, None, client, quiet())

            return start, *timed(answer, requests, warm_up)


def main() -> None:
    """Time every way and print the table."""
    import torch

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--probes", type=int, default=256)
    options = parser.parse_args()
    probes = held_out_probes()
    requests, warm_up = probes.head(options.probes), probes.tail(WARM_UP)
    naive, expected = timed(OneByOne().answer, requests, warm_up)
    ways = [("transformers, one by one", "1 probe", naive, expected)]
    for size in BATCH_SIZES:
        ways.append(("packed transformers", f"{size} photo{'s' * (size > 1)}", *timed(packed(size), requests, warm_up)))
    start, seconds, answers = through_engine(requests, warm_up)
    ways.append(("vLLM", f"all {options.probes} probes", seconds, answers))
    threads = f"{os.cpu_count()} cores, {torch.get_num_threads()} torch threads"
    listed = sum(map(len, requests["options"]))
    print(f"{options.probes} probes with {listed} options in all, {CHECKPOINT}, {detect_device()}, {threads}\n")
    columns = ["", "at once", "seconds", "probes/s", "against one by one", "same answers"]
    print_table(
        columns,
        [
            [
                name,
                at_once,
                f"{took:.1f}",
                f"{options.probes / took:.1f}",
                f"{naive / took:.1f}x",
                f"{same_answers(given, expected)} of {options.probes}",
            ]
            for name, at_once, took, given in ways
        ],
    )
    print(f"\nThe server took {start:.1f} s to start besides.")


if __name__ == "__main__":
    main()
