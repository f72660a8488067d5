"""Code pages of bodies (PidTagInternetCodepage): which one a sender's character set is, which one is written.

The pages themselves are in appliance.mapi.codepages, the names that senders use in
appliance.formats.mime.charsets; this joins the two and encodes bodies by preference.
"""

from appliance.formats.mime.charsets import codec_of
from appliance.mapi import codepages as pages

UTF8 = pages.UTF8
US_ASCII = pages.ASCII
_NEVER_WRITTEN = frozenset({pages.UTF16, 1201, 12000, 12001, 65000, US_ASCII})
# Python's codecs that stand for a page under another name, as the reader of mail chooses them.
_READERS = {"gb18030": 936, "cp1254": 28599, "iso2022_jp_ext": 50220, "big5hkscs": 950, "euc_jp": 51932}


def code_page(charset: str) -> int | None:
    """The Windows code page of a sender's character set, None when it is not known."""
    name = charset.strip(" \t\"'").lower()
    page = pages.page_of(name) or pages.page_of(name.replace("_", "-"))
    if page is None and name and (codec := codec_of(name)) is not None:
        page = pages.page_of(codec) or pages.page_of(codec.replace("_", "-")) or _READERS.get(codec)
        if page is None and codec.startswith("cp") and codec[2:].isdigit() and pages.is_known(int(codec[2:])):
            page = int(codec[2:])
    return page


def name_of(page: int) -> str | None:
    """The MIME character set of a code page, None when it is not known."""
    return pages.charset_of(page) if pages.is_known(page) else None


def codec(page: int) -> str | None:
    """Python's codec for a code page, None when it is not known."""
    return pages.codec_of(page) if pages.is_known(page) else None


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
    if page is not None and page not in _NEVER_WRITTEN and pages.is_known(page):
        try:
            return text.encode(pages.codec_of(page)), pages.charset_of(page)
        except UnicodeEncodeError:
            pass
    return text.encode("utf-8", "replace"), "utf-8"
