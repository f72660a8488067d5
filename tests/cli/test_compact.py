"""`appliance compact`."""

from tests.cli.conftest import Cli


def test_gives_space_back_and_keeps_everything(cli: Cli) -> None:
    before = cli.ok("user", "list", "--json")
    assert "given back" in cli.ok("compact")
    assert cli.ok("user", "list", "--json") == before
    assert "sound" in cli.ok("check")
