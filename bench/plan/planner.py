"""From a suite to its plan: a pure function of the suite and of the digests in its ingredients.

A stage's key covers the keys of the stages before it. So every key is known before anything ran, and a cached suite
needs neither an accelerator library nor a worker process.
"""

from dataclasses import asdict, dataclass
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
from bench.stages.references import ArtifactReference, PinnedTarget, artifacts_named_in, identity
from bench.stages.score import ScoreSpec
from bench.stages.synthesize import SynthesizeSpec
from bench.targets.base import TargetSpec
from leaderboard.schema import BASE, UNDEFENDED


def build_plan(suite: Suite, ingredients: Ingredients, backend: str = "transformers") -> Plan:
    """All stages and runs of a suite: its defenses under its attacks, and always both controls."""
    planner = _Planner(suite, ingredients, backend)
    for label in ingredients.defenses:
        planner.plan_protection(label)
    for target in ingredients.targets:
        base = planner.plan_run(_Choice(target, UNDEFENDED, BASE, 1.0, 0), None, None)
        for seed in suite.seeds:
            for attack in suite.attacks:
                undefended = planner.plan_run(_Choice(target, UNDEFENDED, attack, 1.0, seed), base, None)
                for label in ingredients.defenses:
                    for ratio in suite.ratios if label != UNDEFENDED else ():
                        planner.plan_run(_Choice(target, label, attack, ratio, seed), base, undefended)
    protections = {label: f"protect {label}" for label in ingredients.defenses}
    return Plan(
        suite,
        planner.stages,
        tuple(planner.runs),
        protections,
        ingredients.dataset.limit,
        dict(ingredients.code_sources),
    )


@dataclass(frozen=True)
class _Choice:
    """A run before it has stages: what was chosen of everything that a suite varies."""

    target: PinnedTarget
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
        return f"base {name}" if self.is_base else f"{self.label} {self.attack} {name}{self.drawn}"

    @property
    def drawn(self) -> str:
        """Ratio, where not all photos are protected, and seed."""
        return f"{'' if self.ratio == 1 else f' ratio {self.ratio:g}'} seed {self.seed}"


@dataclass(frozen=True)
class _Control:
    """A run whose scores a later run is measured against."""

    scores: Stage
    digest: str


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

    def plan_protection(self, label: str) -> None:
        """Protect all photos once; ratios, attacks, targets and training seeds share it."""
        defense = self.given.defenses[label]
        made = self._add(
            label,
            ProtectSpec(
                self.given.dataset,
                defense.plugin,
                defense.options,
                defense.budget.norm,
                defense.budget.eps,
                defense.surrogates,
                self.suite.defense_seed,
            ),
        )
        self._add(label, QualitySpec(self.given.dataset, made.reference, self.given.photo_evaluators))

    def plan_run(self, choice: _Choice, base: _Control | None, undefended: _Control | None) -> _Control:
        """Everything that one run needs. Each control is measured against itself."""
        behind = self._stages_behind(choice)
        spec = self._run_spec(choice)
        planned = _Control(behind["score"], digest_json({"spec": spec, "scores": behind["score"].key}))
        base = base or planned
        undefended = undefended or (None if choice.is_base else planned)
        content = {
            "run_digest": planned.digest,
            "suite": self.suite.name,
            # How it was asked for is told when it is published: another file name computes nothing anew.
            "invocation": {"suite": self.suite.name},
            "spec": spec,
            "controls": {
                "base": None if choice.is_base else base.digest,
                "undefended": undefended.digest if undefended else None,
            },
            "environment": {**self.given.environment, "dtype": _precision(choice.target.spec)},
            "artifacts": {what: stage.key for what, stage in behind.items()},
            "disclosures": [],
        }
        behind["record"] = self._record(choice, content, behind, base, undefended)
        self._note(choice, planned, tuple(one.digest for one in (base, undefended) if one), behind)
        return planned

    def _note(self, choice: _Choice, planned: _Control, controls: tuple[str, ...], behind: dict[str, Stage]) -> None:
        self.runs.append(
            PlannedRun(
                label=choice.label,
                defense=self.given.defenses[choice.label].plugin.name,
                attack=choice.attack,
                target=choice.target.spec.checkpoint,
                ratio=choice.ratio,
                seed=choice.seed,
                digest=planned.digest,
                controls=tuple(digest for digest in controls if digest != planned.digest),
                stages={what: stage.name for what, stage in behind.items()},
            )
        )

    def _stages_behind(self, choice: _Choice) -> dict[str, Stage]:
        """Protection, fine-tuning, answers and scores; the base control has only the last two."""
        behind: dict[str, Stage] = {}
        if not choice.is_base:
            behind = {what: self.stages[f"{what} {choice.label}"] for what in ("protect", "quality")}
            behind["finetune"] = self._finetune(choice, behind["protect"])
        protected, tuned = behind.get("protect"), behind.get("finetune")
        questions = QuestionsSpec(
            self.given.dataset, protected.reference if protected else None, choice.ratio, choice.seed
        )
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
            self.given.dataset,
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
            self.given.dataset,
            protected.reference,
            choice.ratio,
            attack.synthesis,
            attack.synthesis_digest,
            choice.seed,
        )
        return self._add(f"{choice.label} {choice.attack}{choice.drawn}", spec)

    def _record(
        self,
        choice: _Choice,
        content: dict[str, Any],
        behind: dict[str, Stage],
        base: _Control,
        undefended: _Control | None,
    ) -> Stage:
        looked = behind.get("quality")
        spec = RecordSpec(
            content=content,
            scores=behind["score"].reference,
            base=base.scores.reference,
            undefended=undefended.scores.reference if undefended else None,
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
                "dataset_digest": self.given.dataset.digest,
                "limit": self.given.dataset.limit,
                **_told_of_defense(defense),
                "defense_seed": self.suite.defense_seed,
                "ratio": choice.ratio,
                "attack": choice.attack,
                "target": choice.target.spec.checkpoint,
                "target_digest": choice.target.digest,
                "target_family": choice.target.spec.family,
                "backend": self.backend,
                **({"recipe": {}, "synthesis": {}} if choice.is_base else self._told[choice.attack]),
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
    return {"recipe": asdict(attack.recipe), "synthesis": asdict(attack.synthesis) if attack.synthesis else {}}
