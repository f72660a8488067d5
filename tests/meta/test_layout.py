"""Rules that hold for the whole tree."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_package_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "appliance").rglob("*.py")
        if not re.match(r'\s*(#.*\n)*\s*r?"""', path.read_text())
    ]
    assert silent == []
