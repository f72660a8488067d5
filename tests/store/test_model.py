"""The small tables of the data model: receive folders, rules, timers, read states, devices, indexes."""

import random

import pytest

from appliance.formats import bags
from appliance.mapi import names as mapi_names
from appliance.mapi import tags
from appliance.mapi.ids import LongTermId
from appliance.mapi.idset import IdSet
from appliance.mapi.names import NamedTag
from appliance.mapi.times import TICKS_PER_SECOND
from appliance.mapi.types import Bag, Value
from appliance.store import (
    contents,
    devices,
    eas_state,
    indexes,
    messages,
    names,
    peruser,
    receive_folders,
    rules,
    timers,
)
from appliance.store.check import check, repair
from appliance.store.devices import Device
from appliance.store.edit import editing
from appliance.store.errors import LimitReached, NotFound, StoreError
from appliance.store.keys import Table, head, pack, successor
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special, changing
from appliance.store.messages import NewMessage
from appliance.store.store import Store
from tests.conftest import EPOCH

HOUR = 3600 * TICKS_PER_SECOND
DAY = 24 * HOUR


def put_item(
    store: Store, mailbox: int, fid: int, named: dict[NamedTag, Value], plain: Bag | None = None
) -> contents.Row:
    def fn(txn: WriteTxn) -> contents.Row:
        bag = dict(plain or {})
        for tag, value in named.items():
            bag[names.assign(txn, tag.name) << 16 | tag.type] = value
        with editing(txn, mailbox, now=EPOCH) as edit:
            return messages.insert(edit, fid, NewMessage(blob=0, size=10, bag=bags.pack(bag)))

    return store.write(fn).result()


# -- receive folders --------------------------------------------------------------------------------------


@pytest.mark.covers("MS-OXCSTOR_R782")
def test_a_new_mailbox_has_the_receive_folders_that_the_specification_asks_for(
    store: Store, mailbox: int
) -> None:
    with store.read() as txn:
        table = {row.message_class: row.fid for row in receive_folders.table(txn, mailbox)}
    assert table.pop("IPC") == Special.ROOT
    assert table == dict.fromkeys(["", "IPM", "REPORT.IPM"], Special.INBOX)


def test_the_longest_row_decides(store: Store, mailbox: int) -> None:
    def fn(txn: WriteTxn) -> None:
        receive_folders.put(txn, mailbox, "IPM.Invoice", Special.NOTES, now=1)
        receive_folders.put(txn, mailbox, "ipm.invoice.Paid", Special.JOURNAL, now=2)

    store.write(fn).result()
    expected = {
        "IPM.Invoice": ("IPM.Invoice", Special.NOTES),
        "IPM.INVOICE.OPEN": ("IPM.Invoice", Special.NOTES),
        "IPM.Invoices": ("IPM", Special.INBOX),
        "IPM.Invoice.Paid.Late": ("ipm.invoice.Paid", Special.JOURNAL),
        "IPM.Note.SMIME": ("IPM", Special.INBOX),
        "REPORT.IPM.Note.NDR": ("REPORT.IPM", Special.INBOX),
        "Unknown": ("", Special.INBOX),
        "": ("", Special.INBOX),
        "IPC.Thing": ("IPC", Special.ROOT),
    }
    with store.read() as txn:
        for name, found in expected.items():
            assert receive_folders.find(txn, mailbox, name)[:2] == found


def test_a_default_can_be_overridden_and_comes_back(store: Store, mailbox: int) -> None:
    store.write(lambda txn: receive_folders.put(txn, mailbox, "ipm", Special.NOTES, now=1)).result()
    with store.read() as txn:
        assert receive_folders.find(txn, mailbox, "IPM.Task").fid == Special.NOTES
        assert len(receive_folders.table(txn, mailbox)) == 4
    assert store.write(lambda txn: receive_folders.delete(txn, mailbox, "IPM")).result()
    with store.read() as txn:
        assert receive_folders.find(txn, mailbox, "IPM.Task").fid == Special.INBOX


@pytest.mark.parametrize("name", [".IPM", "IPM.", "IPM..Note", "IPM.\xe4", "X" * 255, "a\nb"])
def test_what_is_no_class_is_refused(store: Store, mailbox: int, name: str) -> None:
    with pytest.raises(StoreError):
        store.write(lambda txn: receive_folders.put(txn, mailbox, name, Special.INBOX, now=1)).result()


def test_the_empty_class_keeps_its_folder(store: Store, mailbox: int) -> None:
    with pytest.raises(StoreError):
        store.write(lambda txn: receive_folders.delete(txn, mailbox, "")).result()
    with pytest.raises(NotFound):
        store.write(lambda txn: receive_folders.put(txn, mailbox, "A", 12345, now=1)).result()


# -- rules ------------------------------------------------------------------------------------------------


def test_rules_come_in_the_order_of_evaluation(store: Store, mailbox: int) -> None:
    def fn(txn: WriteTxn) -> list[int]:
        with changing(txn, mailbox) as clock:
            return [
                rules.add(
                    txn,
                    clock,
                    Special.INBOX,
                    {
                        tags.PidTagRuleSequence: sequence,
                        tags.PidTagRuleState: state,
                        tags.PidTagRuleProvider: provider,
                        rules.PidTagRuleCondition: b"condition",
                        tags.PidTagRuleActions: b"actions",
                    },
                ).rule_id
                for sequence, state, provider in ((9, 1, "RuleOrganizer"), (3, 0, "Other"), (3, 4, "Other"))
            ]

    first, second, third = store.write(fn).result()
    with store.read() as txn:
        found = rules.rules(txn, mailbox, Special.INBOX)
        assert [rule.rule_id for rule in found] == [second, third, first]
        assert [rule.enabled for rule in found] == [False, True, True]
        assert found[2].bag[tags.PidTagRuleActions] == b"actions"
        assert rules.has_any(txn, mailbox, Special.INBOX)
        assert not rules.has_any(txn, mailbox, Special.SENT)
    changed = {tags.PidTagRuleSequence: 1}
    store.write(lambda txn: rules.change(txn, mailbox, Special.INBOX, first, changed)).result()
    with store.read() as txn:
        assert rules.rules(txn, mailbox, Special.INBOX)[0].rule_id == first
        assert rules.get(txn, mailbox, Special.INBOX, first).bag[rules.PidTagRuleCondition] == b"condition"
    assert store.write(lambda txn: rules.clear(txn, mailbox, Special.INBOX, "Other")).result() == 2
    assert store.write(lambda txn: rules.delete(txn, mailbox, Special.INBOX, first)).result()
    with pytest.raises(NotFound):
        store.write(lambda txn: rules.change(txn, mailbox, Special.INBOX, first, changed)).result()


def test_extended_rules_are_associated_messages(store: Store, mailbox: int) -> None:
    def fn(txn: WriteTxn) -> contents.Row:
        with editing(txn, mailbox, now=EPOCH) as edit:
            for name, associated in (("IPM.Note", True), (rules.EXTENDED, False)):
                new = NewMessage(0, 1, bags.pack({}), message_class=name, associated=associated)
                messages.insert(edit, Special.INBOX, new)
            new = NewMessage(0, 1, bags.pack({}), message_class="ipm.extendedrule.message", associated=True)
            return messages.insert(edit, Special.INBOX, new)

    row = store.write(fn).result()
    with store.read() as txn:
        assert rules.extended(txn, mailbox, Special.INBOX) == [row]


# -- timers -----------------------------------------------------------------------------------------------


def test_timers_are_due_in_order(store: Store, mailbox: int) -> None:
    rng = random.Random(4)
    model: dict[tuple[timers.Kind, int], int] = {}
    for _ in range(200):
        kind, item, due = rng.choice(list(timers.Kind)), rng.randrange(1, 20), rng.randrange(1000)
        if rng.random() < 0.3:
            had = store.write(lambda txn, k=kind, i=item: timers.cancel(txn, mailbox, k, i)).result()  # type: ignore[misc]
            assert had == (model.pop((kind, item), None) is not None)
        elif kind != timers.Kind.REMINDER:  # those belong to messages
            store.write(lambda txn, k=kind, i=item, d=due: timers.put(txn, mailbox, k, i, d)).result()  # type: ignore[misc]
            model[kind, item] = due
    with store.read() as txn:
        expected = sorted((due, kind, item) for (kind, item), due in model.items() if due <= 500)
        assert [tuple(timer) for timer in timers.due(txn, mailbox, 500)] == expected
        assert timers.next_due(txn, mailbox) == min(model.values())
    moved = store.write(lambda txn: timers.shift(txn, mailbox, timers.Kind.RETENTION, 10_000)).result()
    assert moved == sum(1 for kind, _ in model if kind == timers.Kind.RETENTION)
    with store.read() as txn:
        assert all(timer.kind != timers.Kind.RETENTION for timer in timers.due(txn, mailbox, 9999))


# -- read states ------------------------------------------------------------------------------------------


def test_each_user_reads_alone(store: Store, mailbox: int) -> None:
    fid = Special.INBOX
    rows = [put_item(store, mailbox, fid, {}) for _ in range(5)]
    read = [row.cn for row in rows[:3]]
    assert store.write(lambda txn: peruser.mark(txn, mailbox, fid, 7, read, read=True)).result() == 3
    assert store.write(lambda txn: peruser.mark(txn, mailbox, fid, 7, read, read=True)).result() == 0
    with store.read() as txn:
        assert peruser.unread(txn, mailbox, fid, 7) == 2
        assert peruser.unread(txn, mailbox, fid, 8) == 5
        assert set(peruser.read_set(txn, mailbox, fid, 7).ids()) == set(read)

    def rewrite(txn: WriteTxn) -> None:
        with editing(txn, mailbox, now=EPOCH) as edit:
            messages.rewrite(edit, rows[0], NewMessage(0, 1, bags.pack({})))

    store.write(rewrite).result()
    store.write(lambda txn: peruser.mark(txn, mailbox, fid, 7, [rows[1].cn], read=False)).result()
    with store.read() as txn:
        assert peruser.unread(txn, mailbox, fid, 7) == 4
    assert store.write(lambda txn: peruser.drop_user(txn, mailbox, 7)).result()
    with store.read() as txn:
        assert not peruser.read_set(txn, mailbox, fid, 7)


def test_what_a_client_wrote_comes_back(store: Store, mailbox: int) -> None:
    folder, guid = LongTermId(b"d" * 16, 77), b"r" * 16
    state = peruser.PerUser(folder, guid, IdSet.of_ids([1 << 48 | 5]).pack())
    store.write(lambda txn: peruser.write(txn, mailbox, state)).result()
    with store.read() as txn:
        assert peruser.read(txn, mailbox, folder) == state
        assert peruser.of_replica(txn, mailbox, guid) == [folder]
        assert peruser.of_replica(txn, mailbox, b"x" * 16) == []
        assert peruser.read(txn, mailbox, LongTermId(b"d" * 16, 78)) is None
    assert store.write(lambda txn: peruser.delete(txn, mailbox, folder)).result()


# -- ActiveSync -------------------------------------------------------------------------------------------


def test_two_generations_are_kept(store: Store, mailbox: int) -> None:
    def advance(base: int, data: bytes) -> None:
        new = eas_state.State(base + 1, 40 + base, 3, EPOCH, data)
        store.write(lambda txn: eas_state.advance(txn, mailbox, "DEV", "5", base, new)).result()

    with store.read() as txn:
        assert eas_state.newest(txn, mailbox, "DEV", "5") is None
    advance(0, b"a")
    advance(1, b"b")
    advance(1, b"b again")
    advance(2, b"c")
    with store.read() as txn:
        assert eas_state.get(txn, mailbox, "DEV", "5", 2).data == b"b again"
        newest = eas_state.newest(txn, mailbox, "DEV", "5")
        assert newest == eas_state.State(3, 42, 3, EPOCH, b"c")
        with pytest.raises(NotFound):
            eas_state.get(txn, mailbox, "DEV", "5", 1)
    with pytest.raises(NotFound):
        advance(1, b"late")
    wrong = eas_state.State(9, 0, 0, 0, b"")
    with pytest.raises(LimitReached):
        store.write(lambda txn: eas_state.advance(txn, mailbox, "DEV", "5", 3, wrong)).result()
    with store.read() as txn:
        assert len(eas_state.collections(txn, mailbox, "DEV")) == 1
        assert eas_state.newest(txn, mailbox, "DE", "V5") is None
    store.write(lambda txn: eas_state.drop_device(txn, mailbox, "DEV")).result()
    with store.read() as txn:
        assert eas_state.collections(txn, mailbox, "DEV") == []


def test_devices_of_users(store: Store) -> None:
    phone = Device(3, "ApplDN1", kind="iPhone", policy_key=1234, wipe=devices.Wipe.WANTED, first_seen=EPOCH)
    store.write(lambda txn: devices.put(txn, phone)).result()
    store.write(lambda txn: devices.put(txn, Device(4, "ApplDN1"))).result()
    with store.read() as txn:
        assert devices.get(txn, 3, "ApplDN1") == phone
        assert devices.of_user(txn, 3) == [phone]
        with pytest.raises(NotFound):
            devices.get(txn, 5, "ApplDN1")
    with pytest.raises(LimitReached):
        store.write(lambda txn: devices.put(txn, Device(3, "x" * 33))).result()
    assert store.write(lambda txn: devices.delete(txn, 3, "ApplDN1")).result()


# -- indexes ----------------------------------------------------------------------------------------------


def appointment(start: int, end: int, **more: Value) -> dict[NamedTag, Value]:
    named: dict[NamedTag, Value] = {
        mapi_names.PidLidAppointmentStartWhole: start,
        mapi_names.PidLidAppointmentEndWhole: end,
    }
    return named | {getattr(mapi_names, name): value for name, value in more.items()}


def test_windows_of_a_calendar(store: Store, mailbox: int) -> None:
    rng = random.Random(5)
    model: dict[int, tuple[int, int]] = {}
    fid = Special.CALENDAR
    for _ in range(120):
        start = EPOCH + rng.randrange(0, 400) * DAY
        end = start + rng.choice([0, HOUR, DAY, 30 * DAY, 90 * DAY])
        row = put_item(store, mailbox, fid, appointment(start, end))
        model[row.mid] = (start, end)
    for _ in range(10):
        start = EPOCH + rng.randrange(0, 400) * DAY
        named = appointment(
            start, start + HOUR, PidLidRecurring=True, PidLidClipStart=start, PidLidClipEnd=start + 50 * DAY
        )
        model[put_item(store, mailbox, fid, named).mid] = (start, start + 50 * DAY)
    forever = put_item(store, mailbox, fid, appointment(EPOCH, EPOCH + HOUR, PidLidRecurring=True)).mid
    model[forever] = (EPOCH, indexes.MAX_TIME)
    put_item(store, mailbox, Special.INBOX, appointment(EPOCH, EPOCH + HOUR))
    with store.read() as txn:
        for _ in range(60):
            low = EPOCH + rng.randrange(0, 420) * DAY
            high = low + rng.choice([HOUR, DAY, 31 * DAY])
            expected = sorted(
                mid for mid, (a, b) in model.items() if a < high and (b > low or (a == b and a >= low))
            )
            assert indexes.window(txn, mailbox, fid, low, high) == expected


def test_indexes_follow_the_message(store: Store, mailbox: int) -> None:
    goid = b"\x04\0\0\0" + b"g" * 40
    named = appointment(EPOCH, EPOCH + HOUR, PidLidGlobalObjectId=b"other", PidLidCleanGlobalObjectId=goid)
    named |= {mapi_names.PidLidReminderSet: True, mapi_names.PidLidReminderSignalTime: EPOCH + DAY}
    row = put_item(store, mailbox, Special.CALENDAR, named, {indexes.PidTagUrlCompName: "a b.ics"})

    def seen() -> tuple[list[tuple[int, int]], list[int], list[int | None], list[timers.Timer]]:
        with store.read() as txn:
            return (
                list(indexes.by_goid(txn, mailbox, goid)),
                indexes.window(txn, mailbox, Special.CALENDAR, EPOCH, EPOCH + DAY),
                [
                    indexes.by_dav_name(txn, mailbox, fid, "a b.ics")
                    for fid in (Special.CALENDAR, Special.TRASH)
                ],
                timers.due(txn, mailbox, EPOCH + DAY),
            )

    def reminder(mid: int) -> timers.Timer:
        return timers.Timer(EPOCH + DAY, timers.Kind.REMINDER, mid)

    assert seen() == ([(Special.CALENDAR, row.mid)], [row.mid], [row.mid, None], [reminder(row.mid)])

    def edit_with(action: str, target: contents.Row) -> contents.Row | None:
        def fn(txn: WriteTxn) -> contents.Row | None:
            with editing(txn, mailbox, now=EPOCH) as edit:
                if action == "delete":
                    return messages.soft_delete(edit, target)
                if action == "restore":
                    return messages.restore(edit, target.fid, target.mid)
                if action == "move":
                    return messages.move(edit, target, Special.TRASH)
                if action == "clear":
                    return messages.annotate(edit, target, bags.pack({}))
                return messages.purge(edit, target)

        return store.write(fn).result()

    edit_with("delete", row)
    assert seen() == ([], [], [None, None], [])
    restored = edit_with("restore", row)
    assert restored is not None
    assert seen()[0] == [(Special.CALENDAR, row.mid)]
    moved = edit_with("move", restored)
    assert moved is not None
    assert seen() == ([(Special.TRASH, moved.mid)], [], [None, moved.mid], [reminder(moved.mid)])
    cleared = edit_with("clear", moved)
    assert cleared is not None
    assert seen() == ([], [], [None, None], [])
    edit_with("purge", cleared)


def test_repair_mends_every_table(store: Store, mailbox: int) -> None:
    named = appointment(EPOCH, EPOCH + HOUR, PidLidCleanGlobalObjectId=b"goid")
    named |= {mapi_names.PidLidReminderSet: True, mapi_names.PidLidReminderSignalTime: EPOCH + DAY}
    row = put_item(store, mailbox, Special.CALENDAR, named, {indexes.PidTagUrlCompName: "x"})

    def damage(txn: WriteTxn) -> None:
        for table in indexes.TABLES:
            txn.delete_range(head(mailbox, table), successor(head(mailbox, table)))
        txn.put(pack(mailbox, Table.GOIDS, b"nobody", 99), bytes(8))
        timers.cancel(txn, mailbox, timers.Kind.REMINDER, row.mid)
        timers.put(txn, mailbox, timers.Kind.REMINDER, 4711, 5)
        txn.put(pack(mailbox, Table.RULES, 4711, 1), bags.pack({}))
        txn.put(pack(mailbox, Table.RULES, int(Special.INBOX), 1), bags.pack({}))
        txn.put(pack(mailbox, Table.RECEIVE_FOLDERS, "IPM.X"), (4711).to_bytes(8, "little") * 2 + b"IPM.X")
        txn.put(pack(mailbox, Table.READSTATE, int(Special.INBOX), 1), b"damaged")
        txn.put(pack(mailbox, Table.READSTATE, 4711, 1), b"")
        for generation in (3, 5, 6):
            txn.put(pack(mailbox, Table.EAS_STATE, "D", "1", generation), bytes(20))
        txn.put(head(mailbox, Table.TIMERS) + b"\0" + bytes(17), b"")

    store.write(damage).result()
    wrong = "\n".join(check(store))
    for word in ("goids", "calendar", "davnames", "reminder", "rule", "receive folder", "read state"):
        assert word in wrong, word
    assert "generations" in wrong
    assert "its time only" in wrong
    repair(store)
    assert check(store) == []
    with store.read() as txn:
        assert indexes.window(txn, mailbox, Special.CALENDAR, EPOCH, EPOCH + 1) == [row.mid]
        assert timers.get(txn, mailbox, timers.Kind.REMINDER, row.mid) == EPOCH + DAY
        newest = eas_state.newest(txn, mailbox, "D", "1")
        assert newest is not None
        assert newest.generation == 6
