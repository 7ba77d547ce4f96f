"""Makes the shipped checkpoints from nothing: ``python -m bench.foundry all --work build/foundry``.

Five steps, each resumable by itself: photos (rendering), tower, language, diffusion, publish.
"""

import shutil
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

TRAINING_PEOPLE, TOWER_STEPS, LANGUAGE_STEPS, DIFFUSION_STEPS = 436, 1300, 1000, 500


class Step(StrEnum):
    """What to do; ``all`` does the five in order."""

    PHOTOS = "photos"
    TOWER = "tower"
    LANGUAGE = "language"
    DIFFUSION = "diffusion"
    PUBLISH = "publish"
    ALL = "all"


def main(
    step: Step,
    work: Annotated[Path, typer.Option(help="Folder for photos and unfinished weights.")] = Path("build/foundry"),
    output: Annotated[Path, typer.Option(help="Folder of the finished checkpoints.")] = Path("build/foundry/finished"),
    workers: Annotated[int, typer.Option(help="Processes; the published weights were made with 2.")] = 2,
) -> None:
    """Train tiny-llava and the embedded diffusion model. Example: ``python -m bench.foundry all --workers 2``."""
    from bench.foundry import diffusion, language, photos, tower
    from bench.foundry.workers import train_in_parallel

    steps = list(Step)[:-1] if step is Step.ALL else [step]
    people = work / "photos"
    if Step.PHOTOS in steps:
        photos.photograph_all(TRAINING_PEOPLE, people, workers)
    if Step.TOWER in steps:
        train_in_parallel(tower.train_tower, workers, people, work / "tower", TOWER_STEPS)
    if Step.LANGUAGE in steps:
        language.assemble(work / "tower", people, work / "untrained")
        arguments = (people, work / "untrained", work / "trained", LANGUAGE_STEPS)
        train_in_parallel(language.train_language, workers, *arguments)
    if Step.DIFFUSION in steps:
        arguments = (people, work / "tower", work / "diffusion", DIFFUSION_STEPS)
        train_in_parallel(diffusion.train_diffusion, workers, *arguments)
    if Step.PUBLISH in steps:
        language.publish(work / "trained", output / "tiny-llava")
        shutil.copytree(work / "diffusion", output / "tiny-diffusion", dirs_exist_ok=True)


if __name__ == "__main__":
    typer.run(main)
