"""SPNEGO: tokens, and log-ons by a client that others wrote."""

import pytest
from hypothesis import strategies as st

from appliance.formats.ntlm import crypto
from appliance.formats.ntlm.client import Account, NtlmClient
from appliance.formats.ntlm.server import Denial, Denied, Identity, Names, NtlmServer
from appliance.formats.spnego import tokens
from appliance.formats.spnego.server import REJECT, SpnegoServer
from appliance.formats.spnego.tokens import HINT, KERBEROS, NTLM, Init, Resp, State, pack, unpack
from appliance.wire.errors import DecodeError
from tests.kit import Codec, Vector, codec_tests

PASSWORD = "a good password"
NOW = 134_000_000_000_000_000
BYTES = st.binary(max_size=300)
MAYBE = st.none() | BYTES
INITS = st.builds(
    Init, st.lists(st.sampled_from([NTLM, KERBEROS]), max_size=3).map(tuple), MAYBE, MAYBE, st.none() | BYTES
)
RESPS = st.builds(Resp, st.none() | st.sampled_from(State), st.none() | st.just(NTLM), MAYBE, MAYBE)
VECTORS = [
    Vector(
        "a browser's first token",
        bytes.fromhex("602806062b0601050502a01e301ca00e300c060a2b06010401823702020aa20a04084e544c4d53535000"),
        Init((NTLM,), b"NTLMSSP\0"),
    ),
    Vector("a refusal", bytes.fromhex("a1073005a0030a0102"), Resp(State.REJECT)),
    Vector("no fields", bytes.fromhex("a1023000"), Resp()),
    Vector("a length in long form", bytes.fromhex("a18103308100"), Resp(), canonical=False),
]
TestTokens = codec_tests(Codec(decode=unpack, encode=pack, values=INITS | RESPS, vectors=VECTORS))


@pytest.mark.parametrize(
    "data",
    [
        "",
        "a1",
        "a180",
        "a1850000000001",
        "0400",
        "a10330010000",
        "a1073005a0030a0104",
        "a1083006a10206 00a00000",
        "a1043002a500",
        "600806062b0601050503",
        "a10630040a010200",
    ],
)
def test_what_is_refused(data: str) -> None:
    with pytest.raises(DecodeError):
        unpack(bytes.fromhex(data))


def test_limits() -> None:
    with pytest.raises(DecodeError):
        unpack(pack(Init((NTLM,) * (tokens.MAX_MECHANISMS + 1))))
    with pytest.raises(DecodeError):
        unpack(pack(Resp(token=bytes(tokens.MAX_TOKEN))))


def test_a_servers_own_first_token() -> None:
    assert unpack(pack(Init((NTLM,), hint=HINT, mic=b"mic"))) == Init((NTLM,), hint=HINT, mic=b"mic")


def lookup(user: str, domain: str) -> bytes | None:
    return crypto.nt_hash(PASSWORD) if user == "alice" else None


def make_server() -> SpnegoServer:
    names = Names("MAIL", "EXAMPLE", "mail.example.test", "example.test")
    return SpnegoServer(NtlmServer(names, challenge=b"12345678", now=NOW, max_lifetime=None), lookup)


def make_client(password: str = PASSWORD) -> NtlmClient:
    account = Account("alice", "EXAMPLE", crypto.nt_hash(password), "LAPTOP")
    return NtlmClient(account, nonce=b"abcdefgh", key=b"k" * 16, now=NOW)


def resp(data: bytes) -> Resp:
    token = unpack(data)
    assert isinstance(token, Resp)
    return token


def test_bare_ntlm() -> None:
    client, server = make_client(), make_server()
    challenge = server.step(client.negotiate()).token
    last = server.step(client.authenticate(challenge))
    assert last.identity is not None
    assert (last.token, last.identity.user) == (b"", "alice")
    with pytest.raises(Denied):
        server.step(client.negotiate())


def test_preferred_mechanism_without_mic() -> None:
    client, server = make_client(), make_server()
    first = resp(server.step(pack(Init((NTLM, KERBEROS), client.negotiate()))).token)
    assert (first.state, first.mechanism) == (State.ACCEPT_INCOMPLETE, NTLM)
    assert first.token is not None
    last = server.step(pack(Resp(token=client.authenticate(first.token))))
    assert last.identity is not None
    assert resp(last.token) == Resp(State.ACCEPT_COMPLETED)


@pytest.mark.parametrize("together", [True, False])
def test_another_mechanism_preferred(together: bool) -> None:
    client, server, listed = make_client(), make_server(), (KERBEROS, NTLM)
    assert resp(server.step(pack(Init(listed, b"a ticket"))).token) == Resp(State.REQUEST_MIC, NTLM)
    challenge = resp(server.step(pack(Resp(token=client.negotiate()))).token).token
    assert challenge is not None
    answer = client.authenticate(challenge)
    assert client.session is not None
    mic = client.session.sign_mechanisms(tokens.mechanism_list(listed))
    last = server.step(pack(Resp(token=answer, mic=mic if together else None)))
    ours = resp(last.token).mic
    if not together:
        assert last.identity is None
        assert resp(last.token).state is State.ACCEPT_INCOMPLETE
        last = server.step(pack(Resp(mic=mic)))
    assert ours is not None
    client.session.verify_mechanisms(tokens.mechanism_list(listed), ours)
    assert resp(last.token).state is State.ACCEPT_COMPLETED
    assert last.identity is not None
    sealed = client.session.seal(b"the first message")
    assert last.identity.session.unseal(*sealed) == b"the first message"


def test_a_list_that_was_changed_on_the_way() -> None:
    client, server = make_client(), make_server()
    server.step(pack(Init((KERBEROS, NTLM), b"")))
    challenge = resp(server.step(pack(Resp(token=client.negotiate()))).token).token
    assert challenge is not None
    answer = client.authenticate(challenge)
    assert client.session is not None
    mic = client.session.sign_mechanisms(tokens.mechanism_list((NTLM,)))
    with pytest.raises(Denied) as caught:
        server.step(pack(Resp(token=answer, mic=mic)))
    assert caught.value.denial is Denial.MIC


def test_order_and_unknown_mechanisms() -> None:
    with pytest.raises(Denied):
        make_server().step(pack(Init((KERBEROS,), b"ticket")))
    with pytest.raises(Denied):
        make_server().step(pack(Resp(token=b"")))
    server = make_server()
    server.step(pack(Init((NTLM,))))
    with pytest.raises(Denied):
        server.step(pack(Resp()))
    assert resp(REJECT).state is State.REJECT


def _pyspnego(password: str, **options: object) -> tuple[Identity, object]:
    spnego = pytest.importorskip("spnego")
    client = spnego.client(
        "EXAMPLE\\alice",
        password,
        hostname="mail.example.test",
        service="http",
        protocol="negotiate",
        options=spnego.NegotiateOptions.use_negotiate,
        **options,
    )
    server, token = make_server(), client.step()
    for _ in range(4):
        reply = server.step(token)
        token = client.step(reply.token) if reply.token else None
        if reply.identity is not None:
            assert client.complete
            return reply.identity, client
    raise AssertionError("no end")


def test_pyspnego() -> None:
    identity, client = _pyspnego(PASSWORD)
    assert identity.user == "alice"
    wrapped = client.wrap(b"hello").data  # type: ignore[attr-defined]
    assert identity.session.unseal(wrapped[16:], wrapped[:16]) == b"hello"
    sealed, signature = identity.session.seal(b"hello back")
    assert client.unwrap(signature + sealed).data == b"hello back"  # type: ignore[attr-defined]
    with pytest.raises(Denied):
        _pyspnego("wrong password")
