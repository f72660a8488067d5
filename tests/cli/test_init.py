"""`appliance init`."""

import stat

from tests.cli.conftest import Cli


def test_makes_a_whole_directory(bare: Cli) -> None:
    bare.ok("init", "--domain", "example.test", "--domain", "example.com", "--organization", "Example Ltd")
    assert sorted(path.name for path in bare.data.iterdir()) == [
        "store.lmdb",
        "store.lmdb-lock",
        "store.users",
        "tls",
    ]
    assert stat.S_IMODE((bare.data / "tls" / "key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((bare.data / "tls" / "ca-key.pem").stat().st_mode) == 0o600
    assert [path for path in bare.data.parent.iterdir() if path != bare.data] == []
    shown = bare.json("tls", "show")
    assert "mail.example.test" in shown["names"]
    assert "localhost" in shown["names"]
    assert "127.0.0.1" in shown["names"]
    assert shown["begins"] < "2025"


def test_never_overwrites(cli: Cli) -> None:
    before = (cli.data / "store.lmdb").read_bytes()
    assert "not empty" in cli.refused("init", "--domain", "example.test")
    assert (cli.data / "store.lmdb").read_bytes() == before


def test_takes_an_empty_directory_and_leaves_nothing_when_refused(bare: Cli) -> None:
    bare.data.mkdir()
    assert bare.refused("init", "--domain", "not a domain")
    assert list(bare.data.parent.iterdir()) == [bare.data]
    assert list(bare.data.iterdir()) == []
    bare.ok("init", "--domain", "example.test")
