"""Folders, permissions, public folders, quotas from the command line."""

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def office(cli: Cli) -> Cli:
    cli.ok("user", "add", "alice@example.test", "--password", "secret-1")
    cli.ok("user", "add", "bob@example.test", "--password", "secret-2")
    return cli


def test_folders(office: Cli) -> None:
    office.ok("folder", "create", "alice@example.test", "Work/2026", "--class", "IPF.Task")
    rows = {row["path"]: row for row in office.json("folder", "list", "alice@example.test")}
    assert rows["Work/2026"]["class"] == "IPF.Task"
    assert rows["Inbox"]["messages"] == 0
    assert "taken" in office.refused("folder", "create", "alice@example.test", "work")
    assert "subfolders" in office.refused("folder", "del", "alice@example.test", "Work")
    office.ok("folder", "del", "alice@example.test", "Work/2026")
    assert "special" in office.refused("folder", "del", "alice@example.test", "Inbox")
    assert "no such" in office.refused("folder", "del", "alice@example.test", "Nowhere")


def test_permissions(office: Cli) -> None:
    where = ("folder", "permission", "alice@example.test", "Calendar")
    office.ok(*where, "bob@example.test", "editor")
    office.ok(*where, "default", "free-busy-time")
    assert office.json(*where) == [
        {"member": "default", "rights": "free-busy-time"},
        {"member": "bob@example.test", "rights": "editor"},
    ]
    office.ok(*where, "bob@example.test", "remove")
    assert "everything" in office.refused(*where, "bob@example.test", "everything")
    assert "unknown" in office.refused(*where, "nobody@example.test", "editor")


def test_public_folders(office: Cli) -> None:
    assert office.json("public-folder", "list") == []
    assert "no public folders" in office.refused("folder", "list", "public")
    office.ok("public-folder", "create", "News/Office")
    office.ok("public-folder", "mail-enable", "News/Office", "news@example.test")
    assert "taken" in office.refused("public-folder", "mail-enable", "News/Office", "other@example.test")
    rows = office.json("public-folder", "list")
    assert [(row["path"], row["address"]) for row in rows] == [
        ("News", ""),
        ("News/Office", "news@example.test"),
    ]
    office.ok("public-folder", "create", "News/Sales & Leads")
    assert office.ok("public-folder", "mail-enable", "News/Sales & Leads") == "sales-leads@example.test\n"
    assert office.ok("check") == "the store is sound\n"
    office.ok("public-folder", "del", "News/Sales & Leads")
    office.ok("public-folder", "del", "News/Office")
    assert [row["path"] for row in office.json("public-folder", "list")] == ["News"]
    office.ok("user", "add", "news@example.test", "--password", "secret-3")


def test_quotas(office: Cli) -> None:
    office.ok("quota", "set", "alice@example.test", "500K")
    (row,) = office.json("quota", "show", "alice@example.test")
    assert row["limit"] == 500 * 1024
    office.ok("quota", "set", "alice@example.test", "unlimited")
    assert office.json("quota", "show", "alice@example.test")[0]["limit"] is None
    for size in ("-1", "5X", "much", "1.5M"):
        office.refused("quota", "set", "--", "alice@example.test", size)


def test_quotas_of_folders(office: Cli) -> None:
    office.ok("folder", "create", "alice@example.test", "Work/2026")
    office.ok("quota", "set", "alice@example.test/Work/2026", "1M")
    office.ok("public-folder", "create", "News")
    office.ok("quota", "set", "public/News", "2M")
    rows = office.json("quota", "show", "alice@example.test")
    assert [(row["owner"], row["limit"]) for row in rows] == [
        ("alice@example.test", None),
        ("alice@example.test/Work/2026", 1 << 20),
    ]
    assert office.json("quota", "show", "public/News")[0]["limit"] == 2 << 20
    office.ok("quota", "set", "alice@example.test/work/2026", "unlimited")
    assert len(office.json("quota", "show", "alice@example.test")) == 1
    assert "no such" in office.refused("quota", "set", "alice@example.test/Nowhere", "1M")
    assert "unknown" in office.refused("quota", "set", "nobody@example.test/Work", "1M")
