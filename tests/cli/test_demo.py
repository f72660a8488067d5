"""The demo office is a sound one."""

from tests.cli.conftest import Cli


def test_demo(bare: Cli) -> None:
    bare.ok("demo")
    assert bare.ok("check") == "the store is sound\n"
    rows = {row["path"]: row["messages"] for row in bare.json("folder", "list", "clara@example.test")}
    assert rows["Inbox"] + rows["Sent Items"] == 60
    assert rows["Calendar"] == 10
    assert "not empty" in bare.refused("demo")
