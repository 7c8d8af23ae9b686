"""The userpass auth method: names and passwords kept by the cluster itself."""

from strongroom_node.auth.userpass import login, users
from strongroom_node.auth.userpass.engine import UserpassEngine
from strongroom_node.sdk.engine import EngineType

ENGINE = EngineType(
    name="userpass",
    summary="Logs in with a user name and a password.",
    make=UserpassEngine,
    paths=(*users.PATHS, *login.PATHS),
    is_auth=True,
    login_path="login/{username}",
    alias_of_login=login.alias_of_login,
    renew_login=login.renew,
    help="Users and their passwords are kept by this method itself. Names are not case-sensitive.",
)
