"""Speaking SMTP to another server: one connection, any number of messages (on aiosmtplib).

aiosmtplib connects, negotiates TLS and logs on; the envelope and the content are said here, because content
must stream and each recipient's answer is needed with its enhanced code.

`connect` raises `Unreachable`; `Peer.send` never raises for what the peer says or for a connection that
breaks: every recipient comes back with an outcome. A recipient counts as served only when the server took
responsibility for the content; anything unclear is temporary, so that mail may come twice but is not lost.
"""

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponse

from appliance.store.queue import Notify, QueueEntry, QueueRecipient, State
from appliance.transport.addresses import AddressError, encode_xtext, idna, parse
from appliance.transport.content import Content
from appliance.transport.downgrade import Downgrader
from appliance.transport.dsn import clean, orcpt_parameter
from appliance.transport.lines import DotEncoder
from appliance.transport.routes import Endpoint, Route, Security

MAX_RECIPIENTS = 100
"""Recipients of one transaction (RFC 5321 4.5.3.1.8: every server takes as many)."""

_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long we wait, in seconds (RFC 5321 4.5.3.2)."""

    connect: float = 30.0
    command: float = 300.0
    content: float = 600.0


class Unreachable(Exception):
    """No session with any host of a route, for now. `status`, `text` and `mta` as in a recipient."""

    def __init__(self, status: str, text: str, mta: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.mta = mta


class _Broken(Exception):
    """The connection is of no use any more."""


def outcome(recipient: QueueRecipient, permanent: bool, status: str, text: str, mta: str) -> QueueRecipient:
    """A recipient that was refused: failed, or still waiting with the reason."""
    state = State.FAILED if permanent else State.PENDING
    return replace(recipient, state=state, status=status, answer=clean(text), mta=mta)


def _status_of(response: SMTPResponse) -> str:
    match = _STATUS.match(response.message)
    kind = str(response.code)[0]
    if match and match[1][0] == kind:
        return match[1]
    return f"{kind}.0.0" if kind in "245" else "4.5.0"


def _text_of(response: SMTPResponse) -> str:
    return f"{response.code} {response.message}".replace("\n", " ")


class Peer:
    """A session with a server. Not to be used by two tasks at once."""

    def __init__(self, client: aiosmtplib.SMTP, name: str, patience: Patience) -> None:
        self._client = client
        self._patience = patience
        self.name = name
        self.sent = 0
        """Transactions so far."""

    @property
    def usable(self) -> bool:
        """Whether another message can go over it."""
        return self._client.is_connected

    def _supports(self, extension: str) -> bool:
        return self._client.supports_extension(extension)

    async def close(self) -> None:
        """Say goodbye, without waiting long."""
        if self._client.is_connected:
            with contextlib.suppress(SMTPException, OSError, ValueError, asyncio.TimeoutError):
                await self._client.quit(timeout=5.0)
        self._client.close()

    async def send(
        self, entry: QueueEntry, recipients: Sequence[QueueRecipient], content: Content
    ) -> list[QueueRecipient]:
        """Send a message to `recipients` (MAX_RECIPIENTS at most); each of them with what became of it."""
        transaction = _Transaction(self, entry, list(recipients), content)
        try:
            await transaction.run()
        except (TimeoutError, SMTPException, OSError, ValueError, _Broken) as error:
            transaction.broke(error)
            self._client.close()
        self.sent += 1
        if self.usable and not transaction.finished:
            await self._reset()
        return transaction.recipients

    async def _reset(self) -> None:
        try:
            await self._client.rset(timeout=self._patience.command)
        except (SMTPException, OSError, ValueError):
            self._client.close()

    async def command(self, *words: bytes, content: bool = False) -> SMTPResponse:
        """One command and its reply. Raises _Broken when the server closes the session."""
        timeout = self._patience.content if content else self._patience.command
        return await self._client.execute_command(*words, timeout=timeout)

    async def write(self, data: bytes) -> None:
        """Content bytes, waiting while the peer does not take them."""
        protocol = self._client.protocol
        if protocol is None:
            raise _Broken("the connection is closed")
        protocol.write(data)
        await asyncio.wait_for(protocol._drain_helper(), self._patience.content)

    async def chunk(self, data: bytes, *, last: bool) -> SMTPResponse:
        """One BDAT (RFC 3030 2)."""
        protocol = self._client.protocol
        if protocol is None:
            raise _Broken("the connection is closed")
        protocol.write(b"BDAT %d%s\r\n" % (len(data), b" LAST" if last else b"") + data)
        return await protocol.read_response(timeout=self._patience.content)

    def size_limit(self) -> int:
        """What the server says it takes, in octets; 0: it does not say (RFC 1870 4)."""
        text = self._client.esmtp_extensions.get("size", "")
        return int(text) if text.isdigit() else 0


class _Transaction:
    """One message over a session."""

    def __init__(
        self, peer: Peer, entry: QueueEntry, recipients: list[QueueRecipient], content: Content
    ) -> None:
        self._peer = peer
        self._entry = entry
        self._content = content
        self.recipients = recipients
        self._taken: list[int] = []
        self._dsn = peer._supports("dsn")
        self._downgrade = False
        self._utf8 = False
        self._content_sent = False
        self.finished = False
        """Whether the server is ready for the next MAIL without RSET."""

    async def run(self) -> None:
        """The whole of it."""
        if not await self._prepare():
            return
        response = await self._peer.command(b"MAIL", *self._mail())
        if response.code != 250:
            self._all(response)
            return
        for index, recipient in enumerate(self.recipients):
            response = await self._peer.command(b"RCPT", *self._rcpt(recipient))
            if response.code in (250, 251):
                self._taken.append(index)
            else:
                self._one(index, response)
                if not self._peer.usable:
                    raise _Broken(_text_of(response))
        if not self._taken:
            return
        binary = self._entry.body == "BINARYMIME" and not self._downgrade
        response = await (self._chunks() if binary else self._data())
        if self._content_sent and response.code == 250:
            for index in self._taken:
                self.recipients[index] = self._served(self.recipients[index], response)
            self.finished = True
        else:
            for index in self._taken:
                self._one(index, response)
        self._taken.clear()

    async def _prepare(self) -> bool:
        """Whether the server can take the message, and in what form."""
        supports = self._peer._supports
        limit = self._peer.size_limit()
        if limit and self._entry.size > limit:
            self._refuse("5.3.4", f"the message is bigger than the {limit} octets that the server takes")
            return False
        addresses = [self._entry.sender, *(r.address for r in self.recipients)]
        self._utf8 = not all(_ascii(address).isascii() for address in addresses)
        if self._entry.smtputf8 and not self._utf8:
            self._utf8 = not (await self._content.head()).isascii()
        if self._utf8 and not supports("smtputf8"):
            # RFC 6531 3.5: X.6.7 where the next server cannot take internationalized mail.
            self._refuse("5.6.7", "the server does not take internationalized mail (SMTPUTF8)")
            return False
        if self._entry.body == "BINARYMIME":
            self._downgrade = not (supports("binarymime") and supports("chunking"))
        elif not supports("8bitmime"):
            self._downgrade = await self._content.has_eight_bit()
        return True

    def _mail(self) -> list[bytes]:
        supports, entry = self._peer._supports, self._entry
        words = [b"FROM:<" + self._address(entry.sender) + b">"]
        if supports("size") and not self._downgrade:
            words.append(b"SIZE=%d" % entry.size)
        if entry.body == "BINARYMIME" and not self._downgrade:
            words.append(b"BODY=BINARYMIME")
        elif supports("8bitmime"):
            words.append(b"BODY=8BITMIME")
        if self._utf8:
            words.append(b"SMTPUTF8")
        if self._dsn and entry.ret:
            words.append(b"RET=" + entry.ret.encode())
        if self._dsn and entry.envid:
            words.append(b"ENVID=" + encode_xtext(entry.envid).encode())
        return words

    def _rcpt(self, recipient: QueueRecipient) -> list[bytes]:
        words = [b"TO:<" + self._address(recipient.address) + b">"]
        if self._dsn and recipient.notify:
            names = [flag.name or "" for flag in Notify if flag and flag in recipient.notify]
            words.append(b"NOTIFY=" + ",".join(names).encode())
        if self._dsn and (recipient.orcpt or recipient.notify):
            words.append(b"ORCPT=" + orcpt_parameter(recipient).encode())
        return words

    def _address(self, address: str) -> bytes:
        return address.encode() if self._utf8 else _ascii(address).encode("ascii")

    async def _data(self) -> SMTPResponse:
        response = await self._peer.command(b"DATA")
        if response.code != 354:
            return response
        self._content_sent = True
        encoder = DotEncoder()
        downgrader = Downgrader() if self._downgrade else None
        async for piece in self._content.pieces():
            await self._peer.write(encoder.feed(downgrader.feed(piece) if downgrader else piece))
        if downgrader:
            await self._peer.write(encoder.feed(downgrader.end()))
        await self._peer.write(encoder.end())
        return await self._peer.command(b".", content=True)

    async def _chunks(self) -> SMTPResponse:
        async for piece in self._content.pieces():
            response = await self._peer.chunk(piece, last=False)
            if response.code != 250:
                return response
        self._content_sent = True
        return await self._peer.chunk(b"", last=True)

    def _served(self, recipient: QueueRecipient, response: SMTPResponse) -> QueueRecipient:
        state = State.DELEGATED if self._dsn else State.RELAYED
        status = _status_of(response)
        return replace(
            recipient, state=state, status=status, answer=clean(_text_of(response)), mta=self._peer.name
        )

    def _one(self, index: int, response: SMTPResponse) -> None:
        permanent = 500 <= response.code < 600
        self.recipients[index] = outcome(
            self.recipients[index], permanent, _status_of(response), _text_of(response), self._peer.name
        )

    def _all(self, response: SMTPResponse) -> None:
        for index in range(len(self.recipients)):
            self._one(index, response)

    def _refuse(self, status: str, text: str) -> None:
        self.recipients = [outcome(r, True, status, text, "") for r in self.recipients]
        self.finished = True

    def broke(self, error: Exception) -> None:
        """The connection is gone: whoever has no answer of his own waits."""
        text = f"the connection broke: {clean(str(error)) or type(error).__name__}"
        unanswered = self._taken or [i for i, r in enumerate(self.recipients) if r.pending]
        for index in unanswered:
            if self.recipients[index].pending:
                self.recipients[index] = outcome(
                    self.recipients[index], False, "4.4.2", text, self._peer.name
                )


def _ascii(address: str) -> str:
    """An address with its domain in A-labels, where only the domain needs it."""
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        return address
    with contextlib.suppress(AddressError):
        return str(parse(f"{local}@{idna(domain)}"))
    return address


@dataclass(frozen=True, slots=True)
class Connector:
    """Opens sessions. `verified` is the TLS context for a smart host; other servers are not verified
    (RFC 7435: there is nothing to verify them against)."""

    hostname: str
    verified: ssl.SSLContext
    unverified: ssl.SSLContext
    patience: Patience = Patience()

    @classmethod
    def of(cls, hostname: str) -> "Connector":
        """With contexts of the system's authorities."""
        unverified = ssl.create_default_context()
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE
        return cls(hostname, ssl.create_default_context(), unverified)

    async def connect(self, route: Route) -> Peer:
        """A session with the first host that gives one. Raises Unreachable with the last reason."""
        failure = Unreachable("4.4.1", "no host to connect to", "")
        for endpoint in route.endpoints:
            try:
                return await self._open(endpoint, route)
            except Unreachable as error:
                failure = error
        raise failure

    async def _open(self, endpoint: Endpoint, route: Route) -> Peer:
        if route.security is not Security.OPPORTUNISTIC:
            return await self._try(endpoint, route, route.security)
        try:
            return await self._try(endpoint, route, Security.OPPORTUNISTIC)
        except _TlsFailed as failed:
            _log.info("host=%s TLS failed, going on in plain text: %s", endpoint.name, failed)
            return await self._try(endpoint, route, Security.NONE)

    async def _try(self, endpoint: Endpoint, route: Route, security: Security) -> Peer:
        client = aiosmtplib.SMTP(
            hostname=endpoint.address,
            port=endpoint.port,
            local_hostname=self.hostname,
            timeout=self.patience.connect,
            use_tls=security is Security.IMPLICIT,
            start_tls=False,
            tls_context=self.unverified if security is Security.OPPORTUNISTIC else self.verified,
        )
        try:
            await client.connect()
            await self._greet(client)
            await self._secure(client, endpoint, security)
            if route.user:
                await client.login(route.user, route.password)
        except (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPNotSupported) as error:
            client.close()
            raise Unreachable("4.7.8", f"log-on failed: {error}", endpoint.name) from error
        except aiosmtplib.SMTPResponseException as error:
            # A refusal of the session says nothing about the mail (RFC 5321 3.1): it waits.
            client.close()
            raise Unreachable("4.3.2", f"{error.code} {error.message}", endpoint.name) from error
        except (TimeoutError, SMTPException, OSError, ValueError) as error:
            client.close()
            raise Unreachable("4.4.1", f"cannot connect: {clean(str(error))}", endpoint.name) from error
        except BaseException:
            client.close()
            raise
        return Peer(client, endpoint.name, self.patience)

    async def _greet(self, client: aiosmtplib.SMTP) -> None:
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await client.helo()

    async def _secure(self, client: aiosmtplib.SMTP, endpoint: Endpoint, security: Security) -> None:
        offered = client.supports_extension("starttls")
        if security is Security.STARTTLS:
            await client.starttls(server_hostname=endpoint.name)
        elif security is Security.OPPORTUNISTIC and offered:
            try:
                await client.starttls(server_hostname=None)
            except (TimeoutError, SMTPException, OSError, ValueError) as error:
                client.close()
                raise _TlsFailed(clean(str(error))) from error
        else:
            return
        await client.ehlo()


class _TlsFailed(Exception):
    """Opportunistic TLS did not work."""
