"""Every question that one model is asked, and the answers spread back over them."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from bench.core.digests import digest_bytes, digest_json
from bench.core.errors import DataError, VeilBenchError
from bench.stages.base import Workspace
from bench.stages.datasets import dataset_of
from bench.stages.photos import protected_share, read_protected, training_pairs
from bench.stages.references import ArtifactReference, DatasetReference
from scenarios.dataset import Dataset
from scenarios.pixels import decode_pixels

PROBE_COLUMNS = ["probe_id", "person_id", "scenario", "kind", "question", "answer", "aliases", "options"]
ANSWER_COLUMNS = ["text", "choice", "option_logprobs", "status"]


@dataclass(frozen=True)
class QuestionsSpec:
    """Which questions are asked: every probe, and member probes again on protected photos where those are given.

    ``seed`` and ``ratio`` decide which photos were protected, as they did when fine-tuning.
    """

    dataset: DatasetReference
    protected: ArtifactReference | None
    ratio: float
    seed: int


def requests_of(spec: QuestionsSpec, workspace: Workspace) -> pd.DataFrame:
    """The rows of ``build_requests`` for a model that was fine-tuned on a share of protected photos, or on none."""
    dataset = dataset_of(spec.dataset)
    if spec.protected is None:
        return build_requests(dataset, None)
    share = protected_share(training_pairs(dataset), spec.ratio, spec.seed)
    every = read_protected(workspace.artifact(spec.protected))
    return build_requests(dataset, {pair_id: image for pair_id, image in every.items() if pair_id in share})


def build_requests(dataset: Dataset, protected: Mapping[str, bytes] | None) -> pd.DataFrame:
    """One row a question: request_id, view, image, asked, and the probe's columns.

    Each probe is asked on its own photo (view ``clean``). Member probes are asked again (view ``protected``) on the
    saved protected photo, for the pairs in ``protected`` (pair id -> encoded photo). ``asked`` is equal for two
    rows that show the same pixels with the same question, so that such a question is put once.
    Raises DataError for a member probe whose photo is no training photo.
    """
    clean = dataset.probes[[*PROBE_COLUMNS, "image"]].assign(view="clean")
    parts = [clean]
    if protected is not None:
        parts.append(_protected_members(dataset, clean, protected))
    requests = pd.concat(parts, ignore_index=True)
    requests["request_id"] = requests["probe_id"] + "/" + requests["view"]
    named = dict(zip(requests["image"], requests["request_id"], strict=True))
    pixels = {image: _pixel_digest(name, image) for image, name in named.items()}
    requests["asked"] = [
        digest_json([pixels[row["image"]], row["question"], list(row["options"])])
        for row in requests[["image", "question", "options"]].to_dict("records")
    ]
    return requests


def unique_questions(requests: pd.DataFrame) -> pd.DataFrame:
    """What a target is given: request_id, image, question, options, each question on each picture once."""
    return requests.drop_duplicates("asked")[["request_id", "image", "question", "options"]].reset_index(drop=True)


def spread_answers(requests: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """One answer row for each request, where ``answers`` has one for each unique question.

    Raises VeilBenchError where the target left a question without an answer.
    """
    by_request = answers.set_index("request_id")
    first = requests.drop_duplicates("asked").set_index("asked")["request_id"]
    source = requests["asked"].map(first)
    unanswered = source[~source.isin(by_request.index)]
    if len(unanswered):
        raise VeilBenchError(f"the target gave no answer to {unanswered.iloc[0]} ({len(unanswered)} in all).")
    spread = by_request.loc[source, ANSWER_COLUMNS].reset_index(drop=True)
    spread.insert(0, "request_id", requests["request_id"].to_numpy())
    return spread


def _protected_members(dataset: Dataset, clean: pd.DataFrame, protected: Mapping[str, bytes]) -> pd.DataFrame:
    members = clean[clean["kind"] == "member"]
    pair_of = dict(zip(dataset.pairs["image"], dataset.pairs["pair_id"], strict=True))
    strays = members[[image not in pair_of for image in members["image"]]]
    if len(strays):
        raise DataError(f"probe '{strays['probe_id'].iloc[0]}' is a member probe, but its photo is in no pair.")
    pairs = members["image"].map(pair_of)
    shown = members[pairs.isin(list(protected))]
    return shown.assign(view="protected", image=pairs[shown.index].map(dict(protected)))


def _pixel_digest(name: str, image: bytes) -> str:
    pixels = decode_pixels(name, image)
    return digest_json([list(pixels.shape), digest_bytes(pixels.tobytes())])
