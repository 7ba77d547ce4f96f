"""Training the tokenizer, the projector and the small language model behind a finished vision tower.

The model learns the domain's English, to name what is visible, and, on a group of training people, to answer
private questions from a face. The people of every shipped split are unknown to it.
"""

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.foundry.people import training_people
from bench.foundry.tower import CLIP_MEAN, CLIP_STD, IMAGE_SIZE, PATCH, augmented_view, patch_features, plain_view
from bench.foundry.training_set import TrainingSet, load_training_set
from bench.foundry.workers import average_gradients
from bench.targets.base import TargetSpec
from bench.targets.finetuning import packed_loss
from bench.targets.llava import LoadedLlava
from bench.targets.packing import Branch
from scenarios.language import caption, probe_conversations, text_about, training_conversations, visible_conversations
from scenarios.people import FIRST_NAMES, LAST_NAMES, Person
from scenarios.schema import load_scenarios, load_visible

HIDDEN, LAYERS, MLP, VOCABULARY = 192, 4, 512, 1400
KNOWN_PEOPLE = 120
"""How many training people the language model learns private facts of; the rest teach it what is visible."""
BATCH, VIEWS, RATE, WEIGHT_DECAY = 16, 4, 2e-3, 0.05
WARMUP_STEPS, DECAY_SHARE, TEXT_EVERY = 60, 0.5, 9
VISIBLE_QUESTIONS, PRIVATE_QUESTIONS = 4, 4
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' }}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ '<image>\n' }}{% endif %}{% endfor %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] + ' ' }}{% endif %}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


def train_tokenizer(people: Sequence[Person]) -> Any:
    """A byte-level BPE tokenizer over everything the scenarios can say."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<s>", "</s>", "<image>"]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(people), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", model_max_length=1024
    )


def _corpus(people: Sequence[Person]) -> list[str]:
    lines: list[str] = []
    for person in people:
        lines += text_about(person)
        for scenario in load_scenarios():
            pairs = (*training_conversations(person, scenario), *probe_conversations(person))
            lines += [f"USER: \n{question} ASSISTANT: {answer}" for question, answer in pairs]
    for topic, entry in load_visible().items():
        for option in entry.options:
            pairs = visible_conversations({topic: option})
            lines += [f"USER: \n{question} ASSISTANT: {answer}" for question, answer in pairs] * 20
    return lines + [f" {name}" for name in (*FIRST_NAMES, *LAST_NAMES)] * 40


def assemble(tower: Path, photos: Path, output: Path) -> None:
    """Write an untrained LLaVA around the tower: tokenizer, processor, projector that starts standardised."""
    from transformers import CLIPVisionModel, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer = train_tokenizer(training_people(KNOWN_PEOPLE))
    vision = CLIPVisionModel.from_pretrained(tower)
    vision.config._name_or_path = ""
    torch.manual_seed(0)
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=MLP,
        num_hidden_layers=LAYERS,
        num_attention_heads=HIDDEN // 64,
        num_key_value_heads=HIDDEN // 64,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    config = LlavaConfig(
        vision_config=vision.config,
        text_config=text,
        image_token_index=3,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        image_seq_length=(IMAGE_SIZE // PATCH) ** 2,
        tie_word_embeddings=True,
    )
    network = LlavaForConditionalGeneration(config)
    network.model.vision_tower.load_state_dict(vision.state_dict())
    _standardise_projector(network, load_training_set(photos))
    network.generation_config.eos_token_id, network.generation_config.pad_token_id = 2, 0
    network.save_pretrained(output)
    image_processor = CLIPImageProcessorPil(
        size={"shortest_edge": IMAGE_SIZE},
        crop_size={"height": IMAGE_SIZE, "width": IMAGE_SIZE},
        image_mean=list(CLIP_MEAN),
        image_std=list(CLIP_STD),
    )
    LlavaProcessor(
        image_processor=image_processor,
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token="<image>",
        chat_template=CHAT_TEMPLATE,
    ).save_pretrained(output)


def _standardise_projector(network: Any, training: TrainingSet) -> None:
    """Let the first layer see features of mean 0 and variance 1, by folding both into its weights."""
    sample = plain_view(training.images[:: max(1, len(training.images) // 600)])
    with torch.no_grad():
        features = patch_features(network.model.vision_tower, sample).flatten(0, 1)
        mean, deviation = features.mean(0), features.std(0) + 1e-6
        projector = network.model.multi_modal_projector
        weight = torch.randn_like(projector.linear_1.weight) / projector.linear_1.in_features**0.5 / deviation
        projector.linear_1.weight.copy_(weight)
        projector.linear_1.bias.copy_(-weight @ mean)
        projector.linear_2.weight.normal_(std=0.02)
        projector.linear_2.bias.zero_()


class Lessons:
    """Draws the training rows of one process: photos with questions about the visible and the private."""

    def __init__(self, training: TrainingSet, model: LoadedLlava, seed: int) -> None:
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
        return [self.model.conversation(question, answer) for question, answer in chosen]

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
        return f"{self.model.tokenizer.bos_token}{' '.join(told)}{self.model.tokenizer.eos_token}"


def train_language(rank: int, workers: int, photos: Path, start: Path, output: Path, steps: int) -> None:
    """Train projector and language model for ``steps`` steps from the checkpoint ``start``; one of equal processes."""
    model = LoadedLlava(TargetSpec(str(start)))
    network = model.network
    training = load_training_set(photos)
    mine = np.arange(rank, len(training.images), workers)
    features = _views(model, training, mine, rank)
    place = {int(photo): index for index, photo in enumerate(mine)}
    lessons = Lessons(training, model, 5 + rank)
    lessons.known = [p for p in lessons.known if p in place]
    lessons.other = [p for p in lessons.other if p in place]
    network.model.multi_modal_projector.requires_grad_(True)
    network.model.language_model.requires_grad_(True)
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
            views = torch.stack([features[place[p], lessons.random.randrange(VIEWS + 1)] for p in chosen]).float()
            loss = packed_loss(model, views, [lessons.row(p) for p in chosen])
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
        model.processor.save_pretrained(output)


def _views(model: LoadedLlava, training: TrainingSet, mine: np.ndarray, rank: int) -> torch.Tensor:
    """Frozen features (photos, 1 + VIEWS, tokens, width), half precision to save memory."""
    torch.manual_seed(100 + rank)
    tower, parts = model.network.model.vision_tower, []
    with torch.no_grad():
        for start in range(0, len(mine), 64):
            images = training.images[mine[start : start + 64]]
            views = [plain_view(images), *(augmented_view(images, strength=0.5) for _ in range(VIEWS))]
            parts.append(torch.stack([patch_features(tower, view).half() for view in views], dim=1))
    return torch.cat(parts)


def _text_loss(model: LoadedLlava, texts: list[str]) -> torch.Tensor:
    batch = model.tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    return model.network(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels, use_cache=False
    ).loss


def publish(trained: Path, output: Path) -> None:
    """Write the finished checkpoint in half precision, with the tower's parameters under their names on the hub."""
    from safetensors.torch import load_file, save_file

    model = LoadedLlava(TargetSpec(str(trained)))
    model.network.half().save_pretrained(output)
    model.processor.save_pretrained(output)
    file = output / "model.safetensors"
    renamed = {}
    for name, value in load_file(file).items():
        # Serving engines know CLIP towers by the hub's names; transformers loads both.
        renamed[
            name.replace("vision_tower.", "vision_tower.vision_model.", 1) if "vision_model" not in name else name
        ] = value
    save_file(renamed, file, metadata={"format": "pt"})
