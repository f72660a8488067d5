"""Drafts: what a session sees, what a save stores, what happens when two change the same message."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.formats import bags
from appliance.mailbox.rendered import message_object
from appliance.mapi import names as mapi_names
from appliance.mapi import tags
from appliance.mapi.ids import PredecessorChangeList, Xid
from appliance.mapi.types import Bag
from appliance.store import blobs, contents, drafts, log, messages, names, versions
from appliance.store.blobs import BlobWriter, Prepared
from appliance.store.check import check
from appliance.store.contents import Row, RowFlag
from appliance.store.drafts import Draft, OnConflict, Outcome, Overlay, Saved
from appliance.store.edit import editing
from appliance.store.errors import Conflict, LimitReached, NotFound, StoreError
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.messages import NewMessage
from appliance.store.parts import Nested, part_blobs
from appliance.store.store import Store
from appliance.store.uids import UidView
from appliance.store.versions import Version
from tests.conftest import EPOCH

SESSION = 9


def prepare(store: Store, data: bytes) -> Prepared:
    writer = BlobWriter(store)
    for start in range(0, len(data), 60_000):
        future = writer.write(data[start : start + 60_000])
        if future is not None:
            future.result()
    return writer.finish()


def save(store: Store, draft: Draft, **more: object) -> Saved:
    def fn(txn: WriteTxn) -> Saved:
        with editing(txn, draft.mailbox, now=EPOCH, origin=SESSION) as edit:
            return drafts.save(edit, draft, **more)  # type: ignore[arg-type]

    return store.write(fn).result()


def reopen(store: Store, mailbox: int, row: Row) -> Draft:
    with store.read() as txn:
        return drafts.open_message(
            txn, mailbox, contents.get(txn, mailbox, row.fid, row.mid, row.associated), SESSION
        )


def made(store: Store, mailbox: int, subject: str = "first") -> Row:
    draft = drafts.new(mailbox, Special.INBOX, SESSION)
    draft.overlay.set(tags.PidTagSubject, subject)
    return save(store, draft).row


def purge(store: Store, mailbox: int, row: Row) -> None:
    def fn(txn: WriteTxn) -> None:
        with editing(txn, mailbox, now=EPOCH) as edit:
            messages.purge(edit, contents.get(txn, mailbox, row.fid, row.mid))

    store.write(fn).result()


def test_a_draft_is_invisible_until_it_is_saved(store: Store, mailbox: int) -> None:
    draft = drafts.new(mailbox, Special.INBOX, SESSION)
    draft.overlay.set(tags.PidTagSubject, "hello")
    draft.overlay.put_recipient(0, {tags.PidTagDisplayName: "Anna"})
    with store.read() as txn:
        assert list(contents.rows(txn, mailbox, Special.INBOX)) == []
    saved = save(store, draft)
    assert saved.outcome is Outcome.CREATED
    assert saved.row.flags & RowFlag.MATERIALIZED
    with store.read() as txn:
        assert messages.load(txn, mailbox, saved.row.mid).get(tags.PidTagSubject) == "hello"
    again = reopen(store, mailbox, saved.row)
    assert again.overlay.get(tags.PidTagSubject) == "hello"
    assert again.overlay.recipient_rows() == {0: {tags.PidTagDisplayName: "Anna"}}
    assert save(store, again).outcome is Outcome.UNCHANGED


def test_content_takes_a_new_uid_and_annotation_does_not(store: Store, mailbox: int) -> None:
    row = made(store, mailbox)
    draft = reopen(store, mailbox, row)
    draft.overlay.set(tags.PidTagFlagStatus, 2)
    noted = save(store, draft)
    assert noted.outcome is Outcome.ANNOTATED
    assert noted.row.uid == row.uid
    assert noted.row.cn > row.cn
    draft = reopen(store, mailbox, row)
    draft.overlay.set(tags.PidTagSubject, "second")
    changed = save(store, draft)
    assert changed.outcome is Outcome.CHANGED
    assert changed.row.uid > row.uid
    assert changed.row.cn > row.cn
    assert changed.row.mid == row.mid
    with store.read() as txn:
        cold = messages.load(txn, mailbox, row.mid)
        assert (cold.get(tags.PidTagSubject), cold.get(tags.PidTagFlagStatus)) == ("second", 2)
        assert UidView(txn, mailbox, Special.INBOX).mid(row.uid) is None
        assert row.uid in [change.gone() for change in log.changes(txn, mailbox, Special.INBOX, 0)]


def test_named_annotations_are_told_by_their_name(store: Store, mailbox: int) -> None:
    row = made(store, mailbox)
    lids = (mapi_names.PidLidReminderSet, mapi_names.PidLidLocation)
    ids = store.write(lambda txn: [names.assign(txn, lid.name) for lid in lids]).result()
    for number, lid, value, outcome in (
        (ids[0], lids[0], True, Outcome.ANNOTATED),
        (ids[1], lids[1], "here", Outcome.CHANGED),
    ):
        draft = reopen(store, mailbox, row)
        draft.overlay.set(number << 16 | lid.type, value)
        assert save(store, draft).outcome is outcome


def test_bytes_past_64_kib_stand_in_blobs(store: Store, mailbox: int) -> None:
    body = random.Random(1).randbytes(300_000)
    draft = drafts.new(mailbox, Special.INBOX, SESSION)
    with pytest.raises(LimitReached):
        draft.overlay.set(tags.PidTagHtml, body)
    draft.overlay.set_large(tags.PidTagHtml, prepare(store, body))
    attachment = draft.overlay.new_attachment()
    attachment.set(tags.PidTagAttachLongFilename, "a.bin")
    attachment.set_data(prepare(store, body[::-1]))
    draft.overlay.put_attachment(attachment)
    row = save(store, draft).row
    assert row.size > 600_000
    assert row.flags & RowFlag.HAS_ATTACHMENT
    again = reopen(store, mailbox, row)
    with store.read() as txn:
        assert blobs.read(txn, again.overlay.large()[tags.PidTagHtml]) == body
        assert blobs.read(txn, again.overlay.attachment(0).data_blob()) == body[::-1]
    again.overlay.set(tags.PidTagHtml, b"short")
    renamed = again.overlay.attachment(0)
    renamed.set(tags.PidTagAttachLongFilename, "b.bin")
    again.overlay.put_attachment(renamed)
    row = save(store, again).row
    last = reopen(store, mailbox, row)
    assert last.overlay.large() == {}
    assert last.overlay.get(tags.PidTagHtml) == b"short"
    assert last.overlay.attachment(0).get(tags.PidTagAttachLongFilename) == "b.bin"
    with store.read() as txn:
        assert blobs.read(txn, last.overlay.attachment(0).data_blob()) == body[::-1]
        assert len(list(blobs.heads(txn))) == 1
    purge(store, mailbox, row)
    with store.read() as txn:
        assert list(blobs.heads(txn)) == []


def test_messages_within_messages(store: Store, mailbox: int) -> None:
    data = random.Random(2).randbytes(200_000)
    inner = Overlay()
    inner.set(tags.PidTagSubject, "inner")
    deep = inner.new_attachment()
    deep.set_data(prepare(store, data))
    inner.put_attachment(deep)
    middle = Overlay()
    holder = middle.new_attachment()
    holder.put_embedded(inner)
    middle.put_attachment(holder)
    draft = drafts.new(mailbox, Special.INBOX, SESSION)
    outer = draft.overlay.new_attachment()
    outer.put_embedded(middle)
    assert draft.overlay.attachment_numbers() == []
    draft.overlay.put_attachment(outer)
    row = save(store, draft).row

    def copy(txn: WriteTxn) -> Row:
        with editing(txn, mailbox, now=EPOCH) as edit:
            return messages.copy(edit, row, Special.TRASH)

    twin = store.write(copy).result()
    with store.read() as txn:
        (number, info), *rest = list(blobs.heads(txn))
        assert rest == []
        assert info.references == 2
        assert [part_blobs(part) for part in messages.parts(txn, mailbox, twin.mid)] == [[number]]
    again = reopen(store, mailbox, row)
    opened = again.overlay.attachment(0)
    level = opened.open_embedded()
    innermost = level.attachment(0).open_embedded()
    assert innermost.get(tags.PidTagSubject) == "inner"
    innermost.set(tags.PidTagSubject, "changed")
    first = level.attachment(0)
    first.put_embedded(innermost)
    level.put_attachment(first)
    assert (
        again.overlay.attachment(0).open_embedded().attachment(0).open_embedded().get(tags.PidTagSubject)
        == "inner"
    )
    opened.put_embedded(level)
    again.overlay.put_attachment(opened)
    row = save(store, again).row
    seen = reopen(store, mailbox, row).overlay.attachment(0).open_embedded().attachment(0).open_embedded()
    assert seen.get(tags.PidTagSubject) == "changed"
    with store.read() as txn:
        assert blobs.read(txn, seen.attachment(0).data_blob()) == data
    assert check(store) == []
    for each in (row, twin):
        purge(store, mailbox, each)
    with store.read() as txn:
        assert list(blobs.heads(txn)) == []


def test_damaged_nested_forms_are_refused() -> None:
    whole = Nested(bags.pack({tags.PidTagSubject: "x"})).pack()
    assert Nested.parse(whole).pack() == whole
    for end in range(len(whole)):
        with pytest.raises(StoreError):
            Nested.parse(whole[:end])


def test_two_who_change_the_same_message(store: Store, mailbox: int) -> None:
    row = made(store, mailbox)
    mine, theirs, third = (reopen(store, mailbox, row) for _ in range(3))
    theirs.overlay.set(tags.PidTagSubject, "theirs")
    theirs.overlay.set(tags.PidTagBody, "their body")
    save(store, theirs)
    mine.overlay.set(tags.PidTagSubject, "mine")
    with pytest.raises(Conflict):
        save(store, mine)
    saved = save(store, mine, on_conflict=OnConflict.OVERWRITE)
    with store.read() as txn:
        cold = messages.load(txn, mailbox, row.mid)
        assert (cold.get(tags.PidTagSubject), cold.get(tags.PidTagBody)) == ("mine", "their body")
    third.overlay.set(tags.PidTagSubject, "third")
    kept = save(store, third, on_conflict=OnConflict.KEEP_BOTH)
    assert kept.outcome is Outcome.KEPT_BOTH
    assert kept.row.mid != saved.row.mid
    purge(store, mailbox, saved.row)
    with pytest.raises(NotFound):
        save(store, mine)


def test_concurrent_annotations_are_a_conflict_and_merge_when_forced(store: Store, mailbox: int) -> None:
    row = made(store, mailbox)
    one, other = reopen(store, mailbox, row), reopen(store, mailbox, row)
    one.overlay.set(tags.PidTagFlagStatus, 2)
    other.overlay.set(tags.PidTagLastVerbExecuted, 102)
    assert save(store, one).outcome is Outcome.ANNOTATED
    with pytest.raises(Conflict):
        save(store, other)
    assert save(store, other, on_conflict=OnConflict.OVERWRITE).outcome is Outcome.ANNOTATED
    with store.read() as txn:
        bag = messages.load(txn, mailbox, row.mid).bag()
    assert (bag[tags.PidTagFlagStatus], bag[tags.PidTagLastVerbExecuted]) == (2, 102)


def version_of(store: Store, mailbox: int, row: Row) -> Version:
    with store.read() as txn:
        now = contents.get(txn, mailbox, row.fid, row.mid)
        return versions.version(txn, mailbox, now, messages.load(txn, mailbox, row.mid).bag())


@pytest.mark.parametrize("fresh", [True, False])
def test_an_import_keeps_its_foreign_version(store: Store, mailbox: int, fresh: bool) -> None:
    foreign = Xid(b"f" * 16, b"\0\0\0\0\0\x07")
    if fresh:
        draft = drafts.new(mailbox, Special.INBOX, SESSION)
        known = PredecessorChangeList()
    else:
        row = made(store, mailbox)
        draft, known = reopen(store, mailbox, row), version_of(store, mailbox, row).predecessors
    draft.overlay.set(tags.PidTagSubject, "imported")
    draft.incoming = Version(foreign.to_bytes(), known.merged([foreign]))
    row = save(store, draft).row
    assert version_of(store, mailbox, row) == draft.incoming
    later = reopen(store, mailbox, row)
    later.overlay.set(tags.PidTagSubject, "changed here")
    row = save(store, later).row
    found = version_of(store, mailbox, row)
    assert found.predecessors.includes(foreign)
    assert found.change_key != foreign.to_bytes()
    assert found.predecessors.includes(Xid.from_bytes(found.change_key))


def test_imports_by_their_predecessors(store: Store, mailbox: int) -> None:
    row = made(store, mailbox)
    before = version_of(store, mailbox, row).predecessors
    draft = reopen(store, mailbox, row)
    draft.overlay.set(tags.PidTagSubject, "here")
    row = save(store, draft).row
    foreign = Xid(b"f" * 16, b"\0\0\0\0\0\x07")

    def arriving(predecessors: PredecessorChangeList) -> Draft:
        made = reopen(store, mailbox, row)
        made.overlay.set(tags.PidTagSubject, "there")
        made.incoming = Version(foreign.to_bytes(), predecessors)
        return made

    assert save(store, arriving(before)).outcome is Outcome.IGNORED
    assert save(store, arriving(version_of(store, mailbox, row).predecessors)).outcome is Outcome.IGNORED
    with pytest.raises(Conflict):
        save(store, arriving(before.merged([foreign])))
    kept = save(store, arriving(before.merged([foreign])), on_conflict=OnConflict.KEEP_BOTH)
    assert kept.outcome is Outcome.KEPT_BOTH
    newer = version_of(store, mailbox, row).predecessors.merged([foreign])
    assert save(store, arriving(newer)).outcome is Outcome.CHANGED


def test_mime_must_be_materialized_before_content_changes(store: Store, mailbox: int) -> None:
    prepared = prepare(store, b"Subject: x\r\n\r\nbody\r\n")

    def fn(txn: WriteTxn) -> Row:
        with editing(txn, mailbox, now=EPOCH) as edit:
            bag = bags.pack({tags.PidTagSubject: "Re: x", tags.PidTagSentRepresentingName: "Anna"})
            blob = blobs.bind(txn, prepared)
            new = NewMessage(blob, prepared.size, bag, prefix=b"Return-Path: <>\r\n", compact=True)
            return messages.insert(edit, Special.INBOX, new)

    row = store.write(fn).result()
    draft = reopen(store, mailbox, row)
    assert draft.overlay.get(tags.PidTagNormalizedSubject) == "x"
    draft.overlay.set(tags.PidTagSubject, "y")
    with pytest.raises(StoreError):
        save(store, draft)
    whole = Overlay()
    whole.set(tags.PidTagBody, "body\r\n")
    whole.set(tags.PidTagSubject, "loses")
    whole.put_recipient(0, {tags.PidTagDisplayName: "Bernd"})
    draft.materialize(whole)
    saved = save(store, draft).row
    assert (saved.blob, saved.prefix) == (0, 0)
    with store.read() as txn:
        bag = messages.load(txn, mailbox, row.mid).bag()
        assert list(blobs.heads(txn)) == []
        assert messages.unrendered(txn, mailbox, Special.INBOX, 10) == [row.mid]
    assert (bag[tags.PidTagSubject], bag[tags.PidTagBody]) == ("y", "body\r\n")
    assert bag[tags.PidTagSenderName] == "Anna"


def test_a_draft_belongs_to_its_session(store: Store, mailbox: int) -> None:
    draft = drafts.new(mailbox, Special.INBOX, SESSION + 1)
    with pytest.raises(StoreError):
        save(store, draft)
    with pytest.raises(StoreError):
        draft.overlay.set(tags.PidTagChangeKey, b"mine")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32))
def test_random_drafts_keep_every_invariant(store: Store, mailbox: int, seed: int) -> None:
    """Overlays against plain dictionaries, saved in any order, with attachments at several depths."""
    rng = random.Random(seed)
    model: dict[int, tuple[Row, Bag, dict[int, Bag], dict[int, bytes]]] = {}
    for _ in range(15):
        if model and rng.random() < 0.7:
            mid = rng.choice(list(model))
            row, bag, people, files = model[mid]
            draft = reopen(store, mailbox, row)
            bag, people, files = dict(bag), dict(people), dict(files)
        else:
            draft, bag, people, files = drafts.new(mailbox, Special.INBOX, SESSION), {}, {}, {}
        for _ in range(rng.randrange(1, 5)):
            _change(store, rng, draft, bag, people, files)
        row = save(store, draft).row
        model[row.mid] = (row, bag, people, files)
        if rng.random() < 0.2:
            gone = rng.choice(list(model))
            purge(store, mailbox, model.pop(gone)[0])
    for row, bag, people, files in model.values():
        found = reopen(store, mailbox, row).overlay
        assert found.bag() == bag
        assert found.recipient_rows() == people
        assert found.attachment_numbers() == sorted(files)
        with store.read() as txn:
            for number, data in files.items():
                attachment = found.attachment(number)
                if attachment.get(tags.PidTagAttachMethod) == 5:
                    attachment = attachment.open_embedded().attachment(0)
                blob = attachment.data_blob()
                stored = blobs.read(txn, blob) if blob else attachment.get(tags.PidTagAttachDataBinary)
                assert stored == data
    assert check(store) == []


def _change(
    store: Store, rng: random.Random, draft: Draft, bag: Bag, people: dict[int, Bag], files: dict[int, bytes]
) -> None:
    action = rng.randrange(6)
    if action == 0:
        tag = rng.choice([tags.PidTagSubject, tags.PidTagBody, tags.PidTagDisplayTo])
        bag[tag] = f"{rng.random()}"
        draft.overlay.set(tag, bag[tag])
    elif action == 1 and bag:
        tag = rng.choice(list(bag))
        del bag[tag]
        draft.overlay.remove(tag)
    elif action == 2:
        number = rng.randrange(4)
        people[number] = {tags.PidTagDisplayName: f"{rng.random()}"}
        draft.overlay.put_recipient(number, people[number])
    elif action == 3 and people:
        number = rng.choice(list(people))
        del people[number]
        draft.overlay.put_recipient(number, None)
    elif action == 4 and files and rng.random() < 0.5:
        number = rng.choice(list(files))
        del files[number]
        draft.overlay.remove_attachment(number)
    else:
        attachment = draft.overlay.new_attachment()
        data = rng.randbytes(rng.choice([10, 70_000]))
        files[attachment.number] = data
        inner = attachment
        overlay = Overlay()
        if rng.random() < 0.5:
            inner = overlay.new_attachment()
        if len(data) > drafts.INLINE:
            inner.set_data(prepare(store, data))
        else:
            inner.set(tags.PidTagAttachDataBinary, data)
        if inner is not attachment:
            overlay.put_attachment(inner)
            attachment.put_embedded(overlay)
            attachment.set(tags.PidTagAttachMethod, 5)
        draft.overlay.put_attachment(attachment)


def test_what_a_draft_saved_becomes_mime(store: Store, mailbox: int) -> None:
    """Big values, blobs and messages within messages, as the renderer sees them."""
    text = "long text " * 20_000
    inner = Overlay()
    inner.set(tags.PidTagSubject, "inner")
    draft = drafts.new(mailbox, Special.INBOX, SESSION)
    draft.overlay.set(tags.PidTagSubject, "outer")
    draft.overlay.set_large(tags.PidTagBody, prepare(store, drafts.large_bytes(text, tags.PidTagBody)))
    holder = draft.overlay.new_attachment()
    holder.set(tags.PidTagAttachMethod, 5)
    holder.put_embedded(inner)
    draft.overlay.put_attachment(holder)
    row = save(store, draft).row
    with store.read() as txn:
        made = message_object(store, txn, mailbox, row.mid)
    assert made.props[tags.PidTagBody] == text
    assert [attachment.content for attachment in made.attachments] == [None]
    assert made.attachments[0].embedded is not None
    assert made.attachments[0].embedded.props[tags.PidTagSubject] == "inner"
