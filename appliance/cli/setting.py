"""`appliance setting get|set|list`: the settings that are kept in the store."""

from collections.abc import Callable
from typing import Any

import click

from appliance import config
from appliance.cli.frame import Failed
from appliance.cli.tools import change, data_directory, json_option, open_store, print_rows, settings_of
from appliance.directory import credentials
from appliance.store import settings as stored
from appliance.store.kv import WriteTxn

CONSEQUENCES: dict[str, Callable[[WriteTxn, Any], None]] = {
    "auth.ntlm": credentials.set_ntlm,
}
"""What a setting changes in the store besides itself, in the same transaction."""


@click.group()
def setting() -> None:
    """Look at settings and change them."""


@setting.command("get")
@click.argument("name")
def get(name: str) -> None:
    """Print the value of a setting."""
    row = config.find(name)
    with open_store() as store:
        click.echo(row.show(settings_of(store).value(name)))


@setting.command("set")
@click.argument("name")
@click.argument("value")
def put(name: str, value: str) -> None:
    """Change a setting; the value `default` takes the change back."""
    row = config.find(name)
    if name in config.read_file(data_directory() / config.FILE_NAME):
        raise Failed(f"{name} is fixed in {data_directory() / config.FILE_NAME}: change it there")
    with open_store() as store:
        if value == "default":
            change(store, lambda txn: _keep(txn, name, None))
            return
        text = row.show(row.parse(value))
        change(store, lambda txn: _keep(txn, name, text))


def _keep(txn: WriteTxn, name: str, text: str | None) -> None:
    """Store a setting's text, or with None its default again, with what must happen at once."""
    if text is None:
        stored.forget(txn, name)
    else:
        stored.put(txn, name, text)
    if name == "auth.ntlm":
        row = config.find(name)
        credentials.set_ntlm(txn, bool(row.default if text is None else row.parse(text)))


@setting.command("list")
@json_option
def list_settings(as_json: bool) -> None:
    """List every setting with its value and where it comes from."""
    with open_store() as store:
        settings = settings_of(store)
        with store.read() as txn:
            changed = stored.texts(txn)
    in_file = config.read_file(data_directory() / config.FILE_NAME)
    rows = [
        {
            "name": row.name,
            "value": row.show(settings.value(row.name)),
            "from": "file" if row.name in in_file else "store" if row.name in changed else "default",
            "default": row.show(row.default),
            "allowed": row.allowed,
            "about": row.about,
        }
        for row in config.TABLE.values()
    ]
    print_rows(rows, ["name", "value", "from", "allowed"], as_json=as_json)
