"""What a token may be that another token asks for. Nothing here reads a clock or a store."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec.structs import replace

from strongroom_node.sdk.durations import DurationInvalid, parse_duration
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.tokens.policies import (
    DEFAULT,
    NOT_ASSIGNABLE,
    ROOT,
    deduplicated,
    matches_any,
    sanitized,
)
from strongroom_node.tokens.roles import TokenRole
from strongroom_node.tokens.ttl import Limits, Wish, grant, lesser

_DISPLAY_NAME_REFUSED: Final = re.compile(r"[^a-zA-Z0-9-]")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller asks for. Durations are seconds, 0 meaning unsaid; `entity_id` was found from its alias."""

    id: str = field(default="", repr=False)
    policies: tuple[str, ...] = ()
    meta: dict[str, str] = field(default_factory=dict)
    display_name: str = ""
    type: str = ""
    ttl: float = 0.0
    explicit_max_ttl: float = 0.0
    period: float = 0.0
    num_uses: int = 0
    renewable: bool = True
    no_parent: bool = False
    no_default_policy: bool = False
    entity_alias: str = ""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the request knows besides: its path, and whether it may do what others may not."""

    path: str
    is_orphan_path: bool
    is_sudo: bool
    limits: Limits
    now: float
    entity_id: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """The token to be made, and what the caller should be told."""

    entry: TokenEntry
    warnings: list[str]


def asked(request: Request) -> Asked:
    """Read the request. Raises BadRequest for what cannot be meant."""
    uses = request.get("num_uses", 0)
    if uses < 0:
        raise BadRequest("number of uses cannot be negative")
    has_ttl = request.get("ttl", "") != ""
    return Asked(
        id=request.get("id", ""),
        policies=tuple(request.get("policies", [])),
        meta=request.get("meta", {}),
        display_name=request.get("display_name", ""),
        type=request.get("type", ""),
        ttl=_seconds(request, "ttl" if has_ttl else "lease"),
        explicit_max_ttl=_seconds(request, "explicit_max_ttl"),
        period=_seconds(request, "period"),
        num_uses=uses,
        renewable=request.get("renewable", True),
        no_parent=request.get("no_parent", False),
        no_default_policy=request.get("no_default_policy", False),
        entity_alias=request.get("entity_alias", ""),
    )


def require_parent(parent: TokenEntry | None) -> TokenEntry:
    """The token that asks, if it may have children at all. Raises BadRequest."""
    if parent is None:
        raise BadRequest("parent token lookup failed: no parent found")
    if parent.type == "batch":
        raise BadRequest("batch tokens cannot create more tokens")
    if parent.num_uses:
        # Else the child would outlive the limit.
        raise BadRequest("restricted use token cannot generate child tokens")
    return parent


def require_alias(wish: Asked, role: TokenRole | None) -> str:
    """The entity alias that is asked for, lower-cased, if the role allows it; empty if none is. Raises BadRequest."""
    if not wish.entity_alias:
        return ""
    if role is None:
        raise BadRequest("'entity_alias' is only allowed in combination with token role")
    alias = wish.entity_alias.lower()
    if not matches_any(alias, role.allowed_entity_aliases):
        raise BadRequest("invalid 'entity_alias' value")
    return alias


def draft(wish: Asked, parent: TokenEntry, role: TokenRole | None, around: Circumstances) -> Draft:
    """Decide what token is made. Raises BadRequest for what is not allowed."""
    kind = _type(wish, role)
    _require_id(wish.id, is_sudo=around.is_sudo)
    policies = _policies(wish, parent, role, is_sudo=around.is_sudo)
    _require_assignable(policies, parent, kind)
    is_orphan = _is_orphan(wish, role, around)
    if wish.period > 0 and not around.is_sudo:
        raise BadRequest("root or sudo privileges required to create periodic token")
    entry = TokenEntry(
        key="",
        parent="" if is_orphan else parent.key,
        policies=policies,
        path=around.path + (f"/{role.path_suffix}" if role is not None and role.path_suffix else ""),
        meta=wish.meta,
        display_name=_display_name(wish.display_name),
        num_uses=_num_uses(wish, role, kind),
        creation_time=around.now,
        explicit_max_ttl=wish.explicit_max_ttl,
        period=wish.period,
        renewable=wish.renewable and kind == "service" and (role is None or role.renewable),
        type=kind,
        entity_id=around.entity_id or ("" if is_orphan else parent.entity_id),
        role="" if role is None else role.name,
        bound_cidrs=_bound_cidrs(parent, role, is_orphan=is_orphan or bool(around.entity_id)),
        no_default_policy=wish.no_default_policy,
    )
    return _with_lifetime(entry, wish, parent, role, around)


def _with_lifetime(
    entry: TokenEntry, wish: Asked, parent: TokenEntry, role: TokenRole | None, around: Circumstances
) -> Draft:
    explicit_max, period, warnings = _role_limits(wish, role, entry.type)
    ttl, is_root = wish.ttl, ROOT in entry.policies
    ends = 0.0
    if period > 0 or ttl > 0 or not is_root:
        granted = grant(
            Wish(ttl=ttl, period=period, explicit_max_ttl=explicit_max), around.limits, around.now, around.now
        )
        ttl, ends = granted.ttl, granted.expire_time
        warnings += granted.warnings
    elif explicit_max > 0:
        ttl, ends = explicit_max, around.now + explicit_max
    if ttl:
        return Draft(replace(entry, creation_ttl=ttl, expire_time=ends), warnings)
    if parent.creation_ttl:
        raise BadRequest("expiring root tokens cannot create non-expiring root tokens")
    # A root token without end cannot be renewed, and is not bound to networks: it is the last way in.
    return Draft(replace(entry, renewable=False, bound_cidrs=()), warnings)


def _role_limits(wish: Asked, role: TokenRole | None, kind: str) -> tuple[float, float, list[str]]:
    """Explicit max TTL and period after the role had its say, and warnings where both spoke."""
    if role is None or kind == "batch":
        return wish.explicit_max_ttl, wish.period, []
    warnings = []
    explicit_max = lesser(wish.explicit_max_ttl, role.token_explicit_max_ttl)
    if wish.explicit_max_ttl and role.token_explicit_max_ttl:
        warnings.append(
            "Explicit max TTL specified both during creation call and in role; "
            f"using the lesser value of {int(explicit_max)} seconds"
        )
    period = lesser(wish.period, role.token_period)
    if wish.period and role.token_period:
        warnings.append(
            f"Period specified both during creation call and in role; using the lesser value of {int(period)} seconds"
        )
    return explicit_max, period, warnings


def _type(wish: Asked, role: TokenRole | None) -> str:
    kind = wish.type
    if role is not None:
        if role.token_type in {"service", "batch"}:
            kind = role.token_type
        elif not kind:
            kind = role.token_type.removeprefix("default-")
    if kind not in {"", "service", "batch"}:
        raise BadRequest("invalid 'token_type' value")
    if kind != "batch":
        return "service"
    for name, value in (
        ("explicit_max_ttl", wish.explicit_max_ttl),
        ("num_uses", wish.num_uses),
        ("period", wish.period),
    ):
        if value:
            raise BadRequest(f'batch tokens cannot have "{name}" set')
    return "batch"


def _require_id(token: str, *, is_sudo: bool) -> None:
    if not token:
        return
    if not is_sudo:
        raise BadRequest("root or sudo privileges required to specify token id")
    if token.startswith("s."):
        raise BadRequest("custom token ID cannot have the 's.' prefix")
    if "." in token:
        raise BadRequest("custom token ID cannot have a '.' in the value")


def _policies(wish: Asked, parent: TokenEntry, role: TokenRole | None, *, is_sudo: bool) -> tuple[str, ...]:
    if role is not None and role.rules_policies:
        found = _role_policies(wish, parent, role)
    elif not wish.policies:
        found = sanitized(parent.policies, add_default=False)
    elif is_sudo:
        found = sanitized(wish.policies, add_default=not wish.no_default_policy)
    else:
        # `default` gives nothing that has to be guarded, but only a parent that has it passes it on.
        theirs = sanitized(parent.policies, add_default=False)
        if not set(sanitized(wish.policies, add_default=False)) <= set(theirs):
            raise BadRequest("child policies must be subset of parent")
        found = sanitized(wish.policies, add_default=DEFAULT in theirs and not wish.no_default_policy)
    is_asked_for = DEFAULT in sanitized(wish.policies, add_default=False)
    if wish.no_default_policy or (role is not None and role.token_no_default_policy and not is_asked_for):
        found = tuple(name for name in found if name != DEFAULT)
    return found


def _role_policies(wish: Asked, parent: TokenEntry, role: TokenRole) -> tuple[str, ...]:
    add_default = (
        not wish.no_default_policy
        and not role.token_no_default_policy
        and DEFAULT not in role.disallowed_policies
        and not matches_any(DEFAULT, role.disallowed_policies_glob)
    )
    found = sanitized(wish.policies, add_default=add_default) if wish.policies else ()
    if role.allowed_policies or role.allowed_policies_glob:
        allowed = sanitized(role.allowed_policies, add_default=add_default)
        globs = deduplicated(role.allowed_policies_glob)
        for name in found:
            if name not in allowed and not matches_any(name, globs):
                raise BadRequest(
                    f"token policies ({_quoted(found)}) must be subset of the role's allowed policies "
                    f"({_quoted(allowed)}) or glob policies ({_quoted(globs)})"
                )
        found = found or allowed
    else:
        found = found or sanitized(parent.policies, add_default=add_default)
    for name in found:
        if name in role.disallowed_policies or matches_any(name, role.disallowed_policies_glob):
            raise BadRequest(f'token policy "{name}" is disallowed by this role')
    return found


def _require_assignable(policies: tuple[str, ...], parent: TokenEntry, kind: str) -> None:
    for name in policies:
        if name in NOT_ASSIGNABLE:
            raise BadRequest(f'cannot assign policy "{name}"')
    if ROOT not in policies:
        return
    if ROOT not in parent.policies:
        # Sudo on auth/token/create must not be a way to root.
        raise BadRequest("root tokens may not be created without parent token being root")
    if kind == "batch":
        raise BadRequest("batch tokens cannot be root tokens")


def _is_orphan(wish: Asked, role: TokenRole | None, around: Circumstances) -> bool:
    if role is not None:
        return role.orphan
    if wish.no_parent:
        if not around.is_sudo:
            raise BadRequest("root or sudo privileges required to create orphan token")
        return True
    return around.is_orphan_path


def _bound_cidrs(parent: TokenEntry, role: TokenRole | None, *, is_orphan: bool) -> tuple[str, ...]:
    """A role's networks, else the parent's: a child may not escape them, unless a role says so."""
    if role is not None:
        return role.token_bound_cidrs
    return () if is_orphan else parent.bound_cidrs


def _num_uses(wish: Asked, role: TokenRole | None, kind: str) -> int:
    if kind == "batch":
        return 0
    return wish.num_uses if role is None else int(lesser(wish.num_uses, role.token_num_uses))


def _display_name(name: str) -> str:
    return _DISPLAY_NAME_REFUSED.sub("-", f"token-{name}").removesuffix("-") if name else "token"


def _seconds(request: Request, name: str) -> float:
    text: Any = request.get(name, "")
    try:
        seconds = parse_duration(text)
    except DurationInvalid as error:
        raise BadRequest(str(error)) from error
    if seconds < 0:
        raise BadRequest(f"{name} must be positive")
    return seconds


def _quoted(names: tuple[str, ...]) -> str:
    """A list as Go prints it with %q."""
    return "[" + " ".join(f'"{name}"' for name in names) + "]"
