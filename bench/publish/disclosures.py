"""What a reader of a record must know before quoting its numbers; one sentence each."""

from collections.abc import Sequence

from leaderboard.schema import TRANSFER, WHITE_BOX, Record

SEEDS_FOR_A_CLAIM = 3

ABOUT_DEFENSES = {
    "dp2vl": "DP²-VL is reimplemented from the public abstract of arXiv 2603.23925: loss, steps and views are our "
    "documented choices, not the paper's.",
}


def suite_disclosures(
    embedded: Sequence[str], sources: Sequence[str], n_seeds: int, limit: int | None
) -> tuple[str, ...]:
    """Sentences that hold for every run of a suite.

    ``embedded`` names the targets that come with the package, ``sources`` where the photos come from. ``limit`` is
    None unless it leaves people out.
    """
    said = []
    if embedded:
        which = "The target is an embedded tiny model" if len(embedded) == 1 else "The targets are embedded tiny models"
        said.append(
            f"{which} ({', '.join(embedded)}): these are not figures of LLaVA-1.5-7B or of any other published model."
        )
    if set(sources) == {"rendered"}:
        said.append("Every person is fictitious and every photo is rendered.")
    if n_seeds < SEEDS_FOR_A_CLAIM:
        seeds = "one training seed" if n_seeds == 1 else f"{n_seeds} training seeds"
        said.append(f"Only {seeds}: intervals cover the choice of people, hardly that of training runs.")
    if limit is not None:
        said.append(f"Only the first {limit} people of each cohort and as many strangers were used.")
    return tuple(said)


def run_disclosures(of_suite: Sequence[str], record: Record) -> list[str]:
    """The suite's sentences and, but for the base control, those about the run's defense and what it optimised against.

    Who reads a record's numbers must read these, too.
    """
    said = list(of_suite)
    if record.is_base:
        return said
    if record.spec.defense in ABOUT_DEFENSES:
        said.append(ABOUT_DEFENSES[record.spec.defense])
    names = ", ".join(one.checkpoint for one in record.spec.surrogates)
    if record.spec.access == WHITE_BOX:
        said.append(
            f"The defense optimised against the attacked encoder itself ({names}): the best case for the owner."
        )
    elif record.spec.access == TRANSFER:
        said.append(f"The defense optimised against another encoder ({names}) than the attacked one: a transfer.")
    return said
