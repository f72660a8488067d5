"""The full-text index: it never rules out what is there, and follows what happens."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.mailbox.search import criteria as c
from appliance.mailbox.search.evaluate import Search
from appliance.mailbox.search.folding import fold
from appliance.mailbox.search.stored import document
from appliance.store import fulltext, indexing, messages
from appliance.store.contents import Row
from appliance.store.fulltext import FILE_NAME, MAX_TRIGRAMS, FullText, trigrams
from appliance.store.indexing import Indexer, IndexThread
from appliance.store.kv import ReadTxn
from appliance.store.mailboxes import Special
from tests.mailbox.search.fakes import NOW, Box, Mail


class Indexed(Box):
    """A box with an indexer; `texts` counts the documents that were read."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.texts = 0
        self.indexer = Indexer(self.store, self.document, settled=lambda row: True)
        self.index = FullText(directory)

    def document(self, txn: ReadTxn, mailbox: int, row: Row) -> Iterator[str]:
        self.texts += 1
        for piece in document(self.source.open(txn, mailbox, row)):
            yield fold(piece)

    def catch_up(self, least: int = 1) -> int:
        steps = 1
        while not self.indexer.step(self.mailbox, least=least):
            steps += 1
            assert steps < 100
        return steps

    def possible(self, key: str) -> set[int] | None:
        with self.store.read() as txn:
            found = self.index.possible(txn, self.mailbox, self.fid, fold(key))
        return None if found is None else set(found)

    def find(self, text: str) -> list[int]:
        search = Search(
            self.store, self.mailbox, self.fid, c.Text(text), self.source, now=NOW, index=self.index
        )
        return list(search.run())


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Indexed]:
    box = Indexed(tmp_path)
    yield box
    box.indexer.close()
    box.index.close()
    box.store.close()


def test_narrows_to_what_may_match(box: Indexed) -> None:
    rows = box.add(Mail("Alpha", text="the quick brown fox"), Mail("Beta", text="Straße"), Mail("Gamma"))
    assert box.possible("quick") is None  # no index yet
    box.catch_up()
    assert box.possible("quick") == {rows[0].mid}
    assert box.possible("uick br") == {rows[0].mid}
    assert box.possible("STRASSE") == {rows[1].mid}
    assert box.possible("gamma") == {rows[2].mid}
    assert box.possible("nowhere") == set()
    assert box.possible("qu") is None
    assert box.possible("") is None
    box.source.read.clear()
    assert box.find("quick brown") == [1]
    assert box.source.read.count("header") == 1


def test_too_many_are_none(box: Indexed) -> None:
    rows = box.add(*[Mail(text="the same words")] * 5)
    box.catch_up()
    with box.store.read() as txn:
        for most, found in ((None, True), (5, True), (4, False), (0, False)):
            mids = box.index.possible(txn, box.mailbox, box.fid, "same words", most)
            assert mids == ({row.mid for row in rows} if found else None)
        assert box.index.possible(txn, box.mailbox, box.fid, "other words", 0) == frozenset()


def test_any_character_of_a_key_is_safe(box: Indexed) -> None:
    texts = [
        'say "hello"',
        "a*b^c:d",
        "(x OR y) NOT z",
        "tab\there",
        "日本語のテキスト",
        "emoji 😀😀😀 end",
        "nul\0nul",
    ]
    rows = box.add(*[Mail(text=text) for text in texts])
    box.catch_up()
    for row, text in zip(rows, texts, strict=True):
        for start in range(len(text) - 2):
            for length in (3, 4, len(text)):
                found = box.possible(text[start : start + length])
                assert found is None or row.mid in found, text[start : start + length]
    assert box.possible("日本語") == {rows[4].mid}


def test_the_tail_is_always_possible_until_it_is_indexed(box: Indexed) -> None:
    rows = box.add(Mail(text="first words"))
    box.catch_up()
    rows += box.add(Mail(text="second words"))
    assert box.possible("second") == {rows[1].mid}
    assert box.possible("first") == {rows[0].mid, rows[1].mid}
    assert box.catch_up(least=5) == 1  # not worth it
    assert box.possible("first") == {rows[0].mid, rows[1].mid}
    box.catch_up()
    assert box.possible("first") == {rows[0].mid}
    box.edit(lambda edit: messages.set_state(edit, rows[0], 1, ()))
    assert box.possible("second") == {rows[1].mid}  # flags are no news to the index


def test_moves_copies_deletes_and_restores(box: Indexed) -> None:
    rows = box.add(Mail(text="one apple"), Mail(text="two pears"), Mail(text="three plums"))
    box.catch_up()

    def change(edit: object) -> list[Row]:
        copied = messages.copy(edit, rows[0], box.fid)  # type: ignore[arg-type]
        moved = messages.move(edit, rows[1], int(Special.SENT))  # type: ignore[arg-type]
        messages.soft_delete(edit, rows[2])  # type: ignore[arg-type]
        return [copied, moved]

    copied, moved = box.edit(change)
    box.source.mails[copied.mid] = box.source.mails[rows[0].mid]
    box.source.mails[moved.mid] = box.source.mails[rows[1].mid]
    assert box.find("apple") == [1, 4]
    box.catch_up()
    assert box.find("apple") == [1, 4]
    assert box.find("pears") == []
    assert box.find("plums") == []
    sent = Search(
        box.store, box.mailbox, int(Special.SENT), c.Text("pears"), box.source, now=NOW, index=box.index
    )
    assert list(sent.run()) == [1]
    box.edit(lambda edit: messages.restore(edit, box.fid, rows[2].mid))
    assert box.find("plums") == [5]
    box.catch_up()
    assert box.find("plums") == [5]
    if fulltext.CAN_DELETE:
        assert rows[1].mid not in (box.possible("pears") or set())


def test_changed_content_is_read_again(box: Indexed) -> None:
    (row,) = box.add(Mail(text="old words"))
    box.catch_up()
    box.source.mails[row.mid] = Mail(text="new words")
    new = messages.NewMessage(blob=0, size=5, bag=b"\1\2\0\0", received=NOW)
    box.edit(lambda edit: messages.rewrite(edit, row, new))
    assert box.find("new words") == [2]
    box.catch_up()
    assert box.find("new words") == [2]
    assert box.find("old words") == []


def test_batches_resume_where_they_stopped(box: Indexed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "BATCH_DOCUMENTS", 60)
    box.add(*[Mail(text=f"number {n:04} end") for n in range(250)])
    assert not box.indexer.step(box.mailbox)
    assert not box.indexer.step(box.mailbox)
    found = box.possible("0003")
    assert found is not None
    assert len(found) > 100  # most are not known yet
    assert box.find("0003") == [4]
    assert box.find("0203") == [204]
    box.catch_up()
    assert box.texts == 250
    assert len(box.possible("0003") or ()) == 1
    box.add(*[Mail(text=f"later {n:04} end") for n in range(130)])
    assert box.catch_up(least=1) >= 3
    assert box.find("later 0129") == [380]


def test_long_documents_are_always_possible(box: Indexed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "MAX_DOCUMENT", 1000)
    box.add(Mail(text="x" * 5000 + " needle"), Mail(text="short"))
    box.catch_up()
    assert box.find("needle") == [1]
    assert box.find("short") == [2]
    assert len(box.possible("short") or ()) == 2


def test_messages_without_mime_are_always_possible(box: Indexed) -> None:
    rows = box.add(Mail(text="born in mapi"))
    indexer = Indexer(box.store, box.document)
    while not indexer.step(box.mailbox):
        pass
    indexer.close()
    assert box.possible("elsewhere") == {rows[0].mid}


def test_a_damaged_or_missing_file_is_made_anew(box: Indexed, tmp_path: Path) -> None:
    box.add(*[Mail(text=f"word{n}") for n in range(50)])
    box.catch_up()
    assert box.find("word33") == [34]
    box.indexer.close()
    path = tmp_path / FILE_NAME
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    box.index.close()
    assert box.find("word33") == [34]  # found without the index
    assert box.index.damaged.is_set()
    box.indexer.index.damaged.set()
    box.catch_up()
    assert len(box.possible("word33") or ()) == 1
    box.indexer.close()
    path.unlink()
    assert box.possible("word33") is None
    box.catch_up()
    assert len(box.possible("word33") or ()) == 1
    path.write_bytes(b"not a database" * 1000)
    box.indexer.close()
    assert box.find("word33") == [34]
    box.catch_up()
    assert len(box.possible("word33") or ()) == 1


@pytest.mark.skipif(fulltext.CAN_DELETE, reason="this SQLite deletes documents")
def test_the_file_is_made_anew_when_too_much_in_it_is_dead(
    box: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fulltext, "DEAD_LEAST", 5)
    rows = box.add(*[Mail(text=f"word{n}") for n in range(20)])
    box.catch_up()
    box.indexer.remade = False
    for row in rows[:8]:
        box.edit(lambda edit, row=row: messages.soft_delete(edit, row))
    box.catch_up()
    assert box.indexer.remade
    box.catch_up()
    assert box.texts == 32
    assert len(box.possible("word15") or ()) == 1


def test_another_incarnation_is_indexed_again(box: Indexed) -> None:
    box.add(Mail(text="restored words"))
    box.catch_up()
    box.indexer.forget(box.mailbox)
    assert box.possible("restored") is None
    box.catch_up()
    assert len(box.possible("restored") or ()) == 1
    assert box.texts == 2


def test_trigrams_of_long_keys_are_bounded() -> None:
    assert trigrams("abcd") == ["abc", "bcd"]
    assert trigrams("aaaaaaa") == ["aaa"]
    assert trigrams("ab") == []
    assert len(trigrams("".join(map(chr, range(100, 1000))))) <= MAX_TRIGRAMS


def test_the_thread_indexes_when_nobody_is_busy(box: Indexed) -> None:
    box.add(Mail(text="in the background"))
    busy = threading.Event()
    asked = threading.Event()
    busy.set()

    def is_busy() -> bool:
        asked.set()
        return busy.is_set()

    done = threading.Event()

    def watched(txn: ReadTxn, mailbox: int, row: Row) -> Iterator[str]:
        yield from box.document(txn, mailbox, row)
        done.set()

    thread = IndexThread(
        box.store, watched, busy=is_busy, pause=0.001, settle=0.001, settled=lambda row: True
    )
    assert asked.wait(10)
    assert not done.is_set()
    busy.clear()
    assert done.wait(10)
    thread.close()
    assert len(box.possible("background") or ()) == 1
