"""Who belongs to the cluster, and how that may change. Pure.

A configuration is a log entry that holds all members; the newest one in a node's log is in force there, committed or
not (Raft dissertation §4.1). So a restart or a truncation needs no replay of steps, only another look at the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from strongroom_cluster.errors import ClusterError
from strongroom_storage import codec
from strongroom_storage.errors import CodecInvalid

# Where the state machine keeps the configuration, for snapshots and for logs whose beginning is gone.
MEMBERS_KEY: Final = b"\x00members"

MEMBERS_MAX: Final = 64
NAME_CHARACTERS_MAX: Final = 253  # a node id is a name in a certificate
_FORMAT: Final = 1


class MembersInvalid(ClusterError):
    """Bytes are not a configuration, or a configuration could not work."""


class ChangeRefused(ClusterError):
    """A change of members is not allowed now; the message says why."""


@dataclass(frozen=True, slots=True)
class Members:
    """Node ids and their cluster addresses. Learners get the log and do not vote."""

    voters: Mapping[str, str] = field(default_factory=dict)
    learners: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise MembersInvalid for names that could not be nodes."""
        names = [*self.voters, *self.learners]
        if len(set(names)) != len(names) or len(names) > MEMBERS_MAX:
            raise MembersInvalid("a node is named twice, or there are too many")
        if not all(0 < len(name) <= NAME_CHARACTERS_MAX for name in names):
            raise MembersInvalid("a node id is empty or too long")

    def __contains__(self, node: object) -> bool:
        """Whether a node belongs to the cluster in any role."""
        return node in self.voters or node in self.learners

    @property
    def addresses(self) -> dict[str, str]:
        """Every member's address."""
        return {**self.voters, **self.learners}

    def with_learner(self, node: str, address: str) -> "Members":
        """The members with one more learner; a known node only gets another address."""
        if node in self.voters:
            return Members({**self.voters, node: address}, self.learners)
        return Members(self.voters, {**self.learners, node: address})

    def with_voter(self, node: str) -> "Members":
        """The members with a learner promoted. Raises ChangeRefused."""
        if node not in self.learners:
            raise ChangeRefused(f"{node} is not a learner")
        learners = dict(self.learners)
        address = learners.pop(node)
        return Members({**self.voters, node: address}, learners)

    def without(self, node: str) -> "Members":
        """The members without one. Raises ChangeRefused."""
        if node not in self:
            raise ChangeRefused(f"{node} is not a member")
        voters = {name: address for name, address in self.voters.items() if name != node}
        if not voters:
            raise ChangeRefused("the last voter cannot be removed")
        return Members(voters, {name: address for name, address in self.learners.items() if name != node})


def require_single_change(old: Members, new: Members) -> None:
    """Raise ChangeRefused unless any majority of the old voters overlaps any majority of the new ones.

    Source: Raft dissertation §4.1: true if at most one voter comes or goes.
    """
    if len(set(old.voters) ^ set(new.voters)) > 1:
        raise ChangeRefused("only one voter may come or go at a time")
    if not new.voters:
        raise ChangeRefused("a cluster needs a voter")


def encode_members(members: Members) -> bytes:
    """The log form of a configuration; equal configurations give equal bytes."""
    return codec.pack([_FORMAT, _pairs(members.voters), _pairs(members.learners)])


def decode_members(data: bytes) -> Members:
    """The configuration in a log entry. Raises MembersInvalid."""
    try:
        decoded = codec.unpack(data)
    except CodecInvalid as error:
        raise MembersInvalid("a configuration is not readable") from error
    match decoded:
        case [version, list(voters), list(learners)] if (
            version == _FORMAT and _are_pairs(voters) and _are_pairs(learners)
        ):
            return Members(dict(voters), dict(learners))
        case _:
            raise MembersInvalid("a configuration has a wrong shape or version")


def _pairs(nodes: Mapping[str, str]) -> list[list[str]]:
    return [[name, nodes[name]] for name in sorted(nodes)]


def _are_pairs(pairs: list[object]) -> bool:
    return all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in pairs
    )
