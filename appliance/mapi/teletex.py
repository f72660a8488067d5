"""The code page Teletex (20261): T.61, ASCII below and Latin letters above, accents before their letters.

NSPI demands conversions to and from it (MS-OXNSPI 3.1.4.3.2) and leaves the rules to servers, which must
never change them afterwards. Unknown bytes become U+FFFD, characters that the page has not a question mark.
"""

import unicodedata

_SYMBOLS = {
    0xA1: "¡¢£$¥#§¤",
    0xAB: "«",
    0xB0: "°±²³×µ¶·÷",
    0xBB: "»¼½¾¿",
    0xE0: "ΩÆĐª",
    0xE4: "Ħ",
    0xE6: "ĲĿŁØŒºÞŦŊŉĸæđðħıĳŀłøœßþŧŋ",
}
_DECODED = {first + at: char for first, chars in _SYMBOLS.items() for at, char in enumerate(chars)}
_ENCODED = {char: code for code, char in sorted(_DECODED.items(), reverse=True)}
_MARKS = {
    0xC1: "\u0300",
    0xC2: "\u0301",
    0xC3: "\u0302",
    0xC4: "\u0303",
    0xC5: "\u0304",
    0xC6: "\u0306",
    0xC7: "\u0307",
    0xC8: "\u0308",
    0xCA: "\u030a",
    0xCB: "\u0327",
    0xCD: "\u030b",
    0xCE: "\u0328",
    0xCF: "\u030c",
}
_MARK_CODES = {mark: code for code, mark in _MARKS.items()}


def decode(data: bytes) -> str:
    """Text of bytes in the page."""
    out: list[str] = []
    marks = ""
    for byte in data:
        if byte in _MARKS:
            marks += _MARKS[byte]
            continue
        out.append(chr(byte) if byte < 0x80 else _DECODED.get(byte, "\ufffd"))
        out.append(marks)
        marks = ""
    return unicodedata.normalize("NFC", "".join(out) + "\ufffd" * len(marks))


def encode(text: str) -> bytes:
    """Bytes of text in the page."""
    out = bytearray()
    for char in unicodedata.normalize("NFC", text):
        if ord(char) < 0x80:
            out.append(ord(char))
        elif char in _ENCODED:
            out.append(_ENCODED[char])
        else:
            out += _with_marks(unicodedata.normalize("NFD", char))
    return bytes(out)


def _with_marks(decomposed: str) -> bytes:
    base, marks = decomposed[0], decomposed[1:]
    known = ord(base) < 0x80 or base in _ENCODED
    if not marks or not known or any(mark not in _MARK_CODES for mark in marks):
        return b"?"
    letter = ord(base) if ord(base) < 0x80 else _ENCODED[base]
    return bytes(_MARK_CODES[mark] for mark in marks) + bytes([letter])
