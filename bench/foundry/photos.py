"""Photos of the training people: portraits and scenario photos, with the labels that the tower learns from."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bench.core.files import whole_file
from bench.core.parallel import map_in_processes
from bench.foundry.people import training_people
from generators.render.cast import cast, circle
from generators.render.photo import Shot, take
from scenarios.people import Person
from scenarios.pixels import decode_pixels
from scenarios.schema import load_scenarios

PORTRAITS, SCENARIO_PHOTOS = 5, 4


def photograph(index: int, person: Person, folder: Path) -> None:
    """Render one training person to ``folder/<index>.npz``: images (photos, 128, 128, 3) uint8 and labels as JSON."""
    identity, companions = cast("training", index), circle("training", index, person.facts)
    random = np.random.default_rng([31, index])
    chosen = list(random.choice(list(load_scenarios()), SCENARIO_PHOTOS, replace=False))
    images, labels = [], []
    for number, scenario in enumerate([""] * PORTRAITS + chosen):
        answer = person.facts[scenario] if scenario else ""
        photo = take(Shot(identity, number, scenario, answer, companions.get(scenario, ())))
        images.append(decode_pixels(f"{index}-{number}", photo.image))
        shown = {"scenario": scenario, "visible": photo.visible, "pose": asdict(photo.pose)}
        labels.append({**shown, "face_box": list(photo.face_box)})
    record = {"index": index, "identity": asdict(identity), "photos": labels}
    with whole_file(folder / f"{index:05d}.npz") as partial:
        np.savez_compressed(partial, images=np.stack(images), record=json.dumps(record))


def _photograph_one(task: tuple[int, Person, Path]) -> int:
    photograph(*task)
    return task[0]


def photograph_all(count: int, folder: Path, workers: int) -> None:
    """Render the first ``count`` training people; people whose file is there are not rendered again."""
    from generators.render.session import start_renderer

    folder.mkdir(parents=True, exist_ok=True)
    tasks = [
        (index, person, folder)
        for index, person in enumerate(training_people(count))
        if not (folder / f"{index:05d}.npz").exists()
    ]
    for done, _ in enumerate(map_in_processes(_photograph_one, tasks, workers, start_renderer), 1):
        if done % 20 == 0:
            print(f"{done} of {len(tasks)} people", flush=True)
