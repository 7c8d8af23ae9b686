"""One userpass mount, and what it keeps of a user."""

import re
from typing import Final

import msgspec

from strongroom_node.sdk.engine import Engine
from strongroom_node.sdk.errors import UnsupportedPath
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.token_fields import TokenParams

USERS: Final = "user/"

_NAME: Final = re.compile(r"\w([\w.@-]*\w)?", re.ASCII)
NAME_CHARACTERS_MAX: Final = 256


class User(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user. The `given_*` fields hold deprecated parameters, which are shown only to those who still use them."""

    password_hash: bytes
    token: TokenParams = TokenParams()
    given_policies: bool = False
    given_ttl: bool = False
    given_max_ttl: bool = False
    given_bound_cidrs: bool = False

    def __repr__(self) -> str:
        """Without the hash."""
        return f"<User {self.token}>"


class UserpassEngine(Engine):
    """A userpass mount: users at `user/<name>`."""

    def user(self, name: str) -> User | None:
        """A user by the lower-cased name."""
        return self.view.get_checked(USERS + name, decode_user)


def user_name(request: Request) -> str:
    """The name in the URL, lower-cased. Raises UnsupportedPath for what cannot be a name.

    Only these characters, so that a name put into a policy's template can neither climb nor match others.
    """
    name: str = request.fields["username"]
    if len(name) > NAME_CHARACTERS_MAX or _NAME.fullmatch(name) is None:
        raise UnsupportedPath
    return name.lower()


encode_user = msgspec.msgpack.Encoder().encode
decode_user = msgspec.msgpack.Decoder(User).decode
