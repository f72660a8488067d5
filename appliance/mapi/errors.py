"""Error codes of MS-OXCDATA 2.4 by name, and the one exception that carries them.

A code is an unsigned 32-bit number. Where the specification gives several names to one code, the ecXxx name
that the ROP documents use stands first here and the others are aliases further down.
"""

ecNone = 0x00000000
ecUnbindSuccess = 0x00000001
ecUnbindFailure = 0x00000002
ecProfileNotConfigured = 0x0000011C
ecJetError = 0x000003EA
ecUnknownUser = 0x000003EB
ecExiting = 0x000003ED
ecBadConfig = 0x000003EE
ecUnknownCodePage = 0x000003EF
ecServerOOM = 0x000003F0
ecLoginPerm = 0x000003F2
ecDatabaseRolledBack = 0x000003F3
ecDatabaseCopiedError = 0x000003F4
ecAuditNotAllowed = 0x000003F5
ecZombieUser = 0x000003F6
ecUnconvertableACL = 0x000003F7
ecNoFreeJses = 0x0000044C
ecDifferentJses = 0x0000044D
ecFileRemove = 0x0000044F
ecParameterOverflow = 0x00000450
ecBadVersion = 0x00000451
ecTooManyCols = 0x00000452
ecHaveMore = 0x00000453
ecDatabaseError = 0x00000454
ecIndexNameTooBig = 0x00000455
ecUnsupportedProp = 0x00000456
ecMsgNotSaved = 0x00000457
ecUnpubNotif = 0x00000459
ecDifferentRoot = 0x0000045B
ecBadFolderName = 0x0000045C
ecAttachOpen = 0x0000045D
ecInvClpsState = 0x0000045E
ecSkipMyChildren = 0x0000045F
ecSearchFolder = 0x00000460
ecNotSearchFolder = 0x00000461
ecFolderSetReceive = 0x00000462
ecNoReceiveFolder = 0x00000463
ecNoDelSubmitMsg = 0x00000465
ecInvalidRecips = 0x00000467
ecNoReplicaHere = 0x00000468
ecNoReplicaAvailable = 0x00000469
ecPublicMDB = 0x0000046A
ecNotPublicMDB = 0x0000046B
ecRecordNotFound = 0x0000046C
ecReplConflict = 0x0000046D
ecFXBufferOverrun = 0x00000470
ecFXBufferEmpty = 0x00000471
ecFXPartialValue = 0x00000472
ecFXNoRoom = 0x00000473
ecMaxTimeExpired = 0x00000474
ecDstError = 0x00000475
ecMDBNotInit = 0x00000476
ecWrongServer = 0x00000478
ecBufferTooSmall = 0x0000047D
ecRequiresRefResolve = 0x0000047E
ecServerPaused = 0x0000047F
ecServerBusy = 0x00000480
ecNoSuchLogon = 0x00000481
ecLoadLibFailed = 0x00000482
ecObjAlreadyConfig = 0x00000483
ecObjNotConfig = 0x00000484
ecDataLoss = 0x00000485
ecMaxSendThreadExceeded = 0x00000488
ecFXErrorMarker = 0x00000489
ecNoFreeJtabs = 0x0000048A
ecNotPrivateMDB = 0x0000048B
ecIsintegMDB = 0x0000048C
ecRecoveryMDBMismatch = 0x0000048D
ecTableMayNotBeDeleted = 0x0000048E
ecSearchFolderScopeViolation = 0x00000490
ecRpcRegisterIf = 0x000004B1
ecRpcListen = 0x000004B2
ecRpcFormat = 0x000004B6
ecNoCopyTo = 0x000004B7
ecNullObject = 0x000004B9
ecRpcAuthentication = 0x000004BC
ecRpcBadAuthenticationLevel = 0x000004BD
ecNullCommentRestriction = 0x000004BE
ecRulesLoadError = 0x000004CC
ecRulesDeliverErr = 0x000004CD
ecRulesParsingErr = 0x000004CE
ecRulesCreateDaeErr = 0x000004CF
ecRulesCreateDamErr = 0x000004D0
ecRulesNoMoveCopyFolder = 0x000004D1
ecRulesNoFolderRights = 0x000004D2
ecMessageTooBig = 0x000004D4
ecFormNotValid = 0x000004D5
ecNotAuthorized = 0x000004D6
ecDeleteMessage = 0x000004D7
ecBounceMessage = 0x000004D8
ecQuotaExceeded = 0x000004D9
ecMaxSubmissionExceeded = 0x000004DA
ecMaxAttachmentExceeded = 0x000004DB
ecSendAsDenied = 0x000004DC
ecShutoffQuotaExceeded = 0x000004DD
ecMaxObjsExceeded = 0x000004DE
ecClientVersionDisallowed = 0x000004DF
ecRpcHttpDisallowed = 0x000004E0
ecCachedModeRequired = 0x000004E1
ecFolderCleanedUp = 0x000004E3
ecFmtError = 0x000004ED
ecNotExpanded = 0x000004F7
ecNotCollapsed = 0x000004F8
ecLeaf = 0x000004F9
ecUnregisteredNamedProp = 0x000004FA
ecFolderDisabled = 0x000004FB
ecDomainError = 0x000004FC
ecNoCreateRight = 0x000004FF
ecPublicRoot = 0x00000500
ecNoReadRight = 0x00000501
ecNoCreateSubfolderRight = 0x00000502
ecDstNullObject = 0x00000503
ecMsgCycle = 0x00000504
ecTooManyRecips = 0x00000505
ecVirusScanInProgress = 0x0000050A
ecVirusDetected = 0x0000050B
ecMailboxInTransit = 0x0000050C
ecBackupInProgress = 0x0000050D
ecVirusMessageDeleted = 0x0000050E
ecInvalidBackupSequence = 0x0000050F
ecInvalidBackupType = 0x00000510
ecTooManyBackupsInProgress = 0x00000511
ecRestoreInProgress = 0x00000512
ecDuplicateObject = 0x00000579
ecObjectNotFound = 0x0000057A
ecFixupReplyRule = 0x0000057B
ecTemplateNotFound = 0x0000057C
ecRuleExecution = 0x0000057D
ecDSNoSuchObject = 0x0000057E
ecMessageAlreadyTombstoned = 0x0000057F
ecRequiresRWTransaction = 0x00000596
ecPaused = 0x0000060E
ecNotPaused = 0x0000060F
ecWrongMailbox = 0x00000648
ecChgPassword = 0x0000064C
ecPwExpired = 0x0000064D
ecInvWkstn = 0x0000064E
ecInvLogonHrs = 0x0000064F
ecAcctDisabled = 0x00000650
ecRuleVersion = 0x000006A4
ecRuleFormat = 0x000006A5
ecRuleSendAsDenied = 0x000006A6
ecNoServerSupport = 0x000006B9
ecLockTimedOut = 0x000006BA
ecObjectLocked = 0x000006BB
ecInvalidLockNamespace = 0x000006BD
ecMessageDeleted = 0x000007D6
ecProtocolDisabled = 0x000007D8
ecCleartextLogonDisabled = 0x000007D9
ecRejected = 0x000007EE
ecAmbiguousAlias = 0x0000089A
ecUnknownMailbox = 0x0000089B
ecExpReserved = 0x000008FC
ecExpParseDepth = 0x000008FD
ecExpFuncArgType = 0x000008FE
ecExpSyntax = 0x000008FF
ecExpBadStrToken = 0x00000900
ecExpBadColToken = 0x00000901
ecExpTypeMismatch = 0x00000902
ecExpOpNotSupported = 0x00000903
ecExpDivByZero = 0x00000904
ecExpUnaryArgType = 0x00000905
ecNotLocked = 0x00000960
ecClientEvent = 0x00000961
ecCorruptEvent = 0x00000965
ecCorruptWatermark = 0x00000966
ecEventError = 0x00000967
ecWatermarkError = 0x00000968
ecNonCanonicalACL = 0x00000969
ecMailboxDisabled = 0x0000096C
ecRulesFolderOverQuota = 0x0000096D
ecADUnavailable = 0x0000096E
ecADError = 0x0000096F
ecNotEncrypted = 0x00000970
ecADNotFound = 0x00000971
ecADPropertyError = 0x00000972
ecRpcServerTooBusy = 0x00000973
ecRpcOutOfMemory = 0x00000974
ecRpcServerOutOfMemory = 0x00000975
ecRpcOutOfResources = 0x00000976
ecRpcServerUnavailable = 0x00000977
ecSecureSubmitError = 0x0000097A
ecEventsDeleted = 0x0000097C
ecSubsystemStopping = 0x0000097D
ecSAUnavailable = 0x0000097E
ecCIStopping = 0x00000A28
ecFxInvalidState = 0x00000A29
ecFxUnexpectedMarker = 0x00000A2A
ecDuplicateDelivery = 0x00000A2B
ecConditionViolation = 0x00000A2C
ecMaxPoolExceeded = 0x00000A2D
ecRpcInvalidHandle = 0x00000A2E
ecEventNotFound = 0x00000A2F
ecPropNotPromoted = 0x00000A30
ecLowMdbSpace = 0x00000A31
ecLowMdbLogSpace = 0x00000A32
ecMailboxQuarantined = 0x00000A33
ecMountInProgress = 0x00000A34
ecDismountInProgress = 0x00000A35
ecMaxConnectionsExceeded = 0x00000A36
ecNotFoundInContainer = 0x00000A37
ecCannotRemove = 0x00000A38
ecInvalidPool = 0x00000A39
ecVirusScannerError = 0x00000A3A
ecWarnWithErrors = 0x00040380
ecWarnPositionChanged = 0x00040481
ecWarnApproxCount = 0x00040482
ecPartialCompletion = 0x00040680
ecSyncProgress = 0x00040820
ecSyncClientChangeNewer = 0x00040821
ecStorageInvalidFunction = 0x80030001
ecStorageAccessDenied = 0x80030005
ecStreamSeekError = 0x80030019
ecStreamWriteError = 0x8003001D
ecStreamReadError = 0x8003001E
ecLockViolation = 0x80030021
ecStreamInvalidParam = 0x80030057
ecStreamSizeError = 0x80030070
ecStorageInvalidPointer = 0x80030009
ecInterfaceNotSupported = 0x80004002
ecError = 0x80004005
ecNotSupported = 0x80040102
ecBadCharwidth = 0x80040103
ecStringTooLarge = 0x80040105
ecUnknownFlags = 0x80040106
ecInvalidEntryId = 0x80040107
ecInvalidObject = 0x80040108
ecObjectModified = 0x80040109
ecObjectDeleted = 0x8004010A
ecBusy = 0x8004010B
ecDiskFull = 0x8004010D
ecInsufficientResrc = 0x8004010E
ecNotFound = 0x8004010F
ecVersion = 0x80040110
ecLoginFailure = 0x80040111
ecTooManySessions = 0x80040112
ecUserAbort = 0x80040113
ecUnableToAbort = 0x80040114
ecRpcFailed = 0x80040115
ecWriteFault = 0x80040116
ecTooComplex = 0x80040117
ecBadColumn = 0x80040118
ecExtendedError = 0x80040119
ecComputed = 0x8004011A
ecCorruptData = 0x8004011B
ecUnconfigured = 0x8004011C
ecFailOneProvider = 0x8004011D
ecInvalidCodepage = 0x8004011E
ecInvalidLocale = 0x8004011F
ecTimeSkew = 0x80040123
ecEndOfSession = 0x80040200
ecUnknownEntryId = 0x80040201
ecMissingRequiredColumn = 0x80040202
ecBadValue = 0x80040301
ecInvalidType = 0x80040302
ecTypeNotSupported = 0x80040303
ecUnexpectedType = 0x80040304
ecTooBig = 0x80040305
ecDeclineCopy = 0x80040306
ecUnexpectedId = 0x80040307
ecUnableToComplete = 0x80040400
ecTimeout = 0x80040401
ecTableEmpty = 0x80040402
ecTableTooBig = 0x80040403
ecInvalidBookmark = 0x80040405
ecWait = 0x80040500
ecCancel = 0x80040501
ecCorruptStore = 0x80040600
ecNotInQueue = 0x80040601
ecNoSuppress = 0x80040602
ecDuplicateName = 0x80040604
ecNotInitialized = 0x80040605
ecNonStandard = 0x80040606
ecNoRecipients = 0x80040607
ecSubmitted = 0x80040608
ecFolderHasChildren = 0x80040609
ecFolderHasContents = 0x8004060A
ecRootFolder = 0x8004060B
ecLockIdLimit = 0x8004060D
ecAmbiguousRecip = 0x80040700
ecSyncObjectDeleted = 0x80040800
ecSyncIgnore = 0x80040801
ecSyncConflict = 0x80040802
ecSyncNoParent = 0x80040803
ecSyncCycle = 0x80040804
ecSyncUnsynchronized = 0x80040805
ecNPQuotaExceeded = 0x80040900
ecNotImplemented = 0x80040FFF
ecAccessDenied = 0x80070005
ecMAPIOOM = 0x8007000E
ecInvalidParam = 0x80070057

# Other names in use for the same codes.
ecSuccess = ecNone
ecMemory = ecServerOOM
ecInvalidParameter = ecInvalidParam
ecPropSize = ecMAPIOOM
ecBadBuffer = ecInvalidParam
ecPropNotExistent = ecNotFound
ecAttachNotFound = ecNotFound
ecUnknownRecip = ecNotFound
ecNetwork = ecRpcFailed
ecReadFault = ecWriteFault
ecBadHandle = ecNullObject


BY_NAME: dict[str, int] = {
    name: code for name, code in list(globals().items()) if name.startswith("ec") and isinstance(code, int)
}
NAMES: dict[int, str] = {code: name for name, code in reversed(BY_NAME.items())}


class MapiError(Exception):
    """An operation that ended with a code of MS-OXCDATA 2.4."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{name_of(self.code)}: {self.detail}" if self.detail else name_of(self.code)


def name_of(code: int) -> str:
    """The code's name, or the number in hex."""
    return NAMES.get(code) or f"0x{code:08X}"


def is_warning(code: int) -> bool:
    """Whether the operation was done at least in part: success, or one of the warnings of 2.4.2."""
    return code in _WARNINGS


_WARNINGS = frozenset(
    {
        ecNone,
        ecWarnWithErrors,
        ecWarnPositionChanged,
        ecWarnApproxCount,
        ecPartialCompletion,
        ecSyncProgress,
        ecSyncClientChangeNewer,
    }
)
