"""Unauthenticated `sys/` endpoints of ceremonies: method, path and body to an answer. HTTP adds nothing but bytes."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from strongroom_node.core.ceremonies.bodies import InitBody, RekeyBody, RootBody, ShareBody, UnsealBody, read_body
from strongroom_node.core.ceremonies.keeper import Keeper
from strongroom_node.core.ceremonies.refusals import refusals
from strongroom_node.core.ceremonies.rekey import Rekey
from strongroom_node.sdk.errors import BadRequest, Sealed, UnsupportedOperation
from strongroom_storage.seal.shares import decode_share

Answer = dict[str, Any] | None
"""A JSON object, or None for an empty answer (204)."""


class MethodRefused(UnsupportedOperation):
    """A raw endpoint without this method; its error list is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.messages = ()


async def answer(keeper: Keeper, method: str, path: str, body: object = None) -> Answer:
    """The answer of one endpoint. `path` is below `/v1/` and in PATHS, `method` is in capitals, `body` decoded JSON.

    Raises request errors. What is told here needs no token; shares and nonces are what protects it.
    """
    if path not in LOCAL_PATHS and keeper.is_sealed:
        raise Sealed
    return await _HANDLERS[path](keeper, "POST" if method == "PUT" else method, body)


async def _init(keeper: Keeper, method: str, body: object) -> Answer:
    match method:
        case "GET":
            return {"initialized": keeper.is_initialized}
        case "POST":
            return await keeper.init(read_body(InitBody, body))
    raise MethodRefused


async def _unseal(keeper: Keeper, method: str, body: object) -> Answer:
    if method != "POST":
        raise MethodRefused
    return await keeper.unseal(read_body(UnsealBody, body))


async def _seal_status(keeper: Keeper, method: str, _body: object) -> Answer:
    if method != "GET":
        raise MethodRefused
    return keeper.seal_status()


async def _rekey_init(rekey: Rekey, method: str, body: object) -> Answer:
    match method:
        case "GET":
            return rekey.status()
        case "POST":
            return await rekey.start(read_body(RekeyBody, body))
        case "DELETE":
            await rekey.cancel()
            return None
    raise MethodRefused


async def _rekey_update(rekey: Rekey, _method: str, body: object) -> Answer:
    return await rekey.update(*_share(body))


async def _rekey_verify(rekey: Rekey, method: str, body: object) -> Answer:
    match method:
        case "GET":
            return rekey.verification()
        case "POST":
            return await rekey.verify(*_share(body))
        case "DELETE":
            return await rekey.restart_verification()
    raise MethodRefused


async def _root_attempt(keeper: Keeper, method: str, body: object) -> Answer:
    match method:
        case "GET":
            return keeper.generate_root.status()
        case "POST":
            return await keeper.generate_root.start(read_body(RootBody, body))
        case "DELETE":
            await keeper.generate_root.cancel()
            return None
    raise MethodRefused


async def _root_update(keeper: Keeper, _method: str, body: object) -> Answer:
    return await keeper.generate_root.update(*_share(body))


def _share(body: object) -> tuple[bytes, str]:
    given = read_body(ShareBody, body)
    if not given.key:
        raise BadRequest("'key' must be specified in request body as JSON")
    with refusals():
        return decode_share(given.key), given.nonce


Handler = Callable[[Keeper, str, object], Awaitable[Answer]]
RekeyHandler = Callable[[Rekey, str, object], Awaitable[Answer]]


def _of_unseal_key(handler: RekeyHandler) -> Handler:
    return lambda keeper, method, body: handler(keeper.rekey, method, body)


def _of_recovery_key(handler: RekeyHandler) -> Handler:
    async def handle(keeper: Keeper, method: str, body: object) -> Answer:
        if not keeper.has_recovery_keys:
            raise BadRequest("recovery rekeying not supported")
        return await handler(keeper.rekey_recovery, method, body)

    return handle


_HANDLERS: Final[dict[str, Handler]] = {
    "sys/init": _init,
    "sys/unseal": _unseal,
    "sys/seal-status": _seal_status,
    "sys/rekey/init": _of_unseal_key(_rekey_init),
    "sys/rekey/update": _of_unseal_key(_rekey_update),
    "sys/rekey/verify": _of_unseal_key(_rekey_verify),
    "sys/rekey-recovery-key/init": _of_recovery_key(_rekey_init),
    "sys/rekey-recovery-key/update": _of_recovery_key(_rekey_update),
    "sys/rekey-recovery-key/verify": _of_recovery_key(_rekey_verify),
    "sys/generate-root/attempt": _root_attempt,
    "sys/generate-root/update": _root_update,
}

PATHS: Final = frozenset(_HANDLERS)
"""Every path that `answer` knows."""

LOCAL_PATHS: Final = frozenset({"sys/init", "sys/unseal", "sys/seal-status"})
"""Those that a sealed node answers, and that are never forwarded to the active node."""
