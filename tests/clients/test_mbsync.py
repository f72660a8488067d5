"""isync, both ways between Satchel and a maildir: trees, names in other scripts, flags, deletions.

mbsync takes folder names as they stand on the wire, so that the maildir has them in modified UTF-7."""

from pathlib import Path

import pytest
from imapclient import IMAPClient
from imapclient.imap_utf7 import encode

from tests.clients.conftest import admin, need, run
from tests.protocols.imap.office import message
from tests.served import PASSWORD, Served, address

TREE = ("Clients", "Clients/Müller & Söhne", "Clients/Müller & Söhne/2024", "日本", "日本/東京", "a 'b' (c)")


class Mirror:
    """A maildir tree and the configuration that mirrors it."""

    def __init__(self, server: Served, home: Path, *, tls: bool) -> None:
        self.mbsync, self.home, self.mail = need("mbsync"), home, home / "mail"
        self.mail.mkdir()
        ca = home / "ca.pem"
        ca.write_text(admin(server, "tls", "export-ca"))
        port, security = (993, "IMAPS") if tls else (143, "None")
        certificate = f"CertificateFile {ca}\nSystemCertificates no\n" if tls else ""
        (home / "rc").write_text(
            f"IMAPAccount satchel\nHost localhost\nPort {server.offset + port}\nUser {address('anna')}\n"
            f'Pass "{PASSWORD}"\nSSLType {security}\n{certificate}AuthMechs PLAIN\nPipelineDepth 20\n\n'
            "IMAPStore remote\nAccount satchel\n\n"
            f"MaildirStore local\nPath {self.mail}/\nInbox {self.mail}/INBOX\nSubFolders Verbatim\n\n"
            "Channel all\nFar :remote:\nNear :local:\n"
            "Patterns * !Calendar !Contacts !Tasks !Notes !Journal\n"
            "Create Both\nRemove Both\nExpunge Both\nSyncState *\nCopyArrivalDate yes\n"
        )

    def sync(self) -> None:
        """One round."""
        run(self.mbsync, "-c", "rc", "-a", home=self.home)

    def files(self, folder: str) -> list[Path]:
        """The messages of a folder, new ones first."""
        here = self.mail / encode(folder).decode()
        return sorted([*(here / "new").iterdir(), *(here / "cur").iterdir()])

    def add(self, folder: str, name: str, raw: bytes, flags: str = "") -> None:
        """Put a message into the maildir."""
        for part in ("cur", "new", "tmp"):
            (self.mail / folder / part).mkdir(parents=True, exist_ok=True)
        (self.mail / folder / "cur" / f"{name}:2,{flags}").write_bytes(raw.replace(b"\r\n", b"\n"))


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_several_rounds(server: Served, tmp_path: Path, tls: bool) -> None:
    mirror = Mirror(server, tmp_path, tls=tls)
    client = IMAPClient("127.0.0.1", port=server.offset + 143, ssl=False, timeout=60)
    client.login(address("anna"), PASSWORD)
    for folder in TREE:
        client.create_folder(folder)
        for number in range(3):
            client.append(folder, message(f"{number}", f"In {folder}.\r\n", X_Folder="x"), flags=[b"\\Seen"])
    mirror.sync()
    for folder in TREE:
        assert len(mirror.files(folder)) == 3, folder
        assert all("S" in path.name.rpartition(",")[2] for path in mirror.files(folder))

    # A folder, messages and flags that are made here go there.
    mirror.add("Neu/Tief", "1.made.here", message("made here"), "FS")
    mirror.files("日本/東京")[0].unlink()
    old = mirror.files("Clients")[0]
    old.rename(old.with_name(old.name.rpartition(",")[0] + ",FRS"))
    mirror.sync()
    client.select_folder("Neu/Tief")
    (only,) = client.search()
    assert set(client.get_flags([only])[only]) - {b"\\Recent"} == {b"\\Flagged", b"\\Seen"}
    client.select_folder("日本/東京")
    assert len(client.search()) == 2
    client.select_folder("Clients")
    assert len(client.search(["FLAGGED", "ANSWERED"])) == 1

    # And back: a move, a deletion, flags taken away, a folder that goes.
    client.move(client.search(["FLAGGED"]), "日本")
    client.remove_flags(client.search(), [b"\\Seen"])
    client.select_folder("日本")
    assert len(client.search()) == 4
    client.select_folder("a 'b' (c)")
    client.delete_messages(client.search())
    client.expunge()
    client.unselect_folder()
    mirror.sync()
    assert len(mirror.files("Clients")) == 2
    assert not any("S" in path.name.rpartition(",")[2] for path in mirror.files("Clients"))
    assert len(mirror.files("日本")) == 4
    assert mirror.files("a 'b' (c)") == []
    before = sorted(mirror.mail.rglob("*,*"))
    mirror.sync()
    assert sorted(mirror.mail.rglob("*,*")) == before
    client.select_folder("日本")
    assert len(client.search()) == 4
    client.unselect_folder()
    for folder in (*reversed(TREE), "Neu/Tief", "Neu"):
        client.delete_folder(folder)
    client.logout()
