"""From protected photos and answers to a record: what is kept of photos, and numbers that any reader finds again."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from example_tables import make_rows
from leaderboard_example import make_record

from bench.core.errors import DataError, VeilBenchError
from bench.core.progress import quiet
from bench.core.store import ArtifactStore
from bench.defenses.photo import encode_png
from bench.stages.answer import ANSWERS_FILE
from bench.stages.base import StageSpec, Workspace
from bench.stages.photos import PROTECTED_FILE, training_pairs
from bench.stages.quality import PHOTOS_FILE, QualitySpec, compare_photos
from bench.stages.questions import QuestionsSpec, requests_of
from bench.stages.record import RECORD_FILE, RecordSpec
from bench.stages.references import ArtifactReference, DatasetReference, PinnedPlugin
from bench.stages.score import ROWS_FILE, VALUES_FILE, ScoreSpec
from evaluators.base import ANSWER_COLUMNS, Evaluator, Metric, value_rows
from evaluators.registry import evaluators
from leaderboard.evidence.scorer import scorer_digest
from leaderboard.evidence.tables import PHOTO_COLUMNS
from leaderboard.records import load_records, write_record
from leaderboard.schema import Record
from scenarios.dataset import Dataset, load_dataset, save_dataset
from scenarios.pixels import decode_pixels

OWN = ("run_digest", "suite", "invocation", "spec", "controls", "environment", "artifacts", "disclosures")


class Place:
    """A store with protected photos of the miniature dataset in it."""

    def __init__(self, folder: Path, location: str) -> None:
        self.store = ArtifactStore(folder)
        whole = load_dataset(location)
        self.dataset = DatasetReference(location, None, whole.digest, len(whole.pairs), len(whole.probes))
        protected = shifted(whole, 8)
        frame = pd.DataFrame({"pair_id": list(protected), "image": list(protected.values()), "largest_change": 8})
        self.protected = self.keep("protect-noise", lambda folder: frame.to_parquet(folder / PROTECTED_FILE))

    def keep(self, kind: str, write: Any) -> ArtifactReference:
        """Put into the store what ``write`` writes."""
        return ArtifactReference(kind, self.store.compute(kind, {}, write).key)

    def compute(self, spec: StageSpec) -> ArtifactReference:
        """Run a stage into the store."""
        return self.keep(spec.kind, lambda folder: spec.compute(self.workspace(folder)))

    def workspace(self, folder: Path) -> Workspace:
        """What a stage may touch."""
        return Workspace(self.store, folder, quiet())

    def table(self, reference: ArtifactReference, name: str) -> pd.DataFrame:
        """A table of an artifact."""
        return pd.read_parquet(self.workspace(Path()).artifact(reference) / name)


def shifted(dataset: Dataset, levels: int) -> dict[str, bytes]:
    """Every training photo, one channel of one pixel changed by so many grey levels."""
    pairs = training_pairs(dataset)
    changed = {}
    for pair_id, image in zip(pairs["pair_id"], pairs["image"], strict=True):
        pixels = decode_pixels(pair_id, image).copy()
        pixels[0, 0, 0] = pixels[0, 0, 0] + levels if pixels[0, 0, 0] < 128 else pixels[0, 0, 0] - levels
        changed[pair_id] = encode_png(pixels)
    return changed


def pinned(subject: str) -> tuple[PinnedPlugin, ...]:
    """The evaluators of answers or of photos that come with the project."""
    kinds = {name: evaluators.get(name) for name in evaluators.built_in()}
    return tuple(PinnedPlugin(name, kind.__module__) for name, kind in kinds.items() if kind.subject == subject)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Place:
    """The store that the tests share."""
    folder = tmp_path_factory.mktemp("record-stages")
    save_dataset(dataset, folder / "miniature")
    return Place(folder / "store", str(folder / "miniature"))


@pytest.fixture(scope="module")
def quality(place: Place) -> ArtifactReference:
    """The compared photos."""
    return place.compute(QualitySpec(place.dataset, place.protected, pinned("photos")))


@pytest.fixture(scope="module")
def scores(place: Place) -> ArtifactReference:
    """Scored answers of a model that knows every second answer."""
    questions = QuestionsSpec(place.dataset, place.protected, 1.0, 0)
    asked = requests_of(questions, place.workspace(Path()))
    rows = []
    for number, (request, options, answer) in enumerate(
        zip(asked["request_id"], asked["options"], asked["answer"], strict=True)
    ):
        known = list(options).index(answer) if len(options) else -1
        choice = known if number % 2 or known < 0 else (known + 1) % len(options)
        likely = [-1.0 if option == choice else -2.0 for option in range(len(options))]
        said = answer if number % 2 else "no idea"
        row = {"request_id": request, "text": said, "choice": choice, "option_logprobs": likely, "status": "ok"}
        rows.append(row)
    frame = pd.DataFrame(rows)
    answers = place.keep("answer", lambda folder: frame.to_parquet(folder / ANSWERS_FILE))
    return place.compute(ScoreSpec(questions, answers, pinned("answers")))


def test_what_is_kept_of_photos_says_how_far_each_is_from_its_original(
    place: Place, quality: ArtifactReference, dataset: Dataset
) -> None:
    photos = place.table(quality, PHOTOS_FILE)
    assert set(photos) == {*PHOTO_COLUMNS, "ssim", "psnr"}
    assert photos["pair_id"].tolist() == training_pairs(dataset)["pair_id"].tolist()
    assert set(photos["largest_change"]) == {8.0}
    assert (photos["psnr"] > 40).all() and (photos["original_digest"] != photos["protected_digest"]).all()
    assert photos["person_id"].tolist() == training_pairs(dataset)["person_id"].tolist()


def test_a_photo_of_another_size_is_named(dataset: Dataset) -> None:
    pairs = training_pairs(dataset)
    protected = dict(zip(pairs["pair_id"], pairs["image"], strict=True))
    name = pairs["pair_id"].iloc[1]
    protected[name] = encode_png(np.zeros((20, 20, 3), dtype=np.uint8))
    with pytest.raises(DataError, match=f"photo '{name}'"):
        compare_photos(pairs, protected, [])


def test_a_metric_without_a_value_for_each_photo_is_refused(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    class Overall(Evaluator):
        subject = "photos"
        metrics = (Metric("overall", "index", "up", "One number for all photos."),)

        def measure(self, rows: pd.DataFrame) -> pd.DataFrame:
            return value_rows("overall", rows[:1].assign(all="everything"), "all", [1.0])

    monkeypatch.setitem(evaluators._plugins, "overall", Overall)
    with pytest.raises(VeilBenchError, match="'overall' has a value for 'everything', which is no photo"):
        compare_photos(training_pairs(dataset), shifted(dataset, 1), ["overall"])


def test_scored_answers_keep_all_columns_and_the_values_beside_them(place: Place, scores: ArtifactReference) -> None:
    rows, values = place.table(scores, ROWS_FILE), place.table(scores, VALUES_FILE)
    assert list(rows) == list(ANSWER_COLUMNS)
    assert {"leakage", "zero", "excess"} <= set(values["metric"])


def content(place: Place) -> dict[str, Any]:
    """What a plan says of a run before it is measured."""
    record = make_record("noise", "naive", make_rows((0.5, 0.9, 0.9), 0, 2), dataset_digest=place.dataset.digest)
    return {name: value for name, value in record.model_dump(mode="json").items() if name in OWN}


@pytest.fixture(scope="module")
def computed(place: Place, scores: ArtifactReference, quality: ArtifactReference) -> Record:
    """The record that the stage makes."""
    both = (*pinned("answers"), *pinned("photos"))
    made = place.compute(RecordSpec(content(place), scores, quality, both))
    return Record.model_validate_json((place.workspace(Path()).artifact(made) / RECORD_FILE).read_bytes())


def test_a_record_says_what_measured_it(computed: Record) -> None:
    assert computed.evaluators == evaluators.built_in()
    assert computed.scorer == scorer_digest(evaluators.built_in())
    assert computed.rows is computed.people is computed.photos is None
    leakage, ssim = computed.metric("leakage"), computed.metric("ssim")
    assert leakage is not None and leakage.value == pytest.approx(0.5, abs=0.1)
    assert ssim is not None and ssim.value is not None and ssim.value > 0.9


def test_any_reader_finds_its_numbers_again(
    place: Place,
    computed: Record,
    scores: ArtifactReference,
    quality: ArtifactReference,
    dataset: Dataset,
    tmp_path: Path,
) -> None:
    rows, photos = place.table(scores, ROWS_FILE), place.table(quality, PHOTOS_FILE)
    write_record(computed, rows, dataset.people, photos, {}, tmp_path)
    (read,) = load_records(tmp_path)
    assert {(one.name, one.scenario): one for one in read.metrics} == {
        (one.name, one.scenario): one for one in computed.metrics
    }
    assert read.people is not None and read.photos is not None


def test_the_base_control_has_no_photos(place: Place, scores: ArtifactReference) -> None:
    spec = RecordSpec(content(place), scores, None, pinned("answers"))
    assert "leaderboard.measuring" in spec.modules and "evaluators.scoring" in spec.modules
    assert spec.modules[: len(pinned("answers"))] == tuple(one.module for one in pinned("answers"))
