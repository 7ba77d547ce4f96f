"""``veilbench data`` as a creator uses it: photos become a dataset that is checked, described, looked at, published."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hub_server import HubServer, environment
from miniature_world import veilbench
from volunteers import write_volunteers

from scenarios.dataset import load_dataset


@dataclass
class Desk:
    """A creator's folder with ``volunteers/`` in it; runs the command there."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        return veilbench("data", *arguments, folder=self.folder, **self.environment)

    def do(self, *arguments: object) -> str:
        """What a command that must succeed prints as its result."""
        finished = self.run(*arguments)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def refused(self, code: int, *arguments: object) -> str:
        """The one sentence of a command that must end with this code."""
        finished = self.run(*arguments)
        assert finished.returncode == code, finished.stderr
        assert "Traceback" not in finished.stderr
        return finished.stderr.splitlines()[-1]

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the photos and the dataset that was built of them under its default name."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    write_volunteers(desk.folder / "volunteers")
    said = desk.do("build", "volunteers", "-o", "licence=CC-BY-4.0")
    dataset = load_dataset(str(desk.folder / "volunteers-dataset"))
    assert said == f"volunteers-dataset: 3 people, 4 pairs, {len(dataset.probes)} probes\nDigest: {dataset.digest}\n"
    assert desk.names == ["volunteers", "volunteers-dataset"]  # finished photos do not stay behind
    return desk.folder


@pytest.fixture
def desk(built: Path, tmp_path: Path) -> Desk:
    """A desk of its own with photos and dataset."""
    shutil.copytree(built, tmp_path / "desk")
    return Desk(tmp_path / "desk")


@pytest.fixture
def hub(desk: Desk, tmp_path: Path) -> Iterator[HubServer]:
    """A hub that the desk's commands know, and none else."""
    with HubServer() as server:
        desk.environment = environment(server.url, tmp_path / "home")
        yield server


def test_a_folder_becomes_a_dataset_that_is_checked_described_and_looked_at(desk: Desk) -> None:
    checked = desk.do("check", "volunteers-dataset", "--recogniser", "none")
    assert not [line for line in checked.splitlines() if line.startswith("error")]
    assert "figure  people: 2" in checked
    card = desk.do("card", "volunteers-dataset", "--title", "Our volunteers")
    assert card == "Card: volunteers-dataset/README.md\n"
    text = (desk.folder / "volunteers-dataset" / "README.md").read_text(encoding="utf-8")
    assert "# Our volunteers" in text and "CC-BY-4.0" in text
    assert (desk.folder / "volunteers-dataset" / "croissant.json").is_file()
    assert desk.do("view", "volunteers-dataset") == "Gallery: volunteers-dataset-gallery/index.html\n"
    assert "Mila Korst" in (desk.folder / "volunteers-dataset-gallery" / "index.html").read_text(encoding="utf-8")
    # A card beside the tables does not change the dataset.
    assert desk.do("check", "volunteers-dataset", "--recogniser", "none") == checked


@pytest.mark.slow
def test_what_was_pushed_comes_back_from_the_hub_as_it_was(desk: Desk, hub: HubServer) -> None:
    dataset = load_dataset(str(desk.folder / "volunteers-dataset"))
    pushed = desk.do("push", "somebody/faces", "--dataset", "volunteers-dataset", "--title", "Faces")
    repository = hub.repositories["somebody/faces"]
    commit = repository.branches["main"]
    assert pushed.strip().endswith(f"at {commit}") and hub.url in pushed
    assert repository.private
    assert "# Faces" in repository.files["README.md"].content.decode()
    again = desk.do("push", "somebody/faces", "--dataset", "volunteers-dataset", "--title", "Faces")
    assert commit in again and repository.branches["main"] == commit
    said = desk.do("build", f"somebody/faces@{commit[:12]}")
    assert said.startswith("faces: 3 people, 4 pairs, ") and dataset.digest in said
    assert load_dataset(str(desk.folder / "faces")).digest == dataset.digest
    assert "figure  people: 2" in desk.do("check", "somebody/faces", "--recogniser", "none")
    assert desk.names == ["faces", "volunteers", "volunteers-dataset"]


def test_real_photos_are_public_only_where_that_is_said(desk: Desk, hub: HubServer) -> None:
    push = ("push", "somebody/faces", "--dataset", "volunteers-dataset", "--public")
    assert "--publish-real" in desk.refused(2, *push)
    assert hub.repositories == {}
    desk.do(*push, "--publish-real")
    assert not hub.repositories["somebody/faces"].private


def test_without_a_token_or_a_hub_one_sentence_says_so(desk: Desk, hub: HubServer, tmp_path: Path) -> None:
    push = ("push", "somebody/faces", "--dataset", "volunteers-dataset")
    desk.environment = environment(hub.url, tmp_path / "stranger", token=None) | {"HF_TOKEN": ""}
    assert "hf auth login" in desk.refused(1, *push)
    desk.environment |= {"HF_ENDPOINT": "http://127.0.0.1:9"}
    for arguments in (push, ("build", "somebody/faces"), ("check", "somebody/faces")):
        assert "cannot be reached" in desk.refused(1, *arguments)
    assert desk.names == ["volunteers", "volunteers-dataset"]


@pytest.mark.parametrize(
    ("code", "arguments", "said"),
    [
        (2, "build volunteers", "volunteers-dataset exists and is not an empty folder"),
        (2, "build absent", "unknown dataset 'absent'"),
        (2, "build absent --generator folder", "there is no folder 'absent'"),
        (2, "build volunteers --generator foldr", "did you mean 'folder'"),
        (2, "build volunteers -o licens=CC0", "did you mean 'licence'"),
        (2, "build volunteers -o licence", "must be KEY=VALUE"),
        (2, "build volunteers -o max_side=big", "max_side"),
        (2, "build veilbench-mini --generator diffusion -o method=ip-adapter", "needs a checkpoint"),
        (1, "build volunteers --out other", "metadata.csv, row 2, licence: nothing is stated"),
        (2, "check absent", "unknown dataset 'absent'"),
        (2, "check volunteers", "`veilbench data build volunteers` makes one"),
        (2, "check volunteers-dataset --against absent", "unknown dataset 'absent'"),
        (2, "check volunteers-dataset --recogniser tiny-lava", "did you mean 'tiny-llava'"),
        (2, "card absent", "unknown dataset 'absent'"),
        (2, "view volunteers", "so it is no dataset"),
        (2, "push faces --dataset volunteers-dataset", "owner/name"),
        (2, "push somebody/faces --dataset absent", "unknown dataset 'absent'"),
        (2, "push somebody/faces", "--dataset"),
    ],
)
def test_wrong_use_is_one_sentence_and_leaves_nothing_behind(desk: Desk, code: int, arguments: str, said: str) -> None:
    assert said in desk.refused(code, *arguments.split())
    assert desk.names == ["volunteers", "volunteers-dataset"]


def test_errors_of_a_dataset_end_the_check_with_1(desk: Desk) -> None:
    tables = desk.folder / "volunteers-dataset"
    (tables / "pairs.parquet").write_bytes(b"nothing")
    finished = desk.run("check", "volunteers-dataset", "--recogniser", "none")
    assert finished.returncode == 1
    assert finished.stdout.startswith("error   schema pairs")
    assert finished.stderr.splitlines()[-1] == "Error: volunteers-dataset: 1 error, see above."


def test_tables_do_not_go_among_the_photos_unless_somebody_says_so(desk: Desk) -> None:
    desk.folder /= "volunteers"
    before = desk.names
    assert "name a place with --out" in desk.refused(2, "build", ".", "-o", "licence=CC0-1.0")
    assert desk.names == before
    desk.do("build", ".", "-o", "licence=CC0-1.0", "--out", Path(os.pardir) / "mine")
    assert load_dataset(str(desk.folder.parent / "mine")).name == "mine"


def test_a_name_given_to_the_dataset_names_its_folder(desk: Desk) -> None:
    desk.do("build", "volunteers", "-o", "licence=CC0-1.0", "-o", "name=portraits", "--limit", 1)
    assert desk.names == ["portraits", "volunteers", "volunteers-dataset"]


def test_the_card_of_a_shipped_dataset_is_not_written_into_the_package(desk: Desk) -> None:
    assert desk.do("card", "veilbench-mini") == "Card: veilbench-mini-card/README.md\n"
    assert (desk.folder / "veilbench-mini-card" / "contact-sheet.jpg").is_file()
