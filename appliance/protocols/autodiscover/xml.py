"""XML of strangers, read safely, and XML of ours, written.

Reading: no entities, no DTD, no network, no more than MAX_ELEMENTS elements; raises BadXml for anything that
is not well-formed or passes a limit. Namespaces with `https:` in front, as some examples have them, count
as those with `http:`.
"""

from collections.abc import Iterator
from typing import Any

from lxml import etree

MAX_SIZE = 64 << 10
"""Bytes of a request."""

MAX_ELEMENTS = 2000
MAX_TEXT = 1024
"""Characters of a value."""

XSI = "http://www.w3.org/2001/XMLSchema-instance"
CONTENT_TYPE = "text/xml; charset=utf-8"

Element = etree._Element


class BadXml(ValueError):
    """The text is not XML that is taken here."""


def parse(data: bytes) -> Element:
    """The root element. Raises BadXml."""
    if len(data) > MAX_SIZE:
        raise BadXml("too long")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise BadXml(str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadXml("a document type")
    if sum(1 for _ in zip(root.iter(), range(MAX_ELEMENTS + 1), strict=False)) > MAX_ELEMENTS:
        raise BadXml("too many elements")
    return root


def name_of(element: Element) -> tuple[str, str]:
    """(namespace, local name) of an element."""
    qualified = etree.QName(element)
    return plain(qualified.namespace or ""), qualified.localname


def plain(namespace: str) -> str:
    """A namespace as the schemas have it."""
    return "http:" + namespace[6:] if namespace.startswith("https:") else namespace


def children(element: Element, namespace: str, name: str) -> Iterator[Element]:
    """The child elements of a name."""
    for child in element:
        if isinstance(child.tag, str) and name_of(child) == (namespace, name):
            yield child


def child(element: Element | None, namespace: str, name: str) -> Element | None:
    """The first child element of a name; None too where there is no element to begin with."""
    return None if element is None else next(children(element, namespace, name), None)


def text(element: Element | None) -> str:
    """The text of an element without white space around it; empty where there is none."""
    value = (element.text or "").strip() if element is not None else ""
    if len(value) > MAX_TEXT:
        raise BadXml("a value is too long")
    return value


def add(parent: Element, name: str, value: str | None = None, **attributes: str) -> Element:
    """A new child in the parent's namespace."""
    namespace = etree.QName(parent).namespace
    made = etree.SubElement(parent, f"{{{namespace}}}{name}" if namespace else name, dict(attributes))
    if value is not None:
        made.text = clean(value)
    return made


def begin(namespace: str, name: str, parent: Element | None = None, **prefixes: str) -> Element:
    """An element whose namespace is the default one from here on, with further prefixes."""
    names: dict[Any, str] = {None: namespace, **prefixes}
    tag = f"{{{namespace}}}{name}"
    return etree.Element(tag, nsmap=names) if parent is None else etree.SubElement(parent, tag, nsmap=names)


def clean(value: str) -> str:
    """A text without the characters that XML 1.0 does not have (2.2)."""
    return "".join(char for char in value if char in "\t\n\r" or _is_char(ord(char)))


def _is_char(code: int) -> bool:
    return 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


def show(root: Element) -> bytes:
    """A whole document in UTF-8."""
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")
