"""How a new node proves that it holds the root key, and is let in. No I/O but the kernel's randomness; time is given.

    new node                              active node
    challenge(node id)              ->    a nonce, sealed under a key derived from the root key
    proof: MAC of id, address and         checks it and that the members allow it, issues a certificate
    role under that nonce           ->
    opens the grant                 <-    certificate, key, authority, members: sealed likewise

The questions come without any other credentials, from anybody, perhaps over plain HTTP. So a challenge costs the active
node no memory (what it must know is inside, sealed), a flood of them keeps nobody out, and what is answered can be read
by none but a holder of the root key. Each challenge is good for one answer, at the node that made it, for a minute.
"""

import hmac
import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from strongroom_cluster.errors import ClusterError
from strongroom_cluster.raft.certificates import Authority, Credentials, issue
from strongroom_cluster.raft.membership import MEMBERS_MAX, Members, decode_members, encode_members
from strongroom_storage import codec
from strongroom_storage.crypto.aead import AEAD
from strongroom_storage.crypto.entropy import random_bytes
from strongroom_storage.crypto.secret import SecretBytes
from strongroom_storage.errors import CodecInvalid, FrameInvalid

CHALLENGE_SECONDS_MAX: Final = 60.0
CHALLENGE_BYTES_MAX: Final = 1024
GRANT_BYTES_MAX: Final = 256 << 10
ANSWERED_MAX: Final = 1024
# One salt's key seals so many challenges: far below the limit of AES-GCM, whatever a flood asks for.
CHALLENGES_OF_SALT_MAX: Final = 1 << 24

_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 32
_KEY_BYTES: Final = 32
_CHALLENGE: Final = b"strongroom join challenge 1"
_GRANT: Final = b"strongroom join grant 1"
_PROOF: Final = b"strongroom join proof 1"
_NODE_ID: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_PORT_MAX: Final = 65535
_DIGITS_MAX: Final = 5


class JoinRefused(ClusterError):
    """A node is not let in. The words may be told to whoever asked."""


class JoinFailed(ClusterError):
    """What the active node sent cannot be used: another root key, another cluster, or changed on the way."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who wants to join. A learner for good (`non_voter`) is never promoted."""

    node_id: str
    address: str  # host:port of its cluster listener
    non_voter: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """What a new node needs to take part."""

    credentials: Credentials
    members: Members


def require_node_id(node_id: str) -> str:
    """The id. Raises JoinRefused unless it is 1 to 128 letters, digits, dots, dashes and underscores."""
    if not _NODE_ID.fullmatch(node_id):
        raise JoinRefused("a node id is 1 to 128 letters, digits, dots, dashes and underscores, as a name would be")
    return node_id


def require_address(address: str) -> str:
    """The address. Raises JoinRefused unless it is host:port that another node could dial."""
    host, colon, port = address.rpartition(":")
    if (
        not colon
        or not port.isascii()
        or not port.isdigit()
        or len(port) > _DIGITS_MAX
        or not 0 < int(port) <= _PORT_MAX
    ):
        raise JoinRefused("a cluster address is host:port")
    is_bracketed = host.startswith("[") and host.endswith("]")
    try:
        parsed = ipaddress.ip_address(host[1:-1] if is_bracketed else host)
    except ValueError:
        if is_bracketed or not _HOST.fullmatch(host):
            raise JoinRefused("a cluster address names no host") from None
        return address
    if is_bracketed is not (parsed.version == 6) or "%" in host:
        raise JoinRefused("a cluster address is host:port, with an IPv6 host in brackets")
    if parsed.is_unspecified or parsed.is_multicast:
        raise JoinRefused("a cluster address must be one that other nodes can dial")
    return address


def require_admissible(members: Members, candidate: Candidate) -> None:
    """Raise JoinRefused unless this node may come in now.

    A voter may not come again: with an empty disk it would forget what it has acknowledged. Remove it first.
    """
    if candidate.node_id in members.voters:
        raise JoinRefused("a node of this id votes in the cluster; remove it first")
    taken = {address: name for name, address in members.addresses.items()}.get(candidate.address)
    if taken is not None and taken != candidate.node_id:
        raise JoinRefused("a node of another id has this address; remove it first")
    if candidate.node_id not in members and len(members.addresses) >= MEMBERS_MAX:
        raise JoinRefused(f"the cluster has {MEMBERS_MAX} members already")


# The active node


class Challenger:
    """Makes challenges and checks answers, for one unsealed node. Times are seconds of a clock that never goes back."""

    def __init__(self, root_key: SecretBytes) -> None:
        self._root_key = SecretBytes(root_key.reveal())
        self._salts: list[_Salt] = []
        self._answered: dict[bytes, float] = {}

    def wipe(self) -> None:
        """Forget the root key: at seal. Outstanding challenges cannot be answered any more."""
        self._root_key.wipe()
        self._salts = []

    def challenge(self, node_id: str, now: float) -> bytes:
        """A challenge for one node: salt | sealed nonce, id and end. Raises JoinRefused."""
        require_node_id(node_id)
        if not self._salts or self._salts[0].aead.sealed >= CHALLENGES_OF_SALT_MAX:
            fresh = random_bytes(_SALT_BYTES)
            self._salts = [_Salt(fresh, AEAD(_derive(self._root_key, fresh, _CHALLENGE))), *self._salts[:1]]
        current = self._salts[0]
        plain = codec.pack([random_bytes(_NONCE_BYTES), node_id, now + CHALLENGE_SECONDS_MAX])
        return current.salt + current.aead.seal(plain, _CHALLENGE + current.salt)

    def require_answer(self, challenge: bytes, proof: bytes, candidate: Candidate, now: float) -> None:
        """Raise JoinRefused unless `proof` shows that `candidate` opened `challenge`; neither counts twice."""
        require_node_id(candidate.node_id)
        require_address(candidate.address)
        opened = self._opened(challenge)
        if opened is None:
            raise JoinRefused("the challenge is not one of this node, or too old: ask for another")
        nonce, node_id, end = opened
        if not hmac.compare_digest(proof, _proof(nonce, candidate)) or node_id != candidate.node_id:
            raise JoinRefused("the answer to the challenge is wrong: the node has another root key or seal")
        if now >= end:
            raise JoinRefused("the challenge is too old: ask for another")
        self._answered = {known: until for known, until in self._answered.items() if until > now}
        if nonce in self._answered:
            raise JoinRefused("the challenge has been answered already: ask for another")
        if len(self._answered) >= ANSWERED_MAX:
            raise JoinRefused("too many nodes join at once: try again in a minute")
        self._answered[nonce] = end

    def seal_grant(
        self, challenge: bytes, candidate: Candidate, authority: Authority, members: Members, now: float
    ) -> bytes:
        """A certificate and the members, for the node that answered `challenge`. `now` is in Unix seconds here."""
        credentials = issue(authority, candidate.node_id, now)
        packed = codec.pack(
            [credentials.certificate, credentials.key.reveal(), credentials.trusted, encode_members(members)]
        )
        salt = random_bytes(_SALT_BYTES)
        return salt + AEAD(_derive(self._root_key, salt, _GRANT)).seal(packed, _bound(challenge, candidate.node_id))

    def _opened(self, challenge: bytes) -> tuple[bytes, str, float] | None:
        if len(challenge) > CHALLENGE_BYTES_MAX:
            return None
        salt = next((salt for salt in self._salts if challenge.startswith(salt.salt)), None)
        try:
            return None if salt is None else _read_challenge(salt.aead, challenge)
        except FrameInvalid:
            return None


@dataclass(frozen=True, slots=True)
class _Salt:
    salt: bytes
    aead: AEAD = field(repr=False)


# The new node


def answer(root_key: SecretBytes, challenge: bytes, candidate: Candidate) -> bytes:
    """The proof that this node holds the root key. Raises JoinFailed if the challenge was made with another one."""
    if not _SALT_BYTES < len(challenge) <= CHALLENGE_BYTES_MAX:
        raise JoinFailed("the challenge has a wrong size")
    try:
        nonce, node_id, _ = _read_challenge(AEAD(_derive(root_key, challenge[:_SALT_BYTES], _CHALLENGE)), challenge)
    except FrameInvalid:
        raise JoinFailed("the challenge was made with another root key") from None
    if node_id != candidate.node_id:
        raise JoinFailed("the challenge is for another node")
    return _proof(nonce, candidate)


def open_grant(root_key: SecretBytes, sealed: bytes, challenge: bytes, candidate: Candidate) -> Grant:
    """What the active node granted. Raises JoinFailed."""
    if not _SALT_BYTES < len(sealed) <= GRANT_BYTES_MAX:
        raise JoinFailed("the active node's grant has a wrong size")
    cipher = AEAD(_derive(root_key, sealed[:_SALT_BYTES], _GRANT))
    try:
        match codec.unpack(cipher.open(sealed, _bound(challenge, candidate.node_id), _SALT_BYTES)):
            case [bytes(certificate), bytes(key), bytes(trusted), bytes(members)]:
                return Grant(Credentials(certificate, SecretBytes(key), trusted), decode_members(members))
            case _:
                raise JoinFailed("the active node's grant has a wrong shape")
    except (FrameInvalid, CodecInvalid):
        raise JoinFailed("the active node's grant does not open") from None


# Both


def _derive(root_key: SecretBytes, salt: bytes, purpose: bytes) -> bytes:
    """A key that says nothing about the root key. Source: RFC 5869."""
    if len(root_key) != _KEY_BYTES:
        raise JoinRefused("this node is sealed")
    return HKDF(hashes.SHA256(), _KEY_BYTES, salt, purpose).derive(root_key.reveal())


def _read_challenge(cipher: AEAD, challenge: bytes) -> tuple[bytes, str, float]:
    """Raises FrameInvalid."""
    nonce, node_id, end = codec.unpack(cipher.open(challenge, _CHALLENGE + challenge[:_SALT_BYTES], _SALT_BYTES))
    return nonce, node_id, end


def _proof(nonce: bytes, candidate: Candidate) -> bytes:
    said = codec.pack([_PROOF, candidate.node_id, candidate.address, candidate.non_voter])
    return hmac.digest(nonce, said, "sha256")


def _bound(challenge: bytes, node_id: str) -> bytes:
    """Ties a grant to the challenge that it answers."""
    return codec.pack([_GRANT, challenge, node_id])
