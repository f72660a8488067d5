"""What a look inside of the running system shows (QEMU only)."""

import os

import people
from machine import PATIENCE, Board, Qemu

IDLE = int(os.environ.get("SATCHEL_IDLE", "60"))
"""Seconds that the machine is left alone."""


def test_no_unit_failed(office: Qemu | Board) -> None:
    assert office.shell.run("systemctl --failed --no-legend --plain").strip() == ""


def test_nothing_but_the_data_partition_can_be_written(office: Qemu | Board) -> None:
    rows = [row.split() for row in office.shell.run("cat /proc/mounts").splitlines()]
    writable = {row[1] for row in rows if row[0].startswith("/dev/") and "rw" in row[3].split(",")}
    assert writable <= {"/data", "/var/lib/appliance", "/var/lib/systemd/timesync"}
    assert [row[2] for row in rows if row[1] == "/"] == ["squashfs"]


def test_the_data_partition_took_the_rest_of_the_card(office: Qemu | Board) -> None:
    kilobytes = int(office.shell.run("df -k --output=size /data | tail -n 1"))
    assert kilobytes > 1_000_000


def test_the_root_is_verified(office: Qemu | Board) -> None:
    assert " verity " in office.shell.run("dmsetup table")


def test_memory(office: Qemu | Board, measured: dict[str, float]) -> None:
    rows = dict(row.split(":") for row in office.shell.run("cat /proc/meminfo").splitlines())
    free, total = (int(rows[name].split()[0]) / 1024 for name in ("MemAvailable", "MemTotal"))
    measured["MB used at idle"] = total - free
    assert total - free < 200


def test_an_idle_machine_leaves_the_card_alone(office: Qemu | Board, measured: dict[str, float]) -> None:
    """Sectors of 512 bytes that are written while nothing happens; a part of a day stands for all of it."""
    office.shell.run("sync")
    before = int(office.shell.run("cat /sys/block/vda/stat").split()[6])
    office.shell.run(f"sleep {IDLE}", IDLE + PATIENCE)
    written = (int(office.shell.run("cat /sys/block/vda/stat").split()[6]) - before) * 512
    measured["MB written in an idle day"] = written / IDLE * 86400 / 1e6


def test_the_watchdog_is_armed(office: Qemu | Board) -> None:
    assert "RuntimeWatchdogUSec=14s" in office.shell.run("systemctl show -p RuntimeWatchdogUSec")
    assert office.shell.run("cat /sys/class/watchdog/watchdog0/state").strip() == "active"


def test_the_firewall_is_up(office: Qemu | Board) -> None:
    assert "policy drop" in office.shell.run("nft list table inet appliance")


def test_the_units_are_hardened(office: Qemu | Board) -> None:
    """By the image's own systemd: exposure at most 2.0, and no complaint about any unit."""
    units = office.shell.run("cd /usr/lib/systemd/system; ls -d appliance*.service | grep -v @").split()
    for unit in [*units, "appliance@mta.service", "appliance@panel.service"]:
        code, said = office.shell.try_run(
            f"systemd-analyze security --no-pager --offline=yes --threshold=20 {unit} | tail -n 1;"
            f" systemd-analyze security --no-pager --offline=yes --threshold=20 {unit} > /dev/null"
        )
        assert code == 0, said
    assert office.shell.run("systemd-analyze verify --man=no appliance.target appliance-setup.target") == ""


def test_the_server_has_no_rights(office: Qemu | Board) -> None:
    status = office.shell.run("cat /proc/$(systemctl show -p MainPID --value appliance.service)/status")
    fields = dict(row.split(":", 1) for row in status.splitlines() if ":" in row)
    assert fields["Uid"].split()[0] == "850"
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0


def test_the_store_is_clean(office: Qemu | Board) -> None:
    office.shell.run("APPLIANCE_DATA=/var/lib/appliance/data runuser -u appliance -- appliance check")
    assert people.DOMAIN in office.shell.run("APPLIANCE_DATA=/var/lib/appliance/data appliance advice dns")
