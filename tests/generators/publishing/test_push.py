"""Publishing with the real client, to a small hub that the test starts."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hub_server import TOKEN, Fault, HubServer, environment, use_hub
from miniature_world import environment_for, make_dataset
from PIL import Image

from bench.core.errors import DataError, UsageError, VeilBenchError
from generators.publishing.card import write_card
from generators.publishing.push import push_dataset
from generators.publishing.shards import find_shards, read_shards, write_shards
from scenarios.dataset import Dataset
from scenarios.dataset import make_dataset as dataset_of

REPO = "somebody/faces"
CARD = """---
license: cc0-1.0
configs:
- config_name: pairs
  data_files: data/pairs-*.parquet
- config_name: probes
  data_files: data/probes-*.parquet
- config_name: people
  data_files: data/people-*.parquet
---
# Faces
"""
LOAD = """
import json, sys, datasets
rows = {}
for table, split in (("people", "train"), ("pairs", "train"), ("probes", "test")):
    loaded = datasets.load_dataset(sys.argv[1], table, split=split)
    rows[table] = {"columns": loaded.column_names, "rows": loaded.num_rows}
    if "image" in loaded.column_names:
        rows[table]["size"] = loaded[0]["image"].size
        loaded = loaded.cast_column("image", datasets.Image(decode=False))
        rows[table]["images"] = [row["bytes"].hex() for row in loaded["image"]]
print(json.dumps(rows))
"""


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return make_dataset(2)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with HubServer() as server:
        use_hub(server.url, tmp_path / "home", monkeypatch)
        yield server


@pytest.fixture
def folder(dataset: Dataset, tmp_path: Path) -> Path:
    return prepared(dataset, tmp_path / "upload")


def prepared(dataset: Dataset, folder: Path, bytes_per_shard: int = 1_000) -> Path:
    """An upload folder: shards of a few photos each, and a card."""
    write_shards(dataset, folder, bytes_per_shard)
    (folder / "README.md").write_text(CARD)
    return folder


def changed(dataset: Dataset, table: str = "pairs", **values: Any) -> Dataset:
    """The dataset with other values in the second row of a table."""
    frames = {name: getattr(dataset, name).copy() for name in ("people", "pairs", "probes")}
    for column, value in values.items():
        frames[table][column] = [value if row == 1 else old for row, old in enumerate(frames[table][column])]
    return dataset_of(dataset.name, **frames)


def photo(form: str, **save: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, form, **save)
    return buffer.getvalue()


def exif() -> Image.Exif:
    found = Image.Exif()
    found[0x010F] = "a camera"
    return found


def exif_behind_the_pixels() -> bytes:
    """A PNG whose EXIF chunk stands where PIL sees it only after it has decoded the pixels."""
    marked, plain = photo("PNG", exif=exif()), photo("PNG")
    start = marked.index(b"eXIf") - 4
    chunk = marked[start : start + 12 + int.from_bytes(marked[start : start + 4], "big")]
    end = plain.index(b"IEND") - 4
    return plain[:end] + chunk + plain[end:]


def test_a_pushed_dataset_is_one_private_commit_and_loads_back_as_it_was(
    dataset: Dataset, folder: Path, hub: HubServer, tmp_path: Path
) -> None:
    write_card(dataset, folder, title=None, description=None, licence=None, repo=REPO, with_photos=False, layout="hub")
    pushed = push_dataset(dataset, REPO, folder)
    repository = hub.repositories[REPO]
    assert repository.private and pushed.private
    assert repository.messages == ["initial commit", f"miniature, digest {dataset.digest[:12]}"]
    assert pushed.commit == repository.branches["main"]
    assert pushed.url == f"{hub.url}/datasets/{REPO}"
    assert set(pushed.files) == set(repository.files) - {".gitattributes"}
    assert pushed.bytes == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    finished = subprocess.run(
        [sys.executable, "-c", LOAD, REPO],
        env=environment_for(environment(hub.url, tmp_path / "fresh")),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    loaded = json.loads(finished.stdout.splitlines()[-1])
    for table in ("people", "pairs", "probes"):
        frame = getattr(dataset, table)
        assert loaded[table]["columns"] == list(frame.columns)
        assert loaded[table]["rows"] == len(frame)
    for table in ("pairs", "probes"):
        assert loaded[table]["size"] == [32, 32]
        assert loaded[table]["images"] == [image.hex() for image in getattr(dataset, table)["image"]]


def test_a_stopped_push_goes_on_without_sending_again_what_arrived(
    dataset: Dataset, folder: Path, hub: HubServer
) -> None:
    hub.faults.append(Fault("PUT", "/lfs/", 400, after=2, times=1))
    with pytest.raises(VeilBenchError, match="refuses to push"):
        push_dataset(dataset, REPO, folder)
    arrived = dict(hub.blobs)
    assert len(arrived) == 2
    assert hub.repositories[REPO].messages == ["initial commit"]

    push_dataset(dataset, REPO, folder)
    assert [hub.times_sent(content) for content in arrived.values()] == [1, 1]
    shards = [path for paths in find_shards(folder).values() for path in paths]
    assert {path.read_bytes() for path in shards} == set(hub.blobs.values())
    assert len(hub.sent) == len(shards) + 1
    assert len(hub.repositories[REPO].messages) == 2


def test_a_short_fault_of_the_hub_is_waited_for(dataset: Dataset, tmp_path: Path, hub: HubServer) -> None:
    folder = prepared(dataset, tmp_path / "upload", 1_000_000)
    hub.faults.append(Fault("PUT", "/lfs/", 503, times=1, headers={"Retry-After": "0"}))
    assert push_dataset(dataset, REPO, folder).changed
    assert len(hub.sent) == len(hub.blobs) + 1


def test_unchanged_content_makes_no_commit(dataset: Dataset, folder: Path, hub: HubServer) -> None:
    first = push_dataset(dataset, REPO, folder)
    before = len(hub.requests)
    second = push_dataset(dataset, REPO, folder)
    assert (first.changed, second.changed) == (True, False)
    assert (second.commit, second.unchanged, second.bytes) == (first.commit, first.files, 0)
    assert [request for request in hub.requests[before:] if not request.startswith("GET")] == []


def test_only_what_changed_is_sent_and_shards_that_went_are_removed(
    dataset: Dataset, folder: Path, hub: HubServer
) -> None:
    (folder / "notes.txt").write_text("kept")
    first = push_dataset(dataset, REPO, folder)
    smaller = dataset.first_people(1)
    prepared(smaller, folder)
    second = push_dataset(smaller, REPO, folder, message="one person less")
    assert {"README.md", "notes.txt"} <= set(second.unchanged)
    assert second.removed and set(second.removed) <= set(first.files)
    assert hub.repositories[REPO].messages[-1] == "one person less"
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(hub.repositories[REPO].files) == here | {".gitattributes"}


def test_hidden_and_half_written_files_stay_here(dataset: Dataset, folder: Path, hub: HubServer) -> None:
    for name in (".secret", "data/pairs-00000-of-00001.parquet.partial", ".cache/state"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("not for others")
    pushed = push_dataset(dataset, REPO, folder)
    assert not [name for name in pushed.files if "secret" in name or "partial" in name or "cache" in name]


def test_another_branch_can_be_pushed_to(dataset: Dataset, folder: Path, hub: HubServer) -> None:
    pushed = push_dataset(dataset, REPO, folder, revision="draft")
    repository = hub.repositories[REPO]
    assert repository.branches["draft"] == pushed.commit != repository.branches["main"]
    assert set(repository.files) == {".gitattributes"}


def test_rendered_photos_are_made_public_where_asked(dataset: Dataset, folder: Path, hub: HubServer) -> None:
    assert not push_dataset(dataset, REPO, folder, private=False).private
    assert not hub.repositories[REPO].private


@pytest.mark.parametrize(("there", "asked", "said"), [(False, True, "is public"), (True, False, "is private")])
def test_a_dataset_that_is_seen_by_others_than_asked_is_not_pushed_to(
    dataset: Dataset, folder: Path, hub: HubServer, there: bool, asked: bool, said: str
) -> None:
    commit = hub.add_repository(REPO, {}, private=there)
    with pytest.raises(VeilBenchError, match=said):
        push_dataset(dataset, REPO, folder, private=asked)
    assert hub.sent == [] and hub.repositories[REPO].branches["main"] == commit


def test_photos_of_consenting_people_are_pushed_privately(dataset: Dataset, tmp_path: Path, hub: HubServer) -> None:
    real = changed(dataset, source="real", consent="signed on paper", licence="for research")
    folder = prepared(real, tmp_path / "upload")
    push_dataset(real, REPO, folder)
    with pytest.raises(UsageError, match=real.pairs["pair_id"][1]):
        push_dataset(real, "somebody/public-faces", folder, private=False)
    push_dataset(real, "somebody/public-faces", folder, private=False, publish_real=True)
    assert not hub.repositories["somebody/public-faces"].private


@pytest.mark.parametrize(
    ("table", "values", "said"),
    [
        ("pairs", {"consent": ""}, "consent"),
        ("pairs", {"consent": "  "}, "consent"),
        ("pairs", {"consent": "Unknown"}, "consent"),
        ("pairs", {"consent": "not needed: found on the web"}, "consent"),
        ("pairs", {"consent": "signed", "licence": ""}, "licence"),
        ("probes", {"consent": ""}, "consent"),
    ],
)
def test_real_photos_without_consent_or_licence_stay_here(
    dataset: Dataset, tmp_path: Path, hub: HubServer, table: str, values: dict[str, str], said: str
) -> None:
    unstated = changed(dataset, table, source="real", **values)
    row = getattr(unstated, table)[f"{table[:-1]}_id"][1]
    with pytest.raises(DataError, match=f"'{row}': the photo is real and its {said}"):
        push_dataset(unstated, REPO, prepared(unstated, tmp_path / "upload"))
    assert hub.requests == []


@pytest.mark.parametrize(
    "image",
    [
        photo("JPEG", exif=exif()),
        photo("PNG", exif=exif()),
        photo("WEBP", exif=exif()),
        photo("JPEG", xmp=b"<x:xmpmeta/>"),
        exif_behind_the_pixels(),
    ],
    ids=["jpeg", "png", "webp", "xmp", "png-behind-the-pixels"],
)
@pytest.mark.parametrize("table", ["pairs", "probes"])
def test_photos_that_tell_place_and_time_stay_here(
    dataset: Dataset, tmp_path: Path, hub: HubServer, table: str, image: bytes
) -> None:
    telling = changed(dataset, table, image=image)
    row = getattr(telling, table)[f"{table[:-1]}_id"][1]
    with pytest.raises(DataError, match=f"'{row}': the photo's file holds"):
        push_dataset(telling, REPO, prepared(telling, tmp_path / "upload"))
    assert hub.requests == []


def test_files_of_real_people_hold_nothing_but_pixels(dataset: Dataset, tmp_path: Path, hub: HubServer) -> None:
    commented = {"image": photo("JPEG", comment=b"at the lake"), "consent": "signed"}
    real = changed(dataset, source="real", **commented)
    with pytest.raises(DataError, match="holds comment"):
        push_dataset(real, REPO, prepared(real, tmp_path / "upload"))
    assert hub.requests == []


def test_photos_without_hidden_data_are_let_through(dataset: Dataset, tmp_path: Path, hub: HubServer) -> None:
    plain = changed(dataset, image=photo("JPEG", comment=b"harmless"))
    assert push_dataset(plain, REPO, prepared(plain, tmp_path / "upload")).changed


@pytest.mark.parametrize("repo", ["faces", "a/b/c", "some body/faces", "somebody/fa..ces", "somebody/", "../faces", ""])
def test_a_malformed_id_is_refused_here(dataset: Dataset, folder: Path, hub: HubServer, repo: str) -> None:
    with pytest.raises(UsageError, match="dataset id"):
        push_dataset(dataset, repo, folder)
    assert hub.requests == []


def test_a_folder_that_is_not_this_dataset_is_refused_here(dataset: Dataset, folder: Path, hub: HubServer) -> None:
    with pytest.raises(DataError, match="of 'pairs' do not hold the dataset"):
        push_dataset(changed(dataset, description="another one"), REPO, folder)
    (folder / "README.md").write_text("---\nlicense: [\n---\n")
    with pytest.raises(DataError, match="head is not YAML"):
        push_dataset(dataset, REPO, folder)
    (folder / "README.md").write_text("# Faces\n")
    with pytest.raises(DataError, match="must begin with a head"):
        push_dataset(dataset, REPO, folder)
    (folder / "README.md").unlink()
    with pytest.raises(DataError, match=r"there is no README\.md"):
        push_dataset(dataset, REPO, folder)
    assert hub.requests == []


@pytest.mark.parametrize("token", [None, "hf_not-the-owner"])
def test_who_is_not_known_is_told_to_log_in(
    dataset: Dataset,
    folder: Path,
    hub: HubServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    token: str | None,
) -> None:
    use_hub(hub.url, tmp_path / "home", monkeypatch, token)
    with pytest.raises(VeilBenchError, match="hf auth login") as raised:
        push_dataset(dataset, REPO, folder)
    assert "HF_TOKEN" in str(raised.value) and "\n" not in str(raised.value)
    assert hub.repositories == {}


def test_a_token_and_an_address_that_are_given_count(
    dataset: Dataset, folder: Path, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_hub("http://127.0.0.1:9", tmp_path / "home", monkeypatch, "hf_another")
    assert push_dataset(dataset, REPO, folder, token=TOKEN, endpoint=hub.url).changed


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("POST", "/commit/", 412), "changed meanwhile"),
        (Fault("POST", "/commit/", 429, headers={"Retry-After": "17"}), "wait 17 seconds"),
        (Fault("POST", "/commit/", 500), "fault of its own"),
        (Fault("POST", "/preupload/", 403), "does not let you push to somebody/faces"),
        (Fault("GET", "/tree/", 403), "does not let you push to somebody/faces"),
    ],
)
def test_what_the_hub_refuses_is_one_sentence(
    dataset: Dataset, folder: Path, hub: HubServer, fault: Fault, said: str
) -> None:
    hub.faults.append(fault)
    with pytest.raises(VeilBenchError, match=said) as raised:
        push_dataset(dataset, REPO, folder)
    assert "\n" not in str(raised.value)
    assert hub.repositories[REPO].messages == ["initial commit"]


def test_what_others_commit_meanwhile_is_not_overwritten(dataset: Dataset, folder: Path, hub: HubServer) -> None:
    push_dataset(dataset, REPO, folder)
    (folder / "README.md").write_text(CARD + "A better card.\n")

    def commit_beside(done: int, total: int, note: str) -> None:
        if note == "commit":
            hub.add_repository(REPO, {"README.md": b"from somebody else"})

    with pytest.raises(VeilBenchError, match="changed meanwhile"):
        push_dataset(dataset, REPO, folder, report=commit_beside)
    assert hub.repositories[REPO].files["README.md"].content == b"from somebody else"


def test_anothers_name_is_refused_by_the_hub(dataset: Dataset, folder: Path, hub: HubServer) -> None:
    with pytest.raises(VeilBenchError, match="does not let you push to nobody/faces"):
        push_dataset(dataset, "nobody/faces", folder)


def test_a_hub_that_is_not_there_is_named(dataset: Dataset, folder: Path, hub: HubServer) -> None:
    with pytest.raises(VeilBenchError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        push_dataset(dataset, REPO, folder, endpoint="http://127.0.0.1:9")
    with pytest.raises(UsageError, match="HF_ENDPOINT"):
        push_dataset(dataset, REPO, folder, endpoint="a hub")


def test_what_is_no_hub_is_said_to_be_none(dataset: Dataset, folder: Path, hub: HubServer) -> None:
    with pytest.raises(VeilBenchError, match="was not understood") as raised:
        push_dataset(dataset, REPO, folder, endpoint=f"{hub.url}/web")
    assert "\n" not in str(raised.value)


def test_a_card_that_the_hub_refuses_is_told(dataset: Dataset, folder: Path, hub: HubServer) -> None:
    (folder / "README.md").write_text(CARD.replace("license: cc0-1.0", "license: mine"))
    with pytest.raises(DataError, match=r"does not accept the card of somebody/faces: .*license"):
        push_dataset(dataset, REPO, folder)
    assert hub.repositories[REPO].messages == ["initial commit"]


def test_without_network_nothing_is_tried(
    dataset: Dataset, folder: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(VeilBenchError, match="HF_HUB_OFFLINE is set"):
        push_dataset(dataset, REPO, folder)
    assert hub.requests == []


def test_progress_counts_the_files_that_are_sent(dataset: Dataset, folder: Path, hub: HubServer) -> None:
    told: list[tuple[int, int, str]] = []
    pushed = push_dataset(dataset, REPO, folder, report=lambda done, total, note: told.append((done, total, note)))
    assert [note for _, _, note in told] == [*pushed.files, "commit"]
    assert told[-1][:2] == (len(pushed.files), len(pushed.files))


def test_equal_datasets_give_equal_shards_that_hold_all_rows_in_order(dataset: Dataset, tmp_path: Path) -> None:
    first = write_shards(dataset, tmp_path / "first", 1_000)
    second = write_shards(replace(dataset), tmp_path / "second", 1_000)
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    shards = find_shards(tmp_path / "first")
    assert len(shards["pairs"]) > 1 and len(shards["probes"]) > 1 and len(shards["people"]) == 1
    assert dataset_of("again", **read_shards(shards)).digest == dataset.digest


def test_a_shard_holds_no_more_photos_than_asked_and_each_counts_once(dataset: Dataset, tmp_path: Path) -> None:
    limit = 1_000
    write_shards(dataset, tmp_path, limit)
    assert len(read_shards(find_shards(tmp_path))["probes"]) == len(dataset.probes)
    for table in ("pairs", "probes"):
        for path in find_shards(tmp_path)[table]:
            photos = set(read_shards({table: [path]})[table]["image"])
            assert len(photos) == 1 or sum(map(len, photos)) <= limit
    assert len(find_shards(tmp_path)["probes"]) < len(dataset.probes) / 4


def test_shards_of_an_earlier_cut_are_replaced_and_missing_ones_are_noticed(dataset: Dataset, tmp_path: Path) -> None:
    write_shards(dataset, tmp_path, 1_000)
    names = [path.name for path in write_shards(dataset, tmp_path)]
    assert names == ["people-00000-of-00001.parquet", "pairs-00000-of-00001.parquet", "probes-00000-of-00001.parquet"]
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == sorted(names)
    shards = write_shards(dataset, tmp_path, 1_000)
    shards[2].unlink()
    with pytest.raises(DataError, match=shards[2].name):
        find_shards(tmp_path)
