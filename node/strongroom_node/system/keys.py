"""`sys/rotate`, `sys/key-status`, `sys/seal`: the barrier's keys."""

import base64
from typing import TYPE_CHECKING

from strongroom_node.core.ceremonies import endpoints
from strongroom_node.core.ceremonies.bodies import RootBody
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Bool, Duration, Int, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine


async def key_status(engine: "SystemEngine", _request: Request) -> Response:
    """The term of the key in use, since when, and how often it encrypted."""
    return Response(data=engine.core.keeper.key_status(), flat=True)


async def rotate(engine: "SystemEngine", _request: Request) -> None:
    """Add a new key term to the keyring; what was written before still opens."""
    await engine.core.keeper.rotate()


async def read_rotation(engine: "SystemEngine", _request: Request) -> Response:
    """When the key rotates by itself."""
    return Response(data=engine.core.keeper.rotation_config())


async def write_rotation(engine: "SystemEngine", request: Request) -> None:
    """Set when the key rotates by itself."""
    await engine.core.keeper.configure_rotation(
        enabled=request.get("enabled"), interval=request.get("interval"), max_operations=request.get("max_operations")
    )


async def backup(engine: "SystemEngine", _request: Request) -> Response:
    """The PGP-encrypted unseal keys that the last rekey kept."""
    return Response(data=engine.core.keeper.rekey.backup(), flat=True)


async def delete_backup(engine: "SystemEngine", _request: Request) -> None:
    """Drop the kept unseal keys."""
    await engine.core.keeper.rekey.delete_backup()


async def recovery_backup(engine: "SystemEngine", _request: Request) -> Response:
    """The PGP-encrypted recovery keys that the last rekey kept."""
    return Response(data=engine.core.keeper.rekey_recovery.backup(), flat=True)


async def delete_recovery_backup(engine: "SystemEngine", _request: Request) -> None:
    """Drop the kept recovery keys."""
    await engine.core.keeper.rekey_recovery.delete_backup()


async def generate_root_attempt(engine: "SystemEngine", _request: Request) -> Response:
    """How far the attempt to make a root token is."""
    return Response(data=engine.core.keeper.generate_root.status(), flat=True)


async def generate_root_start(engine: "SystemEngine", request: Request) -> Response:
    """Begin to make a root token."""
    body = RootBody(otp=request.get("otp", ""), pgp_key=request.get("pgp_key", ""))
    return Response(data=await engine.core.keeper.generate_root.start(body), flat=True)


async def generate_root_cancel(engine: "SystemEngine", _request: Request) -> None:
    """Give up making a root token."""
    await engine.core.keeper.generate_root.cancel()


async def generate_root_update(engine: "SystemEngine", request: Request) -> Response | None:
    """Hand in one key share."""
    body = {"key": request.get("key", ""), "nonce": request.get("nonce", "")}
    answer = await endpoints.answer(engine.core.keeper, "POST", "sys/generate-root/update", body)
    return Response(data=answer, flat=True)


async def decode_token(_engine: "SystemEngine", request: Request) -> Response:
    """A generated root token in clear, from its encoded form and the one-time password."""
    encoded: str = request.get("encoded_token", "")
    otp: str = request.get("otp", "")
    if not encoded or not otp:
        raise BadRequest("missing encoded_token or otp")
    try:
        masked = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        token = bytes(left ^ right for left, right in zip(masked, otp.encode(), strict=True)).decode("ascii")
    except ValueError as error:
        raise BadRequest("encoded_token and otp do not fit each other") from error
    return Response(data={"token": token}, flat=True)


async def seal(engine: "SystemEngine", _request: Request) -> None:
    """Forget the keys: nothing is served until the node is unsealed again."""
    await engine.core.seal()


async def step_down(engine: "SystemEngine", _request: Request) -> None:
    """Give up being active. A node alone stays active, as nobody else could be."""
    await engine.core.step_down()


_ROTATION = {
    "enabled": Bool("Rotate automatically."),
    "max_operations": Int("Encryptions under one key before it rotates."),
    "interval": Duration("Longest time one key is used; 0 for no limit."),
}

PATHS = (
    Path("key-status", read=key_status, help="Tell about the barrier's encryption key."),
    Path("rotate", update=rotate, sudo=True, help="Rotate the barrier's encryption key."),
    Path("rotate/config", fields=_ROTATION, read=read_rotation, update=write_rotation, help="Automatic rotation."),
    Path("rotate/keyring", update=rotate, sudo=True, help="Rotate the barrier's encryption key."),
    Path(
        "rotate/keyring/config", fields=_ROTATION, read=read_rotation, update=write_rotation, help="Automatic rotation."
    ),
    Path("rekey/backup", read=backup, delete=delete_backup, help="The kept unseal keys of the last rekey."),
    Path(
        "rekey/recovery-key-backup",
        read=recovery_backup,
        delete=delete_recovery_backup,
        help="The kept recovery keys of the last rekey.",
    ),
    Path(
        "generate-root-token/attempt",
        fields={"otp": Text("One-time password.", secret=True), "pgp_key": Text("PGP public key in base64.")},
        read=generate_root_attempt,
        update=generate_root_start,
        delete=generate_root_cancel,
        help="Begin, watch or cancel making a root token; for holders of a token.",
    ),
    Path(
        "generate-root-token/update",
        fields={"key": Text("One key share.", secret=True), "nonce": Text("Nonce of the attempt.")},
        update=generate_root_update,
        help="Hand in one key share for a root token.",
    ),
    Path(
        "decode-token",
        fields={
            "encoded_token": Text("The token as generate-root gave it.", secret=True),
            "otp": Text("One-time password.", secret=True),
        },
        update=decode_token,
        unauthenticated=True,
        help="Decode a generated root token.",
    ),
    Path("seal", update=seal, sudo=True, help="Seal the node."),
    Path("step-down", update=step_down, sudo=True, help="Make the active node step down."),
)
