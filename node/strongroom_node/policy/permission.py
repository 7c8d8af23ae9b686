"""What the rules of one path pattern add up to."""

from dataclasses import dataclass, field
from typing import Any, Final

from strongroom_node.policy import capability, parameters
from strongroom_node.policy.rules import ParameterValues, PathRule
from strongroom_node.sdk.request import Operation

_CHECKED_PARAMETERS: Final = frozenset({Operation.READ, Operation.CREATE, Operation.UPDATE, Operation.PATCH})
_PAGED: Final = frozenset({Operation.LIST, Operation.SCAN})


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one check."""

    allowed: bool
    is_root: bool = False
    sudo: bool = False
    """Whether paths that need root privileges are open, too."""
    capability_bits: int = 0
    granting_policies: tuple[str, ...] = ()
    """Names of the policies that give the needed capability; audit entries show them."""
    page_limit: int = 0
    """For LIST and SCAN: at most this many keys may be answered; 0 for no bound."""

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Sorted names of what the matching path gives."""
        return ("root",) if self.is_root else capability.capability_names(self.capability_bits)


@dataclass(slots=True)
class Permission:
    """Merged rules of one pattern. Built by `merge`; afterwards only `decisions` fills up."""

    bits: int = 0
    allowed: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    denied: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    min_wrapping_ttl: float = 0.0
    max_wrapping_ttl: float = 0.0
    page_limit: int = 0
    grants: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Capability bit to the names of the policies that give it."""
    decisions: dict[Operation, Decision] = field(default_factory=dict)
    """Answers that were asked for before, for operations that no constraint touches."""

    def merge(self, rule: PathRule, policy: str) -> None:
        """Add a rule of the same pattern: capabilities add up, one deny takes all, the tighter bound wins."""
        if self.bits & capability.DENY:
            return
        if rule.capabilities & capability.DENY:
            self._deny()
            return
        self.bits |= rule.capabilities
        for bit in capability.BITS.values():
            if rule.capabilities & bit and policy not in self.grants.get(bit, ()):
                self.grants[bit] = (*self.grants.get(bit, ()), policy)
        _merge_parameters(self.allowed, rule.allowed)
        _merge_parameters(self.denied, rule.denied)
        self.required += tuple(name for name in rule.required if name not in self.required)
        self.min_wrapping_ttl = _lower(self.min_wrapping_ttl, rule.min_wrapping_ttl)
        self.max_wrapping_ttl = _lower(self.max_wrapping_ttl, rule.max_wrapping_ttl)
        self.page_limit = int(_lower(self.page_limit, rule.page_limit))

    def _deny(self) -> None:
        self.bits = capability.DENY
        self.allowed, self.denied, self.required, self.grants = {}, {}, (), {}
        self.min_wrapping_ttl = self.max_wrapping_ttl = 0.0
        self.page_limit = 0

    def _is_constrained(self, operation: Operation) -> bool:
        if self.min_wrapping_ttl or self.max_wrapping_ttl:
            return True
        if operation in _PAGED:
            return bool(self.page_limit)
        return operation in _CHECKED_PARAMETERS and bool(self.allowed or self.denied or self.required)

    def _decision(self, operation: Operation, *, allowed: bool) -> Decision:
        return Decision(
            allowed,
            sudo=bool(self.bits & capability.SUDO),
            capability_bits=self.bits,
            granting_policies=self.grants.get(capability.NEEDED[operation], ()),
            page_limit=self.page_limit if operation in _PAGED else 0,
        )

    def check(self, operation: Operation, data: dict[str, Any], wrap_ttl: float, has_wrap: bool) -> Decision:
        """The answer for an operation; kept in `decisions` if it depends on nothing but the operation."""
        if not self.bits & capability.NEEDED[operation]:
            return self.decisions.setdefault(operation, self._decision(operation, allowed=False))
        if not self._is_constrained(operation):
            return self.decisions.setdefault(operation, self._decision(operation, allowed=True))
        allowed = self._permits_wrapping(wrap_ttl, has_wrap)
        if allowed and operation in _CHECKED_PARAMETERS:
            allowed = parameters.are_permitted(data, self.allowed, self.denied, self.required)
        elif allowed and operation in _PAGED:
            allowed = self._permits_page(data)
        return self._decision(operation, allowed=allowed)

    def _permits_wrapping(self, wrap_ttl: float, has_wrap: bool) -> bool:
        if self.max_wrapping_ttl and (not has_wrap or wrap_ttl > self.max_wrapping_ttl):
            return False
        return not (self.min_wrapping_ttl and (not has_wrap or wrap_ttl < self.min_wrapping_ttl))

    def _permits_page(self, data: dict[str, Any]) -> bool:
        """A page of at most the limit; without a `limit` the answer is cut, unless it is a required parameter."""
        if not self.page_limit:
            return True
        asked = data.get("limit")
        if asked is None:
            return not any(name.lower() == "limit" for name in self.required)
        try:
            return asked == "max" or 0 < int(asked) <= self.page_limit
        except (TypeError, ValueError):
            return False

    def shown(self) -> dict[str, Any]:
        """This permission in the answer of sys/internal/ui/resultant-acl."""
        made: dict[str, Any] = {"capabilities": list(capability.capability_names(self.bits))}
        if self.min_wrapping_ttl:
            made["min_wrapping_ttl"] = int(self.min_wrapping_ttl)
        if self.max_wrapping_ttl:
            made["max_wrapping_ttl"] = int(self.max_wrapping_ttl)
        if self.allowed:
            made["allowed_parameters"] = {name: list(values) for name, values in self.allowed.items()}
        if self.denied:
            made["denied_parameters"] = {name: list(values) for name, values in self.denied.items()}
        if self.required:
            made["required_parameters"] = list(self.required)
        return made


def _lower(mine: float, other: float) -> float:
    """The lower of two bounds, where 0 is none."""
    return min(mine, other) if mine and other else mine or other


def _merge_parameters(mine: dict[str, tuple[Any, ...]], other: ParameterValues) -> None:
    """Values of one name add up; a name without values (any value) takes over."""
    for name, values in other.items():
        if name in mine and not (values and mine[name]):
            mine[name] = ()
        else:
            mine[name] = values + mine.get(name, ())
