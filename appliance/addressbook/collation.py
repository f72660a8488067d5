"""How strings of the address book compare and sort (MS-OXNSPI 3.1.4.3.5, 3.1.4.3.6, 2.2.1.6).

Unicode strings compare without case, accents, kana type and width; under any language but the default one
symbols do not count either (NSPI_NON_DEFAULT_LOCALE_COMPARE_FLAGS). Languages whose alphabets put letters of
their own in places of their own have a row in `_ALPHABETS`; the closest supported language of an LCID is that
of its primary language id, else the default order. What compares as equal is ordered by accents, then case,
so that a table has one order only. The rules must never change: clients keep positions over sessions.
"""

from functools import lru_cache
from typing import Final

from appliance.addressbook.stat import DEFAULT_LOCALE
from appliance.directory.sort import fold, sort_key

_PRIMARY_LANGUAGE = 0x3FF  # MS-LCID 2.2: the low ten bits
_AFTER = "\U0010ff00"
"""A character behind all letters: `zX` with X from here on sorts behind every word that begins with z."""

_KANA = {0x30A1 + i: 0x3041 + i for i in range(0x56)}
"""Katakana as the hiragana of the same sound (NORM_IGNOREKANATYPE)."""


def _after(letter: str, *further: str) -> dict[str, str]:
    return {one: letter + chr(ord(_AFTER) + number) for number, one in enumerate(further)}


# Primary language id: letters (after casefold) and what they sort as.
_ALPHABETS: Final[dict[int, dict[str, str]]] = {
    0x05: _after("c", "č") | _after("h", "ch") | _after("r", "ř") | _after("s", "š") | _after("z", "ž"),
    0x06: _after("z", "æ", "ä", "ø", "ö", "å") | {"aa": "z" + chr(ord(_AFTER) + 4)},
    0x0A: _after("n", "ñ"),
    0x0B: _after("z", "å", "ä", "æ", "ö", "ø"),
    0x0E: _after("c", "cs") | _after("o", "ö", "ő") | _after("u", "ü", "ű") | _after("z", "zs"),
    0x14: _after("z", "æ", "ä", "ø", "ö", "å") | {"aa": "z" + chr(ord(_AFTER) + 4)},
    0x15: _after("a", "ą")
    | _after("c", "ć")
    | _after("e", "ę")
    | _after("l", "ł")
    | _after("n", "ń")
    | _after("o", "ó")
    | _after("s", "ś")
    | _after("z", "ź", "ż"),
    0x18: _after("a", "ă", "â") | _after("i", "î") | _after("s", "ș", "ş") | _after("t", "ț", "ţ"),
    0x1A: _after("c", "č", "ć") | _after("d", "dž", "đ") | _after("s", "š") | _after("z", "ž"),
    0x1B: _after("a", "ä") | _after("c", "č") | _after("h", "ch") | _after("s", "š") | _after("z", "ž"),
    0x1D: _after("z", "å", "ä", "æ", "ö", "ø"),
    0x1F: _after("c", "ç") | _after("g", "ğ") | _after("h", "ı") | _after("o", "ö") | _after("s", "ş"),
    0x24: _after("c", "č") | _after("s", "š") | _after("z", "ž"),
    0x25: _after("s", "š", "z", "ž") | _after("w", "õ", "ä", "ö", "ü"),
    0x26: _after("c", "č") | _after("s", "š") | _after("z", "ž"),
    0x27: _after("c", "č") | _after("s", "š") | _after("z", "ž"),
}


def closest(lcid: int) -> int:
    """The supported order of an LCID: a primary language id, 0 for the default locale, 1 for the order of
    every language without a row (the default alphabet, symbols ignored)."""
    if lcid == DEFAULT_LOCALE:
        return 0
    language = lcid & _PRIMARY_LANGUAGE
    return language if language in _ALPHABETS else 1


@lru_cache(maxsize=4096)
def comparable(text: str) -> str:
    """What of a string counts in the default locale: the form that restrictions compare."""
    return fold(text).translate(_KANA)


def weight(text: str, order: int) -> bytes:
    """The bytes by which strings compare in an order of `closest`; the same for strings that are equal."""
    if order == 0:
        return comparable(text).encode("utf-8", "surrogatepass")
    folded = text.casefold()
    for letter, place in _ALPHABETS.get(order, {}).items():
        folded = folded.replace(letter, place)
    plain = fold(folded).translate(_KANA)
    kept = (char for char in plain if char.isalnum() or char.isspace() or char >= _AFTER)
    return "".join(kept).strip().encode("utf-8", "surrogatepass")


def ordering(text: str, order: int) -> tuple[bytes, bytes]:
    """The bytes by which tables are sorted: `weight` first, then what tells equal strings apart."""
    key = sort_key(text)
    if order == 0 and text.isascii():  # then the key begins with the weight
        return key.partition(b"\x01")[0], key
    return weight(text, order), key


def buffer_weight(text: str) -> bytes:
    """The bytes by which 8-bit strings compare, with regard to case: the shorter buffer is the lesser
    (3.1.4.3.5.2)."""
    data = text.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(4, "big") + data
