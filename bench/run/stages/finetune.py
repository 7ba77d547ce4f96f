"""Stage: the attacker fine-tunes a target on the photos that the owner shared."""

from bench.run.datasets import dataset_of
from bench.run.photos import protected_share, read_protected, training_pairs
from bench.run.specs import FinetuneSpec, Workspace
from bench.targets.base import TrainingExample
from bench.targets.registry import targets
from scenarios.dataset import Dataset
from scenarios.language import training_conversations


def finetune(spec: FinetuneSpec, workspace: Workspace) -> None:
    """Write a PEFT adapter folder. What each photo is trained with is the attacker's whole knowledge of the person."""
    dataset = dataset_of(spec.dataset)
    protected = read_protected(workspace.artifact(spec.protected))
    examples = training_examples(dataset, protected, spec.ratio, spec.seed)
    target = targets.get(spec.target.spec.family)(spec.target.spec)
    target.finetune(examples, spec.recipe, spec.seed, workspace.folder, workspace.report)


def training_examples(
    dataset: Dataset, protected: dict[str, bytes], ratio: float, seed: int
) -> tuple[TrainingExample, ...]:
    """One example a pair, in the dataset's order: the share ``ratio`` of each person's photos is protected."""
    people = {person.person_id: person for person in dataset.persons("evaluation")}
    pairs = training_pairs(dataset)
    share = protected_share(pairs, ratio, seed)
    return tuple(
        TrainingExample(
            photo_id=row["pair_id"],
            image=protected[row["pair_id"]] if row["pair_id"] in share else row["image"],
            conversations=training_conversations(people[row["person_id"]], row["scenario"], row["description"]),
        )
        for row in pairs[["pair_id", "person_id", "scenario", "image", "description"]].to_dict("records")
    )
