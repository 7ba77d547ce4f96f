"""Checkpoints are found, and what is not there says what to do."""

from pathlib import Path

import pytest

from bench.core.errors import UsageError
from bench.targets.checkpoints import checkpoint_digest, resolve_checkpoint, shipped_checkpoints


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


def test_a_hub_model_that_was_never_downloaded_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match=r"hf download llava-hf/llava-1\.5-7b-hf"):
        resolve_checkpoint("llava-hf/llava-1.5-7b-hf")
