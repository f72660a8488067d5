"""A folder of five messages with one letter each, and the table of it that the cases move in."""

from tests.conformance import tags
from tests.conformance.desk import INBOX, Desk, Folder
from tests.conformance.tables import ASCENDING

SUBJECTS = ["delta", "alpha", "echo", "charlie", "bravo"]
BY_SUBJECT = (tags.SUBJECT, ASCENDING)
COLUMNS = (tags.SUBJECT, tags.IMPORTANCE)


def lettered(desk: Desk) -> Folder:
    """A folder with five messages; the importance of each is its number modulo 3."""
    made = desk.create_folder(desk.folder(INBOX), "table")
    for number, subject in enumerate(SUBJECTS):
        message = desk.create_message(made)
        desk.set(message, {tags.SUBJECT: subject, tags.IMPORTANCE: number % 3})
        desk.save(message)
    return made


def by_letter(desk: Desk, folder: Folder) -> int:
    """Sorted by subject: alpha 1, bravo 1, charlie 0, delta 0, echo 2."""
    handle, many = desk.contents(folder)
    assert many == 5
    desk.set_columns(handle, *COLUMNS)
    desk.sort(handle, BY_SUBJECT)
    return handle


def subjects(desk: Desk, table: int, many: int = 100, forward: bool = True, flags: int = 0) -> str:
    """First letters of the next subjects."""
    _, rows = desk.query_rows(table, COLUMNS, many, forward, flags)
    return "".join(row[0][0] for row in rows)
