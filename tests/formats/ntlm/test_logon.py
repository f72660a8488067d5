"""Log-ons: our client against our server, and what must be refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats.ntlm import crypto
from appliance.formats.ntlm.client import DEFAULT_FLAGS, Account, NtlmClient
from appliance.formats.ntlm.messages import Authenticate, Flag, Negotiate, pack, unpack
from appliance.formats.ntlm.server import MAX_LIFETIME, Denial, Denied, Identity, Names, NtlmServer
from appliance.formats.ntlm.session import BadSignature
from appliance.wire.errors import DecodeError

NOW = 132_000_000_000_000_000
NAMES = Names("MAIL", "EXAMPLE", "mail.example.test", "example.test")
HASH = crypto.nt_hash("Sesam öffne dich")
TOKEN = crypto.server_end_point(b"certificate", "sha256")


def lookup(user: str, domain: str) -> bytes | None:
    return HASH if user.casefold() == "älice" else None


def make_server(**options: object) -> NtlmServer:
    return NtlmServer(NAMES, challenge=b"12345678", now=NOW, **options)  # type: ignore[arg-type]


def make_client(user: str = "älice", domain: str = "EXAMPLE", **options: object) -> NtlmClient:
    account = Account(user, domain, HASH, "LAPTOP")
    return NtlmClient(account, nonce=b"abcdefgh", key=b"k" * 16, now=NOW, **options)  # type: ignore[arg-type]


def log_on(client: NtlmClient, server: NtlmServer) -> Identity:
    return server.finish(client.authenticate(server.start(client.negotiate())), lookup)


def denial(client: NtlmClient, server: NtlmServer) -> Denial:
    with pytest.raises(Denied) as caught:
        log_on(client, server)
    return caught.value.denial


@pytest.mark.parametrize(
    "flags",
    [
        DEFAULT_FLAGS,
        DEFAULT_FLAGS & ~Flag.NEGOTIATE_KEY_EXCH,
        DEFAULT_FLAGS & ~Flag.NEGOTIATE_128,
        DEFAULT_FLAGS & ~(Flag.NEGOTIATE_128 | Flag.NEGOTIATE_56),
    ],
)
def test_log_on_and_session(flags: Flag) -> None:
    client, server = make_client(flags=flags, target_name="IMAP/mail.example.test"), make_server()
    identity = log_on(client, server)
    assert (identity.user, identity.domain, identity.workstation) == ("älice", "EXAMPLE", "LAPTOP")
    assert identity.target_name == "IMAP/mail.example.test"
    assert client.session is not None
    assert identity.session.can_sign
    for _ in range(3):
        assert identity.session.unseal(*client.session.seal(b"to the server")) == b"to the server"
        assert client.session.unseal(*identity.session.seal(b"to the client")) == b"to the client"
        client.session.verify(b"signed", identity.session.sign(b"signed"))
    with pytest.raises(BadSignature):
        identity.session.verify(b"changed", client.session.sign(b"signed"))


def test_without_unicode() -> None:
    flags = DEFAULT_FLAGS & ~Flag.NEGOTIATE_UNICODE
    assert log_on(make_client(flags=flags), make_server()).user == "älice"
    neither = flags & ~Flag.NEGOTIATE_OEM
    assert denial(make_client(flags=neither), make_server()) is Denial.TOKEN


def test_without_signing_no_key_is_exchanged() -> None:
    flags = DEFAULT_FLAGS & ~(Flag.NEGOTIATE_SIGN | Flag.NEGOTIATE_SEAL)
    identity = log_on(make_client(flags=flags), make_server())
    assert not identity.session.can_sign


def test_the_key_without_domain() -> None:
    """Clients that leave the domain out of the response key, as MS-NLMP 3.2.5.1.2 allows for."""
    client, server = make_client(domain=""), make_server()
    answer = unpack(client.authenticate(server.start(client.negotiate())))
    assert isinstance(answer, Authenticate)
    pairs = answer.nt_response[16 + 28 :].find(bytes([6, 0, 4, 0, 2]))
    assert pairs >= 0
    unsigned = bytearray(answer.nt_response[16:])
    unsigned[28 + pairs + 4] = 0  # no MIC, since the message changes
    key = crypto.response_key(HASH, "älice", "")
    proof = crypto.nt_proof(key, b"12345678", bytes(unsigned))
    base = crypto.hmac_md5(key, proof)
    sent = replace(
        answer,
        domain="EXAMPLE".encode("utf-16-le"),
        nt_response=proof + bytes(unsigned),
        session_key=crypto.Rc4(base).apply(b"k" * 16),
    )
    assert server.finish(pack(sent), lookup).domain == "EXAMPLE"


def test_wrong_password_and_unknown_user() -> None:
    wrong = NtlmClient(Account("älice", "", crypto.nt_hash("x")), nonce=bytes(8), key=bytes(16), now=NOW)
    assert denial(wrong, make_server()) is Denial.CREDENTIALS
    assert denial(make_client("bob"), make_server()) is Denial.CREDENTIALS


def test_the_hash_of_nobody_opens_nothing() -> None:
    nobody = NtlmClient(Account("bob", "", bytes(16)), nonce=bytes(8), key=bytes(16), now=NOW)
    assert denial(nobody, make_server()) is Denial.CREDENTIALS


def test_anonymous_and_version_1() -> None:
    server = make_server()
    server.start(make_client().negotiate())
    anonymous = pack(Authenticate(int(DEFAULT_FLAGS), b"\0", b"", b"", b"", b""))
    with pytest.raises(Denied) as caught:
        server.finish(anonymous, lookup)
    assert caught.value.denial is Denial.ANONYMOUS
    v1 = Authenticate(int(DEFAULT_FLAGS), bytes(24), bytes(24), b"", "älice".encode("utf-16-le"), b"")
    with pytest.raises(Denied) as caught:
        server.finish(pack(v1), lookup)
    assert caught.value.denial is Denial.VERSION_1


def _lmv2_only() -> bytes:
    flags = int(Flag.NEGOTIATE_UNICODE | Flag.NEGOTIATE_NTLM)
    lm = crypto.lmv2_response(crypto.response_key(HASH, "älice", "EXAMPLE"), b"12345678", b"clientno")
    return pack(Authenticate(flags, lm, b"", "EXAMPLE".encode("utf-16-le"), "älice".encode("utf-16-le"), b""))


def test_lmv2_alone_only_without_bindings() -> None:
    for options, good in (({}, True), ({"bindings": TOKEN}, False), ({"require_bindings": True}, False)):
        server = make_server(**options)
        server.start(pack(Negotiate(int(Flag.NEGOTIATE_UNICODE))))
        if good:
            assert server.finish(_lmv2_only(), lookup).user == "älice"
        else:
            with pytest.raises(Denied):
                server.finish(_lmv2_only(), lookup)


def test_a_changed_message_fails_its_mic() -> None:
    client, server = make_client(), make_server()
    raw = client.authenticate(server.start(client.negotiate()))
    changed = raw.replace("LAPTOP".encode("utf-16-le"), "TABLET".encode("utf-16-le"))
    with pytest.raises(Denied) as caught:
        server.finish(changed, lookup)
    assert caught.value.denial is Denial.MIC
    answer = unpack(raw)
    assert isinstance(answer, Authenticate)
    with pytest.raises(Denied) as caught:
        server.finish(pack(replace(answer, mic=None)), lookup)
    assert caught.value.denial is Denial.MIC


def test_channel_bindings() -> None:
    good, other = TOKEN, crypto.server_end_point(b"of a man in the middle", "sha256")
    assert log_on(make_client(bindings=good), make_server(bindings=good)).user == "älice"
    assert log_on(make_client(), make_server(bindings=good)).user == "älice"
    assert log_on(make_client(bindings=good), make_server()).user == "älice"
    assert denial(make_client(bindings=other), make_server(bindings=good)) is Denial.BINDINGS
    strict = make_server(bindings=good, require_bindings=True)
    assert denial(make_client(), strict) is Denial.BINDINGS


def test_time() -> None:
    def attempt(offset: int, limit: int | None) -> Identity:
        client = NtlmClient(Account("älice", "", HASH), nonce=bytes(8), key=bytes(16), now=NOW)
        server = make_server(max_lifetime=limit)
        challenge = server.start(client.negotiate())
        server._now += offset
        return server.finish(client.authenticate(challenge), lookup)

    assert attempt(MAX_LIFETIME, MAX_LIFETIME).user == "älice"
    assert attempt(MAX_LIFETIME + 1, None).user == "älice"
    with pytest.raises(Denied) as caught:
        attempt(-MAX_LIFETIME - 1, MAX_LIFETIME)
    assert caught.value.denial is Denial.TIME


def test_order() -> None:
    client, server = make_client(), make_server()
    negotiate = client.negotiate()
    challenge = server.start(negotiate)
    answer = client.authenticate(challenge)
    for attempt in (lambda: server.start(negotiate), lambda: make_server().start(answer)):
        with pytest.raises(Denied):
            attempt()
    with pytest.raises(Denied):
        make_server().finish(answer, lookup)
    with pytest.raises(DecodeError):
        client.authenticate(negotiate)


@given(st.data())
def test_changed_bytes_never_log_on_as_another(data: st.DataObject) -> None:
    client, server = make_client(), make_server()
    raw = bytearray(client.authenticate(server.start(client.negotiate())))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        identity = server.finish(bytes(raw), lookup)
    except (Denied, DecodeError):
        return
    assert identity.user.casefold() == "älice"
