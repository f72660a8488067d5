"""`appliance check [--repair]`: every invariant of the store; with the server running or stopped."""

import os
from functools import partial

import click

from appliance.app import check_extras
from appliance.cli.frame import Failed
from appliance.cli.tools import data_directory, open_store
from appliance.net import health, running
from appliance.store import check as store_check


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be derived from what is still there.")
@click.option("--quick", is_flag=True, help="Leave out reading the bytes of every message.")
def check(repair: bool, quick: bool) -> None:
    """Verify the store: every row and, unless told to be quick, the bytes of every message."""
    with open_store() as store:
        wrong = store_check.check(store, check_extras(), contents_too=not quick)
        for line in wrong:
            click.echo(line)
        if wrong and repair:
            if running.present(data_directory()):
                raise Failed("stop the server before a repair")
            store_check.repair(store, check_extras(), partial(os.urandom, 16))
            left = store_check.check(store, check_extras(), contents_too=not quick)
            click.echo(f"{len(wrong)} found, {len(left)} left after the repair")
            wrong = left
    health.mark_damaged(data_directory(), bool(wrong))
    if wrong:
        raise Failed(f"{len(wrong)} faults in the store")
    click.echo("the store is sound")
