"""Checkpoints are found, here or on a hub, and what is not there says what to do."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import Fault, use_hub
from model_hub import ModelHub

from bench.core.errors import UsageError, VeilBenchError
from bench.core.progress import quiet
from bench.targets.base import TargetSpec
from bench.targets.checkpoints import (
    checkpoint_digest,
    family_of,
    is_hub_id,
    resolve_checkpoint,
    shipped_checkpoints,
)
from bench.targets.downloading import download_checkpoint, download_config
from bench.targets.llava import Llava

REPO = "somebody/model"


def test_the_shipped_checkpoint_is_found_with_its_card() -> None:
    assert "tiny-llava" in shipped_checkpoints()
    assert (resolve_checkpoint("tiny-llava") / "README.md").read_text().startswith("---\n")


def test_a_local_folder_is_found_and_its_digest_follows_its_content(checkpoint: Path) -> None:
    assert resolve_checkpoint(str(checkpoint)) == checkpoint
    before = checkpoint_digest(str(checkpoint))
    (checkpoint / "extra.json").write_text("{}")
    assert checkpoint_digest(str(checkpoint)) != before
    (checkpoint / "extra.json").unlink()
    (checkpoint / "README.md").write_text("A card explains; it changes no result.")
    assert checkpoint_digest(str(checkpoint)) == before
    (checkpoint / "README.md").unlink()


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"'tiny-lava'.*tiny-llava"):
        resolve_checkpoint("tiny-lava")


def test_a_folder_without_configuration_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no config\.json in it"):
        resolve_checkpoint(str(tmp_path))


def test_a_hub_model_that_was_never_downloaded_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match=r"hf download llava-hf/llava-1\.5-7b-hf.*or add --download"):
        resolve_checkpoint("llava-hf/llava-1.5-7b-hf")


def test_hub_ids_are_told_from_folders_and_shipped_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my" / "model").mkdir(parents=True)
    names = ["owner/model", "my/model", "tiny-llava", "./owner/model", "a/b/c"]
    assert [name for name in names if is_hub_id(name)] == ["owner/model"]


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("llava", "llava"),
        ("qwen2_vl", "qwen_vl"),
        ("qwen2_5_vl", "qwen_vl"),
        ("qwen3_vl", "qwen_vl"),
        ("minigpt_v2", "minigpt_v2"),
    ],
)
def test_the_family_is_read_off_the_configuration(tmp_path: Path, kind: str, family: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    assert family_of(str(tmp_path)) == family


def test_models_of_no_family_are_named_with_the_families(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UsageError, match=r"is a bert model.*llava, minigpt_v2, qwen_vl"):
        family_of(str(tmp_path))


def test_the_first_qwen_vl_is_sent_to_its_successor(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "qwen"}')
    with pytest.raises(UsageError, match=r"code out of its own repository.*Qwen2-VL"):
        family_of(str(tmp_path))


# From a hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelHub]:
    with ModelHub() as server:
        use_hub(server.url, tmp_path / "home", monkeypatch)
        yield server


@pytest.fixture
def sharded(checkpoint: Path, tmp_path: Path) -> Path:
    """The miniature checkpoint in two weights files, with what a repository often keeps besides."""
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "sharded"
    shutil.copytree(checkpoint, folder)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    places = {name: f"model-0000{1 + place % 2}-of-00002.safetensors" for place, name in enumerate(sorted(tensors))}
    for file in sorted(set(places.values())):
        kept = {name: tensor for name, tensor in tensors.items() if places[name] == file}
        save_file(kept, folder / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "onnx").mkdir()
    for name in ("README.md", "pytorch_model.bin", "consolidated.safetensors", "onnx/config.json"):
        (folder / name).write_text("of no use here")
    return folder


def test_a_checkpoint_is_fetched_once_and_only_what_it_is_loaded_from(
    hub: ModelHub, sharded: Path, tmp_path: Path
) -> None:
    commit = hub.add_model(REPO, sharded)
    told: list[tuple[int, int, str]] = []
    folder = download_checkpoint(REPO, lambda done, total, note: told.append((done, total, note)))
    assert folder.name == commit and resolve_checkpoint(REPO) == folder
    assert not {"README.md", "pytorch_model.bin", "consolidated.safetensors", "onnx"} & set(hub.fetched())
    assert hub.fetched()[-2:] == [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    assert "model-00002" in told[-2][2] and told[-1][0] == told[-1][1]
    assert Llava(TargetSpec(REPO)).model.checkpoint == REPO
    requests = len(hub.requests)
    assert download_checkpoint(REPO, quiet()) == folder
    assert len(hub.requests) == requests


def test_the_digest_of_a_hub_model_is_its_commit_and_reads_no_weights(hub: ModelHub, sharded: Path) -> None:
    hub.add_model(REPO, sharded)
    folder = download_checkpoint(REPO, quiet())
    before = checkpoint_digest(REPO)
    for file in folder.glob("*.safetensors"):
        file.unlink()
    assert checkpoint_digest(REPO) == before


def test_a_stopped_download_goes_on_with_what_is_missing(hub: ModelHub, sharded: Path) -> None:
    hub.add_model(REPO, sharded)
    hub.faults.append(Fault("GET", "model-00002", 500, times=1))
    with pytest.raises(VeilBenchError, match=r"try again later to download model-00002-of-00002\.safetensors of some"):
        download_checkpoint(REPO, quiet())
    with pytest.raises(UsageError, match=r"somebody/model has no weights: model-00002.* --download"):
        assert Llava(TargetSpec(REPO)).model
    before = len(hub.fetched())
    download_checkpoint(REPO, quiet())
    assert hub.fetched()[before:] == ["model-00002-of-00002.safetensors"]


def test_a_line_that_breaks_in_the_middle_of_a_file_costs_nothing_but_time(hub: ModelHub, sharded: Path) -> None:
    hub.add_model(REPO, sharded)
    hub.broken["model-00001-of-00002.safetensors"] = 1
    folder = download_checkpoint(REPO, quiet())
    assert (folder / "model-00001-of-00002.safetensors").read_bytes() == (
        sharded / "model-00001-of-00002.safetensors"
    ).read_bytes()


def test_weights_that_arrive_damaged_are_refused_and_fetched_again(hub: ModelHub, sharded: Path) -> None:
    hub.add_model(REPO, sharded)
    hub.spoiled = "model-00001-of-00002.safetensors"
    with pytest.raises(VeilBenchError, match=r"model-00001-of-00002\.safetensors was damaged on its way"):
        download_checkpoint(REPO, quiet())
    hub.spoiled = ""
    assert download_checkpoint(REPO, quiet()) == Llava(TargetSpec(REPO)).model.folder


def test_a_hub_that_cannot_be_reached_says_which_file_could_not_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_hub("http://127.0.0.1:9", tmp_path / "home", monkeypatch)
    with pytest.raises(VeilBenchError, match=r"cannot be reached.*HF_ENDPOINT.*config\.json of somebody/model"):
        download_config(REPO)


def test_a_model_that_does_not_exist_is_said_to(hub: ModelHub) -> None:
    with pytest.raises(UsageError, match=r"has no model somebody/model that you may see: check the name"):
        download_config(REPO)


def test_terms_must_be_agreed_to(hub: ModelHub, sharded: Path) -> None:
    hub.add_model(REPO, sharded)
    hub.faults.append(Fault("HEAD", "config.json", 403, headers={"X-Error-Code": "GatedRepo"}))
    with pytest.raises(VeilBenchError, match=rf"config\.json of {REPO} is given.* agree on {hub.url}/{REPO}, then run"):
        download_config(REPO)


def test_a_token_without_the_right_is_told_apart(hub: ModelHub, sharded: Path) -> None:
    hub.add_model(REPO, sharded)
    hub.faults.append(Fault("HEAD", "model-00001", 403))
    with pytest.raises(VeilBenchError, match=r"does not let you download model-00001.*`hf auth login`"):
        download_checkpoint(REPO, quiet())


def test_weights_in_another_form_are_refused_before_anything_large_is_fetched(hub: ModelHub, sharded: Path) -> None:
    for file in sharded.glob("model*safetensors*"):
        file.unlink()
    hub.add_model(REPO, sharded)
    with pytest.raises(VeilBenchError, match=r"keeps no model\.safetensors on the hub"):
        download_checkpoint(REPO, quiet())
    assert hub.fetched() == ["config.json"]


def test_a_repository_without_configuration_is_no_checkpoint(hub: ModelHub, sharded: Path) -> None:
    (sharded / "config.json").unlink()
    hub.add_model(REPO, sharded)
    with pytest.raises(UsageError, match=r"keeps no config\.json"):
        download_config(REPO)
