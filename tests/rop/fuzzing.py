"""The state-aware fuzzer of Execute: random batches of ROPs, mostly legal, against one mailbox.

Handles come from what earlier requests opened, bodies from `bodies`, or from chance as far as the ROP's
layout takes it. `counting` wraps a table of ROPs, so that a run knows which of them succeeded. An error that
nobody foresaw is logged by `codes.code_of`.

`python -m tests.rop.fuzzing --minutes 20` runs for a time and prints what never succeeded.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.net.watch import Watches
from appliance.rop import batch
from appliance.rop.batch import NO_HANDLE
from appliance.rop.engine import Engine
from appliance.rop.model import On, Rop
from appliance.rop.objects import Object
from appliance.rop.ops import (
    create_folder,
    fast_transfer_destination,
    fast_transfer_source_copy,
    fast_transfer_source_get_buffer,
    get_attachment_table,
    get_contents_table,
    get_hierarchy_table,
    get_local_replica_ids,
    modify_recipients,
    open_embedded_message,
    open_folder,
    open_message,
    set_columns,
    sort_table,
    submit_message,
    synchronization_open_collector,
)
from appliance.rop.table import ROPS
from appliance.store import check
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from appliance.wire.cursor import Reader
from appliance.wire.errors import DecodeError
from tests.rop.bodies import ODD, TAGS, Bodies
from tests.rop.kit import Client
from tests.rop.mail import deliver
from tests.rop.ops.items import (
    attach,
    create,
    note,
    recipients_request,
    save,
    set_,
    smtp,
    stream,
)
from tests.transport.office import Office

LOGON_ROP, RELEASE = 0xFE, 0x01
MANY = 200
"""Handles of a session, at most, before some are released."""

PATIENCE = 20.0
"""Seconds of processor time of one batch: a longer one is a finding."""


def counting(succeeded: Counter[int]) -> dict[int, Rop]:
    """The table of ROPs; each counts when it succeeds."""

    def counted(rop: Rop) -> Callable[..., Any]:
        def run(ctx: Any, request: Any) -> Any:
            answer = rop.run(ctx, request)
            succeeded[rop.id] += 1
            return answer

        return run

    return {id: replace(rop, run=counted(rop)) for id, rop in ROPS.items()}


class Fuzzer:
    """Makes batches for one session from a source of chance."""

    def __init__(self, client: Client, store: Store, chance: random.Random) -> None:
        self.client, self.chance = client, chance
        self.bodies = Bodies(client, store, chance)
        self.rops = [rop for rop in ROPS.values() if rop.id != LOGON_ROP]

    def body(self, rop: Rop, target: Object | None) -> bytes | None:
        """Bytes that the ROP's layout accepts; None when chance found none."""
        made = self.bodies.make(rop, target) if self.chance.random() < 0.85 else None
        for _ in range(8):
            data = self._noise() if made is None else made
            made = None
            try:
                return rop.request.decode(Reader(data)).pack()
            except (DecodeError, ValueError):
                continue
        return None

    def _noise(self) -> bytes:
        chance = self.chance
        pieces = []
        for _ in range(20):
            kind = chance.randrange(8)
            if kind < 3:
                pieces.append(bytes([chance.choice((0, 0, 0, 1, 1, 2, 3, 4, 0x10, 0xFF))]))
            elif kind < 5:
                pieces.append(chance.choice((self.bodies.fid(), self.bodies.mid(), bytes(8))))
            elif kind < 7:
                pieces.append(chance.choice((*TAGS, *ODD)).to_bytes(4, "little"))
            else:
                pieces.append(b"\x01\x00")
        return b"".join(pieces)

    def handles(self) -> dict[On, list[int]]:
        found: dict[On, list[int]] = {}
        for handle, each in self.client.session._objects.items():
            found.setdefault(each.kind, []).append(handle)
        return found

    def batch(self) -> bytes:
        """A buffer of a few requests."""
        chance = self.chance
        self.bodies.look()
        by_kind = self.handles()
        everything = [handle for some in by_kind.values() for handle in some]
        if len(everything) > MANY:
            for handle in chance.sample(everything, MANY // 2):
                if not any(
                    logon.kind & On.LOGON for logon in [self.client.session._objects.get(handle)] if logon
                ):
                    self.client.session.release(handle)
            by_kind = self.handles()
            everything = [handle for some in by_kind.values() for handle in some]
        slots: list[int] = []
        packed = b""
        fitting = [rop for rop in self.rops if not rop.on or any(kind & rop.on for kind in by_kind)]
        for _ in range(chance.randrange(1, 12)):
            kind = chance.choice([*by_kind, On.NOTHING])
            of_kind = [rop for rop in fitting if rop.on & kind] or fitting or self.rops
            rop = chance.choice(self.rops if chance.random() < 0.1 else of_kind)
            if rop.id == RELEASE and chance.random() < 0.7:
                continue
            chosen = []
            for letter in rop.handles.value:
                on = rop.dest if letter in "dr" and rop.dest else rop.on
                fit = [handle for kind, some in by_kind.items() if kind & on for handle in some]
                if letter in "si" and by_kind.get(kind) and kind & on:
                    fit = by_kind[kind]
                handle = NO_HANDLE if letter == "o" else chance.choice(fit or everything or [NO_HANDLE])
                if rop.id == RELEASE and handle in by_kind.get(On.LOGON, ()):
                    handle = NO_HANDLE
                if chance.random() < 0.03:
                    handle = chance.choice([*everything, NO_HANDLE, 12345])
                chosen.append(handle)
            on = chosen[-1 if rop.handles.value == "ri" else 0] if chosen else NO_HANDLE
            data = self.body(rop, self.client.session._objects.get(on))
            if data is None:
                continue
            indexes = bytes(range(len(slots), len(slots) + len(chosen)))
            slots += chosen
            packed += bytes([rop.id, 0]) + indexes + data
        return batch.pack(packed, slots)


def furnish(client: Client, on: int, bodies: Bodies) -> None:
    """Something of every kind to begin with."""
    mid = note(client, on, PidTagBody="text")
    first = client.do(
        open_message.ROP,
        open_message.Request(0x0FFF, Special.DRAFTS, open_message.OpenModeFlags(1), mid),
        on=on,
    ).handle
    message = create(client, on)
    set_(client, message, {tags.PidTagSubject: "new"})
    client.do(modify_recipients.ROP, recipients_request({0: (1, smtp("b@elsewhere.test", "B"))}), on=message)
    attachment = attach(client, message, {tags.PidTagAttachDataBinary: b"data"}, keep=True)
    inside = attach(client, message, {tags.PidTagAttachMethod: 5}, keep=True)
    flags = open_embedded_message.OpenModeFlags(2)
    client.ask(open_embedded_message.ROP, open_embedded_message.Request(0x0FFF, flags), on=inside)
    stream(client, attachment, tags.PidTagAttachDataBinary, 1)
    stream(client, message, tags.PidTagHtml, 2)
    stream(client, message, tags.PidTagBody, 2)
    request = open_folder.Request(Special.DRAFTS, open_folder.OpenModeFlags(0))
    folder = client.do(open_folder.ROP, request, on=on).handle
    plain = get_contents_table.Request(get_contents_table.TableFlags(0))
    for _ in range(2):
        table = client.do(get_contents_table.ROP, plain, on=folder).handle
        client.do(set_columns.ROP, set_columns.Request(0, TAGS[:2]), on=table)
    order = sort_table.Order(tags.PidTagSubject, 0)
    client.do(sort_table.ROP, sort_table.Request(0, 1, 1, 0, (order,)), on=table)
    files = get_attachment_table.Request(get_attachment_table.TableFlags(0))
    client.do(get_attachment_table.ROP, files, on=message)
    _transfers(client, folder, first, bodies)
    _folders(client, on)
    _waiting(client, on, bodies)
    count = 1000
    given = client.do(get_local_replica_ids.ROP, get_local_replica_ids.Request(count), on=on).body
    first = int.from_bytes(given.global_count, "big")
    bodies.handed_out = range(first, first + count)


def _transfers(client: Client, folder: int, message: int, bodies: Bodies) -> None:
    """Downloads, whose streams can be put back, uploads and collectors."""
    flags = fast_transfer_source_copy.CopyFlags(0)
    options = fast_transfer_source_copy.SendOptions(1)
    bodies.look()
    some = tuple(mid for fid, mid in bodies.mids if fid == Special.DRAFTS)[:1]
    messages = fast_transfer_source_copy.CopyMessagesRequest(some, flags, options)
    everything = fast_transfer_source_copy.CopyFolderRequest(flags, options)
    properties = fast_transfer_source_copy.CopyToRequest(0, flags, options, ())
    by_id = {rop.id: rop for rop in fast_transfer_source_copy.ROPS}
    for id, request, on in (
        (0x4B, messages, folder),
        (0x4C, everything, folder),
        (0x4D, properties, message),
    ):
        download = client.do(by_id[id], request, on=on).handle
        data = b""
        while True:
            room = fast_transfer_source_get_buffer.Request(0x7000)
            body = client.do(fast_transfer_source_get_buffer.ROP, room, on=download).body
            data += body.transfer_buffer
            if body.transfer_status == fast_transfer_source_get_buffer.TransferStatus.DONE:
                break
        bodies.streams.append(data)
        client.do(by_id[id], request, on=on)
    configure = fast_transfer_destination.ROPS[0]
    for operation, on in ((3, folder), (4, folder), (1, message)):
        none = fast_transfer_destination.CopyFlags(0)
        client.do(configure, fast_transfer_destination.ConfigureRequest(operation, none), on=on)
    for contents in (True, False):
        client.do(
            synchronization_open_collector.ROP, synchronization_open_collector.Request(contents), on=folder
        )


def _folders(client: Client, on: int) -> None:
    """Folders that may go, a search folder among them."""
    request = open_folder.Request(Special.IPM_SUBTREE, open_folder.OpenModeFlags(0))
    top = client.do(open_folder.ROP, request, on=on).handle
    for kind in (1, 1, 2):
        made = create_folder.Request(kind, True, False, 0, f"F{client.session.objects}", "")
        client.do(create_folder.ROP, made, on=top)
    flags = get_hierarchy_table.TableFlags(0)
    table = client.do(get_hierarchy_table.ROP, get_hierarchy_table.Request(flags), on=top).handle
    client.do(set_columns.ROP, set_columns.Request(0, (tags.PidTagDisplayName,)), on=table)


def _waiting(client: Client, on: int, bodies: Bodies) -> None:
    """A message that is sent some day."""
    message = create(client, on, Special.OUTBOX)
    set_(client, message, {tags.PidTagSubject: "later", tags.PidTagDeferredSendTime: 0x7FFF << 48})
    client.do(modify_recipients.ROP, recipients_request({0: (1, smtp("b@elsewhere.test", "B"))}), on=message)
    flags = submit_message.SubmitFlags(0)
    bodies.waiting = Special.OUTBOX, save(client, message)
    client.do(submit_message.ROPS[0], submit_message.Request(flags), on=message)


MIME = (
    b"From: a@x.test\r\nTo: b@x.test\r\nSubject: Mail\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>hello\r\n--b\r\n"
    b"Content-Type: application/x; name=a.bin\r\n\r\nbytes\r\n--b--\r\n"
)


def episode(office: Office, client: Client, chance: random.Random, batches: int) -> None:
    """Some batches of one session. Raises AssertionError for a batch that takes longer than PATIENCE."""
    client.engine.patience = PATIENCE / 4
    on = client.logon()
    deliver(office, client.user, MIME)
    fuzzer = Fuzzer(client, office.store, chance)
    furnish(client, on, fuzzer.bodies)
    for _ in range(batches):
        data = fuzzer.batch()
        begun = time.process_time()
        try:
            client.raw(data, chain=chance.random() < 0.2)
        except MapiError:
            continue
        finally:
            assert time.process_time() - begun < PATIENCE, data.hex()
    client.close()


class _Findings(logging.Handler):
    """Errors that were logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(logging.Formatter().format(record))


def main(arguments: list[str]) -> int:
    """The long form."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    findings, succeeded, rounds = _Findings(), Counter[int](), 0
    logging.getLogger("appliance").addHandler(findings)
    until = time.monotonic() + 60 * chosen.minutes
    while time.monotonic() < until and not findings.found:
        seed = chosen.seed + rounds
        with tempfile.TemporaryDirectory() as folder:
            store = Store.create(Path(folder) / "data")
            office = Office(store)
            loop = asyncio.new_event_loop()
            watches = loop.run_until_complete(_watch(store))
            engine = Engine(store, counting(succeeded), watches.subscribe)
            try:
                episode(office, Client(office.user("a@example.test"), engine, loop), random.Random(seed), 400)
            except Exception as error:
                findings.found.append(f"seed {seed}: {error!r}")
                raise
            finally:
                watches.close()
                loop.run_until_complete(_end())
                loop.run_until_complete(loop.shutdown_default_executor())
                loop.close()
            findings.found += [f"seed {seed}: {wrong}" for wrong in check.check(store)]
            store.close()
        rounds += 1
        if findings.found:
            sys.stdout.write(f"seed {seed}\n")
    never = [f"{id:02X}" for id in ROPS if not succeeded[id]]
    sys.stdout.write(f"{rounds} rounds, {sum(succeeded.values())} successes, never: {' '.join(never)}\n")
    sys.stdout.write("\n".join(findings.found) + "\n")
    return bool(findings.found)


async def _watch(store: Store) -> Watches:
    return Watches(store)


async def _end() -> None:
    """What sessions had begun to tell ends before their threads do."""
    telling = asyncio.all_tasks() - {asyncio.current_task()}
    for task in telling:
        task.cancel()
    await asyncio.gather(*telling, return_exceptions=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
