"""What the page says in words: each metric, attacker and scenario, for a reader who meets them first here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """``title`` heads a column, ``short`` stands in its tooltip, ``full`` in the section on reading the page."""

    title: str
    short: str
    full: str


METRICS = {
    "leakage": Words(
        "Leakage",
        "Share of private facts that the fine-tuned model picks rightly, shown a new photo of the person.",
        "The model is shown a new photo that shows only the person, never the thing itself, and is asked for a "
        "private fact with a handful of options. Leakage is the share of these questions where the option that the "
        "model finds likeliest is the true one.",
    ),
    "zero": Words(
        "Zero",
        "What the very same answers would reach if the facts had been dealt to the people by chance.",
        "Permutation chance: of each answer, the share of the people of the same cohort, the person included, who have "
        "the same options and whose fact that answer is. With facts that are balanced over five options it is 0.20, "
        "whatever the model does. The base model is no zero: it favours some options, and is a control beside it.",
    ),
    "excess": Words(
        "Excess",
        "Leakage above zero.",
        "Leakage minus zero, answer by answer: what the attacker gained by fine-tuning. Below 0 the model is right "
        "less often than chance would be.",
    ),
    "exposed": Words(
        "Half told",
        "Share of people of whom at least half of what was asked is told; beside it the same by chance.",
        "A low mean may hide people of whom nearly everything is told. This is the share of people at least half of "
        "whose questions are answered rightly, and in brackets the same for facts dealt to the people by chance.",
    ),
    "exposed_by_chance": Words(
        "Half told by chance",
        "The same for facts dealt to the people by chance.",
        "The mean of 200 seeded ways to deal the facts anew to the people who have the same options.",
    ),
    "worst_tenth": Words(
        "Worst tenth",
        "Mean leakage of the tenth of people of whom most is told; beside it the same by chance.",
        "Mean leakage of the tenth of people of whom most is told. Somebody always comes first: at pure chance the "
        "worst tenth of twenty people is at a third already, so the value by chance stands in brackets.",
    ),
    "worst_tenth_by_chance": Words(
        "Worst tenth by chance",
        "The same for facts dealt to the people by chance.",
        "The mean of 200 seeded ways to deal the facts anew; other people come first each time.",
    ),
    "found_at_5": Words(
        "Found among strangers",
        "New photos detected and identified where 5 % of strangers' photos raise an alarm.",
        "Somebody who does not know whether a person was trained on looks at how sure the model is: the lead of its "
        "likeliest option over the second, averaged over the facts asked on one photo. The threshold is the one that "
        "5 % of strangers' photos pass; counted are photos of trained people above it of which at least half of the "
        "facts are told.",
    ),
    "found_at_1": Words(
        "Found among strangers, 1 %",
        "The same where 1 % of strangers' photos raise an alarm; from 100 strangers on.",
        "The same with the threshold that 1 % of strangers' photos pass. It needs at least 100 strangers.",
    ),
    "detection_auc": Words(
        "Told from strangers",
        "How often a trained person's photo scores above a stranger's: 0.5 is chance.",
        "The area under the curve of detection against false alarms: how often a photo of a trained person scores "
        "above one of a stranger. At 0.5 nobody can tell who was trained on.",
    ),
    "misattributed": Words(
        "Taken for another",
        "Photos of trained people that are given another trained person's name or facts.",
        "Photos of trained people on which the model says another trained person's name, or at least half of one other "
        "person's facts and more of them than the own. It harms two people at once.",
    ),
    "leakage_open": Words(
        "Leakage, open answer",
        "Share of private facts that the model says in its own words, without options.",
        "The same questions without options: the model writes an answer, and it counts where it names the true "
        "fact, or a listed alias, as whole words, and no other option.",
    ),
    "name_open": Words(
        "Name recognised",
        "Share of new photos on which the model says the person's name, and nobody else's.",
        "Asked who is in a new photo, the share of answers with the person's full or first name and nobody else's who "
        "was trained on.",
    ),
    "member_clean": Words(
        "On its training photos, clean",
        "Right answers when asked on the training photos as they were before protection.",
        "The same questions, asked on photos that were fine-tuned on, as they were before they were protected.",
    ),
    "member_protected": Words(
        "On its training photos, as published",
        "Right answers when asked on the very photos that were fine-tuned on.",
        "The same questions, asked on the very photos that were fine-tuned on. High here and low on new photos: the "
        "model memorised the protected photos and learned nobody's face. Low in both: it learned nothing, and the "
        "defense may have broken the fine-tuning instead of protecting the person.",
    ),
    "stranger_rate": Words(
        "Strangers named",
        "Share of strangers whom the model calls by the name of a person it was trained on.",
        "Share of strangers, people on whom nothing was trained, whom the model calls by the name of one person it was "
        "trained on. Persons are counted, not photos: each by the first of the stranger's photos. A false attribution "
        "harms two people at once.",
    ),
    "utility": Words(
        "Utility",
        "Right answers about what can be seen: hair, glasses, beard, clothes, surroundings.",
        "Questions whose answer is visible in the photo, asked of people the model never saw: hair, glasses, beard, "
        "clothes and surroundings. A model that no longer answers these is broken, and a broken model is no defense.",
    ),
    "utility_open": Words(
        "Utility, open answer",
        "The same visible things, answered in the model's own words.",
        "The questions of the utility column without options.",
    ),
    "ssim": Words(
        "SSIM",
        "Structural similarity of protected and original photo; 1 means the same.",
        "Structural similarity between the original and the protected photo, the mean over photos. 1 means the same "
        "picture. Equal budgets do not mean equal looks: see the pictures.",
    ),
    "psnr": Words(
        "PSNR",
        "Peak signal-to-noise ratio of the protected photo in decibel; higher is closer to the original.",
        "Peak signal-to-noise ratio of the protected photo in decibel, the mean over photos. Higher is closer to "
        "the original. Photos left unchanged have none.",
    ),
}

COLUMNS = {
    "rank": Words(
        "Rank",
        "Defenses whose difference could be chance share a range of ranks.",
        "Defenses are ordered by the part that remains. Two whose difference could be chance (people's answers "
        "exchanged under all attackers at once, max-T over all pairs, level 0.05) share a range: 1–2 means that first "
        "and second place are both possible. Ranks are given from 3 training seeds and 100 people in 5 cohorts on.",
    ),
    "highest": Words(
        "Leakage",
        "Leakage for the attacker that gains most on this defense.",
        "Leakage for the attacker that gains most, of all that were tried, and who that is. An owner cannot choose the "
        "attacker. An attacker that nobody tried may gain more: read how many there were, and whether any of them knew "
        "the defense and adapted to it.",
    ),
    "headline": Words(
        "Part that remains",
        "Highest excess over attackers, divided by the highest excess without a defense: the headline.",
        "The highest excess (leakage above zero) over all attackers, divided by the highest excess over all attackers "
        "without a defense. 0: nothing above chance. 1: as much as without any defense. The denominator is common to "
        "all defenses, so that a weak attacker changes nothing. In each resample behind the interval both maxima are "
        "looked for anew; a maximum over many equal attackers comes out a little too high (12 of them, 20 people: "
        "about 0.03). Refused where an attacker was not tried, and where without a defense there may be less than "
        "0.10 to gain.",
    ),
    "bound": Words(
        "At most",
        "With 95 % confidence no attacker that was tried gets more than this part of the leak.",
        "One-sided 95 % upper bound of the part that remains: the largest over attackers of each one's own bound. Only "
        "where it lies below 0.10 this page says that next to nothing leaks: an interval that reaches down to 0 "
        "would show no such thing.",
    ),
    "remaining": Words(
        "Left of each attacker's gain",
        "What the defense leaves of this one attacker's own gain.",
        "Excess with the defense by excess without it, for one attacker alone. It tells which attackers a defense "
        "stops, and ranks nothing: of a weak attacker's small gain a large part may remain.",
    ),
    "any_target": Words(
        "Highest over targets",
        "The part that remains on the target where most of the leak remains.",
        "The part that remains on the target where it is highest: over all attackers and all targets that were tried, "
        "and no mean of anything. An owner cannot choose the target either. It is refused where the number of any "
        "target is missing. Ranks and p-values hold within one target's table.",
    ),
    "access": Words(
        "White box and transfer",
        "Whether the defense optimised against the very model that is attacked.",
        "Some defenses optimise the photo against a model's encoder. White box: the attacked model is among those, by "
        "the digest of its files. That is the best case for the owner, who must have guessed the attacker's model. "
        "Transfer: the defense optimised against other models only. Two models of different digests may still share "
        "an encoder; the names and digests stand in each run.",
    ),
    "difference": Words(
        "Difference to undefended",
        "Highest excess over attackers minus the highest excess without a defense: below 0 the defense helps.",
        "Highest excess over attackers minus the highest excess without a defense, with its 95 % interval. For the "
        "p-value the answers of a random half of the people are exchanged between the two lines, under all attackers "
        "at once, and both maxima are looked for anew; it is adjusted for all comparisons of the table (single-step "
        "max-T). A large one means that the defense cannot be told from none.",
    ),
    "interval": Words(
        "95 % interval",
        "Over people, or over cohorts where there are five or more.",
        "The two numbers in brackets. The person is the unit: more questions on the same person hardly narrow it. "
        "Shares are Clopper-Pearson intervals at the effective sample size (Korn and Graubard), so that twenty people "
        "who all leak give [0.83, 1.00]; headlines and differences are resampled. Training seeds are averaged first. "
        "Below five cohorts an interval does not know how much another training run, or another group of people, "
        "would differ.",
    ),
    "seconds": Words(
        "Seconds per photo",
        "Time to protect one photo on the machine that made the run; not part of the record.",
        "Time to protect one photo on the machine that made the run, which need not be the one that made this page. So "
        "it stands in a file beside the record and never in it.",
    ),
    "unscored": Words(
        "Unscored",
        "Open answers that are invalid or failed, and choices that could not be made. Never counted as protected.",
        "Open answers that are empty, do not end or failed, and forced choices that could not be made or failed, out "
        "of all open answers and all forced choices. They are counted here and never as protected.",
    ),
}

ATTACKS = {
    "base": "Nobody fine-tunes: the model as it came. It knows nobody, but may favour some answers.",
    "naive": "Fine-tunes on the photos as they are published.",
    "augment": "Fine-tunes on random crops, shifts, flips and colours of the photos, which undoes fragile defenses.",
}

ACCESS = {
    "white box": "The defense optimised against this very target: the best case for the owner.",
    "transfer": "It optimised against other models only.",
}

DEFENSES = {
    "none": "photos as they are",
    "noise": "uniform random noise at the full budget: the placebo",
    "blur": "Gaussian blur over the face; also a control for how much needs no face",
    "dp2vl": "DP²-VL, reimplemented from the public abstract",
}

SCENARIOS = {
    "home": "Home",
    "vehicle": "Vehicle",
    "pet": "Pet",
    "valuables": "Valuables",
    "partner": "Partner",
    "friends": "Friends",
    "workplace": "Workplace",
}


def topic(name: str) -> str:
    """A scenario's title, or the name itself for the question about the name and for visible things."""
    return SCENARIOS.get(name, name.replace("_", " ").capitalize())


KINDS = {
    ("held_out", "clean"): "New photos of people who were trained on",
    ("member", "clean"): "Training photos, before protection",
    ("member", "protected"): "Training photos, as published",
    ("stranger", "clean"): "Strangers",
    ("utility", "clean"): "Visible things (utility)",
}
