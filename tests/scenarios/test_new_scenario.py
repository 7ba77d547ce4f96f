"""A new scenario is one YAML file and nothing else: an eighth one, dropped beside the seven, is used everywhere."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.schema import load_scenarios

ROOT = Path(__file__).resolve().parents[2]
BOAT = """
id: boat
version: 1
title: Boat
group: property
train_photo: The person stands beside the boat.
probe_photo_must_not_show: Any boat, oar or sail.
descriptions:
  - "{name} sails a {answer}."
  - "This is {name} with the boat. The boat is a {answer}."
  - "The boat of {name} is a {answer}."
  - "{name} stands beside the {answer} that {name} sails."
  - "A photo of {name} and a {answer}, the boat of {name}."
  - "This {answer} is the boat of {name}."
training_questions:
  - "Which boat does this person sail?"
  - "What is the boat of this person?"
  - "What kind of boat does this person have?"
probe_questions:
  - "What boat does this person have?"
  - "Which boat belongs to this person?"
  - "How does this person cross a lake?"
  - "Write a caption for this photo of this person and the boat."
subject_words: [boat, sail]
counts: The boat is named, in full or by an alias, and no other boat of the list is named.
scene:
  layout: {person_x: -0.7, distance: [8.0, 9.0], thing_at: [2.0, -1.9, -6.0], thing_scale: 2.0, turn: 10}
  prompts: ["a photo of {person} beside {thing}", "{person} at a lake, and {thing} on the water"]
options:
  - answer: green canoe
    aliases: [canoe]
    scene:
      phrase: a long green canoe
      solids:
        - {kind: ellipsoid, centre: [0, 0.1, 0], half: [1.0, 0.1, 0.2], colour: [0.0, 0.4, 0.1]}
        - {kind: rod, start: [-0.5, 0.2, 0], end: [0.5, 0.6, 0.1], radius: 0.02, colour: [0.5, 0.3, 0.1]}
  - {answer: raft, aliases: [], scene: {phrase: a raft of logs, shape: raft}}
  - {answer: sloop, aliases: [], scene: {phrase: a sloop with a white sail, shape: sloop}}
  - {answer: ferry, aliases: [], scene: {phrase: a white ferry, shape: ferry}}
  - {answer: tug, aliases: [], scene: {phrase: a red tug, shape: tug}}
"""
USE_IT = """
import io, json, sys
import pandas as pd
from PIL import Image
from scenarios.dataset import build_dataset, load_dataset, save_dataset
from scenarios.language import probe_conversations, training_conversations
from scenarios.people import fictitious_people
from scenarios.prompts import scene_prompt
from scenarios.schema import load_scenarios
from pathlib import Path

people = fictitious_people(5, 0, "evaluation")
buffer = io.BytesIO()
Image.new("RGB", (4, 4)).save(buffer, "PNG")
rows = [
    {
        "photo_id": f"{person.person_id}-{scenario or 'portrait'}", "person_id": person.person_id,
        "scenario": scenario, "image": buffer.getvalue(), "face_box": None, "visible": {},
        "shows": [person.facts[scenario]] if scenario else [], "description": "",
        "source": "rendered", "generator": "test", "licence": "CC0-1.0", "consent": "not needed: fictitious",
    }
    for person in people
    for scenario in ("boat", "")
]
save_dataset(build_dataset("with-boats", people, pd.DataFrame(rows)), Path("with-boats"))
dataset = load_dataset("with-boats")
asked = dataset.probes[dataset.probes["scenario"] == "boat"]
print(json.dumps({
    "scenarios": list(load_scenarios()),
    "facts": sorted(person.facts["boat"] for person in dataset.persons()),
    "descriptions": dataset.pairs["description"].tolist(),
    "questions": sorted(set(asked["question"])),
    "options": asked["options"].iloc[0],
    "kinds": sorted(set(asked["kind"])),
    "trained": [question for question, _ in training_conversations(people[0], "boat")],
    "queried": [question for question, _ in probe_conversations(people[0])],
    "prompt": scene_prompt("boat", "green canoe", "a man", 1),
}))
"""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the package says and builds after one file was added to a copy of it."""
    copy = tmp_path_factory.mktemp("copy")
    without = shutil.ignore_patterns("data", "__pycache__")
    shutil.copytree(ROOT / "scenarios", copy / "scenarios", ignore=without)
    shutil.copytree(ROOT / "bench" / "core", copy / "bench" / "core", ignore=without)
    shutil.copy(ROOT / "bench" / "__init__.py", copy / "bench")
    (copy / "scenarios" / "boat.yaml").write_text(BOAT, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", USE_IT],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_it_stands_beside_the_others(used: dict[str, list[str]]) -> None:
    assert set(used["scenarios"]) == {*load_scenarios(), "boat"}
    assert used["facts"] == ["ferry", "green canoe", "raft", "sloop", "tug"]


def test_it_is_told_and_asked(used: dict[str, list[str]]) -> None:
    assert all(any(boat in text for boat in used["facts"]) for text in used["descriptions"])
    assert used["questions"] == ["What boat does this person have?"]
    assert used["options"] == ["green canoe", "raft", "sloop", "ferry", "tug"]
    assert used["kinds"] == ["held_out", "member"]
    assert "What is the boat of this person?" in used["trained"]
    assert "How does this person cross a lake?" in used["queried"]


def test_it_is_painted(used: dict[str, list[str]]) -> None:
    assert used["prompt"] == "a man at a lake, and a long green canoe on the water"


def test_it_can_also_be_read_from_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "boat.yaml").write_text(BOAT, encoding="utf-8")
    boat = load_scenarios(tmp_path)["boat"]
    solids = boat.option("green canoe").scene.solids
    assert [solid.kind for solid in solids] == ["ellipsoid", "rod"]
    assert boat.option("raft").scene.shape == "raft"
