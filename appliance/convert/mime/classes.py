"""The message class of a MIME message: what kind of item a delivery becomes (MS-OXCMAIL, MS-OXOSMIME).

The structure decides first (signed, encrypted, report, meeting), the Content-Class field last. Only what is
needed is read: a report's status part or a calendar's first kilobytes.
"""

import re
from collections.abc import Mapping

from appliance.convert.mime import reports
from appliance.convert.mime.body import Layout
from appliance.convert.mime.source import Source
from appliance.formats.mime.scan import Kind, Part

NOTE = "IPM.Note"
SMIME = "IPM.Note.SMIME"
SMIME_SIGNED = "IPM.Note.SMIME.MultipartSigned"
SMIME_RECEIPT = "IPM.Note.Receipt.SMIME"
MEETING_PREFIX = "IPM.Schedule.Meeting."

MAX_CALENDAR = 65536
"""Encoded bytes of a calendar part that are looked at."""
MAX_CLASS = 127
"""MS-OXCMSG 2.2.1.3: fewer than 128 characters, so that a class can be extended."""

PKCS7_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
PKCS7_SIGNATURES = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})

_CONTENT_CLASSES: Mapping[str, str] = {  # MS-OXCMAIL 2.2.3.2.15
    "fax": "IPM.Note.Microsoft.Fax",
    "fax-ca": "IPM.Note.Microsoft.Fax.CA",
    "missedcall": "IPM.Note.Microsoft.Missed.Voice",
    "voice": "IPM.Note.Microsoft.Voicemail.UM",
    "voice-ca": "IPM.Note.Microsoft.Voicemail.UM.CA",
    "voice-uc": "IPM.Note.Microsoft.Conversation.Voice",
    "rpmsg.message": "IPM.Note.rpmsg.Microsoft.Voicemail.UM",
    "sharing": "IPM.Sharing",
    "ms-oms-sms": "IPM.Note.Mobile.SMS",
    "ms-oms-mms": "IPM.Note.Mobile.MMS",
}
_CUSTOM = "urn:content-class:custom."
_INFOPATH = "infopathform."
_ANSWERS = {"accepted": "Resp.Pos", "declined": "Resp.Neg", "tentative": "Resp.Tent"}
_PARTSTAT = re.compile(
    r"^ATTENDEE\b[^:\r\n]*?;\s*PARTSTAT\s*=\s*\"?([A-Za-z-]+)", re.IGNORECASE | re.MULTILINE
)
_METHOD = re.compile(r"^METHOD\s*(?:;[^:\r\n]*)?:\s*([A-Za-z]+)", re.IGNORECASE | re.MULTILINE)
_UNFOLD = re.compile(r"\r?\n[ \t]")
_SUFFIX = re.compile(r"^[A-Za-z0-9._ -]+$")


def message_class(source: Source, layout: Layout) -> str:
    """PidTagMessageClass of the message behind a source, at most MAX_CLASS characters."""
    root = source.root
    secure = smime_class(root)
    found = (
        secure or reports.report_class(source) or _meeting(source, layout) or _content_class(source, layout)
    )
    return (found or NOTE)[:MAX_CLASS]


def smime_class(root: Part) -> str | None:
    """The class of a signed or encrypted message (MS-OXOSMIME 2.1); None for others.

    deviation: a signature that is not S/MIME (PGP) stays IPM.Note, so that its text and files can be used.
    """
    content = root.content
    if content.value == "multipart/signed" and root.kind is Kind.MULTIPART:
        protocol = (content.get("protocol") or "").lower()
        return SMIME_SIGNED if protocol in PKCS7_SIGNATURES else None
    if content.value in PKCS7_TYPES:
        kind = (content.get("smime-type") or "").lower()
        if kind == "signed-receipt":
            return SMIME_RECEIPT
        return None if kind == "certs-only" else SMIME
    if content.value == "application/octet-stream" and (root.filename or "").lower().endswith(".p7m"):
        return SMIME
    return None


def _meeting(source: Source, layout: Layout) -> str | None:
    """MS-OXCICAL 2.1.3.1.1.1: the method decides; for a reply, the attendee's answer."""
    part = layout.calendar
    if part is None:
        return None
    method = (part.content.get("method") or "").lower()
    text = ""
    if method in ("", "reply"):
        text = _UNFOLD.sub("", source.text(part, MAX_CALENDAR))
        if not method and (match := _METHOD.search(text)):
            method = match[1].lower()
    if method == "request":
        return MEETING_PREFIX + "Request"
    if method == "cancel":
        return MEETING_PREFIX + "Canceled"
    if method == "counter":
        return MEETING_PREFIX + "Resp.Tent"
    if method == "reply" and (match := _PARTSTAT.search(text)):
        answer = _ANSWERS.get(match[1].lower())
        return None if answer is None else MEETING_PREFIX + answer
    return None


def _content_class(source: Source, layout: Layout) -> str | None:
    body = source.headers().get(b"content-class")
    if not body:
        return None
    value = body.decode("latin-1").strip().strip('"')
    lower = value.lower()
    known = _CONTENT_CLASSES.get(lower)
    if known is not None:
        return known if _conforms(lower, layout) else None
    if lower.startswith(_CUSTOM) and _SUFFIX.match(value[len(_CUSTOM) :]):
        return f"IPM.Note.Custom.{value[len(_CUSTOM) :]}"
    if lower.startswith(_INFOPATH) and _SUFFIX.match(value):
        # The form's name follows the form's id: MS-OXCMAIL 2.2.3.2.15.
        return f"IPM.InfoPathForm.{value[len(_INFOPATH) :]}"
    return None


def _conforms(content_class: str, layout: Layout) -> bool:
    """The content that a class needs: a TIFF for a fax, a sound for voice mail (2.2.3.2.15.1 and .2)."""
    types = [placed.part.content.value for placed in layout.attachments]
    if content_class.startswith("fax"):
        return "image/tiff" in types
    if content_class in ("voice", "voice-ca", "voice-uc"):
        return any(kind.startswith("audio/") for kind in types)
    return True
