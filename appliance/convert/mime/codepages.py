"""Windows code pages and the character sets of mail (PidTagInternetCodepage, PidTagMessageCodepage).

Reading text is the codec's work (appliance.formats.mime.charsets); this table leads from a sender's name to
the code page and from a code page to the name and codec that are written.
"""

from collections.abc import Mapping

from appliance.formats.mime.charsets import codec_of

UTF8 = 65001
US_ASCII = 20127
LATIN1 = 28591
WINDOWS_1252 = 1252

# The MIME name, Python's codec and the Windows code page. The first line of a code page is what is written.
_TABLE: tuple[tuple[str, str, int], ...] = (
    ("utf-8", "utf-8", UTF8),
    ("us-ascii", "ascii", US_ASCII),
    ("iso-8859-1", "iso8859-1", LATIN1),
    ("windows-1252", "cp1252", WINDOWS_1252),
    ("iso-8859-2", "iso8859-2", 28592),
    ("iso-8859-3", "iso8859-3", 28593),
    ("iso-8859-4", "iso8859-4", 28594),
    ("iso-8859-5", "iso8859-5", 28595),
    ("iso-8859-6", "iso8859-6", 28596),
    ("iso-8859-7", "iso8859-7", 28597),
    ("iso-8859-8", "iso8859-8", 28598),
    ("iso-8859-8-i", "iso8859-8", 38598),
    ("iso-8859-9", "cp1254", 28599),
    ("iso-8859-10", "iso8859-10", 28600),
    ("iso-8859-11", "cp874", 874),
    ("iso-8859-13", "iso8859-13", 28603),
    ("iso-8859-14", "iso8859-14", 28604),
    ("iso-8859-15", "iso8859-15", 28605),
    ("iso-8859-16", "iso8859-16", 28606),
    ("windows-874", "cp874", 874),
    ("tis-620", "cp874", 874),
    ("windows-1250", "cp1250", 1250),
    ("windows-1251", "cp1251", 1251),
    ("windows-1253", "cp1253", 1253),
    ("windows-1254", "cp1254", 1254),
    ("windows-1255", "cp1255", 1255),
    ("windows-1256", "cp1256", 1256),
    ("windows-1257", "cp1257", 1257),
    ("windows-1258", "cp1258", 1258),
    ("koi8-r", "koi8-r", 20866),
    ("koi8-u", "koi8-u", 21866),
    ("koi8-t", "koi8-t", 20866),
    ("gb2312", "gb18030", 936),
    ("gbk", "gb18030", 936),
    ("gb18030", "gb18030", 54936),
    ("hz-gb-2312", "hz", 52936),
    ("big5", "cp950", 950),
    ("big5-hkscs", "big5hkscs", 951),
    ("iso-2022-jp", "iso2022_jp_ext", 50220),
    ("iso-2022-jp-2", "iso2022_jp_2", 50220),
    ("csiso2022jp", "iso2022_jp_ext", 50221),
    ("shift_jis", "cp932", 932),
    ("windows-31j", "cp932", 932),
    ("euc-jp", "euc_jp", 51932),
    ("ks_c_5601-1987", "cp949", 949),
    ("euc-kr", "cp949", 51949),
    ("iso-2022-kr", "iso2022_kr", 50225),
    ("johab", "johab", 1361),
    ("utf-16le", "utf-16-le", 1200),
    ("utf-16be", "utf-16-be", 1201),
    ("utf-16", "utf-16", 1200),
    ("utf-32", "utf-32", 12000),
    ("utf-32le", "utf-32-le", 12000),
    ("utf-32be", "utf-32-be", 12001),
    ("utf-7", "utf-7", 65000),
    ("macintosh", "mac-roman", 10000),
    ("x-mac-cyrillic", "mac-cyrillic", 10007),
    ("x-mac-ce", "mac-latin2", 10029),
    ("ibm437", "cp437", 437),
    ("ibm850", "cp850", 850),
    ("ibm852", "cp852", 852),
    ("ibm855", "cp855", 855),
    ("ibm857", "cp857", 857),
    ("ibm858", "cp858", 858),
    ("ibm860", "cp860", 860),
    ("ibm861", "cp861", 861),
    ("ibm862", "cp862", 862),
    ("ibm863", "cp863", 863),
    ("ibm864", "cp864", 864),
    ("ibm865", "cp865", 865),
    ("ibm866", "cp866", 866),
    ("ibm869", "cp869", 869),
)

_ALIASES: Mapping[str, str] = {
    "utf8": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "utf7": "utf-7",
    "utf16": "utf-16",
    "ascii": "us-ascii",
    "ansi-x3.4-1968": "us-ascii",
    "iso646-us": "us-ascii",
    "646": "us-ascii",
    "us": "us-ascii",
    "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1",
    "l1": "iso-8859-1",
    "latin2": "iso-8859-2",
    "latin5": "iso-8859-9",
    "latin9": "iso-8859-15",
    "latin-9": "iso-8859-15",
    "iso-8859-8-e": "iso-8859-8",
    "koi8": "koi8-r",
    "koi8-ru": "koi8-u",
    "x-gbk": "gbk",
    "gb-2312": "gb2312",
    "gb2312-80": "gb2312",
    "gb-2312-80": "gb2312",
    "csgb2312": "gb2312",
    "euc-cn": "gb2312",
    "x-euc-cn": "gb2312",
    "hz": "hz-gb-2312",
    "big-5": "big5",
    "x-big5": "big5",
    "cn-big5": "big5",
    "csbig5": "big5",
    "big5hkscs": "big5-hkscs",
    "sjis": "shift_jis",
    "shift-jis": "shift_jis",
    "x-sjis": "shift_jis",
    "ms-kanji": "shift_jis",
    "eucjp": "euc-jp",
    "x-euc-jp": "euc-jp",
    "euckr": "euc-kr",
    "ks-c-5601-1987": "ks_c_5601-1987",
    "ks-c-5601": "ks_c_5601-1987",
    "ksc5601": "ks_c_5601-1987",
    "korean": "ks_c_5601-1987",
    "uhc": "ks_c_5601-1987",
    "x-windows-949": "ks_c_5601-1987",
    "tis620": "tis-620",
    "x-mac-roman": "macintosh",
    "mac": "macintosh",
    "ucs-2": "utf-16",
    "iso-10646-ucs-2": "utf-16",
}


_PAGES: Mapping[str, int] = {name: page for name, _, page in _TABLE}
_PAGES_OF_CODECS: Mapping[str, int] = {codec_of(codec) or codec: page for _, codec, page in reversed(_TABLE)}
_NAMES: Mapping[int, tuple[str, str]] = {page: (name, codec) for name, codec, page in reversed(_TABLE)}
_NEVER_WRITTEN = frozenset({1200, 1201, 12000, 12001, 65000, US_ASCII})


def code_page(charset: str) -> int | None:
    """The Windows code page of a sender's character set, None when it is not known."""
    name = charset.strip(" \t\"'").lower()
    page = _PAGES.get(name) or _PAGES.get(name.replace("_", "-"))
    if page is None and name:
        page = _PAGES_OF_CODECS.get(codec_of(name) or "")
    return page


def name_of(page: int) -> str | None:
    """The MIME character set of a code page, None when it is not known."""
    known = _NAMES.get(page)
    return None if known is None else known[0]


def codec(page: int) -> str | None:
    """Python's codec for a code page, None when it is not known."""
    known = _NAMES.get(page)
    return None if known is None else known[1]


def decode(data: bytes, page: int | None) -> str:
    """Text of bytes in a code page; UTF-8 when it is unknown, U+FFFD for what it does not define."""
    name = None if page is None else codec(page)
    try:
        return data.decode(name or "utf-8", "replace")
    except UnicodeError:  # utf-16 and utf-7 can refuse even with "replace"
        return data.decode("utf-8", "replace")


def encode(text: str, page: int | None) -> tuple[bytes, str]:
    """The bytes and the MIME name: in the preferred code page if it holds the text, else UTF-8.

    MS-OXCMAIL 2.1.3.3.3: code pages express a preference, the body decides. Pure ASCII is us-ascii.
    """
    if text.isascii():
        return text.encode("ascii"), "us-ascii"
    if page is not None and page not in _NEVER_WRITTEN and page in _NAMES:
        name, codec_name = _NAMES[page]
        try:
            return text.encode(codec_name), name
        except UnicodeEncodeError:
            pass
    return text.encode("utf-8", "replace"), "utf-8"
