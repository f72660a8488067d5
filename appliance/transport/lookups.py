"""What the directory said about recipients, remembered until it changes.

Only answers that depend on the entry alone are kept: a mailbox that everybody may write
to. Groups, restricted entries and refusals are looked up each time. The directory's version is read
with each question, so that an answer is never older than the snapshot.
"""

from collections.abc import Mapping

from appliance.directory import entries
from appliance.directory.model import Entry, Senders
from appliance.directory.resolve import Expansion, Status
from appliance.store.kv import ReadTxn
from appliance.transport.acceptance import Verdict, expand, judge_expansion

MAX_KNOWN = 4096
"""Answers that are kept; then all are forgotten."""


class Lookups:
    """Answers of the directory. Belongs to the loop's thread."""

    def __init__(self) -> None:
        self._version = -1
        self._expansions: dict[str, Expansion] = {}

    def _fresh(self, txn: ReadTxn) -> None:
        version = entries.version(txn)
        if version != self._version or len(self._expansions) > MAX_KNOWN:
            self._version = version
            self._expansions.clear()

    def recipient(self, txn: ReadTxn, address: str, user: Entry | None, size: int) -> Verdict:
        """Whether RCPT TO is taken (see `judge_expansion`)."""
        self._fresh(txn)
        found = self._expansions.get(address)
        if found is None:
            found = expand(txn, address, user, trusted=False)
            if _is_plain(found):
                self._expansions[address] = found
        return judge_expansion(txn, found, user, size)

    def known(self) -> tuple[int, Mapping[str, Expansion]]:
        """The directory's version and what is known of it, for `Mail`."""
        return self._version, self._expansions


def _is_plain(found: Expansion) -> bool:
    """Whether an expansion holds for every sender, and names one private mailbox."""
    return (
        found.status is Status.FOUND
        and found.entry is not None
        and not found.entry.is_group
        and found.entry.senders is Senders.ANYONE
    )
