"""SEARCH, UID SEARCH, SORT, THREAD (RFC 9051 6.4.4, RFC 4731, RFC 5182, RFC 5256, RFC 7162 3.1.5)."""

from collections.abc import Sequence

from appliance.mailbox.search.evaluate import Search
from appliance.mailbox.search.sorting import Algorithm, Sort, SortBy, SortKey, Threads
from appliance.mailbox.search.threads import Thread, thread_list
from appliance.protocols.imap import sequence
from appliance.protocols.imap.progress import Progress
from appliance.protocols.imap.search_grammar import (
    Key,
    Result,
    SearchRequest,
    SetKey,
    SortRequest,
    ThreadRequest,
    bind,
    parse_search,
    parse_sort,
    parse_thread,
)
from appliance.protocols.imap.sequence import Ranges
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import Announce, Command, Done, State
from appliance.protocols.imap.wire import quoted
from appliance.store.contents import find
from appliance.store.kv import ReadTxn


async def _found(session: Session, key: Key) -> list[int]:
    """The UIDs of the view's messages that match, in order."""
    view, services = session.folder, session.services
    with services.store.read() as txn:
        snapshot = view.at(txn)

        def uids_of(key: SetKey) -> Ranges:
            return snapshot.resolve(key.messages, uid=key.uid)

        criterion = bind(key, uids_of, lambda: Ranges(view.recent))
    search = Search(
        services.store,
        view.mailbox,
        view.fid,
        criterion,
        services.source,
        now=services.now(),
        index=services.index,
    )
    progress = Progress(session)
    while not await services.step(search.step):
        progress.total = search.total
        progress.tell(search.done)
    ceiling = view.ceiling
    return [uid for uid in search.uids if uid <= ceiling]


def _highest_modseq(session: Session, txn: ReadTxn, uids: Sequence[int]) -> int:
    view = session.folder
    snapshot = view.at(txn)
    highest = 0
    for uid in uids:
        mid = snapshot.uids.mid(uid)
        row = find(txn, view.mailbox, view.fid, mid) if mid is not None else None
        highest = max(highest, row.mod if row is not None else 0)
    return highest


async def search(session: Session, request: SearchRequest) -> Done:
    """Answer in the old form, or as ESEARCH when asked to or under IMAP4rev2."""
    if request.uses_modseq:
        session.enable_condstore()
    saves = request.results is not None and Result.SAVE in request.results
    try:
        uids = await _found(session, request.key)
    except Exception:
        if saves:
            session.folder.saved = Ranges()  # RFC 5182 2.1: a failed SAVE empties the result
        raise
    if request.results is not None or session.rev2:
        await _esearch(session, request, uids)
        return Done("Search completed.")
    view = session.folder
    with session.services.store.read() as txn:
        numbers = view.at(txn).numbers(uids, uid=request.uid)
        line = b"SEARCH" + b"".join(b" %d" % number for number in numbers)
        if request.uses_modseq and uids:
            line += b" (MODSEQ %d)" % _highest_modseq(session, txn, uids)
    session.write(line)
    return Done("Search completed.")


async def _esearch(session: Session, request: SearchRequest, uids: list[int]) -> None:
    results = request.results if request.results is not None else frozenset({Result.ALL})
    view = session.folder
    if Result.SAVE in results:
        view.saved = Ranges.of(_saved(results, uids))
        if results == {Result.SAVE}:
            return  # RFC 5182 2.1: nothing is told
    parts = [b"ESEARCH (TAG %s)" % quoted(session.tag)]
    if request.uid:
        parts.append(b"UID")
    with session.services.store.read() as txn:
        numbers = view.at(txn).numbers(uids, uid=request.uid)
        if numbers:
            if Result.MIN in results:
                parts.append(b"MIN %d" % numbers[0])
            if Result.MAX in results:
                parts.append(b"MAX %d" % numbers[-1])
            if Result.ALL in results:
                parts.append(b"ALL " + sequence.compress(numbers))
        if Result.COUNT in results:
            parts.append(b"COUNT %d" % len(numbers))
        if request.uses_modseq and uids:
            # RFC 7162 3.1.10: of MIN or MAX alone, the mod-sequence of just those
            told = _told(results, uids)
            parts.append(b"MODSEQ %d" % _highest_modseq(session, txn, told))
    session.write(b" ".join(parts))


def _told(results: frozenset[Result], uids: list[int]) -> list[int]:
    if results & {Result.ALL, Result.COUNT}:
        return uids
    return _saved(results, uids)


def _saved(results: frozenset[Result], uids: list[int]) -> list[int]:
    """What SAVE keeps: MIN and MAX alone keep just those (RFC 5182 2.4)."""
    if not uids or results & {Result.ALL, Result.COUNT} or not results & {Result.MIN, Result.MAX}:
        return uids
    kept = []
    if Result.MIN in results:
        kept.append(uids[0])
    if Result.MAX in results:
        kept.append(uids[-1])
    return sorted(set(kept))


async def sort(session: Session, request: SortRequest) -> Done:
    """Tell what was found in the order asked for."""
    if request.uses_modseq:
        session.enable_condstore()
    uids = await _found(session, request.key)
    view, services = session.folder, session.services
    program = [SortBy(SortKey(name.decode()), backwards) for name, backwards in request.order]
    sorting = Sort(services.store, view.mailbox, view.fid, uids, program, services.source)
    progress = Progress(session, len(uids))
    while not await services.step(sorting.step):
        progress.tell(sorting.done)
    ordered = list(await services.call(sorting.result))
    with services.store.read() as txn:
        numbers = view.at(txn).numbers(ordered, uid=request.uid)
        line = b"SORT" + b"".join(b" %d" % number for number in numbers)
        if request.uses_modseq and uids:
            line += b" (MODSEQ %d)" % _highest_modseq(session, txn, uids)
    session.write(line)
    return Done("Sort completed.")


async def thread(session: Session, request: ThreadRequest) -> Done:
    """Tell the threads of what was found."""
    if request.uses_modseq:
        session.enable_condstore()
    uids = await _found(session, request.key)
    view, services = session.folder, session.services
    algorithm = Algorithm(request.algorithm.decode())
    threading = Threads(services.store, view.mailbox, view.fid, uids, algorithm, services.source)
    progress = Progress(session, len(uids))
    while not await services.step(threading.step):
        progress.tell(threading.done)
    threads = await services.call(threading.result)
    if not request.uid:
        with services.store.read() as txn:
            _renumber(threads, dict(zip(uids, view.at(txn).numbers(uids, uid=False), strict=True)))
    found = thread_list(threads).encode()
    session.write(b"THREAD " + found if found else b"THREAD")
    return Done("Thread completed.")


def _renumber(threads: list[Thread], numbers: dict[int, int]) -> None:
    stack = list(threads)
    while stack:
        node = stack.pop()
        if node.uid:
            node.uid = numbers[node.uid]
        stack += node.children


SEARCH = Command(b"SEARCH", State.SELECTED, lambda c: parse_search(c, uid=False), search, Announce.NO_EXPUNGE)
SORT = Command(b"SORT", State.SELECTED, lambda c: parse_sort(c, uid=False), sort, Announce.NO_EXPUNGE)
THREAD = Command(b"THREAD", State.SELECTED, lambda c: parse_thread(c, uid=False), thread, Announce.NO_EXPUNGE)
UID_SEARCH = Command(b"UID SEARCH", State.SELECTED, lambda c: parse_search(c, uid=True), search)
UID_SORT = Command(b"UID SORT", State.SELECTED, lambda c: parse_sort(c, uid=True), sort)
UID_THREAD = Command(b"UID THREAD", State.SELECTED, lambda c: parse_thread(c, uid=True), thread)
