"""Named properties: names, property sets, and the named properties of MS-OXPROPS.

A name is a property set's GUID (16 bytes in wire order) with a 32-bit LID or a string. Each constant is a
`NamedTag`, the pair (name, type): the form of the keys in `MessageObject.named`. Types that MS-OXPROPS leaves
open stand as PtypUnspecified. Property IDs for names are given by the store, never here.
"""

from typing import NamedTuple
from uuid import UUID

from appliance.mapi import types

_BIN = types.PtypBinary
_BOOL = types.PtypBoolean
_F64 = types.PtypFloating64
_I16 = types.PtypInteger16
_I32 = types.PtypInteger32
_MBIN = types.PtypMultipleBinary
_MI32 = types.PtypMultipleInteger32
_MSTR = types.PtypMultipleString
_MTIME = types.PtypMultipleTime
_STR = types.PtypString
_TIME = types.PtypTime
_ANY = types.PtypUnspecified


class PropertyName(NamedTuple):
    """MS-OXCDATA 2.6.1: the property set's GUID (16 bytes, wire order), and a LID or a string."""

    guid: bytes
    lid_or_name: int | str

    def __repr__(self) -> str:
        short = f"0x{self.lid_or_name:04X}" if isinstance(self.lid_or_name, int) else repr(self.lid_or_name)
        return f"PropertyName({set_name(self.guid)}, {short})"


class NamedTag(NamedTuple):
    """A named property with its type: what a property tag is before the store has given an ID."""

    name: PropertyName
    type: int


def _guid(text: str) -> bytes:
    return UUID(text).bytes_le


def _named(guid: bytes, lid_or_name: int | str, property_type: int) -> NamedTag:
    return NamedTag(PropertyName(guid, lid_or_name), property_type)


PSETID_Common = _guid("00062008-0000-0000-C000-000000000046")
PSETID_Address = _guid("00062004-0000-0000-C000-000000000046")
PSETID_Appointment = _guid("00062002-0000-0000-C000-000000000046")
PSETID_Meeting = _guid("6ED8DA90-450B-101B-98DA-00AA003F1305")
PSETID_Log = _guid("0006200A-0000-0000-C000-000000000046")
PSETID_Note = _guid("0006200E-0000-0000-C000-000000000046")
PSETID_Task = _guid("00062003-0000-0000-C000-000000000046")
PSETID_Remote = _guid("00062014-0000-0000-C000-000000000046")
PSETID_Report = _guid("00062013-0000-0000-C000-000000000046")
PSETID_Sharing = _guid("00062040-0000-0000-C000-000000000046")
PSETID_PostRss = _guid("00062041-0000-0000-C000-000000000046")
PSETID_UnifiedMessaging = _guid("4442858E-A9E3-4E80-B900-317A210CC15B")
PSETID_CalendarAssistant = _guid("11000E07-B51B-40D6-AF21-CAA85EDAB1D0")
PSETID_AirSync = _guid("71035549-0739-4DCB-9163-00F0580DBBDF")
PSETID_Attachment = _guid("96357F7F-59E1-47D0-99A7-46515C183B54")
PSETID_Messaging = _guid("41F28F13-83F4-4114-A584-EEDB5A6B0BFF")
PS_MAPI = _guid("00020328-0000-0000-C000-000000000046")
PS_PUBLIC_STRINGS = _guid("00020329-0000-0000-C000-000000000046")
PS_INTERNET_HEADERS = _guid("00020386-0000-0000-C000-000000000046")

PidLidFileUnder = _named(PSETID_Address, 0x8005, _STR)
PidLidFileUnderId = _named(PSETID_Address, 0x8006, _I32)
PidLidContactItemData = _named(PSETID_Address, 0x8007, _MI32)
PidLidReferredBy = _named(PSETID_Address, 0x800E, _STR)
PidLidDepartment = _named(PSETID_Address, 0x8010, _STR)
PidLidHasPicture = _named(PSETID_Address, 0x8015, _BOOL)
PidLidHomeAddress = _named(PSETID_Address, 0x801A, _STR)
PidLidWorkAddress = _named(PSETID_Address, 0x801B, _STR)
PidLidOtherAddress = _named(PSETID_Address, 0x801C, _STR)
PidLidPostalAddressId = _named(PSETID_Address, 0x8022, _I32)
PidLidContactCharacterSet = _named(PSETID_Address, 0x8023, _I32)
PidLidAutoLog = _named(PSETID_Address, 0x8025, _BOOL)
PidLidFileUnderList = _named(PSETID_Address, 0x8026, _MI32)
PidLidEmailList = _named(PSETID_Address, 0x8027, _MI32)
PidLidAddressBookProviderEmailList = _named(PSETID_Address, 0x8028, _MI32)
PidLidAddressBookProviderArrayType = _named(PSETID_Address, 0x8029, _I32)
PidLidHtml = _named(PSETID_Address, 0x802B, _STR)
PidLidYomiFirstName = _named(PSETID_Address, 0x802C, _STR)
PidLidYomiLastName = _named(PSETID_Address, 0x802D, _STR)
PidLidYomiCompanyName = _named(PSETID_Address, 0x802E, _STR)
PidLidBusinessCardDisplayDefinition = _named(PSETID_Address, 0x8040, _BIN)
PidLidBusinessCardCardPicture = _named(PSETID_Address, 0x8041, _BIN)
PidLidWorkAddressStreet = _named(PSETID_Address, 0x8045, _STR)
PidLidWorkAddressCity = _named(PSETID_Address, 0x8046, _STR)
PidLidWorkAddressState = _named(PSETID_Address, 0x8047, _STR)
PidLidWorkAddressPostalCode = _named(PSETID_Address, 0x8048, _STR)
PidLidWorkAddressCountry = _named(PSETID_Address, 0x8049, _STR)
PidLidWorkAddressPostOfficeBox = _named(PSETID_Address, 0x804A, _STR)
PidLidDistributionListChecksum = _named(PSETID_Address, 0x804C, _I32)
PidLidBirthdayEventEntryId = _named(PSETID_Address, 0x804D, _BIN)
PidLidAnniversaryEventEntryId = _named(PSETID_Address, 0x804E, _BIN)
PidLidContactUserField1 = _named(PSETID_Address, 0x804F, _STR)
PidLidContactUserField2 = _named(PSETID_Address, 0x8050, _STR)
PidLidContactUserField3 = _named(PSETID_Address, 0x8051, _STR)
PidLidContactUserField4 = _named(PSETID_Address, 0x8052, _STR)
PidLidDistributionListName = _named(PSETID_Address, 0x8053, _STR)
PidLidDistributionListOneOffMembers = _named(PSETID_Address, 0x8054, _MBIN)
PidLidDistributionListMembers = _named(PSETID_Address, 0x8055, _MBIN)
PidLidInstantMessagingAddress = _named(PSETID_Address, 0x8062, _STR)
PidLidDistributionListStream = _named(PSETID_Address, 0x8064, _I32)
PidLidEmail1DisplayName = _named(PSETID_Address, 0x8080, _STR)
PidLidEmail1AddressType = _named(PSETID_Address, 0x8082, _STR)
PidLidEmail1EmailAddress = _named(PSETID_Address, 0x8083, _STR)
PidLidEmail1OriginalDisplayName = _named(PSETID_Address, 0x8084, _STR)
PidLidEmail1OriginalEntryId = _named(PSETID_Address, 0x8085, _BIN)
PidLidEmail1RichTextFormat = _named(PSETID_Address, 0x8086, _BOOL)
PidLidEmail1EmailType = _named(PSETID_Address, 0x8087, _STR)
PidLidEmail2DisplayName = _named(PSETID_Address, 0x8090, _STR)
PidLidEmail2EntryId = _named(PSETID_Address, 0x8091, _BIN)
PidLidEmail2AddressType = _named(PSETID_Address, 0x8092, _STR)
PidLidEmail2EmailAddress = _named(PSETID_Address, 0x8093, _STR)
PidLidEmail2OriginalDisplayName = _named(PSETID_Address, 0x8094, _STR)
PidLidEmail2OriginalEntryId = _named(PSETID_Address, 0x8095, _BIN)
PidLidEmail2RichTextFormat = _named(PSETID_Address, 0x8096, _BOOL)
PidLidEmail3DisplayName = _named(PSETID_Address, 0x80A0, _STR)
PidLidEmail3EntryId = _named(PSETID_Address, 0x80A1, _BIN)
PidLidEmail3AddressType = _named(PSETID_Address, 0x80A2, _STR)
PidLidEmail3EmailAddress = _named(PSETID_Address, 0x80A3, _STR)
PidLidEmail3OriginalDisplayName = _named(PSETID_Address, 0x80A4, _STR)
PidLidEmail3OriginalEntryId = _named(PSETID_Address, 0x80A5, _BIN)
PidLidEmail3RichTextFormat = _named(PSETID_Address, 0x80A6, _BOOL)
PidLidFax1AddressType = _named(PSETID_Address, 0x80B2, _STR)
PidLidFax1EmailAddress = _named(PSETID_Address, 0x80B3, _STR)
PidLidFax1OriginalDisplayName = _named(PSETID_Address, 0x80B4, _STR)
PidLidFax1OriginalEntryId = _named(PSETID_Address, 0x80B5, _BIN)
PidLidFax2AddressType = _named(PSETID_Address, 0x80C2, _STR)
PidLidFax2EmailAddress = _named(PSETID_Address, 0x80C3, _STR)
PidLidFax2OriginalDisplayName = _named(PSETID_Address, 0x80C4, _STR)
PidLidFax2OriginalEntryId = _named(PSETID_Address, 0x80C5, _BIN)
PidLidFax3AddressType = _named(PSETID_Address, 0x80D2, _STR)
PidLidFax3EmailAddress = _named(PSETID_Address, 0x80D3, _STR)
PidLidFax3OriginalDisplayName = _named(PSETID_Address, 0x80D4, _STR)
PidLidFax3OriginalEntryId = _named(PSETID_Address, 0x80D5, _BIN)
PidLidFreeBusyLocation = _named(PSETID_Address, 0x80D8, _STR)
PidLidHomeAddressCountryCode = _named(PSETID_Address, 0x80DA, _STR)
PidLidWorkAddressCountryCode = _named(PSETID_Address, 0x80DB, _STR)
PidLidOtherAddressCountryCode = _named(PSETID_Address, 0x80DC, _STR)
PidLidAddressCountryCode = _named(PSETID_Address, 0x80DD, _STR)
PidLidBirthdayLocal = _named(PSETID_Address, 0x80DE, _TIME)
PidLidWeddingAnniversaryLocal = _named(PSETID_Address, 0x80DF, _TIME)

PidNameInstantMessagingAddress2 = _named(PSETID_AirSync, "IMAddress2", _STR)
PidNameInstantMessagingAddress3 = _named(PSETID_AirSync, "IMAddress3", _STR)

PidLidSendMeetingAsIcal = _named(PSETID_Appointment, 0x8200, _BOOL)
PidLidAppointmentSequence = _named(PSETID_Appointment, 0x8201, _I32)
PidLidAppointmentSequenceTime = _named(PSETID_Appointment, 0x8202, _TIME)
PidLidAppointmentLastSequence = _named(PSETID_Appointment, 0x8203, _I32)
PidLidChangeHighlight = _named(PSETID_Appointment, 0x8204, _I32)
PidLidBusyStatus = _named(PSETID_Appointment, 0x8205, _I32)
PidLidFExceptionalBody = _named(PSETID_Appointment, 0x8206, _BOOL)
PidLidAppointmentAuxiliaryFlags = _named(PSETID_Appointment, 0x8207, _I32)
PidLidLocation = _named(PSETID_Appointment, 0x8208, _STR)
PidLidMeetingWorkspaceUrl = _named(PSETID_Appointment, 0x8209, _STR)
PidLidForwardInstance = _named(PSETID_Appointment, 0x820A, _BOOL)
PidLidLinkedTaskItems = _named(PSETID_Appointment, 0x820C, _MBIN)
PidLidAppointmentStartWhole = _named(PSETID_Appointment, 0x820D, _TIME)
PidLidAppointmentEndWhole = _named(PSETID_Appointment, 0x820E, _TIME)
PidLidAppointmentStartTime = _named(PSETID_Appointment, 0x820F, _TIME)
PidLidAppointmentEndTime = _named(PSETID_Appointment, 0x8210, _TIME)
PidLidAppointmentEndDate = _named(PSETID_Appointment, 0x8211, _TIME)
PidLidAppointmentStartDate = _named(PSETID_Appointment, 0x8212, _TIME)
PidLidAppointmentDuration = _named(PSETID_Appointment, 0x8213, _I32)
PidLidAppointmentColor = _named(PSETID_Appointment, 0x8214, _I32)
PidLidAppointmentSubType = _named(PSETID_Appointment, 0x8215, _BOOL)
PidLidAppointmentRecur = _named(PSETID_Appointment, 0x8216, _BIN)
PidLidAppointmentStateFlags = _named(PSETID_Appointment, 0x8217, _I32)
PidLidResponseStatus = _named(PSETID_Appointment, 0x8218, _I32)
PidLidAppointmentReplyTime = _named(PSETID_Appointment, 0x8220, _TIME)
PidLidRecurring = _named(PSETID_Appointment, 0x8223, _BOOL)
PidLidIntendedBusyStatus = _named(PSETID_Appointment, 0x8224, _I32)
PidLidAppointmentUpdateTime = _named(PSETID_Appointment, 0x8226, _TIME)
PidLidExceptionReplaceTime = _named(PSETID_Appointment, 0x8228, _TIME)
PidLidFInvited = _named(PSETID_Appointment, 0x8229, _BOOL)
PidLidFExceptionalAttendees = _named(PSETID_Appointment, 0x822B, _BOOL)
PidLidOwnerName = _named(PSETID_Appointment, 0x822E, _STR)
PidLidFOthersAppointment = _named(PSETID_Appointment, 0x822F, _BOOL)
PidLidAppointmentReplyName = _named(PSETID_Appointment, 0x8230, _STR)
PidLidRecurrenceType = _named(PSETID_Appointment, 0x8231, _I32)
PidLidRecurrencePattern = _named(PSETID_Appointment, 0x8232, _STR)
PidLidTimeZoneStruct = _named(PSETID_Appointment, 0x8233, _BIN)
PidLidTimeZoneDescription = _named(PSETID_Appointment, 0x8234, _STR)
PidLidClipStart = _named(PSETID_Appointment, 0x8235, _TIME)
PidLidClipEnd = _named(PSETID_Appointment, 0x8236, _TIME)
PidLidOriginalStoreEntryId = _named(PSETID_Appointment, 0x8237, _BIN)
PidLidAllAttendeesString = _named(PSETID_Appointment, 0x8238, _STR)
PidLidAutoFillLocation = _named(PSETID_Appointment, 0x823A, _BOOL)
PidLidToAttendeesString = _named(PSETID_Appointment, 0x823B, _STR)
PidLidCcAttendeesString = _named(PSETID_Appointment, 0x823C, _STR)
PidLidConferencingCheck = _named(PSETID_Appointment, 0x8240, _BOOL)
PidLidConferencingType = _named(PSETID_Appointment, 0x8241, _I32)
PidLidDirectory = _named(PSETID_Appointment, 0x8242, _STR)
PidLidOrganizerAlias = _named(PSETID_Appointment, 0x8243, _STR)
PidLidAutoStartCheck = _named(PSETID_Appointment, 0x8244, _BOOL)
PidLidAutoStartWhen = _named(PSETID_Appointment, 0x8245, _I32)
PidLidAllowExternalCheck = _named(PSETID_Appointment, 0x8246, _BOOL)
PidLidCollaborateDoc = _named(PSETID_Appointment, 0x8247, _STR)
PidLidNetShowUrl = _named(PSETID_Appointment, 0x8248, _STR)
PidLidOnlinePassword = _named(PSETID_Appointment, 0x8249, _STR)
PidLidAppointmentProposedStartWhole = _named(PSETID_Appointment, 0x8250, _TIME)
PidLidAppointmentProposedEndWhole = _named(PSETID_Appointment, 0x8251, _TIME)
PidLidAppointmentProposedDuration = _named(PSETID_Appointment, 0x8256, _I32)
PidLidAppointmentCounterProposal = _named(PSETID_Appointment, 0x8257, _BOOL)
PidLidAppointmentProposalNumber = _named(PSETID_Appointment, 0x8259, _I32)
PidLidAppointmentNotAllowPropose = _named(PSETID_Appointment, 0x825A, _BOOL)
PidLidAppointmentUnsendableRecipients = _named(PSETID_Appointment, 0x825D, _BIN)
PidLidAppointmentTimeZoneDefinitionStartDisplay = _named(PSETID_Appointment, 0x825E, _BIN)
PidLidAppointmentTimeZoneDefinitionEndDisplay = _named(PSETID_Appointment, 0x825F, _BIN)
PidLidAppointmentTimeZoneDefinitionRecur = _named(PSETID_Appointment, 0x8260, _BIN)
PidLidForwardNotificationRecipients = _named(PSETID_Appointment, 0x8261, _BIN)
PidLidInboundICalStream = _named(PSETID_Appointment, 0x827A, _BIN)
PidLidSingleBodyIcal = _named(PSETID_Appointment, 0x827B, _BOOL)


PidNameAttachmentMacContentType = _named(PSETID_Attachment, "AttachmentMacContentType", _STR)
PidNameAttachmentMacInfo = _named(PSETID_Attachment, "AttachmentMacInfo", _BIN)
PidNameAttachmentOriginalPermissionType = _named(PSETID_Attachment, "AttachmentOriginalPermissionType", _I32)
PidNameAttachmentPermissionType = _named(PSETID_Attachment, "AttachmentPermissionType", _I32)
PidNameAttachmentProviderType = _named(PSETID_Attachment, "AttachmentProviderType", _STR)

PidLidClientIntent = _named(PSETID_CalendarAssistant, 0x0015, _I32)
PidLidServerProcessed = _named(PSETID_CalendarAssistant, 0x85CC, _BOOL)
PidLidServerProcessingActions = _named(PSETID_CalendarAssistant, 0x85CD, _I32)

PidLidDayOfMonth = _named(PSETID_Common, 0x1000, _I32)
PidLidICalendarDayOfWeekMask = _named(PSETID_Common, 0x1001, _I32)
PidLidOccurrences = _named(PSETID_Common, 0x1005, _I32)
PidLidMonthOfYear = _named(PSETID_Common, 0x1006, _I32)
PidLidNoEndDateFlag = _named(PSETID_Common, 0x100B, _BOOL)
PidLidRecurrenceDuration = _named(PSETID_Common, 0x100D, _I32)
PidLidReminderDelta = _named(PSETID_Common, 0x8501, _I32)
PidLidReminderTime = _named(PSETID_Common, 0x8502, _TIME)
PidLidReminderSet = _named(PSETID_Common, 0x8503, _BOOL)
PidLidReminderTimeTime = _named(PSETID_Common, 0x8504, _TIME)
PidLidReminderTimeDate = _named(PSETID_Common, 0x8505, _TIME)
PidLidPrivate = _named(PSETID_Common, 0x8506, _BOOL)
PidLidAgingDontAgeMe = _named(PSETID_Common, 0x850E, _BOOL)
PidLidSideEffects = _named(PSETID_Common, 0x8510, _I32)
PidLidRemoteStatus = _named(PSETID_Common, 0x8511, _I32)
PidLidSmartNoAttach = _named(PSETID_Common, 0x8514, _BOOL)
PidLidCommonStart = _named(PSETID_Common, 0x8516, _TIME)
PidLidCommonEnd = _named(PSETID_Common, 0x8517, _TIME)
PidLidTaskMode = _named(PSETID_Common, 0x8518, _I32)
PidLidTaskGlobalId = _named(PSETID_Common, 0x8519, _BIN)
PidLidAutoProcessState = _named(PSETID_Common, 0x851A, _I32)
PidLidReminderOverride = _named(PSETID_Common, 0x851C, _BOOL)
PidLidReminderType = _named(PSETID_Common, 0x851D, _I32)
PidLidReminderPlaySound = _named(PSETID_Common, 0x851E, _BOOL)
PidLidReminderFileParameter = _named(PSETID_Common, 0x851F, _STR)
PidLidVerbStream = _named(PSETID_Common, 0x8520, _BIN)
PidLidVerbResponse = _named(PSETID_Common, 0x8524, _STR)
PidLidFlagRequest = _named(PSETID_Common, 0x8530, _STR)
PidLidMileage = _named(PSETID_Common, 0x8534, _STR)
PidLidBillingInformation = _named(PSETID_Common, 0x8535, _STR)
PidLidNonSendtableTo = _named(PSETID_Common, 0x8536, _STR)
PidLidNonSendableCc = _named(PSETID_Common, 0x8537, _STR)
PidLidNonSendableBcc = _named(PSETID_Common, 0x8538, _STR)
PidLidCompanies = _named(PSETID_Common, 0x8539, _MSTR)
PidLidContacts = _named(PSETID_Common, 0x853A, _MSTR)
PidLidNonSendToTrackStatus = _named(PSETID_Common, 0x8543, _MI32)
PidLidNonSendCcTrackStatus = _named(PSETID_Common, 0x8544, _MI32)
PidLidNonSendBccTrackStatus = _named(PSETID_Common, 0x8545, _MI32)
PidLidCurrentVersion = _named(PSETID_Common, 0x8552, _I32)
PidLidCurrentVersionName = _named(PSETID_Common, 0x8554, _STR)
PidLidReminderSignalTime = _named(PSETID_Common, 0x8560, _TIME)
PidLidImapDeleted = _named(PSETID_Common, 0x8570, _I32)
PidLidHeaderItem = _named(PSETID_Common, 0x8578, _I32)
PidLidInternetAccountName = _named(PSETID_Common, 0x8580, _STR)
PidLidInternetAccountStamp = _named(PSETID_Common, 0x8581, _STR)
PidLidUseTnef = _named(PSETID_Common, 0x8582, _BOOL)
PidLidContactLinkSearchKey = _named(PSETID_Common, 0x8584, _BIN)
PidLidContactLinkEntry = _named(PSETID_Common, 0x8585, _BIN)
PidLidContactLinkName = _named(PSETID_Common, 0x8586, _STR)
PidLidSpamOriginalFolder = _named(PSETID_Common, 0x859C, _BIN)
PidLidToDoOrdinalDate = _named(PSETID_Common, 0x85A0, _TIME)
PidLidToDoSubOrdinal = _named(PSETID_Common, 0x85A1, _STR)
PidLidToDoTitle = _named(PSETID_Common, 0x85A4, _STR)
PidLidInfoPathFormName = _named(PSETID_Common, 0x85B1, _STR)
PidLidClassified = _named(PSETID_Common, 0x85B5, _BOOL)
PidLidClassification = _named(PSETID_Common, 0x85B6, _STR)
PidLidClassificationDescription = _named(PSETID_Common, 0x85B7, _STR)
PidLidClassificationGuid = _named(PSETID_Common, 0x85B8, _STR)
PidLidClassificationKeep = _named(PSETID_Common, 0x85BA, _BOOL)
PidLidReferenceEntryId = _named(PSETID_Common, 0x85BD, _BIN)
PidLidValidFlagStringProof = _named(PSETID_Common, 0x85BF, _TIME)
PidLidFlagString = _named(PSETID_Common, 0x85C0, _I32)
PidLidConversationActionMoveFolderEid = _named(PSETID_Common, 0x85C6, _BIN)
PidLidConversationActionMoveStoreEid = _named(PSETID_Common, 0x85C7, _BIN)
PidLidConversationActionMaxDeliveryTime = _named(PSETID_Common, 0x85C8, _TIME)
PidLidConversationProcessed = _named(PSETID_Common, 0x85C9, _I32)
PidLidConversationActionLastAppliedTime = _named(PSETID_Common, 0x85CA, _TIME)
PidLidConversationActionVersion = _named(PSETID_Common, 0x85CB, _I32)
PidNameArchivesourcesupportmask = _named(PSETID_Common, "ArchiveSourceSupportMask", _ANY)
PidNameCrawlsourcesupportmask = _named(PSETID_Common, "CrawlSourceSupportMask", _ANY)

PidLidLogType = _named(PSETID_Log, 0x8700, _STR)
PidLidLogStart = _named(PSETID_Log, 0x8706, _TIME)
PidLidLogDuration = _named(PSETID_Log, 0x8707, _I32)
PidLidLogEnd = _named(PSETID_Log, 0x8708, _TIME)
PidLidLogFlags = _named(PSETID_Log, 0x870C, _I32)
PidLidDocumentPrinted = _named(PSETID_Log, 0x870E, _BOOL)
PidLidDocumentSaved = _named(PSETID_Log, 0x870F, _BOOL)
PidLidDocumentRouted = _named(PSETID_Log, 0x8710, _BOOL)
PidLidDocumentPosted = _named(PSETID_Log, 0x8711, _BOOL)
PidLidLogTypeDesc = _named(PSETID_Log, 0x8712, _STR)

PidLidAttendeeCriticalChange = _named(PSETID_Meeting, 0x0001, _TIME)
PidLidWhere = _named(PSETID_Meeting, 0x0002, _STR)
PidLidGlobalObjectId = _named(PSETID_Meeting, 0x0003, _BIN)
PidLidIsSilent = _named(PSETID_Meeting, 0x0004, _BOOL)
PidLidIsRecurring = _named(PSETID_Meeting, 0x0005, _BOOL)
PidLidRequiredAttendees = _named(PSETID_Meeting, 0x0006, _STR)
PidLidOptionalAttendees = _named(PSETID_Meeting, 0x0007, _STR)
PidLidResourceAttendees = _named(PSETID_Meeting, 0x0008, _STR)
PidLidDelegateMail = _named(PSETID_Meeting, 0x0009, _BOOL)
PidLidIsException = _named(PSETID_Meeting, 0x000A, _BOOL)
PidLidSingleInvite = _named(PSETID_Meeting, 0x000B, _BOOL)
PidLidTimeZone = _named(PSETID_Meeting, 0x000C, _I32)
PidLidStartRecurrenceDate = _named(PSETID_Meeting, 0x000D, _I32)
PidLidStartRecurrenceTime = _named(PSETID_Meeting, 0x000E, _I32)
PidLidEndRecurrenceDate = _named(PSETID_Meeting, 0x000F, _I32)
PidLidEndRecurrenceTime = _named(PSETID_Meeting, 0x0010, _I32)
PidLidDayInterval = _named(PSETID_Meeting, 0x0011, _I16)
PidLidWeekInterval = _named(PSETID_Meeting, 0x0012, _I16)
PidLidMonthInterval = _named(PSETID_Meeting, 0x0013, _I16)
PidLidYearInterval = _named(PSETID_Meeting, 0x0014, _I16)
PidLidMonthOfYearMask = _named(PSETID_Meeting, 0x0017, _I32)
PidLidOldRecurrenceType = _named(PSETID_Meeting, 0x0018, _I16)
PidLidOwnerCriticalChange = _named(PSETID_Meeting, 0x001A, _TIME)
PidLidCalendarType = _named(PSETID_Meeting, 0x001C, _I32)
PidLidAllAttendeesList = _named(PSETID_Meeting, 0x001D, _STR)
PidLidCleanGlobalObjectId = _named(PSETID_Meeting, 0x0023, _BIN)
PidLidAppointmentMessageClass = _named(PSETID_Meeting, 0x0024, _STR)
PidLidMeetingType = _named(PSETID_Meeting, 0x0026, _I32)
PidLidOldLocation = _named(PSETID_Meeting, 0x0028, _STR)
PidLidOldWhenStartWhole = _named(PSETID_Meeting, 0x0029, _TIME)
PidLidOldWhenEndWhole = _named(PSETID_Meeting, 0x002A, _TIME)

PidNameOriginalSpamConfidenceLevel = _named(PSETID_Messaging, "OriginalScl", _I32)

PidLidNoteColor = _named(PSETID_Note, 0x8B00, _I32)
PidLidNoteWidth = _named(PSETID_Note, 0x8B02, _I32)
PidLidNoteHeight = _named(PSETID_Note, 0x8B03, _I32)
PidLidNoteX = _named(PSETID_Note, 0x8B04, _I32)
PidLidNoteY = _named(PSETID_Note, 0x8B05, _I32)

PidLidPostRssChannelLink = _named(PSETID_PostRss, 0x8900, _STR)
PidLidPostRssItemLink = _named(PSETID_PostRss, 0x8901, _STR)
PidLidPostRssItemHash = _named(PSETID_PostRss, 0x8902, _I32)
PidLidPostRssItemGuid = _named(PSETID_PostRss, 0x8903, _STR)
PidLidPostRssChannel = _named(PSETID_PostRss, 0x8904, _STR)
PidLidPostRssItemXml = _named(PSETID_PostRss, 0x8905, _STR)
PidLidPostRssSubscription = _named(PSETID_PostRss, 0x8906, _STR)

PidLidRemoteTransferSize = _named(PSETID_Remote, 0x8F05, _I32)
PidLidRemoteAttachment = _named(PSETID_Remote, 0x8F07, _BOOL)

PidLidSharingStatus = _named(PSETID_Sharing, 0x8A00, _I32)
PidLidSharingProviderGuid = _named(PSETID_Sharing, 0x8A01, _BIN)
PidLidSharingProviderName = _named(PSETID_Sharing, 0x8A02, _STR)
PidLidSharingProviderUrl = _named(PSETID_Sharing, 0x8A03, _STR)
PidLidSharingRemotePath = _named(PSETID_Sharing, 0x8A04, _STR)
PidLidSharingRemoteName = _named(PSETID_Sharing, 0x8A05, _STR)
PidLidSharingRemoteUid = _named(PSETID_Sharing, 0x8A06, _STR)
PidLidSharingInitiatorName = _named(PSETID_Sharing, 0x8A07, _STR)
PidLidSharingInitiatorSmtp = _named(PSETID_Sharing, 0x8A08, _STR)
PidLidSharingInitiatorEntryId = _named(PSETID_Sharing, 0x8A09, _BIN)
PidLidSharingFlags = _named(PSETID_Sharing, 0x8A0A, _I32)
PidLidSharingProviderExtension = _named(PSETID_Sharing, 0x8A0B, _STR)
PidLidSharingRemoteUser = _named(PSETID_Sharing, 0x8A0C, _STR)
PidLidSharingRemotePass = _named(PSETID_Sharing, 0x8A0D, _STR)
PidLidSharingLocalPath = _named(PSETID_Sharing, 0x8A0E, _STR)
PidLidSharingLocalName = _named(PSETID_Sharing, 0x8A0F, _STR)
PidLidSharingLocalUid = _named(PSETID_Sharing, 0x8A10, _STR)
PidLidSharingFilter = _named(PSETID_Sharing, 0x8A13, _BIN)
PidLidSharingLocalType = _named(PSETID_Sharing, 0x8A14, _STR)
PidLidSharingFolderEntryId = _named(PSETID_Sharing, 0x8A15, _BIN)
PidLidSharingCapabilities = _named(PSETID_Sharing, 0x8A17, _I32)
PidLidSharingFlavor = _named(PSETID_Sharing, 0x8A18, _I32)
PidLidSharingAnonymity = _named(PSETID_Sharing, 0x8A19, _I32)
PidLidSharingReciprocation = _named(PSETID_Sharing, 0x8A1A, _I32)
PidLidSharingPermissions = _named(PSETID_Sharing, 0x8A1B, _I32)
PidLidSharingInstanceGuid = _named(PSETID_Sharing, 0x8A1C, _BIN)
PidLidSharingRemoteType = _named(PSETID_Sharing, 0x8A1D, _STR)
PidLidSharingParticipants = _named(PSETID_Sharing, 0x8A1E, _STR)
PidLidSharingLastSyncTime = _named(PSETID_Sharing, 0x8A1F, _TIME)
PidLidSharingExtensionXml = _named(PSETID_Sharing, 0x8A21, _STR)
PidLidSharingRemoteLastModificationTime = _named(PSETID_Sharing, 0x8A22, _TIME)
PidLidSharingLocalLastModificationTime = _named(PSETID_Sharing, 0x8A23, _TIME)
PidLidSharingConfigurationUrl = _named(PSETID_Sharing, 0x8A24, _STR)
PidLidSharingStart = _named(PSETID_Sharing, 0x8A25, _TIME)
PidLidSharingStop = _named(PSETID_Sharing, 0x8A26, _TIME)
PidLidSharingResponseType = _named(PSETID_Sharing, 0x8A27, _I32)
PidLidSharingResponseTime = _named(PSETID_Sharing, 0x8A28, _TIME)
PidLidSharingOriginalMessageEntryId = _named(PSETID_Sharing, 0x8A29, _BIN)
PidLidSharingSyncInterval = _named(PSETID_Sharing, 0x8A2A, _I32)
PidLidSharingDetail = _named(PSETID_Sharing, 0x8A2B, _I32)
PidLidSharingTimeToLive = _named(PSETID_Sharing, 0x8A2C, _I32)
PidLidSharingBindingEntryId = _named(PSETID_Sharing, 0x8A2D, _BIN)
PidLidSharingIndexEntryId = _named(PSETID_Sharing, 0x8A2E, _BIN)
PidLidSharingRemoteComment = _named(PSETID_Sharing, 0x8A2F, _STR)
PidLidSharingWorkingHoursStart = _named(PSETID_Sharing, 0x8A40, _TIME)
PidLidSharingWorkingHoursEnd = _named(PSETID_Sharing, 0x8A41, _TIME)
PidLidSharingWorkingHoursDay = _named(PSETID_Sharing, 0x8A42, _I32)
PidLidSharingWorkingHoursTimeZone = _named(PSETID_Sharing, 0x8A43, _BIN)
PidLidSharingDataRangeStart = _named(PSETID_Sharing, 0x8A44, _TIME)
PidLidSharingDataRangeEnd = _named(PSETID_Sharing, 0x8A45, _TIME)
PidLidSharingRangeStart = _named(PSETID_Sharing, 0x8A46, _I32)
PidLidSharingRangeEnd = _named(PSETID_Sharing, 0x8A47, _I32)
PidLidSharingRemoteStoreUid = _named(PSETID_Sharing, 0x8A48, _STR)
PidLidSharingLocalStoreUid = _named(PSETID_Sharing, 0x8A49, _STR)
PidLidSharingRemoteByteSize = _named(PSETID_Sharing, 0x8A4B, _I32)
PidLidSharingRemoteCrc = _named(PSETID_Sharing, 0x8A4C, _I32)
PidLidSharingLocalComment = _named(PSETID_Sharing, 0x8A4D, _STR)
PidLidSharingRoamLog = _named(PSETID_Sharing, 0x8A4E, _I32)
PidLidSharingRemoteMessageCount = _named(PSETID_Sharing, 0x8A4F, _I32)
PidLidSharingBrowseUrl = _named(PSETID_Sharing, 0x8A51, _STR)
PidLidSharingLastAutoSyncTime = _named(PSETID_Sharing, 0x8A55, _TIME)
PidLidSharingTimeToLiveAuto = _named(PSETID_Sharing, 0x8A56, _I32)
PidLidSharingRemoteVersion = _named(PSETID_Sharing, 0x8A5B, _STR)
PidLidSharingParentBindingEntryId = _named(PSETID_Sharing, 0x8A5C, _BIN)
PidLidSharingSyncFlags = _named(PSETID_Sharing, 0x8A60, _I32)

PidLidTaskStatus = _named(PSETID_Task, 0x8101, _I32)
PidLidPercentComplete = _named(PSETID_Task, 0x8102, _F64)
PidLidTeamTask = _named(PSETID_Task, 0x8103, _BOOL)
PidLidTaskStartDate = _named(PSETID_Task, 0x8104, _TIME)
PidLidTaskDueDate = _named(PSETID_Task, 0x8105, _TIME)
PidLidTaskResetReminder = _named(PSETID_Task, 0x8107, _BOOL)
PidLidTaskAccepted = _named(PSETID_Task, 0x8108, _BOOL)
PidLidTaskDeadOccurrence = _named(PSETID_Task, 0x8109, _BOOL)
PidLidTaskDateCompleted = _named(PSETID_Task, 0x810F, _TIME)
PidLidTaskActualEffort = _named(PSETID_Task, 0x8110, _I32)
PidLidTaskEstimatedEffort = _named(PSETID_Task, 0x8111, _I32)
PidLidTaskVersion = _named(PSETID_Task, 0x8112, _I32)
PidLidTaskState = _named(PSETID_Task, 0x8113, _I32)
PidLidTaskLastUpdate = _named(PSETID_Task, 0x8115, _TIME)
PidLidTaskRecurrence = _named(PSETID_Task, 0x8116, _BIN)
PidLidTaskAssigners = _named(PSETID_Task, 0x8117, _BIN)
PidLidTaskStatusOnComplete = _named(PSETID_Task, 0x8119, _BOOL)
PidLidTaskHistory = _named(PSETID_Task, 0x811A, _I32)
PidLidTaskUpdates = _named(PSETID_Task, 0x811B, _BOOL)
PidLidTaskComplete = _named(PSETID_Task, 0x811C, _BOOL)
PidLidTaskFCreator = _named(PSETID_Task, 0x811E, _BOOL)
PidLidTaskOwner = _named(PSETID_Task, 0x811F, _STR)
PidLidTaskMultipleRecipients = _named(PSETID_Task, 0x8120, _I32)
PidLidTaskAssigner = _named(PSETID_Task, 0x8121, _STR)
PidLidTaskLastUser = _named(PSETID_Task, 0x8122, _STR)
PidLidTaskOrdinal = _named(PSETID_Task, 0x8123, _I32)
PidLidTaskNoCompute = _named(PSETID_Task, 0x8124, _BOOL)
PidLidTaskLastDelegate = _named(PSETID_Task, 0x8125, _STR)
PidLidTaskFRecurring = _named(PSETID_Task, 0x8126, _BOOL)
PidLidTaskRole = _named(PSETID_Task, 0x8127, _STR)
PidLidTaskOwnership = _named(PSETID_Task, 0x8129, _I32)
PidLidAcceptanceState = _named(PSETID_Task, 0x812A, _I32)
PidLidTaskFFixOffline = _named(PSETID_Task, 0x812C, _BOOL)
PidLidTaskCustomFlags = _named(PSETID_Task, 0x8139, _I32)
PidLidTrustRecipientHighlights = _named(PSETID_Task, 0x823E, _BOOL)

PidNameAutomaticSpeechRecognitionData = _named(PSETID_UnifiedMessaging, "AsrData", _BIN)
PidNameAudioNotes = _named(PSETID_UnifiedMessaging, "UMAudioNotes", _STR)
PidNameOutlookProtectionRuleTimestamp = _named(
    PSETID_UnifiedMessaging, "X-MS-Exchange-Organization-Outlook-Protection-Rule-Config-Timestamp", _STR
)
PidNameXUnifiedMessagingPartnerAssignedId = _named(
    PSETID_UnifiedMessaging, "X-MS-Exchange-UM-PartnerAssignedID", _STR
)
PidNameXUnifiedMessagingPartnerContent = _named(
    PSETID_UnifiedMessaging, "X-MS-Exchange-UM-PartnerContent", _STR
)
PidNameXUnifiedMessagingPartnerContext = _named(
    PSETID_UnifiedMessaging, "X-MS-Exchange-UM-PartnerContext", _STR
)
PidNameXUnifiedMessagingPartnerStatus = _named(
    PSETID_UnifiedMessaging, "X-MS-Exchange-UM-PartnerStatus", _STR
)

PidNameAcceptLanguage = _named(PS_INTERNET_HEADERS, "Accept-Language", _STR)
PidNameApproved = _named(PS_INTERNET_HEADERS, "Approved", _STR)
PidNameBcc = _named(PS_INTERNET_HEADERS, "Bcc", _STR)
PidNameCc = _named(PS_INTERNET_HEADERS, "Cc", _STR)
PidNameContentBase = _named(PS_INTERNET_HEADERS, "Content-Base", _STR)
PidNameContentClass = _named(PS_INTERNET_HEADERS, "Content-Class", _STR)
PidNameContentDisposition = _named(PS_INTERNET_HEADERS, "Content-Disposition", _STR)
PidNameContentID = _named(PS_INTERNET_HEADERS, "Content-ID", _STR)
PidNameContentLanguage = _named(PS_INTERNET_HEADERS, "Content-Language", _STR)
PidNameContentLocation = _named(PS_INTERNET_HEADERS, "Content-Location", _STR)
PidNameContentTransferEncoding = _named(PS_INTERNET_HEADERS, "Content-Transfer-Encoding", _STR)
PidNameContentType = _named(PS_INTERNET_HEADERS, "Content-Type", _STR)
PidNameApprovalAllowedDescisionMakers = _named(
    PS_INTERNET_HEADERS, "X-MS-Exchange-Organization-Approval-Allowed-Decision-Makers", _STR
)
PidNameApprovalRequestor = _named(PS_INTERNET_HEADERS, "X-MS-Exchange-Organization-Approval-Requestor", _STR)
PidNameMSIPLabels = _named(PS_INTERNET_HEADERS, "msip_labels", _STR)
PidNameAuthenticatedAs = _named(PS_INTERNET_HEADERS, "X-MS-Exchange-Organization-AuthAs", _STR)
PidNameAuthenticatedDomain = _named(PS_INTERNET_HEADERS, "X-MS-Exchange-Organization-AuthDomain", _STR)
PidNameXMSExchangeOrganizationAuthdomain = _named(
    PS_INTERNET_HEADERS, "X-MS-Exchange-Organization-AuthDomain", _STR
)
PidNameAuthenticatedMechanism = _named(PS_INTERNET_HEADERS, "X-MS-Exchange-Organization-AuthMechanism", _STR)
PidNameAuthenticatedSource = _named(PS_INTERNET_HEADERS, "X-MS-Exchange-Organization-AuthSource", _STR)
PidNameXSharingBrowseUrl = _named(PS_INTERNET_HEADERS, "X-Sharing-Browse-Url", _STR)
PidNameXSharingCapabilities = _named(PS_INTERNET_HEADERS, "X-Sharing-Capabilities", _STR)
PidNameXSharingConfigUrl = _named(PS_INTERNET_HEADERS, "X-Sharing-Config-Url", _STR)
PidNameXSharingExtendedCaps = _named(PS_INTERNET_HEADERS, "X-Sharing-Extended-Caps", _STR)
PidNameXSharingFlavor = _named(PS_INTERNET_HEADERS, "X-Sharing-Flavor", _STR)
PidNameXSharingInstanceGuid = _named(PS_INTERNET_HEADERS, "X-Sharing-Instance-Guid", _STR)
PidNameXSharingLocalType = _named(PS_INTERNET_HEADERS, "X-Sharing-Local-Type", _STR)
PidNameXSharingProviderGuid = _named(PS_INTERNET_HEADERS, "X-Sharing-Provider-Guid", _STR)
PidNameXSharingProviderName = _named(PS_INTERNET_HEADERS, "X-Sharing-Provider-Name", _STR)
PidNameXSharingProviderUrl = _named(PS_INTERNET_HEADERS, "X-Sharing-Provider-Url", _STR)
PidNameXSharingRemoteName = _named(PS_INTERNET_HEADERS, "X-Sharing-Remote-Name", _STR)
PidNameXSharingRemotePath = _named(PS_INTERNET_HEADERS, "X-Sharing-Remote-Path", _STR)
PidNameXSharingRemoteStoreUid = _named(PS_INTERNET_HEADERS, "X-Sharing-Remote-Store-Uid", _STR)
PidNameXSharingRemoteType = _named(PS_INTERNET_HEADERS, "X-Sharing-Remote-Type", _STR)
PidNameXSharingRemoteUid = _named(PS_INTERNET_HEADERS, "X-Sharing-Remote-Uid", _STR)
PidNameXSieve = _named(PS_INTERNET_HEADERS, "X-Sieve", _STR)
PidNameXVirusScanned = _named(PS_INTERNET_HEADERS, "X-Virus-Scanned", _STR)
PidNameCrossReference = _named(PS_INTERNET_HEADERS, "Xref", _STR)

PidLidCategories = _named(PS_PUBLIC_STRINGS, 0x9000, _MSTR)
PidNameApplicationName = _named(PS_PUBLIC_STRINGS, "AppName", _STR)
PidNameAuthor = _named(PS_PUBLIC_STRINGS, "Author", _STR)
PidNameByteCount = _named(PS_PUBLIC_STRINGS, "ByteCount", _I32)
PidNameCalendarAttendeeRole = _named(PS_PUBLIC_STRINGS, "CalendarAttendeeRole", _I32)
PidNameCalendarBusyStatus = _named(PS_PUBLIC_STRINGS, "CalendarBusyStatus", _STR)
PidNameCalendarContact = _named(PS_PUBLIC_STRINGS, "CalendarContact", _STR)
PidNameCalendarContactUrl = _named(PS_PUBLIC_STRINGS, "CalendarContactUrl", _STR)
PidNameCalendarCreated = _named(PS_PUBLIC_STRINGS, "CalendarCreated", _TIME)
PidNameCalendarDescriptionUrl = _named(PS_PUBLIC_STRINGS, "CalendarDescriptionUrl", _STR)
PidNameCalendarDuration = _named(PS_PUBLIC_STRINGS, "CalendarDuration", _I32)
PidNameCalendarExceptionDate = _named(PS_PUBLIC_STRINGS, "CalendarExdate", _MTIME)
PidNameCalendarExceptionRule = _named(PS_PUBLIC_STRINGS, "CalendarExrule", _MSTR)
PidNameCategory = _named(PS_PUBLIC_STRINGS, "Category", _STR)
PidNameCharacterCount = _named(PS_PUBLIC_STRINGS, "CharCount", _I32)
PidNameComments = _named(PS_PUBLIC_STRINGS, "Comments", _STR)
PidNameCompany = _named(PS_PUBLIC_STRINGS, "Company", _STR)
PidNameCreateDateTimeReadOnly = _named(PS_PUBLIC_STRINGS, "CreateDtmRo", _TIME)
PidNameRightsManagementLicense = _named(PS_PUBLIC_STRINGS, "DRMLicense", _MBIN)
PidNameEditTime = _named(PS_PUBLIC_STRINGS, "EditTime", _STR)
PidNameHiddenCount = _named(PS_PUBLIC_STRINGS, "HiddenCount", _I32)
PidNameKeywords = _named(PS_PUBLIC_STRINGS, "Keywords", _MSTR)
PidNameLastAuthor = _named(PS_PUBLIC_STRINGS, "LastAuthor", _STR)
PidNameLastPrinted = _named(PS_PUBLIC_STRINGS, "LastPrinted", _TIME)
PidNameLastSaveDateTime = _named(PS_PUBLIC_STRINGS, "LastSaveDtm", _TIME)
PidNameLineCount = _named(PS_PUBLIC_STRINGS, "LineCount", _I32)
PidNameMultimediaClipCount = _named(PS_PUBLIC_STRINGS, "MMClipCount", _I32)
PidNameManager = _named(PS_PUBLIC_STRINGS, "Manager", _STR)
PidNameNoteCount = _named(PS_PUBLIC_STRINGS, "NoteCount", _I32)
PidNameOMSAccountGuid = _named(PS_PUBLIC_STRINGS, "OMSAccountGuid", _STR)
PidNameOMSMobileModel = _named(PS_PUBLIC_STRINGS, "OMSMobileModel", _STR)
PidNameOMSGScheduleTime = _named(PS_PUBLIC_STRINGS, "OMSScheduleTime", _TIME)
PidNameOMSServiceType = _named(PS_PUBLIC_STRINGS, "OMSServiceType", _I32)
PidNameOMSSourceType = _named(PS_PUBLIC_STRINGS, "OMSSourceType", _I32)
PidNamePageCount = _named(PS_PUBLIC_STRINGS, "PageCount", _I32)
PidNameParagraphCount = _named(PS_PUBLIC_STRINGS, "ParCount", _I32)
PidNamePresentationFormat = _named(PS_PUBLIC_STRINGS, "PresFormat", _STR)
PidNameSTSId = _named(PS_PUBLIC_STRINGS, "STS_Id", _ANY)
PidNameSecurity = _named(PS_PUBLIC_STRINGS, "Security", _I32)
PidNameSlideCount = _named(PS_PUBLIC_STRINGS, "SlideCount", _I32)
PidNameSubject = _named(PS_PUBLIC_STRINGS, "Subject", _STR)
PidNameTemplate = _named(PS_PUBLIC_STRINGS, "Template", _STR)
PidNameTitle = _named(PS_PUBLIC_STRINGS, "Title", _STR)
PidNameWordCount = _named(PS_PUBLIC_STRINGS, "WordCount", _I32)
PidNameAnrcontactsfirst = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/anrcontactsfirst", _ANY
)
PidNameArchive = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/archive", _ANY)
PidNameAutoaddsignature = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/autoaddsignature", _ANY
)
PidNameBaseitemuri = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/baseitemuri", _ANY)
PidNameBlockexternalcontent = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/blockexternalcontent", _ANY
)
PidNameDeliverandredirect = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/deliverandredirect", _ANY
)
PidNameFboldbusystatus = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/fboldbusystatus", _ANY
)
PidNameFboldend = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/fboldend", _ANY)
PidNameFboldstart = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/fboldstart", _ANY)
PidNameFbqueryend = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/fbqueryend", _ANY)
PidNameFbqueryinterval = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/fbqueryinterval", _ANY
)
PidNameFbquerystart = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/fbquerystart", _ANY)
PidNameFbquerystring = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/fbquerystring", _ANY)
PidNameFbrecurisdirty = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/fbrecurisdirty", _ANY
)
PidNameForwardingaddress = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/forwardingaddress", _ANY
)
PidNameIntendedbusystatus = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/intendedbusystatus", _ANY
)
PidNameLongdateformat = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/longdateformat", _ANY
)
PidNameMailboxOwnerEntryid = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/mailbox-owner-entryid", _ANY
)
PidNameMailboxOwnerName = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/mailbox-owner-name", _ANY
)
PidNameModifyexceptionstruct = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/modifyexceptionstruct", _ANY
)
PidNameNomodifyexceptions = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/nomodifyexceptions", _ANY
)
PidNameOofState = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/oof-state", _ANY)
PidNameOtherproxyaddresses = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/otherproxyaddresses", _ANY
)
PidNamePatternend = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/patternend", _ANY)
PidNamePatternstart = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/patternstart", _ANY)
PidNamePreview = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/preview", _ANY)
PidNamePublicfolderemailaddress = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/publicfolderemailaddress", _ANY
)
PidNameQuicklinks = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/quicklinks", _ANY)
PidNameRootfid = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/rootfid", _ANY)
PidNameRunat = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/runat", _ANY)
PidNameSchemaversion = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/schemaversion", _ANY)
PidNameSearchfolder = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/searchfolder", _ANY)
PidNameShortdateformat = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/shortdateformat", _ANY
)
PidNameSignaturehtml = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/signaturehtml", _ANY)
PidNameSignaturetext = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/signaturetext", _ANY)
PidNameSmallicon = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/smallicon", _ANY)
PidNameTimeformat = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/timeformat", _ANY)
PidNameTimezone = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/timezone", _ANY)
PidNameUserEntryid = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/user-entryid", _ANY)
PidNameWcviewheight = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/wcviewheight", _ANY)
PidNameWcviewwidth = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/wcviewwidth", _ANY)
PidNameWebclientlastusedsortcols = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/webclientlastusedsortcols", _ANY
)
PidNameWebclientlastusedview = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/webclientlastusedview", _ANY
)
PidNameWebclientnavbarwidth = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/webclientnavbarwidth", _ANY
)
PidNameWebclientshowhierarchy = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/webclientshowhierarchy", _ANY
)
PidNameWeekstartday = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/weekstartday", _ANY)
PidNameWorkdayendtime = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/workdayendtime", _ANY
)
PidNameWorkdays = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/workdays", _ANY)
PidNameWorkdaystarttime = _named(
    PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/exchange/workdaystarttime", _ANY
)
PidNamePhishingStamp = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/outlook/phishingstamp", _I32)
PidNameSpoofingStamp = _named(PS_PUBLIC_STRINGS, "http://schemas.microsoft.com/outlook/spoofingstamp", _I32)


PROPERTY_SETS: dict[str, bytes] = {
    name: value
    for name, value in list(globals().items())
    if name.startswith("PS") and isinstance(value, bytes)
}
_SET_NAMES = {guid: name for name, guid in PROPERTY_SETS.items()}

BY_NAME: dict[str, NamedTag] = {
    name: value for name, value in list(globals().items()) if isinstance(value, NamedTag)
}
_CANONICAL: dict[PropertyName, str] = {tag.name: name for name, tag in reversed(BY_NAME.items())}


def set_name(guid: bytes) -> str:
    """The property set's name, or the GUID in text form when it has none."""
    return _SET_NAMES.get(guid) or str(UUID(bytes_le=guid))


def canonical_name(name: PropertyName) -> str | None:
    """The PidLid or PidName under which MS-OXPROPS lists the property."""
    return _CANONICAL.get(name)


def type_of(name: PropertyName) -> int:
    """The type that MS-OXPROPS gives; PtypUnspecified for unknown names and for open types."""
    canonical = _CANONICAL.get(name)
    return types.PtypUnspecified if canonical is None else BY_NAME[canonical].type
