"""The network's file, and the choices about the machine."""

from pathlib import Path

import pytest

from appliance.panel.machine import Machine, NotAppliance, check_zone
from appliance.panel.network import FILE_NAME, Network, NetworkError, read, render, static

FIXED = Network("192.168.1.10/24", "192.168.1.1", ("9.9.9.9", "2620:fe::fe"))


@pytest.mark.parametrize(
    "network", [Network(), FIXED, Network("10.0.0.2/8"), Network("fd00::7/64", "fe80::1")]
)
def test_what_is_written_is_read(tmp_path: Path, network: Network) -> None:
    (tmp_path / FILE_NAME).write_text(render(network))
    assert read(tmp_path) == network


def test_the_file_for_networkd() -> None:
    lines = render(FIXED).splitlines()
    assert lines[1:3] == ["[Match]", "Name=en* eth* end*"]
    assert lines[4:] == [
        "[Network]",
        "DHCP=no",
        "Address=192.168.1.10/24",
        "Gateway=192.168.1.1",
        "DNS=9.9.9.9",
        "DNS=2620:fe::fe",
        "IPv6AcceptRA=yes",
    ]
    assert "DHCP=yes" in render(Network())


@pytest.mark.parametrize(
    ("address", "gateway", "dns"),
    [
        ("192.168.1.10", "", ()),
        ("192.168.1.255/24", "", ()),
        ("192.168.1.0/24", "", ()),
        ("224.0.0.1/24", "", ()),
        ("0.0.0.0/0", "", ()),
        ("::1/128", "", ()),
        ("10.0.0.1/33", "", ()),
        ("10.0.0.1/8\nDNS=evil", "", ()),
        ("10.0.0.1/8", "11.0.0.1", ()),
        ("10.0.0.1/8", "10.0.0.1", ()),
        ("10.0.0.1/8", "router", ()),
        ("10.0.0.1/8", "10.0.0.2", ("dns.example",)),
        ("10.0.0.1/8", "10.0.0.2", ("1.1.1.1",) * 5),
    ],
)
def test_what_cannot_work(address: str, gateway: str, dns: tuple[str, ...]) -> None:
    with pytest.raises(NetworkError):
        static(address, gateway, dns)


def test_a_file_that_somebody_spoilt(tmp_path: Path) -> None:
    assert read(tmp_path) == Network()
    (tmp_path / FILE_NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(NetworkError):
        read(tmp_path)
    (tmp_path / FILE_NAME).write_text("Address=here\n")
    with pytest.raises(NetworkError):
        read(tmp_path)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with the system's folders."""
    (tmp_path / "state" / "machine").mkdir(parents=True)
    (tmp_path / "requests").mkdir()
    return Machine(tmp_path / "state" / "data", tmp_path / "requests", tmp_path / "stick")


def test_choices(machine: Machine) -> None:
    assert (machine.network(), machine.timezone()) == (Network(), "UTC")
    machine.set_network(FIXED)
    machine.set_timezone("europe/berlin")
    machine.set_hostname("mail.example.test")
    assert (machine.network(), machine.timezone()) == (FIXED, "Europe/Berlin")
    assert sorted(path.name for path in machine.choices.iterdir()) == [FILE_NAME, "hostname", "timezone"]


@pytest.mark.parametrize("zone", ["", "Europe", "Mars/Olympus", "../UTC", "localtime", "posix/UTC"])
def test_no_time_zone(zone: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        check_zone(zone)


def test_requests(machine: Machine) -> None:
    machine.request("reboot")
    machine.request("poweroff")
    assert {path.name for path in machine.requests.iterdir()} == {"reboot", "poweroff"}


def test_a_machine_that_is_no_appliance(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "data", tmp_path / "requests")
    for action in (
        lambda: machine.request("reboot"),
        lambda: machine.set_network(FIXED),
        lambda: machine.set_timezone("UTC"),
        machine.mark_reset,
    ):
        with pytest.raises(NotAppliance):
            action()
    assert list(tmp_path.iterdir()) == []


def test_a_factory_reset_in_two_steps(machine: Machine) -> None:
    machine.data.mkdir()
    (machine.data / "store.lmdb").write_text("mail")
    (machine.data / "tls").mkdir()
    (machine.data / "tls" / "key.pem").write_text("key")
    (machine.data / ".hidden").write_text("too")
    machine.set_timezone("Europe/Berlin")
    machine.mark_reset()
    mark = machine.data.parent / "factory-reset"
    assert mark.exists()
    machine.erase()
    assert not mark.exists()
    assert not machine.data.exists()
    assert list(machine.choices.iterdir()) == []
    machine.erase()


def test_backups_on_the_stick(machine: Machine) -> None:
    with pytest.raises(NotAppliance, match="no USB stick"):
        machine.backups()
    machine.stick.mkdir()
    for name in ("satchel-1.satchel", "satchel-2.satchel", "holiday.jpg"):
        (machine.stick / name).touch()
    assert [path.name for path in machine.backups()] == ["satchel-2.satchel", "satchel-1.satchel"]
