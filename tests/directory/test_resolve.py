"""Where mail goes, and who may send as whom."""

from dataclasses import replace

import pytest

from appliance.directory import entries, links, resolve
from appliance.directory.errors import NotAllowed
from appliance.directory.links import Link
from appliance.directory.model import Entry, Kind, Person, Right, Senders
from appliance.directory.resolve import SendAs, Status
from tests.directory.conftest import Directory


def _join(directory: Directory, group: Entry, *members: Entry) -> None:
    for member in members:
        directory.write(lambda txn, m=member: resolve.add_member(txn, group, m))  # type: ignore[misc]


def _boxes(expansion: resolve.Expansion) -> list[str]:
    return sorted(box.entry.address for box in expansion.mailboxes)


def test_aliases_and_details(directory: Directory) -> None:
    directory.add("alice@example.test", aliases=("sales+eu@example.test",))
    with directory.store.read() as txn:
        plain = resolve.expand(txn, "ALICE@example.test")
        detail = resolve.expand(txn, "alice+Lists@example.test")
        whole = resolve.expand(txn, "sales+eu@example.test")
        assert resolve.expand(txn, "bob@example.test").status is Status.UNKNOWN
        assert resolve.expand(txn, "nobody").status is Status.BAD
        outside = resolve.expand(txn, "x@elsewhere.test")
    assert (_boxes(plain), plain.mailboxes[0].detail) == (["alice@example.test"], "")
    assert detail.mailboxes[0].detail == "Lists"
    assert whole.mailboxes[0].detail == ""
    assert (outside.status, outside.external[0].address) == (Status.EXTERNAL, "x@elsewhere.test")


def test_groups_nest_and_each_recipient_comes_once(directory: Directory) -> None:
    alice, bob = directory.add("alice@example.test"), directory.add("bob@example.test")
    gone = directory.add("gone@example.test", enabled=False)
    carol = directory.add("carol@elsewhere.test", Kind.CONTACT, "Carol")
    inner, outer = (
        directory.add("inner@example.test", Kind.GROUP),
        directory.add("outer@example.test", Kind.GROUP),
    )
    _join(directory, inner, alice, bob, carol)
    _join(directory, outer, inner, alice, gone)
    directory.write(lambda txn: links.add(txn, Link.MANAGED_BY, outer.id, bob.id))
    with directory.store.read() as txn:
        found = resolve.expand(txn, "outer@example.test")
        assert resolve.is_member(txn, outer, bob)
        assert not resolve.is_member(txn, inner, outer)
        assert [group.id for group in resolve.groups_of(txn, alice)] == [inner.id, outer.id]
    assert _boxes(found) == ["alice@example.test", "bob@example.test"]
    assert [external.address for external in found.external] == ["carol@elsewhere.test"]
    assert found.owner == "bob@example.test"


def test_loops_are_refused_and_harmless(directory: Directory) -> None:
    one, two = directory.add("one@example.test", Kind.GROUP), directory.add("two@example.test", Kind.GROUP)
    alice = directory.add("alice@example.test")
    _join(directory, one, two, alice)
    with pytest.raises(NotAllowed):
        _join(directory, two, one)
    with pytest.raises(NotAllowed):
        _join(directory, one, one)
    for key in (links._key(64, Link.MEMBER, two.id, one.id), links._key(65, Link.MEMBER, one.id, two.id)):
        directory.write(lambda txn, k=key: txn.put(k, b""))  # type: ignore[misc]
    with directory.store.read() as txn:
        assert _boxes(resolve.expand(txn, "two@example.test")) == ["alice@example.test"]
        assert any("within itself" in line for line in entries.check(txn))
    directory.write(lambda txn: links.remove(txn, Link.MEMBER, two.id, one.id))


def test_dynamic_groups_follow_their_filter(directory: Directory) -> None:
    sales = Person(department="Sales")
    alice = directory.add("alice@example.test", person=sales)
    directory.add("bob@example.test", person=Person(department="Support"))
    directory.add("carol@elsewhere.test", Kind.CONTACT, "Carol", person=sales)
    group = directory.add("sales@example.test", Kind.DYNAMIC_GROUP, filter="(department=sales)")
    with directory.store.read() as txn:
        found = resolve.expand(txn, "sales@example.test")
        assert [item.id for item in resolve.groups_of(txn, alice)] == [group.id]
    assert _boxes(found) == ["alice@example.test"]
    assert [external.address for external in found.external] == ["carol@elsewhere.test"]
    with pytest.raises(NotAllowed):
        _join(directory, group, alice)


def test_who_may_send_to_a_group(directory: Directory) -> None:
    alice, bob = directory.add("alice@example.test"), directory.add("bob@example.test")
    group = directory.add("staff@example.test", Kind.GROUP)
    _join(directory, group, alice)

    def status(senders: Senders, sender: Entry | None) -> Status:
        current = directory.write(lambda txn: entries.update(txn, replace(group, senders=senders)))
        with directory.store.read() as txn:
            assert resolve.expand(txn, current.address, sender, trusted=True).status is Status.FOUND
            return resolve.expand(txn, current.address, sender).status

    assert status(Senders.ANYONE, None) is Status.FOUND
    assert status(Senders.INTERNAL, None) is Status.REFUSED
    assert status(Senders.INTERNAL, bob) is Status.FOUND
    assert status(Senders.MEMBERS, bob) is Status.REFUSED
    assert status(Senders.MEMBERS, alice) is Status.FOUND
    assert status(Senders.LISTED, alice) is Status.REFUSED
    directory.write(lambda txn: links.add(txn, Link.ACCEPTS, group.id, bob.id))
    assert status(Senders.LISTED, bob) is Status.FOUND
    assert status(Senders.LISTED, alice) is Status.REFUSED


def test_disabled_accounts_receive_nothing(directory: Directory) -> None:
    directory.add("alice@example.test", enabled=False)
    with directory.store.read() as txn:
        assert resolve.expand(txn, "alice@example.test").status is Status.DISABLED


def test_postmaster_is_always_there(directory: Directory) -> None:
    directory.add("alice@example.test")
    boss = directory.add("boss@example.test", rights=Right.ORGANIZATION_MANAGEMENT)
    with directory.store.read() as txn:
        for address in ("postmaster@example.test", "Postmaster@mail.example.test", "abuse@example.test"):
            assert resolve.expand(txn, address).entry == boss
        assert resolve.expand(txn, "postmaster@elsewhere.test").status is Status.EXTERNAL


def test_send_as(directory: Directory) -> None:
    alice, bob = (
        directory.add("alice@example.test", aliases=("al@example.test",)),
        directory.add("bob@example.test"),
    )
    group = directory.add("staff@example.test", Kind.GROUP)
    directory.write(lambda txn: links.add(txn, Link.SEND_ON_BEHALF, alice.id, bob.id))
    directory.write(lambda txn: links.add(txn, Link.MANAGED_BY, group.id, bob.id))
    with directory.store.read() as txn:
        assert resolve.may_send_as(txn, alice, "Al+x@example.test") is SendAs.SELF
        assert resolve.may_send_as(txn, bob, "al@example.test") is SendAs.ON_BEHALF
        assert resolve.may_send_as(txn, alice, "bob@example.test") is SendAs.NO
        assert resolve.may_send_as(txn, bob, "staff@example.test") is SendAs.AS
        assert resolve.may_send_as(txn, alice, "staff@example.test") is SendAs.NO
        assert resolve.may_send_as(txn, alice, "x@elsewhere.test") is SendAs.NO
    directory.write(lambda txn: links.add(txn, Link.SEND_AS, alice.id, bob.id))
    with directory.store.read() as txn:
        assert resolve.may_send_as(txn, bob, "alice@example.test") is SendAs.AS
