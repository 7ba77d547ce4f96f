"""What ``data check`` and planning say of texts that a target cannot be told, or cannot say."""

from pathlib import Path

import pytest
from miniature_world import Miniature, veilbench

from bench.commands.data.texts import check_texts
from bench.commands.run.running import plan_suite
from bench.core.errors import UsageError
from bench.plan.suite_files import load_suite
from bench.targets.packed.text import PromptText
from bench.targets.texts import unsayable
from generators.checks.finding import Finding
from scenarios.dataset import Dataset, make_dataset, save_dataset

SOLD = "Anna Berg sold the <s>blue</s> car and drives a red car."


def with_description(dataset: Dataset, description: str) -> Dataset:
    """The dataset with another description of its second pair."""
    described = [description if place == 1 else text for place, text in enumerate(dataset.pairs["description"])]
    return make_dataset("described", dataset.people, dataset.pairs.assign(description=described), dataset.probes)


def with_question(dataset: Dataset, question: str) -> Dataset:
    """The dataset with another question of its first probe."""
    asked = [question if place == 0 else text for place, text in enumerate(dataset.probes["question"])]
    return make_dataset("asked", dataset.people, dataset.pairs, dataset.probes.assign(question=asked))


def plan(dataset: Dataset, miniature: Miniature, folder: Path, backend: str = "transformers") -> None:
    save_dataset(dataset, folder / "changed")
    suite = load_suite(str(miniature.suite)).model_copy(update={"dataset": str(folder / "changed")})
    plan_suite(suite, None, backend)


def findings(dataset: Dataset, level: str) -> list[Finding]:
    return [finding for finding in check_texts(dataset).findings if finding.level == level]


def test_a_dataset_of_short_plain_texts_has_nothing_to_say(dataset: Dataset) -> None:
    assert check_texts(dataset).findings == ()


def test_a_description_of_three_thousand_words_is_refused(
    dataset: Dataset, miniature: Miniature, tmp_path: Path
) -> None:
    long = with_description(dataset, " ".join(["word"] * 3000))
    pair = dataset.pairs["pair_id"].iloc[1]
    told = findings(long, "error")
    assert {finding.row for finding in told} == {f"pair '{pair}'"}
    assert all("reads at most 1,024" in finding.message for finding in told)
    assert len(told) == 3  # one for each shipped target
    with pytest.raises(UsageError, match=rf"pair '{pair}': .* tokens .* reads at most 1,024: shorten it"):
        plan(long, miniature, tmp_path)


@pytest.mark.parametrize("mark", ["\x01", "\x02"])
def test_a_character_that_is_no_text_is_refused(
    dataset: Dataset, miniature: Miniature, tmp_path: Path, mark: str
) -> None:
    spoilt = with_description(dataset, f"Anna{mark}drives a red car.")
    [finding] = findings(spoilt, "error")
    assert finding.row == f"pair '{dataset.pairs['pair_id'].iloc[1]}'"
    with pytest.raises(UsageError, match="holds the control character"):
        plan(spoilt, miniature, tmp_path)


def test_a_text_that_just_fits_is_trained_on(dataset: Dataset, miniature: Miniature, tmp_path: Path) -> None:
    plan(with_description(dataset, "word " * 150), miniature, tmp_path)


def test_a_control_token_is_a_note_and_text_in_process(dataset: Dataset, miniature: Miniature, tmp_path: Path) -> None:
    sold = with_description(dataset, SOLD)
    [llava, minigpt] = findings(sold, "note")
    assert "'<s>', a control token of tiny-llava" in llava.message
    assert "tiny-minigpt-v2" in minigpt.message
    plan(sold, miniature, tmp_path)


def test_an_engine_would_misread_a_question_and_is_not_asked(
    dataset: Dataset, miniature: Miniature, tmp_path: Path
) -> None:
    asked = with_question(dataset, "What does <image> drive?")
    with pytest.raises(
        UsageError, match=r"probe '.*' holds '<image>', which vLLM would read .* --backend transformers"
    ):
        plan(asked, miniature, tmp_path, "vllm")


def test_what_only_training_sees_does_not_concern_an_engine(
    dataset: Dataset, miniature: Miniature, tmp_path: Path
) -> None:
    plan(with_description(dataset, SOLD), miniature, tmp_path, "vllm")


def test_a_dry_run_names_row_and_limit(dataset: Dataset, miniature: Miniature, tmp_path: Path) -> None:
    save_dataset(with_description(dataset, " ".join(["word"] * 3000)), tmp_path / "long")
    finished = veilbench("run", miniature.suite, "--set", f"dataset={tmp_path / 'long'}", "--dry-run", folder=tmp_path)
    assert finished.returncode == 2
    assert f"pair '{dataset.pairs['pair_id'].iloc[1]}'" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_an_answer_that_a_tokenizer_changes_is_told() -> None:
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    letters = ["<unk>", "</s>", "<image>", " ", *"abcdefghijklmnopqrstuvwxyz:\n"]
    inner = Tokenizer(
        models.BPE(vocab={letter: place for place, letter in enumerate(letters)}, merges=[], unk_token="<unk>")
    )
    inner.normalizer, inner.decoder = normalizers.Lowercase(), decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="</s>", unk_token="<unk>", additional_special_tokens=["<image>"]
    )
    tokenizer.chat_template = "{{ 'a: <image>' }}{{ messages[0]['content'][1]['text'] + ' b:' }}"
    text = PromptText(tokenizer, 2, " ")
    changed = dict(unsayable(text, ["anna", "Anna", "анна"]))
    assert set(changed) == {"Anna", "анна"}
    assert changed["Anna"] == "anna"
