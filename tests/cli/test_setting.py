"""`appliance setting`."""

from appliance.directory import domains
from appliance.store.store import Store
from tests.cli.conftest import Cli


def test_set_get_list_and_back(cli: Cli) -> None:
    assert cli.ok("setting", "get", "pop3.idle") == "10m\n"
    cli.ok("setting", "set", "pop3.idle", "1200s")
    assert cli.ok("setting", "get", "pop3.idle") == "20m\n"
    row = next(row for row in cli.json("setting", "list") if row["name"] == "pop3.idle")
    assert (row["value"], row["from"], row["default"]) == ("20m", "store", "10m")
    cli.ok("setting", "set", "pop3.idle", "default")
    assert cli.ok("setting", "get", "pop3.idle") == "10m\n"
    assert "pop3.idle\t10m\tdefault" in cli.ok("setting", "list")


def test_switching_ntlm_off_takes_its_hashes_away(cli: Cli) -> None:
    def ntlm() -> bool:
        store = Store.open(cli.data)
        with store.read() as txn:
            on = domains.get(txn).ntlm
        store.close()
        return on

    cli.ok("setting", "set", "auth.ntlm", "off")
    assert not ntlm()
    cli.ok("setting", "set", "auth.ntlm", "default")
    assert ntlm()


def test_refusals_name_what_is_allowed(cli: Cli) -> None:
    assert "from 1m to 1h" in cli.refused("setting", "set", "pop3.idle", "1s")
    assert "pop3.login_delay" in cli.refused("setting", "get", "pop3.patience")


def test_what_the_file_fixes_is_changed_there(cli: Cli) -> None:
    (cli.data / "appliance.toml").write_text("[pop3]\nidle = '5m'\n")
    assert cli.ok("setting", "get", "pop3.idle") == "5m\n"
    assert "appliance.toml" in cli.refused("setting", "set", "pop3.idle", "9m")
    (cli.data / "appliance.toml").write_text("[pop3]\nidle = '5 minutes'\n")
    assert "line 2" in cli.refused("setting", "list")
