"""``veilbench target check`` as a user meets it, with a hub on this machine."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import environment
from miniature_world import veilbench
from model_hub import ModelHub

REPO = "somebody/model"


@pytest.fixture
def hub(checkpoint: Path) -> Iterator[ModelHub]:
    with ModelHub() as server:
        server.add_model(REPO, checkpoint)
        yield server


@pytest.mark.slow
def test_a_hub_model_is_fetched_when_that_is_asked_for_and_checked(hub: ModelHub, tmp_path: Path) -> None:
    known = environment(hub.url, tmp_path / "home")
    check = ("target", "check", REPO, "--backend", "transformers", "--steps", 2)
    refused = veilbench(*check, folder=tmp_path, **known)
    assert refused.returncode == 2 and hub.requests == []
    assert refused.stderr.startswith(f"Error: checkpoint '{REPO}' is not on this machine: run `hf download {REPO}`")
    finished = veilbench(*check, "--download", "--json", folder=tmp_path, **known)
    assert finished.returncode == 0, finished.stderr
    values = json.loads(finished.stdout)
    assert values["checkpoint"] == REPO and values["wrong"] == []
    assert values["transformers_base"]["status"] in ("ok", "invalid")
    assert "download: " in finished.stderr and "MB" in finished.stderr
    # What is here is not asked for again, so that no hub is needed.
    known["HF_ENDPOINT"] = "http://127.0.0.1:9"
    again = veilbench(*check, "--download", folder=tmp_path, **known)
    assert again.returncode == 0, again.stderr
    table = {line[6:38].strip(): line[38:] for line in again.stdout.splitlines()}
    assert table["checkpoint"] == REPO and table["seconds per step"].endswith("(4 photos, 4 questions each)")


def test_without_a_hub_one_sentence_names_the_file(tmp_path: Path) -> None:
    known = environment("http://127.0.0.1:9", tmp_path / "home")
    finished = veilbench("target", "check", "llava-hf/llava-1.5-7b-hf", "--download", folder=tmp_path, **known)
    assert finished.returncode == 1 and "Traceback" not in finished.stderr
    assert "cannot be reached" in finished.stderr
    assert finished.stderr.strip().endswith("download config.json of llava-hf/llava-1.5-7b-hf.")


def test_a_checkpoint_of_no_family_is_refused_before_its_weights_are_fetched(
    hub: ModelHub, checkpoint: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(checkpoint, tmp_path / "other"))
    (other / "config.json").write_text('{"model_type": "qwen"}')
    hub.add_model("somebody/first-qwen", other)
    known = environment(hub.url, tmp_path / "home")
    finished = veilbench("target", "check", "somebody/first-qwen", "--download", folder=tmp_path, **known)
    assert finished.returncode == 2 and "take Qwen2-VL" in finished.stderr
    assert hub.fetched() == ["config.json"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("tiny-lava", "did you mean 'tiny-llava'"),
        ("tiny-llava --dtype float33", "unknown dtype 'float33'"),
        ("tiny-llava --backend vlm", "unknown backend 'vlm'"),
        ("tiny-llava --quantization 8bit", "unknown quantization '8bit'"),
        ("tiny-llava --backend both --vllm no-such-command", "command 'no-such-command' was not found"),
    ],
)
def test_wrong_use_is_one_sentence(tmp_path: Path, arguments: str, said: str) -> None:
    finished = veilbench("target", "check", *arguments.split(), folder=tmp_path)
    assert finished.returncode == 2 and said in finished.stderr
    assert "Traceback" not in finished.stderr and finished.stdout == ""
