"""From a suite to its plan: a pure function of the suite and of the digests in its ingredients.

A stage's key covers the keys of the stages before it. So every key is known before anything ran, and a cached suite
needs neither an accelerator library nor a worker process.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.core.digests import digest_json
from bench.publish.disclosures import run_disclosures
from bench.plan.ingredients import Ingredients
from bench.plan.plan import Plan, Run
from bench.stages.base import (
    AnswerSpec,
    FinetuneSpec,
    PinnedTarget,
    ProtectSpec,
    QualitySpec,
    QuestionsSpec,
    RecordSpec,
    ScoreSpec,
    Stage,
    StageFunction,
    SynthesizeSpec,
    identity,
    stage_key,
)
from bench.stages.answer import answer
from bench.stages.finetune import finetune
from bench.stages.protect import protect
from bench.stages.quality import quality
from bench.stages.record import record
from bench.stages.score import score
from bench.stages.synthesize import synthesize
from bench.plan.suites import Suite
from bench.targets.base import TargetSpec
from leaderboard.schema import BASE, UNDEFENDED

GUESSED_SECONDS = {
    "optimise": 0.6,
    "protect": 0.01,
    "quality": 0.01,
    "synthesize": 0.4,
    "finetune": 0.015,
    "answer": 0.015,
    "score": 0.001,
    "record": 1.0,
}
"""Seconds a unit on one core with the embedded target; only the order of work rests on them."""


def build_plan(suite: Suite, ingredients: Ingredients, backend: str = "transformers") -> Plan:
    """All stages and runs of a suite: its defenses under its attacks, and always both controls."""
    planner = _Planner(suite, ingredients, backend)
    for defense in ingredients.defenses:
        planner.plan_protection(defense)
    for target in ingredients.targets:
        base = planner.plan_run(_Cell(target, UNDEFENDED, BASE, 1.0, 0), None, None)
        for seed in suite.seeds:
            for attack in suite.attacks:
                undefended = planner.plan_run(_Cell(target, UNDEFENDED, attack, 1.0, seed), base, None)
                for defense in ingredients.defenses:
                    for ratio in suite.ratios if defense != UNDEFENDED else ():
                        planner.plan_run(_Cell(target, defense, attack, ratio, seed), base, undefended)
    protections = {defense: f"protect {defense}" for defense in ingredients.defenses}
    return Plan(suite, planner.stages, tuple(planner.runs), protections)


@dataclass(frozen=True)
class _Cell:
    """A run before it has stages."""

    target: PinnedTarget
    defense: str
    attack: str
    ratio: float
    seed: int

    @property
    def is_base(self) -> bool:
        return self.attack == BASE

    @property
    def label(self) -> str:
        name = self.target.spec.checkpoint
        if self.is_base:
            return f"base {name}"
        ratio = "" if self.ratio == 1 else f" ratio {self.ratio:g}"
        return f"{self.defense} {self.attack} {name}{ratio} seed {self.seed}"


@dataclass(frozen=True)
class _Planned:
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
        self.runs: list[Run] = []

    def plan_protection(self, name: str) -> None:
        """Protect all photos once; ratios, attacks, targets and training seeds share it."""
        defense = self.given.defenses[name]
        spec = ProtectSpec(
            dataset=self.given.dataset,
            defense=name,
            options=defense.options,
            budget_norm=self.suite.budget.norm,
            budget_eps=self.suite.budget.eps,
            surrogates=self.given.surrogates if defense.needs_surrogate else (),
            seed=self.suite.defense_seed,
        )
        modules = [defense.module, *(self.given.family_modules[one.spec.family] for one in spec.surrogates)]
        photos = self.given.n_photos
        rate = GUESSED_SECONDS["optimise" if defense.needs_surrogate else "protect"]
        made = self._add("protect", name, protect, spec, (), modules, photos, f"protect-{name}", rate)
        looked = QualitySpec(self.given.dataset, made.reference)
        self._add("quality", name, quality, looked, (made,), self.given.photo_evaluators, photos)

    def plan_run(self, cell: _Cell, base: _Planned | None, undefended: _Planned | None) -> _Planned:
        """Everything that one run needs. Each control is measured against itself."""
        before = (
            {} if cell.is_base else {what: self.stages[f"{what} {cell.defense}"] for what in ("protect", "quality")}
        )
        if not cell.is_base:
            before["finetune"] = self._finetune(cell, before["protect"])
        behind = self._ask(cell, before)
        spec = self._run_spec(cell)
        planned = _Planned(behind["score"], digest_json({"spec": spec, "scores": behind["score"].key}))
        base = base or planned
        undefended = undefended or (None if cell.is_base else planned)
        content = {
            "run_digest": planned.digest,
            "suite": self.suite.name,
            # Publishing tells how this suite was asked for: another file name computes nothing anew.
            "invocation": {"suite": self.suite.name},
            "spec": spec,
            "controls": {
                "base": None if cell.is_base else base.digest,
                "undefended": undefended.digest if undefended else None,
            },
            "environment": {**self.given.environment, "dtype": _precision(cell.target.spec)},
            "artifacts": {what: stage.key for what, stage in behind.items()},
            "disclosures": self._disclosures(cell),
        }
        self._record(cell, content, behind, base, undefended)
        stages = {**{what: stage.name for what, stage in behind.items()}, "record": f"record {cell.label}"}
        self.runs.append(
            Run(
                cell.defense,
                cell.attack,
                cell.target.spec.checkpoint,
                cell.ratio,
                cell.seed,
                planned.digest,
                stages,
            )
        )
        return planned

    def _disclosures(self, cell: _Cell) -> list[str]:
        if cell.is_base:
            return list(self.given.disclosures)
        defense = self.given.defenses[cell.defense]
        surrogates = self.given.surrogates if defense.needs_surrogate else ()
        return run_disclosures(self.given.disclosures, cell.defense, cell.target, surrogates)

    def _finetune(self, cell: _Cell, protected: Stage) -> Stage:
        attack = self.given.attacks[cell.attack]
        made = self._synthesize(cell, protected)
        spec = FinetuneSpec(
            self.given.dataset,
            protected.reference,
            cell.ratio,
            cell.target,
            attack.recipe,
            cell.seed,
            made.reference if made else None,
        )
        modules = [self.given.family_modules[cell.target.spec.family]]
        units = self.given.n_photos * attack.recipe.epochs
        kind = f"finetune-{cell.attack}"
        after = [protected, *([made] if made else [])]
        return self._add("finetune", cell.label, finetune, spec, after, modules, units, kind=kind)

    def _synthesize(self, cell: _Cell, protected: Stage) -> Stage | None:
        """The photos that the attacker makes; all targets share them. None where it trains on the shared photos."""
        attack = self.given.attacks[cell.attack]
        if attack.synthesis is None:
            return None
        spec = SynthesizeSpec(
            self.given.dataset,
            protected.reference,
            cell.ratio,
            attack.synthesis,
            attack.synthesis_digest,
            cell.seed,
        )
        ratio = "" if cell.ratio == 1 else f" ratio {cell.ratio:g}"
        label = f"{cell.defense} {cell.attack}{ratio} seed {cell.seed}"
        units = self.given.n_photos * attack.synthesis.photos_per_pair
        return self._add("synthesize", label, synthesize, spec, (protected,), (), units)

    def _ask(self, cell: _Cell, before: dict[str, Stage]) -> dict[str, Stage]:
        """The stages behind a run, with the answers and their scores added."""
        protected, tuned = before.get("protect"), before.get("finetune")
        questions = QuestionsSpec(self.given.dataset, protected.reference if protected else None, cell.ratio, cell.seed)
        spec = AnswerSpec(
            questions,
            cell.target,
            tuned.reference if tuned else None,
            self.backend,
            0 if cell.is_base else self.given.attacks[cell.attack].recipe.lora_rank,
        )
        after = [stage for stage in (protected, tuned) if stage]
        modules = [self.given.family_modules[cell.target.spec.family]]
        asked = self._add("answer", cell.label, answer, spec, after, modules, self.given.n_probes)
        scored = self._add(
            "score",
            cell.label,
            score,
            ScoreSpec(questions, asked.reference),
            [asked, *([protected] if protected else [])],
            self.given.answer_evaluators,
            self.given.n_probes,
        )
        return {**before, "answer": asked, "score": scored}

    def _record(
        self,
        cell: _Cell,
        content: dict[str, Any],
        behind: dict[str, Stage],
        base: _Planned,
        undefended: _Planned | None,
    ) -> None:
        looked = behind.get("quality")
        spec = RecordSpec(
            content=content,
            scores=behind["score"].reference,
            base=base.scores.reference,
            undefended=undefended.scores.reference if undefended else None,
            quality=looked.reference if looked else None,
        )
        after = [
            behind["score"],
            base.scores,
            *([undefended.scores] if undefended else []),
            *([looked] if looked else []),
        ]
        modules = (*self.given.answer_evaluators, *self.given.photo_evaluators)
        self._add("record", cell.label, record, spec, after, modules, 1)

    def _run_spec(self, cell: _Cell) -> dict[str, Any]:
        """The run as its record tells it: plain JSON values."""
        defense = self.given.defenses[cell.defense]
        recipe = {} if cell.is_base else asdict(self.given.attacks[cell.attack].recipe)
        surrogates = self.given.surrogates if defense.needs_surrogate else ()
        synthesis = None if cell.is_base else self.given.attacks[cell.attack].synthesis
        spec: dict[str, Any] = identity(
            {
                "dataset": self.given.dataset_name,
                "dataset_digest": self.given.dataset.digest,
                "limit": self.given.dataset.limit,
                "defense": cell.defense,
                "defense_options": defense.options,
                "defense_seed": self.suite.defense_seed,
                "surrogates": [{"checkpoint": one.spec.checkpoint, "digest": one.digest} for one in surrogates],
                "budget_norm": self.suite.budget.norm,
                "budget_eps": self.suite.budget.eps,
                "visible": defense.visible,
                "ratio": cell.ratio,
                "attack": cell.attack,
                "target": cell.target.spec.checkpoint,
                "target_digest": cell.target.digest,
                "target_family": cell.target.spec.family,
                "backend": self.backend,
                "recipe": recipe,
                "synthesis": asdict(synthesis) if synthesis else {},
                "seed": cell.seed,
                "bootstrap": {"resamples": self.suite.bootstrap.resamples, "seed": self.suite.bootstrap.seed},
            }
        )
        return spec

    def _add(
        self,
        what: str,
        label: str,
        function: StageFunction,
        spec: Any,
        after: Sequence[Stage],
        modules: Sequence[str],
        units: float,
        kind: str | None = None,
        rate: float | None = None,
    ) -> Stage:
        code = self.given.code_digest([function.__module__, *modules])
        inputs = {"spec": identity(spec), "code": code, "libraries": dict(self.given.libraries)}
        kind = kind or what
        stage = Stage(
            name=f"{what} {label}",
            kind=kind,
            key=stage_key(kind, inputs),
            inputs=inputs,
            function=function,
            spec=spec,
            depends_on=tuple(dict.fromkeys(stage.name for stage in after)),
            units=units,
            guess=units * (rate or GUESSED_SECONDS[what]),
        )
        self.stages[stage.name] = stage
        return stage
