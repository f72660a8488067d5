"""The store's file is damaged, or not ours: refused at start with what to do, or found by `check`; never
overwritten."""

import hashlib
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from appliance.store import mapfile
from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import FILE_NAME
from appliance.store.store import Store
from tests.badday.mail import message
from tests.served import Served, command

pytestmark = pytest.mark.slow
PAGE = 4096


def halve(path: Path) -> None:
    with path.open("rb") as file:
        found = mapfile.meta(file.fileno())
    assert found is not None
    os.truncate(path, (found.last_page + 1) // 2 * PAGE)  # of what is in use: the file ends in spare zeros


def zero_first_page(path: Path) -> None:
    path.write_bytes(bytes(PAGE) + path.read_bytes()[PAGE:])


def zero_both_metas(path: Path) -> None:
    path.write_bytes(bytes(2 * PAGE) + path.read_bytes()[2 * PAGE :])


def text(path: Path) -> None:
    path.write_text("Dear diary\n" * 4000)


def other_program(path: Path) -> None:
    path.unlink()
    with lmdb.open(str(path), subdir=False, lock=False) as env, env.begin(write=True) as txn:
        txn.put(b"key", b"value")


def newer(path: Path) -> None:
    store = Store.open(path.parent)
    key = pack(SERVER, Table.META, "format")
    store.write(lambda txn: txn.put(key, (1000).to_bytes(4, "big"))).result()
    store.close()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("damage", [halve, zero_first_page, zero_both_metas, text, other_program, newer])
def test_refused_at_start_and_left_alone(office: Path, damage: Callable[[Path], None]) -> None:
    path = office / FILE_NAME
    damage(path)
    before = digest(path)
    for line in (["serve", "--bind", "127.0.0.1", "--port-offset", "31500"], ["check"], ["user", "list"]):
        refused = command(office, *line)
        assert refused.returncode == 1, (line, refused)
        assert refused.stderr.count("\n") == 1, refused.stderr
        assert str(path) in refused.stderr
        assert digest(path) == before


def test_damaged_pages_are_found(office: Path) -> None:
    """Noise over a third of the pages: `check` says so, or dies of it; it does not say that all is well."""
    seed = random.randrange(1 << 20)
    sys.stdout.write(f"seed {seed}\n")
    rng = random.Random(seed)
    with Served(office) as server, server.imap("anna") as client:
        for number in range(20):
            assert client.append("INBOX", "", "", message(number, 30_000))[0] == "OK"  # type: ignore[arg-type]
    path = office / FILE_NAME
    data = bytearray(path.read_bytes())
    pages = range(2, len(data) // PAGE)
    for page in rng.sample(pages, len(pages) // 3):
        data[page * PAGE : (page + 1) * PAGE] = rng.randbytes(PAGE)
    path.write_bytes(data)
    before = digest(path)
    assert command(office, "check").returncode != 0
    assert digest(path) == before
