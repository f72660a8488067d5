"""What a person types at the console, and what mail programs do."""

import contextlib
import imaplib
import re
import smtplib
import ssl
import time
from email.message import EmailMessage

from machine import PATIENCE, Board, Qemu

ADMIN = "correct horse battery"
PASSWORDS = {"anna": "anna's own secret", "ben": "ben's own secret"}
DOMAIN = "office.test"


def set_up(machine: Qemu | Board) -> None:
    """The wizard, with typos on the way."""
    console = machine.console
    console.expect("Satchel mail appliance")
    console.answer("Press Return to begin", "")
    console.answer(r"What shall be done \[1\]: $", "7")
    console.answer(r"What shall be done \[1\]: $", "1")
    console.answer("Mail domain: $", "office")
    assert "A domain has a dot" in console.answer("Mail domain: $", "offcie\x15office.tesst\b\bt")
    console.answer(r"Name of this machine \[mail.office.test\]: $", "")
    console.answer(r"Organization \[office.test\]: $", "Example Ltd")
    console.answer("Password: $", "short")
    console.answer("Password: $", ADMIN)
    console.answer("The same again: $", ADMIN + "x")
    console.answer("Password: $", ADMIN)
    console.answer("The same again: $", ADMIN)
    console.answer(r"Network \[1\]: $", "2")
    console.answer("Address with prefix length: $", "10.0.2.300")
    console.answer("Address with prefix length: $", "<")
    console.answer("Password: $", ADMIN)
    console.answer("The same again: $", ADMIN)
    console.answer(r"Network \[1\]: $", "1")
    console.answer(r"Time zone \[UTC\]: $", "europe/berlin")
    for name, password in PASSWORDS.items():
        console.answer("Address: $", name)
        console.answer(r"  Name \[[^]]*\]: $", f"{name.title()} Example")
        console.answer("  Password: $", password)
        console.answer("The same again: $", password)
    console.answer("Address: $", "")
    console.answer(r"Mail comes \[1\]: $", "")
    console.answer(r"Mail goes \[1\]: $", "")
    console.answer(r"Certificate \[1\]: $", "")
    console.answer(r"Is this right \(yes/no\): $", "yes")
    said = console.expect("Return goes on: $")
    assert "FAILED" not in said, said
    console.type("")
    console.answer("Return goes on: $", "")
    console.expect("All done")


def log_in(machine: Qemu | Board, password: str = ADMIN) -> None:
    console = machine.console
    console.skip()
    console.type("")
    console.answer("Administrator's password: $", password)
    console.expect("Number: $")


def choose(machine: Qemu | Board, about: str) -> str:
    """Choose the entry of the menu that was last shown, by its text; what was said before."""
    console = machine.console
    found = re.findall(rf"(\d+)  {re.escape(about)}", console.heard)
    assert found, f"no entry {about!r}"
    console.type(found[-1])
    return about


def read(machine: Qemu | Board, about: str, pages: int = 3) -> str:
    """Choose an entry that shows something, turn its pages, and come back to a menu; what was shown."""
    console = machine.console
    choose(machine, about)
    shown = ""
    while True:
        shown += console.expect(r"Number: $|Return goes on: $|q ends -- $")
        if shown.endswith("Number: "):
            return shown
        pages -= 1
        console.type("" if pages > 0 or not shown.endswith("q ends -- ") else "q")


def log_out(machine: Qemu | Board) -> None:
    machine.console.type("\x04", "")
    machine.console.expect("Logged out")


def first_mail(machine: Qemu | Board, subject: str, seconds: float = PATIENCE) -> float:
    """Send from outside to Anna as soon as mail is taken; when that was (monotonic)."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            deliver(machine, subject, timeout=seconds)
            return time.monotonic()
        except (OSError, smtplib.SMTPException):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def letter(subject: str, sender: str = "friend@elsewhere.test", to: str = f"anna@{DOMAIN}") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = f"<{time.time_ns()}@elsewhere.test>"
    message.set_content(f"Dear Anna,\n\n{subject}.\n")
    return message


def deliver(machine: Qemu | Board, subject: str, timeout: float = 120) -> None:
    """Mail from another server, by port 25."""
    with smtplib.SMTP(*machine.address(25), local_hostname="elsewhere.test", timeout=timeout) as client:
        client.send_message(letter(subject))


def trust_nobody() -> ssl.SSLContext:
    """The certificate is the appliance's own: tests look at it elsewhere."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def submit(machine: Qemu | Board, subject: str, to: str, sender: str = "anna") -> None:
    """Mail as a mail program sends it, by port 465."""
    host, port = machine.address(465)
    with smtplib.SMTP_SSL(host, port, context=trust_nobody(), timeout=180) as client:
        client.login(f"{sender}@{DOMAIN}", PASSWORDS[sender])
        client.send_message(letter(subject, f"{sender}@{DOMAIN}", to))


def subjects(machine: Qemu | Board, who: str) -> list[str]:
    """What is in somebody's inbox, by IMAP with TLS."""
    host, port = machine.address(993)
    with imaplib.IMAP4_SSL(host, port, ssl_context=trust_nobody(), timeout=180) as client:
        client.login(f"{who}@{DOMAIN}", PASSWORDS[who])
        client.select("INBOX", readonly=True)
        _, (numbers,) = client.search(None, "ALL")
        if not numbers:
            return []
        _, rows = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        return [row[1].decode().partition(":")[2].strip() for row in rows if isinstance(row, tuple)]


def wait_for(machine: Qemu | Board, who: str, subject: str, seconds: float = PATIENCE) -> None:
    """Until a message is in somebody's inbox."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            if subject in subjects(machine, who):
                return
        assert time.monotonic() < deadline, f"{subject!r} did not come"
        time.sleep(1)
