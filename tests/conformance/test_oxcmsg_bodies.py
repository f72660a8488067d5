"""MS-OXCMSG 2.2.1.9, 2.2.1.10, 2.2.1.46, 2.2.1.58: the parts of a subject, and the forms of a body."""

import pytest

from tests.conformance import tags
from tests.conformance.desk import Desk, Folder
from tests.conformance.properties import missing

PLAIN, RTF, HTML = 1, 2, 3
"""PidTagNativeBody."""

IN_SYNC, COMPRESSED = 0x0E1F000B, 0x10090102
BODY_HTML = 0x1013001F
PAGE = b"<html><body><p>Hi <b>there</b></p></body></html>"
SUBJECTS = [
    ("RE: hello", "RE: ", "hello"),
    ("hello", "", "hello"),
    ("AW: AW: x", "AW: ", "AW: x"),
    ("", "", ""),
    ("A:b", "", "A:b"),
    ("longer: x", "", "longer: x"),
    ("12: x", "", "12: x"),
]


def parts(desk: Desk, message: int) -> list[object]:
    return desk.get(message, tags.SUBJECT, tags.SUBJECT_PREFIX, tags.NORMALIZED_SUBJECT)


@pytest.mark.covers("MS-OXCMSG_R1239", "MS-OXCMSG_R1238", "MS-OXCMSG_R64", "MS-OXCMSG_R58",
                    "MS-OXCMSG_R1802", "MS-OXCMSG_R1237", "MS-OXCMSG_R57", "MS-OXCMSG_R63")  # fmt: skip
@pytest.mark.parametrize(("subject", "prefix", "normalized"), SUBJECTS)
def test_a_subject_is_taken_apart(
    desk: Desk, inbox: Folder, subject: str, prefix: str, normalized: str
) -> None:
    message = desk.create_message(inbox)
    desk.set(message, {tags.SUBJECT: subject})
    assert parts(desk, message) == [subject, prefix, normalized]
    opened = desk.open_message(inbox, desk.save(message))
    assert opened is not None
    assert (opened.prefix or "", opened.subject or "") == (prefix, normalized)
    assert parts(desk, opened.handle) == [subject, prefix, normalized]


@pytest.mark.covers("MS-OXCMSG_R1239", "MS-OXCMSG_R1801", "MS-OXCMSG_R1802")
def test_a_subject_is_put_together(desk: Desk, inbox: Folder) -> None:
    message = desk.create_message(inbox)
    desk.set(message, {tags.SUBJECT_PREFIX: "X: ", tags.NORMALIZED_SUBJECT: "one"})
    assert desk.one(message, tags.SUBJECT) == "X: one"
    desk.set(message, {tags.NORMALIZED_SUBJECT: "two"})
    assert desk.one(message, tags.SUBJECT) == "X: two"
    desk.set(message, {tags.SUBJECT_PREFIX: ""})
    assert parts(desk, message) == ["two", "", "two"]
    desk.delete(message, tags.SUBJECT_PREFIX)
    assert desk.get(message, tags.SUBJECT, tags.NORMALIZED_SUBJECT) == ["two", "two"]
    desk.delete(message, tags.SUBJECT)
    assert missing(desk.one(message, tags.SUBJECT))


@pytest.mark.covers("MS-OXCMSG_R2061", "MS-OXCMSG_R2068", "MS-OXCMSG_R2082", "MS-OXCMSG_R2064",
                    "MS-OXCMSG_R2053", "MS-OXCMSG_R2050", "MS-OXCMSG_R2051", "MS-OXCMSG_R1714")  # fmt: skip
def test_a_page_has_every_other_form(desk: Desk, inbox: Folder) -> None:
    message = desk.create_message(inbox)
    desk.set(message, {tags.HTML: PAGE})
    for handle in (message, desk.opened(inbox, desk.save(message))):
        assert desk.get(handle, tags.HTML, tags.NATIVE_BODY, IN_SYNC) == [PAGE, HTML, False]
        text, page, rich = desk.get(handle, tags.BODY, BODY_HTML, COMPRESSED)
        assert text.split() == ["Hi", "there"]
        assert page == PAGE.decode()
        assert rich[8:12] in (b"LZFu", b"MELA")
        assert int.from_bytes(rich[:4], "little") == len(rich) - 4


@pytest.mark.covers("MS-OXCMSG_R2059", "MS-OXCMSG_R2053")
def test_text_has_every_other_form(desk: Desk, inbox: Folder) -> None:
    message = desk.create_message(inbox)
    desk.set(message, {tags.BODY: "plain & simple"})
    for handle in (message, desk.opened(inbox, desk.save(message))):
        assert desk.get(handle, tags.BODY, tags.NATIVE_BODY) == ["plain & simple", PLAIN]
        assert b"plain &amp; simple" in desk.one(handle, tags.HTML)


@pytest.mark.covers("MS-OXCMSG_R2060", "MS-OXCMSG_R2066")
def test_rich_text_has_every_other_form(desk: Desk, inbox: Folder) -> None:
    raw = rb"{\rtf1\ansi\deff0{\fonttbl{\f0 Arial;}}\f0 rich \b text\b0}"
    packed = (len(raw) + 12).to_bytes(4, "little") + len(raw).to_bytes(4, "little") + b"MELA" + bytes(4) + raw
    message = desk.create_message(inbox)
    desk.set(message, {COMPRESSED: packed, IN_SYNC: True})
    for handle in (message, desk.opened(inbox, desk.save(message))):
        assert desk.get(handle, tags.NATIVE_BODY, IN_SYNC, COMPRESSED) == [RTF, True, packed]
        assert desk.one(handle, tags.BODY).split() == ["rich", "text"]


@pytest.mark.parametrize("streamed", [False, True])
def test_the_form_that_was_set_last_counts(desk: Desk, inbox: Folder, streamed: bool) -> None:
    message = desk.create_message(inbox)
    desk.set(message, {tags.HTML: PAGE})
    number = desk.save(message)
    message = desk.opened(inbox, number)
    if streamed:
        stream, _ = desk.open_stream(message, tags.BODY, 2)
        desk.write(stream, "plain now".encode("utf-16-le"))
        desk.commit(stream)
    else:
        desk.set(message, {tags.BODY: "plain now"})
    for handle in (message, desk.opened(inbox, desk.save(message))):
        assert desk.get(handle, tags.BODY, tags.NATIVE_BODY) == ["plain now", PLAIN]
        assert b"there" not in desk.one(handle, tags.HTML)
