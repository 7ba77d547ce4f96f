"""How far one gets without looking: who always gives each scenario's commonest answer, and who guesses blindly."""

from statistics import fmean
from typing import Any

import pandas as pd

from generators.checks.finding import CheckReport, Finding
from scenarios.dataset import Dataset

CHECK = "balance"
MOST_OVER_CHANCE = 1.5
"""A majority guesser above this multiple of chance is worth a warning: a model may learn the prior alone."""


def check_balance(dataset: Dataset) -> CheckReport:
    """The shares of each answer, and the majority guesser's score and chance, as means over the scenarios.

    Held-out probes with options count.
    """
    asked = dataset.probes[(dataset.probes["kind"] == "held_out") & (dataset.probes["options"].map(len) > 0)]
    if asked.empty:
        return CheckReport((Finding("warning", CHECK, "", "no held_out probe has options: nothing can be guessed."),))
    findings, majorities, chances = [], [], []
    for scenario, part in asked.groupby("scenario", sort=False):
        shares = part["answer"].value_counts(normalize=True).sort_index()
        majority, chance = float(shares.max()), fmean(1 / len(options) for options in part["options"])
        majorities.append(majority)
        chances.append(chance)
        findings.append(_finding(str(scenario), shares, majority, chance))
    figures = {
        "majority_guesser": fmean(majorities),
        "chance": fmean(chances),
        "largest_majority": max(majorities),
    }
    return CheckReport(tuple(findings), figures)


def _finding(scenario: str, shares: "pd.Series[Any]", majority: float, chance: float) -> Finding:
    told = ", ".join(f"{answer} {share:.2f}" for answer, share in shares.items())
    if majority <= MOST_OVER_CHANCE * chance + 1e-9:
        return Finding("note", CHECK, f"scenario {scenario}", f"{told}; chance is {chance:.2f}.")
    message = f"who always says '{shares.idxmax()}' is right in {majority:.2f} of cases, and chance is {chance:.2f}"
    return Finding("warning", CHECK, f"scenario {scenario}", f"{message}: balance the answers ({told}).")
