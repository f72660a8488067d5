"""`appliance queue` and `appliance smarthost`."""

import io
import json

import pytest

from appliance.mailbox.incoming import Ingest
from appliance.store import blobs, queue
from appliance.store.kv import WriteTxn
from appliance.store.queue import QueueEntry, QueueRecipient
from appliance.store.store import Store
from appliance.transport import smarthost
from tests.cli.conftest import Cli
from tests.conftest import EPOCH


def fill(cli: Cli, count: int = 2) -> None:
    store = Store.open(cli.data)
    try:
        taking = Ingest(store)
        taking.feed(b"Subject: x\r\n\r\nBody\r\n")
        incoming = taking.finish()

        def insert(txn: WriteTxn) -> None:
            blob = blobs.bind(txn, incoming.prepared, references=0)
            for i in range(count):
                to = (QueueRecipient(f"{i}@far.test"), QueueRecipient("b@far.test"))
                queue.insert(txn, QueueEntry("anna@example.test", to, blob, 20, EPOCH, EPOCH))

        store.write(insert).result()
    finally:
        store.close()


def test_list_has_the_promised_keys(cli: Cli) -> None:
    assert cli.json("queue", "list") == []
    fill(cli)
    first, second = cli.json("queue", "list")
    assert {"id", "sender", "recipients", "attempts", "next_attempt", "last_answer"} <= set(first)
    assert (first["id"], second["id"]) == (1, 2)
    assert first["recipients"] == ["0@far.test", "b@far.test"]
    assert cli.ok("queue", "list").count("\n") == 2
    shown = json.loads(cli.ok("queue", "show", "2", "--json"))
    assert shown["recipients"][0] == {
        "address": "1@far.test",
        "state": "pending",
        "status": "",
        "answer": "",
        "server": "",
        "notify": [],
        "original": "",
    }


def test_hold_retry_drop(cli: Cli) -> None:
    fill(cli, 3)
    cli.ok("queue", "hold", "1")
    held = {row["id"]: row["held"] for row in cli.json("queue", "list")}
    assert held == {1: True, 2: False, 3: False}
    cli.ok("queue", "retry")
    assert all(row["next_attempt"] > "2023" for row in cli.json("queue", "list"))
    cli.ok("queue", "drop", "2")
    assert [row["id"] for row in cli.json("queue", "list")] == [1, 3]
    assert "no queue entry 2" in cli.refused("queue", "show", "2")
    assert "which message" in cli.refused("queue", "drop")
    cli.ok("queue", "drop", "--all")
    assert cli.json("queue", "list") == []


def test_smarthost(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.refused("smarthost", "show")
    monkeypatch.setattr("sys.stdin", io.StringIO("hidden word\n"))
    cli.ok("smarthost", "set", "relay.far.test:465", "--user", "us", "--password-stdin")
    assert cli.json("smarthost", "show") == {
        "host": "relay.far.test",
        "port": 465,
        "tls": "implicit",
        "user": "us",
    }
    store = Store.open(cli.data)
    with store.read() as txn:
        found = smarthost.get(txn)
    store.close()
    assert found is not None
    assert found.password == "hidden word"
    assert "hidden" not in repr(found)
    for wrong in ("", "relay:0", "relay:x", "::1:25", "a b:25", "relay:70000"):
        cli.refused("smarthost", "set", wrong)
    cli.refused("smarthost", "set", "relay.far.test:25", "--user", "us")
    cli.ok("smarthost", "clear")
    cli.refused("smarthost", "show")
