"""Searches over mail that was delivered as MIME, and over messages born as properties."""

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from appliance.formats import bags
from appliance.mailbox.incoming import Ingest
from appliance.mailbox.search import criteria as c
from appliance.mailbox.search.evaluate import Search
from appliance.mailbox.search.facts import Judge
from appliance.mailbox.search.sorting import Algorithm, Sort, SortBy, SortKey, Threads
from appliance.mailbox.search.stored import StoredMessages, document
from appliance.mailbox.search.texts import html_text
from appliance.mailbox.search.threads import thread_list
from appliance.mapi import tags
from appliance.store import contents, messages
from appliance.store.edit import Edit
from appliance.store.kv import ReadTxn
from appliance.store.messages import PART_RECIPIENT, NewMessage, Part
from tests.mailbox.search.fakes import NOW, Box, Ignorant

PLAIN = b"""Date: Mon, 13 Nov 2023 23:30:00 -0500
From: =?utf-8?q?Andr=C3=A9?= Smith <andre@x.test>
To: "Doe, Jane" <jane@y.test>, bob@y.test
Cc: =?iso-8859-1?q?Zo=EB?= <zoe@z.test>
Subject: =?utf-8?B?R3LDvMOfZSBhdXM=?= Berlin
Message-ID: <one@x.test>
X-Folded: first
 second
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Die Rechnung liegt b=
ei; sch=F6ne Gr=FC=DFe
""".replace(b"\n", b"\r\n")

MIXED = b"""Date: Tue, 14 Nov 2023 10:00:00 +0000
From: jane@y.test
To: andre@x.test
Subject: Re: Gruesse
In-Reply-To: <one@x.test>
References: <one@x.test>
Message-ID: <two@y.test>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHN0eWxlPi5zZWNyZXR7fTwvc3R5bGU+PHA+UHJvIDxiPmZvcm1hPC9iPiBpbnZvaWNlPC9wPjwh
LS0gaGlkZGVuIC0tPiZsdDs1Jm5ic3A7JmV1cm87
--b
Content-Type: message/rfc822

Subject: Inner =?utf-8?q?caf=C3=A9?=
From: inner@i.test

inner words
--b
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

aW52aXNpYmxlIGJ5dGVz
--b--
""".replace(b"\n", b"\r\n")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    yield box
    box.store.close()


def deliver(box: Box, raw: bytes, prefix: bytes = b"") -> int:
    ingest = Ingest(box.store)
    for at in range(0, len(raw), 4096):
        pending = ingest.feed(raw[at : at + 4096])
        if pending is not None:
            pending.result()
    incoming = ingest.finish()
    row = box.edit(
        lambda edit: messages.insert(edit, box.fid, incoming.bind(edit.txn, received=NOW, prefix=prefix))
    )
    return int(row.uid)


def native(box: Box) -> None:
    bag = bags.pack(
        {
            tags.PidTagSubject: "Born in MAPI",
            tags.PidTagSentRepresentingName: "Olga",
            tags.PidTagSentRepresentingSmtpAddress: "olga@o.test",
            tags.PidTagClientSubmitTime: NOW,
            tags.PidTagBody: "a native body",
            tags.PidTagHtml: b"<p>native <i>html</i></p>",
            tags.PidTagInternetMessageId: "<three@o.test>",
            tags.PidTagInternetReferences: "<one@x.test> <two@y.test>",
        }
    )
    parts = tuple(
        Part(
            PART_RECIPIENT,
            number,
            bags.pack(
                {
                    tags.PidTagRecipientType: kind,
                    tags.PidTagDisplayName: name,
                    tags.PidTagSmtpAddress: f"{name.lower()}@r.test",
                }
            ),
        )
        for number, (kind, name) in enumerate(((1, "Ruth"), (2, "Carl"), (3, "Bea")))
    )
    box.edit(
        lambda edit: messages.insert(
            edit, box.fid, NewMessage(blob=0, size=9, bag=bag, parts=parts, received=NOW)
        )
    )


@pytest.fixture
def full(box: Box) -> Box:
    deliver(box, PLAIN, b"Received: from trace.test by here\r\n")
    deliver(box, MIXED)
    native(box)
    return box


def find(box: Box, criterion: c.Criterion) -> list[int]:
    return list(Search(box.store, box.mailbox, box.fid, criterion, StoredMessages(), now=NOW).run())


@pytest.mark.parametrize(
    ("criterion", "uids"),
    [
        (c.Subject("grüße AUS berlin"), [1]),
        (c.Subject("GRÜSSE"), [1]),
        (c.Subject("mapi"), [3]),
        (c.Address(c.AddressField.FROM, "andré smith <andre@"), [1]),
        (c.Address(c.AddressField.TO, "doe, jane <jane@y.test>, <bob"), [1]),
        (c.Address(c.AddressField.CC, "ZOË"), [1]),
        (c.Address(c.AddressField.FROM, "olga"), [3]),
        (c.Address(c.AddressField.TO, "ruth@r"), [3]),
        (c.Address(c.AddressField.CC, "carl"), [3]),
        (c.Address(c.AddressField.BCC, "bea"), [3]),
        (c.Header("x-folded", "first second"), [1]),
        (c.Header("received", "trace.test"), [1]),
        (c.Header("References", "one@x"), [2, 3]),
        (c.Header("content-type", ""), [1, 2]),
        (c.Body("liegt bei; schöne grüsse"), [1]),
        (c.Body("pro FORMA invoice"), [2]),
        (c.Body("<5 €"), [2]),
        (c.Body("secret"), []),
        (c.Body("hidden"), []),
        (c.Body("inner CAFÉ"), [2]),
        (c.Body("inner words"), [2]),
        (c.Body("invisible bytes"), []),
        (c.Body("native html"), [3]),
        (c.Body("andre@x"), []),
        (c.Text("andre@x"), [1, 2]),
        (c.Text("trace.test"), [1]),
        (c.Text("a native body"), [3]),
        (c.Dated(c.DateField.SENT, c.Relation.ON, date(2023, 11, 13)), [1]),
        (c.Dated(c.DateField.SENT, c.Relation.SINCE, date(2023, 11, 14)), [2, 3]),
    ],
)
def test_criteria(full: Box, criterion: c.Criterion, uids: list[int]) -> None:
    assert find(full, criterion) == uids


class Unglanced(StoredMessages):
    """Knows nothing at a glance."""

    def judge(self, txn: ReadTxn, mailbox: int, mids: list[int], rows: list[bytes]) -> Judge:
        return Ignorant(len(rows))


SUBJECTS = (
    "Lunch", '"quoted" \\ slash', "=?utf-8?q?Caf=C3=A9?=", "Re: lunch", "", "a=?b", "tab\there", "1 % ( {3}",
)  # fmt: skip
PEOPLE = (
    "ann@x.test", '"Lunch, Ann" <ann@x.test>', "Team: bob@y.test, ann@x.test;", "", "undisclosed:;",
    "=?utf-8?q?Zo=C3=AB?= <z@z.test>", "Bob (lunch) <bob@y.test>", "<@route:bob@y.test>", "no address at all",
)  # fmt: skip
KEYS = ("lunch", "LUNCH", "ann", "x.test", "", "café", "<ann@x.test>", "=", '"', "zoë <z@", ", bob", "{3}")


def criteria(rng: random.Random, depth: int = 2) -> c.Criterion:
    kind = rng.randrange(7 if depth else 4)
    key = rng.choice(KEYS)
    if kind < 2:
        return c.Subject(key)
    if kind < 4:
        return c.Address(rng.choice(list(c.AddressField)), key) if rng.random() < 0.8 else c.Text(key)
    if kind == 4:
        return c.Not(criteria(rng, depth - 1))
    items = tuple(criteria(rng, depth - 1) for _ in range(rng.randrange(1, 4)))
    return c.And(items) if kind == 5 else c.Or((*items, c.Flags(1)))


def test_a_glance_decides_as_the_whole_text_does(full: Box) -> None:
    rng = random.Random(4)
    for number in range(45):
        head = [f"Subject: {rng.choice(SUBJECTS)}"]
        head += [f"{name}: {rng.choice(PEOPLE)}" for name in ("From", "To", "Cc", "Bcc")]
        deliver(full, "\r\n".join([*head, "", f"text {number}", ""]).encode())
    native(full)
    rows = full.edit(lambda edit: list(contents.rows(edit.txn, full.mailbox, full.fid)))

    def shuffle(edit: Edit) -> None:
        for row in rows[5:50:9]:  # UIDs out of the order of MIDs
            messages.soft_delete(edit, row)
            messages.restore(edit, row.fid, row.mid)

    full.edit(shuffle)
    for _ in range(80):
        criterion = criteria(rng)
        search = Search(full.store, full.mailbox, full.fid, criterion, Unglanced(), now=NOW)
        assert find(full, criterion) == list(search.run())


def test_messages_that_go_between_steps_are_not_found(full: Box) -> None:
    uids = [deliver(full, PLAIN) for _ in range(30)]
    search = Search(full.store, full.mailbox, full.fid, c.Subject("berlin"), StoredMessages(), now=NOW)
    search.step(0)
    gone = uids[3:20:5]
    for row in full.edit(lambda edit: list(contents.rows(edit.txn, full.mailbox, full.fid))):
        if row.uid in gone:
            full.edit(lambda edit, row=row: messages.purge(edit, row))  # type: ignore[misc]
    assert list(search.run()) == [1, *(uid for uid in uids if uid not in gone)]
    assert search.done == search.total


def test_sort_and_thread(full: Box) -> None:
    def sort(key: SortKey) -> list[int]:
        return list(
            Sort(full.store, full.mailbox, full.fid, [1, 2, 3], [SortBy(key)], StoredMessages()).run()
        )

    assert sort(SortKey.FROM) == [1, 2, 3]
    assert sort(SortKey.TO) == [2, 1, 3]
    assert sort(SortKey.CC) == [2, 3, 1]
    assert sort(SortKey.DISPLAYFROM) == [1, 2, 3]
    assert sort(SortKey.DISPLAYTO) == [2, 1, 3]
    assert sort(SortKey.DATE) == [1, 2, 3]
    assert sort(SortKey.SUBJECT) == [3, 2, 1]  # "born", "gruesse", "gru\u0308sse"
    threads = Threads(full.store, full.mailbox, full.fid, [1, 2, 3], Algorithm.REFERENCES, StoredMessages())
    assert thread_list(threads.run()) == "(1 2 3)"


def test_the_document_holds_all_that_a_criterion_looks_at(full: Box) -> None:
    with full.store.read() as txn:
        for row in contents.rows(txn, full.mailbox, full.fid):
            facts = StoredMessages().open(txn, full.mailbox, row)
            whole = "".join(document(facts))
            assert facts.subject() in whole
            assert all(facts.addresses(field) in whole for field in c.AddressField)
            assert "".join(facts.header()) in whole
            assert "".join(facts.body()) in whole


def test_damaged_mime_is_searched_as_far_as_it_goes(box: Box) -> None:
    deliver(box, b"")
    deliver(box, b"no header at all\r\n\r\nbut a body\r\n")
    deliver(
        box,
        b"Subject: \xff\xfe raw\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xe4bc"
        + b"x" * 200_000
        + b"end",
    )
    assert find(box, c.Text("but a body")) == [2]
    assert find(box, c.Subject("raw")) == [3]
    assert find(box, c.Body("äbc")) == [3]
    assert find(box, c.Body("xend")) == [3]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a<b>b</b>c", "abc"),
        ("<p>a</p>b", "\na\nb"),
        ("a < b", "a < b"),
        ("<script>x<y</script>z", "z"),
        ("<STYLE>x</style >z", "z"),
        ("<script>never closed", ""),
        ("a<!-- b > c -->d", "ad"),
        ("a<!-- open", "a"),
        ("a<br", "a\n"),
        ("&amp;&#233;&nbsp;&unknown;", "&é &unknown;"),
        ("<!DOCTYPE html>x<?pi?>y", "xy"),
        ("a \r\n\t b", "a b"),
    ],
)
def test_html(source: str, text: str) -> None:
    assert html_text(source) == text


@pytest.mark.parametrize("unit", ["<", "<a", "<!--", "<script>", "&", "</", "<?"])
def test_hostile_html_takes_linear_time(unit: str) -> None:
    html_text(unit * 200_000)
