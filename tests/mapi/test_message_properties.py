"""Properties of messages and attachments have the types that MS-OXCMSG gives them (2.2.1, 2.2.2, 2.11.1)."""

import re
from collections.abc import Iterator

import pytest

from appliance.mapi import names, tags
from appliance.mapi import types as t
from tests.shared import shared_path

_SECTION = re.compile(r"^## (2\.2\.[12]\.\S+)$")
_TITLE = re.compile(r"^### (Pid\w+) Property$")
_TYPE = re.compile(r"^- R\d+ Type: (Ptyp\w+)")
_CODE = re.compile(r"^- R\d+ (?:\([IC]+\) )?(Ptyp\w+) .*Property Type Value (0x[0-9A-F]{4})")


def lines() -> list[str]:
    return shared_path("spec", "requirements", "MS-OXCMSG.md").read_text().splitlines()


def specified() -> Iterator[tuple[str, str]]:
    """Each property with the name of its type, as the sections have them; not what clients alone know."""
    name = ""
    for line in lines():
        if _SECTION.match(line):
            name = ""
        elif not name and (title := _TITLE.match(line)):
            name = title[1]
        elif name and (kind := _TYPE.match(line)):
            yield name, kind[1]
            name = ""


def type_of(name: str) -> int:
    return names.BY_NAME[name].type if name in names.BY_NAME else t.type_of(tags.BY_NAME[name])


def test_properties_have_the_types_of_their_sections() -> None:
    found = list(specified())
    assert len(found) > 90
    missing = [name for name, _ in found if name not in names.BY_NAME and name not in tags.BY_NAME]
    assert missing == []
    assert [(name, kind) for name, kind in found if type_of(name) != getattr(t, kind)] == []


@pytest.mark.covers("MS-OXCMSG_R2722")
def test_types_have_the_codes_of_their_table() -> None:
    found = [(match[1], int(match[2], 16)) for line in lines() if (match := _CODE.match(line))]
    assert ("PtypObject", 0x000D) in found
    assert [(name, code) for name, code in found if getattr(t, name) != code] == []
