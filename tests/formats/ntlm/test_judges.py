"""Clients that others wrote log on to our server."""

import base64
import warnings

import pytest

from appliance.formats.ntlm import crypto
from appliance.formats.ntlm.messages import Authenticate, unpack
from appliance.formats.ntlm.server import Denied, Identity, Names, NtlmServer

NAMES = Names("MAIL", "EXAMPLE", "mail.example.test", "example.test")
PASSWORD = "Pässword-2"
NOW = 134_000_000_000_000_000


def lookup(user: str, domain: str) -> bytes | None:
    return crypto.nt_hash(PASSWORD) if user.casefold() == "alice" else None


def make_server(**options: object) -> NtlmServer:
    return NtlmServer(NAMES, challenge=b"\x01\x02\x03\x04\x05\x06\x07\x08", now=NOW, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("domain", ["EXAMPLE", "", "example.test"])
def test_impacket(domain: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ntlm = pytest.importorskip("impacket.ntlm")
    server = make_server()
    first = ntlm.getNTLMSSPType1("LAPTOP", domain, True, use_ntlmv2=True)
    challenge = server.start(first.getData())
    third, _ = ntlm.getNTLMSSPType3(first, challenge, "alice", PASSWORD, domain, use_ntlmv2=True)
    identity = server.finish(third.getData(), lookup)
    assert identity.user == "alice"
    wrong, _ = ntlm.getNTLMSSPType3(first, challenge, "alice", "no", domain, use_ntlmv2=True)
    with pytest.raises(Denied):
        server.finish(wrong.getData(), lookup)


def test_impacket_version_1_is_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ntlm = pytest.importorskip("impacket.ntlm")
    server = make_server()
    first = ntlm.getNTLMSSPType1("LAPTOP", "EXAMPLE", True, use_ntlmv2=False)
    challenge = server.start(first.getData())
    third, _ = ntlm.getNTLMSSPType3(first, challenge, "alice", PASSWORD, "EXAMPLE", use_ntlmv2=False)
    with pytest.raises(Denied):
        server.finish(third.getData(), lookup)


def _ntlm_auth(server: NtlmServer, password: str, certificate_hash: str | None = None) -> Identity:
    """The password goes in as "LM hash:NT hash", because the package needs OpenSSL's MD4 otherwise."""
    hashes = f"{'0' * 32}:{crypto.nt_hash(password).hex()}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("ntlm_auth.ntlm")
        context = package.Ntlm(ntlm_compatibility=3)
        first = base64.b64decode(context.create_negotiate_message("EXAMPLE", "LAPTOP"))
        context.parse_challenge_message(base64.b64encode(server.start(first)))
        third = context.create_authenticate_message(
            "alice", hashes, "EXAMPLE", "LAPTOP", server_certificate_hash=certificate_hash
        )
    return server.finish(base64.b64decode(third), lookup)


def test_ntlm_auth_with_channel_bindings() -> None:
    digest = crypto.server_end_point(b"certificate", "sha256").rpartition(b":")[2].hex().upper()
    bound = make_server(bindings=crypto.server_end_point(b"certificate", "sha256"), require_bindings=True)
    assert _ntlm_auth(make_server(), PASSWORD).user == "alice"
    assert _ntlm_auth(bound, PASSWORD, digest).user == "alice"
    other = make_server(bindings=crypto.server_end_point(b"another", "sha256"))
    with pytest.raises(Denied):
        _ntlm_auth(other, PASSWORD, digest)
    with pytest.raises(Denied):
        _ntlm_auth(make_server(), "wrong")


def test_pyspnego_signs_and_seals_with_us() -> None:
    spnego = pytest.importorskip("spnego")
    options = spnego.NegotiateOptions.use_ntlm
    client = spnego.client(
        "EXAMPLE\\alice",
        PASSWORD,
        hostname="mail.example.test",
        service="imap",
        protocol="ntlm",
        options=options,
    )
    server = make_server(max_lifetime=None)
    identity = server.finish(client.step(server.start(client.step())), lookup)
    assert (identity.user, identity.domain) == ("alice", "EXAMPLE")
    assert identity.target_name.lower() == "imap/mail.example.test"
    assert identity.session.exported_key == client.session_key
    wrapped = client.wrap(b"from the client").data
    assert identity.session.unseal(wrapped[16:], wrapped[:16]) == b"from the client"
    sealed, signature = identity.session.seal(b"from the server")
    assert client.unwrap(signature + sealed).data == b"from the server"
    client.verify(b"signed", identity.session.sign(b"signed"))


def test_our_client_at_a_foreign_server(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    spnego = pytest.importorskip("spnego")
    from pathlib import Path

    from appliance.formats.ntlm.client import Account, NtlmClient

    users = Path(str(tmp_path)) / "users"
    users.write_text(f"EXAMPLE:alice:{PASSWORD}\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))
    server = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    account = Account("alice", "EXAMPLE", crypto.nt_hash(PASSWORD), "LAPTOP")
    client = NtlmClient(account, nonce=b"abcdefgh", key=b"k" * 16, now=NOW)
    challenge = server.step(client.negotiate())
    answer = client.authenticate(challenge)
    assert isinstance(unpack(answer), Authenticate)
    server.step(answer)
    assert server.complete
    assert client.session is not None
    assert server.session_key == client.session.exported_key


def test_impacket_with_version_1_where_nobody_listens() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ntlm = pytest.importorskip("impacket.ntlm")
    first = ntlm.getNTLMSSPType1("LAPTOP", "", True, use_ntlmv2=False)
    for allowed, password in ((True, PASSWORD), (True, "no"), (False, PASSWORD)):
        server = make_server(allow_v1=allowed)
        challenge = server.start(first.getData())
        third, _ = ntlm.getNTLMSSPType3(first, challenge, "alice", password, "", use_ntlmv2=False)
        if allowed and password == PASSWORD:
            assert server.finish(third.getData(), lookup).user == "alice"
        else:
            with pytest.raises(Denied):
                server.finish(third.getData(), lookup)
