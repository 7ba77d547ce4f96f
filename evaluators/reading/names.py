"""Names that are ordinary words as well, and how a text tells which of the two it means."""

from evaluators.reading.cues import DETERMINERS, FINITE, word_set
from evaluators.reading.sentences import JOINT, SPACE, Reading

FUNCTION_NAMES = word_set(
    "an will may can are even do so my he she me you we they it i in on no not to by per or and at is was as if be go"
    " let how who what yes hi ha ho la le de van von don do don van min mine ours any all one too then than that this"
)
"""Names that are small words: at the start of a sentence hardly ever the name."""

_CONTENT_NAMES = """
    abbot ace amber angel apple april archer art ash aspen august autumn bacon baker ball banks bark basil bass bay
    bean bell bent berry best bill birch bird bishop black blade blessing bliss bloom blossom blue blunt bob bond
    branch brandy bridges bright brook brooks brown buck bud buddy bull bunny burns bush butler cable candy canyon
    captain carpenter carter case cash castle cedar chain chance charity chase cherry chip christian christmas church
    clay clemency cliff cloud clover colt comfort constance cook cookie cooper coral cove crane cross crow crystal
    daisy dale dawn day dean destiny diamond dick dolphin dot dove drake drew drummer drummond duck duke dusty earl
    early east easter ebony eden eve faith fan felicity fern field fields finch fish fisher flint flowers ford forest
    foster fox frank friar friday frost gale gardener gardner garnet gates gem gene genesis gift gill ginger glade
    glen gold golden gong goose grace grand grant gray green grey guy hai hail hall hammer happy harbor harbour hardy
    harmony harp haven hawk hazel heath heather heaven herb hill holly honey honor honour hood hook hope house hunter
    hurt indigo innocent iris irons ivory ivy jack jade jasmine jewel journey joy judge june junior juniper justice
    keen king kit knight lake lamb lance lane lark laurel lavender leaf liberty lily little long lotus love lu mace
    major marigold mark mars marsh marshal marshall mason mayor meadow melody mercury mercy merry miles miller minor
    misty mo monday monk moody moon moore moss navy nightingale noble norm north nova ocean odd olive opal pagan page
    painter park parker parsons partridge pat patience peace peach peacock pearl penn penny pepper perch petunia pike
    pip piper pit pitt plum pope poppy port porter potter pound power powers precious price primrose prince princess
    promise prudence queen rain rainbow rains raven ray reading red reed rice rich ridge river rivers rob robin rocks
    rocky rod rook root rose rosemary royal ruby rush rusty saffron sage sailor saint salmon sand sands sandy savage
    scarlet scout serenity sergeant sharp shepherd sherry shore short silver singer skip slate small smith snow
    son song sonny south sparrow spike squire star stark steel sterling stew stock stone storm stormy story street
    strong sue sugar summer sun sunday sung sunny swan sweet swift tanner taylor teal thatcher tip ton towers trace
    trinity trip troop trout tulip turner van venus viola violet wade walker ward warren waters weaver wednesday wells
    west white wild wilder willow windy winner winter winters wise wolf wood woods worth wren wright young zeal
"""
WORD_NAMES = word_set(_CONTENT_NAMES) | FUNCTION_NAMES
"""Names that are words, in small letters: first names and surnames."""

_PRONOUNS = word_set("he she it you we they i me my this that who what")
_SEASONS = word_set("may april june august summer autumn winter spring dawn eve easter christmas")
_BEFORE_SEASONS = word_set("in since until till last next during early late every by this of each mid around")
TITLES = word_set("mr mrs ms miss dr doctor prof professor sir madam lady lord st saint mister captain aunt uncle")
_ACTS = FINITE - word_set("are were have do hangs lies runs goes comes remains shows waits")
_NAMING = word_set("is named called name was be being as am are and or with of by from")
_JOINED_BY = word_set("and or who with from at in on beside near behind holding wearing standing sitting smiling")


def stands_as_name(reading: Reading, start: int, end: int) -> bool:
    """Whether a word that may be a name is meant as one, by its capital letter and by the words around it."""
    word, capital = reading.words[start], reading.capitals[start]
    if capital is None or end - start > 1:
        return True
    if start and reading.words[start - 1] in TITLES and reading.gaps[start] == SPACE:
        return True
    if not reading.case_tells:
        return word not in WORD_NAMES or _is_called(reading, start, end)
    if not capital:
        return word not in WORD_NAMES and _is_called(reading, start, end)
    if word not in WORD_NAMES:
        return True
    if reading.begins_sentence(start):
        return _acts(reading, start, end)
    before = reading.words[start - 1] if reading.gaps[start] == SPACE else ""
    if word in _SEASONS and before in _BEFORE_SEASONS:
        return False
    return before not in DETERMINERS


def _is_called(reading: Reading, start: int, end: int) -> bool:
    """Whether the words around say that it is a name: "this is will", or it stands alone."""
    if reading.begins_sentence(start):
        return _acts(reading, start, end)
    return reading.words[start - 1] in _NAMING and _ends_here(reading, end)


def _acts(reading: Reading, start: int, end: int) -> bool:
    """Whether a sentence that begins with the word goes on as after a name: "Rose is", "Rose and Ben"."""
    if _ends_here(reading, end):
        return True
    if reading.possessive[start]:
        return reading.words[start] not in FUNCTION_NAMES and reading.words[start] not in _SEASONS
    following = reading.words[end]
    if reading.words[start] in _PRONOUNS:
        return False
    return following in _ACTS and following not in ("will", "would", "can", "may", "might", "must", "could")


def _ends_here(reading: Reading, end: int) -> bool:
    """Whether a sentence or a part of it ends here, or goes on with "and", "with", "who"."""
    if end >= len(reading) or reading.gaps[end] not in (SPACE, JOINT):
        return True
    following = reading.words[end]
    if following in ("and", "or") and reading.case_tells and end + 1 < len(reading):
        # "Grace and beauty" is no person, "Grace and Tom" and "Grace and her dog" are.
        return reading.capitals[end + 1] is not False or reading.words[end + 1] in DETERMINERS
    return following in _JOINED_BY
