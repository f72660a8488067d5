"""Which properties of a message are content, and which mere annotation.

Content is what the message's MIME is rendered from: a write to it makes the old MIME wrong, so IMAP sees a
new message. Annotation is what people and clients note about a message: flags, categories, reminders, when it
was answered, retention. Everything that is not listed here is content.
"""

from appliance.mapi import names, tags
from appliance.mapi.names import PropertyName
from appliance.mapi.types import is_named

ANNOTATIONS: frozenset[int] = frozenset(
    {
        tags.PidTagFlagStatus,
        tags.PidTagFlagCompleteTime,
        tags.PidTagFollowupIcon,
        tags.PidTagSwappedToDoData,
        tags.PidTagSwappedToDoStore,
        tags.PidTagToDoItemFlags,
        tags.PidTagReplyTime,
        tags.PidTagReplyRequested,
        tags.PidTagResponseRequested,
        tags.PidTagIconIndex,
        tags.PidTagLastVerbExecuted,
        tags.PidTagLastVerbExecutionTime,
        tags.PidTagMessageStatus,
        tags.PidTagReadReceiptRequested,
        tags.PidTagNonReceiptNotificationRequested,
        tags.PidTagArchiveTag,
        tags.PidTagPolicyTag,
        tags.PidTagRetentionPeriod,
        tags.PidTagStartDateEtc,
        tags.PidTagRetentionDate,
        tags.PidTagRetentionFlags,
        tags.PidTagArchivePeriod,
        tags.PidTagArchiveDate,
        tags.PidTagExpiryTime,
        tags.PidTagContentFilterSpamConfidenceLevel,
        tags.PidTagLastModifierName,
        tags.PidTagLastModifierEntryId,
    }
)
"""Tags of annotations."""

NAMED = (
    names.PidNameKeywords,
    names.PidLidReminderDelta,
    names.PidLidReminderTime,
    names.PidLidReminderSet,
    names.PidLidReminderOverride,
    names.PidLidReminderType,
    names.PidLidReminderPlaySound,
    names.PidLidReminderFileParameter,
    names.PidLidReminderSignalTime,
    names.PidLidFlagRequest,
    names.PidLidFlagString,
    names.PidLidValidFlagStringProof,
    names.PidLidToDoTitle,
    names.PidLidToDoOrdinalDate,
    names.PidLidToDoSubOrdinal,
    names.PidLidTaskStartDate,
    names.PidLidTaskDueDate,
    names.PidLidTaskDateCompleted,
    names.PidLidTaskStatus,
    names.PidLidPercentComplete,
    names.PidLidTaskComplete,
    names.PidLidCommonStart,
    names.PidLidCommonEnd,
    names.PidLidCategories,
)
"""Named properties that are annotations."""

NAMED_ANNOTATIONS: frozenset[PropertyName] = frozenset(tag.name for tag in NAMED)
"""Names of annotations."""


def is_annotation(tag: int, name: PropertyName | None = None) -> bool:
    """Whether a write to a property leaves the message's content as it is. `name` is that of a named
    property; without it a named property is content."""
    return name in NAMED_ANNOTATIONS if is_named(tag) else tag in ANNOTATIONS
