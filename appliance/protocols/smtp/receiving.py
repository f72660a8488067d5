"""DATA and BDAT: message bytes stream into the store, the reply is given after the commit.

Invariants:
- No message is held whole: pieces of at most READ_PIECE bytes go through, and the peer waits while the
  store takes them.
- After a refusal the rest of the message is read and dropped (up to MAX_DROPPED bytes, then the session
  ends), so that it is never taken for commands.
- 250 is said only after the commit that holds every delivery and the queue entry.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from appliance.directory.resolve import SendAs
from appliance.mailbox.errors import Reason, Refused
from appliance.mailbox.incoming import Ingest
from appliance.net.bridge import read_now, write
from appliance.net.connection import Connection
from appliance.protocols.smtp import headers, replies
from appliance.protocols.smtp.data import DotDecoder
from appliance.protocols.smtp.grammar import Malformed, parse_bdat
from appliance.store.errors import StoreError, StoreFull
from appliance.store.queue import Origin
from appliance.transport.acceptance import Mail, NobodyTook, Verdict, accept, judge_author
from appliance.transport.lines import TextChecker
from appliance.transport.trace import Arrival, date_field, received

if TYPE_CHECKING:
    from appliance.protocols.smtp.session import SmtpSession, Transaction

READ_PIECE = 256 << 10
"""Bytes that are taken from the connection at a time, at most: mostly what one read of the socket gave."""

LARGE_PIECE = 16 << 10
"""Bytes of a piece that takes so long to work on that others get a turn before it."""

MAX_DROPPED = 256 << 20
"""Bytes of a refused message that are read and dropped before the session ends."""

_log = logging.getLogger(__name__)
_NOBODY = {
    Verdict.NO_USER: replies.NO_USER,
    Verdict.DISABLED: replies.DISABLED,
    Verdict.NO_RELAY: replies.NO_RELAY,
    Verdict.REFUSED: replies.REFUSED_RECIPIENT,
    Verdict.FULL: replies.MAILBOX_FULL,
    Verdict.BAD: replies.BAD_RECIPIENT,
}


class Reception:
    """One message on its way in. `failed` is the reply to give once it is over, empty while all is well."""

    def __init__(self, session: SmtpSession, transaction: Transaction) -> None:
        self._session = session
        self._transaction = transaction
        self._service = session.service
        self._submission = session.submission
        self._ingest: Ingest | None = Ingest(session.service.store)
        self._head = headers.HeadReader(hold=self._submission)
        self._now = session.service.now()
        self._token = session.service.tokens.next()
        self._checker: TextChecker | None = None
        self.size = 0
        self.failed = b""

    def fail(self, reply: bytes) -> None:
        """Refuse the message; the first reason counts."""
        if not self.failed:
            self.failed = reply
        self.abort()

    def abort(self) -> None:
        """Forget what was stored."""
        ingest, self._ingest = self._ingest, None
        if ingest is not None:
            ingest.abort()

    async def feed(self, data: bytes) -> None:
        """The next decoded bytes."""
        self.size += len(data)
        if self.failed or not data:
            return
        if self.size > self._service.settings.max_size:
            self.fail(replies.TOO_BIG)
            return
        if self._head.complete:
            await self._store(data)
            return
        known = self._head.overflow
        rest = self._head.feed(data)
        if self._head.overflow and self._submission:
            self.fail(replies.HEADER_TOO_BIG)
            return
        if self._head.complete or self._head.overflow != known:
            await self._head_done()
        await self._store(rest)

    async def _store(self, data: bytes) -> None:
        if not data or self._ingest is None:
            return
        try:
            stored = self._ingest.feed(data)
            if stored is not None:
                await asyncio.wrap_future(stored)
        except StoreError as error:
            self.fail(_store_reply(error))

    async def _head_done(self) -> None:
        if self._head.hops() > headers.MAX_HOPS:
            self.fail(replies.TOO_MANY_HOPS)
        elif self._submission:
            await self._store(self._mended())

    def _mended(self) -> bytes:
        """The header section of a submission as it goes on (RFC 6409 8)."""
        user, service = self._session.user, self._service
        assert user is not None
        found = headers.fields(self._head.head)
        bare = headers.is_bare_text(found)
        authors = [] if bare else headers.authors(found)
        how = read_now(service.store, lambda txn: judge_author(txn, user, authors))
        if how is SendAs.NO:
            self.fail(replies.NOT_YOUR_ADDRESS)
            return b""
        mended = headers.mend(
            [] if bare else found,
            sender=str(self._transaction.mail.sender or user.address),
            behalf=user.address if how is SendAs.ON_BEHALF else "",
            date=date_field(self._now),
            message_id=f"<{self._token}@{self._session.hostname}>",
        )
        return mended + b"\r\n" + self._head.head if bare else mended

    def check_text(self, data: bytes) -> bytes:
        """Chunks of BDAT that claim to be text."""
        if self._transaction.mail.body == "BINARYMIME":
            return data
        if self._checker is None:
            self._checker = TextChecker(mend=self._submission)
        return self._checker.feed(data)

    async def end_text(self) -> None:
        """The last chunk of BDAT is in."""
        if self._checker is not None:
            await self.feed(self._checker.end())
            if self._checker.bare and not self._submission:
                self.fail(replies.BARE_LINE_END)

    async def finish(self) -> bytes:
        """The message is whole: commit it, and give the reply."""
        if not self.failed and not self._head.complete and not self._head.overflow:
            self._head.end()
            await self._head_done()
        ingest, self._ingest = self._ingest, None
        if self.failed or ingest is None:
            return self.failed or replies.UNAVAILABLE
        try:
            mail = self._mail(ingest)
            accepted = await write(
                self._service.store, lambda txn: accept(txn, mail), weight=mail.incoming.weight
            )
        except NobodyTook as nobody:
            ingest.abort()
            return replies.LOOP if nobody.looped else _NOBODY[nobody.verdict]
        except Refused as refused:
            ingest.abort()
            return _refusal(refused)
        except StoreError as error:
            ingest.abort()
            return _store_reply(error)
        _log.info(
            "accepted id=%s peer=%s size=%d mailboxes=%d queue=%d",
            self._token,
            self._session.connection.peer,
            mail.incoming.size,
            accepted.delivered,
            accepted.queued,
        )
        return f"250 2.0.0 OK: queued as {self._token}\r\n".encode()

    def _mail(self, ingest: Ingest) -> Mail:
        session, command = self._session, self._transaction.mail
        connection = session.connection
        arrival = Arrival(
            helo=session.session.host_name or "",
            peer=connection.peer,
            extended=session.extended,
            secure=session.secure,
            authenticated=session.user is not None,
            smtputf8=command.smtputf8,
            tls=f"{connection.tls_version} {connection.tls_cipher}" if session.secure else "",
        )
        version, known = self._service.lookups.known()
        return Mail(
            version=version,
            known={r.address: known[r.address] for r in self._transaction.recipients if r.address in known},
            sender=str(command.sender) if command.sender else "",
            recipients=tuple(self._transaction.recipients),
            incoming=ingest.finish(),
            received=received(arrival, session.hostname, self._token, self._now),
            now=self._now,
            user=session.user,
            passed=self._head.delivered_to(),
            body=command.body,
            smtputf8=command.smtputf8,
            ret=command.ret,
            envid=command.envid,
            origin=Origin.SUBMISSION if session.user is not None else Origin.SMTP,
        )


def _store_reply(error: StoreError) -> bytes:
    return replies.STORE_FULL if isinstance(error, StoreFull) else replies.UNAVAILABLE


_REFUSALS = {
    Reason.QUOTA: replies.MAILBOX_FULL,
    Reason.TOO_BIG: replies.TOO_BIG,
    Reason.FULL: replies.STORE_FULL,
    Reason.NOT_FOUND: replies.NO_USER,
    Reason.ACCESS_DENIED: replies.REFUSED,
    Reason.INVALID: replies.REFUSED,
}


def _refusal(refused: Refused) -> bytes:
    """The reply to a mailbox operation that was refused."""
    return _REFUSALS.get(refused.reason, replies.UNAVAILABLE)


async def receive_data(session: SmtpSession, argument: str) -> bytes:
    """DATA (RFC 5321 4.1.1.4)."""
    transaction = session.transaction
    assert transaction is not None
    if argument:
        return replies.SYNTAX
    if transaction.mail.body == "BINARYMIME":  # RFC 3030 3
        return replies.BINARY_NEEDS_BDAT
    reception = transaction.reception = Reception(session, transaction)
    decoder = DotDecoder(mend=session.submission)
    session.write(replies.DATA_GO)
    while not decoder.ended:
        data = await session.connection.read_some(READ_PIECE)
        if len(data) >= LARGE_PIECE:
            await session.service.turns.wait()
        await reception.feed(decoder.feed(data))
        if decoder.size > session.service.settings.max_size + MAX_DROPPED:
            session.ending = True
            return replies.TOO_BIG
    if decoder.rest:
        session.connection.unread(decoder.rest)
    if decoder.bare and not session.submission:
        reception.fail(replies.BARE_LINE_END)
    reply = await reception.finish()
    session.reset()
    return reply


async def receive_chunk(session: SmtpSession, argument: str) -> bytes:
    """BDAT (RFC 3030 2)."""
    transaction = session.transaction
    assert transaction is not None
    size, last = _chunk_size(session, argument)
    if transaction.reception is None:
        transaction.reception = Reception(session, transaction)
    reception = transaction.reception
    if reception.size + size > session.service.settings.max_size:
        reception.fail(replies.TOO_BIG)
    async for data in _octets(session.connection, size):
        if len(data) >= LARGE_PIECE:
            await session.service.turns.wait()
        await reception.feed(reception.check_text(data))
    if reception.failed:
        reply = reception.failed
        if last:
            session.reset()
        return reply
    if not last:
        return replies.CHUNK_OK
    await reception.end_text()
    reply = await reception.finish()
    session.reset()
    return reply


async def skip_chunk(session: SmtpSession, argument: str) -> None:
    """Read the octets of a BDAT that is refused (RFC 3030 2)."""
    size, _ = _chunk_size(session, argument)
    async for _ in _octets(session.connection, size):
        pass


def _chunk_size(session: SmtpSession, argument: str) -> tuple[int, bool]:
    """What BDAT says. Where it cannot be known what is chunk and what is command, the session ends."""
    try:
        size, last = parse_bdat(argument)
    except Malformed:
        session.ending = True
        raise
    if size > session.service.settings.max_size + MAX_DROPPED:
        session.ending = True
        raise Malformed(replies.TOO_BIG)
    return size, last


async def _octets(connection: Connection, size: int) -> AsyncIterator[bytes]:
    """The next `size` octets, in pieces."""
    while size:
        data = await connection.read_some(min(READ_PIECE, size))
        size -= len(data)
        yield data
