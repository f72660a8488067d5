"""Collation of display names: the order of address lists, and the words that searches compare.

One key serves every place, so that NSPI's rows, LDAP's sort and `list` agree: letters without regard to
case and accents first, then accents, then case; digits and punctuation by code point; spaces count once.
"""

import unicodedata

_SPECIAL = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l"})


def fold(text: str) -> str:
    """`text` as searches compare it: no case, no accents, single spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_SPECIAL))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_SPECIAL)
    return " ".join(unicodedata.normalize("NFC", plain).split())


def words(text: str) -> list[str]:
    """The folded words of `text`; anything that is no letter or digit separates."""
    return "".join(c if c.isalnum() else " " for c in fold(text)).split()


def sort_key(text: str) -> bytes:
    """Bytes that sort as the names they come from."""
    tie = unicodedata.normalize("NFD", text.strip())
    return b"\x01".join((fold(text).encode(), tie.casefold().encode(), tie.swapcase().encode()))
