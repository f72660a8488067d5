"""The worked example MS-OXPROTO 3.4: an appointment request at a time when the invitee is free."""

import datetime
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from appliance.addressbook.stat import Stat
from appliance.directory import entries
from appliance.mailbox import freebusy
from appliance.mailbox.freebusy import Seeds
from appliance.mapi import names as known
from appliance.mapi import tags, times
from appliance.mapi.names import NamedTag
from appliance.protocols.mapihttp.bodies import nspi
from appliance.rop.ops import (
    get_contents_table,
    get_hierarchy_table,
    get_property_ids_from_names,
    logon,
    open_folder,
    query_rows,
    set_columns,
    submit_message,
)
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from tests.bench.mapi import legacy_dns
from tests.conversations.mapi.test_examples import Person, add_recipient, from_int64, resolve
from tests.mapiclient import MapiClient
from tests.rop.ops.items import create, get, opened, row, save, set_
from tests.served import Served, make_office

FREE_BUSY_INDEX = 4
"""Of FolderIds in the response to a public RopLogon (MS-OXCSTOR 2.2.1.1.4)."""

MINUTE = 600_000_000
MONTHS_BUSY, STRETCHES_BUSY = 0x68531003, 0x68541102
START = times.to_minutes(times.from_unix_ns(1_924_992_000 * 10**9)) + 9 * 60
"""Nine o'clock of 2031-01-01, in minutes since 1601."""

NAMED = (
    known.PidLidAppointmentStartWhole,
    known.PidLidAppointmentEndWhole,
    known.PidLidBusyStatus,
    known.PidLidLocation,
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of time in minutes since 1601."""

    start: int
    end: int

    def meets(self, other: "Slot") -> bool:
        return self.start < other.end and other.start < self.end


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = make_office(tmp_path_factory.mktemp("appointment") / "data")
    names = legacy_dns(data)
    with Served(data) as server:
        server.names = names  # type: ignore[attr-defined]
        yield server


def named_tags(client: MapiClient, on: int, *wanted: NamedTag) -> list[int]:
    """RopGetPropertyIdsFromNames: the tags of named properties."""
    flags = get_property_ids_from_names.NameFlags(2)  # make what is not known
    request = get_property_ids_from_names.Request(flags, tuple(one.name for one in wanted))
    found = client.do(get_property_ids_from_names.ROP, request, on=on).body.ids
    return [number << 16 | one.type for number, one in zip(found, wanted, strict=True)]


def fill(person: Person, on: int, slot: Slot, busy: int, **more: str) -> None:
    """The properties of an appointment (MS-OXOCAL 2.2.1)."""
    start, end, status, place = named_tags(person.client, on, *NAMED)
    values = {start: slot.start * MINUTE, end: slot.end * MINUTE, status: busy, place: "Room 5"}
    set_(person.client, on, values | {getattr(tags, name): value for name, value in more.items()})


def publish(server: Served, who: str) -> None:
    """What the server does in the background, a while after a change."""
    store = Store.open(server.data)
    with store.read() as txn:
        entry = entries.by_address(txn, f"{who}@example.test")
    assert entry is not None
    id, seeds = entry.id, Seeds(secrets.token_bytes(16), secrets.token_bytes(16), 77)
    now = (START - 60) * MINUTE
    store.write(lambda txn: freebusy.publish(txn, id, seeds, now)).result()
    store.close()


def busy_times(client: MapiClient, dn: str) -> list[Slot]:
    """Steps 7 to 12: the times of somebody, out of the public store (MS-OXOPFFB 3.1.4)."""
    request = logon.Request(logon.LogonFlags(0), logon.OpenFlags.PUBLIC, 0, b"")
    reply = client.do(logon.ROP, request, logon_id=1)
    public, group_folders = reply.handle, reply.body.folder_ids[FREE_BUSY_INDEX]

    def open(fid: int) -> int:
        mode = open_folder.OpenModeFlags(0)
        return client.do(open_folder.ROP, open_folder.Request(fid, mode), on=public, logon_id=1).handle

    at = dn.lower().index("/cn=")
    folder, subject = f"EX:{dn[:at]}", f"USER-{dn[at:].upper()}"
    flags = get_hierarchy_table.TableFlags(0)
    table = client.do(
        get_hierarchy_table.ROP, get_hierarchy_table.Request(flags), on=open(group_folders), logon_id=1
    ).handle
    ((fid, name),) = on_logon(client, table, tags.PidTagFolderId, tags.PidTagDisplayName)
    assert name == folder
    contents = get_contents_table.Request(get_contents_table.TableFlags(0))
    table = client.do(get_contents_table.ROP, contents, on=open(from_int64(fid)), logon_id=1).handle
    columns = (tags.PidTagSubject, MONTHS_BUSY, STRETCHES_BUSY)
    ((found, months, stretches),) = on_logon(client, table, *columns)
    assert found == subject
    assert isinstance(months, tuple)
    assert isinstance(stretches, tuple)
    slots = []
    for month, packed in zip(months, stretches, strict=True):
        first = month_start(month // 16, month % 16)
        for place in range(0, len(packed), 4):
            start, end = (int.from_bytes(packed[at : at + 2], "little") for at in (place, place + 2))
            slots.append(Slot(first + start, first + end))
    return slots


def on_logon(client: MapiClient, table: int, *columns: int) -> list[list[object]]:
    """As `rows`, on the second logon."""
    client.do(set_columns.ROP, set_columns.Request(0, columns), on=table, logon_id=1)
    request = query_rows.Request(query_rows.QueryRowsFlags(0), True, 100)
    found = client.do(query_rows.ROP, request, on=table, logon_id=1).body
    assert found.row_count == 1, "one folder, one person"
    return [row(found.row_data, columns)]


def month_start(year: int, month: int) -> int:
    """The first minute of a month (MS-OXOPFFB 2.2.1.4.2: year * 16 + month)."""
    since = datetime.datetime(year, month, 1) - datetime.datetime(1601, 1, 1)
    return since.days * 1440


def test_an_appointment_request_at_a_free_time(server: Served) -> None:
    with Person(server, "anna") as anna, Person(server, "ben") as ben:
        taken = Slot(START, START + 90)
        calendar = create(ben.client, ben.mailbox, Special.CALENDAR)
        fill(ben, calendar, taken, 2, PidTagMessageClass="IPM.Appointment", PidTagSubject="Dentist")
        save(ben.client, calendar)
        publish(server, "ben")
        ben.watch()
        # 2, 3: a new appointment
        message = create(anna.client, anna.mailbox, Special.DRAFTS)
        # 4 to 6: the invitee
        book = anna.client.nspi()
        book.ask("Bind", nspi.BindRequest(0, Stat()), nspi.BindResponse)
        invitee = resolve(book, "Ben")
        book.close()
        add_recipient(anna.client, message, *invitee)
        # 7 to 13: a time when both are free
        busy = busy_times(anna.client, invitee[1])
        assert busy == [taken]
        slots = [Slot(START + at, START + at + 60) for at in range(0, 480, 30)]
        chosen = next(slot for slot in slots if not any(slot.meets(other) for other in busy))
        assert chosen.start == taken.end
        # 14, 15: the request
        fill(
            anna,
            message,
            chosen,
            1,
            PidTagMessageClass="IPM.Schedule.Meeting.Request",
            PidTagSubject="The plan",
            PidTagBody="Shall we?\r\n",
        )
        save(anna.client, message)
        request = submit_message.Request(submit_message.SubmitFlags(0))
        anna.client.do(submit_message.ROPS[0], request, on=message)
        (notice,) = ben.news()
        assert notice.data.message_class == "IPM.Schedule.Meeting.Request"
        got = opened(ben.client, ben.mailbox, notice.data.message_id, ben.inbox)
        start, end, _, place = named_tags(ben.client, got, *NAMED)
        wanted = (tags.PidTagSubject, tags.PidTagSenderName, start, end, place)
        assert get(ben.client, got, *wanted) == [
            "The plan",
            anna.client.display_name,
            chosen.start * MINUTE,
            chosen.end * MINUTE,
            "Room 5",
        ]
