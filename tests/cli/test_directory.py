"""The commands of the directory: user, alias, room, equipment, contact, group, delegate, right."""

import io
import subprocess
from pathlib import Path

import pytest

from appliance.directory import credentials, entries
from appliance.store.check import Extra, check
from appliance.store.store import Store
from tests.cli.conftest import Cli


@pytest.fixture
def office(cli: Cli) -> Cli:
    """alice and bob."""
    cli.ok("user", "add", "alice@example.test", "--name", "Alice Example", "--password", "a good password")
    cli.ok("user", "add", "bob@example.test", "--manager", "alice@example.test", "--title", "Clerk")
    return cli


@pytest.fixture(autouse=True)
def _sound(bare: Cli) -> object:
    yield
    if (bare.data / "store.lmdb").exists():
        store = Store.open(bare.data)
        try:
            assert check(store, [Extra("directory", entries.check)]) == []
        finally:
            store.close()


def _password_fits(cli: Cli, address: str, password: str) -> bool:
    store = Store.open(cli.data)
    try:
        with store.read() as txn:
            return credentials.verify(credentials.get(txn, entries.need(txn, address).id), password)
    finally:
        store.close()


def test_add_show_list(office: Cli) -> None:
    shown = office.json("user", "show", "ALICE@example.test")
    assert (shown["address"], shown["name"], shown["enabled"]) == (
        "alice@example.test",
        "Alice Example",
        True,
    )
    assert shown["legacy_dn"].startswith(
        "/o=Example Ltd/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn="
    )
    assert len(shown["mailbox_guid"]) == 36
    bob = office.json("user", "show", "bob@example.test")
    assert (bob["manager"], bob["title"], bob["name"]) == ("alice@example.test", "Clerk", "bob")
    assert [row["address"] for row in office.json("user", "list")] == [
        "alice@example.test",
        "bob@example.test",
    ]
    assert "legacy dn" in office.ok("user", "show", "alice@example.test")
    assert _password_fits(office, "alice@example.test", "a good password")


def test_refusals(office: Cli) -> None:
    assert "taken" in office.refused("user", "add", "ALICE@example.test")
    assert "outside" in office.refused("user", "add", "x@elsewhere.test")
    assert "no e-mail address" in office.refused("user", "add", "nonsense")
    assert "unknown" in office.refused("user", "show", "nobody@example.test")
    assert "unknown" in office.refused(
        "user", "add", "carol@example.test", "--manager", "nobody@example.test"
    )
    assert "characters" in office.refused("user", "add", "carol@example.test", "--password", "x" * 257)
    assert [row["address"] for row in office.json("user", "list")] == [
        "alice@example.test",
        "bob@example.test",
    ]


def test_passwords(office: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("pässword from stdin\n"))
    office.ok("user", "passwd", "bob@example.test", "--password-stdin")
    assert _password_fits(office, "bob@example.test", "pässword from stdin")
    monkeypatch.setattr("sys.stdin", io.StringIO("another password\n"))
    office.ok("user", "add", "carol@example.test", "--password-stdin")
    assert _password_fits(office, "carol@example.test", "another password")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert office.run("user", "passwd", "bob@example.test")[0] == 2


def test_set(office: Cli, tmp_path: Path) -> None:
    before = office.json("user", "show", "bob@example.test")
    office.ok(
        "user",
        "set",
        "bob@example.test",
        "--name",
        "Bob",
        "--title",
        "",
        "--mobile",
        "+1 555",
        "--manager",
        "",
    )
    office.ok("user", "set", "bob@example.test", "--legacy-dn", "/o=Old/ou=Site/cn=Recipients/cn=bob")
    shown = office.json("user", "show", "bob@example.test")
    assert (shown["name"], shown["mobile"], shown["x500"]) == ("Bob", "+1 555", [before["legacy_dn"]])
    assert "title" not in shown
    assert "manager" not in shown
    office.ok("user", "set", "bob@example.test", "--address", "robert@example.test")
    assert office.json("user", "show", "bob@example.test")["address"] == "robert@example.test"
    photo = tmp_path / "photo"
    photo.write_bytes(b"\xff\xd8\xff\xe0 JPEG")
    office.ok("user", "set", "bob@example.test", "--photo", str(photo))
    assert office.json("user", "show", "bob@example.test")["photo"] == "9 bytes"
    photo.write_bytes(b"GIF89a")
    assert "neither JPEG nor PNG" in office.refused("user", "set", "bob@example.test", "--photo", str(photo))


def test_certificate(office: Cli, tmp_path: Path) -> None:
    path = office.data / "tls" / "cert.pem"
    office.ok("user", "set", "bob@example.test", "--certificate", str(path))
    assert "bytes" in office.json("user", "show", "bob@example.test")["certificate"]
    (tmp_path / "no").write_bytes(b"nonsense")
    assert "no X.509" in office.refused(
        "user", "set", "bob@example.test", "--certificate", str(tmp_path / "no")
    )
    assert office.run("user", "set", "bob@example.test", "--photo", str(tmp_path / "absent"))[0] == 1


def test_disable_protocol_delete(office: Cli) -> None:
    office.ok("user", "disable", "bob@example.test")
    office.ok("user", "protocol", "bob@example.test", "imap", "off")
    shown = office.json("user", "show", "bob@example.test")
    assert (shown["enabled"], shown["protocols_off"]) == (False, ["imap"])
    office.ok("user", "enable", "bob@example.test")
    office.ok("user", "protocol", "bob@example.test", "imap", "on")
    shown = office.json("user", "show", "bob@example.test")
    assert (shown["enabled"], shown["protocols_off"]) == (True, [])
    assert office.run("user", "protocol", "bob@example.test", "telepathy", "on")[0] == 2
    office.ok("user", "del", "alice@example.test")
    assert "unknown" in office.refused("user", "show", "alice@example.test")
    assert "manager" not in office.json("user", "show", "bob@example.test")


def test_aliases(office: Cli) -> None:
    office.ok("alias", "add", "alice@example.test", "sales@example.test")
    assert "already" in office.refused("alias", "add", "alice@example.test", "SALES@example.test")
    assert "taken" in office.refused("alias", "add", "bob@example.test", "sales@example.test")
    assert "outside" in office.refused("alias", "add", "bob@example.test", "sales@elsewhere.test")
    expected = [{"address": "alice@example.test", "alias": "sales@example.test"}]
    assert office.json("alias", "list") == office.json("alias", "list", "sales@example.test") == expected
    office.ok("alias", "del", "alice@example.test", "sales@example.test")
    assert "no alias" in office.refused("alias", "del", "alice@example.test", "sales@example.test")


def test_rooms_equipment_contacts(office: Cli) -> None:
    office.ok(
        "room", "add", "den@example.test", "--name", "The Den", "--capacity", "8", "--office", "2nd floor"
    )
    office.ok("equipment", "add", "beamer@example.test")
    office.ok("contact", "add", "carol@elsewhere.test", "--name", "Carol", "--company", "Elsewhere")
    assert [row["name"] for row in office.json("room", "list")] == ["The Den"]
    assert office.json("room", "show", "den@example.test")["office"] == "2nd floor"
    assert "mailbox" not in office.json("contact", "show", "carol@elsewhere.test")
    assert "inside" in office.refused("contact", "add", "carol@example.test")
    assert "is a room" in office.refused("user", "show", "den@example.test")
    office.ok("room", "set", "den@example.test", "--capacity", "4")
    for kind, address in (("room", "den"), ("equipment", "beamer")):
        office.ok(kind, "del", f"{address}@example.test")
    office.ok("contact", "del", "carol@elsewhere.test")
    assert office.json("contact", "list") == []


def test_groups(office: Cli) -> None:
    office.ok("group", "add", "staff@example.test", "--name", "Staff", "--managed-by", "bob@example.test")
    office.ok("group", "add", "all@example.test")
    office.ok("group", "member-add", "all@example.test", "staff@example.test")
    office.ok("group", "member-add", "staff@example.test", "alice@example.test")
    assert "already" in office.refused("group", "member-add", "staff@example.test", "alice@example.test")
    assert "within itself" in office.refused("group", "member-add", "staff@example.test", "all@example.test")
    assert "is a user" in office.refused("group", "member-add", "bob@example.test", "alice@example.test")
    shown = office.json("group", "show", "staff@example.test")
    assert (shown["members"], shown["managed_by"]) == (["alice@example.test"], ["bob@example.test"])
    assert office.json("user", "show", "alice@example.test")["groups"] == ["staff@example.test"]
    office.ok("group", "member-del", "staff@example.test", "alice@example.test")
    assert "no member" in office.refused("group", "member-del", "staff@example.test", "alice@example.test")
    office.ok("group", "add", "clerks@example.test", "--dynamic", "title=clerk")
    assert office.json("group", "show", "clerks@example.test")["members"] == ["bob@example.test"]
    assert "no attribute" in office.refused("group", "add", "x@example.test", "--dynamic", "shoe=42")
    office.ok(
        "group", "set", "staff@example.test", "--senders", "internal", "--managed-by", "alice@example.test"
    )
    shown = office.json("group", "show", "staff@example.test")
    assert (shown["senders"], shown["managed_by"]) == ("internal", ["alice@example.test"])
    assert "unknown" in office.refused(
        "group", "add", "y@example.test", "--managed-by", "nobody@example.test"
    )
    assert len(office.json("group", "list")) == 3
    office.ok("group", "del", "staff@example.test")
    assert len(office.json("group", "list")) == 2


def test_delegates(office: Cli) -> None:
    add = ("delegate", "add", "alice@example.test", "bob@example.test")
    office.ok(*add, "--calendar", "editor", "--send-on-behalf")
    row = office.json("delegate", "list", "alice@example.test")[0]
    assert (row["delegate"], row["send_on_behalf"], row["send_as"]) == ("bob@example.test", True, False)
    assert (row["calendar"], row["inbox"]) == ("editor", None)
    assert office.run(*add, "--calendar", "emperor")[0] == 1
    assert "itself" in office.refused("delegate", "add", "alice@example.test", "alice@example.test")
    office.ok("delegate", "del", "alice@example.test", "bob@example.test")
    assert office.json("delegate", "list", "alice@example.test") == []
    assert "no delegate" in office.refused("delegate", "del", "alice@example.test", "bob@example.test")


def test_rights(office: Cli) -> None:
    office.ok("right", "add", "alice@example.test", "organization-management")
    assert "already" in office.refused("right", "add", "alice@example.test", "organization-management")
    assert office.json("right", "list") == [
        {"address": "alice@example.test", "right": "organization-management"}
    ]
    office.ok("right", "del", "alice@example.test", "organization-management")
    assert "no such" in office.refused("right", "del", "alice@example.test", "organization-management")
    assert office.run("right", "add", "alice@example.test", "omnipotence")[0] == 2


def test_a_killed_removal_is_begun_again(office: Cli) -> None:
    from appliance.directory import accounts

    store = Store.open(office.data)
    store.write(lambda txn: accounts.begin_removal(txn, entries.need(txn, "bob@example.test"))).result()
    store.close()
    office.ok("user", "del", "bob@example.test")
    assert "unknown" in office.refused("user", "show", "bob@example.test")


def test_secrets_are_not_in_the_store_file(office: Cli) -> None:
    done = subprocess.run(["grep", "-c", "a good password", office.data / "store.lmdb"], capture_output=True)
    assert done.returncode == 1


def test_switching_ntlm_off_deletes_the_hashes(office: Cli) -> None:
    def has_hash() -> bool:
        store = Store.open(office.data)
        try:
            with store.read() as txn:
                secret = credentials.get(txn, entries.need(txn, "alice@example.test").id)
        finally:
            store.close()
        assert secret is not None
        return bool(secret.nt)

    assert has_hash()
    office.ok("setting", "set", "auth.ntlm", "off")
    assert not has_hash()
    office.ok("user", "passwd", "alice@example.test", "--password", "a new password")
    assert not has_hash()
    office.ok("setting", "set", "auth.ntlm", "default")
    office.ok("user", "passwd", "alice@example.test", "--password", "a new password")
    assert has_hash()
