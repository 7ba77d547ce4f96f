"""Training a vision tower on rendered training people, whatever its family.

Supervised by the generator's own parameters (looks, pose), by what is visible, and by who it is, so that patch
features carry identity across pose, light and surroundings.
"""

import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bench.foundry.architectures import architecture_named
from bench.foundry.architectures.base import IMAGE_SIZE
from bench.foundry.training_set import CLASSES, UNLABELLED, TrainingSet, load_training_set
from bench.foundry.workers import average_gradients

BATCH = 64
MUON_RATE, ADAM_RATE, WEIGHT_DECAY = 2e-3, 1.5e-3, 0.05
COSINE_SCALE, MARGIN, MARGIN_FROM = 24.0, 0.25, 0.25
WARMUP_STEPS, DECAY_SHARE = 80, 0.6
REPEATED = re.compile(r"\b(layers|blocks)\.")
"""Names of the transformer blocks' parameters; their matrices are trained by Muon."""


class Heads(nn.Module):
    """What the pooled patch features must tell; thrown away after training."""

    def __init__(self, width: int, looks: int, people: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.looks = nn.Linear(width, looks)
        self.pose = nn.Linear(width, 2)
        self.classes = nn.ModuleDict({name: nn.Linear(width, len(options)) for name, options in CLASSES.items()})
        self.embed = nn.Linear(width, 160)
        self.people = nn.Parameter(torch.randn(people, 160) * 0.1)

    def forward(self, patches: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predictions from patch features (photos, tokens, width)."""
        pooled = self.norm(patches.mean(1))
        cosine = functional.normalize(self.embed(pooled), dim=-1) @ functional.normalize(self.people, dim=-1).T
        classes = {name: layer(pooled) for name, layer in self.classes.items()}
        return {"looks": self.looks(pooled), "pose": self.pose(pooled), "person": cosine, **classes}


def plain_view(images: np.ndarray) -> torch.Tensor:
    """Photos (n, 128, 128, 3) uint8 as the image processor would show them: (n, 3, 112, 112) in [0, 1]."""
    whole = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    size = [IMAGE_SIZE, IMAGE_SIZE]
    return functional.interpolate(whole, size=size, mode="bicubic", antialias=True).clamp(0, 1)


def augmented_view(images: np.ndarray, strength: float = 1.0) -> torch.Tensor:
    """Randomly cropped, turned, mirrored, tinted, blurred, noised and covered views of photos."""
    whole = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    count = len(whole)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.empty(shape or (count,)).uniform_(low, high)

    side, angle = uniform(1 - 0.26 * strength, 1.04), uniform(-0.17 * strength, 0.17 * strength)
    shift = uniform(-0.15 * strength, 0.15 * strength, count, 2)
    mirror = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    first = torch.stack([side * angle.cos() * mirror, -side * angle.sin(), shift[:, 0]], 1)
    second = torch.stack([side * angle.sin() * mirror, side * angle.cos(), shift[:, 1]], 1)
    grid = functional.affine_grid(
        torch.stack([first, second], 1), [count, 3, IMAGE_SIZE, IMAGE_SIZE], align_corners=False
    )
    view = functional.grid_sample(whole, grid, padding_mode="reflection", align_corners=False)
    view = view * uniform(1 - 0.1 * strength, 1 + 0.1 * strength, count, 3, 1, 1)
    view = view * uniform(1 - 0.25 * strength, 1 + 0.25 * strength, count, 1, 1, 1)
    mean = view.mean((1, 2, 3), keepdim=True)
    view = (view - mean) * uniform(1 - 0.25 * strength, 1 + 0.25 * strength, count, 1, 1, 1) + mean
    if torch.rand(1) < 0.25 * strength:
        view = functional.avg_pool2d(functional.pad(view, (1, 1, 1, 1), mode="replicate"), 3, 1)
    view = view + torch.randn_like(view) * uniform(0, 0.04 * strength, count, 1, 1, 1)
    for index in range(0, count, 2):
        if torch.rand(1) < 0.3 * strength:
            high, wide = torch.randint(10, 40, (2,)).tolist()
            top, left = int(torch.randint(0, IMAGE_SIZE - high, (1,))), int(torch.randint(0, IMAGE_SIZE - wide, (1,)))
            view[index, :, top : top + high, left : left + wide] = torch.rand(3, 1, 1)
    return view.clamp(0, 1)


def tower_loss(
    predicted: dict[str, torch.Tensor], training: TrainingSet, chosen: np.ndarray, person: torch.Tensor, margin: float
) -> dict[str, torch.Tensor]:
    """Weighted loss terms by name."""
    cosine = predicted["person"].float()
    cosine = cosine - margin * functional.one_hot(person, cosine.shape[1])
    losses = {
        "person": 0.3 * functional.cross_entropy(COSINE_SCALE * cosine, person),
        "looks": functional.mse_loss(predicted["looks"].float(), torch.from_numpy(training.looks[chosen])),
        "pose": 0.1 * functional.mse_loss(predicted["pose"].float(), torch.from_numpy(training.pose[chosen])),
    }
    for name in CLASSES:
        labels = torch.from_numpy(training.classes[name][chosen])
        losses[name] = 0.3 * functional.cross_entropy(predicted[name].float(), labels, ignore_index=UNLABELLED)
    return losses


def train_tower(rank: int, workers: int, name: str, photos: Path, output: Path, steps: int) -> None:
    """Train the tower of the architecture ``name`` and save it to ``output``; one of ``workers`` equal processes."""
    architecture, training = architecture_named(name), load_training_set(photos)
    torch.manual_seed(architecture.seed)
    tower = architecture.build_tower()
    heads = Heads(architecture.tower_width, training.looks.shape[1], len(training.people))
    index_of = {person: index for index, person in enumerate(training.people)}
    person = torch.tensor([index_of[p] for p in training.person.tolist()])
    torch.manual_seed(100 * architecture.seed + rank + 1)
    random = np.random.default_rng(100 * architecture.seed + rank + 1)
    optimisers, parameters = _optimisers(tower, heads)
    begun = said = time.monotonic()
    for step in range(steps):
        share = step / steps
        _set_rates(optimisers, min(1, (step + 1) / WARMUP_STEPS) * min(1, (1 - share) / DECAY_SHARE))
        chosen = random.choice(len(training.images), BATCH, replace=False)
        view = augmented_view(training.images[chosen])
        with torch.autocast("cpu", torch.bfloat16):
            predicted = heads(architecture.patch_features(tower, view))
        margin = 0.0 if share < MARGIN_FROM else MARGIN
        losses = tower_loss(predicted, training, chosen, person[chosen], margin)
        sum(losses.values(), torch.zeros(())).backward()
        average_gradients(parameters, workers)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        if rank == 0 and time.monotonic() - said > 60:
            said = time.monotonic()
            terms = ", ".join(f"{name} {value.item():.2f}" for name, value in losses.items())
            print(
                f"{share:.0%} step {step} {workers * BATCH * step / (said - begun):.0f} photos/s: {terms}", flush=True
            )
    if rank == 0:
        tower.save_pretrained(output)


def _optimisers(tower: Any, heads: Heads) -> tuple[list[Any], list[Any]]:
    trained = [(name, p) for name, p in tower.named_parameters() if p.requires_grad]
    named = [*trained, *heads.named_parameters()]
    matrices = [p for name, p in trained if p.ndim == 2 and REPEATED.search(name)]
    known = {id(p) for p in matrices}
    decayed = [p for name, p in named if p.ndim > 1 and "embedding" not in name and id(p) not in known]
    known |= {id(p) for p in decayed}
    plain = [p for _, p in named if id(p) not in known]
    adam = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": plain, "weight_decay": 0.0}],
        lr=ADAM_RATE,
        betas=(0.9, 0.98),
    )
    muon = torch.optim.Muon(
        matrices, lr=MUON_RATE, weight_decay=WEIGHT_DECAY, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )
    for optimiser in (adam, muon):
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return [adam, muon], [p for _, p in named]


def _set_rates(optimisers: list[Any], share: float) -> None:
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * share
