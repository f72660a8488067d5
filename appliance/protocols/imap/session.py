"""One client's session: its states, the dispatch of its commands, what it is told.

Rules (RFC 9051 3):
- A command runs only in the states of its row; anything else is BAD before its arguments are looked at.
- Commands run one after the other; pipelined ones wait.
- Every command ends in exactly one tagged reply. What the folder became meanwhile is told just before it,
  as far as the row allows.
- A refused literal ends its command: at once when the client waits for the go-ahead, else after the octets
  have been dropped; one too large to drop ends the session.
"""

import logging
from dataclasses import dataclass, field
from enum import Enum

from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Refused
from appliance.mailbox.incoming import Incoming, Ingest
from appliance.net.errors import ConnectionEnded, ShuttingDown, TimedOut
from appliance.protocols.imap import limits
from appliance.protocols.imap.announce import announcements
from appliance.protocols.imap.channel import Channel
from appliance.protocols.imap.errors import Bad, Bye, No, of_refusal
from appliance.protocols.imap.fetch_grammar import FetchRequest, Item
from appliance.protocols.imap.namespaces import Found
from appliance.protocols.imap.notify import Notifications
from appliance.protocols.imap.reader import (
    CommandRead,
    Event,
    LineTooLong,
    Literal,
    LiteralAsked,
    LiteralData,
    Piece,
    tag_of,
)
from appliance.protocols.imap.selected import Selected
from appliance.protocols.imap.sequence import SequenceSet
from appliance.protocols.imap.services import Services
from appliance.protocols.imap.table import Announce, Command, State
from appliance.protocols.imap.tokens import Cursor
from appliance.protocols.imap.wire import status
from appliance.store import messages

_log = logging.getLogger(__name__)


class Feature(Enum):
    """What a client switched on (RFC 5161, RFC 7162, RFC 6855, RFC 9051)."""

    CONDSTORE = b"CONDSTORE"
    QRESYNC = b"QRESYNC"
    UTF8 = b"UTF8=ACCEPT"
    REV2 = b"IMAP4REV2"


@dataclass(slots=True)
class Upload:
    """Messages that a command streams in."""

    done: list[Incoming] = field(default_factory=list)
    current: Ingest | None = None
    refusal: No | Bad | None = None
    name: str = ""
    target: Found | None = None
    """The folder of that name, where the first message was found welcome; the write function asks again."""

    def abort(self) -> None:
        """Forget them."""
        if self.current is not None:
            self.current.abort()


class Session:
    """The state of one connection. `home` is the mailbox whose folders have no prefix: the user's own, or
    the delegator's (MS-OXIMAP4 2.2.2)."""

    __slots__ = (
        "_bad",
        "_commands",
        "actor",
        "address",
        "channel",
        "enabled",
        "home",
        "notifications",
        "replied",
        "selected",
        "services",
        "state",
        "tag",
        "upload",
    )

    def __init__(self, services: Services, channel: Channel, commands: dict[bytes, Command]) -> None:
        self.services = services
        self.channel = channel
        self._commands = commands
        self.state = State.NOT_AUTHENTICATED
        self.actor = Actor(0, 0, services.new_session())
        self.address = ""
        self.home = 0
        self.selected: Selected | None = None
        self.enabled: set[Feature] = set()
        self.notifications: Notifications | None = None
        self.upload = Upload()
        self.tag = b"*"
        self.replied = False
        """Whether the running command has sent its tagged reply itself (before a new layer begins)."""
        self._bad = 0

    # -- what commands ask ----------------------------------------------------------------------------

    @property
    def utf8(self) -> bool:
        """Whether names and strings are UTF-8 (RFC 6855 3, RFC 9051 5.1)."""
        return bool(self.enabled) and (Feature.UTF8 in self.enabled or Feature.REV2 in self.enabled)

    @property
    def rev2(self) -> bool:
        """Whether the client speaks IMAP4rev2 alone."""
        return Feature.REV2 in self.enabled

    @property
    def condstore(self) -> bool:
        """Whether mod-sequences are told (RFC 7162 3.1)."""
        return Feature.CONDSTORE in self.enabled

    @property
    def qresync(self) -> bool:
        """Whether VANISHED takes the place of EXPUNGE (RFC 7162 3.2)."""
        return Feature.QRESYNC in self.enabled

    @property
    def folder(self) -> Selected:
        """The selected folder; the table lets no command ask without one."""
        if self.selected is None:
            raise Bad("No mailbox is selected.")
        return self.selected

    def writable(self) -> Selected:
        """The selected folder, for commands that change it. Raises No after EXAMINE."""
        folder = self.folder
        if folder.read_only:
            raise No("The mailbox is selected read-only.", b"READ-ONLY")
        return folder

    def write(self, *lines: bytes) -> None:
        """Send untagged replies: what follows the asterisk, without the line end."""
        for line in lines:
            self.channel.write(b"* " + line + b"\r\n")

    def ok(self, code: bytes, human: str) -> None:
        """An untagged OK with a response code."""
        self.channel.write(status(b"*", b"OK", human, code))

    def no(self, human: str, code: bytes = b"") -> None:
        """An untagged NO: a warning."""
        self.channel.write(status(b"*", b"NO", human, code))

    def log_on(self, actor: Actor, home: int, address: str) -> None:
        """The client has shown who it is."""
        self.actor, self.home, self.address = actor, home, address
        self.state = State.AUTHENTICATED
        self.channel.reader.max_line = limits.MAX_LINE
        self.channel.connection.settle()

    def enable(self, feature: Feature) -> None:
        """Switch a feature on; QRESYNC brings CONDSTORE (RFC 7162 3.2.3)."""
        self.enabled.add(feature)
        if feature is Feature.QRESYNC:
            self.enabled.add(Feature.CONDSTORE)

    def enable_condstore(self) -> None:
        """A command that implies CONDSTORE was given: the first one has HIGHESTMODSEQ told (RFC 7162 3.1)."""
        if self.condstore:
            return
        self.enable(Feature.CONDSTORE)
        if self.selected is not None:
            with self.services.store.read() as txn:
                number = self.selected.modseq(txn)
            self.ok(b"HIGHESTMODSEQ %d" % number, "Highest.")

    def unselect(self, *, closed: bool = False) -> None:
        """Leave the selected folder. `closed` has the client told so, when another is selected instead."""
        if self.selected is not None and closed:
            self.ok(b"CLOSED", "The previous mailbox is closed.")  # RFC 9051 7.1
        self.selected = None
        if self.state is State.SELECTED:
            self.state = State.AUTHENTICATED
        if self.notifications is not None:
            self.notifications.selected_changed(self)

    # -- the loop -------------------------------------------------------------------------------------

    async def serve(self) -> None:
        """Greet and serve until the session ends."""
        self.channel.write(self.services.greeting(self))
        try:
            while self.state is not State.LOGOUT:
                event = await self.channel.event()
                if event is None:
                    await self._woken()
                else:
                    await self._handle(event)
        except Bye as bye:
            self.channel.write(status(b"*", b"BYE", bye.text, bye.code))
        except TimedOut:
            self.channel.write(status(b"*", b"BYE", "Autologout; you were idle for too long."))
        except ShuttingDown:
            self.channel.write(status(b"*", b"BYE", "The server is shutting down.", b"UNAVAILABLE"))
        finally:
            self.upload.abort()
            if self.notifications is not None:
                self.notifications.close()

    async def _woken(self) -> None:
        if self.notifications is not None:
            await self.notifications.push(self)

    async def _handle(self, event: Event) -> None:
        if isinstance(event, CommandRead):
            await self._command(event.pieces)
        elif isinstance(event, LiteralAsked):
            await self._literal(event)
        elif isinstance(event, LiteralData):
            await self._octets(event)
        else:
            self._too_long(event)

    def _too_long(self, event: LineTooLong) -> None:
        self._reply_bad(event.tag, Bad("The command is too long.", b"TOOBIG"))

    # -- literals -------------------------------------------------------------------------------------

    async def _literal(self, asked: LiteralAsked) -> None:
        try:
            if self.upload.refusal is not None:
                raise self.upload.refusal
            streamed = await self._prepare(asked)
        except Refused as refused:
            self._refuse_literal(asked, of_refusal(refused))
            return
        except (No, Bad) as refusal:
            self._refuse_literal(asked, refusal)
            return
        if streamed:
            self.channel.reader.stream()
        else:
            self.channel.reader.take()
        if asked.waits:
            self.channel.write(b"+ OK\r\n")

    async def _prepare(self, asked: LiteralAsked) -> bool:
        """Check an announced literal; whether it is a message to be streamed. Raises No, Bad, Refused."""
        upload = self._lookup(asked.pieces).upload
        if upload is not None and upload.is_message(asked.pieces):
            if asked.size > self.services.append_limit:
                raise No("The message is too big.", b"TOOBIG")  # RFC 7889 5
            await upload.open(self, asked.pieces, asked.size)
            self.upload.current = Ingest(self.services.store)
            return True
        stranger = self.state is State.NOT_AUTHENTICATED
        if stranger and asked.size > limits.MAX_LITERAL_STRANGER:
            raise Bad("The literal is too big.", b"TOOBIG")
        held = sum(len(piece.data) for piece in asked.pieces if isinstance(piece, Literal))
        if asked.size > limits.MAX_LITERAL or held + asked.size > limits.MAX_COMMAND:
            raise Bad("The literal is too big.", b"TOOBIG")
        if len(asked.pieces) > 2 * limits.MAX_LITERALS:
            raise Bad("The command has too many literals.", b"LIMIT")
        return False

    def _refuse_literal(self, asked: LiteralAsked, refusal: No | Bad) -> None:
        reader = self.channel.reader
        if asked.waits:
            reader.abandon()
            self._end_upload()
            self._reply_failed(tag_of(asked.pieces), refusal)
        elif asked.size <= limits.MAX_DRAIN:
            self.upload.refusal = refusal
            reader.drain()
        else:
            # RFC 7888 4: what cannot be read and dropped ends the connection
            self._reply_failed(tag_of(asked.pieces), refusal)
            raise Bye("The literal is too big.", b"TOOBIG")

    async def _octets(self, event: LiteralData) -> None:
        ingest = self.upload.current
        if ingest is None:
            return
        try:
            if event.data:
                spilled = ingest.feed(event.data)
                if spilled is not None:
                    await self.services.result(spilled)
            if event.last:
                self.upload.current = None
                self.upload.done.append(await self.services.finish(ingest))
        except ConnectionEnded:
            raise
        except Refused as refused:
            self._spoil(ingest, of_refusal(refused))
        except Exception as error:
            self._spoil(ingest, of_refusal(self.services.refused(error)))

    def _spoil(self, ingest: Ingest, refusal: No) -> None:
        ingest.abort()
        self.upload.current = None
        self.upload.refusal = refusal

    def _end_upload(self) -> None:
        self.upload.abort()
        self.upload = Upload()

    # -- commands -------------------------------------------------------------------------------------

    def _lookup(self, pieces: tuple[Piece, ...]) -> Command:
        """The command that a literal belongs to. Raises Bad, so that nothing is asked for in vain."""
        cursor = Cursor(pieces[:1])
        cursor.tag()
        cursor.space()
        return self._legal(self._named(cursor))

    def _legal(self, command: Command) -> Command:
        if not command.states & self.state:
            raise Bad("Not in this state.")
        return command

    def _named(self, cursor: Cursor) -> Command:
        name = cursor.word("a command")
        if name == b"UID":
            cursor.space()
            name += b" " + cursor.word("a command")
        command = self._commands.get(name)
        if command is None:
            raise Bad("Unknown command.")
        return command

    async def _command(self, pieces: tuple[Piece, ...]) -> None:
        cursor = Cursor(pieces, utf8=self.utf8)
        tag = b"*"
        self.replied = False
        try:
            tag = self.tag = cursor.tag()
            cursor.space()
            command = self._legal(self._named(cursor))
            if self.upload.refusal is not None:
                raise self.upload.refusal
            arguments = command.parse(cursor)
            done = await command.run(self, arguments)
            await self.announce(command.announce)
            if self.notifications is not None and command.announce is not Announce.NOTHING:
                await self.notifications.push(self, between=False)
            if not self.replied:
                self.channel.write(status(tag, b"OK", done.text, done.code))
            self._bad = 0
        except Bad as bad:
            self._reply_bad(tag, bad)
        except No as no:
            await self._after_failure()
            self._reply_failed(tag, no)
        except Refused as refused:
            await self._after_failure()
            self._reply_failed(tag, of_refusal(refused))
        except (Bye, ConnectionEnded):
            raise
        except Exception:
            _log.exception("a command failed peer=%s", self.channel.connection.peer)
            self._reply_failed(tag, No("Internal error.", b"SERVERBUG"))
        finally:
            self._end_upload()
        await self.channel.relieve()

    async def _after_failure(self) -> None:
        if self.selected is not None:
            await self.announce(Announce.NO_EXPUNGE)

    def _reply_failed(self, tag: bytes, refusal: No | Bad) -> None:
        if isinstance(refusal, Bad):
            self._reply_bad(tag, refusal)
        else:
            self._bad = 0
            self.channel.write(status(tag, b"NO", refusal.text, refusal.code))

    def _reply_bad(self, tag: bytes, bad: Bad) -> None:
        self.channel.write(status(tag, b"BAD", bad.text, bad.code))
        self.services.provoked("imap not understood", self.channel.connection.peer, reason=bad.text)
        self._bad += 1
        if self._bad >= limits.MAX_BAD_COMMANDS:
            raise Bye("Too many commands that are not understood.")

    async def fetch_new(self, first: int, items: tuple[Item, ...]) -> None:
        """Send items of the messages that have just come (NOTIFY, RFC 5465 5.1)."""
        request = FetchRequest(SequenceSet(((first, self.folder.ceiling),)), items, uid=True)
        await self._commands[b"UID FETCH"].run(self, request)

    async def announce(self, what: Announce) -> None:
        """Tell what became of the selected folder, as far as that is allowed now."""
        if self.selected is None or what is Announce.NOTHING:
            return
        lines = self._news(what)
        while lines is None:
            try:
                await self.services.render(self.selected.mailbox, self.selected.fid)
            except Refused as refused:  # no room for the octets: the news waits
                _log.warning(
                    "a folder could not be rendered peer=%s: %s", self.channel.connection.peer, refused
                )
                return
            lines = self._news(what)
        if lines:
            self.channel.write(b"".join(lines))

    def _news(self, what: Announce) -> list[bytes] | None:
        """The announcements; None when messages that came have no octets yet, and nothing was looked at."""
        view = self.folder
        with self.services.store.read() as txn:
            if view.is_behind(txn) and messages.unrendered(txn, view.mailbox, view.fid, 1):
                return None
            return announcements(self, txn, expunges=what is Announce.ALL)
