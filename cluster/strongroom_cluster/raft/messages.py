"""What nodes say to each other: msgpack arrays `[code, field, ...]`, checked field by field. Pure.

Nothing here can name a type or a function, so nothing a peer sends can do more than be a message or be refused.
"""

from typing import Any, Final, NamedTuple

import msgpack

from strongroom_cluster.command import COMMAND_BYTES_MAX
from strongroom_cluster.errors import ClusterError

# One entry of the largest size and its envelope; everything else is far smaller.
FRAME_BYTES_MAX: Final = COMMAND_BYTES_MAX + (64 << 10)
ENTRIES_MAX: Final = 4096
_NUMBER_MAX: Final = 1 << 63

# The first byte of a log entry says what it is.
KIND_COMMAND: Final = 0
KIND_NOTHING: Final = 1  # what a new leader begins its term with
KIND_MEMBERS: Final = 2
_KINDS: Final = frozenset({KIND_COMMAND, KIND_NOTHING, KIND_MEMBERS})


class MessageInvalid(ClusterError):
    """Bytes from a peer are not a message. Names the fault, never the content."""


# A log entry: (kind byte | payload, index, term), in the order that pysyncobj keeps.
LogEntry = tuple[bytes, int, int]


class Append(NamedTuple):
    """Entries after one that both logs should have. `round` comes back in the answer."""

    term: int
    commit: int
    previous_index: int
    previous_term: int
    entries: tuple[LogEntry, ...]
    round: int


class Ack(NamedTuple):
    """The answer to `Append`: all below `next_index` is the same here and durable, or what to send instead."""

    term: int
    next_index: int
    is_success: bool
    round: int


class VoteRequest(NamedTuple):
    """Asks for a vote. A transfer was ordered by the leader itself, so that its presence is no objection."""

    term: int
    last_index: int
    last_term: int
    is_transfer: bool


class Vote(NamedTuple):
    """A granted vote; a refused one is silence."""

    term: int


class PreVoteRequest(NamedTuple):
    """Asks whether a vote would be granted in `term`; changes nothing at the receiver."""

    term: int
    last_index: int
    last_term: int


class PreVote(NamedTuple):
    """The answer, with the receiver's own term: one that is behind could never win otherwise."""

    term: int
    own_term: int
    is_granted: bool


class TimeoutNow(NamedTuple):
    """The leader asks the receiver to take over."""

    term: int


class SnapshotPart(NamedTuple):
    """A piece of the state at (`state_index`, `state_term`), for a node whose next entry is gone from the log."""

    term: int
    state_index: int
    state_term: int
    offset: int
    data: bytes
    is_last: bool
    round: int


class SnapshotAck(NamedTuple):
    """Which offset of the snapshot at `state_index` the receiver wants next."""

    term: int
    state_index: int
    offset: int
    round: int


class ReadRequest(NamedTuple):
    """A follower asks the leader for an index to read at."""

    number: int


class ReadReply(NamedTuple):
    """The index, or 0 if the receiver cannot know it."""

    number: int
    read_index: int


Message = (
    Append
    | Ack
    | VoteRequest
    | Vote
    | PreVoteRequest
    | PreVote
    | TimeoutNow
    | SnapshotPart
    | SnapshotAck
    | ReadRequest
    | ReadReply
)

_TYPES: Final[tuple[Any, ...]] = (
    Append,
    Ack,
    VoteRequest,
    Vote,
    PreVoteRequest,
    PreVote,
    TimeoutNow,
    SnapshotPart,
    SnapshotAck,
    ReadRequest,
    ReadReply,
)
_CODES: Final = {kind: code for code, kind in enumerate(_TYPES)}
_SHAPES: Final = {kind: tuple(kind.__annotations__.values()) for kind in _TYPES}

_pack = msgpack.Packer(use_bin_type=True).pack


def encode(message: Message) -> bytes:
    """The frame body for a message."""
    packed: bytes = _pack((_CODES[type(message)], *message))
    return packed


def decode(body: bytes | memoryview) -> Message:
    """The message in a frame body. Raises MessageInvalid."""
    if len(body) > FRAME_BYTES_MAX:
        raise MessageInvalid("a frame is too large")
    try:
        fields = msgpack.unpackb(
            body, raw=False, use_list=False, max_ext_len=0, max_map_len=0, max_array_len=ENTRIES_MAX, max_str_len=0
        )
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
        raise MessageInvalid("a frame is not readable") from error
    if type(fields) is not tuple or not fields or type(fields[0]) is not int or not 0 <= fields[0] < len(_TYPES):
        raise MessageInvalid("a frame has no known type")
    kind = _TYPES[fields[0]]
    shape = _SHAPES[kind]
    if len(fields) != len(shape) + 1 or not all(map(_fits, fields[1:], shape)):
        raise MessageInvalid(f"a frame of type {kind.__name__} has a wrong shape")
    message: Message = kind(*fields[1:])
    if type(message) is Append:
        _require_sequence(message)
    return message


def _fits(value: object, kind: type) -> bool:
    if kind is int:
        return type(value) is int and 0 <= value < _NUMBER_MAX
    if kind is bool or kind is bytes:
        return type(value) is kind
    return type(value) is tuple


def _require_sequence(message: Any) -> None:
    """Raise MessageInvalid unless the entries follow each other, with terms that never go down."""
    index, term = message.previous_index, message.previous_term
    for entry in message.entries:
        if not isinstance(entry, tuple) or len(entry) != 3 or not all(map(_fits, entry, (bytes, int, int))):
            raise MessageInvalid("an entry has a wrong shape")
        data, at, entry_term = entry
        index += 1
        if at != index or not term <= entry_term <= message.term:
            raise MessageInvalid("entries do not follow each other")
        if not data or data[0] not in _KINDS:
            raise MessageInvalid("an entry is of no known kind")
        term = entry_term
