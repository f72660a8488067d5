"""Property groups: the parts of a message whose changes are told apart (MS-OXCFXICS 3.2.5.7).

A synchronisation sends the groups that changed, each complete, in place of the whole message. What belongs to
no group is REST. Sub-objects belong to the group that lists the property which stands for them.
"""

from enum import IntEnum

from appliance.mapi import annotations, tags
from appliance.mapi.names import PropertyName
from appliance.mapi.types import is_named


class Group(IntEnum):
    """The groups. Numbers are the indexes of the mapping that clients are sent."""

    NOTES = 0
    """What is no content: flags, categories, reminders."""
    SUBJECT = 1
    BODY = 2
    PEOPLE = 3
    ATTACHMENTS = 4
    REST = 0xFFFFFFFF


TAGS: dict[Group, tuple[int, ...]] = {
    Group.NOTES: (tags.PidTagMessageFlags, *sorted(annotations.ANNOTATIONS)),
    Group.SUBJECT: (
        tags.PidTagSubject,
        tags.PidTagSubjectPrefix,
        tags.PidTagNormalizedSubject,
        tags.PidTagConversationTopic,
        tags.PidTagConversationIndex,
        tags.PidTagConversationId,
        tags.PidTagConversationIndexTracking,
    ),
    Group.BODY: (
        tags.PidTagBody,
        tags.PidTagHtml,
        tags.PidTagRtfCompressed,
        tags.PidTagRtfInSync,
        tags.PidTagNativeBody,
        tags.PidTagInternetCodepage,
    ),
    Group.PEOPLE: (
        0x0E12000D,  # PidTagMessageRecipients
        tags.PidTagDisplayTo,
        tags.PidTagDisplayCc,
        tags.PidTagDisplayBcc,
    ),
    Group.ATTACHMENTS: (
        0x0E13000D,  # PidTagMessageAttachments
        tags.PidTagHasAttachments,
    ),
}
"""The properties of the groups but for named ones."""

NAMED = {Group.NOTES: annotations.NAMED}
"""The named ones."""

_BY_ID = {tag >> 16: group for group, listed in TAGS.items() for tag in listed}
_BY_NAME = {tag.name: group for group, listed in NAMED.items() for tag in listed}


def group_of(tag: int, name: PropertyName | None = None) -> Group:
    """The group of a property. `name` is that of a named property; without it, it is in no group."""
    if is_named(tag):
        return _BY_NAME.get(name, Group.REST) if name is not None else Group.REST
    return _BY_ID.get(tag >> 16, Group.REST)
