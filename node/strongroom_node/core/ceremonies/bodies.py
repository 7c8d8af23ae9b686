"""What clients send to start and to advance ceremonies. Read as Go's JSON decoder would: null is "not given"."""

from typing import Any, TypeVar

import msgspec

from strongroom_node.sdk.errors import BadRequest

B = TypeVar("B", bound=msgspec.Struct)


class InitBody(msgspec.Struct):
    """`sys/init`."""

    secret_shares: int = 0
    secret_threshold: int = 0
    pgp_keys: list[str] = []
    recovery_shares: int = 0
    recovery_threshold: int = 0
    recovery_pgp_keys: list[str] = []
    root_token_pgp_key: str = ""


class UnsealBody(msgspec.Struct):
    """`sys/unseal`."""

    key: str = ""
    reset: bool = False
    migrate: bool = False

    def __repr__(self) -> str:
        """Without what was sent."""
        return "<UnsealBody>"


class RekeyBody(msgspec.Struct):
    """`sys/rekey/init`."""

    secret_shares: int = 0
    secret_threshold: int = 0
    pgp_keys: list[str] = []
    backup: bool = False
    require_verification: bool = False


class ShareBody(msgspec.Struct):
    """One share for a ceremony with a nonce."""

    key: str = ""
    nonce: str = ""

    def __repr__(self) -> str:
        """Without what was sent."""
        return "<ShareBody>"


class RootBody(msgspec.Struct):
    """`sys/generate-root/attempt`."""

    otp: str = ""
    pgp_key: str = ""

    def __repr__(self) -> str:
        """Without what was sent."""
        return "<RootBody>"


def read_body(kind: type[B], body: object) -> B:
    """`body` as a `kind`. Unknown fields are ignored, names match in any case. Raises BadRequest."""
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise BadRequest("failed to decode JSON input: the body must be an object")
    given: dict[str, Any] = {str(name).lower(): value for name, value in body.items() if value is not None}
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        # msgspec tells types and field names, never values
        raise BadRequest(f"failed to decode JSON input: {error}") from None
