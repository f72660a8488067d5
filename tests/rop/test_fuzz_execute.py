"""Random batches of ROPs, legal and not, against one store: nothing unforeseen happens, and the store stays
whole.

State-aware: handles come from what earlier requests opened, ids from what the mailbox holds, and every ROP of
the table takes part with bodies that its own layout accepts. An error that nobody foresaw is logged by
`codes.code_of`; such a log fails the test.
"""

import logging
import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import short_to_wire
from appliance.rop import batch
from appliance.rop.batch import NO_HANDLE
from appliance.rop.model import On, Rop
from appliance.rop.ops import get_attachment_table, get_contents_table, open_folder, set_columns
from appliance.rop.ops.set_properties import Request as SetRequest
from appliance.rop.table import ROPS
from appliance.store import contents, folders
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from appliance.wire.cursor import Reader
from appliance.wire.errors import DecodeError
from tests.rop.kit import Client
from tests.rop.mail import deliver
from tests.rop.ops.items import (
    FORM,
    attach,
    create,
    note,
    open_,
    recipients_request,
    set_,
    smtp,
    stream,
)
from tests.rop.ops.test_attachments import MIME
from tests.transport.office import Office

LOGON_ROP, RELEASE = 0xFE, 0x01
BATCHES = 20
TAGS = (
    tags.PidTagSubject,
    tags.PidTagBody,
    tags.PidTagHtml,
    tags.PidTagAttachDataBinary,
    tags.PidTagAttachDataObject,
    tags.PidTagMessageFlags,
    tags.PidTagDisplayName,
    tags.PidTagMessageClass,
    tags.PidTagFlagStatus,
    0x0037001E,
    0x00370000,
    0x8000001F,
    0x0E13000D,
    0x1234FFFF,
)
VALUES = (
    {tags.PidTagSubject: "Re: x"},
    {tags.PidTagBody: "b" * 500},
    {tags.PidTagHtml: b"<p>"},
    {tags.PidTagAttachDataBinary: b"data"},
    {tags.PidTagFlagStatus: 2, tags.PidTagImportance: 9},
    {tags.PidTagMessageClass: "IPM.Task"},
    {tags.PidTagAttachMethod: 5},
    {tags.PidTagConversationIndex: b"\x01short"},
)


class Fuzzer:
    """Makes batches for one session from a source of chance."""

    def __init__(self, client: Client, store: Store, chance: random.Random) -> None:
        self.client, self.store, self.chance = client, store, chance
        self.rops = [rop for rop in ROPS.values() if rop.id != LOGON_ROP]

    def ids(self) -> list[bytes]:
        """FIDs and MIDs of the mailbox, and some that are none."""
        mailbox = self.client.user.mailbox
        with self.store.read() as txn:
            fids = [folder.fid for folder in folders.walk(txn, mailbox)][:12]
            mids = [row.mid for fid in fids for row in contents.rows(txn, mailbox, fid)][:12]
        return [short_to_wire(each) for each in (*fids, *mids, Special.DRAFTS, Special.INBOX, 0, 77)]

    def body(self, rop: Rop, ids: list[bytes]) -> bytes | None:
        """Bytes that the ROP's layout accepts; None when chance found none."""
        chance = self.chance
        if rop.id in (0x0A, 0x79):
            values = chance.choice(VALUES)
            return SetRequest.of(list(values.items()), FORM).pack()
        if rop.id == 0x0E:
            rows = {chance.randrange(4): (chance.randrange(4), smtp("a@b.test", "A"))}
            return recipients_request(rows).pack()
        for _ in range(12):
            pieces = []
            for _ in range(20):
                kind = chance.randrange(8)
                if kind < 3:
                    pieces.append(bytes([chance.choice((0, 0, 0, 1, 1, 2, 3, 4, 0x10, 0xFF))]))
                elif kind < 5:
                    pieces.append(chance.choice(ids))
                elif kind < 7:
                    pieces.append(chance.choice(TAGS).to_bytes(4, "little"))
                else:
                    pieces.append(b"\x01\x00")
            reader = Reader(b"".join(pieces))
            try:
                return rop.request.decode(reader).pack()
            except (DecodeError, ValueError):
                continue
        return None

    def handles(self) -> dict[On, list[int]]:
        found: dict[On, list[int]] = {}
        for handle, each in self.client.session._objects.items():
            found.setdefault(each.kind, []).append(handle)
        return found

    def batch(self) -> bytes:
        """A buffer of a few requests."""
        chance, ids = self.chance, self.ids()
        by_kind = self.handles()
        everything = [handle for some in by_kind.values() for handle in some]
        slots: list[int] = []
        packed = b""
        fitting = [rop for rop in self.rops if not rop.on or any(kind & rop.on for kind in by_kind)]
        for _ in range(chance.randrange(1, 12)):
            kind = chance.choice([*by_kind, On.NOTHING])
            of_kind = [rop for rop in fitting if rop.on & kind] or fitting or self.rops
            rop = chance.choice(self.rops if chance.random() < 0.1 else of_kind)
            if rop.id == RELEASE and chance.random() < 0.7:
                continue
            data = self.body(rop, ids)
            if data is None:
                continue
            indexes = b""
            for letter in rop.handles.value:
                on = rop.dest if letter in "dr" and rop.dest else rop.on
                fit = [handle for kind, some in by_kind.items() if kind & on for handle in some]
                handle = NO_HANDLE if letter == "o" else chance.choice(fit or everything or [NO_HANDLE])
                if chance.random() < 0.03:
                    handle = chance.choice([*everything, NO_HANDLE, 12345])
                indexes += bytes([len(slots)])
                slots.append(handle)
            packed += bytes([rop.id, 0]) + indexes + data
        return batch.pack(packed, slots)


def furnish(client: Client, on: int) -> None:
    """Something of every kind to begin with."""
    mid = note(client, on, PidTagBody="text")
    open_(client, on, mid)
    message = create(client, on)
    set_(client, message, {tags.PidTagSubject: "new"})
    attachment = attach(client, message, {tags.PidTagAttachDataBinary: b"data"}, keep=True)
    stream(client, attachment, tags.PidTagAttachDataBinary, 1)
    stream(client, message, tags.PidTagHtml, 2)
    request = open_folder.Request(Special.DRAFTS, open_folder.OpenModeFlags(0))
    folder = client.do(open_folder.ROP, request, on=on).handle
    contents_ = get_contents_table.Request(get_contents_table.TableFlags(0))
    table = client.do(get_contents_table.ROP, contents_, on=folder).handle
    client.do(set_columns.ROP, set_columns.Request(0, TAGS[:2]), on=table)
    files = get_attachment_table.Request(get_attachment_table.TableFlags(0))
    client.do(get_attachment_table.ROP, files, on=message)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 1 << 32))
def test_random_batches(
    store: Store,
    office: Office,
    connect: Callable[..., Client],
    caplog: pytest.LogCaptureFixture,
    seed: int,
) -> None:
    user = office.user(f"u{office.count}x{seed}@example.test")
    client = connect(user)
    on = client.logon()
    deliver(office, user, MIME)
    furnish(client, on)
    fuzzer = Fuzzer(client, store, random.Random(seed))
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(BATCHES):
            data = fuzzer.batch()
            try:
                client.raw(data, chain=fuzzer.chance.random() < 0.2)
            except MapiError:
                continue
    bad = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not bad, "\n".join(f"{record.getMessage()} {record.exc_info}" for record in bad)
    client.session.close()
