"""`appliance demo`: the office of Example Ltd, for a first look and for `make run`.

Three people, a room and a group, with mail of the last weeks, appointments and contacts. It is made by the
same commands and functions that make a real office; nothing here is special to the demo but its contents.
"""

import email.policy
import random
import secrets
import time
import zlib
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import click

from appliance.cli import frame
from appliance.cli.frame import Failed
from appliance.cli.serve import CREDENTIALS_FILE
from appliance.cli.tools import data_directory, open_store
from appliance.directory import entries
from appliance.formats import bags
from appliance.mailbox import items
from appliance.mailbox.actor import Actor
from appliance.mailbox.incoming import Ingest
from appliance.mapi import names as N
from appliance.mapi import tags as T
from appliance.mapi import times
from appliance.mapi.objects import Named
from appliance.mapi.types import Bag
from appliance.store import messages, names
from appliance.store.contents import Row, RowFlag
from appliance.store.edit import editing
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.store import Store

DOMAIN = "example.test"
PEOPLE = (
    ("anna", "Anna", "Berger", "Managing Director", "Management"),
    ("ben", "Ben", "Okafor", "Workshop Lead", "Workshop"),
    ("clara", "Clara", "Novak", "Bookkeeper", "Office"),
)
ROOM = f"meeting-room@{DOMAIN}"
GROUP = f"team@{DOMAIN}"
WEEKS = 3
MESSAGES = 60

_SUBJECTS = (
    "Quote for the garden gate",
    "Delivery on Thursday",
    "Minutes of the weekly meeting",
    "Invoice 2{:03d}",
    "Question about the oak panels",
    "Holiday plans",
    "Grüße aus Köln",
    "New tyres for the van",
    "Photos of the finished staircase",
    "Reminder: VAT return",
)
_SENTENCES = (
    "Could you have a look at the attached figures before noon?",
    "The customer would like to move the appointment to next week.",
    "I have put the drawings into the shared folder.",
    "The timber arrives on Thursday, somebody has to be at the gate by seven.",
    "Thanks, that works for me.",
    "Please call Mrs. Lindqvist back, she asked twice.",
    "The café on the corner has a new lunch menu.",
    "We still need two signatures for the insurance.",
    "I can take the van if nobody else needs it.",
)
_OUTSIDE = (
    ("Sofia Lindqvist", "sofia@lindqvist.example"),
    ("Timber & Sons", "orders@timber.example"),
    ("Tax Office", "noreply@tax.example"),
)


@click.command()
def demo() -> None:
    """Make a demo office in the data directory."""
    data = data_directory()
    if data.exists() and any(data.iterdir()):
        raise Failed(f"{data} exists and is not empty")
    rng = random.Random(zlib.crc32(b"Example Ltd"))
    _command("init", "--domain", DOMAIN, "--hostname", f"mail.{DOMAIN}", "--organization", "Example Ltd")
    passwords = {account: f"demo-{account}" for account, *_ in PEOPLE}
    for account, given, surname, title, department in PEOPLE:
        _command(
            "user", "add", f"{account}@{DOMAIN}", "--password", passwords[account],
            "--name", f"{given} {surname}", "--given-name", given, "--surname", surname,
            "--title", title, "--department", department, "--company", "Example Ltd",
            "--phone", f"+49 221 5550{rng.randrange(100, 999)}",
        )  # fmt: skip
    _command("room", "add", ROOM, "--name", "Meeting Room")
    _command("group", "add", GROUP, "--name", "Team")
    for account, *_ in PEOPLE:
        _command("group", "member-add", GROUP, f"{account}@{DOMAIN}")
    with open_store() as store:
        for account, given, surname, *_ in PEOPLE:
            _fill(store, rng, account, f"{given} {surname}")
    lines = [f"{account}@{DOMAIN}  password {password}" for account, password in passwords.items()]
    (data / CREDENTIALS_FILE).write_text("\n".join(lines) + "\n")


def _command(*arguments: str) -> None:
    if frame.run(["--data", str(data_directory()), *arguments]) != 0:
        raise Failed(f"{' '.join(arguments[:2])} failed")


def _fill(store: Store, rng: random.Random, account: str, name: str) -> None:
    with store.read() as txn:
        entry = entries.need(txn, f"{account}@{DOMAIN}")
    actor = Actor(user=entry.id, mailbox=entry.mailbox)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(weeks=WEEKS)
    others = [
        (f"{given} {surname}", f"{who}@{DOMAIN}") for who, given, surname, *_ in PEOPLE if who != account
    ]
    me = (name, entry.address)
    futures = []
    for number in range(MESSAGES):
        when = start + timedelta(minutes=number * WEEKS * 7 * 24 * 60 // MESSAGES + rng.randrange(300))
        sent = number % 5 == 4
        other = rng.choice([*others, *others, *_OUTSIDE])
        raw = _mail(rng, number, when, me if sent else other, other if sent else me)
        futures.append(_append(store, actor, raw, Special.SENT if sent else Special.INBOX, when, rng, sent))
    for future in futures:
        future.result()
    for event in _appointments(start, rng):
        _object(store, actor, Special.CALENDAR, "IPM.Appointment", *event)
    for person in _OUTSIDE:
        _object(store, actor, Special.CONTACTS, "IPM.Contact", *_contact(*person))


def _mail(
    rng: random.Random, number: int, when: datetime, sender: tuple[str, str], to: tuple[str, str]
) -> bytes:
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = f"{sender[0]} <{sender[1]}>" if "&" not in sender[0] else f'"{sender[0]}" <{sender[1]}>'
    message["To"] = f"{to[0]} <{to[1]}>" if "&" not in to[0] else f'"{to[0]}" <{to[1]}>'
    message["Subject"] = rng.choice(("", "Re: ")) + rng.choice(_SUBJECTS).format(number)
    message["Date"] = format_datetime(when)
    message["Message-ID"] = f"<{secrets.token_hex(8)}@{sender[1].partition('@')[2]}>"
    sentences = rng.sample(_SENTENCES, rng.randrange(2, 6))
    text = "Hello {},\n\n{}\n\nBest regards\n{}\n".format(to[0].split()[0], "\n".join(sentences), sender[0])
    message.set_content(text)
    if number % 3 == 0:
        paragraphs = "".join(f"<p>{sentence}</p>" for sentence in sentences)
        message.add_alternative(f"<html><body>{paragraphs}</body></html>", subtype="html")
    if number % 7 == 0:
        rows = "\n".join(f"{n};{rng.randrange(10, 900)},00" for n in range(200))
        message.add_attachment(rows, subtype="csv", filename="figures.csv")
    return message.as_bytes()


def _append(
    store: Store, actor: Actor, raw: bytes, fid: int, when: datetime, rng: random.Random, sent: bool
) -> "Future[Row]":
    ingest = Ingest(store)
    ingest.feed(raw)
    incoming = ingest.finish()
    flags = RowFlag.SEEN if sent or rng.random() < 0.7 else RowFlag.NONE
    if rng.random() < 0.1:
        flags |= RowFlag.FLAGGED
    received = times.from_datetime(when)
    now = times.from_unix(time.time())
    return store.write(
        lambda txn: items.append(
            txn, actor, actor.mailbox, fid, incoming, flags=flags, received=received, now=now
        )
    )


def _appointments(start: datetime, rng: random.Random) -> list[tuple[Bag, Named]]:
    found = []
    for week in range(WEEKS + 2):
        monday = (start + timedelta(weeks=week)).replace(hour=8, minute=0, second=0)
        monday -= timedelta(days=monday.weekday())
        for subject, day, hour, minutes, place in (
            ("Weekly meeting", 0, 9, 60, "Meeting Room"),
            (rng.choice(("Visit at Lindqvist's", "Measure the loft", "Dentist")), 2, 14, 90, "Out of office"),
        ):
            begin = monday + timedelta(days=day, hours=hour - 8)
            first, last = (times.from_datetime(t) for t in (begin, begin + timedelta(minutes=minutes)))
            props: Bag = {
                T.PidTagSubject: subject,
                T.PidTagNormalizedSubject: subject,
                T.PidTagStartDate: first,
                T.PidTagEndDate: last,
                T.PidTagBody: "",
            }
            named: Named = {
                N.PidLidAppointmentStartWhole: first,
                N.PidLidAppointmentEndWhole: last,
                N.PidLidCommonStart: first,
                N.PidLidCommonEnd: last,
                N.PidLidLocation: place,
                N.PidLidBusyStatus: 2,
                N.PidLidAppointmentDuration: minutes,
                N.PidLidAppointmentSubType: False,
                N.PidLidAppointmentStateFlags: 0,
                N.PidLidRecurring: False,
            }
            found.append((props, named))
    return found


def _contact(name: str, address: str) -> tuple[Bag, Named]:
    given, _, surname = name.rpartition(" ")
    props: Bag = {
        T.PidTagSubject: name,
        T.PidTagNormalizedSubject: name,
        T.PidTagDisplayName: name,
        T.PidTagGivenName: given,
        T.PidTagSurname: surname,
    }
    named: Named = {
        N.PidLidFileUnder: f"{surname}, {given}",
        N.PidLidEmail1AddressType: "SMTP",
        N.PidLidEmail1EmailAddress: address,
        N.PidLidEmail1DisplayName: f"{name} ({address})",
        N.PidLidEmail1OriginalDisplayName: address,
    }
    return props, named


def _object(store: Store, actor: Actor, fid: int, message_class: str, props: Bag, named: Named) -> None:
    """Store an object that was born in MAPI: no MIME, only properties."""
    now = times.from_unix(time.time())

    def fn(txn: WriteTxn) -> None:
        bag = {**props, T.PidTagMessageClass: message_class, **names.map_from_mail(txn, named)}
        packed = bags.pack(bag)
        with editing(txn, actor.mailbox, now=now, actor=actor.user) as edit:
            new = messages.NewMessage(
                blob=0,
                size=len(packed),
                bag=packed,
                message_class=message_class,
                flags=RowFlag.SEEN,
                received=now,
            )
            messages.insert(edit, fid, new)

    store.write(fn).result()
