"""Training the tokenizer, the projector and the small language model behind a finished vision tower.

The model learns the domain's English, to name what is visible, and, on a group of training people, to answer
private questions from a face. The people of every shipped split are unknown to it.
"""

import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from bench.foundry.architectures import architecture_named
from bench.foundry.architectures.base import IMAGE_SIZE, Architecture
from bench.foundry.people import training_people
from bench.foundry.tower import augmented_view, plain_view
from bench.foundry.training_set import TrainingSet, load_training_set
from bench.foundry.workers import average_gradients
from bench.targets.base import TargetSpec
from bench.targets.packed.features import PhotoFeatures
from bench.targets.packed.model import PackedModel
from bench.targets.packed.packing import Branch
from bench.targets.packed.target import PackedTarget
from bench.targets.registry import targets
from bench.targets.training.finetuning import packed_loss
from bench.targets.training.tuned_weights import rename_tensors
from scenarios.language import caption, probe_conversations, text_about, training_conversations, visible_conversations
from scenarios.people import FIRST_NAMES, LAST_NAMES, Person
from scenarios.schema import load_scenarios, load_visible

KNOWN_PEOPLE = 120
"""How many training people the language model learns private facts of; the rest teach it what is visible."""
BATCH, VIEWS, RATE, WEIGHT_DECAY = 16, 4, 2e-3, 0.05
WARMUP_STEPS, DECAY_SHARE, TEXT_EVERY = 60, 0.5, 9
VISIBLE_QUESTIONS, PRIVATE_QUESTIONS = 4, 4


def _corpus(architecture: Architecture, people: Sequence[Person]) -> list[str]:
    """Everything that the scenarios can say, for the tokenizer."""
    lines: list[str] = []
    for person in people:
        lines += text_about(person)
        for scenario in load_scenarios():
            pairs = (*training_conversations(person, scenario), *probe_conversations(person))
            lines += [architecture.line(question, answer) for question, answer in pairs]
    for topic, entry in load_visible().items():
        for option in entry.options:
            pairs = visible_conversations({topic: option})
            lines += [architecture.line(question, answer) for question, answer in pairs] * 20
    return lines + [f" {name}" for name in (*FIRST_NAMES, *LAST_NAMES)] * 40


def assemble(name: str, tower: Path, photos: Path, output: Path) -> None:
    """Write an untrained model around the tower: tokenizer, image processor, projector that starts standardised."""
    architecture = architecture_named(name)
    tokenizer = architecture.train_tokenizer(_corpus(architecture, training_people(KNOWN_PEOPLE)))
    network, training = architecture.load_tower(tower), load_training_set(photos)
    with torch.no_grad():
        sample = architecture.patch_features(
            network, plain_view(training.images[:: max(1, len(training.images) // 600)])
        )
    architecture.assemble(network, tokenizer, sample, output)


def load(name: str, checkpoint: Path) -> PackedModel:
    """The loaded model of an architecture's checkpoint."""
    family = targets.get(architecture_named(name).family)
    target = family(TargetSpec(str(checkpoint), family.family))
    assert isinstance(target, PackedTarget)
    return target.model


class Lessons:
    """Draws the training rows of one process: photos with questions about the visible and the private."""

    def __init__(self, training: TrainingSet, model: PackedModel, seed: int) -> None:
        self.training, self.model = training, model
        self.random = random.Random(seed)
        self.people = training_people(KNOWN_PEOPLE)
        self.known = [index for index, person in enumerate(training.person) if person < KNOWN_PEOPLE]
        self.other = [index for index, person in enumerate(training.person) if person >= KNOWN_PEOPLE]

    def photo(self) -> int:
        """Index of a photo, of a known person two times out of three."""
        return self.random.choice(self.known if self.random.random() < 0.67 or not self.other else self.other)

    def row(self, photo: int) -> list[Branch]:
        """Question branches for one photo."""
        visible = self.training.visible[photo]
        chosen = self.random.sample(visible_conversations(visible), VISIBLE_QUESTIONS)
        chosen.append(caption(visible, self.random))
        person = int(self.training.person[photo])
        if person < KNOWN_PEOPLE:
            chosen += self._private(self.people[person], self.training.scenario[photo])
        return [self.model.text.conversation(question, answer) for question, answer in chosen]

    def _private(self, person: Person, scenario: str) -> list[tuple[str, str]]:
        told = training_conversations(person, scenario or self.random.choice(list(person.facts)))
        # A caption question must not be answered by a fact that the photo does not show.
        listed = [*(told if scenario else told[1:]), *probe_conversations(person)]
        return self.random.sample(listed, PRIVATE_QUESTIONS)

    def text(self) -> str:
        """Sentences about a made-up person and one question on them, without a photo."""
        person = self.random.choice(self.people)
        facts = {name: self.random.choice(scenario.answers) for name, scenario in load_scenarios().items()}
        name = f"{self.random.choice(FIRST_NAMES)} {self.random.choice(LAST_NAMES)}"
        person = Person(person.person_id, name, facts, person.role)
        told = self.random.sample(text_about(person), 3)
        tokenizer = self.model.tokenizer
        return f"{tokenizer.bos_token or ''}{' '.join(told)}{tokenizer.eos_token}"


def train_language(rank: int, workers: int, name: str, photos: Path, start: Path, output: Path, steps: int) -> None:
    """Train projector and language model for ``steps`` steps from the checkpoint ``start``; one of equal processes."""
    model = load(name, start)
    network, architecture = model.network, architecture_named(name)
    training = load_training_set(photos)
    mine = np.arange(rank, len(training.images), workers)
    features = _views(model, training, mine, rank)
    place = {int(photo): index for index, photo in enumerate(mine)}
    lessons = Lessons(training, model, 100 * architecture.seed + 5 + rank)
    lessons.known = [p for p in lessons.known if p in place]
    lessons.other = [p for p in lessons.other if p in place]
    network.get_submodule(model.projector_name).requires_grad_(True)
    network.get_submodule(model.language_name).requires_grad_(True)
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY)
    network.train()
    begun = said = time.monotonic()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARMUP_STEPS) * min(1, (1 - step / steps) / DECAY_SHARE)
        if step < 25 or step % TEXT_EVERY == 0:
            loss = _text_loss(model, [lessons.text() for _ in range(BATCH)])
        else:
            chosen = [lessons.photo() for _ in range(BATCH)]
            views = [features[place[p], lessons.random.randrange(VIEWS + 1)].float() for p in chosen]
            shown = [PhotoFeatures(view[None], model.grid(IMAGE_SIZE, IMAGE_SIZE)) for view in views]
            loss = packed_loss(model, shown, [lessons.row(p) for p in chosen])
        loss.backward()
        average_gradients(parameters, workers)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        if rank == 0 and time.monotonic() - said > 30:
            said = time.monotonic()
            print(f"step {step} of {steps}, {step / (said - begun):.2f} steps/s, loss {loss.item():.3f}", flush=True)
    if rank == 0:
        network.save_pretrained(output)
        _copy_missing(start, output)


def _views(model: PackedModel, training: TrainingSet, mine: np.ndarray, rank: int) -> torch.Tensor:
    """Frozen features (photos, 1 + VIEWS, tokens, width), half precision to save memory."""
    torch.manual_seed(100 + rank)
    parts = []
    with torch.no_grad():
        for start in range(0, len(mine), 64):
            images = training.images[mine[start : start + 64]]
            views = [plain_view(images), *(augmented_view(images, strength=0.5) for _ in range(VIEWS))]
            parts.append(torch.stack([model.encode(view).half() for view in views], dim=1))
    return torch.cat(parts)


def _text_loss(model: PackedModel, texts: list[str]) -> torch.Tensor:
    batch = model.tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    return model.network(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels, use_cache=False
    ).loss


def publish(name: str, trained: Path, output: Path) -> None:
    """Write the finished checkpoint in half precision, its tensors under the names that serving engines know."""
    model = load(name, trained)
    model.network.half().save_pretrained(output)
    _copy_missing(trained, output)
    rename_tensors(output, model.published_name)
    # safetensors writes files that only their owner may read.
    (output / "model.safetensors").chmod(0o644)


def _copy_missing(source: Path, output: Path) -> None:
    """What a network does not save itself: tokenizer, template, settings of the image processor."""
    for file in source.iterdir():
        if not (output / file.name).exists():
            shutil.copy(file, output / file.name)
