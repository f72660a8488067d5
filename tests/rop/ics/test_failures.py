"""What a download does about objects that it may not, or cannot, send."""

from collections.abc import Callable

import pytest

from appliance.directory.model import Entry
from appliance.mailbox import whole
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.rop.fasttransfer.pen import SendOptions
from appliance.rop.ops import fast_transfer_source_copy as source
from appliance.rop.ops import fast_transfer_source_get_buffer as get_buffer
from appliance.rop.ops.fast_transfer_source_copy import CopyFlags
from appliance.store import permissions
from appliance.store.contents import Row
from appliance.store.errors import StoreError
from appliance.store.mailboxes import Special
from appliance.store.permissions import Right
from tests.rop.fasttransfer.parsing import FolderItem, Parser
from tests.rop.ics.making import Maker
from tests.rop.ics.replica import Replica, open_, pull, upload_state, wire
from tests.rop.kit import Client
from tests.transport.office import Office

UNICODE = SendOptions.UNICODE


@pytest.fixture
def maker(client: Client, anna: Entry) -> Maker:
    return Maker(client.engine.store, anna)


def copy_messages(
    client: Client, folder: int, rows: list[Row], flags: CopyFlags = CopyFlags.NONE
) -> FolderItem:
    request = source.CopyMessagesRequest(tuple(row.mid for row in rows), flags, UNICODE)
    parser, found = (
        Parser(pull(client, client.do(source.COPY_MESSAGES, request, on=folder).handle)),
        FolderItem(),
    )
    parser.message_list(found)
    parser.end()
    return found


@pytest.mark.covers(
    "MS-OXCFXICS_R1168", "MS-OXCFXICS_R34381", "MS-OXCFXICS_R2669", "MS-OXCFXICS_R2631",
    "MS-OXCFXICS_R2104", "MS-OXCFXICS_R2114", "MS-OXCFXICS_R467", "MS-OXCFXICS_R468", "MS-OXCFXICS_R494",
    "MS-OXCFXICS_R495", "MS-OXCFXICS_R2088", "MS-OXCFXICS_R3438", "MS-OXCFXICS_R1167", "MS-OXCFXICS_R3286",
    "MS-OXCFXICS_R1035", "MS-OXCFXICS_R1036", "MS-OXCFXICS_R1166",
)  # fmt: skip
def test_what_may_not_be_read_or_deleted_is_skipped(
    office: Office, connect: Callable[..., Client], anna: Entry, maker: Maker
) -> None:
    bob = office.user("bob@example.test")
    rows = [maker.deliver("x")]

    def grant(right: Right) -> None:
        office.write(lambda txn: permissions.put(txn, anna.mailbox, Special.INBOX, bob.id, right))

    grant(Right.FOLDER_VISIBLE)
    other = connect(bob)
    folder = open_(other, other.logon(anna), Special.INBOX)
    found = copy_messages(other, folder, rows)
    assert (found.messages, found.warnings) == ([], [ec.ecAccessDenied - (1 << 32)])
    grant(Right.FOLDER_VISIBLE | Right.READ_ANY)
    assert len(copy_messages(other, folder, rows).messages) == 1
    assert copy_messages(other, folder, rows, CopyFlags.MOVE).messages == []
    grant(Right.FOLDER_VISIBLE | Right.READ_ANY | Right.DELETE_ANY)
    assert len(copy_messages(other, folder, rows, CopyFlags.MOVE).messages) == 1


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """MIDs of messages that cannot be read."""
    mids: set[int] = set()
    stored = whole.stored

    def failing(*given: object, **more: object) -> whole.Whole:
        row = given[3]
        assert isinstance(row, Row)
        if row.mid in mids:
            raise StoreError("damaged")
        return stored(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(whole, "stored", failing)
    return mids


@pytest.mark.covers(
    "MS-OXCFXICS_R3462", "MS-OXCFXICS_R281", "MS-OXCFXICS_R282", "MS-OXCFXICS_R284", "MS-OXCFXICS_R285",
    "MS-OXCFXICS_R286", "MS-OXCFXICS_R287", "MS-OXCFXICS_R290", "MS-OXCFXICS_R291", "MS-OXCFXICS_R292",
    "MS-OXCFXICS_R294", "MS-OXCFXICS_R295", "MS-OXCFXICS_R298", "MS-OXCFXICS_R299", "MS-OXCFXICS_R300",
    "MS-OXCFXICS_R301", "MS-OXCFXICS_R304", "MS-OXCFXICS_R307", "MS-OXCFXICS_R308", "MS-OXCFXICS_R309",
    "MS-OXCFXICS_R310", "MS-OXCFXICS_R311", "MS-OXCFXICS_R313", "MS-OXCFXICS_R316", "MS-OXCFXICS_R317",
    "MS-OXCFXICS_R318", "MS-OXCFXICS_R319", "MS-OXCFXICS_R1071", "MS-OXCFXICS_R1072", "MS-OXCFXICS_R3294",
    "MS-OXCFXICS_R2618", "MS-OXCFXICS_R2619", "MS-OXCFXICS_R1074", "MS-OXCFXICS_R1078", "MS-OXCFXICS_R1079",
    "MS-OXCFXICS_R1338", "MS-OXCFXICS_R1339", "MS-OXCFXICS_R1340", "MS-OXCFXICS_R1342",
)  # fmt: skip
def test_recovery_goes_on_after_the_message(client: Client, maker: Maker, broken: set[int]) -> None:
    rows = [maker.deliver(f"m{number}") for number in range(3)]
    broken.add(rows[1].mid)
    replica = Replica(client, open_(client, client.logon(), Special.INBOX))
    sync = replica.sync()
    assert set(replica.messages) == {wire(rows[0].mid), wire(rows[2].mid)}
    (error,) = sync.errors
    guid = (maker.mailbox + 1000).to_bytes(16, "little")
    gids = [guid + (each & (1 << 48) - 1).to_bytes(6, "big") for each in (Special.INBOX, rows[1].mid)]
    assert len(error) == 88
    assert error[:4] == bytes(4)
    assert int.from_bytes(error[4:8], "little") not in (0, ec.ecWarnWithErrors)
    assert error[8:32] == gids[0] + bytes(2)
    assert error[32:56] == gids[1] + bytes(2)
    assert error[56:] == bytes(24 + 4 + 4), "reserved; no auxiliary bytes"
    broken.clear()
    # it was not marked as seen: it comes when it can be read again
    assert [item.header[tags.PidTagMid] for item in replica.sync().changes] == [wire(rows[1].mid)]


@pytest.mark.covers(
    "MS-OXCFXICS_R348901", "MS-OXCFXICS_R2146", "MS-OXCFXICS_R3489", "MS-OXCFXICS_R5561",
    "MS-OXCFXICS_R566", "MS-OXCFXICS_R567", "MS-OXCFXICS_R556",
)  # fmt: skip
def test_without_recovery_the_download_fails_for_good(client: Client, maker: Maker, broken: set[int]) -> None:
    broken.add(maker.deliver("x").mid)
    replica = Replica(client, open_(client, client.logon(), Special.INBOX))
    handle = replica.configure(options=UNICODE)
    upload_state(client, handle, replica.state)
    for _ in range(2):
        reply = client.ask(get_buffer.ROP, get_buffer.Request(0xBABE, 30_000), on=handle)
        assert reply.code == ec.ecNotSupported
        assert reply.body.transfer_status == get_buffer.TransferStatus.ERROR
        assert reply.body.transfer_buffer == b""
