"""Use cases of MS-OXPROTO that its worked examples do not hold (2.5.4, 2.5.8 to 2.5.12), against a server in
a process of its own."""

import asyncio
import email
import email.policy
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from appliance.mapi import names, restrictions, tags
from appliance.mapi.rows import read_row
from appliance.mapi.types import Value
from appliance.mapi.values import rop_form
from appliance.rop.ops import (
    delete_messages,
    get_contents_table,
    get_property_ids_from_names,
    modify_recipients,
    open_folder,
    query_rows,
    restrict,
    set_columns,
    sort_table,
    submit_message,
)
from appliance.store.mailboxes import Special
from appliance.wire.cursor import Reader
from tests.bench.mapi import legacy_dns
from tests.conversations.mapi.test_examples import Person, from_int64
from tests.rop.ics.replica import Replica
from tests.rop.ops.items import create, get, opened, recipients_request, save, set_, smtp
from tests.served import Served, command, make_office

FORM = rop_form()


class Elsewhere:
    """The server of somebody else: keeps what it is given."""

    def __init__(self) -> None:
        self.received: list[tuple[str, list[str], bytes]] = []
        self.came = threading.Event()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.received.append((envelope.mail_from or "", list(envelope.rcpt_tos), envelope.content))
        self.came.set()
        return "250 taken"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[tuple[Elsewhere, int]]:
    handler, loop = Elsewhere(), asyncio.new_event_loop()

    async def listen() -> asyncio.Server:
        return await loop.create_server(lambda: SMTP(handler, loop=loop), "127.0.0.1", 0)

    server = loop.run_until_complete(listen())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield handler, server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()
    loop.run_until_complete(server.wait_closed())
    loop.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, elsewhere: tuple[Elsewhere, int]) -> Iterator[Served]:
    data: Path = make_office(tmp_path_factory.mktemp("cases") / "data")
    command(data, "smarthost", "set", f"127.0.0.1:{elsewhere[1]}", "--tls", "none")
    known = legacy_dns(data)
    with Served(data) as server:
        server.names = known  # type: ignore[attr-defined]
        yield server


@pytest.fixture
def anna(server: Served) -> Iterator[Person]:
    with Person(server, "anna") as person:
        yield person


def folder(person: Person, fid: int) -> int:
    """Opened (2.5.9)."""
    request = open_folder.Request(fid, open_folder.OpenModeFlags(0))
    return person.client.do(open_folder.ROP, request, on=person.mailbox).handle


def stored(person: Person, fid: int, message_class: str, **values: Value) -> int:
    """A message of a class (2.5.3, 2.5.4); its MID."""
    message = create(person.client, person.mailbox, fid)
    named = {getattr(tags, name): value for name, value in values.items()}
    set_(person.client, message, {tags.PidTagMessageClass: message_class, **named})
    return save(person.client, message)


def found(person: Person, fid: int, condition: restrictions.Restriction, *columns: int) -> list[list[object]]:
    """The rows that match, by subject (2.5.10)."""
    client = person.client
    flags = get_contents_table.TableFlags(0)
    table = client.do(
        get_contents_table.ROP, get_contents_table.Request(flags), on=folder(person, fid)
    ).handle
    packed = restrictions.pack(condition, FORM)
    client.do(restrict.ROP, restrict.Request(0, packed), on=table)
    order = sort_table.Order(tags.PidTagSubject, 0)
    client.do(sort_table.ROP, sort_table.Request(0, 1, 0, 0, (order,)), on=table)
    client.do(set_columns.ROP, set_columns.Request(0, columns), on=table)
    request = query_rows.Request(query_rows.QueryRowsFlags(0), True, 50)
    body = client.do(query_rows.ROP, request, on=table).body
    reader = Reader(body.row_data)
    rows = [read_row(reader, columns, FORM) for _ in range(body.row_count)]
    reader.expect_end()
    return rows


def test_a_strongly_typed_message(anna: Person) -> None:
    """2.5.4: a task, its own properties by their names; what follows from them is there too."""
    client = anna.client
    wanted = (names.PidLidTaskDueDate, names.PidLidTaskStatus, names.PidLidPercentComplete)
    request = get_property_ids_from_names.Request(
        get_property_ids_from_names.NameFlags.CREATE, tuple(tag.name for tag in wanted)
    )
    ids = client.do(get_property_ids_from_names.ROP, request, on=anna.mailbox).body.ids
    due, status, done = (id << 16 | tag.type for id, tag in zip(ids, wanted, strict=True))
    message = create(client, anna.mailbox, Special.TASKS)
    day = 134_000_000_000_000_000 // 864_000_000_000 * 864_000_000_000
    values: dict[int, Value] = {
        tags.PidTagMessageClass: "IPM.Task",
        tags.PidTagSubject: "Water the plants",
        due: day,
        status: 1,
        done: 0.25,
    }
    set_(client, message, values)
    mid = save(client, message)
    again = opened(client, anna.mailbox, mid, Special.TASKS)
    assert get(client, again, tags.PidTagMessageClass, due, status, done) == ["IPM.Task", day, 1, 0.25]


def test_a_message_to_a_remote_recipient(anna: Person, elsewhere: tuple[Elsewhere, int]) -> None:
    """2.5.8: converted to MIME and sent on."""
    handler, _ = elsewhere
    client = anna.client
    message = create(client, anna.mailbox, Special.DRAFTS)
    request = recipients_request({0: (1, smtp("bob@far.test", "Bob")), 1: (3, smtp("hidden@far.test", "H"))})
    client.do(modify_recipients.ROP, request, on=message)
    set_(
        client,
        message,
        {
            tags.PidTagMessageClass: "IPM.Note",
            tags.PidTagSubject: "Gr\u00fc\u00dfe",
            tags.PidTagHtml: b"<p>Hello <b>Bob</b>",
            tags.PidTagImportance: 2,
        },
    )
    save(client, message)
    client.do(submit_message.ROPS[0], submit_message.Request(submit_message.SubmitFlags(0)), on=message)
    assert handler.came.wait(60)
    ((sender, to, raw),) = handler.received
    assert (sender, sorted(to)) == (anna.address, ["bob@far.test", "hidden@far.test"])
    mime = email.message_from_bytes(raw, policy=email.policy.default)
    assert mime["Subject"] == "Gr\u00fc\u00dfe"
    assert mime["To"] == "Bob <bob@far.test>"
    assert mime["Importance"].lower() == "high"
    assert b"hidden" not in raw
    body = mime.get_body(("html",))  # type: ignore[attr-defined]
    assert "<b>Bob</b>" in body.get_content()


def test_finding_and_deleting(anna: Person) -> None:
    """2.5.9, 2.5.10, 2.5.11."""
    for subject in ("pear", "apple", "apple pie", "plum"):
        stored(anna, Special.NOTES, "IPM.StickyNote", PidTagSubject=subject)
    apples = restrictions.Content(
        1, restrictions.FuzzyFlags.IGNORE_CASE, tags.PidTagSubject, tags.PidTagSubject, "APPLE"
    )
    columns = (tags.PidTagMid, tags.PidTagSubject)
    rows = found(anna, Special.NOTES, apples, *columns)
    assert [subject for _, subject in rows] == ["apple", "apple pie"]
    mids = tuple(from_int64(mid) for mid, _ in rows)
    request = delete_messages.Request(False, False, mids)
    body = anna.client.do(delete_messages.SOFT, request, on=folder(anna, Special.NOTES)).body
    assert body.partial_completion is False
    assert found(anna, Special.NOTES, apples, *columns) == []
    left = found(anna, Special.NOTES, restrictions.Exist(tags.PidTagSubject), tags.PidTagSubject)
    assert left == [["pear"], ["plum"]]


def test_synchronizing_items(anna: Person, server: Served) -> None:
    """2.5.12: everything at first, then what came, changed and went, whoever did it."""
    replica = Replica(anna.client, folder(anna, anna.inbox))
    first = replica.sync()
    known = len(replica.messages)
    assert len(first.changes) == known
    anna.watch()
    anna.receive("For the replica", "text\n")
    while not anna.news():
        pass
    (item,) = replica.sync().changes
    assert item.props[tags.PidTagSubject] == "For the replica"
    assert len(replica.messages) == known + 1
    assert replica.sync().changes == []
    with server.imap("anna") as imap:
        imap.select("INBOX")
        _, data = imap.search(None, "SUBJECT", '"For the replica"')
        number = data[0].decode()
        imap.store(number, "+FLAGS", "(\\Seen)")
        assert replica.sync().reads
        imap.store(number, "+FLAGS", "(\\Deleted)")
        imap.expunge()
    assert replica.sync().deletions
    assert len(replica.messages) == known
