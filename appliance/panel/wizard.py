"""The first set-up: questions first, then everything at once, then what to enter elsewhere.

Nothing is done before the summary was confirmed, so that a lost line or a wrong answer costs nothing: the
next person begins anew. `<` goes back a question group. Every step is an `appliance` command that a person
could type as well; one that fails is said, and the others go on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.directory import addresses
from appliance.directory.credentials import MAX_PASSWORD
from appliance.panel import network
from appliance.panel.dialogue import (
    NO_PASSWORD,
    Back,
    Dialogue,
    Result,
    ask,
    choose,
    confirm,
    do,
    new_password,
    page,
    run,
    say,
    sentence,
    title,
)
from appliance.panel.machine import check_zone
from appliance.panel.network import Network
from appliance.transport.smarthost import parse_target

MIN_PASSWORD = 8
"""Characters of the passwords that are typed at the console, at least: they guard the machine itself."""

MAX_PEOPLE = 50
MAX_NAME = 100
_RESTORE_TIME = 6 * 3600.0

WELCOME = (
    "Welcome to Satchel. A few questions, and this machine serves mail.",
    "Return takes the answer in [brackets], ? explains, < goes back, and Control-C",
    "starts over. Nothing is changed before the end.",
)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody who gets a mailbox."""

    address: str
    name: str
    password: str = field(repr=False)


@dataclass(slots=True)
class Answers:
    """What was answered so far."""

    domain: str = ""
    hostname: str = ""
    organization: str = ""
    password: str = field(default="", repr=False)
    network: Network = field(default_factory=Network)
    zone: str = "UTC"
    people: list[NewPerson] = field(default_factory=list)
    smarthost: str = ""
    smarthost_user: str = ""
    smarthost_password: str = field(default="", repr=False)
    receives: bool = True
    certificate: tuple[str, str] | None = None


# -- checks of answers ----------------------------------------------------------------------------------


def check_domain(text: str) -> str:
    """A domain with a dot, in A-labels. Raises ValueError."""
    domain = addresses.parse_domain(text)
    if "." not in domain or domain.replace(".", "").isdigit():
        raise ValueError("a domain has a dot in it, as example.org")
    return domain


def check_name(text: str) -> str:
    """A name for people. Raises ValueError."""
    text = " ".join(text.split())
    if not text or len(text) > MAX_NAME or "/" in text:
        raise ValueError(f"a name has 1 to {MAX_NAME} characters and no slash")
    return text


def check_password(text: str) -> str:
    """A password that the server takes. Raises ValueError."""
    if not MIN_PASSWORD <= len(text) <= MAX_PASSWORD:
        raise ValueError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return text


def check_target(text: str) -> str:
    """HOST:PORT of a smart host. Raises ValueError."""
    parse_target(text)
    return text


def check_path(text: str) -> str:
    """An absolute path. Raises ValueError."""
    if not text.startswith("/"):
        raise ValueError("a path begins with a slash, as /run/appliance-stick/mail.pem")
    return text


# -- the questions --------------------------------------------------------------------------------------


def _names(answers: Answers) -> Dialogue[None]:
    yield from title("Name and domain")
    answers.domain = yield from ask(
        "Mail domain",
        check_domain,
        default=answers.domain,
        back=True,
        help_text="What stands behind the @ in your addresses, as example.org. It must be yours.",
    )
    answers.hostname = yield from ask(
        "Name of this machine",
        check_domain,
        default=f"mail.{answers.domain}",
        back=True,
        help_text="The name under which mail programs and other servers reach this machine.",
    )
    answers.organization = yield from ask(
        "Organization", check_name, default=answers.organization or answers.domain, back=True
    )


def _password(answers: Answers) -> Dialogue[None]:
    yield from title("Administrator's password")
    yield from say("It opens this console, no mailbox. Nothing shows while you type.")
    answers.password = yield from new_password("Password", check_password, back=True)


def _network(answers: Answers) -> Dialogue[None]:
    yield from title("Network")
    answers.network = yield from ask_network(answers.network)
    answers.zone = yield from ask(
        "Time zone",
        check_zone,
        default=answers.zone,
        back=True,
        help_text="As Europe/Berlin, America/New_York or UTC.",
    )


def ask_network(current: Network) -> Dialogue[Network]:
    """The network, by DHCP or fixed."""
    options = ("automatic: from the router (DHCP)", "fixed: I type address, router and name servers")
    default = 0 if current.dhcp else 1
    if (yield from choose("Network", options, default=default, back=True)) == 0:
        return Network()
    address = yield from ask(
        "Address with prefix length", network.parse_address, default=current.address, back=True,
        help_text="As 192.168.1.10/24. Choose one that the router does not give to others.",
    )  # fmt: skip
    gateway = yield from ask(
        "Router", lambda text: network.parse_gateway(text, address), default=current.gateway, back=True,
        help_text="The address of the box that leads to the internet, as 192.168.1.1.",
    )  # fmt: skip
    dns = yield from ask(
        "Name servers", network.parse_servers, default=", ".join(current.dns) or gateway, back=True
    )
    return Network(address, gateway, dns)


def _people(answers: Answers) -> Dialogue[None]:
    yield from title("The first people")
    yield from say(f"Type the part before @{answers.domain}; an empty answer when all are there.")
    answers.people = []
    while len(answers.people) < MAX_PEOPLE:
        known = {addresses.parse(person.address).key for person in answers.people}
        address = yield from ask("Address", _address_check(answers.domain, known), back=True)
        if not address:
            break
        answers.people.append((yield from ask_person(address)))
    if not answers.people and not (yield from confirm("Nobody yet: go on", default=True)):
        yield from _people(answers)


def _address_check(domain: str, known: set[str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not text:
            return ""
        address = addresses.parse(text if "@" in text else f"{text}@{domain}")
        if address.key in known:
            raise ValueError("this address is there already")
        if address.domain != domain:
            raise ValueError(f"addresses here end in @{domain}")
        return str(address)

    return check


def ask_person(address: str) -> Dialogue[NewPerson]:
    """Name and password of somebody."""
    guess = address.partition("@")[0].replace(".", " ").title()
    name = yield from ask("  Name", check_name, default=guess, back=True)
    password = yield from new_password("  Password", check_password, back=True)
    return NewPerson(address, name, password)


def _mail(answers: Answers) -> Dialogue[None]:
    yield from title("How mail comes and goes")
    incoming = ("from other servers, by an MX record of your domain", "not yet: only within this office")
    choice = yield from choose("Mail comes", incoming, default=0 if answers.receives else 1, back=True)
    answers.receives = choice == 0
    outgoing = (
        "directly to the servers of the recipients",
        "through a smart host: your provider's server for all outgoing mail",
    )
    choice = yield from choose("Mail goes", outgoing, default=1 if answers.smarthost else 0, back=True)
    if choice == 0:
        answers.smarthost = answers.smarthost_user = answers.smarthost_password = ""
        return
    answers.smarthost, answers.smarthost_user, answers.smarthost_password = yield from ask_smarthost()


def ask_smarthost() -> Dialogue[tuple[str, str, str]]:
    """Target, user and password of a smart host; without a user both are empty."""
    target = yield from ask(
        "Smart host (HOST:PORT)", check_target, back=True, help_text="As smtp.example.net:587 or :465."
    )
    user = yield from ask("  User name there (empty: none)", str, back=True)
    if not user:
        return target, "", ""
    password = yield from ask("  Password there", _not_empty, secret=True)
    return target, user, password


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("the password is empty")
    return text


def _certificate(answers: Answers) -> Dialogue[None]:
    yield from title("Certificate")
    options = ("made here, by this machine's own authority", "my own, from a USB stick (PEM files)")
    if (yield from choose("Certificate", options, default=0, back=True)) == 0:
        answers.certificate = None
        return
    certificate = yield from ask("  File of the certificate with its chain", check_path, back=True)
    key = yield from ask("  File of its private key", check_path, back=True)
    answers.certificate = certificate, key


def _questions(answers: Answers, own_network: bool) -> Dialogue[None]:
    network = (_network,) if own_network else ()
    groups = (_names, _password, *network, _people, _mail, _certificate)
    index = 0
    while index < len(groups):
        try:
            yield from groups[index](answers)
        except Back:
            index = max(index - 1, 0)
        else:
            index += 1


def _summary(answers: Answers, own_network: bool) -> Dialogue[bool]:
    yield from title("What will be done")
    chosen = answers.network
    rows = {
        "Domain": answers.domain,
        "This machine": answers.hostname,
        "Organization": answers.organization,
        "Network": "automatic (DHCP)" if chosen.dhcp else f"{chosen.address}, router {chosen.gateway}",
        "Time zone": answers.zone,
        "People": ", ".join(person.address for person in answers.people) or "nobody yet",
        "Mail comes": "by MX record" if answers.receives else "not from outside yet",
        "Mail goes": f"through {answers.smarthost}" if answers.smarthost else "directly",
        "Certificate": "from a file" if answers.certificate else "made here",
    }
    if not own_network:
        del rows["Network"], rows["Time zone"]
    yield from say(*(f"  {name:14} {value}" for name, value in rows.items()))
    return (yield from confirm("Is this right", fresh=True))


# -- doing it -------------------------------------------------------------------------------------------


def setup(*, own_network: bool = True) -> Dialogue[bool]:
    """The whole first set-up; whether the machine is set up now. `own_network`: network and time zone are
    the appliance's to choose; elsewhere they are left alone."""
    yield from say("", *WELCOME)
    options = ("set this machine up", "bring back a backup from a USB stick")
    if (yield from choose("What shall be done", options, default=0)) == 1:
        return (yield from _restore())
    answers = Answers()
    while True:
        yield from _questions(answers, own_network)
        if (yield from _summary(answers, own_network)):
            break
    return (yield from _apply(answers, own_network))


def _apply(answers: Answers, own_network: bool) -> Dialogue[bool]:
    yield from title("Setting up")
    made = yield from _step(
        "Store, authority, certificate",
        "init",
        f"--domain={answers.domain}",
        f"--hostname={answers.hostname}",
        f"--organization={answers.organization}",
    )
    if not made.ok:
        yield from say("Nothing was set up. From the beginning, please.")
        return False
    failed = 0
    for about, arguments, stdin in _plan(answers, own_network):
        result = yield from _step(about, *arguments, stdin=stdin)
        failed += not result.ok
    if failed:
        yield from say("", f"{failed} of these did not work; the menu has each of them again.")
    yield from title("What to enter elsewhere")
    for topic in ("clients", "dns") if answers.receives else ("clients",):
        advised = yield from run("advice", topic)
        yield from page(advised.output if advised.ok else advised.reason)
        yield from ask("Return goes on", str)
    yield from say("All done. The menu shows this again. Mail is served in a few seconds.")
    return True


def _step(about: str, *arguments: str, stdin: str = "") -> Dialogue[Result]:
    result = yield from run(*arguments, stdin=stdin)
    told = "done" if result.ok else f"FAILED: {sentence(result.reason)}"
    yield from say(f"  {about:40} {told}")
    return result


def _plan(answers: Answers, own_network: bool) -> list[tuple[str, tuple[str, ...], str]]:
    """What follows upon `init`: (about, arguments, standard input). The password first: from then on the
    console is locked."""
    plan: list[tuple[str, tuple[str, ...], str]] = [
        ("Administrator's password", ("admin", "passwd", "--password-stdin"), answers.password),
    ]
    if own_network:
        plan += [
            ("Network", network_arguments(answers.network, answers.hostname), ""),
            ("Time zone", ("timezone", answers.zone), ""),
            # a board has no clock of its own, and nothing on it speaks to the server without TLS
            ("Waiting for the right time", ("setting", "set", "clock.wait_for_sync", "on"), ""),
            ("Passwords only under TLS", ("setting", "set", "auth.plain_on_loopback", "off"), ""),
        ]
    plan += [(person.address, *person_arguments(person)) for person in answers.people]
    if answers.smarthost:
        given = answers.smarthost, answers.smarthost_user, answers.smarthost_password
        plan += [("Smart host", *smarthost_arguments(*given))]
        plan += [("Smart host: trying it", ("smarthost", "test"), "")]
    if answers.certificate:
        plan += [("Certificate", ("tls", "import", *answers.certificate), "")]
    return plan


def network_arguments(chosen: Network, hostname: str = "") -> tuple[str, ...]:
    """The command that sets a network, and the machine's name."""
    named = (f"--hostname={hostname}",) if hostname else ()
    if chosen.dhcp:
        return "network", "dhcp", *named
    gateway = (f"--gateway={chosen.gateway}",) if chosen.gateway else ()
    servers = (f"--dns={server}" for server in chosen.dns)
    return "network", "static", *named, *gateway, *servers, "--", chosen.address


def person_arguments(person: NewPerson) -> tuple[tuple[str, ...], str]:
    """The command that adds somebody, and its standard input."""
    return ("user", "add", f"--name={person.name}", "--password-stdin", "--", person.address), person.password


def smarthost_arguments(target: str, user: str, password: str) -> tuple[tuple[str, ...], str]:
    """The command that sets the smart host, and its standard input."""
    if not user:
        return ("smarthost", "set", "--", target), ""
    return ("smarthost", "set", f"--user={user}", "--password-stdin", "--", target), password


def _restore() -> Dialogue[bool]:
    yield from title("Bring back a backup")
    path = yield from choose_backup()
    if path is None:
        return False
    phrase = yield from ask("Passphrase of the backup (empty: none)", str, secret=True)
    arguments = ("restore", *(("--passphrase-stdin",) if phrase else ()), "--", path)
    if not (yield from do(*arguments, stdin=phrase, seconds=_RESTORE_TIME, done="The backup is back.")):
        return False
    if (yield from run("admin", "show")).reason == NO_PASSWORD:
        password = yield from new_password("New administrator's password", check_password)
        yield from do("admin", "passwd", "--password-stdin", stdin=password)
    return True


def choose_backup() -> Dialogue[str | None]:
    """One of the backups on the stick."""
    listed = yield from run("stick", "list")
    names = [line.partition("\t")[0] for line in listed.output.splitlines() if line]
    if not listed.ok or not names:
        reason = listed.reason if not listed.ok else "there is no backup on the stick"
        yield from say(sentence(reason))
        return None
    number = yield from choose("Which one", [name.rpartition("/")[2] for name in names], default=0)
    return names[number]
