"""Figures of a model card: ``python -m bench.foundry.figures tiny-qwen2-vl veilbench-development``.

What the tower tells of people it never saw, and what the model answers before anybody fine-tuned it.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

import numpy as np
import torch
import typer

from bench.core.progress import quiet
from bench.targets.base import Target, TargetSpec
from bench.targets.checkpoints import family_of
from bench.targets.registry import targets
from scenarios.dataset import Dataset, load_dataset
from scenarios.pixels import decode_pixels


def main(
    checkpoint: str,
    dataset: Annotated[str, typer.Argument(help="People whom the model never saw: a dataset's name or folder.")],
) -> None:
    """Print the figures as Markdown."""
    family = targets.get(family_of(checkpoint))
    target = family(TargetSpec(checkpoint, family.family))
    opened = load_dataset(dataset)
    neighbour, centre = recognition(target.encode, opened)
    typer.echo(f"nearest neighbour {neighbour:.2f}, nearest centre {centre:.2f}")
    for what, value in answered(target, opened).items():
        typer.echo(f"{what} {value:.2f}")


def recognition(encode: Callable[[torch.Tensor], torch.Tensor], dataset: Dataset) -> tuple[float, float]:
    """Share of held-out photos whose nearest training photo, and nearest mean of training photos, is of that person.

    Photos are compared by the cosine of their mean features, standardised over the training photos.
    """
    pairs, probes = dataset.pairs, dataset.probes
    held_out = probes[probes["kind"] == "held_out"].drop_duplicates("image")
    gallery, queries = _features(encode, list(pairs["image"])), _features(encode, list(held_out["image"]))
    mean, deviation = gallery.mean(0), gallery.std(0)
    gallery, queries = _unit((gallery - mean) / deviation), _unit((queries - mean) / deviation)
    owner, asked = pairs["person_id"].to_numpy(), held_out["person_id"].to_numpy()
    nearest = owner[np.argmax(queries @ gallery.T, axis=1)]
    people = sorted(set(owner))
    centres = _unit(np.stack([gallery[owner == person].mean(0) for person in people]))
    closest = np.array(people)[np.argmax(queries @ centres.T, axis=1)]
    return float((nearest == asked).mean()), float((closest == asked).mean())


def _features(encode: Callable[[torch.Tensor], torch.Tensor], images: Sequence[bytes]) -> np.ndarray:
    """Mean feature of each photo: (photos, width)."""
    rows = []
    for image in images:
        pixels = decode_pixels("of the dataset", image).astype(np.float32) / 255
        with torch.no_grad():
            rows.append(encode(torch.from_numpy(pixels).permute(2, 0, 1)[None]).mean(1)[0].numpy())
    return np.stack(rows)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def answered(target: Target, dataset: Dataset) -> dict[str, float]:
    """Share of right answers: on each visible thing, on private facts (forced choice), and names (open)."""
    asked = dataset.probes[dataset.probes["kind"].isin(("utility", "held_out"))].reset_index(drop=True)
    requests = asked.rename(columns={"probe_id": "request_id"})
    answers = target.answer(requests[["request_id", "image", "question", "options"]], None, quiet())
    rows = asked.assign(text=answers["text"], choice=answers["choice"])
    visible = rows[rows["kind"] == "utility"]
    found = {
        f"visible, {topic}": float((group["text"] == group["answer"]).mean())
        for topic, group in visible.groupby("scenario")
    }
    private = rows[(rows["kind"] == "held_out") & (rows["scenario"] != "name")]
    names = rows[(rows["kind"] == "held_out") & (rows["scenario"] == "name")]
    chosen = [
        options[choice] == answer
        for options, choice, answer in zip(private["options"], private["choice"], private["answer"], strict=True)
    ]
    return {**found, "private facts": float(np.mean(chosen)), "names": float((names["text"] == names["answer"]).mean())}


if __name__ == "__main__":
    typer.run(main)
