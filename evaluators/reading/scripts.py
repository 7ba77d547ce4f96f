"""Words of scripts that put no space between them, or fasten endings to them.

Chinese, Japanese and Thai are parted at small words that everybody uses ("is", "of", "with") and where the script
changes; what stands between two of them is one word. So 一只狗 holds 狗 and 热狗 does not, and バナナ is not ハナ.
Other scripts without spaces are not parted: there only a whole run of letters counts. Of Korean words the particles at
the end are dropped, of Arabic and Hebrew ones the article that is written with them.
"""

import re
import unicodedata
from functools import cache, lru_cache

_COUNTED = [
    one + kind
    for one in "一两兩二三几这這那有是"
    for kind in "只隻条條匹头頭位名个個辆輛座栋棟间間把架台张張件幅副顶双所家"
]
_CHINESE = """
    不是 没有 沒有 并非 並非 不 没 沒 非 是 的 有 在 和 与 與 跟 或 或者 及 了 着 著 他 她 它 我 你 们 們 这 這 那 叫
    叫做 名叫 为 為 像 住 开 開 骑 騎 养 養 拿 戴 穿 抱 里 裡 中 旁边 照片 图片 人 先生 女士 小姐 同学 老师 宠物 可能
    也许 大概 应该 看起来 似乎 好像 觉得 认为 喜欢 爱 工作 上班 弹 拉 吃 遛 黒 就 也 都 很 吧 吗 呢 啊 站 坐 正在 正
    但 但是 而是 而 因为 小 大 老 白 黑 黄 红 灰
"""
_JAPANESE = """
    ではありません ではない ではなく じゃない じゃなく じゃなくて じゃありません はいません はいない はありません
    はない がいません がいない がありません がない ません ない この その あの これ それ あれ ここ は が の を に と も
    へ で や です でした だ だった でしょう かもしれません かもしれない います いる いて ある あります という さん
    ちゃん くん か ね よ から まで より 人
"""
_THAI = """
    ไม่ใช่ ไม่มี ไม่ได้ ไม่ เขา เธอ ฉัน ผม คุณ นี่ นี้ นั่น นั้น คือ เป็น มี ชื่อ เลี้ยง ของ ตัว และ หรือ กับ ที่ ใน
    บน อยู่ ครับ ค่ะ คะ นะ คน หนึ่ง สอง น่าจะ อาจ จะ ว่า รูป ภาพ สัตว์เลี้ยง สัตว์ แต่ กำลัง ยืน นั่ง สี ขับ ทำงาน
    อาศัย ใส่ ชอบ รัก เห็น เล่น สวม ถือ เหมือน นาย นางสาว นาง ด้วย แล้ว ก็
"""
_SMALL_WORDS = {
    "Chinese": frozenset([*_COUNTED, *_CHINESE.split(), "人"]),
    "Kana": frozenset(_JAPANESE.split()),
    "Thai": frozenset(_THAI.split()),
}
_KOREAN_ENDINGS = """
    입니다 이에요 예요 이다 이고 이라고 라고 이라는 라는 이었습니다 였습니다 에서 에게 한테 으로 하고 이랑 까지 부터
    처럼 씨 님 은 는 이 가 을 를 의 와 과 도 에 로 만
"""
_ENDINGS = tuple(sorted(_KOREAN_ENDINGS.split(), key=len, reverse=True))
_SHORT_ENDINGS = frozenset("는은가를을의")
_PREFIXES = ("وال", "بال", "كال", "لل", "ال")
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def is_unspaced(word: str) -> bool:
    """Whether a word is of a script that is parted by ``part``."""
    return not word.isascii() and _UNSPACED.search(word) is not None


@lru_cache(maxsize=4096)
def part(run: str) -> tuple[str, ...]:
    """The words of a run of letters of a script without spaces."""
    found: list[str] = []
    word, position = "", 0
    while position < len(run):
        character = run[position]
        if word and not _is_mark(character) and _script(word[0]) != _script(character):
            found.append(word)
            word = ""
        small = _small_word(run, position)
        if small:
            found += [word, small] if word else [small]
            word = ""
        else:
            word += character
        position += len(small) or 1
    return (*found, word) if word else tuple(found)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word without the particles or the article that are fastened to it; most words have none."""
    if word.isascii():
        return word
    if "가" <= word[0] <= "힣":
        return _without_endings(word)
    prefix = next((prefix for prefix in _PREFIXES if word.startswith(prefix) and len(word) > len(prefix) + 2), "")
    if not prefix and word[0] == "ה" and len(word) > 3:
        prefix = "ה"
    return word[len(prefix) :]


def _without_endings(word: str) -> str:
    while len(word) > 2:
        ending = next((one for one in _ENDINGS if word.endswith(one) and len(word) - len(one) > 0), "")
        if not ending or (len(ending) == 1 and len(word) < 3):
            break
        word = word[: -len(ending)]
    return word[0] if len(word) == 2 and word[1] in _SHORT_ENDINGS else word


def _small_word(run: str, position: int) -> str:
    """The longest small word that starts here, or nothing. It never ends inside a letter and its marks."""
    script = _script(run[position])
    table = _SMALL_WORDS.get(script, frozenset())
    for end in range(min(len(run), position + _longest(script)), position, -1):
        if run[position:end] in table and not (end < len(run) and _is_mark(run[end])):
            return run[position:end]
    return ""


@cache
def _longest(script: str) -> int:
    return max((len(word) for word in _SMALL_WORDS.get(script, ())), default=0)


def _is_mark(character: str) -> bool:
    """Whether a character belongs to the letter before it: a combining mark, a Thai vowel, a long Japanese one."""
    return unicodedata.category(character)[0] == "M" or character in "ะาำๅーゝ々"


def _script(character: str) -> str:
    if "\u0e00" <= character <= "\u0e7f":
        return "Thai"
    if "\u3040" <= character <= "\u309f":
        return "Kana"
    if "\u30a0" <= character <= "\u30ff":
        return "Katakana"
    return "Chinese" if _UNSPACED.match(character) else "other"
