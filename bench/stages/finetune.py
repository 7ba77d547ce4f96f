"""Stage: the attacker fine-tunes a target on the photos that the owner shared, or on photos made out of them."""

from bench.stages.datasets import dataset_of
from bench.stages.photos import read_protected, read_synthesized, shared_photos, training_pairs
from bench.stages.base import FinetuneSpec, Workspace
from bench.targets.base import TrainingExample
from bench.targets.registry import targets
from scenarios.dataset import Dataset
from scenarios.language import training_conversations


def finetune(spec: FinetuneSpec, workspace: Workspace) -> None:
    """Write a PEFT adapter folder, or a checkpoint where the recipe trains every weight.

    What each photo is trained with is the attacker's whole knowledge of the person.
    """
    dataset = dataset_of(spec.dataset)
    if spec.synthesized is None:
        protected = read_protected(workspace.artifact(spec.protected))
        shared = shared_photos(dataset, protected, spec.ratio, spec.seed)
        images: dict[str, tuple[bytes, ...]] = {pair_id: (image,) for pair_id, image in shared.items()}
    else:
        images = read_synthesized(workspace.artifact(spec.synthesized))
    examples = training_examples(dataset, images)
    target = targets.get(spec.target.spec.family)(spec.target.spec, workspace.features)
    target.finetune(examples, spec.recipe, spec.seed, workspace.folder, workspace.report, workspace.resume)


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
