"""Entries of the directory: kept, found by address, name and kind, changed, removed.

Functions of a transaction. Rows of DIRECTORY are (part, id), rows of DIRECTORY_INDEX (index, value, id).

Invariants (`check` verifies them):
- Each address, alias and distinguished name leads to exactly one entry, without regard to case.
- Every entry stands once in the indexes of names, kinds and GUIDs, and these lead nowhere else.
- Addresses of entries other than contacts lie in served domains when they are given.
- An id is never used again. Each change moves the directory's version by one.

Errors: `Unknown`, `Taken`, `NotServed`, `NotAllowed`, and `BadAddress` for what is no address.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import IntEnum

from appliance.directory import domains, links, model
from appliance.directory.addresses import BadAddress, parse
from appliance.directory.errors import NotAllowed, NotServed, Taken, Unknown
from appliance.directory.model import Entry, Kind
from appliance.directory.sort import fold, sort_key, words
from appliance.store import keys
from appliance.store.keys import SERVER, Table, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn

FIRST_ID = 16
"""Ids below are reserved for Minimal Entry IDs with a meaning of their own (MS-OXNSPI 2.2.1.8, 2.2.9.1)."""

MAX_NAME = 256
"""Characters of a display name, at most."""

MAX_TEXT = 1024
"""Characters of any attribute of a person, at most."""

MAX_ALIASES = 200
MAX_BLOB = 1 << 20
"""Bytes of a photo or certificate, at most."""


class Part(IntEnum):
    """Kinds of rows in DIRECTORY; part of the store's format."""

    COUNTERS = 0
    ENTRY = 1
    PHOTO = 2
    CERTIFICATE = 3
    CREDENTIALS = 4
    FURTHER_CERTIFICATES = 5
    SMIME_CERTIFICATES = 6


_BLOBS = (
    Part.PHOTO,
    Part.CERTIFICATE,
    Part.CREDENTIALS,
    Part.FURTHER_CERTIFICATES,
    Part.SMIME_CERTIFICATES,
)


class Index(IntEnum):
    """Kinds of rows in DIRECTORY_INDEX; part of the store's format. `links` has 64 and 65."""

    ADDRESS = 1
    LEGACY_DN = 2
    NAME = 3
    KIND = 4
    GUID = 5
    MAILBOX = 6
    WORD = 7


_LAST_ID = keys.pack(SERVER, Table.DIRECTORY, Part.COUNTERS, "last id")
_VERSION = keys.pack(SERVER, Table.DIRECTORY, Part.COUNTERS, "version")
_UNIQUE = {
    Index.ADDRESS: "the address {} is taken",
    Index.LEGACY_DN: "the distinguished name {} is taken",
    Index.GUID: "the GUID {} is taken",
    Index.MAILBOX: "mailbox {} has an owner",
}


def get(txn: ReadTxn, id: int) -> Entry:
    """The entry of an id. Raises Unknown."""
    entry = find(txn, id)
    if entry is None:
        raise Unknown(f"there is no entry {id}")
    return entry


def find(txn: ReadTxn, id: int) -> Entry | None:
    """The entry of an id, or None."""
    raw = txn.get(_row(Part.ENTRY, id))
    return None if raw is None else model.unpack(id, raw)


def by_address(txn: ReadTxn, address: str) -> Entry | None:
    """The entry whose primary address or alias this is; details after a plus are not looked at
    (`resolve.expand` does). A text that is no address is nobody's."""
    try:
        return _by(txn, Index.ADDRESS, parse(address).key)
    except BadAddress:
        return None


def need(txn: ReadTxn, address: str, *kinds: Kind) -> Entry:
    """The entry of an address, of one of `kinds` if any are given. Raises Unknown."""
    entry = by_address(txn, address)
    if entry is None or (kinds and entry.kind not in kinds):
        raise Unknown(f"{address} is unknown" if entry is None else f"{address} is a {_NOUN[entry.kind]}")
    return entry


def by_account(txn: ReadTxn, name: str) -> Entry | None:
    """Whom a log-on name means: an address, or a name without a domain in the primary one or, failing
    that, in any one served domain."""
    if "@" in name:
        return by_address(txn, name)
    for domain in domains.get(txn).domains:
        entry = by_address(txn, f"{name}@{domain}")
        if entry is not None:
            return entry
    return None


def by_legacy_dn(txn: ReadTxn, legacy_dn: str) -> Entry | None:
    """The entry of a distinguished name, current or former. They have ASCII alone."""
    if not legacy_dn.isascii():
        return None
    return _by(txn, Index.LEGACY_DN, legacy_dn.casefold())


def by_guid(txn: ReadTxn, object_guid: bytes) -> Entry | None:
    """The entry of an object GUID."""
    return _by(txn, Index.GUID, object_guid)


def by_mailbox(txn: ReadTxn, mailbox: int) -> Entry | None:
    """Who owns a private mailbox."""
    return _by(txn, Index.MAILBOX, mailbox)


def list_entries(txn: ReadTxn, *kinds: Kind) -> Iterator[Entry]:
    """Entries of some kinds, or all, in the order of their display names."""
    for id in ids_by_name(txn):
        entry = get(txn, id)
        if not kinds or entry.kind in kinds:
            yield entry


def ids_by_name(txn: ReadTxn) -> Iterator[int]:
    """Ids of all entries in the order of their display names."""
    return map(tail_q, _scan(txn, Index.NAME))


def ids_of_name(txn: ReadTxn, name: str) -> Iterator[int]:
    """Ids of entries whose display names or accounts are `name`, without regard to case and accents."""
    start = (
        keys.pack(SERVER, Table.DIRECTORY_INDEX, Index.NAME) + keys.part(fold(name).encode() + b"\x01")[:-2]
    )
    yield from map(tail_q, txn.scan_keys(start, successor(start)))
    entry = by_account(txn, name)
    if entry is not None:
        yield entry.id


def ids_of_kind(txn: ReadTxn, kind: Kind) -> Iterator[int]:
    """Ids of one kind, ascending."""
    return map(tail_q, _scan(txn, Index.KIND, int(kind)))


def ids_with_word(txn: ReadTxn, prefix: str) -> set[int]:
    """Ids of entries in whose names or addresses a word begins with a folded `prefix`."""
    start = keys.pack(SERVER, Table.DIRECTORY_INDEX, Index.WORD) + keys.part(prefix)[:-2]
    return {tail_q(key) for key in txn.scan_keys(start, successor(start))}


def raw_rows(txn: ReadTxn) -> Iterator[tuple[int, bytes]]:
    """Every entry's id and row, ascending: for caches that look at what changed only (`model.unpack`)."""
    prefix = keys.pack(SERVER, Table.DIRECTORY, Part.ENTRY)
    for key, raw in txn.scan(prefix, successor(prefix)):
        yield tail_q(key), raw


def version(txn: ReadTxn) -> int:
    """A number that moves with every change of the directory: what caches compare."""
    return int.from_bytes(txn.get(_VERSION) or b"", "big")


def add(txn: WriteTxn, entry: Entry) -> Entry:
    """Keep a new entry under the next id (the given one is not looked at). An empty `legacy_dn` is made
    from the address and the object GUID. Raises Taken, NotServed, NotAllowed, BadAddress."""
    id = max(int.from_bytes(txn.get(_LAST_ID) or b"", "big") + 1, FIRST_ID)
    entry = _checked(txn, replace(entry, id=id), None)
    txn.put(_LAST_ID, id.to_bytes(8, "big"))
    _write(txn, entry, None)
    return entry


def update(txn: WriteTxn, entry: Entry) -> Entry:
    """Replace the entry of the same id. A distinguished name that changes stays as an X500 address.
    Raises Unknown, Taken, NotServed, NotAllowed, BadAddress."""
    old = get(txn, entry.id)
    if old.kind is not entry.kind:
        raise NotAllowed("an entry keeps its kind")
    if entry.legacy_dn.casefold() != old.legacy_dn.casefold():
        entry = replace(entry, x500=(*entry.x500, old.legacy_dn))
    entry = _checked(txn, entry, old)
    _write(txn, entry, old)
    return entry


def remove(txn: WriteTxn, id: int) -> Entry:
    """Remove an entry with its blobs, credentials and links; its mailbox is the caller's. Raises Unknown."""
    old = get(txn, id)
    links.drop(txn, id)
    for part in (Part.ENTRY, *_BLOBS):
        txn.delete(_row(part, id))
    for key in _index_keys(old):
        txn.delete(key)
    moved(txn)
    return old


def get_blob(txn: ReadTxn, id: int, part: Part) -> bytes | None:
    """The photo (JPEG or PNG), the certificate (DER) or the credentials of an entry; lists of certificates
    are read with `certificates`."""
    return txn.get(_row(part, id))


def set_blob(txn: WriteTxn, id: int, part: Part, data: bytes | None) -> None:
    """Keep, or with None remove, a blob of an entry. Raises Unknown, NotAllowed over MAX_BLOB."""
    get(txn, id)
    if data is not None and len(data) > MAX_BLOB:
        raise NotAllowed(f"at most {MAX_BLOB >> 10} KiB")
    if data is None:
        txn.delete(_row(part, id))
    else:
        txn.put(_row(part, id), data)
    moved(txn)


def moved(txn: WriteTxn) -> None:
    """Note a change: the version moves, watchers of the server's rows are told."""
    txn.put(_VERSION, (version(txn) + 1).to_bytes(8, "big"))
    txn.touch(SERVER)


def default_legacy_dn(txn: ReadTxn, entry: Entry) -> str:
    """A distinguished name as Exchange makes it, unique through the object GUID."""
    name = domains.ascii_name(entry.account).replace("=", "-")
    prefix = domains.get(txn).legacy_dn
    return f"{prefix}/cn=Recipients/cn={entry.object_guid.hex()}-{name}"


def check(txn: ReadTxn) -> Iterator[str]:
    """Every broken invariant of the directory, in words."""
    last, ids, wanted = int.from_bytes(txn.get(_LAST_ID) or b"", "big"), set[int](), set[bytes]()
    prefix = keys.pack(SERVER, Table.DIRECTORY, Part.ENTRY)
    for key, raw in txn.scan(prefix, successor(prefix)):
        entry = model.unpack(tail_q(key), raw)
        ids.add(entry.id)
        entry_keys = set(_index_keys(entry))
        if shared := entry_keys & wanted:
            yield f"entry {entry.id} shares {len(shared)} names with another"
        wanted |= entry_keys
        yield from _check_entry(txn, entry, last, entry_keys)
    for index in Index:
        for key in _scan(txn, index):
            if key not in wanted:
                yield f"a row of index {index.name} leads to no entry: {key.hex()}"
    for part in _BLOBS:
        start = keys.pack(SERVER, Table.DIRECTORY, part)
        for key in txn.scan_keys(start, successor(start)):
            if tail_q(key) not in ids:
                yield f"{part.name} of entry {tail_q(key)}, which does not exist"
    yield from links.check(txn, ids)


def _check_entry(txn: ReadTxn, entry: Entry, last: int, entry_keys: Iterable[bytes]) -> Iterator[str]:
    if not FIRST_ID <= entry.id <= last:
        yield f"entry {entry.id} has an id that was not given out"
    for key in entry_keys:
        raw = txn.get(key)
        if raw is None:
            yield f"entry {entry.id} is missing in an index: {key.hex()}"
        elif raw and int.from_bytes(raw, "big") != entry.id:
            yield f"an index of entry {entry.id} leads to another: {key.hex()}"
    # a public folder's entry names the public mailbox, but has none of its own
    if entry.kind is not Kind.PUBLIC_FOLDER and (entry.kind in model.WITH_MAILBOX) != bool(entry.mailbox):
        yield (
            f"entry {entry.id} has no mailbox"
            if not entry.mailbox
            else (f"entry {entry.id} has a mailbox that its kind has not")
        )


_NOUN = {
    Kind.USER: "user",
    Kind.ROOM: "room",
    Kind.EQUIPMENT: "piece of equipment",
    Kind.CONTACT: "contact",
    Kind.GROUP: "group",
    Kind.DYNAMIC_GROUP: "dynamic group",
    Kind.PUBLIC_FOLDER: "public folder",
}


def _row(part: Part, id: int) -> bytes:
    return keys.pack(SERVER, Table.DIRECTORY, part, id)


def _scan(txn: ReadTxn, index: Index, *parts: keys.Part) -> Iterator[bytes]:
    prefix = keys.pack(SERVER, Table.DIRECTORY_INDEX, index, *parts)
    return txn.scan_keys(prefix, successor(prefix))


def _by(txn: ReadTxn, index: Index, value: keys.Part) -> Entry | None:
    raw = txn.get(keys.pack(SERVER, Table.DIRECTORY_INDEX, index, value))
    return None if raw is None else find(txn, int.from_bytes(raw, "big"))


def _unique(entry: Entry) -> Iterator[tuple[Index, keys.Part]]:
    for address in entry.addresses:
        yield Index.ADDRESS, parse(address).key
    for name in (entry.legacy_dn, *entry.x500):
        yield Index.LEGACY_DN, name.casefold()
    yield Index.GUID, entry.object_guid
    if entry.mailbox and entry.kind is not Kind.PUBLIC_FOLDER:
        yield Index.MAILBOX, entry.mailbox


def _index_keys(entry: Entry) -> Iterator[bytes]:
    """Every row of DIRECTORY_INDEX that belongs to an entry, links apart."""
    for index, value in _unique(entry):
        yield keys.pack(SERVER, Table.DIRECTORY_INDEX, index, value)
    yield keys.pack(SERVER, Table.DIRECTORY_INDEX, Index.NAME, sort_key(entry.display_name), entry.id)
    yield keys.pack(SERVER, Table.DIRECTORY_INDEX, Index.KIND, int(entry.kind), entry.id)
    for word in search_words(entry):
        yield keys.pack(SERVER, Table.DIRECTORY_INDEX, Index.WORD, word, entry.id)


def search_words(entry: Entry) -> set[str]:
    """The folded words that name resolution looks for (MS-OXOABK 3.1.4.7 leaves the choice to servers)."""
    texts = [entry.display_name, entry.person.given_name, entry.person.surname, entry.person.office]
    found = {word for text in texts for word in words(text)}
    for address in entry.addresses:
        found.update(words(address.rpartition("@")[0]))
    return found


def _write(txn: WriteTxn, entry: Entry, old: Entry | None) -> None:
    before = set(_index_keys(old)) if old else set()
    after = set(_index_keys(entry))
    unique = {keys.pack(SERVER, Table.DIRECTORY_INDEX, index, value) for index, value in _unique(entry)}
    for key in before - after:
        txn.delete(key)
    for key in after - before:
        txn.put(key, entry.id.to_bytes(8, "big") if key in unique else b"")
    txn.put(_row(Part.ENTRY, entry.id), model.pack(entry))
    moved(txn)


def _checked(txn: ReadTxn, entry: Entry, old: Entry | None) -> Entry:
    """The entry with its addresses in their canonical form, if it may be kept."""
    known = frozenset(old.addresses) if old else frozenset[str]()
    addresses = tuple(_address(txn, text, entry.kind, known) for text in entry.addresses)
    keep = {parse(text).key: text for text in reversed(addresses)}
    aliases = tuple(text for key, text in reversed(keep.items()) if key != parse(addresses[0]).key)
    entry = replace(
        entry,
        address=addresses[0],
        aliases=aliases,
        display_name=entry.display_name.strip() or addresses[0].rpartition("@")[0],
    )
    entry = replace(entry, legacy_dn=entry.legacy_dn or default_legacy_dn(txn, entry))
    former = {name.casefold(): name for name in entry.x500 if name.casefold() != entry.legacy_dn.casefold()}
    entry = replace(entry, x500=tuple(former.values()))
    for allowed, why in _rules(entry):
        if not allowed:
            raise NotAllowed(why)
    for index, value in _unique(entry):
        raw = txn.get(keys.pack(SERVER, Table.DIRECTORY_INDEX, index, value))
        if raw is not None and int.from_bytes(raw, "big") != entry.id:
            raise Taken(_UNIQUE[index].format(value.hex() if isinstance(value, bytes) else value))
    return entry


def _address(txn: ReadTxn, text: str, kind: Kind, known: frozenset[str]) -> str:
    address = parse(text)
    if str(address) in known:
        return str(address)
    if domains.is_served(txn, address.domain) == (kind is Kind.CONTACT):
        where = "inside" if kind is Kind.CONTACT else "outside"
        raise NotServed(f"{address} lies {where} the served domains")
    return str(address)


def _rules(entry: Entry) -> Iterator[tuple[bool, str]]:
    person = [getattr(entry.person, name) for name in model.PERSON_FIELDS]
    dn = entry.legacy_dn
    yield len(entry.display_name) <= MAX_NAME, f"a name has at most {MAX_NAME} characters"
    yield entry.display_name.isprintable(), "a name has no control characters"
    yield all(len(text) <= MAX_TEXT for text in person), f"an attribute has at most {MAX_TEXT} characters"
    yield all(map(_is_text, person)), "an attribute has no control characters"
    yield len(entry.aliases) <= MAX_ALIASES, f"an entry has at most {MAX_ALIASES} aliases"
    yield len(entry.object_guid) == 16, "an object GUID has 16 bytes"
    yield (
        dn.startswith("/") and dn.isprintable() and dn.isascii() and len(dn) <= MAX_TEXT,
        ("a distinguished name begins with a slash and has ASCII alone"),
    )
    yield entry.quota is None or entry.quota >= 0, "a quota is not negative"
    yield not entry.filter or entry.kind is Kind.DYNAMIC_GROUP, "only dynamic groups have a filter"


def _is_text(text: str) -> bool:
    return not any(ord(char) < 32 and char not in "\t\r\n" for char in text)
