"""Rows of properties that the C makes beside those of a view, of the same message."""

import pytest

from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.rows import PropertyError
from appliance.mapi.types import Value
from appliance.rop.messages import Message
from appliance.store.mailboxes import Special
from tests.rop.kit import Client
from tests.rop.mail import deliver
from tests.rop.ops.items import create, get, opened, save, set_
from tests.transport.office import Office

READ_MOST = (
    tags.PidTagMessageClass, tags.PidTagSubject, tags.PidTagSubjectPrefix, tags.PidTagNormalizedSubject,
    tags.PidTagConversationTopic, tags.PidTagSenderName, tags.PidTagSentRepresentingName,
    tags.PidTagMessageDeliveryTime, tags.PidTagClientSubmitTime, tags.PidTagMessageFlags, tags.PidTagRead,
    tags.PidTagImportance, tags.PidTagHasAttachments, tags.PidTagDisplayTo, tags.PidTagDisplayCc,
    tags.PidTagInternetMessageId, tags.PidTagMessageSize, tags.PidTagIconIndex, tags.PidTagFlagStatus,
    tags.PidTagMessageStatus, tags.PidTagInstanceKey, tags.PidTagInstanceNum, tags.PidTagObjectType,
    tags.PidTagMid, tags.PidTagFolderId, tags.PidTagChangeNumber, tags.PidTagAssociated, 0x66020102,
)  # fmt: skip
OWN: dict[int, Value] = {
    tags.PidTagSubject: "RE: " + "Grüße \U0001f600 " * 200,
    tags.PidTagSenderName: "Ben",
    0x66020102: bytes(2000),
    0x6603101F: ("a", "b" * 300),
}


class Rows:
    """How many rows the C made and how many were left to a view."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.made, self.left, self.off = 0, 0, False
        own = Message.property_row

        def counted(message, ctx, wanted):  # type: ignore[no-untyped-def]
            row = None if self.off else own(message, ctx, wanted)
            self.made, self.left = self.made + (row is not None), self.left + (row is None)
            return row

        patch.setattr(Message, "property_row", counted)

    def beside(self, client: Client, message: int, *wanted: int) -> list[Value | PropertyError]:
        """The cells, which a view gives too."""
        cells = get(client, message, *wanted)
        self.off = True
        assert get(client, message, *wanted) == cells
        self.off = False
        return cells


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Rows:
    return Rows(monkeypatch)


def test_delivered_mail(client: Client, office: Office, anna: Entry, rows: Rows) -> None:
    row = deliver(office, anna)
    message = opened(client, client.logon(), row.mid, Special.INBOX)
    cells = rows.beside(client, message, *READ_MOST)
    assert cells[1] == "Hello"
    assert (rows.made, rows.left) == (1, 1)
    for tag in READ_MOST:
        rows.beside(client, message, tag)
    assert rows.made == 1 + len(READ_MOST)


def test_long_values_are_whole(client: Client, rows: Rows) -> None:
    on = client.logon()
    message = create(client, on)
    set_(client, message, OWN)
    mid = save(client, message)
    found = rows.beside(client, opened(client, on, mid), *OWN, *READ_MOST)
    assert found[: len(OWN)] == list(OWN.values())
    assert rows.made == 1


def test_what_a_view_is_needed_for(client: Client, rows: Rows) -> None:
    on = client.logon()
    message = create(client, on)
    set_(client, message, OWN)
    mid = save(client, message)
    handle = opened(client, on, mid)
    assert rows.beside(client, handle, tags.PidTagEntryId, tags.PidTagAccess)[0]
    assert rows.beside(client, handle, tags.PidTagSubject & ~0x1F | 0x1E, tags.PidTagSubject & ~0xFFFF)
    assert rows.made == 0
    set_(client, handle, {tags.PidTagSenderName: "Clara"})
    assert rows.beside(client, handle, tags.PidTagSenderName) == ["Clara"]
    assert rows.made == 0


def test_big_values_are_told(client: Client, rows: Rows) -> None:
    on = client.logon()
    message = create(client, on)
    set_(client, message, {tags.PidTagSubject: "s" * 12_000})
    set_(client, message, {0x66020102: bytes(20_000)})
    mid = save(client, message)
    found = rows.beside(client, opened(client, on, mid), 0x66020102, tags.PidTagSubject)
    assert PropertyError(ec.ecMAPIOOM) in found
    assert rows.made == 0
