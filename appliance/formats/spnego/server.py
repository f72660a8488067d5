"""The acceptor of Negotiate: SPNEGO around NTLM, or NTLM bare (RFC 4178 3.2, MS-SPNG 3.2, MS-NTHT).

    reply = server.step(token)      until reply.identity is there
    reply.token goes to the client with every step, the last one included (it may be empty then)

Rules:
- NTLM is the one mechanism. Where the client prefers another, it is told so by REQUEST_MIC, its optimistic
  token is not looked at, and both sides must sign the list of mechanisms.
- A mechListMIC that is there is checked, asked for or not, and answered with ours.
- A token that begins with NTLMSSP is NTLM without SPNEGO, and is answered so.

Raises `Denied` or DecodeError; `REJECT` is what the client may be told then.
"""

from dataclasses import dataclass
from enum import Enum, auto

from appliance.formats.ntlm.messages import SIGNATURE
from appliance.formats.ntlm.server import Denial, Denied, Identity, NtHash, NtlmServer
from appliance.formats.ntlm.session import BadSignature
from appliance.formats.spnego.tokens import NTLM, Init, Resp, State, mechanism_list, pack, unpack

REJECT = pack(Resp(State.REJECT))


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send, and who logged on once that is known."""

    token: bytes
    identity: Identity | None = None


class _Stage(Enum):
    NEW = auto()
    CHOSEN = auto()
    CHALLENGED = auto()
    MIC = auto()
    DONE = auto()


class SpnegoServer:
    """One log-on."""

    def __init__(self, ntlm: NtlmServer, nt_hash: NtHash) -> None:
        self._ntlm = ntlm
        self._nt_hash = nt_hash
        self._stage = _Stage.NEW
        self._bare = False
        self._mechanisms: tuple[bytes, ...] = ()
        self._mic_needed = False
        self._identity: Identity | None = None

    def step(self, token: bytes) -> Reply:
        """Answer the client's next token."""
        stage, self._stage = self._stage, _Stage.DONE  # until this step ends well
        if token.startswith(SIGNATURE) and (stage is _Stage.NEW or self._bare):
            return self._step_bare(stage, token)
        message = unpack(token)
        if stage is _Stage.NEW and isinstance(message, Init):
            return self._begin(message)
        if not isinstance(message, Resp) or self._bare:
            raise Denied(Denial.TOKEN)
        if stage is _Stage.CHOSEN:
            return self._challenge(message.token, None)
        if stage is _Stage.CHALLENGED:
            return self._finish(message)
        if stage is _Stage.MIC and self._identity is not None and message.mic is not None:
            self._check_mic(self._identity, message.mic)
            return Reply(pack(Resp(State.ACCEPT_COMPLETED)), self._identity)
        raise Denied(Denial.TOKEN)

    def _step_bare(self, stage: _Stage, token: bytes) -> Reply:
        if stage is _Stage.NEW:
            challenge = self._ntlm.start(token)
            self._bare, self._stage = True, _Stage.CHALLENGED
            return Reply(challenge)
        if stage is _Stage.CHALLENGED:
            return Reply(b"", self._ntlm.finish(token, self._nt_hash))
        raise Denied(Denial.TOKEN)

    def _begin(self, message: Init) -> Reply:
        self._mechanisms = message.mechanisms
        if message.mechanisms and NTLM not in message.mechanisms:
            raise Denied(Denial.TOKEN)
        self._mic_needed = message.mechanisms[:1] not in ((), (NTLM,))
        if self._mic_needed or message.token is None:
            self._stage = _Stage.CHOSEN
            state = State.REQUEST_MIC if self._mic_needed else State.ACCEPT_INCOMPLETE
            return Reply(pack(Resp(state, NTLM)))
        return self._challenge(message.token, NTLM)

    def _challenge(self, token: bytes | None, mechanism: bytes | None) -> Reply:
        if token is None:
            raise Denied(Denial.TOKEN)
        challenge = self._ntlm.start(token)
        self._stage = _Stage.CHALLENGED
        return Reply(pack(Resp(State.ACCEPT_INCOMPLETE, mechanism, challenge)))

    def _finish(self, message: Resp) -> Reply:
        if message.token is None:
            raise Denied(Denial.TOKEN)
        identity = self._ntlm.finish(message.token, self._nt_hash)
        if message.mic is not None:
            self._check_mic(identity, message.mic)
            return Reply(pack(Resp(State.ACCEPT_COMPLETED, mic=self._mic(identity))), identity)
        if self._mic_needed:
            self._identity, self._stage = identity, _Stage.MIC
            return Reply(pack(Resp(State.ACCEPT_INCOMPLETE, mic=self._mic(identity))))
        return Reply(pack(Resp(State.ACCEPT_COMPLETED)), identity)

    def _mic(self, identity: Identity) -> bytes:
        if not identity.session.can_sign:
            raise Denied(Denial.MIC, identity.user)
        return identity.session.sign_mechanisms(mechanism_list(self._mechanisms))

    def _check_mic(self, identity: Identity, mic: bytes) -> None:
        if not identity.session.can_sign:
            raise Denied(Denial.MIC, identity.user)
        try:
            identity.session.verify_mechanisms(mechanism_list(self._mechanisms), mic)
        except BadSignature:
            raise Denied(Denial.MIC, identity.user) from None
