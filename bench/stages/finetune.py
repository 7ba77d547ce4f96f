"""Stage: the attacker fine-tunes a target on the photos that the owner shared, or on photos made out of them."""

from dataclasses import dataclass

from bench.stages.base import Needs, StageSpec, Workspace
from bench.stages.datasets import dataset_of
from bench.stages.photos import read_protected, read_synthesized, shared_photos, training_pairs
from bench.stages.references import ArtifactReference, DatasetReference, PinnedTarget, undecisive
from bench.targets.base import Recipe, TrainingExample
from bench.targets.registry import build_target
from scenarios.dataset import Dataset
from scenarios.language import training_conversations


@dataclass(frozen=True)
class FinetuneSpec(StageSpec):
    """Fine-tune on the photos, a share ``ratio`` of each person's protected. The recipe is the adapted one.

    Where ``synthesized`` is given, its photos take the place of the shared ones. ``attack`` only names the kind of
    stage in the store: attackers differ in what a photo epoch takes.
    """

    name = "finetune"
    seconds_per_unit = 0.03

    dataset: DatasetReference
    protected: ArtifactReference
    ratio: float
    target: PinnedTarget
    recipe: Recipe
    seed: int
    synthesized: ArtifactReference | None = None
    attack: str = undecisive("")

    @property
    def kind(self) -> str:
        """Attackers differ in what a photo epoch takes."""
        return f"{self.name}-{self.attack}" if self.attack else self.name

    @property
    def units(self) -> float:
        """Photo epochs."""
        return self.dataset.n_photos * self.recipe.epochs

    @property
    def needs(self) -> Needs:
        """Weights, gradients and activations."""
        return Needs(memory_bytes=1_000_000_000 + 4 * self.target.weight_bytes, accelerator=True)

    @property
    def modules(self) -> tuple[str, ...]:
        """The target's family."""
        return (self.target.module,)

    def compute(self, workspace: Workspace) -> None:
        """Write a PEFT adapter folder, or a checkpoint where the recipe trains every weight.

        What each photo is trained with is the attacker's whole knowledge of the person.
        """
        dataset = dataset_of(self.dataset)
        if self.synthesized is None:
            protected = read_protected(workspace.artifact(self.protected))
            shared = shared_photos(dataset, protected, self.ratio, self.seed)
            images: dict[str, tuple[bytes, ...]] = {pair_id: (image,) for pair_id, image in shared.items()}
        else:
            images = read_synthesized(workspace.artifact(self.synthesized))
        examples = training_examples(dataset, images)
        target = build_target(self.target.spec, workspace.features)
        target.finetune(examples, self.recipe, self.seed, workspace.folder, workspace.report, workspace.resume)


def training_examples(dataset: Dataset, images: dict[str, tuple[bytes, ...]]) -> tuple[TrainingExample, ...]:
    """One example a pair, in the dataset's order, with the photos that the attacker has of it."""
    people = {person.person_id: person for person in dataset.persons("evaluation")}
    return tuple(
        TrainingExample(
            photo_id=row["pair_id"],
            images=images[row["pair_id"]],
            conversations=training_conversations(people[row["person_id"]], row["scenario"], row["description"]),
        )
        for row in training_pairs(dataset)[["pair_id", "person_id", "scenario", "description"]].to_dict("records")
    )
