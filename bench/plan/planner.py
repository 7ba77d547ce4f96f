"""From a suite to its plan: a pure function of the suite and of the digests in its ingredients.

A stage's key covers the keys of the stages before it. So every key is known before anything ran, and a cached suite
needs neither an accelerator library nor a worker process.
"""

from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from bench.core.digests import digest_json
from bench.plan.ingredients import AttackIngredient, DefenseIngredient, Ingredients
from bench.plan.plan import Plan, PlannedRun
from bench.plan.suite import Suite
from bench.stages.answer import AnswerSpec
from bench.stages.base import Stage, StageSpec, stage_key
from bench.stages.finetune import FinetuneSpec
from bench.stages.protect import ProtectSpec
from bench.stages.quality import QualitySpec
from bench.stages.questions import QuestionsSpec
from bench.stages.record import RecordSpec
from bench.stages.references import ArtifactReference, DatasetReference, PinnedTarget, artifacts_named_in, identity
from bench.stages.score import ScoreSpec
from bench.stages.synthesize import SynthesizeSpec
from bench.targets.base import TargetSpec
from leaderboard.schema import BASE, UNDEFENDED

_NO_ATTACK: dict[str, Any] = {"recipe": {}, "synthesis": {}, "adaptive": False}


def build_plan(suite: Suite, ingredients: Ingredients, backend: str = "transformers") -> Plan:
    """All stages and runs of a suite: its defenses under its attacks, and always both controls."""
    planner = _Planner(suite, ingredients, backend)
    protections = {
        label: {people.cohort: planner.plan_protection(label, people) for people in ingredients.cohorts}
        for label in ingredients.defenses
    }
    for target in ingredients.targets:
        for people in ingredients.cohorts:
            base = planner.plan_run(_Choice(target, people, UNDEFENDED, BASE, 1.0, 0), None, None)
            for seed, attack in product(suite.seeds, suite.attacks):
                undefended = planner.plan_run(_Choice(target, people, UNDEFENDED, attack, 1.0, seed), base, None)
                for label in ingredients.defenses:
                    for ratio in suite.ratios if label != UNDEFENDED else ():
                        planner.plan_run(_Choice(target, people, label, attack, ratio, seed), base, undefended)
    return Plan(
        suite,
        planner.stages,
        tuple(planner.runs),
        protections,
        ingredients.limit,
        dict(ingredients.code_sources),
    )


def _among(people: DatasetReference) -> str:
    """What tells names of stages of one cohort from those of another."""
    return f" cohort {people.cohort}" if people.cohort else ""


@dataclass(frozen=True)
class _Choice:
    """A run before it has stages: what was chosen of everything that a suite varies."""

    target: PinnedTarget
    people: DatasetReference
    label: str
    attack: str
    ratio: float
    seed: int

    @property
    def is_base(self) -> bool:
        return self.attack == BASE

    @property
    def title(self) -> str:
        """What ends the names of its stages."""
        name = self.target.spec.checkpoint
        return f"base {name}{_among(self.people)}" if self.is_base else f"{self.label} {self.attack} {name}{self.drawn}"

    @property
    def drawn(self) -> str:
        """Cohort, ratio where not all photos are protected, and seed."""
        return f"{_among(self.people)}{'' if self.ratio == 1 else f' ratio {self.ratio:g}'} seed {self.seed}"


def _precision(spec: TargetSpec) -> str:
    """The number type that the target computes in, and how its weights are quantized."""
    return spec.dtype if spec.quantization == "none" else f"{spec.dtype} on {spec.quantization} weights"


class _Planner:
    def __init__(self, suite: Suite, ingredients: Ingredients, backend: str) -> None:
        self.backend = backend
        self.suite = suite
        self.given = ingredients
        self.stages: dict[str, Stage] = {}
        self.runs: list[PlannedRun] = []
        self._names: dict[ArtifactReference, str] = {}
        self._told = {name: _told_of_attack(attack) for name, attack in ingredients.attacks.items()}

    def plan_protection(self, label: str, people: DatasetReference) -> str:
        """Protect all photos of a cohort once; ratios, attacks, targets and training seeds share it."""
        defense = self.given.defenses[label]
        title = f"{label}{_among(people)}"
        made = self._add(
            title,
            ProtectSpec(
                people,
                defense.plugin,
                defense.options,
                defense.budget.norm,
                defense.budget.eps,
                defense.surrogates,
                self.suite.defense_seed,
            ),
        )
        self._add(title, QualitySpec(people, made.reference, self.given.photo_evaluators))
        return made.name

    def plan_run(self, choice: _Choice, base: str | None, undefended: str | None) -> str:
        """Everything that one run needs; returns its digest. ``base`` and ``undefended`` are those of its controls.

        Each control is read against itself.
        """
        behind = self._stages_behind(choice)
        spec = self._run_spec(choice)
        planned = digest_json({"spec": spec, "scores": behind["score"].key})
        base = base or planned
        undefended = undefended or (None if choice.is_base else planned)
        content = {
            "run_digest": planned,
            "suite": self.suite.name,
            # How it was asked for is told when it is published: another file name computes nothing anew.
            "invocation": {"suite": self.suite.name},
            "spec": spec,
            "controls": {
                "base": None if choice.is_base else base,
                "undefended": undefended,
            },
            "environment": {**self.given.environment, "dtype": _precision(choice.target.spec)},
            "artifacts": {what: stage.key for what, stage in behind.items()},
            "disclosures": [],
        }
        behind["record"] = self._record(choice, content, behind)
        self._note(choice, planned, tuple(one for one in (base, undefended) if one), behind)
        return planned

    def _note(self, choice: _Choice, digest: str, controls: tuple[str, ...], behind: dict[str, Stage]) -> None:
        self.runs.append(
            PlannedRun(
                label=choice.label,
                defense=self.given.defenses[choice.label].plugin.name,
                attack=choice.attack,
                target=choice.target.spec.checkpoint,
                cohort=choice.people.cohort,
                ratio=choice.ratio,
                seed=choice.seed,
                digest=digest,
                controls=tuple(one for one in controls if one != digest),
                stages={what: stage.name for what, stage in behind.items()},
            )
        )

    def _stages_behind(self, choice: _Choice) -> dict[str, Stage]:
        """Protection, fine-tuning, answers and scores; the base control has only the last two."""
        behind: dict[str, Stage] = {}
        if not choice.is_base:
            title = f"{choice.label}{_among(choice.people)}"
            behind = {what: self.stages[f"{what} {title}"] for what in ("protect", "quality")}
            behind["finetune"] = self._finetune(choice, behind["protect"])
        protected, tuned = behind.get("protect"), behind.get("finetune")
        questions = QuestionsSpec(choice.people, protected.reference if protected else None, choice.ratio, choice.seed)
        rank = 0 if choice.is_base else self.given.attacks[choice.attack].recipe.lora_rank
        adapter = tuned.reference if tuned else None
        behind["answer"] = self._add(choice.title, AnswerSpec(questions, choice.target, adapter, self.backend, rank))
        scored = ScoreSpec(questions, behind["answer"].reference, self.given.answer_evaluators)
        behind["score"] = self._add(choice.title, scored)
        return behind

    def _finetune(self, choice: _Choice, protected: Stage) -> Stage:
        attack = self.given.attacks[choice.attack]
        made = self._synthesize(choice, protected)
        spec = FinetuneSpec(
            choice.people,
            protected.reference,
            choice.ratio,
            choice.target,
            attack.recipe,
            choice.seed,
            made.reference if made else None,
            choice.attack,
        )
        return self._add(choice.title, spec)

    def _synthesize(self, choice: _Choice, protected: Stage) -> Stage | None:
        """The photos that the attacker makes; all targets share them. None where it trains on the shared photos."""
        attack = self.given.attacks[choice.attack]
        if attack.synthesis is None:
            return None
        spec = SynthesizeSpec(
            choice.people,
            protected.reference,
            choice.ratio,
            attack.synthesis,
            attack.synthesis_digest,
            choice.seed,
        )
        return self._add(f"{choice.label} {choice.attack}{choice.drawn}", spec)

    def _record(self, choice: _Choice, content: dict[str, Any], behind: dict[str, Stage]) -> Stage:
        looked = behind.get("quality")
        spec = RecordSpec(
            content=content,
            scores=behind["score"].reference,
            quality=looked.reference if looked else None,
            evaluators=(*self.given.answer_evaluators, *self.given.photo_evaluators),
        )
        return self._add(choice.title, spec)

    def _run_spec(self, choice: _Choice) -> dict[str, Any]:
        """The run as its record tells it: plain JSON values."""
        defense = self.given.defenses[choice.label]
        spec: dict[str, Any] = identity(
            {
                "dataset": self.given.dataset_name,
                "dataset_digest": self.given.dataset_digest,
                "limit": self.given.limit,
                "cohort": choice.people.cohort,
                **_told_of_defense(defense),
                "defense_seed": self.suite.defense_seed,
                "ratio": choice.ratio,
                "attack": choice.attack,
                "target": choice.target.spec.checkpoint,
                "target_digest": choice.target.digest,
                "target_family": choice.target.spec.family,
                "backend": self.backend,
                **(_NO_ATTACK if choice.is_base else self._told[choice.attack]),
                "seed": choice.seed,
                "bootstrap": {"resamples": self.suite.bootstrap.resamples, "seed": self.suite.bootstrap.seed},
            }
        )
        return spec

    def _add(self, title: str, spec: StageSpec) -> Stage:
        """The stage of a spec; it waits for the stages whose artifacts the spec names."""
        inputs = {
            "spec": identity(spec),
            "code": self.given.code_digest((type(spec).__module__, *spec.modules)),
            "libraries": dict(self.given.libraries),
        }
        name = f"{spec.name} {title}"
        before = dict.fromkeys(self._names[one] for one in artifacts_named_in(spec))
        stage = Stage(name, stage_key(spec.kind, inputs), inputs, spec, tuple(before))
        self.stages[name] = stage
        self._names.setdefault(stage.reference, name)
        return stage


def _told_of_defense(defense: DefenseIngredient) -> dict[str, Any]:
    return {
        "defense": defense.plugin.name,
        "defense_options": defense.options,
        "surrogates": [{"checkpoint": one.spec.checkpoint, "digest": one.digest} for one in defense.surrogates],
        "budget_norm": defense.budget.norm,
        "budget_eps": defense.budget.eps,
        "visible": defense.visible,
    }


def _told_of_attack(attack: AttackIngredient) -> dict[str, Any]:
    synthesis = asdict(attack.synthesis) if attack.synthesis else {}
    return {"recipe": asdict(attack.recipe), "synthesis": synthesis, "adaptive": attack.adaptive}
