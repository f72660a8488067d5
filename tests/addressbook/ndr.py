"""The address book's answers as the NDR structures of impacket: what an RPC server will send.

impacket was written from the documents by others; its classes check sizes, pointers and unions.
`pack_rows` gives bytes, `read_rows` what a client sees in them.
"""

from typing import Any

from impacket.dcerpc.v5 import nspi

from appliance.addressbook.rows import PropertyRow
from appliance.addressbook.stat import Stat
from appliance.mapi import codepages
from appliance.mapi import types as t

_FIELDS = {
    t.PtypInteger32: "l", t.PtypBoolean: "b", t.PtypString8: "lpszA", t.PtypBinary: "bin",
    t.PtypString: "lpszW", t.PtypTime: "ft", t.PtypErrorCode: "err", t.PtypMultipleString8: "MVszA",
    t.PtypMultipleBinary: "MVbin", t.PtypMultipleString: "MVszW", t.PtypNull: "lReserved",
    t.PtypObject: "lReserved",
}  # fmt: skip


def stat(value: Stat) -> bytes:
    """A STAT."""
    made = nspi.STAT()
    names = ("SortType", "ContainerID", "CurrentRec", "Delta", "NumPos", "TotalRecs", "CodePage",
             "TemplateLocale", "SortLocale")  # fmt: skip
    for name, (field, _) in zip(names, Stat.FIELDS, strict=True):
        made[name] = getattr(value, field)
    return bytes(made.getData())


def _time(value: int) -> Any:
    made = nspi.FILETIME()
    made["dwLowDateTime"], made["dwHighDateTime"] = value & 0xFFFFFFFF, value >> 32
    return made


def _binary(value: bytes) -> Any:
    made = nspi.Binary_r()
    made["cValues"] = len(value)
    made["lpb"] = value
    return made


def _text8(value: str, page: int) -> bytes:
    return codepages.encode(value, page) + b"\0"


def _put(value: Any, kind: int, union: Any, page: int) -> None:
    name = _FIELDS[kind]
    if kind in (t.PtypNull, t.PtypObject):
        union[name] = 0
    elif kind == t.PtypString8:
        union[name] = _text8(value, page)
    elif kind == t.PtypString:
        union[name] = value + "\0"
    elif kind == t.PtypBinary:
        union[name] = _binary(value)
    elif kind == t.PtypTime:
        union[name] = _time(value)
    elif kind & t.MULTIPLE_FLAG:
        _put_many(value, t.element_type(kind), union[name], page)
    else:
        union[name] = int(value)


def _put_many(values: Any, kind: int, made: Any, page: int) -> None:
    made["cValues"] = len(values)
    field = next(name for name, _ in made.structure if name != "cValues")
    for value in values:
        if kind == t.PtypString8:
            item: Any = nspi.LPSTR()
            item["Data"] = _text8(value, page)
        elif kind == t.PtypString:
            item = nspi.LPWSTR()
            item["Data"] = value + "\0"
        else:
            item = _binary(value)
        made[field].append(item)


def property_value(tag: int, value: t.Value, page: int) -> Any:
    """A PropertyValue_r."""
    made = nspi.PropertyValue_r()
    made["ulPropTag"], made["ulReserved"] = tag, 0
    made["Value"]["tag"] = t.type_of(tag)
    _put(value, t.type_of(tag), made["Value"], page)
    return made


def property_row(row: PropertyRow, page: int) -> Any:
    """A PropertyRow_r."""
    made = nspi.PropertyRow_r()
    made["Reserved"], made["cValues"] = 0, len(row)
    for tag, value in row:
        made["lpProps"].append(property_value(tag, value, page))
    return made


def pack_rows(rows: list[PropertyRow], page: int) -> bytes:
    """A PropertyRowSet_r."""
    made = nspi.PropertyRowSet_r()
    made["cRows"] = len(rows)
    for row in rows:
        made["aRow"].append(property_row(row, page))
    return bytes(made.getData()) + bytes(made.getDataReferents())


def read_rows(data: bytes) -> list[dict[int, Any]]:
    """What impacket reads in a PropertyRowSet_r: (type, value) by property id."""
    found = nspi.PropertyRowSet_r()
    used = found.fromString(data)
    found.fromStringReferents(data[used:], used)
    rows = []
    for row in found["aRow"]:
        assert row["Reserved"] == 0
        assert row["cValues"] == len(row["lpProps"])
        rows.append({value["ulPropTag"]: _value(value) for value in row["lpProps"]})
    return rows


def _value(value: Any) -> Any:
    assert value["ulReserved"] == 0
    kind = value["ulPropTag"] & 0xFFFF
    assert value["Value"]["tag"] == kind
    found = value["Value"][_FIELDS[kind]]
    if kind == t.PtypBinary:
        return b"".join(found["lpb"])
    if kind == t.PtypMultipleBinary:
        return [b"".join(one["lpb"]) for one in found["lpbin"]]
    if kind == t.PtypTime:
        return found["dwHighDateTime"] << 32 | found["dwLowDateTime"]
    if kind in (t.PtypMultipleString8, t.PtypMultipleString):
        return [one["Data"] if hasattr(one, "structure") else one for one in found[found.structure[1][0]]]
    return found
