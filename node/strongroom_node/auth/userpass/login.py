"""Logging in, and renewing what a login gave."""

from strongroom_node.auth.userpass.engine import UserpassEngine, user_name
from strongroom_node.auth.userpass.passwords import is_right
from strongroom_node.sdk.errors import BadRequest, PermissionDenied
from strongroom_node.sdk.fields import Text
from strongroom_node.sdk.login import CredentialsInvalid
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Auth, Response


async def login(engine: UserpassEngine, request: Request) -> Response | None:
    """Check the password.

    An unknown user and a wrong password give the same answer after the same time. The address is looked at last, so
    that only who knows the password learns of the rule.
    """
    name = user_name(request)
    password = str(request.get("password", ""))
    if not password:
        raise BadRequest("missing password")
    user = engine.user(name)
    if not await engine.system.run_blocking(is_right, password, None if user is None else user.password_hash):
        raise CredentialsInvalid("invalid username or password")
    now = engine.user(name)  # hashing took long: the user may be gone or have another password by now
    if user is None or now is None or now.password_hash != user.password_hash:
        raise CredentialsInvalid("invalid username or password")
    user = now
    if not user.token.allows_address(request.remote_address):
        raise PermissionDenied
    auth = Auth(display_name=name, alias_name=name, metadata={"username": name})
    user.token.fill(auth)
    return Response(auth=auth)


async def renew(engine: UserpassEngine, request: Request) -> Response | None:
    """Answer the renewal of a token with the user's present durations. Raises BadRequest if it may not be renewed."""
    token = request.auth
    user = None if token is None else engine.user(token.meta.get("username", ""))
    if token is None or user is None:
        raise BadRequest("failed to renew entry: the user does not exist any more")
    if set(token.policies) - {"default"} != set(user.token.policies) - {"default"}:
        raise BadRequest("failed to renew entry: policies have changed, not renewing")
    auth = Auth(policies=list(token.policies), metadata=dict(token.meta))
    auth.ttl, auth.max_ttl, auth.period = user.token.ttl, user.token.max_ttl, user.token.period
    return Response(auth=auth)


def alias_of_login(request: Request) -> str:
    """The alias that the login is about: what counts for lockout."""
    return str(request.fields.get("username", "")).lower()


PATHS = (
    Path(
        "login/{username}",
        fields={"username": Text("Name of the user."), "password": Text("Password of the user.", secret=True)},
        update=login,
        unauthenticated=True,
        help="Log in with a user name and a password.",
    ),
)
