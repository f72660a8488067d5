"""`appliance compact`: give the space of deleted mail back to the file system; only while no server runs."""

import click

from appliance.cli.frame import Failed
from appliance.cli.tools import data_directory
from appliance.config import show_size
from appliance.net import running
from appliance.store.compact import StoreBusy
from appliance.store.compact import compact as compact_store


@click.command()
def compact() -> None:
    """Give free space of the store back to the file system."""
    directory = data_directory()
    if running.present(directory):
        raise Failed("stop the server first")
    try:
        sizes = compact_store(directory)
    except StoreBusy as error:
        raise Failed(str(error)) from error
    saved = max(0, sizes.before - sizes.after)
    click.echo(f"{sizes.after >> 10} KiB now, {show_size(saved >> 10 << 10)} given back")
