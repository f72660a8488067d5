"""Bytes in a charset named by a sender to text, never failing.

The world's names are wider than the registry's: the alias table below was gathered from mail. An unknown or
wrong charset falls back to UTF-8 if the bytes are valid UTF-8, else to Windows-1252 with the five undefined
bytes as C1 controls, so that decoding always gives text and no byte is lost silently.
"""

import codecs
from functools import lru_cache

_ALIASES = {
    "": "us-ascii",
    "7bit": "us-ascii",
    "8bit": "us-ascii",
    "ansi_x3.110-1983": "latin-1",
    "binary": "us-ascii",
    "cp-850": "cp850",
    "cp1252http-equivcontent-type": "cp1252",
    "default": "us-ascii",
    "default_charset": "us-ascii",
    "dos-720": "cp720",
    "dos-862": "cp862",
    "euc_kr": "cp949",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gb_2312": "gb18030",
    "gbk": "gb18030",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-8859-1": "cp1252",
    "iso-8859-11": "cp874",
    "iso-8859-6-e": "iso8859-6",
    "iso-8859-6-i": "iso8859-6",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-9": "cp1254",
    "iso-8859_1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "ks_c_5601": "cp949",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601-1989": "cp949",
    "ksc5601": "cp949",
    "ksc_5601": "cp949",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "macintosh": "mac-roman",
    "mac": "mac-roman",
    "ansi": "cp1252",
    "big-5": "big5hkscs",
    "big5": "big5hkscs",
    "cn-big5": "big5hkscs",
    "x-big5": "big5hkscs",
    "none": "us-ascii",
    "shift-jis": "cp932",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "tis-620": "cp874",
    "tis620": "cp874",
    "unicode": "utf-16",
    "unicode-1-1": "utf-16",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "unicode-2-0-utf-7": "utf-7",
    "unicode-2-0-utf-8": "utf-8",
    "unknown": "us-ascii",
    "unknown-8bit": "us-ascii",
    "user-defined": "us-ascii",
    "us": "us-ascii",
    "us-ascii": "us-ascii",
    "utf": "utf-8",
    "utf8mb4": "utf-8",
    "utf-8mb4": "utf-8",
    "windows-31j": "cp932",
    "windows-874": "cp874",
    "windows-936": "gb18030",
    "windows-949": "cp949",
    "windows-950": "big5hkscs",
    "x-cp1250": "cp1250",
    "x-euc-jp": "euc_jp",
    "x-euc-tw": "big5hkscs",
    "x-gbk": "gb18030",
    "x-mac-japanese": "cp932",
    "x-mac-roman": "mac-roman",
    "x-sjis": "cp932",
    "x-unknown": "us-ascii",
    "x-user-defined": "us-ascii",
    "x-windows-949": "cp949",
    "x-x-big5": "big5hkscs",
}
"""Names as senders write them (lower case) -> codec. Where a charset has a superset that senders really use
under its name (as browsers do it), the superset: ISO-8859-1 is read as Windows-1252, GB2312 as GB18030."""

_NOT_TEXT = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
)
_MAX_NAME = 64


@lru_cache(maxsize=256)
def codec_of(charset: str) -> str | None:
    """The codec for a charset name of a sender; None if unknown. Case, quotes and blanks do not count."""
    name = charset.strip(" \t\r\n\"'<>;,").lower()
    if len(name) > _MAX_NAME or "\0" in name:
        return None
    name = name.removeprefix("charset=")
    plain = (
        name.removeprefix("cs")
        if name.startswith(("csiso", "csshift", "csutf", "csbig", "cswindows"))
        else name
    )
    for candidate in (name, name.replace("_", "-"), plain, name.removeprefix("x-"), name.replace(" ", "-")):
        candidate = _ALIASES.get(candidate, candidate)
        if candidate.startswith("windows-") and candidate[8:].isdigit():
            candidate = "cp" + candidate[8:]
        try:
            b"a".decode(candidate, "replace")  # LookupError also for codecs that do not give text
            found = codecs.lookup(candidate).name
        except (LookupError, ValueError):
            continue
        return None if found.replace("-", "_") in _NOT_TEXT else found
    return None


_C1_TO_1252 = {b: bytes((b,)).decode("cp1252") for b in range(0x80, 0xA0) if b not in b"\x81\x8d\x8f\x90\x9d"}


def _from_1252(data: bytes) -> str:
    return data.decode("latin-1").translate(_C1_TO_1252)


def _as_utf8(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def fallback(data: bytes) -> str:
    """Bytes of an unknown charset: UTF-8 where valid, else Windows-1252."""
    text = _as_utf8(data)
    return _from_1252(data) if text is None else text


def decode(data: bytes, charset: str) -> str:
    """Text of bytes in a charset; malformed sequences become U+FFFD, an unknown charset falls back."""
    codec = codec_of(charset)
    if codec is None or codec == "ascii":
        return fallback(data)
    if codec == "cp1252":
        return _from_1252(data)
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        pass
    if codec not in ("utf-8", "utf-7") and not data.isascii():
        text = _as_utf8(data)  # a wrong label: few texts of other charsets are valid UTF-8
        if text is not None:
            return text
    return data.decode(codec, "replace")
