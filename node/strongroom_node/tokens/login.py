"""Tokens for logins: what an auth method wishes, cut to what is allowed."""

from typing import TYPE_CHECKING, Final

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.response import Auth
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.tokens.policies import NOT_ASSIGNABLE, ROOT, sanitized
from strongroom_node.tokens.ttl import Limits, Wish, grant

if TYPE_CHECKING:
    from strongroom_node.tokens.store import TokenStore

_FORCED: Final = ("service", "batch")


async def issue(store: "TokenStore", auth: Auth, path: str, mount_token_type: str, limits: Limits) -> list[str]:
    """Make the token that an auth method's answer asks for, and write it into the answer; warnings for the caller.

    `auth.entity_id` and `auth.identity_policies` are set before. `path` is the request's. Raises BadRequest for
    policies that a login may not give.
    """
    kind = token_type(auth.token_type, mount_token_type)
    policies = sanitized(auth.policies, add_default=not auth.no_default_policy)
    everything = sanitized([*policies, *auth.identity_policies], add_default=False)
    if ROOT in everything:
        raise BadRequest("auth methods cannot create root tokens")
    for name in everything:
        if name in NOT_ASSIGNABLE:
            raise BadRequest(f'cannot assign policy "{name}"')
    now = store.now()
    wish = Wish(ttl=auth.ttl, period=auth.period, max_ttl=auth.max_ttl, explicit_max_ttl=auth.explicit_max_ttl)
    granted = grant(wish, limits, now, now)
    is_batch = kind == "batch"
    draft = TokenEntry(
        key="",
        policies=policies,
        path=path,
        meta=auth.metadata,
        display_name=auth.display_name,
        num_uses=0 if is_batch else auth.num_uses,
        creation_time=now,
        creation_ttl=granted.ttl,
        explicit_max_ttl=0.0 if is_batch else auth.explicit_max_ttl,
        max_ttl=0.0 if is_batch else auth.max_ttl,
        period=0.0 if is_batch else auth.period,
        renewable=auth.renewable and not is_batch,
        type=kind,
        entity_id=auth.entity_id,
        bound_cidrs=tuple(auth.bound_cidrs),
        no_default_policy=auth.no_default_policy,
        internal={} if is_batch else auth.internal,
    )
    token, entry = await store.create(draft)
    auth.client_token = token
    auth.accessor = entry.accessor
    auth.token_policies = list(policies)
    auth.policies = list(everything)
    auth.lease_duration = int(granted.ttl)
    auth.renewable = entry.renewable
    auth.token_type = kind
    auth.num_uses = entry.num_uses
    auth.orphan = True
    return granted.warnings


def token_type(wished: str, of_mount: str) -> str:
    """Say "service" or "batch": the mount's plain type goes first, then the wish, then the mount's default."""
    if of_mount in _FORCED:
        return of_mount
    if wished in _FORCED:
        return wished
    default = wished if wished in {"default-service", "default-batch"} else of_mount
    return "batch" if default == "default-batch" else "service"
