"""Templates: the controls of details dialogs and of dialogs that make addresses (MS-OXOABKT 2.2.2).

The data of a template is a TRowSet: a version, a count, a row of nine 32-bit numbers for each control, and
the strings that the rows lead to by their offset, null-terminated in the client's code page. A script is a
program of 32-bit words that makes an address of what was typed in, with its strings behind it. `pack` and
`parse` are inverse; the dialogs themselves are in `dialogs`.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from appliance.mapi import codepages
from appliance.wire.cursor import Reader
from appliance.wire.errors import DecodeError

VERSION: Final = 1
MAX_CONTROLS = 1_000


class ControlType(IntEnum):
    """What a control is (MS-OXOABKT 2.2.2.1.2, PidTagControlType)."""

    LABEL = 0x0
    TEXT_BOX = 0x1
    LIST_BOX = 0x2
    CHECK_BOX = 0x5
    GROUP_BOX = 0x6
    BUTTON = 0x7
    TABBED_PAGE = 0x8
    MULTI_VALUE_LIST_BOX = 0xB
    MULTI_VALUE_DROP_DOWN = 0xC


class ControlFlags(IntFlag):
    """How it behaves (PidTagControlFlags)."""

    NONE = 0
    MULTILINE = 0x01
    EDITABLE = 0x02
    REQUIRED = 0x04
    IMMEDIATE = 0x08
    PASSWORD = 0x10
    DOUBLE_BYTE = 0x20
    INDEX = 0x40


@dataclass(frozen=True, slots=True)
class Control:
    """One control: its place in dialog units, and a CNTRL structure (2.2.2.1.3), in which `kind` and `size`
    mean what the type of the control makes of them: mostly the property shown and the characters typed at
    most. `text`: the label, or the characters that may be typed; & marks the next one as the shortcut key."""

    type: ControlType
    x: int
    width: int
    y: int
    height: int
    text: str = ""
    kind: int = 0
    size: int = 0
    flags: ControlFlags = ControlFlags.NONE


_HEAD = struct.Struct("<II")
_ROW = struct.Struct("<IIIIIIIII")


def pack(controls: tuple[Control, ...], page: int) -> bytes:
    """The TRowSet of controls, with their strings in a code page."""
    at = _HEAD.size + _ROW.size * len(controls)
    rows, strings = bytearray(), bytearray()
    offsets: dict[str, int] = {}
    for control in controls:
        if control.text not in offsets:
            offsets[control.text] = at + len(strings)
            strings += codepages.encode(control.text, page).replace(b"\0", b"") + b"\0"
        place = (control.x, control.width, control.y, control.height)
        structure = (control.kind, control.size, offsets[control.text])
        rows += _ROW.pack(*place, control.type, control.flags, *structure)
    return _HEAD.pack(VERSION, len(controls)) + bytes(rows) + bytes(strings)


def parse(data: bytes, page: int) -> tuple[Control, ...]:
    """The controls of a TRowSet. Raises DecodeError."""
    reader = Reader(data)
    if reader.u32("version") != VERSION:
        raise DecodeError("version of a template", 0)
    controls = []
    for _ in range(reader.count(4, _ROW.size, "control count", MAX_CONTROLS)):
        at = reader.need(_ROW.size, "control")
        x, width, y, height, kind, flags, *structure = _ROW.unpack_from(data, at)
        try:
            control_type = ControlType(kind)
        except ValueError:
            raise DecodeError(f"control type {kind}", at + 16) from None
        if structure[2] > len(data):
            raise DecodeError(f"string at {structure[2]}", at + 32)
        text = codepages.decode(Reader(data, structure[2]).nul_bytes("string"), page)
        dword, size = structure[:2]
        controls.append(
            Control(control_type, x, width, y, height, text, dword, size, ControlFlags(flags & 0x7F))
        )
    return tuple(controls)


class Op(IntEnum):
    """Instructions of scripts (2.2.2.2). The high bit says that an operand is a constant string."""

    HALT = 0x00000000
    ERROR = 0x00000001
    EMIT_PROPERTY = 0x00000002
    EMIT_STRING = 0x80000002
    JUMP = 0x00000003
    JUMP_IF_EQUAL_PROPERTIES = 0x00000005


def address_script(prefix: str, tag: int, page: int) -> bytes:
    """A script that makes the address `prefix` followed by the value of a property."""
    words = (Op.EMIT_STRING, 5 * 4, Op.EMIT_PROPERTY, tag, Op.HALT)
    return struct.pack("<5I", *words) + codepages.encode(prefix, page) + b"\0"
