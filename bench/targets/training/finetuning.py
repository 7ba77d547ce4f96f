"""Fine-tuning any family: LoRA or every weight of the language model, the whole projector, the tower where asked."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bench.targets.base import Recipe, ReportProgress, TrainingExample
from bench.targets.packed.features import FeatureCache, PhotoFeatures
from bench.targets.packed.packing import IGNORED, PREFIX, Branch, attention_mask, pack
from bench.targets.training.optimisation import Processes, make_optimiser, set_learning_rate, step
from bench.targets.training.rows import FrozenViews, Row, TrainedViews, training_batches
from bench.targets.training.state import TrainingState, state_file
from bench.targets.training.tuned_weights import save_trained, trained_network

if TYPE_CHECKING:
    import torch

    from bench.targets.packed.model import PackedModel

SECONDS_BETWEEN_SAVES = 30.0


class Views(Protocol):
    """Where a step's photo features come from."""

    def features(self, row: Row) -> PhotoFeatures:
        """Features of the row's view."""


def finetune_packed(
    model: "PackedModel",
    kept: FeatureCache,
    examples: Sequence[TrainingExample],
    recipe: Recipe,
    seed: int,
    output: Path,
    report: ReportProgress,
    resume: Path | None = None,
    seconds_between_saves: float = SECONDS_BETWEEN_SAVES,
) -> None:
    """Fine-tune and save what was trained. Equal arguments give equal bytes on one machine with one thread.

    Vision features are computed once per photo, or once per random view where the recipe augments, unless the tower
    is trained. The state is kept in ``resume`` every ``seconds_between_saves``. In each process of an
    ``accelerate launch`` with all of the arguments, the processes share each batch.

    Raises UsageError for a recipe that the spec does not allow, VeilBenchError at the first loss that is not finite,
    StoreFullError where the result cannot be written.
    """
    views = _views(model, kept, examples, recipe, seed)
    file = state_file(resume, model, examples, recipe, seed)
    train(model, views, examples, recipe, seed, output, report, file, seconds_between_saves)


def train(
    model: "PackedModel",
    views: Views,
    examples: Sequence[TrainingExample],
    recipe: Recipe,
    seed: int,
    output: Path,
    report: ReportProgress,
    file: Path | None = None,
    seconds_between_saves: float = SECONDS_BETWEEN_SAVES,
) -> None:
    """``finetune_packed`` on photo features from ``views``, with the state in ``file``."""
    import torch

    processes = Processes.joined()
    torch.manual_seed(seed)
    with trained_network(model, recipe) as tuned:
        optimiser = make_optimiser(model, tuned, recipe)
        state = TrainingState(file, tuned, optimiser, seconds_between_saves)
        batches = training_batches(examples, recipe, seed)
        steps_an_epoch = math.ceil(len(examples) / recipe.batch_size)
        steps, done = recipe.epochs * steps_an_epoch, state.restore()
        for batch in islice(batches, done, None):
            set_learning_rate(optimiser, recipe, done, steps)
            loss = _gradients(model, views, examples, batch, processes)
            done += 1
            loss = step(optimiser, recipe, loss, processes, f"fine-tuning {model.checkpoint}, step {done} of {steps}")
            if processes.rank == 0:
                state.keep(done)
                report(done, steps, f"epoch {(done - 1) // steps_an_epoch + 1} of {recipe.epochs}, loss {loss:.3f}")
        if processes.rank == 0:
            save_trained(model, tuned, recipe, output)
            state.forget()


def _views(
    model: "PackedModel",
    kept: FeatureCache,
    examples: Sequence[TrainingExample],
    recipe: Recipe,
    seed: int,
) -> Views:
    if recipe.tower_lora_rank:
        return TrainedViews(model, examples, recipe, seed)
    processes = Processes.joined()
    if processes.count > 1:
        # Each process encodes its share, and finds the others' where features are kept.
        FrozenViews(model, kept, examples[processes.rank :: processes.count], recipe, seed)
        processes.wait()
    return FrozenViews(model, kept, examples, recipe, seed)


def _gradients(
    model: "PackedModel", views: Views, examples: Sequence[TrainingExample], batch: Sequence[Row], processes: Processes
) -> float:
    """Add up this process's share of the batch's gradients; returns its share of the loss.

    Both are means over all answer tokens of the whole batch, however many processes and forward passes share it.
    """
    branches = [[model.text.conversation(*pair) for pair in row.conversations] for row in batch]
    tokens = [sum(branch.learned for branch in row) for row in branches]
    mine = [index for index in range(processes.rank, len(batch), processes.count) if tokens[index]]
    size, loss = model.spec.training_batch_size or len(batch), 0.0
    for chosen in (mine[start : start + size] for start in range(0, len(mine), size)):
        with _precision(model):
            part = packed_loss(
                model, [views.features(batch[index]) for index in chosen], [branches[index] for index in chosen]
            )
        part = part * (sum(tokens[index] for index in chosen) / sum(tokens))
        part.backward()
        loss += part.item()
    return loss


def _precision(model: "PackedModel") -> AbstractContextManager[Any]:
    """Computing in the checkpoint's precision; what is trained stays in float32."""
    import torch

    if model.spec.dtype == "float32":
        return nullcontext()
    return torch.autocast(torch.device(model.device).type, getattr(torch, model.spec.dtype))


def packed_loss(
    model: "PackedModel", photos: Sequence[PhotoFeatures], rows: Sequence[Sequence[Branch]]
) -> "torch.Tensor":
    """Mean cross-entropy over the answers' tokens of all branches of all rows; one photo view a row."""
    import torch

    prefix = model.embed_prefix(photos)
    length = prefix.embedded.shape[1]
    branches = pack(rows, [[end] * len(row) for end, row in zip(prefix.ends, rows, strict=True)])
    embedded = torch.cat([prefix.embedded, model.embed_tokens(branches.tokens)], dim=1)
    mask = prefix_and_branches_mask(torch.cat([prefix.owner, branches.owner], dim=1), embedded.dtype)
    positions = torch.cat([prefix.positions, branches.positions.expand(model.planes, -1, -1)], dim=2)
    hidden = model.run(embedded, mask, positions, prefix=prefix)
    learned = branches.labels[:, 1:] != IGNORED
    # A score for every word of a large vocabulary is dear, and only answers are learned.
    logits = model.logits(hidden[:, length:-1][learned.to(hidden.device)])
    return torch.nn.functional.cross_entropy(logits.float(), branches.labels[:, 1:][learned].to(logits.device))


def prefix_and_branches_mask(owner: "torch.Tensor", dtype: "torch.dtype") -> "torch.Tensor":
    """Additive mask (rows, 1, length, length) over prefix and branches in one sequence; PREFIX is causal too."""
    import torch

    empty = torch.zeros(owner.shape[0], 0, dtype=torch.long)
    mask = attention_mask(owner, empty, None, dtype)
    causal = torch.ones(mask.shape[-2:], dtype=torch.bool).tril()
    to_prefix = (owner[:, None, None, :] == PREFIX) & causal
    return mask.masked_fill(to_prefix, 0.0)
