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
        "model finds likeliest is the true one. Guessing reaches chance, which the page prints beside it.",
    ),
    "normalised": Words(
        "Normalised leakage",
        "0: no more than a model that never saw the photos. 1: as much as without any defense.",
        "Leakage on a scale whose two ends were measured: (L − L base) ÷ (L undefended − L base). 0 means that the "
        "model tells no more than before anybody fine-tuned it, 1 that the defense changes nothing. Below 0 it "
        "tells less than guessing would. Where the two controls cannot be told apart the number is refused.",
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
        "Defenses are ordered by their worst case. Two whose difference could be chance (paired test over persons, "
        "Holm-corrected, level 0.05) share a range: 1–2 means that first and second place are both possible.",
    ),
    "worst": Words(
        "Worst case",
        "The highest normalised leakage over all attackers that were tried: the headline number.",
        "The highest normalised leakage over all attackers that were tried, with the attacker that reached it. This is "
        "the headline: an owner cannot choose the attacker. It is refused where the number is missing for any of "
        "them. An attacker that nobody tried may be worse.",
    ),
    "any_target": Words(
        "Highest over targets",
        "The worst case on the target where most of the leak remains.",
        "The worst case on the target where most of the leak remains: the highest over all attackers and all targets "
        "that were tried, and no mean of anything. An owner cannot choose the target either. It is refused where the "
        "number of any target is missing. Ranks and p-values hold within one target's table.",
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
        "Leakage under the worst attacker minus leakage without a defense: below 0 the defense helps.",
        "Leakage under the worst attacker minus leakage without a defense under the same attacker, with its 95 % "
        "interval. The p-value is that of a paired test over persons (signs of whole persons' differences are "
        "flipped at random), adjusted by Holm's method for all defenses of the table. A large one means that the "
        "defense cannot be told from none.",
    ),
    "interval": Words(
        "95 % interval",
        "Bootstrap over persons and training seeds.",
        "The two numbers in brackets. People are drawn again with replacement, and so are training seeds; 95 of "
        "100 such draws fall inside. The person is the unit: more questions on the same person do not narrow it. With "
        "one seed it does not know how much another training run would differ. Where several seeds have one record "
        "each, the mean is shown with the lowest and highest of their ends.",
    ),
    "seconds": Words(
        "Seconds per photo",
        "Time to protect one photo on the machine that made this page; not part of the record.",
        "Time to protect one photo on the machine that made this page. It depends on that machine, so it stands in a "
        "file beside the record and never in it.",
    ),
    "unscored": Words(
        "Unscored",
        "Open answers that are invalid or failed, and choices that could not be made. Never counted as protected.",
        "Open answers that are empty, do not end or failed, and forced choices that could not be made or failed, out "
        "of all open answers and all forced choices. They are counted here and never as protected.",
    ),
}

ATTACKS = {
    "base": "Nobody fine-tunes: the model as it came. It can only guess.",
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
    "blur": "Gaussian blur over the face",
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
