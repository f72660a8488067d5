"""The table of ROPs against the specification's list, and each row against its module and its tests."""

import re
from pathlib import Path

import pytest

from appliance.rop import ops
from appliance.rop.model import Handles
from appliance.rop.table import MODULES, NOT_SERVED, ROPS
from tests.shared import shared_path

RESPONSES_ONLY = {0x2A, 0x6E, 0xF9, 0xFF}
"""RopNotify, RopPending, RopBackoff, RopBufferTooSmall: there is no request."""

_NUMBER = re.compile(
    r"For this operation ?\[(Rop\w+)\],? this field(?: \[RopId\])? "
    r"(?:is set|MUST be set) to (0x[0-9A-F]{2})\b"
)


def specified() -> dict[int, str]:
    """Every ROP that the specification gives a number, by it."""
    text = shared_path("spec", "requirements", "MS-OXCROPS.md").read_text()
    found = {int(number, 16): name for name, number in _NUMBER.findall(text)}
    reserved = re.search(r"the Reserved ROP Ids: (.*)", text)
    assert reserved is not None
    free = {int(number, 16) for number in re.findall(r"0x[0-9A-F]{2}", reserved[1])}
    unnamed = set(range(0x100)) - free - found.keys()
    return found | dict.fromkeys(unnamed, "?")


@pytest.mark.covers("MS-OXCROPS_R14")
def test_every_rop_is_served_or_has_a_reason() -> None:
    wanted = specified().keys() - RESPONSES_ONLY
    missing = {f"0x{number:02X} {specified()[number]}" for number in wanted - ROPS.keys() - NOT_SERVED.keys()}
    assert missing == set()
    assert ROPS.keys() <= wanted
    assert all(reason for reason in NOT_SERVED.values())
    assert not ROPS.keys() & NOT_SERVED.keys()


def test_rows_are_whole() -> None:
    for number, row in ROPS.items():
        assert row.id == number
        assert bool(row.on) == (row.handles not in (Handles.NONE, Handles.OUT)), f"0x{number:02X}"
        assert row.silent == (number == 0x01)


def test_every_module_of_ops_is_in_the_table() -> None:
    named = {module.__name__.rpartition(".")[2] for module in MODULES}
    assert {path.stem for path in Path(ops.__path__[0]).glob("*.py")} - {"__init__"} == named
