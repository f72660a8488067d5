"""The requirement marks name requirements that exist, and the survey reads what it should."""

from pathlib import Path

from tests.meta.coverage_spec import covers_in, read_document, survey
from tests.shared import shared_path

SAMPLE = """# MS-OXTEST: requirements by section

## 2.1
### Title
- R1 A server does this.
- R2 (I) Some text.
- R3 (C) A client does this.
- R4 (IC) Both.
"""


def test_every_mark_names_a_requirement() -> None:
    _, faults = survey(shared_path("spec", "requirements"))
    assert faults == []


def test_documents_are_read(tmp_path: Path) -> None:
    path = tmp_path / "MS-OXTEST.md"
    path.write_text(SAMPLE)
    document = read_document(path)
    assert [requirement.id for requirement in document.open()] == ["MS-OXTEST_R1"]
    assert document.requirements["MS-OXTEST_R1"].section == "2.1"
    assert len(document.requirements) == 4
    document.proven.add("MS-OXTEST_R1")
    assert document.open() == []


def test_a_section_means_what_binds_a_server_in_it(tmp_path: Path) -> None:
    path = tmp_path / "MS-OXTEST.md"
    path.write_text(SAMPLE + "\n## 2.1.1\n- R5 Below.\n")
    document = read_document(path)
    assert document.meant("MS-OXTEST_2.1") == {"MS-OXTEST_R1"}
    assert document.meant("MS-OXTEST_2.1.1") == {"MS-OXTEST_R5"}
    assert document.meant("MS-OXTEST_R3") == {"MS-OXTEST_R3"}
    assert document.meant("MS-OXTEST_2") == document.meant("MS-OXTEST_R9") == set()


def test_marks_are_found_wherever_they_stand() -> None:
    source = """
import pytest
@pytest.mark.covers("MS-OXTEST_R1", "MS-OXTEST_R2")
def test_a(): ...
TestB = pytest.mark.covers("MS-OXTEST_R3")(object)
covers(NAME)
pytest.mark.covers(NAME)
"""
    found = list(covers_in(source, "t.py"))
    assert sorted(number for number, _ in found) == [
        "MS-OXTEST_R1",
        "MS-OXTEST_R2",
        "MS-OXTEST_R3",
        "not a literal",
    ]
