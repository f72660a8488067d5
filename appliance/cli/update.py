"""`appliance update`: the systems in the two slots, installing a new one, going back, confirming.

A bundle goes into the slot that is not in use, and its system starts at the next restart. When that passes
the health check it is confirmed: `mark-good`, which the health check calls itself. Until then the store is
written so that the system before can read it; confirming ends that (`store/migrate.py`). What boot loader and
slots need is done by the system's own unit, since this command has no rights over it.
"""

import json
from pathlib import Path
from typing import Any

import click

from appliance.cli.frame import Failed
from appliance.cli.machine import machine
from appliance.cli.tools import json_option, open_store, print_json, print_rows
from appliance.net import health
from appliance.store import migrate

SLOT_CLASS = "rootfs"


@click.group()
def update() -> None:
    """Install a new system, or go back to the one before."""


def slots_of(answer: str) -> list[dict[str, Any]]:
    """The slots of RAUC's answer: name, whether it runs, whether it starts next, whether it is confirmed, and
    what was installed there when. Raises Failed."""
    try:
        found = json.loads(answer)
        rows = []
        for slot in found["slots"]:
            for name, facts in slot.items():
                if facts["class"] != SLOT_CLASS:
                    continue
                status = facts.get("slot_status") or {}
                rows.append(
                    {
                        "slot": facts["bootname"],
                        "runs": facts["state"] == "booted",
                        "next": name == found["boot_primary"] or facts["bootname"] == found["boot_primary"],
                        "confirmed": facts.get("boot_status") == "good",
                        "version": (status.get("bundle") or {}).get("version", ""),
                        "installed": (status.get("installed") or {}).get("timestamp", ""),
                    }
                )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Failed(f"the system's answer is not understood: {error}") from None
    return rows


@update.command()
@json_option
def status(as_json: bool) -> None:
    """What is in the slots, and what waits."""
    rows = slots_of(machine().update("status"))
    if as_json:
        print_json({"slots": rows, "state": health.update()})
        return
    shown = [{name: _told(value) for name, value in row.items()} for row in rows]
    print_rows(shown, ["slot", "runs", "next", "confirmed", "version", "installed"], as_json=False)
    if health.update() == "waiting":
        click.echo("An update was installed and starts with the next restart.")


def _told(value: Any) -> Any:
    return ("no", "yes")[value] if isinstance(value, bool) else value or "-"


@update.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--reboot", is_flag=True, help="Restart into it afterwards.")
def install(file: Path | None, reboot: bool) -> None:
    """Install the bundle FILE (without it: the last one on the USB stick)."""
    here = machine()
    if file is None:
        found = here.bundles()
        if not found:
            raise Failed("there is no update (*.raucb) on the stick")
        file = found[0]
    elif not file.is_file():
        raise Failed(f"there is no file {file}")
    if any(character in str(file) for character in "\n\r"):
        raise Failed("the file's name has a line break")
    here.update("install", file.absolute())
    click.echo(f"{file.name} is installed and starts with the next restart.")
    if reboot:
        here.request("reboot")


@update.command()
@click.option("--reboot", is_flag=True, help="Restart into it at once.")
def rollback(reboot: bool) -> None:
    """Go back to the system in the other slot with the next restart."""
    here = machine()
    others = [row for row in slots_of(here.update("status")) if not row["runs"]]
    if not any(row["confirmed"] for row in others):
        raise Failed("there is no system to go back to: the other slot was never confirmed")
    here.update("rollback")
    click.echo(f"Slot {others[0]['slot']} starts with the next restart.")
    if reboot:
        here.request("reboot")


@update.command("mark-good")
def mark_good() -> None:
    """Confirm the running system: it stays, and the one before can be left behind."""
    machine().update("good")
    _contract()


@update.command(hidden=True)
def contract() -> None:
    """Finish what the store had prepared for this system: it was confirmed."""
    _contract()


def _contract() -> None:
    with open_store() as store:
        done = migrate.contract(store)
    if done:
        click.echo(f"The store went {done} version(s) on; the system before cannot read it any more.")
