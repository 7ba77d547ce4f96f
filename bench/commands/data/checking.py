"""Checking a dataset, with the features of a target as recogniser."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from bench.commands.data.texts import check_texts
from bench.core.errors import UsageError
from bench.core.progress import ReportProgress
from generators.base import BuildOrder
from generators.checks.finding import CheckReport, merge
from generators.checks.loading import open_for_check
from generators.checks.run import run_checks
from generators.registry import make_generator
from scenarios.dataset import Dataset, load_dataset
from scenarios.pixels import open_photo

if TYPE_CHECKING:
    from bench.targets.base import Target

DEFAULT_CHECKPOINT = "tiny-llava"
LONGEST_SIDE = 512
"""Photos are made this small before they are encoded: vision towers look at fewer pixels than that."""


def check_dataset(
    name_or_folder: str, against: Sequence[str], checkpoint: str | None, report: ReportProgress
) -> CheckReport:
    """Check a shipped dataset or a folder, and that it shares nobody with the datasets ``against``.

    A name may also be a hub id, ``owner/name`` or ``owner/name@revision``; such a dataset is downloaded for the check.
    ``checkpoint`` names the model whose features recognise faces; None leaves faces out, and a note says so.
    Raises ``UsageError`` for an unknown dataset or checkpoint, ``DataError`` where one of ``against`` does not load,
    and ``VeilBenchError`` where the hub cannot be reached or does not let the user in.
    """
    embed = Recogniser(checkpoint) if checkpoint is not None else None
    others = [_load(other, report) for other in against]
    dataset, findings = open_for_check(name_or_folder, lambda name: _load(name, report))
    if dataset is None:
        return CheckReport(findings)
    return merge([run_checks(dataset, embed, report, others), check_texts(dataset)])


def _load(name: str, report: ReportProgress) -> Dataset:
    try:
        return load_dataset(name)
    except UsageError:
        hub = make_generator("hub")
        if not hub.claims(name):
            raise
    with TemporaryDirectory() as work:
        return hub.build(BuildOrder(name, Path(work), report=report))


def lines(report: CheckReport) -> list[str]:
    """The report for a screen: one line a finding, errors first, then one line a figure."""
    order = {"error": 0, "warning": 1, "note": 2}
    found = sorted(report.findings, key=lambda finding: order[finding.level])
    told = [f"{one.level:7} {one.check}{f' {one.row}' if one.row else ''}: {one.message}" for one in found]
    return told + [f"figure  {name}: {value:.4g}" for name, value in report.figures.items()]


class Recogniser:
    """The mean over all tokens of what a target's language model is shown of a photo, as features of who is in it.

    Raises ``UsageError`` for an unknown checkpoint; the weights are read when the first photos come.
    """

    def __init__(self, checkpoint: str) -> None:
        from bench.targets.checkpoints import resolve_checkpoint

        resolve_checkpoint(checkpoint)
        self._checkpoint = checkpoint

    def __call__(self, photos: Sequence[bytes]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Features (photos, width) of encoded photos; raises DataError for one that cannot be decoded."""
        import torch

        features: dict[int, Any] = {}
        by_size: dict[tuple[int, ...], list[tuple[int, Any]]] = {}
        for index, image in enumerate(photos):
            pixels = _pixels(image)
            by_size.setdefault(pixels.shape, []).append((index, pixels))
        for group in by_size.values():
            stacked = np.stack([pixels for _, pixels in group])
            images = torch.from_numpy(stacked).permute(0, 3, 1, 2).float() / 255
            with torch.no_grad():
                pooled = self._target.encode(images).float().mean(1).cpu().numpy()
            features.update(zip([index for index, _ in group], pooled, strict=True))
        return np.stack([features[index] for index in range(len(photos))])

    @cached_property
    def _target(self) -> "Target":
        from transformers.utils import logging

        from bench.targets.base import TargetSpec
        from bench.targets.registry import build_target

        logging.disable_progress_bar()  # it would tear ours
        return build_target(TargetSpec(self._checkpoint))


def _pixels(image: bytes) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    whole = open_photo("to be recognised", image)
    whole.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return np.array(whole)
