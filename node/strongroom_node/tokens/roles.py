"""Roles of the token store: ready-made limits for tokens."""

import re
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from strongroom_node.sdk.cidr import parse_cidrs
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Bool, Duration, Field, Int, StringList, Text
from strongroom_node.sdk.request import Request
from strongroom_node.tokens.policies import deduplicated, sanitized

_SUFFIX: Final = re.compile(r"\w[\w.-]+\w")
_SUFFIX_SHOWN: Final = r"\w[\w-.]+\w"
_TYPES: Final = ("service", "batch", "default-service", "default-batch")


class TokenRole(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a role says. Durations are seconds, 0 meaning unset."""

    name: str
    allowed_policies: tuple[str, ...] = ()
    allowed_policies_glob: tuple[str, ...] = ()
    disallowed_policies: tuple[str, ...] = ()
    disallowed_policies_glob: tuple[str, ...] = ()
    allowed_entity_aliases: tuple[str, ...] = ()
    orphan: bool = False
    renewable: bool = True
    path_suffix: str = ""
    token_type: str = "default-service"
    token_period: float = 0.0
    token_explicit_max_ttl: float = 0.0
    token_num_uses: int = 0
    token_bound_cidrs: tuple[str, ...] = ()
    token_no_default_policy: bool = False
    period: float = 0.0
    """The deprecated names `period`, `explicit_max_ttl` and `bound_cidrs` are shown again if they were used."""
    explicit_max_ttl: float = 0.0
    bound_cidrs: tuple[str, ...] = ()

    @property
    def rules_policies(self) -> bool:
        """True if the role says which policies may be given, so that the parent's do not matter."""
        return bool(
            self.allowed_policies
            or self.allowed_policies_glob
            or self.disallowed_policies
            or self.disallowed_policies_glob
        )


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(TokenRole)

FIELDS: Final[dict[str, Field]] = {
    "role_name": Text("Name of the role"),
    "allowed_policies": StringList("The only policies that tokens may have; others are refused."),
    "allowed_policies_glob": StringList("As allowed_policies, with * standing for any characters."),
    "disallowed_policies": StringList("Policies that tokens may not have."),
    "disallowed_policies_glob": StringList("As disallowed_policies, with * standing for any characters."),
    "allowed_entity_aliases": StringList("Entity aliases that may be asked for; * stands for any characters."),
    "orphan": Bool("Whether tokens are orphans."),
    "renewable": Bool("Whether tokens may be renewed.", default=True),
    "path_suffix": Text("Added to the path of tokens, so that they can be revoked by prefix."),
    "token_type": Text("service, batch, default-service or default-batch", default="default-service"),
    "token_period": Duration("Makes periodic tokens, renewed by this length for ever."),
    "token_explicit_max_ttl": Duration("The hard end of tokens, counted from their creation."),
    "token_num_uses": Int("How often a token may be used; 0 means without limit."),
    "token_bound_cidrs": StringList("Networks from which tokens may be used."),
    "token_no_default_policy": Bool("Whether tokens go without the default policy."),
    "period": Duration("Use token_period.", deprecated=True),
    "explicit_max_ttl": Duration("Use token_explicit_max_ttl.", deprecated=True),
    "bound_cidrs": StringList("Use token_bound_cidrs.", deprecated=True),
}


def encode_role(role: TokenRole) -> bytes:
    """The stored form."""
    return _ENCODER.encode(role)


def decode_role(packed: bytes) -> TokenRole:
    """From the stored form."""
    return _DECODER.decode(packed)


def updated(role: TokenRole, request: Request, system_max: float) -> tuple[TokenRole, list[str]]:
    """The role with what the request says, the rest as it was; and warnings. Raises BadRequest."""
    changes, warnings = _changes(request)
    changed = replace(role, **changes)
    _require_sound(changed)
    if changed.token_explicit_max_ttl > system_max:
        warnings.append(
            f"Given explicit max TTL of {int(changed.token_explicit_max_ttl)} is greater than system/mount allowed "
            f"value of {int(system_max)} seconds; until this is fixed attempting to create tokens against this role "
            "will result in an error"
        )
    return changed, warnings


def _changes(request: Request) -> tuple[dict[str, Any], list[str]]:
    changes: dict[str, Any] = {}
    for name in ("orphan", "renewable", "token_num_uses", "token_no_default_policy"):
        if request.has(name):
            changes[name] = request.get(name)
    if request.has("allowed_policies"):
        changes["allowed_policies"] = sanitized(request.get("allowed_policies"), add_default=False)
    for name in (
        "allowed_policies_glob",
        "disallowed_policies",
        "disallowed_policies_glob",
        "allowed_entity_aliases",
    ):
        if request.has(name):
            changes[name] = deduplicated(request.get(name))
    warnings = []
    for name in ("period", "explicit_max_ttl", "bound_cidrs"):
        changes.update(_renamed(request, name))
        if request.has(name) and request.has(f"token_{name}"):
            warnings.append(
                f"Both 'token_{name}' and deprecated '{name}' value supplied, ignoring the deprecated value"
            )
    if request.has("path_suffix"):
        changes["path_suffix"] = _path_suffix(request.get("path_suffix"))
    if request.has("token_type"):
        changes["token_type"] = _token_type(request.get("token_type"))
    return changes, warnings


def shown(role: TokenRole) -> dict[str, Any]:
    """The role as a read answers it."""
    data: dict[str, Any] = {
        "name": role.name,
        "allowed_policies": list(role.allowed_policies),
        "allowed_policies_glob": list(role.allowed_policies_glob),
        "disallowed_policies": list(role.disallowed_policies),
        "disallowed_policies_glob": list(role.disallowed_policies_glob),
        "allowed_entity_aliases": list(role.allowed_entity_aliases) or None,
        "orphan": role.orphan,
        "renewable": role.renewable,
        "path_suffix": role.path_suffix,
        "token_type": role.token_type,
        "period": int(role.period),
        "token_period": int(role.token_period),
        "explicit_max_ttl": int(role.explicit_max_ttl),
        "token_explicit_max_ttl": int(role.token_explicit_max_ttl),
        "token_no_default_policy": role.token_no_default_policy,
    }
    if role.token_num_uses:
        data["token_num_uses"] = role.token_num_uses
    if role.token_bound_cidrs:
        data["token_bound_cidrs"] = list(role.token_bound_cidrs)
    if role.bound_cidrs:
        data["bound_cidrs"] = list(role.bound_cidrs)
    return data


def _renamed(request: Request, old: str) -> dict[str, Any]:
    """A value under its new name, or under its old one; the old one is shown again only while it is the one in use."""
    new = f"token_{old}"
    empty: Any = () if old == "bound_cidrs" else 0.0
    if request.has(new):
        return {new: _value(old, request.get(new)), old: empty}
    if request.has(old):
        value = _value(old, request.get(old))
        return {new: value, old: value}
    return {}


def _value(name: str, value: Any) -> Any:
    return parse_cidrs(value) if name == "bound_cidrs" else value


def _path_suffix(suffix: str) -> str:
    if suffix and not _SUFFIX.fullmatch(suffix):
        raise BadRequest(f"given role path suffix contains invalid characters; must match {_SUFFIX_SHOWN}")
    return suffix


def _token_type(name: str) -> str:
    if name in {"", "default"}:
        return "default-service"
    if name not in _TYPES:
        raise BadRequest(f"invalid 'token_type' value \"{name}\"")
    return name


def _require_sound(role: TokenRole) -> None:
    if role.token_num_uses < 0:
        raise BadRequest("error parsing role fields: 'token_num_uses' cannot be negative")
    if role.token_type != "batch":
        return
    start = "'token_type' cannot be 'batch' when role is set to generate"
    if not role.orphan:
        raise BadRequest(f"{start} non-orphan tokens")
    if role.token_period:
        raise BadRequest(f"{start} periodic tokens")
    if role.renewable:
        raise BadRequest(f"{start} renewable tokens")
    if role.token_explicit_max_ttl:
        raise BadRequest(f"{start} tokens with an explicit max TTL")
