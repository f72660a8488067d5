"""Searches over a real store with made-up texts."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta, timezone
from pathlib import Path

import pytest

from appliance.mailbox.errors import Refused
from appliance.mailbox.search import criteria as c
from appliance.mailbox.search.evaluate import Search, needs_texts
from appliance.mailbox.search.folding import BadCharset, check_charset, contains, decode_key, fold
from appliance.mailbox.search.sorting import Algorithm, Sort, SortBy, SortKey, Threads
from appliance.mailbox.search.threads import thread_list
from appliance.mapi import times
from appliance.store import messages
from appliance.store.contents import RowFlag
from appliance.store.kv import ReadTxn
from tests.mailbox.search.fakes import NOW, Box, Mail

DAY = times.TICKS_PER_DAY


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    yield box
    box.store.close()


MAILS = (
    Mail("Lunch", "Ann <ann@x.test>", "bob@x.test", text="Shall we meet at noon?", size=10,
         flags=RowFlag.SEEN),
    Mail("Re: lunch", "Bob <bob@x.test>", "ann@x.test", text="Straße und Café", keywords=("Work",), size=20),
    Mail("Report", "Cy <cy@y.test>", "ann@x.test", headers={"X-Tag": "red"}, text="numbers", size=30,
         flags=RowFlag.SEEN | RowFlag.FLAGGED, received=NOW - 3 * DAY, sent_day=date(2023, 11, 1)),
    Mail("", "", "", headers={"X-Tag": ""}, text="nothing here", size=40, received=NOW - 10 * DAY),
)  # fmt: skip


def find(box: Box, criterion: c.Criterion, **more: object) -> list[int]:
    return list(Search(box.store, box.mailbox, box.fid, criterion, box.source, now=NOW, **more).run())  # type: ignore[arg-type]


SEEN, FLAGGED = c.Flags(RowFlag.SEEN), c.Flags(RowFlag.FLAGGED)
NOW_DAY = date(2023, 11, 14)  # 22:13:20 UTC


@pytest.mark.parametrize(
    ("criterion", "uids"),
    [
        (c.All(), [1, 2, 3, 4]),
        (c.And(()), [1, 2, 3, 4]),
        (c.Or(()), []),
        (c.Not(c.All()), []),
        (SEEN, [1, 3]),
        (c.Not(SEEN), [2, 4]),
        (c.And((SEEN, FLAGGED)), [3]),
        (c.Flags(RowFlag.SEEN | RowFlag.FLAGGED), [3]),
        (c.Or((FLAGGED, c.Keyword("wORK"))), [2, 3]),
        (c.Keyword("wor"), []),
        (c.Uids(((2, 3),)), [2, 3]),
        (c.Uids(((9, 3), (1, 1))), [1, 3, 4]),
        (c.Not(c.Uids(((2, 3),))), [1, 4]),
        (c.Uids(()), []),
        (c.And((c.Uids(((1, 2),)), c.Uids(((2, 4),)))), [2]),
        (c.Larger(20), [3, 4]),
        (c.Smaller(20), [1]),
        (c.Dated(c.DateField.RECEIVED, c.Relation.ON, NOW_DAY), [1, 2]),
        (c.Dated(c.DateField.RECEIVED, c.Relation.SINCE, NOW_DAY - timedelta(3)), [1, 2, 3]),
        (c.Dated(c.DateField.RECEIVED, c.Relation.BEFORE, NOW_DAY - timedelta(3)), [4]),
        (c.Dated(c.DateField.SAVED, c.Relation.ON, NOW_DAY), [1, 2, 3, 4]),
        (c.Dated(c.DateField.SAVED, c.Relation.BEFORE, date.min), []),
        (c.Dated(c.DateField.SAVED, c.Relation.ON, date.max), []),
        (c.Dated(c.DateField.SENT, c.Relation.ON, date(2023, 11, 1)), [3]),
        (c.Dated(c.DateField.SENT, c.Relation.SINCE, date(2023, 11, 1)), [3]),
        (c.Dated(c.DateField.SENT, c.Relation.BEFORE, date(2023, 11, 2)), [3]),
        (c.Younger(86400), [1, 2]),
        (c.Older(86400 * 3), [3, 4]),
        (c.ThreadId(77), []),
        (c.Subject("LUNCH"), [1, 2]),
        (c.Subject(""), [1, 2, 3, 4]),
        (c.Address(c.AddressField.FROM, "bob"), [2]),
        (c.Address(c.AddressField.TO, "ANN@x"), [2, 3]),
        (c.Address(c.AddressField.CC, "ann"), []),
        (c.Header("x-tag", ""), [3, 4]),
        (c.Header("X-Tag", "RED"), [3]),
        (c.Body("meet at NOON"), [1]),
        (c.Body("STRASSE"), [2]),
        (c.Body("cafe\u0301"), [2]),
        (c.Body("lunch"), []),
        (c.Text("lunch"), [1, 2]),
        (c.Text("x-tag"), [3, 4]),
        (c.Text(""), [1, 2, 3, 4]),
        (c.Or((c.Body("noon"), c.And((c.Not(SEEN), c.Text("nothing"))))), [1, 4]),
        (c.Not(c.Or((c.Text("noon"), c.Larger(30)))), [2, 3]),
    ],
)
def test_criteria(box: Box, criterion: c.Criterion, uids: list[int]) -> None:
    box.add(*MAILS)
    assert find(box, criterion) == uids


def test_ids_and_modseq(box: Box) -> None:
    rows = box.add(*MAILS)
    assert find(box, c.EmailId(rows[1].email_id)) == [2]
    assert find(box, c.ModSeq(rows[2].mod)) == [3, 4]


def test_days_begin_in_the_zone_that_is_given(box: Box) -> None:
    box.add(*MAILS)
    tomorrow = c.Dated(c.DateField.RECEIVED, c.Relation.ON, NOW_DAY + timedelta(1))
    assert find(box, tomorrow) == []
    assert find(box, tomorrow, zone=timezone(timedelta(hours=2))) == [1, 2]


def test_texts_are_read_only_where_rows_do_not_decide(box: Box) -> None:
    box.add(*MAILS)
    assert find(box, c.And((c.Body("noon"), SEEN, FLAGGED))) == []
    assert box.source.read == ["body"]
    box.source.read.clear()
    assert find(box, c.Or((c.Body("noon"), c.All()))) == [1, 2, 3, 4]
    assert find(box, c.And((c.Text("noon"), c.Uids(((7, 9),))))) == []
    assert box.source.read == []
    find(box, c.And((c.Body("noon"), c.Subject("lunch"), c.Uids(((3, 4),)))))
    assert box.source.read == ["subject", "subject"]


class FakeIndex:
    """Knows of some messages what they cannot contain."""

    def __init__(self, known: dict[str, set[int]]) -> None:
        self.known = known
        self.asked: list[str] = []

    def possible(
        self, txn: ReadTxn, mailbox: int, fid: int, key: str, most: int | None = None
    ) -> frozenset[int] | None:
        self.asked.append(key)
        found = self.known.get(key)
        return None if found is None else frozenset(found)


def test_the_index_only_rules_out(box: Box) -> None:
    rows = box.add(*MAILS)
    mids = [row.mid for row in rows]
    index = FakeIndex({"noon": {mids[0], mids[3]}, "lunch": set()})
    assert find(box, c.Body("NOON"), index=index) == [1]  # the store decides about 4
    assert box.source.read == ["body", "body"]
    assert find(box, c.Subject("lunch"), index=index) == []
    assert find(box, c.Not(c.Subject("lunch")), index=index) == [1, 2, 3, 4]
    assert find(box, c.Or((c.Body("noon"), SEEN)), index=index) == [1, 3]
    assert find(box, c.Body("numbers"), index=index) == [3]  # the index could not help
    index.asked.clear()
    assert find(box, c.Body("no"), index=index) == [1, 4]
    assert index.asked == []  # keys of less than three characters are not for it


def test_steps_see_messages_leave_and_change(box: Box) -> None:
    rows = box.add(*[replace(MAILS[0]) for _ in range(6)])
    search = Search(box.store, box.mailbox, box.fid, c.Body("noon"), box.source, now=NOW)
    assert not search.step(0)  # UIDs
    assert not search.step(0)  # index
    assert search.total == 6
    box.edit(lambda edit: messages.soft_delete(edit, rows[1]))
    assert not search.step(0)  # no rows: they could not decide
    assert search.done == 0
    box.edit(lambda edit: messages.soft_delete(edit, rows[2]))
    box.add(MAILS[0])
    steps = 0
    while not search.step(0):
        steps += 1
    assert steps >= 3
    assert search.finished
    assert list(search.uids) == [1, 4, 5, 6]
    assert search.done == search.total == 6


def test_many_rows_in_many_steps(box: Box) -> None:
    box.add(*[Mail(size=n) for n in range(1000)])
    search = Search(box.store, box.mailbox, box.fid, c.Larger(497), box.source, now=NOW)
    steps = 1
    while not search.step(0):
        steps += 1
    assert steps > 4
    assert list(search.uids) == list(range(499, 1001))
    few = c.And((c.Uids(((10, 20),)), c.Larger(14)))
    assert find(box, few) == [16, 17, 18, 19, 20]


def test_limits(box: Box) -> None:
    deep: c.Criterion = c.All()
    for _ in range(200):
        deep = c.Not(deep)
    for criterion in (deep, c.Or((c.All(),) * 3000)):
        with pytest.raises(Refused):
            find(box, criterion)


def test_what_needs_a_reader_thread() -> None:
    assert not needs_texts(c.And((SEEN, c.Larger(3), c.Uids(((1, 2),)))))
    assert needs_texts(c.Not(c.Subject("x")))
    assert needs_texts(c.Dated(c.DateField.SENT, c.Relation.ON, NOW_DAY))


def test_keys_and_charsets() -> None:
    assert decode_key("é".encode(), "UTF-8") == "é"
    assert decode_key(b"\xe9", "iso-8859-1") == "é"
    assert decode_key("日本".encode("iso-2022-jp"), "ISO-2022-JP") == "日本"
    assert decode_key(b"abc", "US-ASCII") == "abc"
    for raw, charset in (
        (b"\xff", "utf-8"),
        (b"a", "no-such"),
        (b"a", "base64"),
        (b"a", "rot13"),
        (b"a", "x\0"),
    ):
        with pytest.raises(BadCharset):
            decode_key(raw, charset)
    with pytest.raises(Refused):
        decode_key(b"a" * 100_000)
    assert check_charset("latin1") == "iso8859-1"


def test_folding() -> None:
    assert fold("ÀB") == "a\u0300b"
    assert fold("ﬁne") == "fine"
    assert fold("STRASSE") == fold("straße")
    assert contains("", [])
    assert contains("abcabd", ["ab", "cab", "", "cabd"])
    assert not contains("abc", ["ab", "ab"])


def sort(box: Box, *program: SortBy) -> list[int]:
    return list(Sort(box.store, box.mailbox, box.fid, find(box, c.All()), program, box.source).run())


def test_sort(box: Box) -> None:
    box.add(
        Mail("b", "Zoe <ann@x>", "t1@x", size=3, received=NOW, sent=NOW - 9),
        Mail("Re: A", "Yan <Bob@x>", "", size=1, received=NOW + 1, sent=NOW + 5),
        Mail("[l] a", "ann@x", "t0@x", size=2, received=NOW + 2),
        Mail("", "", "t1@x", size=2, received=NOW - 1),
    )
    by = {key: sort(box, SortBy(key)) for key in SortKey}
    assert by[SortKey.SUBJECT] == [4, 2, 3, 1]
    assert by[SortKey.SIZE] == [2, 3, 4, 1]
    assert by[SortKey.ARRIVAL] == [4, 1, 2, 3]
    assert by[SortKey.DATE] == [1, 4, 3, 2]
    assert by[SortKey.FROM] == [4, 1, 3, 2]
    assert by[SortKey.TO] == [2, 3, 1, 4]
    assert by[SortKey.CC] == [1, 2, 3, 4]
    assert by[SortKey.DISPLAYFROM] == [4, 3, 2, 1]
    assert sort(box, SortBy(SortKey.SIZE, reverse=True)) == [1, 3, 4, 2]
    assert sort(box, SortBy(SortKey.SUBJECT), SortBy(SortKey.ARRIVAL, reverse=True)) == [4, 3, 2, 1]


def test_sort_and_thread_in_steps_pass_over_what_left(box: Box) -> None:
    rows = box.add(*[Mail("s", size=n) for n in range(300)])
    uids = find(box, c.All())
    box.edit(lambda edit: messages.soft_delete(edit, rows[7]))
    job = Sort(box.store, box.mailbox, box.fid, uids, [SortBy(SortKey.SIZE, True)], box.source)
    steps = 1
    while not job.step(1e-9):
        steps += 1
    assert steps > 2
    assert job.done == 300
    assert list(job.result()) == [uid for uid in range(300, 0, -1) if uid != 8]
    threads = Threads(box.store, box.mailbox, box.fid, uids, Algorithm.ORDEREDSUBJECT, box.source).run()
    assert threads[0].uid == 1
    assert len(threads[0].children) == 298


def test_threads(box: Box) -> None:
    box.add(
        Mail("x", refs=("<a@x>", "", ""), sent=NOW),
        Mail("y", refs=("<b@x>", "<a@x>", ""), sent=NOW + 1),
        Mail("z", refs=("<c@x>", "", "<a@x> <b@x>"), sent=NOW + 2),
    )
    uids = find(box, c.All())
    run = Threads(box.store, box.mailbox, box.fid, uids, Algorithm.REFERENCES, box.source)
    assert thread_list(run.run()) == "(1 2 3)"
