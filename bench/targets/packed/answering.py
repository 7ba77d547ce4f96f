"""Answering in process with transformers: open answers and forced choice behind one image prefix per photo."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.core.digests import digest_bytes
from bench.core.errors import UsageError
from bench.targets.base import ReportProgress
from bench.targets.packed.answer_row import answer_row
from bench.targets.packed.features import FeatureCache, PhotoFeatures
from bench.targets.packed.packing import PADDING, PREFIX, Branch, attention_mask, pack

if TYPE_CHECKING:
    import torch

    from bench.targets.packed.model import PackedModel


def answer_packed(
    model: "PackedModel",
    kept: FeatureCache,
    requests: pd.DataFrame,
    adapter: Path | None,
    batch_size: int,
    report: ReportProgress,
    accepted: Sequence[str] = (),
) -> pd.DataFrame:
    """Answer all requests, ``batch_size`` photos at a time; rows come back in the order of ``requests``.

    An open answer may be as long as the longest of the ``accepted`` ones.

    Raises UsageError where the adapter was made for another checkpoint.
    """
    import torch

    photos = [group for _, group in requests.groupby("image", sort=False)]
    photos.sort(key=len, reverse=True)
    rows: list[dict[str, Any]] = []
    limit = model.text.answer_limit(accepted)
    with torch.inference_mode(), adapted(model, adapter):
        features = _features(model, kept, adapter)
        for start in range(0, len(photos), batch_size):
            rows += _answer_photos(model, features, photos[start : start + batch_size], limit)
            report(min(start + batch_size, len(photos)), len(photos), "photos")
    answers = pd.DataFrame(rows).set_index("request_id")
    return answers.loc[requests["request_id"]].reset_index()


def adapted(model: "PackedModel", adapter: Path | None) -> AbstractContextManager[Any]:
    """The model as the adapter changes it, for a while. Raises UsageError for an adapter of another checkpoint."""
    if adapter is None:
        return nullcontext()
    from peft import PeftModel

    check_adapter(model, adapter)
    return model.adapted(lambda network: PeftModel.from_pretrained(network, adapter).eval())


def check_adapter(model: "PackedModel", adapter: Path) -> None:
    """Raise UsageError where ``adapter`` is no adapter folder, or one of another checkpoint."""
    file = adapter / "adapter_config.json"
    try:
        base = json.loads(file.read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{adapter} is no adapter: {file.name} is missing or damaged.") from error
    if base != model.checkpoint:
        raise UsageError(f"{file}: the adapter was made for '{base}', not for '{model.checkpoint}'.")


def tunes_tower(model: "PackedModel", adapter: Path | None) -> bool:
    """Whether the adapter changes the vision tower, so that no frozen feature holds."""
    if adapter is None:
        return False
    return bool(json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))["rank_pattern"])


def photo_features(model: "PackedModel", kept: FeatureCache, adapter: Path | None, image: bytes) -> PhotoFeatures:
    """Features of one photo by the model as it is now: kept ones, unless the adapter changes the tower.

    A photo is encoded alone, so that what is kept does not depend on what it was encoded beside.
    """

    def compute() -> PhotoFeatures:
        return model.features(model.pixels(image)[None])

    return compute() if tunes_tower(model, adapter) else kept.get(digest_bytes(image), compute)


def _features(model: "PackedModel", kept: FeatureCache, adapter: Path | None) -> Callable[[bytes], PhotoFeatures]:
    return partial(photo_features, model, kept, adapter)


@dataclass
class _Asked:
    """State after prefix and questions of a batch of photos: the cache holds ``owner``'s tokens.

    ``ends`` has, for each question of each photo, the position of its answer's first token.
    """

    cache: Any
    owner: "torch.Tensor"
    ends: list[list[int]]
    first_logits: list["torch.Tensor"]


def _answer_photos(
    model: "PackedModel", features: Callable[[bytes], PhotoFeatures], photos: Sequence[pd.DataFrame], limit: int
) -> list[dict[str, Any]]:
    asked = _ask(model, [features(photo["image"].iloc[0]) for photo in photos], photos)
    choices = _score_options(model, photos, asked)
    decoded = _decode_greedily(model, asked, limit)
    return [
        answer_row(request_id, model.text.decode(said.tokens), logprobs, ended=said.ended, finite=said.finite)
        for photo, scores, texts in zip(photos, choices, decoded, strict=True)
        for request_id, logprobs, said in zip(photo["request_id"], scores, texts, strict=True)
    ]


def _ask(model: "PackedModel", features: Sequence[PhotoFeatures], photos: Sequence[pd.DataFrame]) -> _Asked:
    import torch
    from transformers import DynamicCache

    prefix = model.embed_prefix(features)
    branches = [[model.text.question(question) for question in photo["question"]] for photo in photos]
    packed = pack(branches, [[end] * len(row) for end, row in zip(prefix.ends, branches, strict=True)])
    cache = DynamicCache()
    alone = torch.where(prefix.owner == PREFIX, 0, PADDING)
    causal = attention_mask(alone, prefix.owner[:, :0], None, prefix.embedded.dtype)
    model.run(prefix.embedded, causal, prefix.positions, cache, prefix)
    mask = attention_mask(packed.owner, prefix.owner, None, prefix.embedded.dtype)
    hidden = model.run(model.embed_tokens(packed.tokens), mask, packed.positions, cache)
    first = [model.logits(hidden[row, list(last)]).float() for row, last in enumerate(packed.last)]
    ends = [[end + len(branch.tokens) for branch in row] for end, row in zip(prefix.ends, branches, strict=True)]
    return _Asked(cache, torch.cat([prefix.owner, packed.owner], dim=1), ends, first)


def _score_options(model: "PackedModel", photos: Sequence[pd.DataFrame], asked: _Asked) -> list[list[list[float]]]:
    """Natural log-likelihood of each whole option, its end included, for each question of each photo."""
    import torch

    rows, starts, parents = [], [], []
    for photo, ends in zip(photos, asked.ends, strict=True):
        options = [
            (number, model.text.answer_tokens(question, option))
            for number, (question, listed) in enumerate(zip(photo["question"], photo["options"], strict=True))
            for option in listed
        ]
        rows.append([Branch(tokens) for _, tokens in options])
        starts.append([ends[number] for number, _ in options])
        parents.append([number for number, _ in options])
    if not any(rows):
        return [[[] for _ in photo["question"]] for photo in photos]
    packed = pack(rows, starts)
    parent = torch.full(packed.owner.shape, PREFIX)
    for row, numbers in enumerate(parents):
        for index, number in enumerate(numbers):
            parent[row][packed.owner[row] == index] = number
    seen = asked.cache.get_seq_length()
    embedded = model.embed_tokens(packed.tokens)
    hidden = model.run(
        embedded, attention_mask(packed.owner, asked.owner, parent, embedded.dtype), packed.positions, asked.cache
    )
    asked.cache.crop(seen - asked.cache.get_seq_length())
    scores: list[list[list[float]]] = []
    for row, photo in enumerate(photos):
        logits = torch.log_softmax(model.logits(hidden[row]).float(), dim=-1)
        first = torch.log_softmax(asked.first_logits[row], dim=-1)
        answers: list[list[float]] = [[] for _ in photo["question"]]
        for number, branch, last in zip(parents[row], rows[row], packed.last[row], strict=True):
            begin = last - len(branch.tokens) + 1
            ids = torch.tensor(branch.tokens, device=logits.device)
            rest = logits[torch.arange(begin, last, device=logits.device), ids[1:]].sum()
            answers[number].append(float(first[number, ids[0]] + rest))
        scores.append(answers)
    return scores


@dataclass
class _Said:
    """An open answer so far: its ``tokens``, whether it has ``ended``, whether all scores behind it are ``finite``."""

    tokens: list[int] = field(default_factory=list)
    ended: bool = False
    finite: bool = True


def _decode_greedily(model: "PackedModel", asked: _Asked, limit: int) -> list[list[_Said]]:
    """The likeliest answer token by token, at most ``limit``, all questions of all photos side by side."""
    import torch

    most = max(len(ends) for ends in asked.ends)
    said = [[_Said() for _ in ends] for ends in asked.ends]
    owner = asked.owner
    number = torch.arange(most).expand(len(asked.ends), -1)
    held = torch.tensor([[n < len(ends) for n in range(most)] for ends in asked.ends])
    own = torch.where(held, number, torch.full_like(number, -2))
    chosen = torch.zeros(len(asked.ends), most, dtype=torch.long)
    finite = torch.ones(len(asked.ends), most, dtype=torch.bool)
    for row, logits in enumerate(asked.first_logits):
        chosen[row, : len(logits)], finite[row, : len(logits)] = _likeliest(logits)
    for step in range(limit):
        for row, texts in enumerate(said):
            for index, text in enumerate(texts):
                _append(text, int(chosen[row, index]), bool(finite[row, index]), model.end_tokens)
        if all(text.ended for texts in said for text in texts) or step == limit - 1:
            break
        positions = torch.tensor([[*ends, *([0] * (most - len(ends)))] for ends in asked.ends]) + step
        embedded = model.embed_tokens(chosen)
        mask = attention_mask(own, owner, own, embedded.dtype)
        hidden = model.run(embedded, mask, positions, asked.cache)
        owner = torch.cat([owner, own], dim=1)
        chosen, finite = _likeliest(model.logits(hidden))
    return said


def _likeliest(logits: "torch.Tensor") -> tuple["torch.Tensor", "torch.Tensor"]:
    """The likeliest token along the last axis, and whether its score is a finite number: NaN passes for the largest."""
    return logits.argmax(-1).cpu(), logits.amax(-1).isfinite().cpu()


def _append(text: _Said, token: int, finite: bool, end_tokens: frozenset[int]) -> None:
    if text.ended:
        return
    text.finite = text.finite and finite
    text.ended = token in end_tokens
    if not text.ended:
        text.tokens.append(token)
