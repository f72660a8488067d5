"""Log-ons under the fuzzer: NTLM and SPNEGO messages, both as codecs and at the state machines."""

from collections.abc import Iterable

from appliance.directory import addresses, filters
from appliance.directory.model import Entry, Kind
from appliance.formats.ntlm import crypto, messages
from appliance.formats.ntlm.client import Account, NtlmClient
from appliance.formats.ntlm.messages import Flag, Negotiate
from appliance.formats.ntlm.server import Denied, Names, NtlmServer
from appliance.formats.spnego import tokens
from appliance.formats.spnego.server import SpnegoServer
from appliance.formats.spnego.tokens import KERBEROS, NTLM, Init, Resp, State
from appliance.wire.errors import DecodeError
from tests.fuzz.runner import Target

_HASH = crypto.nt_hash("password")
_ENTRY = Entry(16, Kind.USER, "a@example.test", "A", "/cn=a", bytes(16))


def _server() -> NtlmServer:
    names = Names("MAIL", "EXAMPLE", "mail.example.test", "example.test")
    return NtlmServer(names, challenge=b"12345678", now=1)


def _client() -> NtlmClient:
    return NtlmClient(Account("alice", "EXAMPLE", _HASH, "HOST"), nonce=b"abcdefgh", key=b"k" * 16, now=1)


def _lookup(user: str, domain: str) -> bytes | None:
    return _HASH if user == "alice" else None


def _stable(data: bytes) -> None:
    """What is accepted is packed and read to the same message."""
    message = messages.unpack(data)
    assert messages.unpack(messages.pack(message)) == message


def _messages() -> Iterable[bytes]:
    client = _client()
    challenge = _server().start(client.negotiate())
    yield from (client.negotiate(), challenge, client.authenticate(challenge))
    yield messages.pack(Negotiate(int(Flag.NEGOTIATE_OEM), b"DOMAIN", b"HOST"))


def _log_on(data: bytes) -> None:
    """Only who knows the hash is let in."""
    server = _server()
    server.start(_client().negotiate())
    assert server.finish(data, _lookup).user == "alice"


def _answers() -> Iterable[bytes]:
    client = _client()
    yield client.authenticate(_server().start(client.negotiate()))


def _stable_token(data: bytes) -> None:
    token = tokens.unpack(data)
    assert tokens.unpack(tokens.pack(token)) == token


def _tokens() -> Iterable[bytes]:
    negotiate = _client().negotiate()
    yield tokens.pack(Init((NTLM, KERBEROS), negotiate))
    yield tokens.pack(Init((KERBEROS, NTLM), b"ticket", b"mic"))
    yield tokens.pack(Init((NTLM,), hint=tokens.HINT))
    yield tokens.pack(Resp(State.ACCEPT_INCOMPLETE, NTLM, negotiate, b"mic"))
    yield negotiate


def _negotiate(data: bytes) -> None:
    """One token, and the same again."""
    server = SpnegoServer(_server(), _lookup)
    server.step(data)
    server.step(data)


def _parse_address(data: bytes) -> None:
    address = addresses.parse(data.decode("utf-8", "replace"))
    assert addresses.parse(str(address)) == address


def _parse_filter(data: bytes) -> None:
    filters.parse(data.decode("utf-8", "replace"))(_ENTRY)


DIRECTORY_TARGETS = (
    Target("ntlm", _stable, _messages),
    Target("ntlm-server", _log_on, _answers, (DecodeError, Denied)),
    Target("spnego", _stable_token, _tokens),
    Target("spnego-server", _negotiate, _tokens, (DecodeError, Denied)),
    Target(
        "address", _parse_address, lambda: (b"a+b@example.test", b'"a b"@x.test'), (addresses.BadAddress,)
    ),
    Target("filter", _parse_filter, lambda: (b"(&(kind=user)(!(title=a*b)))",), (filters.BadFilter,)),
)
