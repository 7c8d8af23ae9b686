"""The way of every request: the ordered steps, each named, none calling back."""

from typing import TYPE_CHECKING, Any

from strongroom_node.core.mounts import no_route
from strongroom_node.core.router import Route
from strongroom_node.policy.permission import Decision
from strongroom_node.sdk.cidr import address_in
from strongroom_node.sdk.errors import (
    BadRequest,
    NotFound,
    PermissionDenied,
    PolicyDenied,
    Sealed,
    UnsupportedOperation,
    UnsupportedPath,
)
from strongroom_node.sdk.fields import coerce_fields
from strongroom_node.sdk.help import path_help
from strongroom_node.sdk.login import CredentialsInvalid
from strongroom_node.sdk.path import Handler, Path
from strongroom_node.sdk.request import LISTS, Operation, Request
from strongroom_node.sdk.response import Auth, Response
from strongroom_node.tokens.record import LAST_USE

if TYPE_CHECKING:
    from strongroom_node.core.core import Core

_ANSWERING = frozenset({Operation.READ, Operation.LIST, Operation.SCAN})
_LISTING_QUERY = frozenset({"list", "scan", "after", "limit", "help"})


class Pipeline:
    """Runs requests: token, policy, quota, audit, route, engine, lease, wrap, audit."""

    def __init__(self, core: "Core") -> None:
        """The core owns every part that a step uses."""
        self._core = core

    async def handle(self, request: Request) -> Response | None:
        """Answer one request. None stands for success without a body.

        Raises RequestError, or StorageError from below, for every request that is refused.
        """
        core = self._core
        if core.barrier.is_sealed:
            raise Sealed
        if request.namespace:
            raise NotFound("namespace not found")
        if "//" in request.path or request.path.startswith("/"):
            # Some handlers trim slashes: a denial of `sys/mounts/x` must not be spelled around as `sys/mounts//x`.
            raise BadRequest("a path has no empty segments")
        if request.path in core.wrapping.PATHS:
            core.wrapping.precheck(request)
        route = self._route(request)
        try:
            self._authenticate(request)
            self._create_or_update(request, route)
            try:
                self._authorize(request, route)
            finally:
                await self._count_use(request)
            core.quotas.check(request)
            if core.audit.is_enabled:
                await core.audit.request(request)
            response = await self._engine(request, route)
            response = await self._finish(request, route, response)
        except Exception as error:
            if core.audit.is_enabled:
                await core.audit.response(request, None, error)
            raise
        finally:
            if request.auth is not None and request.auth.num_uses == LAST_USE:
                await core.tokens.used_up(request.auth)
        if core.audit.is_enabled:
            await core.audit.response(request, response, None)
        return response

    # --- route: find the declaration, so that later steps know what the path demands -----------------

    def _route(self, request: Request) -> Route | None:
        route = self._core.router.find(request.path)
        if route is None:
            return None
        mount = request.mount = route.mount
        request.relative = request.path[len(mount.path) :]
        found = route.match(request.relative, request.operation)
        if found is None:
            return route
        request.declaration, request.fields = found
        return route

    # --- token ---------------------------------------------------------------------------------------

    def _authenticate(self, request: Request) -> None:
        declaration = request.declaration
        tokens = self._core.tokens
        if declaration is not None and declaration.unauthenticated:
            entry = tokens.lookup(request.token) if request.token else None
            if entry is not None and address_in(request.remote_address, entry.bound_cidrs):
                request.auth = entry
                self._identity_of(request)
            return
        entry = tokens.lookup(request.token) if request.token else None
        if entry is None:
            raise PermissionDenied
        if entry.bound_cidrs and not address_in(request.remote_address, entry.bound_cidrs):
            raise PermissionDenied
        request.auth = entry
        self._identity_of(request)

    def _identity_of(self, request: Request) -> None:
        entry = request.auth
        if entry is None or not entry.entity_id:
            return
        if not self._core.identity.is_active(entry.entity_id):
            if request.declaration is not None and request.declaration.unauthenticated:
                request.auth = None
                return
            raise PermissionDenied
        request.identity_policies = self._core.identity.policies_for(entry.entity_id)

    async def _count_use(self, request: Request) -> None:
        """Refused requests use up a limited token too; paths that need none do not."""
        unauthenticated = request.declaration is not None and request.declaration.unauthenticated
        if request.auth is not None and request.auth.num_uses and not unauthenticated:
            request.auth = await self._core.tokens.use(request.auth)

    def _create_or_update(self, request: Request, route: Route | None) -> None:
        """Tell a first write from a later one, where the path can; policies may permit only one of them."""
        declaration = request.declaration
        if route is None or declaration is None or declaration.exists is None:
            return
        if request.operation is Operation.UPDATE and not declaration.exists(route.engine, request):
            request.operation = Operation.CREATE

    # --- policy --------------------------------------------------------------------------------------

    def _authorize(self, request: Request, route: Route | None) -> None:
        declaration = request.declaration
        if declaration is not None and declaration.unauthenticated:
            return
        entry = request.auth
        if entry is None:
            raise PermissionDenied
        decision: Decision = self._core.acl_of(entry, request.identity_policies).check(
            request.operation, request.path, request.data, request.wrap_ttl, request.wrap_ttl > 0
        )
        needs_sudo = declaration is not None and declaration.sudo
        if not decision.allowed or (needs_sudo and not decision.sudo):
            raise PolicyDenied
        if route is None:
            raise no_route(request.path)

    # --- engine --------------------------------------------------------------------------------------

    async def _engine(self, request: Request, route: Route | None) -> Response | None:
        if route is None or route.mount.tainted:
            raise no_route(request.path)
        if request.operation is Operation.HELP:
            return path_help(route.type, route.table, request)
        declaration = request.declaration
        if declaration is None:
            raise UnsupportedPath
        handler = declaration.handler(request.operation)
        if handler is None:
            raise UnsupportedOperation
        captured = request.fields
        if request.data:
            request.fields = {**coerce_fields(declaration.fields, request.data), **captured}
        response = await self._run(handler, route, request)
        if response is None:
            if request.operation in _ANSWERING:
                raise NotFound
            return None
        if request.operation in LISTS and response.data is not None and not response.data.get("keys"):
            raise NotFound
        if request.data and not declaration.arbitrary:
            self._warn_of_ignored(request, declaration, captured, response)
        return response

    async def _run(self, handler: Handler, route: Route, request: Request) -> Response | None:
        declaration = request.declaration
        if declaration is None or not declaration.unauthenticated or route.type.alias_of_login is None:
            return await handler(route.engine, request)
        alias = route.type.alias_of_login(request)
        if not alias:
            return await handler(route.engine, request)
        lockout = self._core.lockout
        lockout.check(route.mount, alias)
        try:
            response = await handler(route.engine, request)
        except CredentialsInvalid:
            lockout.failed(route.mount, alias)
            raise
        lockout.succeeded(route.mount, alias)
        return response

    def _warn_of_ignored(
        self, request: Request, declaration: Path, captured: dict[str, Any], response: Response
    ) -> None:
        known = declaration.fields
        extra = _LISTING_QUERY if request.operation in LISTS else frozenset()
        ignored = sorted(
            name for name in request.data if name not in known and name not in captured and name not in extra
        )
        if ignored:
            response.warn(f"Endpoint ignored these unrecognized parameters: [{' '.join(ignored)}]")
        replaced = sorted(name for name in request.data if name in captured)
        if replaced:
            response.warn(
                "Endpoint replaced the value of these parameters with the values captured from the endpoint's path: "
                f"[{' '.join(replaced)}]"
            )

    # --- lease and wrap ------------------------------------------------------------------------------

    async def _finish(self, request: Request, route: Route | None, response: Response | None) -> Response | None:
        if response is None or route is None:
            return response
        core = self._core
        if response.auth is not None and _wants_token(response.auth):
            await core.logins.finish(request, route, response)
        if response.secret is not None and not response.secret.lease_id:
            await self._lease(request, route, response)
        if (request.wrap_ttl or response.wrap_ttl) and response.wrap_info is None and response.raw is None:
            if request.auth is None and response.auth is None:
                raise PermissionDenied  # else anybody could fill the store with tokens, of any length of life
            info = await core.wrapping.wrap(request, response)
            return Response(wrap_info=info, warnings=response.warnings)
        return response

    async def _lease(self, request: Request, route: Route, response: Response) -> None:
        """Lease what the engine made; what cannot be leased is taken back, as nothing else would ever end it."""
        try:
            await self._register(request, route, response)
        except Exception:
            await self._core.take_back(request, route, response)
            raise

    async def _register(self, request: Request, route: Route, response: Response) -> None:
        core = self._core
        if request.auth is None:
            raise PermissionDenied
        if request.auth.num_uses == LAST_USE:
            raise BadRequest(
                "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked."
            )
        mount = core.mounts.require_live(route.mount, request.path)
        await core.leases.register(request, response, request.auth, core.limits(mount))


def _wants_token(auth: Auth) -> bool:
    """True for a login; not for what tells of a token that is there already, nor before a second factor."""
    return not auth.client_token and not auth.accessor and auth.mfa_requirement is None
