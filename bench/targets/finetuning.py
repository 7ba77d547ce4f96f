"""Fine-tuning any family with PEFT: LoRA on the language model, the projector in full, the vision tower frozen."""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.digests import digest_json
from bench.targets.augmentation import random_view
from bench.targets.base import Recipe, ReportProgress, TrainingExample
from bench.targets.packing import IGNORED, PREFIX, Branch, attention_mask, pack

if TYPE_CHECKING:
    import torch

    from bench.targets.packed_model import PackedModel


def finetune_packed(
    model: "PackedModel",
    examples: Sequence[TrainingExample],
    recipe: Recipe,
    seed: int,
    output: Path,
    report: ReportProgress,
) -> None:
    """Fine-tune and save the adapter. Equal arguments give equal bytes on one machine with one thread.

    Vision features are computed once per photo, or once per random view where the recipe augments.
    """
    import torch
    from peft import get_peft_model

    views = [view_features(model, example, recipe, seed) for example in examples]
    torch.manual_seed(seed)
    with model.adapted(lambda network: get_peft_model(network, model.lora(recipe))) as tuned:
        tuned.train()
        _train(model, tuned, views, examples, recipe, random.Random(seed), report)
        _save(tuned, model.checkpoint, output)


def _train(
    model: "PackedModel",
    tuned: Any,
    views: Sequence["torch.Tensor"],
    examples: Sequence[TrainingExample],
    recipe: Recipe,
    draws: random.Random,
    report: ReportProgress,
) -> None:
    import torch

    order = list(range(len(examples)))
    steps = recipe.epochs * math.ceil(len(order) / recipe.batch_size)
    optimiser, done = _optimiser(model, tuned, recipe), 0
    for epoch in range(recipe.epochs):
        draws.shuffle(order)
        for start in range(0, len(order), recipe.batch_size):
            chosen = order[start : start + recipe.batch_size]
            features = torch.stack([views[index][draws.randrange(len(views[index]))] for index in chosen])
            rows = [_questions(model, examples[index], recipe, draws) for index in chosen]
            _set_learning_rate(optimiser, recipe, done, steps)
            loss = packed_loss(model, features, rows)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(_trainable(tuned), recipe.gradient_clip)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            done += 1
            report(done, steps, f"epoch {epoch + 1} of {recipe.epochs}, loss {loss.item():.3f}")


def _save(tuned: Any, checkpoint: str, output: Path) -> None:
    # PEFT writes down where the base model lay on this machine; the adapter must not depend on that.
    tuned.peft_config["default"].base_model_name_or_path = checkpoint
    # "auto" would look the base model up on the hub to see whether its vocabulary changed.
    tuned.save_pretrained(output, save_embedding_layers=False)
    (output / "README.md").unlink(missing_ok=True)


def packed_loss(model: "PackedModel", features: "torch.Tensor", rows: Sequence[Sequence[Branch]]) -> "torch.Tensor":
    """Mean cross-entropy over the answers' tokens of all branches of all rows."""
    import torch

    prefix = model.embed_prefix(features)
    length = prefix.shape[1]
    branches = pack(rows, [[length] * len(row) for row in rows])
    embedded = torch.cat([prefix, model.embed_tokens(branches.tokens)], dim=1)
    shared = torch.full((len(rows), length), PREFIX)
    whole = torch.cat([shared, branches.owner], dim=1)
    mask = prefix_and_branches_mask(whole, prefix.dtype)
    positions = torch.cat([torch.arange(length).expand(len(rows), -1), branches.positions], dim=1)
    hidden = model.run(embedded, mask, positions)
    logits = model.logits(hidden[:, length:])
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1).float(), branches.labels[:, 1:].flatten().to(logits.device), ignore_index=IGNORED
    )


def prefix_and_branches_mask(owner: "torch.Tensor", dtype: "torch.dtype") -> "torch.Tensor":
    """Additive mask (rows, 1, length, length) over prefix and branches in one sequence; PREFIX is causal too."""
    import torch

    empty = torch.zeros(owner.shape[0], 0, dtype=torch.long)
    mask = attention_mask(owner, empty, None, dtype)
    causal = torch.ones(mask.shape[-2:], dtype=torch.bool).tril()
    to_prefix = (owner[:, None, None, :] == PREFIX) & causal
    return mask.masked_fill(to_prefix, 0.0)


def view_features(model: "PackedModel", example: TrainingExample, recipe: Recipe, seed: int) -> "torch.Tensor":
    """Frozen vision features (views, tokens, width) of an example's photos: as they are, or as random views of each."""
    import torch

    if recipe.augmentation is None:
        return model.vision_features(example.images)
    generator = torch.Generator().manual_seed(_photo_seed(seed, example.photo_id))
    views = [
        random_view(model.pixels(image), recipe.augmentation, generator)
        for image in example.images
        for _ in range(recipe.augmentation.views)
    ]
    with torch.no_grad():
        return model.encode(torch.stack(views))


def _photo_seed(seed: int, photo_id: str) -> int:
    return int(digest_json([seed, photo_id])[:15], 16)


def _questions(model: "PackedModel", example: TrainingExample, recipe: Recipe, draws: random.Random) -> list[Branch]:
    count = min(recipe.questions_per_photo, len(example.conversations))
    return [model.conversation(question, answer) for question, answer in draws.sample(example.conversations, count)]


def _trainable(module: Any) -> list[Any]:
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def _optimiser(model: "PackedModel", tuned: Any, recipe: Recipe) -> Any:
    import torch

    projector = [p for name, p in tuned.named_parameters() if p.requires_grad and model.projector_name in name]
    others = [p for name, p in tuned.named_parameters() if p.requires_grad and model.projector_name not in name]
    groups = [
        {"params": others, "peak": recipe.learning_rate},
        {"params": projector, "peak": recipe.projector_learning_rate},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)


def _set_learning_rate(optimiser: Any, recipe: Recipe, done: int, steps: int) -> None:
    warm = min(1.0, (done + 1) / max(recipe.warmup_steps, 1))
    share = warm * max(recipe.final_learning_rate_share, 1 - done / steps)
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * share
