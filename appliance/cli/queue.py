"""`appliance queue`: look at mail that is under way, try it again, hold it, drop it."""

import time
from collections.abc import Callable
from functools import partial

import click

from appliance.cli.frame import Failed
from appliance.cli.tools import change, json_option, open_store, print_facts, print_rows
from appliance.mapi.times import format_utc, from_unix_ns
from appliance.store import queue as mail_queue
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.queue import QueueEntry, QueueRecipient


@click.group()
def queue() -> None:
    """Mail that has yet to reach somebody."""


def _row(entry: QueueEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "sender": entry.sender,
        "recipients": [recipient.address for recipient in entry.recipients],
        "attempts": entry.attempts,
        "next_attempt": None if entry.held else format_utc(entry.next_attempt),
        "last_answer": entry.last_answer,
        "held": entry.held,
        "size": entry.size,
        "arrived": format_utc(entry.arrived),
    }


@queue.command("list")
@json_option
def list_entries(as_json: bool) -> None:
    """List what waits, the oldest first."""
    with open_store() as store, store.read() as txn:
        rows = [_row(entry) for entry in mail_queue.entries(txn)]
    columns = ["id", "sender", "recipients", "attempts", "next_attempt", "last_answer"]
    print_rows(rows, columns, as_json=as_json)


@queue.command("show")
@click.argument("number", metavar="ID", type=int)
@json_option
def show(number: int, as_json: bool) -> None:
    """Show one message and what became of each recipient."""
    with open_store() as store, store.read() as txn:
        entry = mail_queue.get(txn, number)
    facts = _row(entry)
    facts |= {
        "origin": entry.origin.name.lower(),
        "envelope_id": entry.envid,
        "return": entry.ret,
        "body": entry.body,
        "smtputf8": entry.smtputf8,
    }
    if as_json:
        facts["recipients"] = [_recipient(recipient) for recipient in entry.recipients]
    else:
        facts["recipients"] = [
            f"{r.address} ({r.state.name.lower()}{', ' + r.answer if r.answer else ''})"
            for r in entry.recipients
        ]
    print_facts(facts, as_json=as_json)


def _recipient(recipient: QueueRecipient) -> dict[str, object]:
    return {
        "address": recipient.address,
        "state": recipient.state.name.lower(),
        "status": recipient.status,
        "answer": recipient.answer,
        "server": recipient.mta,
        "notify": [flag.name for flag in recipient.notify],
        "original": recipient.orcpt,
    }


def _chosen(txn: ReadTxn, number: int | None) -> list[int]:
    """The entry that was named, or all."""
    if number is not None:
        return [mail_queue.get(txn, number).id]
    return [entry.id for entry in mail_queue.entries(txn)]


def _each(txn: WriteTxn, chosen: list[int], step: Callable[[WriteTxn, int], None]) -> None:
    for number in chosen:
        step(txn, number)


@queue.command("retry")
@click.argument("number", metavar="[ID]", type=int, required=False)
def retry(number: int | None) -> None:
    """Try a message (or all) now, held or not."""
    now = from_unix_ns(time.time_ns())
    with open_store() as store:
        with store.read() as txn:
            chosen = _chosen(txn, number)
        change(store, lambda txn: _each(txn, chosen, partial(mail_queue.retry, now=now)))


@queue.command("hold")
@click.argument("number", metavar="[ID]", type=int, required=False)
def hold(number: int | None) -> None:
    """Keep a message (or all) from being tried until `retry`."""
    with open_store() as store:
        with store.read() as txn:
            chosen = _chosen(txn, number)
        change(store, lambda txn: _each(txn, chosen, mail_queue.hold))


@queue.command("drop")
@click.argument("number", metavar="ID", type=int, required=False)
@click.option("--all", "everything", is_flag=True, help="Drop everything that waits.")
def drop(number: int | None, everything: bool) -> None:
    """Throw a message away; its sender is not told."""
    if number is None and not everything:
        raise Failed("say which message to drop, or --all")
    with open_store() as store:
        with store.read() as txn:
            chosen = _chosen(txn, number)
        change(store, lambda txn: _each(txn, chosen, mail_queue.remove))
