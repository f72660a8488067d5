"""The console after the set-up: log in, then menus. Every entry is an `appliance` command.

`conversation` is the dialogue of one line for ever: who is silent too long, presses Control-D or loses the
line is logged out and the next person starts at the password. Wrong passwords cost time, on all lines
together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from appliance.directory import addresses
from appliance.panel import wizard
from appliance.panel.dialogue import (
    NO_PASSWORD,
    WRONG_PASSWORD,
    Back,
    Cancelled,
    Dialogue,
    LoggedOut,
    Wait,
    ask,
    choose,
    confirm,
    do,
    new_password,
    run,
    say,
    sentence,
    show,
    title,
)
from appliance.panel.machine import STICK, check_zone
from appliance.panel.network import Network

FREE_TRIES = 3
FIRST_PENALTY, MOST_PENALTY = 5.0, 120.0
"""Seconds to wait after a wrong password: doubled each time, from the FREE_TRIES-th on."""

ERASE_WORD = "erase everything"
AUTHORITY_FILE = "satchel-ca.crt"
"""What devices install to trust this machine's certificate; by this ending they know what it is."""

_BACKUP_TIME = 6 * 3600.0
_UPDATE_TIME = 1800.0


class Desk:
    """What all lines of one machine share: whether it is set up, who sets it up, wrong passwords."""

    def __init__(
        self,
        is_set_up: Callable[[], bool],
        addresses: Callable[[], list[str]],
        *,
        leaves: bool = False,
        own_network: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`leaves`: whether logging out ends the session (a terminal that belongs to somebody).
        `own_network`: whether network and time zone are the appliance's to choose."""
        self.is_set_up, self.addresses, self.leaves, self.now = is_set_up, addresses, leaves, now
        self.own_network = own_network
        self.setting_up: object | None = None
        self._wrong = 0

    def penalty(self) -> float:
        """Seconds that the next try waits."""
        late = self._wrong - FREE_TRIES
        return 0.0 if late < 0 else float(min(FIRST_PENALTY * 2**late, MOST_PENALTY))

    def tried(self, right: bool) -> None:
        """A password was right or wrong."""
        self._wrong = 0 if right else self._wrong + 1


def banner(desk: Desk) -> str:
    """The first line: who this is and where."""
    where = ", ".join(desk.addresses()[:3]) or "no network address yet"
    return f"Satchel mail appliance - {where}"


def conversation(desk: Desk) -> Dialogue[None]:
    """The dialogue of a line. Ends only where the desk says that one leaves."""
    while True:
        if not desk.is_set_up():
            try:
                yield from _first_setup(desk)
            except LoggedOut:
                if desk.leaves:
                    return
            continue
        try:
            yield from _log_in(desk)
            yield from _main_menu(desk)
        except (LoggedOut, Cancelled):
            pass
        yield from say("", "Logged out.")
        if desk.leaves:
            return


def _first_setup(desk: Desk) -> Dialogue[None]:
    yield from say("", banner(desk), "Not set up yet.")
    token = object()
    try:
        yield from ask("Press Return to begin", str)
        if desk.is_set_up():  # meanwhile, on another line
            return
        if desk.setting_up is not None and not (yield from _take_over()):
            return
        desk.setting_up = token
        yield from wizard.setup(own_network=desk.own_network)
    except (Cancelled, Back):
        yield from say("", "From the beginning." if desk.is_set_up() else "Nothing was changed.")
    finally:
        if desk.setting_up is token:
            desk.setting_up = None


def _take_over() -> Dialogue[bool]:
    yield from say("Somebody sets this machine up on another line just now.")
    return (yield from confirm("Set it up here nevertheless", default=False, fresh=True))


def _log_in(desk: Desk) -> Dialogue[None]:
    yield from say("", banner(desk))
    while (yield from run("admin", "show")).reason == NO_PASSWORD:
        yield from say("No administrator's password is set yet: choose one.")
        password = yield from new_password("New password", wizard.check_password)
        arguments = ("admin", "passwd", "--password-stdin")
        if (yield from do(*arguments, stdin=password, done="From now on it is asked for.")):
            return
    while True:
        password = yield from ask("Administrator's password", str, secret=True)
        if not password:
            yield from say(banner(desk))
            continue
        if penalty := desk.penalty():
            yield from say("Too many wrong passwords: please wait.")
            yield Wait(penalty)
        result = yield from run("admin", "verify", "--password-stdin", stdin=password)
        if result.ok or result.reason == WRONG_PASSWORD:
            desk.tried(result.ok)
        if result.ok:
            return
        wrong = result.reason == WRONG_PASSWORD
        yield from say("That is not the password." if wrong else f"Refused: {sentence(result.reason)}")


# -- menus ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a menu."""

    about: str
    run: Callable[[], Dialogue[object]]


def _menu(heading: str, entries: tuple[Entry, ...], leave: str) -> Dialogue[None]:
    """Offer the entries until somebody leaves."""
    while True:
        yield from title(heading)
        number = yield from choose("Number", [*(entry.about for entry in entries), leave])
        if number == len(entries):
            return
        try:
            yield from entries[number].run()
        except (Cancelled, Back):
            yield from say("", "Left.")


def _main_menu(desk: Desk) -> Dialogue[None]:
    entries = (
        Entry("Status", _status),
        Entry("People", partial(_menu, "People", PEOPLE, "back")),
        Entry("Mail under way", partial(_menu, "Mail under way", QUEUE, "back")),
        Entry("Network and smart host", partial(_menu, "Network", NETWORK, "back")),
        Entry("Backup and restore", partial(_menu, "Backup", (Entry("Back up to a USB stick",
              partial(_backup, desk)), *BACKUP), "back")),
        Entry("Update", partial(_menu, "Update", UPDATE, "back")),
        Entry("Log", _log),
        Entry("What to enter in mail programs and DNS", _advice),
        Entry("Administrator's password", _administrator),
        Entry("Restart, shut down, factory reset", partial(_menu, "Machine", MACHINE, "back")),
    )  # fmt: skip
    yield from _menu("Satchel", entries, "log out")


def _status() -> Dialogue[None]:
    yield from show("status")


def _check_address(text: str) -> str:
    return str(addresses.parse(text))


def _add_person() -> Dialogue[None]:
    address = yield from ask("Address", _check_address, back=True)
    person = yield from wizard.ask_person(address)
    arguments, stdin = wizard.person_arguments(person)
    yield from do(*arguments, stdin=stdin, done=f"{address} has a mailbox now.")


def _person_password() -> Dialogue[None]:
    address = yield from ask("Address", _check_address, back=True)
    password = yield from new_password("New password", wizard.check_password)
    yield from do("user", "passwd", "--password-stdin", "--", address, stdin=password)


def _person(command: str) -> Dialogue[None]:
    address = yield from ask("Address", _check_address, back=True)
    yield from do("user", command, "--", address)


def _delete_person() -> Dialogue[None]:
    address = yield from ask("Address", _check_address, back=True)
    if (yield from confirm(f"Delete {address} and all mail in the mailbox", default=False, fresh=True)):
        yield from do("user", "del", "--", address, seconds=3600)


PEOPLE = (
    Entry("List", partial(show, "user", "list", empty="Nobody yet.")),
    Entry("Add somebody", _add_person),
    Entry("New password", _person_password),
    Entry("Switch off", partial(_person, "disable")),
    Entry("Switch on", partial(_person, "enable")),
    Entry("Delete", _delete_person),
)


def _check_id(text: str) -> str:
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError("please type a number of the list")
    return text


def _queue(command: str) -> Dialogue[None]:
    number = yield from ask("Number of the message (empty: all)", _check_id, back=True)
    yield from do("queue", command, *([number] if number else []))


def _queue_drop() -> Dialogue[None]:
    number = yield from ask("Number of the message", _check_id, back=True)
    if number and (yield from confirm("Drop it, without telling the sender", default=False, fresh=True)):
        yield from do("queue", "drop", number)


QUEUE = (
    Entry("List", partial(show, "queue", "list", empty="Nothing waits.")),
    Entry("Try now", partial(_queue, "retry")),
    Entry("Hold", partial(_queue, "hold")),
    Entry("Drop", _queue_drop),
)


def _network_test() -> Dialogue[None]:
    domain = yield from ask("Mail domain of somebody else to try (empty: none)", str, back=True)
    arguments = (f"--domain={wizard.check_domain(domain)}",) if _is_domain(domain) else ()
    yield from show("network", "test", *arguments)


def _is_domain(text: str) -> bool:
    try:
        wizard.check_domain(text)
    except ValueError:
        return False
    return True


def _network_change() -> Dialogue[None]:
    chosen = yield from wizard.ask_network(Network())
    yield from do(*wizard.network_arguments(chosen), done="Chosen; it takes effect within seconds.")


def _timezone() -> Dialogue[None]:
    zone = yield from ask("Time zone", check_zone, default="UTC", back=True)
    yield from do("timezone", zone)


def _clock() -> Dialogue[None]:
    yield from show("clock")
    moment = yield from ask("The right time, as 2026-05-04 12:30 (empty: it is right)", str, back=True)
    if moment:
        yield from do("clock", "--", moment)


def _authority_to_stick() -> Dialogue[None]:
    if not (yield from run("stick", "list")).ok:
        yield from say("There is no USB stick (FAT or exFAT) plugged in.")
        return
    name = f"{STICK}/{AUTHORITY_FILE}"
    done = f"Written: {name}. The stick may be pulled half a minute from now."
    yield from do("tls", "export-ca", name, done=done)


def _smarthost() -> Dialogue[None]:
    target, user, password = yield from wizard.ask_smarthost()
    arguments, stdin = wizard.smarthost_arguments(target, user, password)
    if (yield from do(*arguments, stdin=stdin)):
        yield from show("smarthost", "test")


NETWORK = (
    Entry("Show the network", partial(show, "network", "show")),
    Entry("Test the network", _network_test),
    Entry("Change the network", _network_change),
    Entry("Time zone", _timezone),
    Entry("Clock", _clock),
    Entry("Send through a smart host", _smarthost),
    Entry("Send directly", partial(do, "smarthost", "clear")),
    Entry("Certificate", partial(show, "tls", "show")),
    Entry("Authority: show its certificate", partial(show, "tls", "export-ca")),
    Entry("Authority: its certificate to a USB stick", _authority_to_stick),
)


def _backup(desk: Desk) -> Dialogue[None]:
    yield from say("With a passphrase the backup holds passwords and keys too, sealed.")
    phrase = yield from ask("Passphrase (empty: none)", str, secret=True)
    if phrase:
        again = yield from ask("The same again", str, secret=True)
        if again != phrase:
            yield from say("These two were not the same. Nothing was backed up.")
            return
    name = f"{STICK}/satchel-{desk.now():%Y%m%d-%H%M%S}.satchel"
    arguments = ("backup", *(("--passphrase-stdin",) if phrase else ()), "--", name)
    yield from say("Backing up...")
    if not (yield from run("stick", "list")).ok:
        yield from say("There is no USB stick (FAT or exFAT) plugged in.")
        return
    done = f"Written: {name}. The stick may be pulled half a minute from now."
    yield from do(*arguments, stdin=phrase, seconds=_BACKUP_TIME, done=done)


def _restore_mailbox() -> Dialogue[None]:
    path = yield from wizard.choose_backup()
    if path is None:
        return
    address = yield from ask("Mailbox to bring back what it has lost", _check_address, back=True)
    yield from do("restore", f"--mailbox={address}", "--", path, seconds=_BACKUP_TIME)


def _restore_all() -> Dialogue[None]:
    yield from say(
        "A whole backup comes back into an empty machine: make a factory reset, and choose",
        "'bring back a backup' in the set-up that follows.",
    )


BACKUP = (
    Entry("Bring back what one mailbox has lost", _restore_mailbox),
    Entry("Bring back everything", _restore_all),
)


def _update_install() -> Dialogue[None]:
    listed = yield from run("stick", "updates")
    names = [line.partition("\t")[0] for line in listed.output.splitlines() if line]
    if not listed.ok or not names:
        yield from say(
            sentence(listed.reason) if not listed.ok else "There is no update (*.raucb) on the stick."
        )
        return
    number = yield from choose("Which one", [name.rpartition("/")[2] for name in names], default=0)
    yield from say("Installing: this takes minutes. Please do not unplug.")
    if not (yield from do("update", "install", "--", names[number], seconds=_UPDATE_TIME, done="Installed.")):
        return
    if (yield from confirm("Restart into it now", default=True, fresh=True)):
        yield from do("reboot", "--yes", done="It restarts now.")


def _update_rollback() -> Dialogue[None]:
    if (yield from confirm("Restart into the system before", default=False, fresh=True)):
        yield from do("update", "rollback", "--reboot", done="It restarts now.")


UPDATE = (
    Entry("What runs, and what waits", partial(show, "update", "status")),
    Entry("Install from a USB stick", _update_install),
    Entry("Back to the system before", _update_rollback),
)


def _log() -> Dialogue[None]:
    yield from show("log", empty="The log is empty.")


def _advice() -> Dialogue[None]:
    yield from show("advice", "clients")
    yield from ask("Return goes on", str)
    yield from show("advice", "dns")


def _administrator() -> Dialogue[None]:
    password = yield from new_password("New password", wizard.check_password)
    yield from do("admin", "passwd", "--password-stdin", stdin=password)


def _restart(command: str, question: str, done: str) -> Dialogue[None]:
    if (yield from confirm(question, default=False, fresh=True)):
        yield from do(command, "--yes", done=done)


def _factory_reset() -> Dialogue[None]:
    yield from say("This erases all mail, people, settings and certificates on this machine, for good.")
    word = yield from ask(f"Type '{ERASE_WORD}' to go on", str, fresh=True)
    if word != ERASE_WORD:
        yield from say("Nothing was erased.")
        return
    yield from do("factory-reset", "--yes", done="It restarts now and begins anew.")


MACHINE = (
    Entry("Restart", partial(_restart, "reboot", "Restart the machine", "It restarts now.")),
    Entry("Shut down", partial(_restart, "shutdown", "Shut the machine down",
          "It shuts down; pull the plug when the lights say so.")),
    Entry("Factory reset", _factory_reset),
)  # fmt: skip
