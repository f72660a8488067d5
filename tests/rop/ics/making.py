"""Makes and changes messages beside the protocol under test: by delivery, by other clients."""

from typing import Any

from appliance.directory.model import Entry
from appliance.formats import bags
from appliance.mailbox.incoming import Ingest
from appliance.mapi import tags
from appliance.mapi.types import Value
from appliance.store import contents, drafts, folders, messages
from appliance.store.blobs import BlobWriter, Prepared
from appliance.store.contents import Row, RowFlag
from appliance.store.edit import Edit, editing
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special, changing
from appliance.store.store import Store
from tests.conftest import EPOCH

SESSION = 77


class Maker:
    """Works on the mailbox of a user."""

    def __init__(self, store: Store, user: Entry) -> None:
        self.store, self.mailbox, self.user = store, user.mailbox, user
        self.now = EPOCH

    def edit(self, fn: Any) -> Any:
        self.now += 10_000_000
        now = self.now

        def run(txn: WriteTxn) -> Any:
            with editing(txn, self.mailbox, now=now, origin=SESSION) as edit:
                return fn(edit)

        return self.store.write(run).result()

    def deliver(
        self,
        subject: str,
        *,
        body: str = "hello",
        attachment: bytes = b"",
        fid: int = Special.INBOX,
        html: str = "",
    ) -> Row:
        """A message from the internet."""
        head = f"From: Bob <bob@example.org>\r\nTo: Anna <anna@example.test>\r\nSubject: {subject}\r\n"
        head += f"Message-ID: <{abs(hash((subject, self.now)))}@x>\r\nMIME-Version: 1.0\r\n"
        kind, text = ("html", html) if html else ("plain", body)
        part = f"Content-Type: text/{kind}; charset=utf-8\r\n\r\n{text}\r\n"
        raw = head + part
        if attachment:
            raw = head + 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n' + part
            raw += "--b\r\nContent-Type: application/octet-stream; name=file.bin\r\n\r\n"
            raw += attachment.decode() + "\r\n--b--\r\n"
        ingest = Ingest(self.store)
        ingest.feed(raw.encode())
        incoming = ingest.finish()
        received = self.now

        def insert(edit: Edit) -> Row:
            return messages.insert(edit, fid, incoming.bind(edit.txn, received=received))

        row: Row = self.edit(insert)
        return row

    def make(
        self,
        subject: str,
        *,
        fid: int = Special.INBOX,
        associated: bool = False,
        props: dict[int, Value] | None = None,
    ) -> Row:
        """A message that was born in MAPI."""
        draft = drafts.new(self.mailbox, fid, SESSION, associated=associated)
        for tag, value in {tags.PidTagSubject: subject, **(props or {})}.items():
            draft.overlay.set(tag, value)
        return self.save(draft)

    def prepare(self, data: bytes) -> Prepared:
        """Bytes that are ready to be bound."""
        writer = BlobWriter(self.store)
        for start in range(0, len(data), 60_000):
            if (spilled := writer.write(data[start : start + 60_000])) is not None:
                spilled.result()
        return writer.finish()

    def save(self, draft: drafts.Draft) -> Row:
        saved: drafts.Saved = self.edit(lambda edit: drafts.save(edit, draft))
        return saved.row

    def change(self, row: Row, subject: str) -> Row:
        """Other content, as of another client."""
        new = self.edit(lambda edit: self._rewrite(edit, row, subject))
        assert isinstance(new, Row)
        return new

    def _rewrite(self, edit: Edit, row: Row, subject: str) -> Row:
        now = contents.get(edit.txn, self.mailbox, row.fid, row.mid, row.associated)
        bag = messages.load(edit.txn, self.mailbox, row.mid).bag()
        made = messages.NewMessage(
            0,
            100,
            bags.pack({**bag, tags.PidTagSubject: subject}),
            flags=RowFlag(now.flags | RowFlag.MATERIALIZED),
            received=now.received,
        )
        return messages.rewrite(edit, now, made)

    def flag(self, row: Row, flags: RowFlag) -> None:
        def run(edit: Edit) -> None:
            now = contents.get(edit.txn, self.mailbox, row.fid, row.mid)
            messages.set_state(edit, now, int(flags), now.keywords)

        self.edit(run)

    def delete(self, row: Row) -> None:
        def run(edit: Edit) -> None:
            now = contents.get(edit.txn, self.mailbox, row.fid, row.mid, row.associated)
            messages.soft_delete(edit, now)

        self.edit(run)

    def move(self, row: Row, fid: int) -> Row:
        def run(edit: Edit) -> Row:
            return messages.move(edit, contents.get(edit.txn, self.mailbox, row.fid, row.mid), fid)

        moved: Row = self.edit(run)
        return moved

    def rows(self, fid: int = Special.INBOX) -> list[Row]:
        """What the folder holds, associated messages too."""
        with self.store.read() as txn:
            return [
                *contents.rows(txn, self.mailbox, fid),
                *contents.rows(txn, self.mailbox, fid, True),
            ]

    def folder(self, name: str, parent: int = Special.IPM_SUBTREE, **fields: Any) -> int:
        def run(txn: WriteTxn) -> int:
            with changing(txn, self.mailbox) as clock:
                return folders.create(txn, clock, parent, name, now=EPOCH, **fields).fid

        return self.store.write(run).result()
