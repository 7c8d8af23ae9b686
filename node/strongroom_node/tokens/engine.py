"""The auth method `token/`: tokens that tokens make, look up, renew and revoke."""

from typing import Final, Protocol

from strongroom_node.sdk.engine import Engine, EngineType, MountContext
from strongroom_node.sdk.errors import BadRequest, PermissionDenied
from strongroom_node.sdk.fields import Bool, Duration, Field, Int, KeyValue, StringList, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Auth, Response, listing
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.tokens import answers, creation
from strongroom_node.tokens.role_paths import ROLE_PATHS
from strongroom_node.tokens.roles import TokenRole, decode_role
from strongroom_node.tokens.store import TokenStore, require_renewable
from strongroom_node.tokens.ttl import Grant, Limits, Wish, grant, lesser

TIDY_STARTED: Final = (
    "Tidy operation successfully started. Any information from the operation will be printed to Vault's server logs."
)
TIDY_RUNNING: Final = "Tidy operation already in progress."


class TokenSupport(Protocol):
    """What the token engine asks of the core."""

    def is_sudo(self, request: Request) -> bool:
        """True if the request's token has the sudo capability on the request's path."""

    def policy_exists(self, name: str) -> bool:
        """True if there is such a policy."""

    def identity_policies(self, entity_id: str) -> tuple[str, ...]:
        """The policies an entity has by itself and by its groups."""

    async def entity_for_alias(self, alias: str) -> str:
        """The id of the entity that has this alias on the token mount; made if there is none."""

    def limits(self, path: str) -> Limits:
        """The lease durations of the mount that serves a path."""

    async def renew_login(self, entry: TokenEntry, request: Request) -> Auth | None:
        """Ask the auth method that made a token what it wishes now; None if it has no say. Raises to refuse."""

    def start_tidy(self, what: str) -> bool:
        """Start tidying "tokens" or "leases" in the background; False if it runs already."""


class TokenEngine(Engine):
    """Serves `auth/token/`. `store` has the tokens, `support` what the core knows."""

    def __init__(self, context: MountContext, store: TokenStore, support: TokenSupport) -> None:
        super().__init__(context)
        self.store = store
        self.support = support

    def role(self, name: str) -> TokenRole | None:
        """The role of this name."""
        return self.store.view.get_checked(f"role/{name}", decode_role)


# --- making


async def create(engine: TokenEngine, request: Request) -> Response:
    """A child of the token that asks."""
    return await _create(engine, request, None)


async def create_orphan(engine: TokenEngine, request: Request) -> Response:
    """A token without a parent."""
    return await _create(engine, request, None, is_orphan_path=True)


async def create_by_role(engine: TokenEngine, request: Request) -> Response:
    """A token within the limits of a role."""
    name = request.get("role_name")
    role = engine.role(name)
    if role is None:
        raise BadRequest(f"unknown role {name}")
    return await _create(engine, request, role)


async def _create(
    engine: TokenEngine, request: Request, role: TokenRole | None, *, is_orphan_path: bool = False
) -> Response:
    support = engine.support
    parent = creation.require_parent(request.auth)
    wish = creation.asked(request)
    alias = creation.require_alias(wish, role)
    around = creation.Circumstances(
        path=request.path,
        is_orphan_path=is_orphan_path,
        is_sudo=support.is_sudo(request),
        limits=support.limits(request.path),
        now=engine.store.now(),
        entity_id=await support.entity_for_alias(alias) if alias else "",
    )
    draft = creation.draft(wish, parent, role, around)
    token, entry = await engine.store.create(draft.entry, token=wish.id)
    auth = answers.auth(entry, token, support.identity_policies(entry.entity_id) if entry.entity_id else ())
    missing = [f'Policy "{name}" does not exist' for name in entry.policies if not support.policy_exists(name)]
    return Response(auth=auth, warnings=[*draft.warnings, *missing])


# --- looking up


async def lookup(engine: TokenEngine, request: Request) -> Response:
    """A token's properties; the caller's own without a token."""
    token = request.get("token", "") or request.token
    entry = request.auth if token == request.token and request.auth is not None else engine.store.lookup(token)
    if entry is None:
        raise PermissionDenied("bad token")
    return _described(engine, entry, token)


async def lookup_self(engine: TokenEngine, request: Request) -> Response:
    """The caller's properties."""
    if request.auth is None:
        raise PermissionDenied
    return _described(engine, request.auth, request.token)


async def lookup_accessor(engine: TokenEngine, request: Request) -> Response:
    """A token's properties, but for the token itself."""
    return _described(engine, _by_accessor(engine, request), "")


def _described(engine: TokenEngine, entry: TokenEntry, token: str) -> Response:
    identity = engine.support.identity_policies(entry.entity_id) if entry.entity_id else ()
    return Response(data=answers.description(entry, token, identity, engine.store.now()))


def _by_accessor(engine: TokenEngine, request: Request) -> TokenEntry:
    entry = engine.store.lookup_accessor(_accessor(request))
    if entry is None:
        raise BadRequest("1 error occurred:\n\t* invalid accessor\n\n")
    return entry


def _accessor(request: Request) -> str:
    accessor: str = request.get("accessor", "")
    if not accessor:
        raise BadRequest("1 error occurred:\n\t* missing accessor\n\n")
    return accessor


async def list_accessors(engine: TokenEngine, request: Request) -> Response | None:
    """Every accessor, or a page of them. A page goes on after the accessor that ended the last one."""
    limit = request.get("limit", -1)
    after = engine.store.accessor_name(request.get("after", ""))
    found: list[str] = []
    while limit < 0 or len(found) < limit:
        page, after = engine.store.accessors(after, 1000 if limit < 0 else limit - len(found))
        found += page
        if not after:
            break
    return listing(found)


# --- renewing


async def renew(engine: TokenEngine, request: Request) -> Response:
    """Give a token a new end."""
    token = request.get("token", "")
    if not token:
        raise BadRequest("missing token ID")
    entry = engine.store.lookup(token)
    if entry is None:
        raise BadRequest("token not found")
    return await _renew(engine, request, entry, token)


async def renew_self(engine: TokenEngine, request: Request) -> Response:
    """Give the caller's token a new end."""
    if request.auth is None:
        raise PermissionDenied
    return await _renew(engine, request, request.auth, request.token)


async def renew_accessor(engine: TokenEngine, request: Request) -> Response:
    """Give the token with an accessor a new end."""
    return await _renew(engine, request, _by_accessor(engine, request), "")


async def _renew(engine: TokenEngine, request: Request, entry: TokenEntry, token: str) -> Response:
    require_renewable(entry)
    increment = max(0.0, request.get("increment", 0.0))
    wished = await _wished(engine, request, entry)
    limits = engine.support.limits(entry.path)

    def decide(stored: TokenEntry) -> Grant:
        wish = Wish(
            increment=increment,
            ttl=stored.ttl if wished is None else wished.ttl,
            period=wished.period if wished is not None else stored.period,
            max_ttl=lesser(stored.max_ttl, 0.0 if wished is None else wished.max_ttl),
            explicit_max_ttl=lesser(stored.explicit_max_ttl, 0.0 if wished is None else wished.explicit_max_ttl),
        )
        return grant(wish, limits, stored.creation_time, engine.store.now())

    renewed, granted = await engine.store.renew(entry, decide)
    identity = engine.support.identity_policies(entry.entity_id) if entry.entity_id else ()
    auth = answers.auth(renewed, token, identity)
    auth.lease_duration = int(granted.ttl)
    return Response(auth=auth, warnings=granted.warnings)


async def _wished(engine: TokenEngine, request: Request, entry: TokenEntry) -> Auth | None:
    """What the issuer of a token wishes today: its role, or the auth method that made it. None if nobody does."""
    if entry.role and entry.path.startswith("auth/token/"):
        role = engine.role(entry.role)
        if role is None:
            raise BadRequest(
                f'failed to renew entry: original token role "{entry.role}" could not be found, not renewing'
            )
        return Auth(
            ttl=entry.ttl, period=role.token_period or entry.period, explicit_max_ttl=role.token_explicit_max_ttl
        )
    if entry.path.startswith("auth/token/"):
        return None
    return await engine.support.renew_login(entry, request)


# --- revoking


async def revoke(engine: TokenEngine, request: Request) -> None:
    """Revoke a token with its children. An unknown one is as good as revoked."""
    token = request.get("token", "")
    if not token:
        raise BadRequest("missing token ID")
    entry = engine.store.lookup(token)
    if entry is not None:
        await _revoke(engine, entry)


async def revoke_self(engine: TokenEngine, request: Request) -> None:
    """Revoke the caller's token with its children."""
    if request.auth is None:
        raise PermissionDenied
    await _revoke(engine, request.auth)


async def revoke_accessor(engine: TokenEngine, request: Request) -> Response | None:
    """Revoke the token with an accessor, and its children."""
    entry = engine.store.lookup_accessor(_accessor(request))
    if entry is None:
        return Response(warnings=["No token found with this accessor"])
    await _revoke(engine, entry)
    return None


async def revoke_orphan(engine: TokenEngine, request: Request) -> None:
    """Revoke a token and leave its children as orphans."""
    token = request.get("token", "")
    if not token:
        raise BadRequest("missing token ID")
    entry = engine.store.lookup(token)
    if entry is None:
        raise BadRequest("token to revoke not found")
    if not engine.support.is_sudo(request):
        raise BadRequest("root or sudo privileges required to revoke and orphan")
    _require_revocable(entry)
    await engine.store.revoke_orphan(entry.key)


async def _revoke(engine: TokenEngine, entry: TokenEntry) -> None:
    _require_revocable(entry)
    await engine.store.revoke(entry.key)


def _require_revocable(entry: TokenEntry) -> None:
    if entry.type == "batch":
        raise BadRequest("batch tokens cannot be revoked")


async def tidy(engine: TokenEngine, request: Request) -> Response:  # noqa: ARG001  -- the shape of a handler
    """Start tidying up after errors of the past."""
    started = engine.support.start_tidy("tokens")
    return Response(warnings=[TIDY_STARTED if started else TIDY_RUNNING], status=202)


# --- declarations

_CREATE: Final[dict[str, Field]] = {
    "id": Text("The token's own text; needs root or sudo."),
    "policies": StringList("Policies of the token; the caller's if none are given."),
    "meta": KeyValue("Metadata that goes to the audit log."),
    "display_name": Text("A name for the token."),
    "type": Text("service or batch"),
    "ttl": Text("How long the token lasts at first."),
    "lease": Text("Use ttl.", deprecated=True),
    "explicit_max_ttl": Text("The hard end, counted from now."),
    "period": Text("Makes a periodic token; needs root or sudo."),
    "num_uses": Int("How often the token may be used; 0 means without limit."),
    "renewable": Bool("Whether the token may be renewed.", default=True),
    "no_parent": Bool("Make an orphan; needs root or sudo."),
    "no_default_policy": Bool("Go without the default policy."),
    "entity_alias": Text("The entity alias the token acts for; needs a role that allows it."),
}
_TOKEN: Final[dict[str, Field]] = {"token": Text("The token.", secret=True)}
_ACCESSOR: Final[dict[str, Field]] = {"accessor": Text("The token's accessor.")}
_INCREMENT: Final[dict[str, Field]] = {"increment": Duration("How many seconds from now the token should last.")}

PATHS: Final = (
    Path("create", fields=_CREATE, update=create, help="Make a token."),
    Path("create-orphan", fields=_CREATE, update=create_orphan, help="Make a token without a parent."),
    Path(
        "create/{role_name}",
        fields={"role_name": Text("Name of the role"), **_CREATE},
        update=create_by_role,
        help="Make a token within the limits of a role.",
    ),
    Path("lookup", fields=_TOKEN, read=lookup, update=lookup, help="Show a token's properties."),
    Path("lookup-self", fields=_TOKEN, read=lookup_self, update=lookup_self, help="Show the caller's properties."),
    Path("lookup-accessor", fields=_ACCESSOR, update=lookup_accessor, help="Show a token's properties by accessor."),
    Path(
        "accessors",
        fields={
            "after": Text("Go on after this accessor.", query=True),
            "limit": Int("At most so many.", query=True, default=-1),
        },
        list=list_accessors,
        sudo=True,
        help="List the accessors of all tokens.",
    ),
    Path("renew", fields={**_TOKEN, **_INCREMENT}, update=renew, help="Renew a token."),
    Path("renew-self", fields={**_TOKEN, **_INCREMENT}, update=renew_self, help="Renew the caller's token."),
    Path("renew-accessor", fields={**_ACCESSOR, **_INCREMENT}, update=renew_accessor, help="Renew by accessor."),
    Path("revoke", fields=_TOKEN, update=revoke, help="Revoke a token and its children."),
    Path("revoke-self", update=revoke_self, help="Revoke the caller's token and its children."),
    Path("revoke-accessor", fields=_ACCESSOR, update=revoke_accessor, help="Revoke by accessor."),
    Path("revoke-orphan", fields=_TOKEN, update=revoke_orphan, help="Revoke a token, sparing its children."),
    Path("tidy", update=tidy, help="Clean up after errors of the past."),
    *ROLE_PATHS,
)


def _unwired(context: MountContext) -> Engine:
    raise TypeError(f"the token engine at {context.mount.path} needs its store: the core makes it")


ENGINE = EngineType(
    name="token",
    summary="Tokens that tokens make.",
    make=_unwired,
    paths=PATHS,
    is_auth=True,
    built_in_mount_only=True,
    help="The token credential backend is always enabled and built in.",
)
"""The declaration; the core puts `TokenEngine` with its store and support in the place of `make`."""
