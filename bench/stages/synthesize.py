"""Stage: the attacker synthesizes photos of each person from the photos that the owner shared."""

import random
from dataclasses import dataclass

import pandas as pd

from bench.core.device import detect_device
from bench.core.digests import digest_json
from bench.stages.base import Needs, StageSpec, Workspace
from bench.stages.datasets import dataset_of
from bench.stages.photos import SYNTHESIZED_FILE, read_protected, shared_photos, training_pairs
from bench.stages.references import ArtifactReference, DatasetReference
from bench.targets.base import Synthesis
from generators.diffusion.embedded.synthesizer import EmbeddedSynthesizer
from generators.diffusion.synthesis import SynthesisRequest
from scenarios.dataset import Dataset
from scenarios.prompts import scene_prompt
from scenarios.schema import load_visible

BATCH_SIZE = 16


@dataclass(frozen=True)
class SynthesizeSpec(StageSpec):
    """Synthesize photos from the shared ones, of which a share ``ratio`` of each person's is protected."""

    name = "synthesize"
    seconds_per_unit = 0.4

    dataset: DatasetReference
    protected: ArtifactReference
    ratio: float
    synthesis: Synthesis
    checkpoint_digest: str
    seed: int

    @property
    def units(self) -> float:
        """Photos that are made."""
        return self.dataset.n_photos * self.synthesis.photos_per_pair

    @property
    def needs(self) -> Needs:
        """A diffusion model and a batch of its latents."""
        return Needs(memory_bytes=1_500_000_000, accelerator=True)

    def compute(self, workspace: Workspace) -> None:
        """Write synthesized.parquet: photo_id, pair_id, image (PNG)."""
        dataset = dataset_of(self.dataset)
        protected = read_protected(workspace.artifact(self.protected))
        shared = shared_photos(dataset, protected, self.ratio, self.seed)
        requests = synthesis_requests(dataset, shared, self.synthesis.photos_per_pair, self.seed)
        synthesizer = EmbeddedSynthesizer(
            checkpoint=self.synthesis.checkpoint or None,
            steps=self.synthesis.steps,
            guidance=self.synthesis.guidance,
            batch_size=BATCH_SIZE,
            device=detect_device(),
        )
        rows = []
        for photo in synthesizer.synthesize([request for _, request in requests]):
            rows.append({"photo_id": photo.photo_id, "image": photo.image})
            workspace.report(len(rows), len(requests), photo.photo_id)
        pair_of = {request.photo_id: pair_id for pair_id, request in requests}
        frame = pd.DataFrame(rows).assign(pair_id=lambda made: made["photo_id"].map(pair_of))
        frame.to_parquet(workspace.folder / SYNTHESIZED_FILE, index=False)


def synthesis_requests(
    dataset: Dataset, shared: dict[str, bytes], photos_per_pair: int, seed: int
) -> list[tuple[str, SynthesisRequest]]:
    """(pair id, request) of every photo to make: the pair's scene, in other clothes.

    Who it is comes from another shared photo of the person.
    """
    pairs = training_pairs(dataset)[["pair_id", "person_id", "scenario"]].to_dict("records")
    facts = {person.person_id: person.facts for person in dataset.persons("evaluation")}
    clothes = list(load_visible()["clothes"].phrases.values())
    requests = []
    for row in pairs:
        own = [other["pair_id"] for other in pairs if other["person_id"] == row["person_id"]]
        for number in range(photos_per_pair):
            photo_id = f"{row['pair_id']}/{number}"
            draws = random.Random(digest_json(["synthesis", seed, photo_id]))
            others = [pair_id for pair_id in own if shared[pair_id] != shared[row["pair_id"]]]
            reference = draws.choice(others or own)
            prompt = scene_prompt(
                row["scenario"], facts[row["person_id"]][row["scenario"]], f"a person {draws.choice(clothes)}", number
            )
            requests.append(
                (
                    row["pair_id"],
                    SynthesisRequest(photo_id, row["person_id"], prompt, (shared[reference],), draws.randrange(2**31)),
                )
            )
    return requests
