"""The POP3 server: carries the session's events out on a connection, the store and the directory.

One POP3 session at a time has a mailbox (RFC 1939 4 asks for the exclusive lock); IMAP and the other
protocols are not kept out, since the session works on a snapshot. Messages that were sent whole are marked
as read together with the deletions, at QUIT: a session that breaks off changes nothing at all.
"""

import asyncio
import logging
import os
import secrets
import time
from array import array
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, TypeVar

from appliance.directory import sasl
from appliance.directory.authenticate import Failure, Login, Reason
from appliance.directory.model import Protocol
from appliance.mailbox import items
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Refused
from appliance.mailbox.rendered import render_pending
from appliance.mailbox.rights import require
from appliance.mapi.times import from_unix_ns
from appliance.net.bridge import read_in_thread, write
from appliance.net.connection import Connection
from appliance.net.errors import LineTooLong, PeerGone, ShuttingDown, TimedOut
from appliance.net.listener import Service
from appliance.net.log import event
from appliance.net.parts import Parts
from appliance.net.terms import Timeouts
from appliance.protocols.pop3 import replies
from appliance.protocols.pop3.commands import COMMANDS
from appliance.protocols.pop3.maildrop import Maildrop
from appliance.protocols.pop3.session import (
    MAX_SASL_LINE,
    BeginSasl,
    CancelSasl,
    CheckPassword,
    Event,
    GoOnSasl,
    Offer,
    Say,
    Send,
    Session,
    StartTls,
    Update,
)
from appliance.protocols.pop3.stuffing import Stuffer
from appliance.store import blobs, contents, folders, messages
from appliance.store.contents import RowFlag
from appliance.store.errors import StoreError
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.permissions import Right

PIECE = 256 << 10
"""Octets of a message that are read and sent at once."""

STEP = 500
"""Messages that one write function removes or marks."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Pop3:
    """What the sessions of this process share."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.open_mailboxes: set[int] = set()
        self._last_login: dict[int, float] = {}

    async def serve(self, connection: Connection) -> None:
        """Serve one connection."""
        await _Peer(self, connection).run()

    def too_soon(self, mailbox: int, now: float) -> bool:
        """Whether the last log-in lies less than LOGIN-DELAY back (RFC 2449 6.7). Notes this one if not."""
        delay = self.parts.settings.pop3.login_delay
        if not delay:
            self._last_login.clear()
            return False
        if now - self._last_login.get(mailbox, -delay) < delay:
            return True
        self._last_login[mailbox] = now
        return False


def service(parts: Parts) -> Service:
    """The service of ports 110 and 995."""
    timeouts = Timeouts(idle=parts.settings.pop3.idle)
    return Service("pop3", Pop3(parts).serve, timeouts, parts.limits(), replies.BUSY)


class _Peer:
    """One connection."""

    def __init__(self, shared: Pop3, connection: Connection) -> None:
        self._shared, self._parts = shared, shared.parts
        self._connection = connection
        self._session = Session(COMMANDS, self._offer)
        self._mechanism: sasl.Mechanism | None = None
        self._actor: Actor | None = None
        self._locked: int | None = None

    def _is_private(self) -> bool:
        connection = self._connection
        on_loopback = connection.is_loopback and self._parts.settings.auth.plain_on_loopback
        return connection.is_secure or on_loopback

    def _context(self) -> sasl.Context:
        return sasl.Context(
            authenticator=self._parts.authenticator,
            protocol=Protocol.POP3,
            peer=self._connection.peer,
            secure=self._is_private(),
            nonce=os.urandom(8),
            now=from_unix_ns(time.time_ns()),
            bindings=self._connection.channel_binding,
        )

    def _offer(self) -> Offer:
        return Offer(
            can_stls=self._connection.can_start_tls,
            plain=self._is_private(),
            mechanisms=tuple(sasl.offered(self._context())),
            login_delay=self._parts.settings.pop3.login_delay,
        )

    async def run(self) -> None:
        """Greet, then carry out one event after the other until one of them ends the session."""
        connection = self._connection
        connection.write(replies.READY)
        try:
            while await self._carry_out(await self._next()):
                if connection.buffered == 0:
                    await connection.drain()
        except TimedOut:
            connection.write(replies.TIMED_OUT)
        except ShuttingDown:
            connection.write(replies.SHUTTING_DOWN)
        finally:
            if self._locked is not None:
                self._shared.open_mailboxes.discard(self._locked)

    async def _next(self) -> Event:
        try:
            return self._session.line(await self._connection.read_line(MAX_SASL_LINE))
        except LineTooLong:
            return self._session.too_long()

    async def _carry_out(self, what: Event) -> bool:
        """Do what an event says; whether the session goes on."""
        match what:
            case Say():
                return self._say(what)
            case Send(number, lines):
                await self._send(number, lines)
                return True
            case StartTls():
                await self._connection.start_tls(replies.STLS)
                self._session.tls_started()
                return True
            case Update():
                self._connection.write(await self._update())
                return False
            case CancelSasl(say):
                self._mechanism = None
                return self._say(self._session.refused(say))
            case _:
                return self._say(await self._log_in(what))

    def _say(self, say: Say) -> bool:
        self._connection.write(say.data)
        return not say.close

    # -- logging in ---------------------------------------------------------------------------------------

    async def _log_in(self, attempt: CheckPassword | BeginSasl | GoOnSasl) -> Say:
        context = self._context()
        if isinstance(attempt, CheckPassword):
            check = self._parts.authenticator.verify_password
            step: sasl.Step = await self._in_thread(
                lambda: check(attempt.name, attempt.password, peer=context.peer, protocol=Protocol.POP3)
            )
            return await self._outcome(step)
        if isinstance(attempt, BeginSasl):
            begun = sasl.begin(attempt.mechanism, context)
            if begun is None:
                return self._session.refused(replies.NO_MECHANISM)
            if isinstance(begun, Failure):
                return await self._outcome(begun)
            self._mechanism, response = begun, attempt.initial
        else:
            response = attempt.response
        mechanism = self._mechanism
        assert mechanism is not None
        return await self._outcome(await self._in_thread(lambda: mechanism.step(response)))

    async def _in_thread(self, fn: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._parts.verifiers, fn)

    async def _outcome(self, step: sasl.Step) -> Say:
        if isinstance(step, sasl.Challenge):
            return self._session.challenge(step.data)
        self._mechanism = None
        if isinstance(step, Failure):
            return await self._failed(step)
        return await self._open(step)

    async def _failed(self, failure: Failure) -> Say:
        self._parts.quiet.line(
            logging.WARNING,
            "log-in failed",
            peer=self._connection.peer,
            service="pop3",
            reason=failure.reason.value,
            user=failure.name or None,
        )
        if failure.delay:
            await asyncio.sleep(failure.delay)
        return self._session.refused(_FAILURES.get(failure.reason, replies.WRONG_CREDENTIALS))

    async def _open(self, login: Login) -> Say:
        mailbox = login.owner.mailbox
        actor = Actor(login.user.id, login.user.mailbox, session=secrets.randbits(63) | 1)
        if self._shared.too_soon(mailbox, asyncio.get_running_loop().time()):
            return self._session.refused(replies.LOGIN_DELAY)
        if mailbox in self._shared.open_mailboxes:
            return self._session.refused(replies.IN_USE)
        self._shared.open_mailboxes.add(mailbox)
        self._locked = mailbox
        store = self._parts.store
        try:
            await asyncio.to_thread(render_pending, store, mailbox, Special.INBOX)
            maildrop = await read_in_thread(store, lambda txn: snapshot(txn, actor, mailbox))
        except (Refused, StoreError) as error:
            event(
                _log, logging.WARNING, "a mailbox could not be opened", user=login.user.address, reason=error
            )
            self._shared.open_mailboxes.discard(mailbox)
            self._locked = None
            return self._session.refused(replies.UNAVAILABLE)
        self._actor = actor
        self._connection.settle()
        layer = self._connection.tls_version or "none"
        peer = self._connection.peer
        event(_log, logging.INFO, "log-in", service="pop3", user=login.user.address, peer=peer, tls=layer)
        return self._session.opened(maildrop)

    # -- messages -----------------------------------------------------------------------------------------

    async def _send(self, number: int, lines: int | None) -> None:
        """RETR and TOP: the message goes out piece by piece, never held whole."""
        drop, connection, store = self._session.maildrop, self._connection, self._parts.store
        try:
            source = await read_in_thread(store, lambda txn: _open_message(txn, drop, number))
        except (StoreError, Refused):
            connection.write(replies.GONE)
            return
        connection.write(b"+OK %d octets\r\n" % drop.size(number) if lines is None else replies.OK)
        stuffer, data, offset = Stuffer(lines), source.start, source.taken
        while True:
            connection.write(stuffer.feed(data))
            await connection.drain()
            if offset >= source.length or stuffer.done:
                break
            read = partial(blobs.read, number=source.blob, offset=offset, length=PIECE)
            try:
                data = await read_in_thread(store, read)
            except StoreError as error:  # the response has begun: all that is left is to break it off
                raise PeerGone(f"a message could not be read to its end: {error}") from error
            offset += len(data)
        connection.write(stuffer.finish())
        if lines is None:
            drop.seen.add(number)

    async def _update(self) -> bytes:
        drop, actor = self._session.maildrop, self._actor
        assert actor is not None
        now = from_unix_ns(time.time_ns())
        deleted = [drop.uid(number) for number in sorted(drop.deleted)]
        seen = [drop.uid(number) for number in sorted(drop.seen - drop.deleted)]
        try:
            for uids in _steps(seen):
                await write(self._parts.store, partial(_mark, actor=actor, drop=drop, uids=uids, now=now))
            for uids in _steps(deleted):
                remove = partial(_remove, actor=actor, drop=drop, uids=uids, now=now)
                await write(self._parts.store, remove, reserve=True)
        except (StoreError, Refused) as error:
            event(_log, logging.WARNING, "deletions failed", service="pop3", reason=error)
            return replies.NOT_REMOVED
        return replies.BYE


_FAILURES = {
    Reason.CREDENTIALS: replies.WRONG_CREDENTIALS,
    Reason.NO_DELEGATE: replies.WRONG_CREDENTIALS,
    Reason.MALFORMED: replies.WRONG_CREDENTIALS,
    Reason.DISABLED: replies.WRONG_CREDENTIALS,
    Reason.PROTOCOL: replies.SWITCHED_OFF,
    Reason.BLOCKED: replies.BLOCKED,
    Reason.CANCELLED: replies.CANCELLED,
    Reason.NEEDS_TLS: replies.NEEDS_TLS,
}
"""What a client is told: whether an account exists or is switched off is none of a stranger's business."""


class _Source(NamedTuple):
    """A message to send: its first octets, how many of the blob's they hold, the blob and its length."""

    start: bytes
    taken: int
    blob: int
    length: int


def snapshot(txn: ReadTxn, actor: Actor, mailbox: int) -> Maildrop:
    """The inbox as it is now, in the order of its UIDs. Raises Refused, NotFound."""
    fid = Special.INBOX
    require(txn, actor, mailbox, fid, Right.READ_ANY)
    folder = folders.get(txn, mailbox, fid)
    found = sorted((row.uid, row.mid, row.size) for row in contents.rows(txn, mailbox, fid))
    return Maildrop(
        mailbox=mailbox,
        fid=fid,
        uidvalidity=folder.uidvalidity,
        uids=array("Q", (uid for uid, _, _ in found)),
        mids=array("Q", (mid for _, mid, _ in found)),
        sizes=array("Q", (size for _, _, size in found)),
    )


def _open_message(txn: ReadTxn, drop: Maildrop, number: int) -> _Source:
    row = contents.get(txn, drop.mailbox, drop.fid, drop.mid(number))
    prefix = messages.load(txn, drop.mailbox, row.mid).prefix if row.prefix else b""
    start = blobs.read(txn, row.blob, 0, PIECE)
    return _Source(prefix + start, len(start), row.blob, blobs.info(txn, row.blob).size)


def _mark(txn: WriteTxn, actor: Actor, drop: Maildrop, uids: list[int], now: int) -> None:
    change = items.FlagChange(items.How.ADD, RowFlag.SEEN)
    items.change_flags(txn, actor, drop.mailbox, drop.fid, uids, change, now=now)


def _remove(txn: WriteTxn, actor: Actor, drop: Maildrop, uids: list[int], now: int) -> None:
    items.delete(txn, actor, drop.mailbox, drop.fid, uids, now=now)


def _steps(uids: list[int]) -> Iterator[list[int]]:
    for begin in range(0, len(uids), STEP):
        yield uids[begin : begin + STEP]
