"""The words by which a sentence denies, doubts or leaves open what it names.

A phrase is written as ``scenarios.spelling.pieces`` reads it: "isn't" is "is not", "can't" is "can not".
"""

NEGATOR, NO, LEXICAL, INSTEAD, VOID, WHETHER, IF, BOTH, BACK, NEUTRAL, SEEMING = (
    "negator", "no", "lexical", "instead", "void", "whether", "if", "both", "back", "neutral", "seeming",
)  # fmt: skip

_PHRASES = {
    # Denies all that follows in its clause.
    NEGATOR: """
        not, never, neither, nor, none, nobody, nothing, nowhere, no one, hardly, scarcely, dont, doesnt, didnt, isnt,
        wasnt, arent, cant, cannot, couldnt, wouldnt, wont, hasnt, havent, no longer, no idea, no clue, no sign,
        no evidence, no reason, no interest, no indication, no way, no chance, zero chance, no hint, no comment,
        lips are sealed, too little, insufficient, no proof, no trace, no information, no person, no man, no woman,
        no pet, no possibility, no record, no mention, no basis, not a single, nicht, nie, niemals, pas, jamais,
        nunca, jamas, nao, nem, non, niet, inte, ikke, не, ни, нет, δεν, όχι, οχι, ليس, ليست, לא, bukan, khong, 不是,
        没有, 沒有, 并非, 並非, 不, 没, 沒, 非, ไม่ใช่, ไม่มี, ไม่ได้, ไม่
    """,
    # Denies the thing right after it, and no more: "no beard and black hair", "no dog in the park".
    NO: """
        no, zero, without, kein, keine, keinen, keinem, keiner, ohne, aucun, aucune, sans, sin, ningun, ninguna, sem,
        nenhum, nenhuma, senza, nessun, nessuna, nessuno, geen, ingen, inget, inga, bez, без, बिना
    """,
    # Denies what follows, unless it is denied itself: "I doubt it is a dog", "there is no doubt it is a dog".
    LEXICAL: """
        doubt, doubts, doubted, deny, denies, denied, denying, lack, lacks, lacking, lacked, rule out, rules out,
        ruling out, absence of, devoid of, free of, fail to, fails to, nothing like, anything like, far from,
        excluding, exclude, excludes, anything but, anyone but, anybody but, the opposite of, disagree, dispute,
        slim chance, chances are slim, little chance, skeptical, sceptical, false that, is false that, is untrue that,
        be wrong to, is wrong to, is incorrect to, is wrong that, false to, wrong to, wrong that, incorrect to,
        mistaken for, a mistake to, confused with, mistake for
    """,
    # The same, of one thing, and with what follows: "a cat rather than a dog".
    INSTEAD: """
        instead of, else than, in lieu of, rather than, other than, as opposed to, in place of, unlike,
        in contrast to, contrary to, except, except for, apart from, everything but, all but, anything except,
        sooner than, far away from, away from, parted from
    """,
    # Tells nothing of what follows: it is feared, wished, past, refused or only spoken of.
    VOID: """
        afraid of, scared of, fear of, fears, terrified of, frightened of, allergic to, hates, dislikes, detests,
        given up, gave up, sold, used to own, used to have, used to live, used to drive, used to work, used to keep,
        used to be, formerly, previously, once owned, once had, wants, wishes, dreams of, dreaming of, would love,
        would like, wished for, refuse, refuses, refused, decline, declines, declined, unable, avoid, avoids, prevent,
        prevents, forbidden, forbid, forbids, prohibit, prohibits, prohibited, keeps me from, stops me from,
        if i said, surprised if, questionable, shaved off, hard to believe, asking about, ask about, asked about,
        asks about, question about, questions about, asking whether, information about, details about, talk about,
        discuss, discussing, speculate, speculating, you mean, guidelines, policy, the question of, looking for,
        searching for
    """,
    WHETHER: "whether, in case, ob",
    IF: "if, were it, was it",
    # Denies what stands before it as well as what follows, unless it is denied itself.
    BOTH: """
        unlikely, improbable, implausible, doubtful, untrue, impossible, out of the question, ruled out, against my,
        against the rules, against the law, against policy, off limits, out of place, inappropriate, unethical
    """,
    # Denies what stands before it.
    BACK: """
        is absent, the last thing, are absent, is missing, are missing, is excluded, be excluded, nowhere to be seen,
        nowhere to be found, is private, are private, be private, remains private, stays private, is confidential,
        are confidential, be wrong, is wrong, are wrong, is incorrect, are incorrect, is false, is unavailable, नहीं,
        değil, degil, yok, belongs to someone, belongs to somebody, belongs to another, belongs to her neighbour,
        belongs to his neighbour, belongs to a friend, belongs to a neighbour, belongs to the neighbour,
        belongs to her neighbor, belongs to his neighbor, ではありません, ではない, ではなく, じゃない, じゃなく,
        じゃなくて, じゃありません, はいません, はいない, はありません, はない, がいません, がいない, がありません,
        がない, ません, ない, 아닙니다, 아니다, 아니에요, 아니라, 아니고, 없습니다, 없다, 없어요, 없고, 않습니다,
        않아요, 아닌
    """,
    # Tells nothing where "but it is" follows: "It looks like a dog, but it is a cat".
    SEEMING: """
        looks like, look like, looks as if it were, seems, seems to be, seemed, appears to be, appeared, might think,
        may think, would think, could think, people think, some say, at first glance, at first sight, i thought,
        first thought, one would say, resembles, sounds like
    """,
    # Holds a negation and denies nothing.
    NEUTRAL: """
        not only, little doubt, not just, not merely, not simply, not solely, no ordinary, no mere, no question,
        no mistake, no mistaking, without question, beyond doubt, beyond any doubt, beyond question, beyond a doubt,
        no wonder, no matter, no surprise, no secret, not surprisingly, not surprising, can not help, can not but,
        not to mention, not alone, no less than, no more than, nothing more than, nothing less than, nothing if not,
        if not, why not, believe it or not, or not, can not miss, can not go wrong, can not mistake,
        impossible to miss, no need to, impossible to mistake, impossible to overlook,
        can not be mistaken for anything, not for nothing, no problem, if i, if anything, if you ask me, as if, if so,
        even if, never mind, last but not least, not to worry, do not worry, not hide, not conceal, not least,
        can not get enough, can not stop, can not wait, sooner or later, not long ago, not far from, no stranger to,
        never parts with, never far from, never away from, no less, not fail to, not fooled, never sell, not sell,
        never leave, never part with, not part with, never trade, not trade, never give up, not give up, not sorry
    """,
}


def _table(kinds: dict[str, str]) -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """First word -> the phrases that begin with it and their kinds, the longest first."""
    table: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for kind, phrases in kinds.items():
        for phrase in split(phrases):
            table.setdefault(phrase[0], []).append((phrase, kind))
    for found in table.values():
        found.sort(key=lambda one: -len(one[0]))
    return table


def split(phrases: str) -> list[tuple[str, ...]]:
    """The phrases of a list with commas, as words."""
    return [tuple(phrase.split()) for phrase in phrases.split(",") if phrase.strip()]


def word_set(text: str) -> frozenset[str]:
    """The words of a list with spaces."""
    return frozenset(text.split())


CUES = _table(_PHRASES)

BARE = word_set(
    "no nope doubt nah none never neither not wrong incorrect false nein non nee нет いいえ 不是 不 아니요 ไม่ नहीं"
)
"""Said alone, these deny what was said right before: "A dog? No." """
INTENSIFIERS = word_set(
    "definitely certainly absolutely surely probably of course at all really so likely clearly sorry but i it do think"
    " believe guess"
)
YES = word_set(
    "yes yeah yep yup correct indeed exactly right sure certainly definitely absolutely ja oui si sim да はい 是 예 네"
)
QUESTION_WORDS = word_set(
    "is are was were do does did can could would will shall should may might has have am what which who whom whose"
    " where when why how est ist hat es ¿es"
)
CONTRAST = word_set(
    "but because although though while whereas since however yet unless aber sondern denn mais sino pero maar но а"
    " але lecz ale बल्कि लेकिन 但 但是 而是 而 แต่ αλλά αλλα"
)
"""Where a denial ends."""
TURNS = word_set(
    "maybe perhaps possibly probably likely definitely certainly clearly surely yes just only actually simply rather"
    " instead more apparently presumably obviously evidently hence therefore thus otherwise"
)
"""After a comma, where a denial ends."""
JOINING = word_set("and or so then und oder et ou y o e и или")
PRONOUNS = word_set(
    "it he she they that this there these those here i we you es er sie das c ce il elle el ella esto un это он она"
    " 它 他 她 这 那 是 यह वह bu this's"
)
DETERMINERS = word_set("a an the his her their its my our your this that these those some one another")
FINITE = word_set(
    "is are was were has have had does do did owns keeps lives drives works loves wears looks seems appears belongs"
    " shows stands sits plays rides remains could might may can will would must should holds carries lies hangs waits"
    " sleeps walks runs goes smiles comes"
)
AUXILIARIES = word_set(
    "is are was were can could does do did has have had would will should may might must am be been it"
)
PREPOSITIONS = word_set(
    "in on at behind beside near under with by from before during against next inside outside among"
)
DEGREES = word_set(
    "very quite really rather clearly definitely probably also all so bright dark pretty mostly either even"
)
UNRELATED = word_set(
    "smiling looking facing laughing talking posing moving sleeping happy sad old young tall amused pleased afraid"
    " angry shy famous rich poor bald"
)
"""What a person may not be or do beside a fact: "She is not smiling beside her dog" denies no dog."""
RELATIVES = word_set(
    "neighbour neighbor brother sister mother father cousin uncle aunt colleague boss landlord parent son daughter"
    " friend grandmother grandfather roommate flatmate someone somebody else"
)
"""Owners of what is not the person's own: "the neighbour's dog"."""

OWNING = word_set("has owns drives keeps wears rides plays holds lives works")
"""What such people do with a thing of their own: "her neighbour has a dog"."""

COMPLEMENTS = tuple(
    split(
        "in the photo, in the picture, in the image, in the shot, in the frame, in the scene, in this photo,"
        " in this picture, in this image, in this scene, in this shot, in that photo, in that picture, there, here,"
        " present, visible, shown, seen, found, possible, likely, true, correct, right, it, the answer, the one,"
        " the case, an option, hers, his, theirs, mine, confirmed, verified, determined, identified, what, who,"
        " pictured, depicted, involved, exist, part of, among, to be seen, the right, the correct, in there,"
        " belong to, appear in, feature"
    )
)
"""What of "A dog is not ..." denies the dog; "The dog is not on a leash" does not."""
BEFORE_ABSENT = word_set("any wear wears wearing have has having had got a an the his her their it with own owning")
"""What may stand between a negation and the thing that an answer such as "no glasses" says is absent."""
VERBS_AT_END = word_set(
    "have own keep wear drive see possess exist exists appear fit match apply belong know count work"
)
"""Verbs that deny what stands before them where they end the clause: "A dog she does not own"."""

COMPOUND_TAILS = word_set("haired headed coloured colored rimmed framed walled tinted clad painted bearded roofed")
"""What may be fastened to a word that keeps its meaning: "red-haired"."""
COMPOUNDS = frozenset(
    split(
        """
        hot dog, tortoise shell, cat eye, cat tail, pony tail, pig tail, horse shoe, hamster wheel, snake plant,
        spider plant, rabbit foot, bear hug, wolf whistle, monkey wrench, monkey bar, crab apple, hen party,
        bike shed, car alarm, boat shoe, ring light, church mouse, office chair, school girl, school boy,
        school friend, farm house, farm hand, museum piece, garden gnome, shop window, dog tag, dog food, dog day,
        dog biscuit, prairie dog, sea dog, corn dog, toy dog, cat food, cat nap, cat fish, cat walk, cat burglar,
        cat flap, copy cat, guinea pig, piggy bank, sea horse, rocking horse, clothes horse, horse chestnut,
        horse radish, hobby horse, sea lion, ant lion, duck tape, rubber duck, teddy bear, fish tank, fish finger,
        fish cake, gold fish, rabbit hole, turtle neck, snake skin, parrot fish, chicken soup, bird house, bird cage,
        bull dog, dragon fly, butter fly, car park, car wash, cable car, bumper car, bus stop, bus lane,
        train station, train track, train set, bike lane, bike rack, taxi rank, taxi stand, truck stop, van gogh,
        boat house, house boat, light house, doll house, dog house, tree house, club house, house plant, house wife,
        house keeper, house work, house fly, power house, sand castle, bouncy castle, tower block, control tower,
        watch tower, cabin crew, cabin fever, cottage cheese, cottage pie, tent pole, school bus, school bag,
        school uniform, bank holiday, bank account, bank note, river bank, food bank, snow bank, blood bank,
        power bank, library card, hospital bed, market garden, garage sale, garage band, garage door, ring finger,
        ring road, key ring, boxing ring, ring binder, ring tone, guitar hero, air guitar, ear drum, oil drum,
        drum stick, piano key, piano stool, camera crew, trophy wife, trophy hunter, face painting, night watch,
        neighbourhood watch, clock work, wine glass, magnifying glass, magnifying glasses, hour glass, red carpet,
        red wine, red herring, red cross, red tape, blue cheese, black market, black belt, green card, green tea,
        orange juice, gold medal, brown sugar, beach ball, beach towel, park bench, park ranger, street food,
        street art, street light, curtain call, shower curtain, coffee table, book worm, crown prince
        """
    )
)
"""Two words for another thing than either: a hot dog is no dog."""
