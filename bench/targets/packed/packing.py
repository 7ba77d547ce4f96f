"""Several questions behind one image prefix in one sequence, exact: as if each had been asked alone.

Every branch sees the prefix and itself; its positions go on from where its parent ends. So one forward pass over
prefix + branches gives each branch the logits that a sequence of its own would give.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

IGNORED = -100
PADDING = -2
PREFIX = -1


@dataclass(frozen=True)
class Branch:
    """Token ids of one branch; the last ``learned`` of them are the answer to train on."""

    tokens: tuple[int, ...]
    learned: int = 0


@dataclass(frozen=True)
class PackedBranches:
    """Branches of a batch, side by side and padded on the right.

    ``tokens`` (rows, length) ids · ``labels`` (rows, length), IGNORED where nothing is learned · ``positions``
    (rows, length), already counted from the parent's end · ``owner`` (rows, length) branch number, PADDING where
    there is no token · ``last`` for each row the index of each branch's last token.
    """

    tokens: "torch.Tensor"
    labels: "torch.Tensor"
    positions: "torch.Tensor"
    owner: "torch.Tensor"
    last: tuple[tuple[int, ...], ...]


def pack(rows: Sequence[Sequence[Branch]], starts: Sequence[Sequence[int]]) -> PackedBranches:
    """Lay out the branches of each row; ``starts`` gives the position of each branch's first token."""
    import torch

    length = max(sum(len(branch.tokens) for branch in row) for row in rows)
    tokens, labels, positions, owner, last = [], [], [], [], []
    for row, begin in zip(rows, starts, strict=True):
        sizes = [len(branch.tokens) for branch in row]
        padding = length - sum(sizes)
        tokens.append([token for branch in row for token in branch.tokens] + [0] * padding)
        labels.append([label for branch in row for label in _labels(branch)] + [IGNORED] * padding)
        places = [start + place for start, size in zip(begin, sizes, strict=True) for place in range(size)]
        positions.append(places + [0] * padding)
        owner.append([number for number, size in enumerate(sizes) for _ in range(size)] + [PADDING] * padding)
        last.append(tuple(end - 1 for end in accumulate(sizes)))
    # From lists at once: a tensor for every branch takes longer than a small model's layers.
    tensors = [
        torch.tensor(laid, dtype=torch.long).view(len(rows), length) for laid in (tokens, labels, positions, owner)
    ]
    return PackedBranches(tensors[0], tensors[1], tensors[2], tensors[3], tuple(last))


def _labels(branch: Branch) -> tuple[int, ...]:
    unlearned = len(branch.tokens) - branch.learned
    return (IGNORED,) * unlearned + branch.tokens[unlearned:]


def attention_mask(
    query_owner: "torch.Tensor", seen_owner: "torch.Tensor", parents: "torch.Tensor | None", dtype: "torch.dtype"
) -> "torch.Tensor":
    """Additive mask (rows, 1, queries, seen + queries) for new tokens behind tokens that were seen before.

    ``query_owner`` (rows, queries) are branch numbers of the new tokens. ``seen_owner`` (rows, seen) are those of
    the tokens in the cache, PREFIX for the shared prefix. ``parents`` (rows, queries) names, per new token, the
    cached branch that it continues; None where it continues the prefix alone.
    """
    import torch

    before = seen_owner[:, None, :] == PREFIX
    if parents is not None:
        before = before | (seen_owner[:, None, :] == parents[:, :, None])
    before = before.expand(-1, query_owner.shape[1], -1)
    same = query_owner[:, :, None] == query_owner[:, None, :]
    among = same & torch.ones(same.shape[-2:], dtype=torch.bool).tril() & (query_owner[:, None, :] != PADDING)
    allowed = torch.cat([before, among], dim=2)[:, None]
    return torch.zeros(allowed.shape, dtype=dtype).masked_fill(~allowed, torch.finfo(dtype).min)
