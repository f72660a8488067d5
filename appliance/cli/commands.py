"""The table of commands. A row's module is imported only when its command runs: starting must be quick.

Nested commands (`user add`) are click groups within the module that the row names.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One command: its name, where it stands (`module:attribute`), and its line in the help."""

    name: str
    target: str
    about: str


COMMANDS = (
    Row("init", "appliance.cli.init:init", "Make a data directory."),
    Row("serve", "appliance.cli.serve:serve", "Serve until told to stop."),
    Row("status", "appliance.cli.status:status", "Roles, listeners, store, queue, backup, health."),
    Row("health", "appliance.cli.status:health_command", "Succeed only if nothing is failing."),
    Row("check", "appliance.cli.check:check", "Verify the store."),
    Row("compact", "appliance.cli.compact:compact", "Give free space back to the file system."),
    Row("demo", "appliance.cli.demo:demo", "Make a demo office."),
    Row("backup", "appliance.cli.backup:backup_command", "Write everything to a file."),
    Row("restore", "appliance.cli.backup:restore_command", "Bring back a backup."),
    Row("export", "appliance.cli.archive:export_mailbox", "Write a mailbox to a file."),
    Row("import", "appliance.cli.archive:import_mailbox", "Bring mail in from files."),
    Row("folder", "appliance.cli.folders:folder", "Folders and who may do what in them."),
    Row("public-folder", "appliance.cli.folders:public_folder", "Folders of the organization."),
    Row("quota", "appliance.cli.folders:quota", "How much a mailbox may hold."),
    Row("setting", "appliance.cli.setting:setting", "Look at settings and change them."),
    Row("tls", "appliance.cli.tls:tls", "Certificates."),
    Row("queue", "appliance.cli.queue:queue", "Mail that has yet to reach somebody."),
    Row("smarthost", "appliance.cli.smarthost:smarthost", "The server that takes all outgoing mail."),
    Row("user", "appliance.cli.users:user", "People with a mailbox."),
    Row("alias", "appliance.cli.users:alias", "Further addresses of an entry."),
    Row("room", "appliance.cli.resources:room", "Rooms that meetings are held in."),
    Row("equipment", "appliance.cli.resources:equipment", "Things that meetings need."),
    Row("contact", "appliance.cli.resources:contact", "People elsewhere who stand in the address book."),
    Row("group", "appliance.cli.groups:group", "Groups that mail is sent on to."),
    Row("delegate", "appliance.cli.grants:delegate", "People who act for others."),
    Row("right", "appliance.cli.grants:right", "Rights over the server as a whole."),
    Row("console", "appliance.cli.console:console", "Questions and menus, as on the serial console."),
    Row("admin", "appliance.cli.machine:admin", "The administrator's password."),
    Row("network", "appliance.cli.machine:network", "The network of this machine."),
    Row("timezone", "appliance.cli.machine:timezone", "The time zone of this machine."),
    Row("clock", "appliance.cli.machine:clock", "The clock of this machine."),
    Row("advice", "appliance.cli.machine:advice", "What to enter in mail programs and in DNS."),
    Row("log", "appliance.cli.machine:show_log", "The last lines of the system's log."),
    Row("stick", "appliance.cli.machine:stick", "The USB stick that is plugged in."),
    Row("reboot", "appliance.cli.machine:reboot", "Restart this machine."),
    Row("shutdown", "appliance.cli.machine:shutdown", "Shut this machine down."),
    Row("update", "appliance.cli.update:update", "Install a new system, or go back to the one before."),
    Row("factory-reset", "appliance.cli.machine:factory_reset", "Erase everything on this machine."),
)
