"""Logging on: passwords, SASL mechanisms, delegators, blocked addresses."""

from dataclasses import replace

import pytest

from appliance.directory import authenticate, credentials, entries, links, sasl
from appliance.directory.authenticate import Authenticator, Failure, Login, Reason
from appliance.directory.links import Link
from appliance.directory.model import Entry, Kind, Protocol, Right
from appliance.directory.sasl import Challenge, Context
from appliance.directory.throttle import BLOCK_AFTER
from appliance.formats.ntlm import crypto
from appliance.formats.ntlm.client import Account, NtlmClient
from tests.directory.conftest import Directory

PASSWORD = "pass wörd"
SECRET = credentials.prepare(PASSWORD, salt=b"0123456789abcdef", now=0)
PEER = "192.0.2.1"


class Office:
    """alice, bob (whose delegate alice is) and carol; the clock stands still."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.now = 1000.0
        self.alice = self.add("alice@example.test", aliases=("al@bücher.example",))
        self.bob = self.add("bob@example.test")
        self.carol = self.add("carol@example.test")
        directory.write(lambda txn: links.add(txn, Link.DELEGATE, self.bob.id, self.alice.id))
        self.authenticator = Authenticator(directory.store, clock=lambda: self.now, key=bytes(32))

    def add(self, address: str, **fields: object) -> Entry:
        entry = self.directory.add(address, **fields)  # type: ignore[arg-type]
        self.directory.write(lambda txn: credentials.put(txn, entry.id, SECRET))
        return entry

    def change(self, entry: Entry, **fields: object) -> Entry:
        changed = replace(entry, **fields)  # type: ignore[arg-type]
        return self.directory.write(lambda txn: entries.update(txn, changed))

    def context(self, *, secure: bool = True, bindings: bytes | None = None) -> Context:
        return Context(self.authenticator, Protocol.IMAP, PEER, secure, b"12345678", 0, bindings)

    def verify(self, name: str, password: str = PASSWORD, owner: str = "") -> Login | Failure:
        return self.authenticator.verify_password(
            name, password, peer=PEER, protocol=Protocol.IMAP, owner=owner
        )

    def talk(self, mechanism: str, *responses: bytes | None) -> sasl.Step:
        begun = sasl.begin(mechanism, self.context())
        assert begun is not None
        assert not isinstance(begun, Failure)
        step: sasl.Step = Challenge(b"")
        for response in responses:
            assert isinstance(step, Challenge)
            step = begun.step(response)
        return step


@pytest.fixture
def office(directory: Directory) -> Office:
    return Office(directory)


@pytest.mark.parametrize(
    "name",
    [
        "alice@example.test",
        "ALICE",
        "al@BÜCHER.example",
        "EXAMPLE\\alice",
        "example.test\\alice",
        "example.test/alice",
        "example/alice",
    ],
)
def test_names(office: Office, name: str) -> None:
    assert office.verify(name) == Login(office.alice, office.alice)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("example/alice/bob", ""),
        ("alice@example.test/bob", ""),
        ("alice@example.test/bob@example.test", ""),
        ("EXAMPLE\\alice/bob", ""),
        ("alice", "bob@example.test"),
    ],
)
def test_a_delegators_mailbox(office: Office, name: str, owner: str) -> None:
    assert office.verify(name, owner=owner) == Login(office.alice, office.bob)


def test_nobody_elses_mailbox(office: Office) -> None:
    for name in ("example/alice/carol", "alice@example.test/nobody"):
        assert isinstance(office.verify(name), Failure)
    refused = office.verify("alice@example.test/carol")
    assert isinstance(refused, Failure)
    assert refused.reason is Reason.NO_DELEGATE
    office.change(office.alice, rights=Right.IMPERSONATION)
    assert isinstance(office.verify("alice@example.test/carol"), Login)


def test_wrong_passwords_block_the_address_not_the_account(office: Office) -> None:
    for number in range(BLOCK_AFTER):
        failure = office.verify("alice@example.test", f"guess number {number}")
        assert isinstance(failure, Failure)
        assert failure.reason is Reason.CREDENTIALS
    blocked = office.verify("alice@example.test")
    assert isinstance(blocked, Failure)
    assert blocked.reason is Reason.BLOCKED
    elsewhere = office.authenticator.verify_password(
        "alice", PASSWORD, peer="192.0.2.2", protocol=Protocol.IMAP
    )
    assert elsewhere == Login(office.alice, office.alice)


def test_accounts_and_protocols_switched_off(office: Office) -> None:
    office.change(office.alice, disabled_protocols=frozenset({Protocol.IMAP}))
    office.change(office.bob, enabled=False)
    for name, reason in (("alice", Reason.PROTOCOL), ("bob", Reason.DISABLED)):
        failure = office.verify(name)
        assert isinstance(failure, Failure)
        assert failure.reason is reason
    office.directory.add("staff@example.test", Kind.GROUP)
    failure = office.verify("staff@example.test")
    assert isinstance(failure, Failure)
    assert failure.reason is Reason.CREDENTIALS


def test_a_success_is_remembered_until_the_password_changes(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []
    original = credentials.verify

    def counting(secret: credentials.Secret | None, password: str) -> bool:
        computed.append(password)
        return original(secret, password)

    monkeypatch.setattr(credentials, "verify", counting)
    for _ in range(3):
        assert isinstance(office.verify("alice"), Login)
    assert isinstance(office.verify("ALICE@example.test"), Login)
    assert computed == [PASSWORD]
    office.now += authenticate.REMEMBER_SECONDS + 1
    assert isinstance(office.verify("alice"), Login)
    assert computed == [PASSWORD] * 2
    other = credentials.prepare("another password", salt=b"fedcba9876543210", now=0)
    office.directory.write(lambda txn: credentials.put(txn, office.alice.id, other))
    assert isinstance(office.verify("alice"), Failure)
    assert isinstance(office.verify("nobody"), Failure)
    assert len(computed) == 4, "an unknown name costs as much as a wrong password"


def test_plain(office: Office) -> None:
    response = f"\0alice@example.test\0{PASSWORD}".encode()
    assert office.talk("PLAIN", response) == Login(office.alice, office.alice)
    assert office.talk("plain", None, response) == Login(office.alice, office.alice)
    delegated = f"bob@example.test\0alice@example.test\0{PASSWORD}".encode()
    assert office.talk("PLAIN", delegated) == Login(office.alice, office.bob)


@pytest.mark.parametrize(
    "response", [b"", b"a\0b", b"a\0b\0c\0d", b"\0\0x", b"\0x\0", b"\0\xff\0x", b"\0a\0" + b"x" * 13000]
)
def test_plain_malformed(office: Office, response: bytes) -> None:
    assert office.talk("PLAIN", response) == Failure(Reason.MALFORMED)


def test_login(office: Office) -> None:
    assert office.talk("LOGIN", None) == Challenge(b"Username:")
    assert office.talk("LOGIN", None, b"alice") == Challenge(b"Password:")
    assert office.talk("LOGIN", None, b"alice", PASSWORD.encode()) == Login(office.alice, office.alice)
    assert office.talk("LOGIN", b"alice", PASSWORD.encode()) == Login(office.alice, office.alice)
    assert office.talk("LOGIN", b"") == Failure(Reason.MALFORMED)
    assert office.talk("LOGIN", b"alice", b"\xff") == Failure(Reason.MALFORMED)
    wrong = office.talk("LOGIN", b"alice", b"wrong")
    assert isinstance(wrong, Failure)
    assert wrong.reason is Reason.CREDENTIALS


def _ntlm(office: Office, user: str, domain: str, password: str = PASSWORD) -> sasl.Step:
    account = Account(user, domain, crypto.nt_hash(password), "LAPTOP")
    client = NtlmClient(account, nonce=b"abcdefgh", key=b"k" * 16, now=0)
    begun = sasl.begin("NTLM", office.context())
    assert begun is not None
    assert not isinstance(begun, Failure)
    assert begun.step(None) == Challenge(b"")
    challenge = begun.step(client.negotiate())
    assert isinstance(challenge, Challenge)
    return begun.step(client.authenticate(challenge.data))


@pytest.mark.parametrize(
    ("user", "domain"),
    [("alice", "EXAMPLE"), ("ALICE", ""), ("alice@example.test", ""), ("al", "bücher.example")],
)
def test_ntlm(office: Office, user: str, domain: str) -> None:
    assert _ntlm(office, user, domain) == Login(office.alice, office.alice)


def test_ntlm_failures(office: Office) -> None:
    for user, password in (("alice", "wrong"), ("nobody", PASSWORD)):
        failure = _ntlm(office, user, "", password)
        assert isinstance(failure, Failure)
        assert failure.reason is Reason.CREDENTIALS
        assert failure.name == user
    assert office.talk("NTLM", b"no NTLM") == Failure(Reason.MALFORMED)
    office.change(office.bob, enabled=False)
    disabled = _ntlm(office, "bob", "")
    assert isinstance(disabled, Failure)
    assert disabled.reason is Reason.DISABLED
    for number in range(BLOCK_AFTER - 2):
        assert isinstance(_ntlm(office, "alice", "", f"wrong {number}"), Failure)
    begun = sasl.begin("NTLM", office.context())
    assert begun is not None
    assert not isinstance(begun, Failure)
    blocked = begun.step(b"")
    assert isinstance(blocked, Failure)
    assert blocked.reason is Reason.BLOCKED


def test_what_is_offered(office: Office) -> None:
    assert list(sasl.offered(office.context())) == ["NTLM", "PLAIN", "LOGIN"]
    assert list(sasl.offered(office.context(secure=False))) == ["NTLM"]
    assert sasl.begin("PLAIN", office.context(secure=False)) == Failure(Reason.NEEDS_TLS)
    assert sasl.begin("SCRAM-SHA-1", office.context()) is None
    office.directory.write(lambda txn: credentials.set_ntlm(txn, False))
    assert list(sasl.offered(office.context())) == ["PLAIN", "LOGIN"]
    assert sasl.begin("NTLM", office.context()) is None
    assert office.authenticator.nt_hash("alice", "") is None


def test_names_of_the_server(office: Office) -> None:
    with office.directory.store.read() as txn:
        names = sasl.server_names(sasl.domains.get(txn))
    assert names == sasl.Names("MAIL", "EXAMPLE", "mail.example.test", "example.test")
