"""A client with a replica of one folder, for uploads (MS-OXCFXICS 3.3.4.3.3)."""

from tests.conformance import fxrops
from tests.conformance.fxdesk import CLASS, NONE, Desk, change_list, read_change_list, xid
from tests.conformance.fxgrammar import CHANGE_KEY, MODIFIED, PCL, SOURCE_KEY
from tests.conformance.wire import Value

MINE = bytes.fromhex("0102030405060708090a0b0c0d0e0f10")
"""The REPLGUID of the client's own changes."""
THEN = 0x01DA123400000000


class Client:
    """A client with a replica of one folder, and its collector."""

    def __init__(self, desk: Desk, folder: int) -> None:
        self.desk, self.folder = desk, folder
        _, self.next = fxrops.local_ids(desk, 100)
        self.change = 0
        self.upload = desk.must(fxrops.collector(), [folder, NONE]).out

    def key(self) -> bytes:
        """A SourceKey that is new."""
        self.next += 1
        return self.desk.replguid + (self.next - 1).to_bytes(6, "big")

    def version(self) -> bytes:
        """A ChangeKey that is new."""
        self.change += 1
        return xid(MINE, self.change)

    def head(self, key: bytes, *, pcl: bytes | None = None, at: int | None = None) -> dict[int, Value]:
        """The PropertyValues of an import with a new version."""
        change = self.version()
        listed = change_list(change) if pcl is None else merged(pcl, change)
        return {SOURCE_KEY: key, MODIFIED: at or THEN + self.change, CHANGE_KEY: change, PCL: listed}

    def bring(self, head: dict[int, Value], values: dict[int, Value], flags: int = 0) -> bytes:
        """Import a message and save it: its id."""
        answer = self.desk.must(fxrops.import_message(head, flags), [self.upload, NONE], lambda r: r.take(8))
        assert answer.value == bytes(8), "R808"
        self.desk.set(answer.out, {CLASS: "IPM.Note", **values})
        mid = self.desk.save(answer.out)
        self.desk.release(answer.out)
        return mid


def merged(pcl: bytes, change: bytes) -> bytes:
    """A list with a newer version of a namespace."""
    return change_list(*(each for each in read_change_list(pcl) if each[:16] != change[:16]), change)


def binary(found: dict[int, Value], tag: int) -> bytes:
    """A binary property."""
    value = found[tag]
    assert isinstance(value, bytes), value
    return value


def number(found: dict[int, Value], tag: int) -> int:
    """A number."""
    value = found[tag]
    assert isinstance(value, int), value
    return value
