"""Threads of messages: THREAD=REFERENCES and THREAD=ORDEREDSUBJECT (RFC 5256 3).

The algorithms see `Threadable` facts only, in the order of the UIDs. Trees may be as deep as the folder has
messages, so nothing here recurses.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from appliance.mailbox.search.subjects import base_subject

MAX_REFERENCES = 200
"""References of one message that count: its first and its last ones."""

MAX_DEPTH = 5000
"""Answers to answers that are linked by References before a longer chain is broken."""

_MESSAGE_ID = re.compile(r'<((?:"(?:[^"\\\r\n]|\\.)*"|[^<>@"\s]+)@(?:\[[^\]\r\n]*\]|[^<>@\[\]\s]+))>')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"@')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Threadable:
    """What threading needs of a message. `sent` is a FILETIME: the Date field's or, failing that, when the
    message was received (RFC 5256 2.2); the other fields are header texts as they stand."""

    uid: int
    sent: int
    subject: str
    message_id: str = ""
    references: str = ""
    in_reply_to: str = ""


@dataclass(slots=True, eq=False)
class Thread:
    """A message and its answers. `uid` is 0 where the message itself is missing (only at the top)."""

    uid: int
    children: "list[Thread]" = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Node:
    message: Threadable | None = None
    parent: "_Node | None" = None
    children: "list[_Node]" = field(default_factory=list)
    below: int = 0
    key: tuple[int, int] = (0, 0)


def message_ids(text: str) -> list[str]:
    """The valid message ids in a header text, without angle brackets, quoted parts unquoted."""
    return [_canonical(found) for found in _MESSAGE_ID.findall(text)]


def _canonical(message_id: str) -> str:
    quoted = _QUOTED.match(message_id)
    if not quoted:
        return message_id
    return _ESCAPED.sub(r"\1", quoted[1]) + message_id[quoted.end() - 1 :]


def ordered_subject(messages: Sequence[Threadable]) -> list[Thread]:
    """THREAD=ORDEREDSUBJECT: messages of one base subject; the first has all the others below it."""
    keyed = [(base_subject(m.subject).key, m.sent, m.uid) for m in messages]
    threads = []
    for _, group in groupby(sorted(keyed), key=lambda entry: entry[0]):
        members = list(group)
        thread = Thread(members[0][2], [Thread(uid) for _, _, uid in members[1:]])
        threads.append((members[0][1], members[0][2], thread))
    return [thread for _, _, thread in sorted(threads, key=lambda entry: entry[:2])]


def references(messages: Sequence[Threadable]) -> list[Thread]:
    """THREAD=REFERENCES: by References and In-Reply-To, then by base subject."""
    roots = _prune(_link(messages))
    for root in roots:
        _set_key(root)
    roots.sort(key=_key)  # step 4
    roots = _merge_subjects(roots)
    _sort_siblings(roots)
    return _render(roots)


def _link(messages: Sequence[Threadable]) -> list[_Node]:
    """Steps 1 and 2: every message below the last of its references."""
    table: dict[str, _Node] = {}
    nodes: list[_Node] = []
    for message in messages:
        own = message_ids(message.message_id)
        node = table.get(own[0]) if own else None
        if node is None or node.message is not None:  # without an id, or with one that is taken
            node = _Node()
            if own and own[0] not in table:
                table[own[0]] = node
        node.message = message
        nodes.append(node)
    for node in nodes:
        if node.message is not None:
            _place(node, _references_of(node.message), table)
    every = dict.fromkeys([*nodes, *table.values()])
    for node in every:
        if node.parent is not None:
            node.parent.children.append(node)
    return [node for node in every if node.parent is None]


def _place(node: _Node, ids: Iterable[str], table: dict[str, _Node]) -> None:
    """Step 1 for one message: link its references in a row (A), then itself below the last (B)."""
    last: _Node | None = None
    for reference in ids:
        child = table.get(reference)
        if child is None:
            child = table[reference] = _Node()
        if last is not None and child.parent is None:
            _adopt(last, child)
        last = child
    if node.parent is not None and node.parent is not last:
        node.parent.below -= 1
        node.parent = None
    if last is not None and node.parent is None:
        _adopt(last, node)


def _references_of(message: Threadable) -> list[str]:
    found = message_ids(message.references) or message_ids(message.in_reply_to)[:1]
    half = MAX_REFERENCES // 2
    return found if len(found) <= MAX_REFERENCES else found[:half] + found[-half:]


def _adopt(parent: _Node, child: _Node) -> None:
    """Link unless that would make a loop. The child has no parent; lists of children are made at the end."""
    if parent is child or (child.below and _is_below(parent, child)):
        return
    child.parent = parent
    parent.below += 1


def _is_below(node: _Node, ancestor: _Node) -> bool:
    above = node.parent
    for _ in range(MAX_DEPTH):
        if above is None:
            return False
        if above is ancestor:
            return True
        above = above.parent
    return True


def _top_down(roots: Iterable[_Node]) -> list[_Node]:
    """Every node, parents before their children."""
    order = list(roots)
    for node in order:
        order.extend(node.children)
    return order


def _prune(roots: list[_Node]) -> list[_Node]:
    """Step 3: missing messages go; what was below them moves up, but not to the top in numbers."""
    for node in reversed(_top_down(roots)):
        kept: list[_Node] = []
        for child in node.children:
            if child.message is None:
                kept.extend(child.children)
            else:
                kept.append(child)
        node.children = kept
    pruned: list[_Node] = []
    for root in roots:
        if root.message is None and len(root.children) < 2:
            pruned.extend(root.children)
        else:
            pruned.append(root)
    return pruned


def _key(node: _Node) -> tuple[int, int]:
    return node.key


def _set_key(node: _Node) -> None:
    """What siblings are sorted by: the sent date, then the UID; a missing message by its first child."""
    if node.message is not None:
        node.key = (node.message.sent, node.message.uid)
    else:
        for child in node.children:
            _set_key(child)  # never missing itself: this goes one level down
        node.children.sort(key=_key)
        node.key = node.children[0].key


def _merge_subjects(roots: list[_Node]) -> list[_Node]:
    """Step 5: threads of the same base subject become one."""
    subjects: dict[str, tuple[_Node, bool]] = {}
    keyed: list[tuple[_Node, str, bool]] = []
    for root in roots:
        message = root.message or root.children[0].message
        base = base_subject(message.subject if message else "")
        keyed.append((root, base.key, base.reply))
        if not base.text:
            continue
        known = subjects.get(base.key)
        if known is None or (
            known[0].message is not None and (root.message is None or (known[1] and not base.reply))
        ):
            subjects[base.key] = (root, base.reply)
    top = dict.fromkeys(roots)
    for root, subject, reply in keyed:
        known = subjects.get(subject)
        if known is None or known[0] is root or root not in top:
            continue
        del top[root]
        other, other_reply = known
        if other.message is None:
            other.children.extend(root.children if root.message is None else [root])
        elif reply and not other_reply:
            other.children.append(root)
        else:
            del top[other]
            both = _Node(children=[other, root])
            top[both] = None
            subjects[subject] = (both, False)
    return list(top)


def _sort_siblings(roots: list[_Node]) -> None:
    """Step 6: each set of siblings by date, the youngest sets first, the top last."""
    order = _top_down(roots)
    for node in order:
        if node.message is not None:
            _set_key(node)
    for node in reversed(order):
        node.children.sort(key=_key)
        if node.message is None:
            node.key = node.children[0].key
    roots.sort(key=_key)


def _render(roots: list[_Node]) -> list[Thread]:
    order = _top_down(roots)
    made = {id(node): Thread(node.message.uid if node.message else 0) for node in order}
    for node in order:
        made[id(node)].children = [made[id(child)] for child in node.children]
    return [made[id(root)] for root in roots]


def thread_list(threads: Iterable[Thread]) -> str:
    """Threads in the syntax of the THREAD response (RFC 5256 5: thread-list), as "(1)(2 3 (4)(5 6))"."""
    out: list[str] = []
    stack: list[Thread | str] = [*reversed(list(threads))]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            out.append(item)
            continue
        out.append("(")
        words = [str(item.uid)] if item.uid else []
        while len(item.children) == 1:
            item = item.children[0]
            words.append(str(item.uid))
        out.append(" ".join(words))
        stack.append(")")
        if item.children:
            if words:
                out.append(" ")
            stack.extend(reversed(item.children))
    return "".join(out)
