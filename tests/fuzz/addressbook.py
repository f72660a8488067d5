"""The address book under the fuzzer: template data, Teletex, STATs, and whole calls of a session."""

from collections.abc import Iterable

from appliance.addressbook import dialogs, templates
from appliance.addressbook.stat import Stat
from appliance.mapi import codepages, teletex
from tests.fuzz import addressbook_session
from tests.fuzz.runner import Target


def _templates() -> Iterable[bytes]:
    for display_type in (0, 1, 2):
        yield templates.pack(dialogs.display(display_type, 0x07) or (), 1252)
    yield templates.pack(dialogs.smtp_address(0x09), 65001)


def _template(data: bytes) -> None:
    """What is read is packed and read to the same controls."""
    controls = templates.parse(data, 65001)
    again = templates.pack(controls, 65001)
    assert templates.parse(again, 65001) == controls


def _teletex(data: bytes) -> None:
    """Text that came from the page goes back and forth unchanged, but for what it has not."""
    text = teletex.decode(data)
    again = teletex.decode(teletex.encode(text))
    assert len(again) <= 3 * len(text) + 3
    assert codepages.decode(data, codepages.TELETEX) == text


def _stat(data: bytes) -> None:
    """A STAT is 36 bytes and nothing else."""
    assert Stat.parse(data).pack() == data


ADDRESSBOOK_TARGETS = (
    Target("addressbook-template", _template, _templates),
    Target("addressbook-teletex", _teletex, lambda: (b"Ada \xc8Angstr\xc8om", b"\xc2e\xa3\xfb")),
    Target("addressbook-session", addressbook_session.run, addressbook_session.seeds),
    Target("addressbook-stat", _stat, lambda: (Stat().pack(),)),
)
