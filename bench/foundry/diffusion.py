"""Training the embedded diffusion model on the rendered training people.

A photo is drawn together with another photo of the same person as the reference; the model sees the first one noisy.
Besides the velocity, two losses use the frozen tower: hidden states are drawn towards its features, and where the photo
is hardly noisy, it must see the same person in the prediction.
"""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bench.foundry.architectures.base import IMAGE_SIZE
from bench.foundry.architectures.llava import TinyLlava
from bench.foundry.people import training_people
from bench.foundry.tower import plain_view
from bench.foundry.training_set import TrainingSet, load_training_set
from bench.foundry.workers import average_gradients
from generators.diffusion.embedded.codec import PatchCodec
from generators.diffusion.embedded.pipeline import PROMPT_TOKENS, IdentityPipeline
from scenarios.people import Person
from scenarios.prompts import portrait_prompt, scene_prompt
from scenarios.schema import load_visible

SIDE, PATCH, CHANNELS = 64, 8, 24
WIDTH, LAYERS, HEADS = 192, 7, 6
BATCH = 64
MUON_RATE, ADAM_RATE, WEIGHT_DECAY = 1.5e-3, 1e-3, 0.01
WARMUP_STEPS, DECAY_SHARE = 60, 0.5
NOISE_MEAN, NOISE_SPREAD = 0.0, 1.0
"""Noise levels are sigmoids of normal draws (arXiv 2403.03206, section 3.1)."""
LEFT_OUT = 0.1
"""How often prompt and reference are left out together, for classifier-free guidance (arXiv 2207.12598)."""
ALIGNED_LAYER, ALIGNMENT_WEIGHT = 3, 0.5
"""The hidden states after this block are drawn towards the tower's features of the clean photo (arXiv 2410.06940)."""
IDENTITY_WEIGHT, PATCH_WEIGHT, CLEAR_ENOUGH = 0.3, 0.1, 0.6
"""The tower judges a prediction only below this noise level: above it, the prediction would learn to please the tower
instead of looking like a photo."""
CODEC_STEPS, CODEC_BATCH, CODEC_RATE, CODEC_NOISE = 400, 32, 2e-3, 0.3
VARIANTS = 4
"""Wordings of a prompt that are drawn from."""
AVERAGE = 0.998
"""Decay of the running average of the weights, which is what is kept."""


def assemble_pipeline(tower: Any, codec: PatchCodec, words: list[str]) -> IdentityPipeline:
    """An untrained pipeline around the frozen tower and a fitted codec, whose prompts are made of ``words``."""
    from diffusers import FlowMatchEulerDiscreteScheduler, PixArtTransformer2DModel
    from transformers import CLIPTextConfig, CLIPTextModel

    tokenizer = word_tokenizer(words)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=1,
        num_attention_heads=HEADS,
        max_position_embeddings=PROMPT_TOKENS,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    transformer = PixArtTransformer2DModel(
        num_attention_heads=HEADS,
        attention_head_dim=WIDTH // HEADS,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        num_layers=LAYERS,
        cross_attention_dim=WIDTH,
        caption_channels=WIDTH,
        sample_size=SIDE // PATCH,
        patch_size=1,
        interpolation_scale=1,
        use_additional_conditions=False,
        norm_type="ada_norm_single",
    )
    scheduler = FlowMatchEulerDiscreteScheduler(shift=1.0)
    return IdentityPipeline(transformer, codec, scheduler, CLIPTextModel(text), tokenizer, tower)


def word_tokenizer(words: list[str]) -> Any:
    """One token a word; unknown words are one token, too."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {
        word: index for index, word in enumerate(["<pad>", "<start>", "<end>", "<other>", *sorted(set(words))])
    }
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<other>"))
    core.normalizer = normalizers.Lowercase()
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", 1), ("<end>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", bos_token="<start>", eos_token="<end>", unk_token="<other>"
    )


def train_diffusion(rank: int, workers: int, photos: Path, tower: Path, output: Path, steps: int) -> None:
    """Train for ``steps`` steps and save the pipeline's averaged weights; one of ``workers`` equal processes."""
    from transformers import CLIPVisionModel

    training = load_training_set(photos)
    lessons = _Lessons(training, CLIPVisionModel.from_pretrained(tower).eval().requires_grad_(False))
    torch.manual_seed(0)
    codec = train_codec(lessons.photos, CODEC_STEPS)
    pipeline = assemble_pipeline(lessons.tower, codec, lessons.words)
    lessons.encode_with(codec)
    aligned = _Alignment(pipeline.transformer)
    kept = [*pipeline.transformer.parameters(), *pipeline.text_encoder.parameters()]
    parameters = [*kept, *aligned.parameters()]
    average = [parameter.detach().clone() for parameter in kept]
    optimisers = _optimisers(pipeline, parameters)
    torch.manual_seed(rank + 1)
    random = np.random.default_rng(rank + 1)
    begun = said = time.monotonic()
    for step in range(steps):
        _set_rates(optimisers, min(1, (step + 1) / WARMUP_STEPS) * min(1, (1 - step / steps) / DECAY_SHARE))
        losses = _losses(pipeline, aligned, lessons, random)
        sum(losses.values(), torch.zeros(())).backward()
        average_gradients(parameters, workers)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        with torch.no_grad():
            decay = min(AVERAGE, (1 + step) / (10 + step))
            torch._foreach_lerp_(average, [parameter.detach() for parameter in kept], 1 - decay)
        if rank == 0 and time.monotonic() - said > 60:
            said = time.monotonic()
            terms = ", ".join(f"{name} {value.item():.2f}" for name, value in losses.items())
            print(
                f"step {step} of {steps}, {workers * BATCH * step / (said - begun):.0f} photos/s: {terms}", flush=True
            )
    if rank == 0:
        with torch.no_grad():
            for parameter, mean in zip(kept, average, strict=True):
                parameter.copy_(mean)
        for part in (pipeline.transformer, pipeline.codec, pipeline.text_encoder, pipeline.image_encoder):
            part.half()
        pipeline.save_pretrained(output)


def train_codec(photos: torch.Tensor, steps: int) -> PatchCodec:
    """A codec of photos (photos, 3, SIDE, SIDE) in [-1, 1] whose smoothing is trained on slightly wrong latents."""
    torch.manual_seed(0)
    codec = PatchCodec(PATCH, CHANNELS)
    codec.fit(photos[::2].float())
    optimiser = torch.optim.AdamW(codec.smooth.parameters(), lr=CODEC_RATE)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = CODEC_RATE * (1 - step / steps)
        clean = photos[torch.randint(len(photos), (CODEC_BATCH,))].float()
        latents = codec.encode(clean)
        made = codec.decode(latents + CODEC_NOISE * torch.rand(CODEC_BATCH, 1, 1, 1) * torch.randn_like(latents))
        (made - clean).abs().mean().backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return codec.requires_grad_(False)


class _Alignment(nn.Module):
    """Compares hidden states of a transformer with features of the tower; thrown away after training."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.SiLU(), nn.Linear(2 * WIDTH, WIDTH))
        self.hidden = torch.empty(0)
        transformer.transformer_blocks[ALIGNED_LAYER].register_forward_hook(self._keep)

    def _keep(self, block: Any, given: Any, hidden: torch.Tensor) -> None:
        self.hidden = hidden

    def loss(self, features: torch.Tensor) -> torch.Tensor:
        """One minus the mean cosine between the last hidden states and ``features`` (photos, tokens, width)."""
        count, side = len(features), int(features.shape[1] ** 0.5)
        grid = features.transpose(1, 2).reshape(count, WIDTH, side, side)
        wanted = functional.interpolate(grid, size=[SIDE // PATCH] * 2, mode="bilinear").flatten(2).transpose(1, 2)
        return 1 - functional.cosine_similarity(self.head(self.hidden).float(), wanted, dim=-1).mean()


class _Lessons:
    """Photos, their features and prompts, mirrored and not; and which photos show the same person."""

    def __init__(self, training: TrainingSet, tower: Any) -> None:
        self.tower = tower
        self.person = training.person
        large = plain_view(training.images).half()
        self.photos = 2 * _resized(large.float(), SIDE).half() - 1
        self.features = [_features(tower, large), _features(tower, large.flip(-1))]
        self.mean, self.deviation = self.features[0].mean((0, 1)), self.features[0].std((0, 1))
        people = training_people(int(self.person.max()) + 1)
        self.prompts = [
            training_prompt(people[person], training.scenario[index], training.visible[index], variant)
            for index, person in enumerate(self.person.tolist())
            for variant in range(VARIANTS)
        ]
        self.words = sorted({word for prompt in self.prompts for word in split_words(prompt)})
        self.same: dict[int, list[int]] = {}
        for index, person in enumerate(self.person.tolist()):
            self.same.setdefault(person, []).append(index)

    def encode_with(self, codec: PatchCodec) -> None:
        """Compute all latents once, mirrored and not."""
        with torch.no_grad():
            turned = (self.photos, self.photos.flip(-1))
            self.latents = [torch.cat([codec.encode(part.float()) for part in one.split(256)]) for one in turned]

    def draw(self, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[str]]:
        """A batch: latents, the photos' own features, features of a reference photo each, and prompts."""
        chosen = random.integers(len(self.photos), size=BATCH)
        others = [self._other(int(index), random) for index in chosen]
        mirrored, reference_mirrored = random.integers(2, size=(2, BATCH))
        latents = torch.stack([self.latents[m][i] for m, i in zip(mirrored, chosen, strict=True)])
        own = torch.stack([self.features[m][i] for m, i in zip(mirrored, chosen, strict=True)])
        given = torch.stack([self.features[m][i] for m, i in zip(reference_mirrored, others, strict=True)])
        prompts = [self.prompts[int(i) * VARIANTS + int(random.integers(VARIANTS))] for i in chosen]
        left_out = random.random(BATCH) < LEFT_OUT
        given = given * torch.from_numpy(~left_out)[:, None, None]
        return latents, own, given, ["" if out else prompt for out, prompt in zip(left_out, prompts, strict=True)]

    def _other(self, index: int, random: np.random.Generator) -> int:
        own = [other for other in self.same[int(self.person[index])] if other != index]
        return own[int(random.integers(len(own)))]


def _features(tower: Any, photos: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        parts = [TinyLlava().patch_features(tower, part.float()) for part in photos.split(64)]
    return torch.cat(parts)


def _resized(photos: torch.Tensor, side: int) -> torch.Tensor:
    size = [side, side]
    return functional.interpolate(photos, size=size, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)


def _losses(
    pipeline: IdentityPipeline, aligned: "_Alignment", lessons: _Lessons, random: np.random.Generator
) -> dict[str, torch.Tensor]:
    latents, own, given, prompts = lessons.draw(random)
    level = torch.sigmoid(torch.randn(BATCH) * NOISE_SPREAD + NOISE_MEAN)
    share, noise = level.view(-1, 1, 1, 1), torch.randn_like(latents)
    noisy = (1 - share) * latents + share * noise
    with torch.autocast("cpu", torch.bfloat16):
        context = torch.cat([pipeline.encode_prompts(prompts), given], 1)
        velocity = pipeline.velocity(noisy, level, context).float()
        alignment = aligned.loss(own)
        clear = level < CLEAR_ENOUGH
        predicted = pipeline.codec.decode((noisy - share * velocity)[clear])
        seen = TinyLlava().patch_features(lessons.tower, _resized((predicted.float() + 1) / 2, IMAGE_SIZE)).float()
    own = own[clear]
    pooled, wanted = (((part.mean(1) - lessons.mean) / lessons.deviation) for part in (seen, own))
    return {
        "alignment": ALIGNMENT_WEIGHT * alignment,
        "velocity": ((velocity - (noise - latents)) ** 2).mean(),
        "identity": IDENTITY_WEIGHT * (1 - functional.cosine_similarity(pooled, wanted)).mean(),
        "patches": PATCH_WEIGHT * (((seen - own) / lessons.deviation) ** 2).mean(),
    }


def _optimisers(pipeline: IdentityPipeline, parameters: list[Any]) -> list[Any]:
    matrices = [p for name, p in pipeline.transformer.named_parameters() if p.ndim == 2 and "blocks" in name]
    known = {id(p) for p in matrices}
    adam = torch.optim.AdamW(
        [p for p in parameters if id(p) not in known], lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.0
    )
    muon = torch.optim.Muon(
        matrices, lr=MUON_RATE, weight_decay=WEIGHT_DECAY, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )
    return [adam, muon]


def _set_rates(optimisers: list[Any], share: float) -> None:
    for optimiser, peak in zip(optimisers, (ADAM_RATE, MUON_RATE), strict=True):
        for group in optimiser.param_groups:
            group["lr"] = peak * share


def training_prompt(person: Person, scenario: str, visible: Mapping[str, str], variant: int) -> str:
    """What a training photo shows, in the words of the scenarios' scene specifications; never how the person looks."""
    clothes = load_visible()["clothes"].phrases[visible["clothes"]]
    if not scenario:
        surroundings = load_visible()["surroundings"].phrases[visible["surroundings"]]
        return portrait_prompt("a person", clothes, surroundings, variant)
    return scene_prompt(scenario, person.facts[scenario], f"a person {clothes}", variant)


def split_words(prompt: str) -> list[str]:
    """The words and signs of a prompt, as the word tokenizer splits them."""
    return re.findall(r"\w+|[^\w\s]+", prompt.lower())
