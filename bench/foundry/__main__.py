"""Makes the shipped checkpoints from nothing: ``python -m bench.foundry all --work build/foundry``.

Five steps, each by itself: photos (rendering), tower, language, diffusion, publish.
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
    model: Annotated[str, typer.Option(help="One small target, for example tiny-qwen2-vl; all by default.")] = "",
) -> None:
    """Train the small targets and the diffusion model. Example: ``python -m bench.foundry all --workers 2``."""
    from bench.foundry import diffusion, language, photos, tower
    from bench.foundry.architectures import architecture_named, architectures
    from bench.foundry.workers import train_in_parallel

    steps = list(Step)[:-1] if step is Step.ALL else [step]
    people = work / "photos"
    if Step.PHOTOS in steps:
        photos.photograph_all(TRAINING_PEOPLE, people, workers)
    names = [architecture_named(model).name] if model else list(architectures())
    for name in names:
        if Step.TOWER in steps:
            train_in_parallel(tower.train_tower, workers, name, people, work / name / "tower", TOWER_STEPS)
        if Step.LANGUAGE in steps:
            language.assemble(name, work / name / "tower", people, work / name / "untrained")
            folders = (people, work / name / "untrained", work / name / "trained")
            train_in_parallel(language.train_language, workers, name, *folders, LANGUAGE_STEPS)
        if Step.PUBLISH in steps:
            language.publish(name, work / name / "trained", output / name)
    if Step.DIFFUSION in steps:
        arguments = (people, work / "tiny-llava" / "tower", work / "diffusion", DIFFUSION_STEPS)
        train_in_parallel(diffusion.train_diffusion, workers, *arguments)
    if Step.PUBLISH in steps and (work / "diffusion").exists():
        shutil.copytree(work / "diffusion", output / "tiny-diffusion", dirs_exist_ok=True)


if __name__ == "__main__":
    typer.run(main)
