"""Which properties clients may set on messages and attachments, and what follows from the ones they set.

Read-only properties (MS-OXCMSG 2.2.1.1, 2.2.2.1; MS-OXCPRPT 2.2.1) are refused with ecComputed; a type that
no stored property has with ecTypeNotSupported; a named property whose name nobody registered with
ecInvalidParam.
"""

from collections.abc import Mapping

from appliance.mailbox.messages import subject_parts
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi import types as t
from appliance.mapi.types import Value, is_named, type_of
from appliance.store import names
from appliance.store.kv import ReadTxn
from appliance.store.parts import PID_TAG_SATCHEL_BLOB, PID_TAG_SATCHEL_EMBEDDED

BODIES = (tags.PidTagBody, tags.PidTagHtml, tags.PidTagBodyHtml, tags.PidTagRtfCompressed)
"""The forms of a message's body."""

_COMMON = (
    tags.PidTagAccessLevel,
    tags.PidTagObjectType,
    tags.PidTagRecordKey,
    tags.PidTagInstanceKey,
    tags.PidTagStoreRecordKey,
    tags.PidTagStoreEntryId,
    tags.PidTagMappingSignature,
    PID_TAG_SATCHEL_BLOB,
    PID_TAG_SATCHEL_EMBEDDED,
)
_ATTACHMENT = frozenset(tag >> 16 for tag in (*_COMMON, tags.PidTagAttachNumber, tags.PidTagAttachSize))
_MESSAGE = frozenset(
    tag >> 16
    for tag in (
        *_COMMON,
        tags.PidTagAccess,
        tags.PidTagAssociated,
        tags.PidTagChangeKey,
        tags.PidTagChangeNumber,
        tags.PidTagConversationId,
        tags.PidTagCreationTime,
        tags.PidTagCreatorEntryId,
        tags.PidTagCreatorName,
        tags.PidTagDeletedOn,
        tags.PidTagDisplayBcc,
        tags.PidTagDisplayCc,
        tags.PidTagDisplayTo,
        tags.PidTagEntryId,
        tags.PidTagFolderId,
        tags.PidTagHasAttachments,
        tags.PidTagHasNamedProperties,
        tags.PidTagInstID,
        tags.PidTagInstanceNum,
        tags.PidTagInternetArticleNumber,
        tags.PidTagLastModificationTime,
        tags.PidTagLastModifierEntryId,
        tags.PidTagLastModifierName,
        tags.PidTagLocalCommitTime,
        tags.PidTagMessageSize,
        tags.PidTagMessageSizeExtended,
        tags.PidTagMessageStatus,
        tags.PidTagMid,
        tags.PidTagParentEntryId,
        tags.PidTagParentFolderId,
        tags.PidTagParentSourceKey,
        tags.PidTagPredecessorChangeList,
        tags.PidTagRead,
        tags.PidTagRowType,
        tags.PidTagSearchKey,
        tags.PidTagSourceKey,
    )
)
"""Property ids, because a read-only property is one in every type."""

_TYPES = frozenset(
    {
        t.PtypInteger16,
        t.PtypInteger32,
        t.PtypInteger64,
        t.PtypFloating32,
        t.PtypFloating64,
        t.PtypFloatingTime,
        t.PtypCurrency,
        t.PtypBoolean,
        t.PtypString,
        t.PtypTime,
        t.PtypGuid,
        t.PtypServerId,
        t.PtypBinary,
        t.PtypRestriction,
        t.PtypRuleAction,
        t.PtypMultipleInteger16,
        t.PtypMultipleInteger32,
        t.PtypMultipleInteger64,
        t.PtypMultipleFloating32,
        t.PtypMultipleFloating64,
        t.PtypMultipleFloatingTime,
        t.PtypMultipleCurrency,
        t.PtypMultipleString,
        t.PtypMultipleTime,
        t.PtypMultipleGuid,
        t.PtypMultipleBinary,
    }
)
"""Types that a property may be stored in."""


def _general(txn: ReadTxn, tag: int) -> int:
    if type_of(tag) not in _TYPES and tag != tags.PidTagAttachDataObject:
        return ec.ecTypeNotSupported
    if is_named(tag) and names.name_of(txn, tag >> 16) is None:
        return ec.ecInvalidParam
    return 0


def refusal(txn: ReadTxn, tag: int, saved: bool) -> int:
    """Why a client may not set or delete a property of a message, 0 if it may. `saved`: the message was saved
    before, so that its flags are the server's (MS-OXCMSG 2.2.1.6)."""
    if tag >> 16 in _MESSAGE or (saved and tag == tags.PidTagMessageFlags):
        return ec.ecComputed
    return _general(txn, tag)


def attachment_refusal(txn: ReadTxn, tag: int) -> int:
    """Why a client may not set or delete a property of an attachment, 0 if it may."""
    return ec.ecComputed if tag >> 16 in _ATTACHMENT else _general(txn, tag)


def replaced_by(tag: int, value: Value, current: Mapping[int, Value]) -> dict[int, Value]:
    """What is to be set when a client sets a property: a subject and its parts follow from each other
    (MS-OXCMSG 2.2.1.46). `current` has the three as they are."""
    if not isinstance(value, str):
        return {tag: value}
    if tag == tags.PidTagSubject:
        return dict(subject_parts(value))
    if tag in (tags.PidTagSubjectPrefix, tags.PidTagNormalizedSubject):
        prefix = value if tag == tags.PidTagSubjectPrefix else _text(current, tags.PidTagSubjectPrefix)
        rest = value if tag == tags.PidTagNormalizedSubject else _text(current, tags.PidTagNormalizedSubject)
        return {
            tags.PidTagSubject: prefix + rest,
            tags.PidTagSubjectPrefix: prefix,
            tags.PidTagNormalizedSubject: rest,
        }
    return {tag: value}


def _text(current: Mapping[int, Value], tag: int) -> str:
    value = current.get(tag)
    return value if isinstance(value, str) else ""
