"""The `token_*` parameters that every auth method shares: declared, parsed, shown and put to use here.

Durations are seconds, 0 meaning unset.
"""

from typing import Any, Final

import msgspec

from strongroom_node.sdk.cidr import address_in, parse_cidrs
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Bool, Duration, Field, Int, StringList, Text
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Auth

_TYPES: Final = {"": "default", "default": "default", "service": "service", "batch": "batch"}
_DEFAULT_TYPES: Final = frozenset({"default-service", "default-batch"})

TOKEN_FIELDS: Final[dict[str, Field]] = {
    "token_bound_cidrs": StringList("Addresses or CIDR blocks from which login and the token's use are allowed."),
    "token_explicit_max_ttl": Duration("Longest life of the token, renewals included; no later change extends it."),
    "token_max_ttl": Duration("Longest life of the token, renewals included."),
    "token_no_default_policy": Bool("Leave the default policy off the token."),
    "token_num_uses": Int("How many requests the token is good for; 0 for any number."),
    "token_period": Duration("Renewing sets the token's life to this period, for ever."),
    "token_policies": StringList("Names of the token's policies."),
    "token_strictly_bind_ip": Bool("Bind the token to the address that logged in."),
    "token_ttl": Duration("First life of the token."),
    "token_type": Text("service, batch or default."),
}


class TokenParams(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an operator wishes for the tokens of one user or role."""

    bound_cidrs: tuple[str, ...] = ()
    explicit_max_ttl: float = 0.0
    max_ttl: float = 0.0
    no_default_policy: bool = False
    num_uses: int = 0
    period: float = 0.0
    policies: tuple[str, ...] = ()
    strictly_bind_ip: bool = False
    ttl: float = 0.0
    type: str = "default"

    def describe(self) -> dict[str, Any]:
        """As a read of the user or role shows them."""
        return {
            "token_bound_cidrs": list(self.bound_cidrs),
            "token_explicit_max_ttl": int(self.explicit_max_ttl),
            "token_max_ttl": int(self.max_ttl),
            "token_no_default_policy": self.no_default_policy,
            "token_num_uses": self.num_uses,
            "token_period": int(self.period),
            "token_policies": list(self.policies),
            "token_strictly_bind_ip": self.strictly_bind_ip,
            "token_ttl": int(self.ttl),
            "token_type": self.type,
        }

    def fill(self, auth: Auth) -> None:
        """Put the wishes into the answer of a login. Policies are added to what is there."""
        auth.bound_cidrs = list(self.bound_cidrs)
        auth.explicit_max_ttl = self.explicit_max_ttl
        auth.max_ttl = self.max_ttl
        auth.no_default_policy = self.no_default_policy
        auth.num_uses = self.num_uses
        auth.period = self.period
        auth.policies = [*auth.policies, *(name for name in self.policies if name not in auth.policies)]
        auth.strictly_bind_ip = self.strictly_bind_ip
        auth.ttl = self.ttl
        auth.token_type = self.type

    def allows_address(self, address: str) -> bool:
        """True if a caller at this address may log in."""
        return address_in(address, self.bound_cidrs)


def parse_token_params(request: Request, before: TokenParams | None = None) -> TokenParams:
    """The parameters after this request: what it gives over what was there. Raises BadRequest."""
    changes: dict[str, Any] = {}
    for name in TOKEN_FIELDS:
        if request.has(name):
            changes[name.removeprefix("token_")] = request.fields[name]
    if "bound_cidrs" in changes:
        changes["bound_cidrs"] = parse_cidrs(changes["bound_cidrs"])
    if "policies" in changes:
        changes["policies"] = sanitize_policies(changes["policies"])
    if "type" in changes:
        changes["type"] = _type_of(changes["type"])
    return check_token_params(msgspec.structs.replace(before or TokenParams(), **changes))


def check_token_params(params: TokenParams) -> TokenParams:
    """The same parameters, if they fit together. Raises BadRequest."""
    if params.num_uses < 0:
        raise BadRequest("'token_num_uses' cannot be negative")
    for name in ("ttl", "max_ttl", "period", "explicit_max_ttl"):
        if getattr(params, name) < 0:
            raise BadRequest(f"'token_{name}' cannot be negative")
    if 0 < params.max_ttl < params.ttl:
        raise BadRequest("'token_ttl' cannot be greater than 'token_max_ttl'")
    if params.type in {"batch", "default-batch"}:
        if params.period:
            raise BadRequest("'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic tokens")
        if params.num_uses:
            raise BadRequest(
                "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count"
            )
    return params


def _type_of(name: str) -> str:
    if name in _DEFAULT_TYPES:
        return name
    if name not in _TYPES:
        raise BadRequest(f"invalid 'token_type' value {name[:64]!r}")
    return _TYPES[name]


def sanitize_policies(names: list[str]) -> tuple[str, ...]:
    """Lower-case names without repetition, sorted."""
    return tuple(sorted({name.strip().lower() for name in names} - {""}))
