"""Windows code pages: their Python codecs, MIME charset names, and conversion that never fails.

A string in a code page is data that already lost what the page cannot hold, so both directions substitute
instead of refusing: unknown bytes become U+FFFD, unknown characters a question mark. An unknown page number
is read as Windows-1252, which `is_known` tells in time for protocols that have an error for it.
"""

from typing import Final

from appliance.mapi import teletex

UTF16: Final = 1200
UTF8: Final = 65001
ASCII: Final = 20127
TELETEX: Final = 20261
DEFAULT: Final = 1252

# number: (Python codec, MIME name)
_PAGES: dict[int, tuple[str, str]] = {
    37: ("cp037", "ibm037"),
    437: ("cp437", "ibm437"),
    500: ("cp500", "ibm500"),
    720: ("cp720", "dos-720"),
    737: ("cp737", "ibm737"),
    775: ("cp775", "ibm775"),
    850: ("cp850", "ibm850"),
    852: ("cp852", "ibm852"),
    855: ("cp855", "ibm855"),
    857: ("cp857", "ibm857"),
    858: ("cp858", "ibm00858"),
    860: ("cp860", "ibm860"),
    861: ("cp861", "ibm861"),
    862: ("cp862", "dos-862"),
    863: ("cp863", "ibm863"),
    864: ("cp864", "ibm864"),
    865: ("cp865", "ibm865"),
    866: ("cp866", "cp866"),
    869: ("cp869", "ibm869"),
    874: ("cp874", "windows-874"),
    932: ("cp932", "shift_jis"),
    936: ("gbk", "gb2312"),
    949: ("cp949", "ks_c_5601-1987"),
    950: ("cp950", "big5"),
    1026: ("cp1026", "ibm1026"),
    1200: ("utf-16-le", "utf-16le"),
    1201: ("utf-16-be", "utf-16be"),
    1250: ("cp1250", "windows-1250"),
    1251: ("cp1251", "windows-1251"),
    1252: ("cp1252", "windows-1252"),
    1253: ("cp1253", "windows-1253"),
    1254: ("cp1254", "windows-1254"),
    1255: ("cp1255", "windows-1255"),
    1256: ("cp1256", "windows-1256"),
    1257: ("cp1257", "windows-1257"),
    1258: ("cp1258", "windows-1258"),
    1361: ("johab", "johab"),
    10000: ("mac-roman", "macintosh"),
    10006: ("mac-greek", "x-mac-greek"),
    10007: ("mac-cyrillic", "x-mac-cyrillic"),
    10029: ("mac-latin2", "x-mac-ce"),
    10079: ("mac-iceland", "x-mac-icelandic"),
    10081: ("mac-turkish", "x-mac-turkish"),
    20127: ("ascii", "us-ascii"),
    20866: ("koi8-r", "koi8-r"),
    20932: ("euc-jp", "euc-jp"),
    21866: ("koi8-u", "koi8-u"),
    28591: ("iso8859-1", "iso-8859-1"),
    28592: ("iso8859-2", "iso-8859-2"),
    28593: ("iso8859-3", "iso-8859-3"),
    28594: ("iso8859-4", "iso-8859-4"),
    28595: ("iso8859-5", "iso-8859-5"),
    28596: ("iso8859-6", "iso-8859-6"),
    28597: ("iso8859-7", "iso-8859-7"),
    28598: ("iso8859-8", "iso-8859-8"),
    28599: ("iso8859-9", "iso-8859-9"),
    28603: ("iso8859-13", "iso-8859-13"),
    28605: ("iso8859-15", "iso-8859-15"),
    38598: ("iso8859-8", "iso-8859-8-i"),
    50220: ("iso2022-jp", "iso-2022-jp"),
    50221: ("iso2022-jp-1", "csiso2022jp"),
    50225: ("iso2022-kr", "iso-2022-kr"),
    51932: ("euc-jp", "euc-jp"),
    51949: ("euc-kr", "euc-kr"),
    52936: ("hz", "hz-gb-2312"),
    54936: ("gb18030", "gb18030"),
    65000: ("utf-7", "utf-7"),
    65001: ("utf-8", "utf-8"),
}

_ALIASES = {"latin1": 28591, "ascii": 20127, "utf8": 65001, "gbk": 936, "sjis": 932, "cp1252": 1252}
_BY_NAME: dict[str, int] = {name: page for page, (_, name) in reversed(_PAGES.items())} | _ALIASES


def is_known(page: int) -> bool:
    """Whether the page has a codec here (Teletex is none of Python's: `codec_of` does not know it)."""
    return page in _PAGES or page == TELETEX


def codec_of(page: int) -> str:
    """The Python codec's name; Windows-1252 for unknown pages."""
    return _PAGES.get(page, _PAGES[DEFAULT])[0]


def charset_of(page: int) -> str:
    """The MIME name (lower case); windows-1252 for unknown pages."""
    return _PAGES.get(page, _PAGES[DEFAULT])[1]


def page_of(charset: str) -> int | None:
    """The page of a MIME charset name, or None."""
    return _BY_NAME.get(charset.lower())


def decode(data: bytes, page: int) -> str:
    """Text of bytes in a code page."""
    return teletex.decode(data) if page == TELETEX else data.decode(codec_of(page), "replace")


def encode(text: str, page: int) -> bytes:
    """Bytes of text in a code page."""
    return teletex.encode(text) if page == TELETEX else text.encode(codec_of(page), "replace")
