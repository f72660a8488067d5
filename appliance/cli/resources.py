"""`appliance room`, `appliance equipment` and `appliance contact`: the same commands for three kinds."""

from typing import Any

import click

from appliance.cli import people
from appliance.cli.tools import json_option, open_store
from appliance.directory.model import Kind


def _group(kind: Kind, name: str, about: str) -> click.Group:
    """The group of commands for one kind of entry."""
    kinds = (kind,)
    group = click.Group(name, help=about)
    capacity = click.option("--capacity", type=click.IntRange(0, 100_000), help="Seats.")
    with_capacity = capacity if kind is Kind.ROOM else _unchanged

    @group.command("add")
    @click.argument("address")
    @with_capacity
    @people.attribute_options
    def add(address: str, capacity: int | None = None, **given: Any) -> None:
        """Add one."""
        with open_store() as store:
            people.create(store, kind, address, given, capacity=capacity or 0)

    @group.command("set")
    @click.argument("address")
    @with_capacity
    @people.attribute_options
    def put(address: str, capacity: int | None = None, **given: Any) -> None:
        """Change what is known of it; an empty value clears it."""
        with open_store() as store:
            people.update(store, kinds, address, given, capacity=capacity)

    @group.command("show")
    @click.argument("address")
    @json_option
    def show(address: str, as_json: bool) -> None:
        """Print one."""
        people.show(address, kinds, as_json=as_json)

    @group.command("list")
    @json_option
    def list_all(as_json: bool) -> None:
        """List them."""
        people.print_list(kinds, as_json=as_json)

    @group.command("del")
    @click.argument("address")
    def delete(address: str) -> None:
        """Take it away."""
        with open_store() as store:
            people.remove(store, kinds, address)

    return group


def _unchanged(command: people.F) -> people.F:
    return command


room = _group(Kind.ROOM, "room", "Rooms that meetings are held in.")
equipment = _group(Kind.EQUIPMENT, "equipment", "Things that meetings need.")
contact = _group(Kind.CONTACT, "contact", "People elsewhere who stand in the address book.")
