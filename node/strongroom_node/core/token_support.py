"""What `auth/token/` needs of the core."""

from typing import TYPE_CHECKING

from strongroom_node.sdk.engine import EngineType
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.sdk.response import Auth
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.tokens import engine as token_engine
from strongroom_node.tokens.ttl import Limits

if TYPE_CHECKING:
    from strongroom_node.core.core import Core


class Support:
    """Implements `tokens.engine.TokenSupport` over the core."""

    def __init__(self, core: "Core") -> None:
        """The core owns policies, identity and mounts."""
        self._core = core

    def is_sudo(self, request: Request) -> bool:
        """True if the asking token has sudo, or is root, on the request's path."""
        if request.auth is None:
            return False
        acl = self._core.acl_of(request.auth, request.identity_policies)
        return acl.check(Operation.UPDATE, request.path).sudo

    def policy_exists(self, name: str) -> bool:
        """True if there is a policy of that name."""
        return self._core.policies.exists(name)

    def identity_policies(self, entity_id: str) -> tuple[str, ...]:
        """Policies of an entity and its groups."""
        return self._core.identity.policies_for(entity_id) if entity_id else ()

    async def entity_for_alias(self, alias: str) -> str:
        """The entity of an alias on the token mount, made if it is absent."""
        mount = self._core.mounts.all()["auth/token/"]
        return await self._core.identity.ensure_login(mount, alias, {})

    def limits(self, path: str) -> Limits:
        """Lease durations of the mount that serves a path."""
        return self._core.mount_limits(path)

    async def renew_login(self, entry: TokenEntry, request: Request) -> Auth | None:
        """Let the auth method that gave a token agree to its renewal, or refuse by raising."""
        route = self._core.router.find(entry.path)
        if route is None or route.type.renew_login is None:
            return None
        asked = Request(
            operation=Operation.RENEW,
            path=entry.path,
            mount=route.mount,
            auth=entry,
            secret_data=dict(entry.internal),
            remote_address=request.remote_address,
        )
        answer = await route.type.renew_login(route.engine, asked)
        return None if answer is None else answer.auth

    def start_tidy(self, what: str) -> bool:
        """Begin a clean-up of tokens or leases. False if one runs already."""
        return self._core.expiration.start_tidy(what)


def token_type(core: "Core") -> EngineType:
    """The declaration of `auth/token/` for one core."""
    support = Support(core)
    declared = token_engine.ENGINE
    return EngineType(
        name="token",
        summary=declared.summary,
        make=lambda context: token_engine.TokenEngine(context, core.tokens, support),
        paths=declared.paths,
        is_auth=True,
        help=declared.help,
    )
