"""The frame of the `appliance` command: global options, the lazy table of commands, exit codes.

Exit codes: 0 done, 1 refused, 2 wrong usage; 130 interrupted. What went wrong is one line on stderr, never a
traceback (`APPLIANCE_TRACEBACK=1` shows it to developers).
"""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from appliance import __version__
from appliance.cli.commands import COMMANDS
from appliance.config import SettingError
from appliance.mailbox.errors import Refused
from appliance.store.errors import StoreError

DEFAULT_DATA = Path("/var/lib/appliance")
REFUSED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


class Failed(click.ClickException):
    """A command that was refused: exit code 1 and the reason in one line."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the global options say: click's `obj`."""

    data: Path


class LazyGroup(click.Group):
    """The commands of the table, imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the table's order."""
        return [row.name for row in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        for row in COMMANDS:
            if row.name == cmd_name:
                module, _, attribute = row.target.partition(":")
                command = getattr(importlib.import_module(module), attribute)
                assert isinstance(command, click.Command), row
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help's list, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.about) for row in COMMANDS])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="Satchel")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="The data directory; default $APPLIANCE_DATA, then /var/lib/appliance.",
)
@click.pass_context
def appliance(ctx: click.Context, data: Path | None) -> None:
    """Satchel, a mail appliance for small offices."""
    ctx.obj = Frame(data or Path(os.environ.get("APPLIANCE_DATA") or DEFAULT_DATA))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    try:
        result = appliance.main(args=arguments, prog_name="appliance", standalone_mode=False)
    except click.UsageError as error:
        return _say(error.format_message(), WRONG_USAGE)
    except click.ClickException as error:
        return _say(error.format_message(), REFUSED)
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except (StoreError, Refused, SettingError, ValueError, OSError) as error:
        return _say(str(error), REFUSED)
    except Exception as error:
        return _say(f"internal error: {error!r}", REFUSED)
    return result if isinstance(result, int) else 0


def _say(message: str, code: int) -> int:
    if os.environ.get("APPLIANCE_TRACEBACK"):
        traceback.print_exc()
    click.echo("appliance: " + " ".join(message.split()), err=True)
    return code


def main() -> None:
    """Entry point of the `appliance` command."""
    sys.exit(run())
