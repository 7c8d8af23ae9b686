"""Turns an auth method's answer into an entity, a token and its lease."""

from typing import TYPE_CHECKING

from strongroom_node.core.router import Route
from strongroom_node.sdk.cidr import parse_cidrs
from strongroom_node.sdk.errors import PermissionDenied
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response

if TYPE_CHECKING:
    from strongroom_node.core.core import Core


class Logins:
    """Finishes logins: alias to entity, entity's policies, mount's limits, token."""

    def __init__(self, core: "Core") -> None:
        """The core owns identity and tokens."""
        self._core = core

    async def finish(self, request: Request, route: Route, response: Response) -> None:
        """Give `response.auth` its token. Raises PermissionDenied if its entity is disabled."""
        core, auth = self._core, response.auth
        if auth is None:
            return
        entity_id = ""
        if auth.alias_name:
            entity_id = await core.identity.ensure_login(
                route.mount, auth.alias_name, auth.alias_metadata, group_aliases=auth.group_aliases
            )
            if not core.identity.is_active(entity_id):
                raise PermissionDenied
        display = f"{route.mount.path.removeprefix('auth/')}{auth.display_name}"
        auth.display_name = display.rstrip("/").replace("/", "-")
        auth.entity_id = entity_id
        if auth.strictly_bind_ip:
            auth.bound_cidrs = list(parse_cidrs([request.remote_address]))
        auth.identity_policies = list(core.identity.policies_for(entity_id)) if entity_id else []
        core.mounts.require_live(route.mount, request.path)
        kind = route.mount.config.token_type
        warnings = await core.tokens.login(
            auth, path=request.path, mount_token_type=kind, limits=core.limits(route.mount)
        )
        response.warnings.extend(warnings)
