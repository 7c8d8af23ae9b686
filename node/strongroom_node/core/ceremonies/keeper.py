"""The keeper of the keys: one object through which a node is initialized, unsealed, sealed and rekeyed."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from strongroom_node.core.ceremonies import rotate
from strongroom_node.core.ceremonies.bodies import InitBody, UnsealBody
from strongroom_node.core.ceremonies.custody import Custody, NodeFacts
from strongroom_node.core.ceremonies.generate_root import GenerateRoot
from strongroom_node.core.ceremonies.init import check_init, make_keys
from strongroom_node.core.ceremonies.refusals import refusals
from strongroom_node.core.ceremonies.rekey import Rekey
from strongroom_node.sdk.errors import BadRequest, Internal
from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.crypto.entropy import random_uuid
from strongroom_storage.errors import NotActive, RootKeyInvalid
from strongroom_storage.seal.errors import SealUnavailable, ShareInvalid, UnwrapFailed
from strongroom_storage.seal.progress import UnsealProgress
from strongroom_storage.seal.protocol import Seal
from strongroom_storage.seal.shares import check_share, decode_share, join_key

log = structlog.get_logger(__name__)

_RETRY_SECONDS_FIRST: Final = 1.0
_RETRY_SECONDS_MAX: Final = 30.0
"""A seal that is away is asked often at first, then about as often as an operator looks."""


async def _nothing(*_arguments: str) -> None:
    """What is done when the core gave no callback."""


def _no_facts() -> NodeFacts:
    return NodeFacts(version="", build_date="", storage_type="")


class Keeper:
    """Transport-free: answers are Vault's JSON objects, refusals are request errors. All state is this node's."""

    def __init__(
        self,
        barrier: Barrier,
        seal: Seal,
        *,
        make_root_token: Callable[[], Awaitable[str]],
        on_unsealed: Callable[[], Awaitable[None]],
        on_sealing: Callable[[], Awaitable[None]] = _nothing,
        discard_root_token: Callable[[str], Awaitable[None]] = _nothing,
        facts: Callable[[], NodeFacts] = _no_facts,
    ) -> None:
        """Callbacks run with the keeper's lock held: they must not call it.

        `on_unsealed` makes ready to serve, and makes what a new cluster lacks, over an open barrier; it runs after
        every unsealing and once within init. `on_sealing` stops serving, also what `on_unsealed` began before it
        failed; the barrier closes when it returns.
        `make_root_token` stores and returns a root token, `discard_root_token` revokes one nobody could be given.
        """
        self._custody = Custody(barrier, seal)
        self._barrier = barrier
        self._make_root_token = make_root_token
        self._on_unsealed = on_unsealed
        self._on_sealing = on_sealing
        self._facts = facts
        self._unsealing = UnsealProgress()
        self.rekey = Rekey(self._custody, is_recovery=False)
        self.rekey_recovery = Rekey(self._custody, is_recovery=True)
        self.generate_root = GenerateRoot(self._custody, make_root_token, discard_root_token)

    @property
    def is_initialized(self) -> bool:
        """Whether the cluster has keys."""
        return self._custody.is_initialized

    @property
    def is_sealed(self) -> bool:
        """Whether the barrier is closed."""
        return self._barrier.is_sealed

    @property
    def has_recovery_keys(self) -> bool:
        """Whether the seal opens by itself, so that operators hold recovery keys."""
        return self._custody.seal.stores_keys

    async def start(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """At the start of a node: open the barrier if the seal can.

        A seal that is away is asked again until it answers; cancel the call to stop. Raises SealConfigInvalid if the
        store was made with another kind of seal, UnwrapFailed if this seal never wrapped the stored key.
        """
        self._custody.check_kind()
        if not self._custody.seal.stores_keys or not self.is_initialized:
            return
        wait = _RETRY_SECONDS_FIRST
        while self.is_sealed:
            try:
                await self._custody.alone(self._open_by_itself)
            except SealUnavailable as error:
                log.warning("seal unavailable", kind=self._custody.seal.kind, reason=str(error), retry_seconds=wait)
                await pause(wait)
                wait = min(wait * 2, _RETRY_SECONDS_MAX)

    async def init(self, body: InitBody) -> dict[str, Any]:
        """Make the first keys and a root token. With shares the node is sealed afterwards, as in Vault."""
        return await self._custody.alone(lambda: self._init(body))

    async def unseal(self, body: UnsealBody) -> dict[str, Any]:
        """Take one share, or begin again; the seal status. Raises BadRequest for shares that open nothing."""
        if body.migrate:
            raise BadRequest("seal migration is not supported by this version yet: 'migrate' cannot be used")
        if body.reset:
            if not self.is_sealed:
                raise BadRequest("vault is unsealed")
            self._unsealing.reset()
            return self.seal_status()
        if not body.key:
            raise BadRequest("'key' must be specified in request body as JSON, or 'reset' set to true")
        with refusals():
            share = decode_share(body.key)
        await self._custody.alone(lambda: self._take_unseal_share(share))
        return self.seal_status()

    async def seal(self) -> None:
        """Close the barrier and forget every key and ceremony. Sealing what is sealed is no error."""
        await self._custody.alone(self._seal)

    async def stop(self) -> None:
        """At the end of a node: as `seal`, but whatever the core does at its own end is left to it."""
        await self._custody.alone(self._stop)

    def seal_status(self) -> dict[str, Any]:
        """Vault's seal status; answers always."""
        facts = self._facts()
        plan = self._custody.authority()
        status: dict[str, Any] = {
            "type": self._custody.seal.kind,
            "initialized": self.is_initialized,
            "sealed": self.is_sealed,
            "t": plan.threshold,
            "n": plan.shares,
            "progress": self._unsealing.count,
            "nonce": self._unsealing.nonce,
            "version": facts.version,
            "build_date": facts.build_date,
            "migration": False,
        }
        if not self.is_sealed:
            status |= {"cluster_name": facts.cluster_name, "cluster_id": facts.cluster_id}
        status["recovery_seal"] = self.has_recovery_keys
        if self.has_recovery_keys:
            status["recovery_seal_type"] = "shamir"
        return status | {"storage_type": facts.storage_type}

    def key_status(self) -> dict[str, Any]:
        """See `rotate.key_status`."""
        return rotate.key_status(self._barrier)

    async def rotate(self) -> int:
        """Add a key term; its number."""
        return await rotate.rotate(self._barrier)

    def rotation_config(self) -> dict[str, Any]:
        """See `rotate.rotation_config`."""
        return rotate.rotation_config(self._barrier)

    async def configure_rotation(
        self,
        *,
        enabled: bool | None = None,
        interval: float | str | None = None,
        max_operations: int | None = None,
    ) -> None:
        """See `rotate.configure_rotation`."""
        await rotate.configure_rotation(
            self._barrier, enabled=enabled, interval=interval, max_operations=max_operations
        )

    async def _init(self, body: InitBody) -> dict[str, Any]:
        order = await check_init(body, self._custody)
        keys = await make_keys(order, self._custody)
        log.info("initialized", seal=self._custody.seal.kind, shares=order.plan.shares)
        token = await self._first_root_token(keys.root_key)
        if token and order.root_recipient is not None:
            token = base64.b64encode(order.root_recipient.encrypt(token.encode())).decode()
        if not self._custody.seal.stores_keys and not self.is_sealed:
            await self._close()
        return keys.answer(token)

    async def _open_by_itself(self) -> None:
        if self.is_sealed:
            await self._open(await self._custody.open_root())
        await self._rewrap()

    async def _seal(self) -> None:
        if not self.is_sealed:
            await self._close()
            log.info("sealed")

    async def _stop(self) -> None:
        self._forget()
        self._barrier.seal()

    async def _take_unseal_share(self, share: bytes) -> None:
        if not self.is_initialized:
            raise BadRequest("Vault is not initialized")
        if not self.is_sealed:
            return
        custody = self._custody
        with refusals("invalid key: "):
            check_share(share)
        threshold = custody.authority().threshold
        if threshold < 1:
            raise BadRequest("no recovery key found")
        shares = self._unsealing.offer(share, threshold, random_uuid())
        if shares is None:
            return
        try:
            key = join_key(shares, threshold)
        except ShareInvalid as error:
            raise BadRequest(f"invalid key: failed to compute combined key: {error}") from error
        try:
            if custody.seal.stores_keys:
                await custody.check_recovery_key(key)
            with refusals():
                root_key = await custody.open_root(None if custody.seal.stores_keys else key)
        except UnwrapFailed as error:
            raise BadRequest(
                f"unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: {error}"
            ) from error
        await self._open(root_key)

    async def _first_root_token(self, root_key: bytes) -> str:
        """The first root token. If it cannot be made the keys must still reach their holders: they can make another."""
        try:
            await self._open(root_key)
            return await self._make_root_token()
        except Exception as error:  # noqa: BLE001  -- whatever failed, the shares exist once and must be answered
            # not log.exception: a renderer that shows local variables would print the root key
            log.error("no root token made at init, use generate-root", error=type(error).__name__, reason=str(error))  # noqa: TRY400  -- see above
            return ""

    async def _open(self, root_key: bytes) -> None:
        """Open the barrier and make ready; closed again if that fails."""
        try:
            self._barrier.unseal(root_key)
        except RootKeyInvalid as error:
            raise Internal("the stored root key does not open the keyring") from error
        try:
            await self._on_unsealed()
        except BaseException:
            await self._close()
            raise
        log.info("unsealed")

    def _forget(self) -> None:
        for ceremony in (self.rekey, self.rekey_recovery, self.generate_root):
            ceremony.forget()
        self._unsealing.reset()

    async def _close(self) -> None:
        self._forget()
        try:
            await self._on_sealing()
        finally:
            self._barrier.seal()

    async def _rewrap(self) -> None:
        """After a change of the seal's key: wrap the stored keys anew. A standby leaves that to the active node."""
        records = await self._custody.rewrapped()
        if records:
            try:
                await self._barrier.put_plain(records)
            except NotActive:
                return
            log.info("stored keys wrapped with the current seal key", records=len(records))
