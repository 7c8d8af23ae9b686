"""Making, reading and changing users."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from strongroom_node.auth.userpass.engine import USERS, User, UserpassEngine, decode_user, encode_user, user_name
from strongroom_node.auth.userpass.passwords import PasswordRefused, check_hash, check_password, hash_password
from strongroom_node.sdk.cidr import parse_cidrs
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Duration, Field, Int, StringList, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing
from strongroom_node.sdk.token_fields import (
    TOKEN_FIELDS,
    TokenParams,
    check_token_params,
    parse_token_params,
    sanitize_policies,
)

_DEPRECATED: Final = ("policies", "ttl", "max_ttl", "bound_cidrs")
_PASSWORD_MISSING: Final = "must provide either password or password_hash"


async def read(engine: UserpassEngine, request: Request) -> Response | None:
    """A user's token parameters; never the hash."""
    user = engine.user(user_name(request))
    if user is None:
        return None
    data = user.token.describe()
    for name in _DEPRECATED:
        if getattr(user, f"given_{name}"):
            data[name] = data[f"token_{name}"]
    return Response(data=data)


async def write(engine: UserpassEngine, request: Request) -> Response | None:
    """Make a user, or change the parameters that are given."""
    name, new_hash = user_name(request), await _new_hash(engine, request)

    def change(user: User | None) -> User:
        if user is None:
            if new_hash is None:
                raise BadRequest(_PASSWORD_MISSING)
            user = User(password_hash=new_hash)
        elif new_hash is not None:
            user = msgspec.structs.replace(user, password_hash=new_hash)
        return _with_params(user, request)

    await _store(engine, name, change)
    return None


async def write_password(engine: UserpassEngine, request: Request) -> Response | None:
    """Set another password."""
    name, new_hash = user_name(request), await _new_hash(engine, request)
    if new_hash is None:
        raise BadRequest(_PASSWORD_MISSING)
    await _store(engine, name, lambda user: msgspec.structs.replace(_present(user), password_hash=new_hash))
    return None


async def write_policies(engine: UserpassEngine, request: Request) -> Response | None:
    """Set other policies."""
    await _store(engine, user_name(request), lambda user: _with_params(_present(user), request))
    return None


async def delete(engine: UserpassEngine, request: Request) -> Response | None:
    """Remove a user. Tokens that were given live on, but are not renewed."""
    with engine.view.transaction() as tx:
        tx.delete(USERS + user_name(request))
    await tx.commit()
    return None


async def list_users(engine: UserpassEngine, request: Request) -> Response | None:
    """Names of the users."""
    limit = int(request.get("limit", -1))
    after = str(request.get("after", ""))
    return listing(engine.view.list_page(USERS, after, limit if limit > 0 else -1))


async def _new_hash(engine: UserpassEngine, request: Request) -> bytes | None:
    """The hash of the password that the request sets, if it sets one. Raises BadRequest."""
    password, ready = str(request.get("password", "")), str(request.get("password_hash", ""))
    if password and ready:
        raise BadRequest("only one of password and password_hash may be given")
    try:
        if ready:
            return check_hash(ready)
        if password:
            check_password(password)
            return await engine.system.run_blocking(hash_password, password)
    except PasswordRefused as error:
        raise BadRequest(str(error)) from error
    return None


async def _store(engine: UserpassEngine, name: str, change: Callable[[User | None], User]) -> None:
    with engine.view.transaction() as tx:
        tx.put(USERS + name, encode_user(change(tx.get_checked(USERS + name, decode_user))))
    await tx.commit()


def _present(user: User | None) -> User:
    if user is None:
        raise BadRequest("username does not exist")
    return user


def _with_params(user: User, request: Request) -> User:
    """The user with the token parameters of the request. A deprecated one counts unless its successor is given."""
    params = parse_token_params(request, user.token)
    changes: dict[str, Any] = {}
    for name in _DEPRECATED:
        if request.has(f"token_{name}"):
            changes[f"given_{name}"] = False
        elif request.has(name):
            changes[f"given_{name}"] = True
            params = _with_deprecated(params, name, request.fields[name])
    return msgspec.structs.replace(user, token=check_token_params(params), **changes)


def _with_deprecated(params: TokenParams, name: str, value: Any) -> TokenParams:
    if name == "policies":
        value = sanitize_policies(value)
    elif name == "bound_cidrs":
        value = parse_cidrs(value)
    return msgspec.structs.replace(params, **{name: value})


_USER_FIELD: Final[dict[str, Field]] = {"username": Text("Name of the user.")}
_PASSWORD_FIELDS: Final[dict[str, Field]] = {
    "password": Text("Password of the user, at most 72 bytes.", secret=True),
    "password_hash": Text("A bcrypt hash in place of the password.", secret=True),
}
_POLICIES_FIELD: Final[dict[str, Field]] = {"policies": StringList("Use token_policies.", deprecated=True)}


def _exists(engine: UserpassEngine, request: Request) -> bool:
    return engine.user(user_name(request)) is not None


PATHS = (
    Path(
        "users",
        fields={
            "after": Text("List only names greater than this one.", query=True),
            "limit": Int("List at most this many names; all if not positive.", default=-1, query=True),
        },
        list=list_users,
        help="List users.",
    ),
    Path(
        "users/{username}",
        fields={
            **_USER_FIELD,
            **_PASSWORD_FIELDS,
            **TOKEN_FIELDS,
            **_POLICIES_FIELD,
            "ttl": Duration("Use token_ttl.", deprecated=True),
            "max_ttl": Duration("Use token_max_ttl.", deprecated=True),
            "bound_cidrs": StringList("Use token_bound_cidrs.", deprecated=True),
        },
        read=read,
        update=write,
        delete=delete,
        exists=_exists,
        help="Manage users that may log in.",
    ),
    Path(
        "users/{username}/password",
        fields={**_USER_FIELD, **_PASSWORD_FIELDS},
        update=write_password,
        help="Set a user's password.",
    ),
    Path(
        "users/{username}/policies",
        fields={**_USER_FIELD, **_POLICIES_FIELD, "token_policies": TOKEN_FIELDS["token_policies"]},
        update=write_policies,
        help="Set a user's policies.",
    ),
)
