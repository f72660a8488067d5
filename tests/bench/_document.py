"""The tables of docs/benchmarks.md: replaced by what a run measured, between its comments.

    <!-- bench delivery -->  ...table...  <!-- end -->
    <!-- bench of -->        ...when and on what machine...  <!-- end -->

What stands outside is written by people. A benchmark without its place in the document is an error.
"""

import os
import platform
import re
import subprocess
import time
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
OF = "of"


def replaced(text: str, name: str, content: str) -> str:
    """The document with other content in one place. Raises LookupError where it has none."""
    pattern = re.compile(rf"(<!-- bench {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    made, count = pattern.subn(lambda found: f"{found[1]}\n{content.strip()}\n\n{found[2]}", text)
    if count != 1:
        raise LookupError(f"{DOCUMENT.name} has {count} places for {name}")
    return made


def record(tables: dict[str, str], began: time.struct_time, load: float) -> None:
    """Write the tables of a whole run, and when it was, into the document."""
    text = DOCUMENT.read_text()
    for name, table in tables.items():
        text = replaced(text, name, table)
    DOCUMENT.write_text(replaced(text, OF, stamp(began, load)))


def stamp(began: time.struct_time, load: float) -> str:
    """When the run was, how busy the machine was before it, and what the machine is."""
    day = f"{began.tm_mday} {time.strftime('%B %Y', began)}, {time.strftime('%H:%M', began)}"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    parts = [
        f"Linux {platform.release().partition('-')[0]}",
        f"{os.cpu_count()} x {_processor()}",
        f"{memory:.0f} GB",
        f"Python {platform.python_version()}",
        *(f"{name} {version}" for name, version in _peers()),
    ]
    ended = time.strftime("%H:%M UTC", time.gmtime())
    return f"{day} to {ended}, load {load:.1f} before it began: {', '.join(parts)}."


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _peers() -> list[tuple[str, str]]:
    found = []
    for name, command in (
        ("Postfix", ["postconf", "-h", "mail_version"]),
        ("Dovecot", ["dovecot", "--version"]),
    ):
        try:
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        found.append((name, said.split()[0]))
    return found
