"""Threading and base subjects as RFC 5256 has them."""

import pytest

from appliance.mailbox.search.subjects import base_subject
from appliance.mailbox.search.threads import (
    Threadable,
    message_ids,
    ordered_subject,
    references,
    thread_list,
)


def mail(
    uid: int, own: str = "", refs: str = "", subject: str = "", sent: int | None = None, reply: str = ""
) -> Threadable:
    wrap = lambda ids: " ".join(f"<{i}@x>" for i in ids.split())  # noqa: E731
    return Threadable(
        uid,
        uid * 10 if sent is None else sent,
        subject or f"s{uid}",
        wrap(own),
        wrap(refs),
        wrap(reply),
    )


def by_references(*messages: Threadable) -> str:
    return thread_list(references(messages))


@pytest.mark.parametrize(
    ("subject", "base", "reply"),
    [
        ("", "", False),
        ("Hello", "Hello", False),
        ("  Hello \t  world  ", "Hello world", False),
        ("Re: Hello", "Hello", True),
        ("RE:Hello", "Hello", True),
        ("re : Hello", "Hello", True),
        ("Fw: Hello", "Hello", True),
        ("FWD: Hello", "Hello", True),
        ("Fwdd: Hello", "Fwdd: Hello", False),
        ("Ref: Hello", "Ref: Hello", False),
        ("Re[2]: Hello", "Hello", True),
        ("Re [list] : Hello", "Hello", True),
        ("[list] Re: [list] Hello", "Hello", True),
        ("[list] Hello", "Hello", False),
        ("[a] [b] Hello", "Hello", False),
        ("[a]", "[a]", False),
        ("[a] [b]  ", "[b]", False),
        ("Re: [a]", "[a]", True),
        ("Hello (fwd)", "Hello", True),
        ("Hello (FWD) (fwd)  ", "Hello", True),
        ("Hello(fwd)", "Hello", True),
        ("[Fwd: Hello]", "Hello", True),
        ("[fwd: Re: [x] Hello (fwd)]", "Hello", True),
        ("[fwd: [fwd: Hello]]", "Hello", True),
        ("[fwd: [x]]", "[x]", True),
        ("Re:", "", True),
        ("Re: (fwd)", "", True),
        ("[a[b]] Hello", "[a[b]] Hello", False),
        ("Hello\r\n\tworld", "Hello world", False),
        ("Re: Re: Fwd: Re[3]: x", "x", True),
    ],
)
def test_base_subject(subject: str, base: str, reply: bool) -> None:
    assert base_subject(subject) == (base, reply)


@pytest.mark.parametrize("unit", ["[a]", "[", "re:", "(fwd)", "[fwd:", "re[a]", "] [", "re [ "])
def test_base_subject_of_hostile_text_is_quick(unit: str) -> None:
    base_subject(unit * 5000)
    base_subject(unit * 5000 + "x" + "]" * 5000)


def test_message_ids() -> None:
    assert message_ids("<a@b> junk <c@d>\r\n <no-at> <e@[1.2.3.4]>") == ["a@b", "c@d", "e@[1.2.3.4]"]
    # RFC 5256 3: the quoted form of an id is the same id
    assert message_ids('<"01KF8JCEOCBS0045PS"@xxx.yyy.com>') == ["01KF8JCEOCBS0045PS@xxx.yyy.com"]
    assert message_ids(r'<"a\"b"@c>') == ['a"b@c']
    assert message_ids("<" * 10000) == []


def test_a_chain_and_a_fork() -> None:
    assert by_references(mail(1, "a"), mail(2, "b", "a"), mail(3, "c", "a b")) == "(1 2 3)"
    # RFC 5256 example: 3 is the parent of 6, 6 has two threads below it
    assert (
        by_references(
            mail(2, "x"),
            mail(3, "c"),
            mail(4, "d", "c f"),
            mail(6, "f", "c"),
            mail(7, "g", "c f r", sent=600),
            mail(23, "w", "c f d"),
            mail(44, "r", "c f"),
            mail(96, "z", "g"),
        )
        == "(2)(3 6 (4 23)(44 7 96))"
    )


def test_in_reply_to_counts_without_references_and_only_its_first_id() -> None:
    assert by_references(mail(1, "a"), mail(2, "b", reply="a")) == "(1 2)"
    assert by_references(mail(1, "a"), mail(2, "b"), mail(3, "c", reply="a b")) == "(1 3)(2)"
    assert by_references(mail(1, "a"), mail(2, "b"), mail(3, "c", refs="b", reply="a")) == "(1)(2 3)"


def test_missing_messages() -> None:
    # one child moves to the top, two stay below their missing parent
    assert by_references(mail(1, "a", "gone")) == "(1)"
    assert by_references(mail(1, "a", "gone"), mail(2, "b", "gone")) == "((1)(2))"
    # a missing one in the middle gives its children to its parent
    assert by_references(mail(1, "a"), mail(2, "b", "a gone"), mail(3, "c", "a gone")) == "(1 (2)(3))"
    assert by_references(mail(1, "a", "x y z")) == "(1)"


def test_loops_and_duplicates_are_harmless() -> None:
    assert by_references(mail(1, "a", "b"), mail(2, "b", "a")) == "(2 1)"
    assert by_references(mail(1, "a", "a")) == "(1)"
    assert by_references(mail(1, "a"), mail(2, "a"), mail(3, "b", "a")) == "(1 3)(2)"
    assert by_references(mail(1, "a", "c"), mail(2, "b", "a"), mail(3, "c", "b")) in ("(2 3 1)", "(3 1 2)")


def test_a_truncated_references_field_is_mended_by_the_message_itself() -> None:
    # 3 says that c is below a; c itself says that it is below b
    assert (
        by_references(mail(1, "a"), mail(2, "b", "a"), mail(4, "d", "a c"), mail(5, "c", "a b"))
        == "(1 2 5 4)"
    )


def test_siblings_by_sent_date_then_uid() -> None:
    assert (
        by_references(
            mail(1, "a", sent=50),
            mail(2, "b", "a", sent=90),
            mail(3, "c", "a", sent=60),
            mail(4, "d", sent=10),
        )
        == "(4)(1 (3)(2))"
    )
    assert by_references(mail(1, sent=5), mail(2, sent=5)) == "(1)(2)"
    assert (
        by_references(mail(9, "x", "gone", sent=7), mail(3, "y", "gone", sent=30), mail(5, sent=20))
        == "((9)(3))(5)"
    )


def test_subjects_gather_threads() -> None:
    # a reply without references goes below the original, whichever came first
    assert by_references(mail(1, subject="Hi"), mail(2, subject="Re: hi")) == "(1 2)"
    assert by_references(mail(1, subject="Re: Hi"), mail(2, subject="hi")) == "(2 1)"
    # two originals, or two replies, become siblings of a missing parent
    assert by_references(mail(1, subject="Hi"), mail(2, subject="hi")) == "((1)(2))"
    assert (
        by_references(mail(1, subject="Re: Hi"), mail(2, subject="Re: hi"), mail(3, subject="fw: hi"))
        == "((1)(2)(3))"
    )
    # empty base subjects never gather
    assert by_references(mail(1, subject="Re:"), mail(2, subject="Re: ")) == "(1)(2)"
    # a thread below a missing parent takes the others in
    assert (
        by_references(
            mail(1, "a", "gone", subject="Hi"), mail(2, "b", "gone", subject="Re: Hi"), mail(3, subject="Hi")
        )
        == "((1)(2)(3))"
    )
    assert (
        by_references(
            mail(1, "a", "gone", subject="Hi"),
            mail(2, "b", "gone", subject="Re: Hi"),
            mail(3, "c", "lost", subject="Hi"),
            mail(4, "d", "lost", subject="Hi"),
        )
        == "((1)(2)(3)(4))"
    )


def test_a_long_chain_takes_no_recursion() -> None:
    count = 5_000
    chain = [mail(n, f"m{n}", f"m{n - 1}" if n > 1 else "", subject="s") for n in range(1, count + 1)]
    assert by_references(*chain) == "(" + " ".join(map(str, range(1, count + 1))) + ")"
    assert by_references(*reversed(chain)).startswith("(1 2 3 ")


def test_ordered_subject() -> None:
    messages = [
        mail(1, subject="A", sent=50),
        mail(2, subject="b", sent=10),
        mail(3, subject="Re: a", sent=20),
        mail(4, subject="[l] a", sent=60),
        mail(5, subject="B (fwd)", sent=90),
    ]
    assert thread_list(ordered_subject(messages)) == "(2 5)(3 (1)(4))"


def test_thread_list_of_nothing() -> None:
    assert thread_list([]) == ""
