"""Export, import, backup, restore from the command line."""

import mailbox as standard
import zipfile
from pathlib import Path

import pytest

from appliance.directory import entries
from appliance.mailbox import folders, items
from appliance.mailbox.actor import Actor
from appliance.store import contents
from appliance.store.check import check
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from tests.cli.conftest import Cli
from tests.conftest import EPOCH

MAIL = "From: Bob <bob@example.test>\nSubject: Number {}\nMessage-ID: <{}@example.test>\n\nFrom here on\n"


@pytest.fixture
def office(cli: Cli, tmp_path: Path) -> Cli:
    """Alice with twenty messages, brought in as an mbox, a Maildir and a file."""
    cli.ok("user", "add", "alice@example.test", "--name", "Alice", "--password", "secret-1")
    box = standard.mbox(tmp_path / "in.mbox", create=True)
    for number in range(10):
        box.add(MAIL.format(number, number).encode())
    box.close()
    maildir = standard.Maildir(tmp_path / "Maildir", create=True)
    for number in range(10, 19):
        message = standard.MaildirMessage(MAIL.format(number, number).encode())
        message.set_flags("FS")
        message.set_subdir("cur")
        maildir.add(message)
    (tmp_path / "one.eml").write_text(MAIL.format(19, 19))
    for name in ("in.mbox", "Maildir", "one.eml"):
        code, _, err = cli.run("import", "alice@example.test", str(tmp_path / name), "--folder", "In/Box")
        assert code == 0, err
    return cli


def subjects(data: Path) -> dict[str, tuple[str, ...]]:
    store = Store.open(data)
    try:
        assert check(store) == []
        with store.read() as txn:
            entry = entries.need(txn, "alice@example.test")
            found: dict[str, tuple[str, ...]] = {}

            actor = Actor(entry.id, entry.mailbox)
            for listed in folders.list_folders(txn, actor, entry.mailbox):
                rows = contents.rows(txn, entry.mailbox, listed.folder.fid)
                states = tuple(sorted(f"{row.email_id}:{row.flags}" for row in rows))
                if states:
                    found["/".join(listed.path)] = states
            return found
    finally:
        store.close()


def test_export_comes_back_in_another_office(office: Cli, tmp_path: Path) -> None:
    code, _, err = office.run("export", "alice@example.test", str(tmp_path / "out.mbox"))
    assert (code, err) == (0, "20 messages\n")
    box = standard.mbox(tmp_path / "out.mbox")
    assert sorted(message["subject"] for message in box) == sorted(f"Number {n}" for n in range(20))
    assert {message["x-satchel-folder"] for message in box} == {"In/Box"}
    box.close()
    office.ok("user", "add", "bob@example.test", "--password", "secret-2")
    assert office.run("import", "bob@example.test", str(tmp_path / "out.mbox"))[0] == 0
    assert office.run("export", "bob@example.test", str(tmp_path / "again.mbox"))[0] == 0
    first, second = ((tmp_path / name).read_bytes() for name in ("out.mbox", "again.mbox"))
    assert first == second
    assert office.run("export", "bob@example.test", str(tmp_path / "out.zip"), "--format", "eml")[0] == 0
    with zipfile.ZipFile(tmp_path / "out.zip") as source:
        assert len(source.namelist()) == 20
        assert source.read("In/Box/1.eml").startswith(b"From: Bob <bob@example.test>\r\n")
    (tmp_path / "empty.mbox").touch()
    assert office.run("import", "bob@example.test", str(tmp_path / "empty.mbox")) == (0, "", "0 messages\n")
    assert "calendars" in office.refused("export", "bob@example.test", "x", "--format", "ics")


@pytest.mark.slow
def test_backup_and_restore(office: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = subjects(office.data)
    plain, sealed = str(tmp_path / "plain"), str(tmp_path / "sealed")
    code, _, err = office.run("backup", plain)
    assert code == 0
    assert "left out" in err
    monkeypatch.setenv("APPLIANCE_PASSPHRASE", "correct horse")
    assert office.run("backup", sealed, "--since", plain)[0] == 0
    assert "exists" in office.refused("restore", plain)
    elsewhere = tmp_path / "elsewhere"
    assert office.run("--data", str(elsewhere), "restore", sealed, "--base", plain)[0] == 0
    assert subjects(elsewhere) == before
    assert sorted(p.name for p in (elsewhere / "tls").iterdir()) == sorted(
        p.name for p in (office.data / "tls").iterdir()
    )
    monkeypatch.setenv("APPLIANCE_PASSPHRASE", "wrong")
    code, _, err = office.run("--data", str(tmp_path / "x"), "restore", sealed, "--base", plain)
    assert code == 1
    assert "passphrase" in err
    assert not (tmp_path / "x").exists()


def test_one_mailbox_gets_back_what_it_lost(office: Cli, tmp_path: Path) -> None:
    before = subjects(office.data)
    office.run("backup", str(tmp_path / "backup"))
    store = Store.open(office.data)
    with store.read() as txn:
        entry = entries.need(txn, "alice@example.test")

        fid = folders.resolve(txn, entry.mailbox, ("In", "Box"))
    assert fid
    actor = Actor(entry.id, entry.mailbox)
    store.write(
        lambda txn: items.delete(txn, actor, entry.mailbox, fid, [3, 4, 5], now=EPOCH, to_trash=True)
    ).result()
    store.write(lambda txn: items.delete(txn, actor, entry.mailbox, fid, [7, 8], now=EPOCH)).result()
    store.write(lambda txn: items.delete(txn, actor, entry.mailbox, Special.TRASH, [1], now=EPOCH)).result()
    store.close()
    code, _, err = office.run("restore", str(tmp_path / "backup"), "--mailbox", "alice@example.test")
    assert (code, err) == (0, "3 messages brought back\n")
    after = subjects(office.data)
    everything = sorted(state for states in after.values() for state in states)
    assert everything == sorted(before["In/Box"])
    assert len(after["Deleted Items"]) == 2
