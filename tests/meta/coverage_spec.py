"""Which numbered requirements are proven: `python -m tests.meta.coverage_spec [--open DOCUMENT] [--json]`.

Reads the requirement files (one line each: `- R17 (I) (C) text`), collects the ids of all
`@pytest.mark.covers(...)` in the tests without running them, and the exclusions with their reasons from
excluded.toml. An id is a requirement's (`MS-OXCTABL_R17`), or a section's (`MS-OXCROPS_2.2.4.1.1`): then the
test proves everything that this section alone (not those below it) asks of a server, as a byte vector does
for the layout of a structure. Informative requirements (I) and those that bind clients only (C) need no proof
and are not counted. An id that no document has makes the command fail; so does an excluded requirement that a
test names.
"""

import argparse
import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.shared import SHARED

TESTS = Path(__file__).resolve().parents[1]
EXCLUDED = Path(__file__).with_name("excluded.toml")

_LINE = re.compile(r"^- (R\d+)(?: \(([IC]+)\))? ")
_SECTION = re.compile(r"^## (\S+)")
_ID = re.compile(r"^(MS-[A-Z0-9]+)_(R\d+|\d+(?:\.\d+)*)$")


@dataclass(frozen=True)
class Requirement:
    """One numbered requirement."""

    id: str
    section: str
    binding: bool  # whether it binds a server and can be proven
    text: str


@dataclass
class Document:
    """A specification's requirements, and what became of each."""

    name: str
    requirements: dict[str, Requirement] = field(default_factory=dict)
    proven: set[str] = field(default_factory=set)
    excluded: dict[str, str] = field(default_factory=dict)

    def meant(self, number: str) -> set[str]:
        """The requirements that an id means: its own, or those of a section that bind a server."""
        if number in self.requirements:
            return {number}
        section = number.removeprefix(self.name + "_")
        return {each.id for each in self.requirements.values() if each.section == section and each.binding}

    def open(self) -> list[Requirement]:
        """Binding requirements that are neither proven nor excluded."""
        return [
            requirement
            for requirement in self.requirements.values()
            if requirement.binding
            and requirement.id not in self.proven
            and requirement.id not in self.excluded
        ]


def read_document(path: Path) -> Document:
    """The requirements of one file."""
    document = Document(path.stem)
    section = ""
    for line in path.read_text().splitlines():
        heading = _SECTION.match(line)
        if heading:
            section = heading[1]
            continue
        found = _LINE.match(line)
        if found:
            number = f"{document.name}_{found[1]}"
            text = line[found.end() :]
            document.requirements[number] = Requirement(number, section, not found[2], text)
    return document


def covers_in(source: str, name: str) -> Iterator[tuple[str, str]]:
    """The ids in every `covers(...)` mark of a module's text, with where each stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "covers":
            for argument in node.args:
                where = f"{name}:{argument.lineno}"
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value, where
                else:
                    yield "not a literal", where


def marks() -> Iterator[tuple[str, str]]:
    """The ids of all tests."""
    for path in sorted(TESTS.rglob("*.py")):
        yield from covers_in(path.read_text(), str(path.relative_to(TESTS.parent)))


def exclusions(documents: dict[str, Document]) -> Iterator[tuple[str, str, bool]]:
    """Excluded ids, their reasons, and whether they are named one by one.

    A row of excluded.toml has a `document` (or all), and `ids`, or `sections` and `matching` (a regular
    expression that is searched for in the text): what fits both is excluded, unless a test proves it."""
    for entry in tomllib.loads(EXCLUDED.read_text()).get("excluded", []):
        for number in entry.get("ids", []):
            yield f"{entry['document']}_{number}", entry["reason"], True
        if "sections" not in entry and "matching" not in entry:
            continue
        sections, pattern = entry.get("sections"), re.compile(entry.get("matching", ""))
        for document in documents.values():
            if entry.get("document", document.name) != document.name:
                continue
            for requirement in document.requirements.values():
                inside = sections is None or _is_within(requirement.section, sections)
                if requirement.binding and inside and pattern.search(requirement.text):
                    yield requirement.id, entry["reason"], False


def _is_within(section: str, sections: list[str]) -> bool:
    return any(section == each or section.startswith(each + ".") for each in sections)


def survey(folder: Path) -> tuple[list[Document], list[str]]:
    """All documents with what is proven and excluded, and the faults that make the survey fail."""
    documents = {path.stem: read_document(path) for path in sorted(folder.glob("MS-*.md"))}
    faults: list[str] = []
    for number, where in marks():
        document = _document_of(documents, number)
        if document is None:
            faults.append(f"{where}: {number} is no requirement")
        else:
            document.proven |= document.meant(number)
    for number, reason, named in exclusions(documents):
        document = _document_of(documents, number)
        if document is None:
            faults.append(f"excluded.toml: {number} is no requirement")
        elif number not in document.proven:
            document.excluded.setdefault(number, reason)
        elif named:
            faults.append(f"excluded.toml: {number} is proven")
    return list(documents.values()), faults


def _document_of(documents: dict[str, Document], number: str) -> Document | None:
    parts = _ID.match(number)
    document = documents.get(parts[1]) if parts else None
    return document if document is not None and document.meant(number) else None


def main() -> int:
    """0, or 1 with faults, or 2 without reference data."""
    parser = argparse.ArgumentParser(prog="python -m tests.meta.coverage_spec", description=__doc__)
    parser.add_argument("--open", metavar="DOCUMENT", help="list the open requirements of a document")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if SHARED is None:
        sys.stderr.write("no reference data: set SATCHEL_SHARED to its folder\n")
        return 2
    documents, faults = survey(SHARED / "spec" / "requirements")
    if options.open:
        for document in documents:
            if document.name == options.open:
                for requirement in document.open():
                    sys.stdout.write(f"{requirement.id} ({requirement.section}) {requirement.text}\n")
    elif options.json:
        rows = {
            document.name: {
                "proven": len(document.proven),
                "excluded": len(document.excluded),
                "open": len(document.open()),
            }
            for document in documents
        }
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    else:
        sys.stdout.write(f"{'document':20} {'proven':>8} {'excluded':>9} {'open':>8}\n")
        for document in documents:
            row = f"{len(document.proven):8} {len(document.excluded):9} {len(document.open()):8}"
            sys.stdout.write(f"{document.name:20} {row}\n")
    for fault in faults:
        sys.stderr.write(fault + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
