"""What the commands of directory entries share: attributes as options, showing, finding."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.cli.frame import Failed
from appliance.cli.tools import change, open_store, print_facts, print_rows
from appliance.directory import accounts, entries, links, resolve
from appliance.directory.entries import Part
from appliance.directory.links import Link
from appliance.directory.model import PERSON_FIELDS, WITH_MAILBOX, Entry, Kind, Person
from appliance.mapi import times
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.store import Store

F = TypeVar("F", bound=Callable[..., Any])
Given = dict[str, Any]
"""Options as click gives them: None for what was not said, "" for what is to be cleared."""

_LINKS = {"manager": Link.MANAGER, "assistant": Link.ASSISTANT}
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


def attribute_options(command: F) -> F:
    """Adds the options of CONTRACT for what the address book says about someone."""
    click.option("--certificate", type=click.Path(path_type=Path), help="X.509, PEM or DER.")(command)
    click.option("--photo", type=click.Path(path_type=Path), help="A JPEG or PNG file.")(command)
    for name in reversed(("name", *PERSON_FIELDS, *_LINKS)):
        click.option(f"--{name.replace('_', '-')}", help=f"The {name.replace('_', ' ')}.")(command)
    return command


def now() -> int:
    """The time as FILETIME."""
    return times.from_unix_ns(time.time_ns())


def create(
    store: Store,
    kind: Kind,
    address: str,
    given: Given,
    finish: Callable[[WriteTxn, Entry], None] | None = None,
    **fields: Any,
) -> Entry:
    """Make an entry with its mailbox and attributes, and what `finish` adds, in one transaction."""
    blobs = _blobs(given)
    object_guid, mailbox_guid, replica_guid = (secrets.token_bytes(16) for _ in range(3))
    seeds = accounts.Seeds(object_guid, mailbox_guid, replica_guid, now())

    def fn(txn: WriteTxn) -> Entry:
        entry = Entry(0, kind, address, given.get("name") or "", "", b"", **fields)
        entry = accounts.create(txn, replace(entry, person=_person(entry.person, given)), seeds)
        _put_links(txn, entry, given)
        for part, data in blobs.items():
            entries.set_blob(txn, entry.id, part, data)
        if finish is not None:
            finish(txn, entry)
        return entry

    return change(store, fn)


def update(store: Store, kinds: tuple[Kind, ...], address: str, given: Given, /, **fields: Any) -> Entry:
    """Change an entry's attributes; `fields` that are None stay."""
    blobs, when = _blobs(given), now()

    def fn(txn: WriteTxn) -> Entry:
        entry = entries.need(txn, address, *kinds)
        said = {name: value for name, value in fields.items() if value is not None}
        if given.get("name") is not None:
            said["display_name"] = given["name"]
        entry = replace(entry, person=_person(entry.person, given), changed=when, **said)
        entry = entries.update(txn, entry)
        _put_links(txn, entry, given)
        for part, data in blobs.items():
            entries.set_blob(txn, entry.id, part, data)
        return entry

    return change(store, fn)


def remove(store: Store, kinds: tuple[Kind, ...], address: str) -> None:
    """Take an entry away, with its mailbox, in steps."""

    def begin(txn: WriteTxn) -> Entry:
        entry = entries.need(txn, address, *kinds)
        return accounts.begin_removal(txn, entry) if entry.kind in WITH_MAILBOX else entry

    entry, when = store.write(begin, reserve=True).result(), now()
    while not store.write(lambda txn: accounts.remove_step(txn, entry.id, when), reserve=True).result():
        pass


def facts(txn: ReadTxn, entry: Entry) -> dict[str, object]:
    """What `show` prints of an entry."""
    known: dict[str, object] = {
        "address": entry.address,
        "name": entry.display_name,
        "kind": entry.kind.name.lower().replace("_", "-"),
        "aliases": list(entry.aliases),
        "enabled": entry.enabled,
        "hidden": entry.hidden,
        "legacy_dn": entry.legacy_dn,
        "x500": list(entry.x500),
        "guid": str(UUID(bytes_le=entry.object_guid)),
    }
    if entry.kind in WITH_MAILBOX:
        known["mailbox_guid"] = str(UUID(bytes_le=entry.mailbox_guid))
        known["mailbox"] = entry.mailbox
        known["protocols_off"] = sorted(protocol.value for protocol in entry.disabled_protocols)
        known["rights"] = [right.name.lower().replace("_", "-") for right in entry.rights if right.name]
    known |= {name: value for name in PERSON_FIELDS if (value := getattr(entry.person, name))}
    for name, link in _LINKS.items():
        found = [entries.get(txn, id).address for id in links.targets(txn, link, entry.id)]
        known |= {name: found[0]} if found else {}
    for part in (Part.PHOTO, Part.CERTIFICATE):
        if blob := entries.get_blob(txn, entry.id, part):
            known[part.name.lower()] = f"{len(blob)} bytes"
    known["groups"] = sorted(group.address for group in resolve.groups_of(txn, entry))
    return known


def show(address: str, kinds: tuple[Kind, ...], *, as_json: bool) -> None:
    """Print an entry."""
    with open_store() as store, store.read() as txn:
        print_facts(facts(txn, entries.need(txn, address, *kinds)), as_json=as_json)


def print_list(kinds: tuple[Kind, ...], *, as_json: bool) -> None:
    """Print the entries of some kinds."""
    with open_store() as store, store.read() as txn:
        found = [_row(entry) for entry in entries.list_entries(txn, *kinds)]
    print_rows(found, ["address", "name", "aliases", "enabled"], as_json=as_json)


def _row(entry: Entry) -> Mapping[str, object]:
    return {
        "address": entry.address,
        "name": entry.display_name,
        "kind": entry.kind.name.lower().replace("_", "-"),
        "aliases": list(entry.aliases),
        "enabled": entry.enabled,
    }


def _person(person: Person, given: Given) -> Person:
    said = {name: given[name] for name in PERSON_FIELDS if given.get(name) is not None}
    return replace(person, **said)


def _put_links(txn: WriteTxn, entry: Entry, given: Given) -> None:
    for name, link in _LINKS.items():
        if given.get(name) is not None:
            other = entries.need(txn, given[name]) if given[name] else None
            links.replace(txn, link, entry.id, other.id if other else None)


def _blobs(given: Given) -> dict[Part, bytes]:
    found = {}
    if given.get("photo"):
        photo = given["photo"].read_bytes()
        if not photo.startswith(_PICTURES):
            raise Failed(f"{given['photo']} is neither JPEG nor PNG")
        found[Part.PHOTO] = photo
    if given.get("certificate"):
        found[Part.CERTIFICATE] = _certificate(given["certificate"])
    return found


def _certificate(path: Path) -> bytes:
    data = path.read_bytes()
    try:
        pem = b"-----BEGIN" in data
        loaded = x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
    except ValueError:
        raise Failed(f"{path} is no X.509 certificate") from None
    return loaded.public_bytes(Encoding.DER)
