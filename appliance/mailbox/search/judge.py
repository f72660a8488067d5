"""A glance at many stored messages: what their envelopes and raw bytes decide, before any is opened."""

from appliance.formats import columns
from appliance.formats.structures import Piece, Verdict
from appliance.mailbox.search.glimpse import glimpse_many
from appliance.store import blobs, contents, messages
from appliance.store.errors import StoreError
from appliance.store.kv import ReadTxn

AT_ONCE = 1 << 20
"""Bytes of messages that are held together, about."""

_BLOB, _PREFIX, _SIZE = map(contents.place_of, ("blob", "prefix", "size"))


class StoredJudge:
    """Judges messages of one snapshot, given by MIDs and packed rows. What cannot be read is unknown."""

    def __init__(self, txn: ReadTxn, mailbox: int, mids: list[int], rows: list[bytes]) -> None:
        self._txn, self._mailbox, self._mids, self._rows = txn, mailbox, mids, rows
        self._blobs = columns.numbers(rows, *_BLOB)
        self._structures = blobs.structures(txn, self._blobs)

    def envelope(self, member: int, key: bytes) -> bytes:
        """As `Judge`."""
        return blobs.judge(self._structures, member, key)

    def text(self, key: bytes, *, header: bool) -> bytes:
        """As `Judge`."""
        verdicts = bytearray([Verdict.UNKNOWN]) * len(self._rows)
        prefixes, sizes = columns.numbers(self._rows, *_PREFIX), columns.numbers(self._rows, *_SIZE)
        group: list[int] = []
        held = 0
        for index, size in enumerate(sizes):
            if self._structures[index] is None or size - prefixes[index] > blobs.CHUNK:
                continue
            group.append(index)
            held += size
            if held >= AT_ONCE:
                self._look(group, prefixes, key, header, verdicts)
                group, held = [], 0
        self._look(group, prefixes, key, header, verdicts)
        return bytes(verdicts)

    def _look(
        self, group: list[int], prefixes: list[int], key: bytes, header: bool, verdicts: bytearray
    ) -> None:
        try:
            raws = blobs.read_small(self._txn, [self._blobs[index] for index in group])
            tables = blobs.pieces_of([self._structures[index] for index in group], Piece.SCAN)
            heads = self._heads([index for index in group if header and prefixes[index]])
        except StoreError:
            return  # one of them is damaged: they are read one by one
        found = glimpse_many(
            key,
            [heads.get(index, b"") for index in group],
            raws,
            [table or b"" for table in tables],
            header=header,
        )
        for index, verdict in zip(group, found, strict=True):
            verdicts[index] = verdict

    def _heads(self, traced: list[int]) -> dict[int, bytes]:
        """The trace fields of those that have them."""
        found = messages.prefixes(self._txn, self._mailbox, [self._mids[index] for index in traced])
        return dict(zip(traced, found, strict=True))
