"""Entries: kept, found, changed, removed."""

from dataclasses import replace

import pytest

from appliance.directory import entries, links, model
from appliance.directory.errors import NotAllowed, NotServed, Taken, Unknown
from appliance.directory.links import Link
from appliance.directory.model import Kind, Person, Protocol, Right, Senders
from appliance.store.keys import SERVER, Table, pack
from tests.directory.conftest import Directory


def test_found_by_every_name(directory: Directory) -> None:
    alice = directory.add("Alice@example.test", name="Alice Ångström", aliases=("a.angstrom@BÜCHER.example",))
    with directory.store.read() as txn:
        for address in ("alice@EXAMPLE.test", "A.Angstrom@xn--bcher-kva.example", '"alice"@example.test'):
            assert entries.by_address(txn, address) == alice
        assert entries.by_account(txn, "ALICE") == alice
        assert entries.by_account(txn, "a.angstrom") == alice
        assert entries.by_legacy_dn(txn, alice.legacy_dn.upper()) == alice
        assert entries.by_guid(txn, alice.object_guid) == alice
        assert entries.by_mailbox(txn, alice.mailbox) == alice
        assert entries.by_address(txn, "bob@example.test") is None
        assert entries.by_address(txn, "no address") is None
        with pytest.raises(Unknown):
            entries.need(txn, "bob@example.test")
        with pytest.raises(Unknown, match="a user"):
            entries.need(txn, "alice@example.test", Kind.ROOM)
    assert alice.id >= entries.FIRST_ID
    assert alice.legacy_dn.startswith(
        "/o=Example Ltd/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn="
    )


def test_names_are_unique(directory: Directory) -> None:
    alice = directory.add("alice@example.test", aliases=("al@example.test",))
    for address in ("ALICE@example.test", "Al@example.test"):
        with pytest.raises(Taken):
            directory.add(address)
    with pytest.raises(Taken):
        directory.add("bob@example.test", legacy_dn=alice.legacy_dn.lower())
    with pytest.raises(Taken):
        directory.add("bob@example.test", mailbox=alice.mailbox)
    assert directory.add("bob@example.test").id == alice.id + 1


def test_served_domains(directory: Directory) -> None:
    with pytest.raises(NotServed):
        directory.add("alice@elsewhere.test")
    with pytest.raises(NotServed):
        directory.add("carol@example.test", Kind.CONTACT)
    contact = directory.add("carol@elsewhere.test", Kind.CONTACT, "Carol")
    assert contact.address == "carol@elsewhere.test"


def test_update_moves_the_indexes(directory: Directory) -> None:
    alice = directory.add("alice@example.test", name="Alice", aliases=("al@example.test",))
    renamed = replace(alice, address="alicia@example.test", display_name="Alicia", legacy_dn="/o=Old/cn=A")
    changed = directory.write(lambda txn: entries.update(txn, renamed))
    with directory.store.read() as txn:
        assert entries.by_address(txn, "alice@example.test") is None
        assert entries.by_address(txn, "alicia@example.test") == changed
        assert entries.by_legacy_dn(txn, alice.legacy_dn) == changed
        assert entries.by_legacy_dn(txn, "/o=old/CN=a") == changed
        assert entries.ids_with_word(txn, "alice") == set()
        assert entries.ids_with_word(txn, "alici") == {alice.id}
    with pytest.raises(NotAllowed):
        directory.write(lambda txn: entries.update(txn, replace(changed, kind=Kind.ROOM)))


def test_ids_are_never_used_again(directory: Directory) -> None:
    alice, bob = directory.add("alice@example.test"), directory.add("bob@example.test")
    directory.write(lambda txn: entries.set_blob(txn, bob.id, entries.Part.PHOTO, b"JPEG"))
    directory.write(lambda txn: links.add(txn, Link.DELEGATE, alice.id, bob.id))
    directory.write(lambda txn: entries.remove(txn, bob.id))
    with directory.store.read() as txn:
        assert entries.get_blob(txn, bob.id, entries.Part.PHOTO) is None
        assert links.targets(txn, Link.DELEGATE, alice.id) == []
        assert [entry.id for entry in entries.list_entries(txn)] == [alice.id]
    assert directory.add("bob@example.test").id == bob.id + 1


def test_listing_is_in_the_order_of_names(directory: Directory) -> None:
    for at, name in enumerate(["Zoe", "émile", "Emil", "Åsa", "adam", "Ärla", "straße", "Strasse"]):
        directory.add(f"u{at}@example.test", name=name)
    with directory.store.read() as txn:
        names = [entry.display_name for entry in entries.list_entries(txn, Kind.USER)]
    assert names == ["adam", "Ärla", "Åsa", "Emil", "émile", "straße", "Strasse", "Zoe"]


def test_every_field_survives_packing(directory: Directory) -> None:
    full = directory.entry(
        "x@example.test",
        Kind.USER,
        "X",
        aliases=("y@example.test",),
        person=Person(**{name: f"the {name}" for name in model.PERSON_FIELDS}),
        mailbox_guid=bytes(range(16)),
        folder=7,
        enabled=False,
        hidden=True,
        disabled_protocols=frozenset({Protocol.IMAP, Protocol.EAS}),
        rights=Right.DISCOVERY | Right.IMPERSONATION,
        senders=Senders.LISTED,
        quota=0,
        x500=("/o=Former/cn=x",),
        capacity=12,
        created=1,
        changed=2,
    )
    kept = directory.write(lambda txn: entries.add(txn, full))
    assert replace(kept, id=0, legacy_dn="") == full
    with directory.store.read() as txn:
        assert entries.get(txn, kept.id) == kept
    assert not kept.may_use(Protocol.EWS)


def test_fields_of_a_later_release_are_passed_over(directory: Directory) -> None:
    alice = directory.add("alice@example.test")
    later = model.pack(alice)[:-1] + b',"of tomorrow":{"x":1},"protocols_off":["telepathy"]}'
    assert model.unpack(alice.id, later) == alice


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x" * 257},
        {"name": "a\nb"},
        {"object_guid": b"short"},
        {"quota": -1},
        {"filter": "kind=user"},
        {"legacy_dn": "no slash"},
        {"person": Person(title="x" * 1025)},
        {"person": Person(title="\x00")},
        {"aliases": tuple(f"a{n}@example.test" for n in range(201))},
    ],
)
def test_rules(directory: Directory, fields: dict[str, object]) -> None:
    with pytest.raises(NotAllowed):
        directory.add("alice@example.test", **fields)  # type: ignore[arg-type]


def test_version_moves_and_watchers_are_told(directory: Directory) -> None:
    told: list[frozenset[int]] = []
    directory.store.watch(told.append)
    with directory.store.read() as txn:
        before = entries.version(txn)
    directory.add("alice@example.test")
    with directory.store.read() as txn:
        assert entries.version(txn) == before + 1
    assert told == [frozenset({SERVER})]


def test_check_finds_damage(directory: Directory) -> None:
    alice = directory.add("alice@example.test")
    address = pack(SERVER, Table.DIRECTORY_INDEX, entries.Index.ADDRESS, "alice@example.test")
    stray = pack(SERVER, Table.DIRECTORY_INDEX, entries.Index.NAME, b"nobody", 99)
    half = pack(SERVER, Table.DIRECTORY_INDEX, 64, int(Link.MEMBER), alice.id, 99)

    def damage() -> list[str]:
        with directory.store.read() as txn:
            return list(entries.check(txn))

    for key, value, words in (
        (address, None, "missing in an index"),
        (address, (99).to_bytes(8, "big"), "leads to another"),
        (stray, b"", "leads to no entry"),
        (half, b"", "in one direction only"),
    ):
        with directory.store.read() as txn:
            before = txn.get(key)
        directory.write(lambda txn, k=key, v=value: txn.delete(k) if v is None else txn.put(k, v))  # type: ignore[misc]
        assert any(words in line for line in damage()), words
        directory.write(lambda txn, k=key, v=before: txn.delete(k) if v is None else txn.put(k, v))  # type: ignore[misc]
    assert damage() == []
