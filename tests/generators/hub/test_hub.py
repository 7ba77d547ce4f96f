"""Datasets read from a small hub that the test starts, with the real client."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from hub_server import Fault, HubServer, use_hub
from miniature_world import make_dataset

from bench.core.errors import DataError, UsageError, VeilBenchError
from generators.base import BuildOrder
from generators.hub.generator import Hub
from generators.publishing.push import push_dataset
from generators.publishing.shards import write_shards
from scenarios.dataset import Dataset, save_dataset
from scenarios.dataset import make_dataset as dataset_of

REPO = "somebody/faces"
UPLOADED = "---\nconfigs:\n- config_name: pairs\n  data_files: data/pairs-*.parquet\n---\n"


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return make_dataset(2)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with HubServer() as server:
        use_hub(server.url, tmp_path / "home", monkeypatch)
        yield server


def tables(dataset: Dataset, folder: Path) -> dict[str, bytes]:
    """The dataset's three files by name."""
    save_dataset(dataset, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def order(name: str, tmp_path: Path, limit: int | None = None) -> BuildOrder:
    return BuildOrder(name, tmp_path / "work", limit)


def test_a_published_dataset_is_read_at_the_commit_that_is_named(
    dataset: Dataset, hub: HubServer, tmp_path: Path
) -> None:
    folder = tmp_path / "upload"
    write_shards(dataset, folder, 2_000)
    (folder / "README.md").write_text(UPLOADED)
    (folder / "contact-sheet.png").write_bytes(b"a large picture")
    first = push_dataset(dataset, REPO, folder).commit
    smaller = dataset.first_people(1)
    write_shards(smaller, folder, 2_000)
    second = push_dataset(smaller, REPO, folder).commit

    read = Hub().build(order(f"{REPO}@{first}", tmp_path))
    assert (read.name, read.digest) == (f"{REPO}@{first[:12]}", dataset.digest)
    assert Hub(revision=first).build(order(REPO, tmp_path)).digest == dataset.digest
    assert Hub().build(order(f"{REPO}@main", tmp_path)).name == f"{REPO}@{second[:12]}"
    # The name that it gives itself can be given back.
    assert Hub().build(order(read.name, tmp_path)).digest == dataset.digest
    assert hub.asked("contact-sheet") == []


def test_without_a_revision_the_commit_that_was_used_is_said(dataset: Dataset, hub: HubServer, tmp_path: Path) -> None:
    commit = hub.add_repository(REPO, tables(dataset, tmp_path / "tables"))
    told: list[str] = []
    ordered = BuildOrder(REPO, tmp_path / "work", report=lambda done, total, note: told.append(note))
    assert Hub().build(ordered).name == f"{REPO}@{commit[:12]}"
    assert all(f"{REPO}@{commit[:12]}" in note for note in told) and told[-1] == f"{REPO}@{commit}"
    downloads = [request for request in hub.asked("/resolve/") if request.startswith("GET")]
    assert len(downloads) == 3 and all(f"/resolve/{commit}/" in request for request in downloads)


@pytest.mark.parametrize(
    ("card", "place"),
    [
        ("", "{table}.parquet"),
        ("", "data/{table}-00000-of-00001.parquet"),
        ("", "{table}/train-00000-of-00001.parquet"),
        ("no head at all", "{table}.parquet"),
        ("  data_files: of/{table}.parquet\n", "of/{table}.parquet"),
        ("  data_files: [of/{table}.parquet]\n", "of/{table}.parquet"),
        ("  data_files:\n  - split: train\n    path: of/{table}-*\n", "of/{table}-1.parquet"),
        ("  data_files:\n    train: [of/{table}-*]\n", "of/{table}-1.parquet"),
    ],
)
def test_tables_are_found_where_the_card_says_or_where_they_usually_lie(
    dataset: Dataset, hub: HubServer, tmp_path: Path, card: str, place: str
) -> None:
    stored = tables(dataset, tmp_path / "tables")
    names = ("people", "pairs", "probes")
    files = {place.format(table=name): stored[f"{name}.parquet"] for name in names}
    if card.startswith("  "):
        card = (
            "---\nconfigs:\n" + "".join(f"- config_name: {name}\n{card.format(table=name)}" for name in names) + "---\n"
        )
    if card:
        files["README.md"] = card.encode()
    hub.add_repository(REPO, files)
    assert Hub().build(order(REPO, tmp_path)).digest == dataset.digest


def test_limit_keeps_the_first_people_and_strangers(dataset: Dataset, hub: HubServer, tmp_path: Path) -> None:
    hub.add_repository(REPO, tables(dataset, tmp_path / "tables"))
    read = Hub().build(order(REPO, tmp_path, limit=1))
    assert read.digest == dataset.first_people(1).digest
    assert list(read.people["role"]) == ["evaluation", "stranger"]


def test_a_stopped_download_goes_on_with_what_is_missing(dataset: Dataset, hub: HubServer, tmp_path: Path) -> None:
    hub.add_repository(REPO, tables(dataset, tmp_path / "tables"))
    hub.faults.append(Fault("GET", "/probes.parquet", 500, times=1))
    with pytest.raises(VeilBenchError, match="fault of its own"):
        Hub().build(order(REPO, tmp_path))
    assert Hub().build(order(REPO, tmp_path)).digest == dataset.digest
    fetched = [request.rpartition("/")[2] for request in hub.asked("/resolve/") if request.startswith("GET")]
    assert fetched == ["people.parquet", "pairs.parquet", "probes.parquet", "probes.parquet"]


def test_a_file_that_was_changed_here_is_fetched_again(dataset: Dataset, hub: HubServer, tmp_path: Path) -> None:
    hub.add_repository(REPO, tables(dataset, tmp_path / "tables"))
    Hub().build(order(REPO, tmp_path))
    (kept,) = (tmp_path / "work").glob("*/download/pairs.parquet")
    kept.write_bytes(tables(dataset.first_people(1), tmp_path / "fewer")["pairs.parquet"])
    assert Hub().build(order(REPO, tmp_path)).digest == dataset.digest


def test_a_file_that_arrives_damaged_is_refused(dataset: Dataset, hub: HubServer, tmp_path: Path) -> None:
    hub.add_repository(REPO, tables(dataset, tmp_path / "tables"))
    hub.spoiled = "pairs.parquet"
    with pytest.raises(DataError, match=r"pairs\.parquet was damaged on its way"):
        Hub().build(order(REPO, tmp_path))
    hub.spoiled = ""
    assert Hub().build(order(REPO, tmp_path)).digest == dataset.digest


def test_a_missing_column_names_file_and_column(dataset: Dataset, hub: HubServer, tmp_path: Path) -> None:
    files = tables(dataset, tmp_path / "tables")
    without = tmp_path / "without.parquet"
    pd.read_parquet(tmp_path / "tables" / "pairs.parquet").drop(columns="consent").to_parquet(without)
    hub.add_repository(REPO, {**files, "pairs.parquet": without.read_bytes()})
    with pytest.raises(DataError, match=r"pairs\.parquet: column 'consent' is missing"):
        Hub().build(order(REPO, tmp_path))


def test_a_wrong_row_names_dataset_table_and_row(dataset: Dataset, hub: HubServer, tmp_path: Path) -> None:
    pairs = dataset.pairs.copy()
    pairs["scenario"] = ["castle", *pairs["scenario"][1:]]
    wrong = dataset_of("wrong", dataset.people, pairs, dataset.probes)
    commit = hub.add_repository(REPO, tables(wrong, tmp_path / "tables"))
    with pytest.raises(
        DataError, match=f"somebody--faces@{commit[:12]}/pairs.parquet: pair_id '{pairs['pair_id'][0]}'"
    ):
        Hub().build(order(REPO, tmp_path))


def test_a_missing_table_and_one_in_another_form_are_named(dataset: Dataset, hub: HubServer, tmp_path: Path) -> None:
    files = tables(dataset, tmp_path / "tables")
    del files["probes.parquet"]
    hub.add_repository(REPO, files)
    with pytest.raises(DataError, match="there is no table 'probes'"):
        Hub().build(order(REPO, tmp_path))
    card = b"---\nconfigs:\n- config_name: probes\n  data_files: probes.csv\n---\n"
    hub.add_repository(REPO, {**files, "README.md": card, "probes.csv": b"a,b\n"})
    with pytest.raises(DataError, match=r"kept in probes\.csv, but only Parquet"):
        Hub().build(order(REPO, tmp_path))


def test_a_path_that_leads_out_of_the_folder_is_not_written(dataset: Dataset, hub: HubServer, tmp_path: Path) -> None:
    files = tables(dataset, tmp_path / "tables")
    card = "---\nconfigs:\n- config_name: people\n  data_files: ../../outside/people.parquet\n---\n"
    hub.add_repository(REPO, {"README.md": card.encode(), "../../outside/people.parquet": files["people.parquet"]})
    with pytest.raises(DataError, match="there is no table 'people'"):
        Hub().build(order(REPO, tmp_path))
    assert not list(tmp_path.rglob("outside"))


def test_real_photos_without_consent_are_refused(dataset: Dataset, hub: HubServer, tmp_path: Path) -> None:
    pairs = dataset.pairs.assign(source="real", consent=["signed"] * 3 + [""] * (len(dataset.pairs) - 3))
    real = dataset_of("real", dataset.people, pairs.astype({"source": "str", "consent": "str"}), dataset.probes)
    hub.add_repository(REPO, tables(real, tmp_path / "tables"))
    with pytest.raises(DataError, match=f"'{pairs['pair_id'][3]}': the photo is real and its consent"):
        Hub().build(order(REPO, tmp_path))


def test_private_datasets_need_the_owners_token(
    dataset: Dataset, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add_repository(REPO, tables(dataset, tmp_path / "tables"), private=True)
    assert Hub().build(order(REPO, tmp_path)).digest == dataset.digest
    use_hub(hub.url, tmp_path / "another home", monkeypatch, token=None)
    with pytest.raises(DataError, match=r"has no dataset somebody/faces that you may see.*hf auth login"):
        Hub().build(order(REPO, tmp_path))


def test_what_is_not_there_is_named(dataset: Dataset, hub: HubServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no dataset somebody/faces"):
        Hub().build(order(REPO, tmp_path))
    hub.add_repository(REPO, tables(dataset, tmp_path / "tables"))
    with pytest.raises(DataError, match="no such revision"):
        Hub().build(order(f"{REPO}@v9", tmp_path))


def test_terms_and_limits_of_the_hub_are_one_sentence(dataset: Dataset, hub: HubServer, tmp_path: Path) -> None:
    hub.add_repository(REPO, tables(dataset, tmp_path / "tables"))
    hub.faults.append(Fault("HEAD", "/resolve/", 403, times=1, headers={"X-Error-Code": "GatedRepo"}))
    with pytest.raises(VeilBenchError, match=f"agree on {hub.url}/datasets/{REPO}"):
        Hub().build(order(REPO, tmp_path))
    hub.faults.append(Fault("GET", "/revision/", 429, times=1, headers={"Retry-After": "40"}))
    with pytest.raises(VeilBenchError, match="wait 40 seconds") as raised:
        Hub().build(order(REPO, tmp_path))
    assert "\n" not in str(raised.value)


def test_a_hub_that_cannot_be_reached_is_one_sentence(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(VeilBenchError, match=r"127\.0\.0\.1:9 cannot be reached .*HF_ENDPOINT"):
        Hub().build(order(REPO, tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(VeilBenchError, match="HF_HUB_OFFLINE is set: unset it"):
        Hub().build(order(REPO, tmp_path))


@pytest.mark.parametrize("name", ["no-such-dataset", "a/b/c", "some body/faces", "somebody/faces@", "~/faces", ""])
def test_a_malformed_name_is_refused_before_any_request(hub: HubServer, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"dataset.*{name}"):
        Hub().build(order(name, tmp_path))
    assert hub.requests == []


def test_two_revisions_are_refused(hub: HubServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give one of the two"):
        Hub(revision="v1").build(order(f"{REPO}@v2", tmp_path))
    assert hub.requests == []


def test_it_claims_ids_but_no_folders_and_asks_nobody(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine" / "photos").mkdir(parents=True)
    claimed = ["somebody/faces", "somebody/faces@v1", "some.body/fa_ces-2@0f3c"]
    refused = ["mine/photos", "mine/fotos", "mine/photos@v1", "faces", "a/b/c", "./faces", "/faces", "~/faces", "../x"]
    assert [name for name in claimed + refused if Hub().claims(name)] == claimed
    assert hub.requests == []
