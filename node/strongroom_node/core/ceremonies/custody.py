"""Who may open the barrier: the records that keep the root key, and the keys that prove authority over it.

Chain: shares -> seal key -> root key -> keyring -> data. With a seal that opens by itself the shares make a
recovery key instead: it opens nothing, but it is asked for before keys are replaced or a root token is made.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from strongroom_node.seals.shamir import ShamirSeal
from strongroom_storage import codec
from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.crypto.entropy import random_bytes
from strongroom_storage.crypto.secret import SecretBytes
from strongroom_storage.errors import CodecInvalid, StoreDamaged
from strongroom_storage.seal.errors import SealConfigInvalid, UnwrapFailed
from strongroom_storage.seal.protocol import Seal
from strongroom_storage.seal.shares import KEY_BYTES, SharePlan

T = TypeVar("T")

SEAL_CONFIG_PATH: Final = "core/seal-config"
ROOT_KEY_PATH: Final = "core/hsm/barrier-unseal-keys"
RECOVERY_CONFIG_PATH: Final = "core/recovery-config"
RECOVERY_KEY_PATH: Final = "core/recovery-key"

# What a wrapped key is for goes into the seal with it: otherwise who can write to the disk could put the wrapped
# recovery key where the wrapped root key belongs, or the other way round.
_ROOT: Final = b"root\x00"
_RECOVERY: Final = b"recovery\x00"
NO_PLAN: Final = SharePlan(0, 0)


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What the seal status tells of a node beside its seal. The cluster's name and id are known once unsealed."""

    version: str
    build_date: str
    storage_type: str
    cluster_name: str = ""
    cluster_id: str = ""


class Custody:
    """The barrier, its seal, and one lock that every ceremony holds while it changes either."""

    def __init__(self, barrier: Barrier, seal: Seal, entropy: Callable[[int], bytes] = random_bytes) -> None:
        self.barrier = barrier
        self.seal = seal
        self.entropy = entropy
        self._lock = asyncio.Lock()
        self._steps: set[asyncio.Future[Any]] = set()

    async def alone(self, step: Callable[[], Awaitable[T]]) -> T:
        """Run one step of a ceremony, alone and to its end, even if who asked for it goes away meanwhile.

        A rekey that stopped between the commit and the new root key in memory would be lost at the next rotation.
        """
        running = asyncio.ensure_future(self._locked(step))
        self._steps.add(running)
        running.add_done_callback(self._settle)
        return await asyncio.shield(running)

    @property
    def is_initialized(self) -> bool:
        """Whether the cluster has keys."""
        return self.barrier.is_initialized

    def authority(self) -> SharePlan:
        """The shares that unseal or authorize: the seal's, or the recovery key's if the seal opens by itself."""
        return self._plan(RECOVERY_CONFIG_PATH if self.seal.stores_keys else SEAL_CONFIG_PATH)

    def check_kind(self) -> None:
        """Raise SealConfigInvalid if the store was made with another kind of seal than is configured."""
        stored = self._config(SEAL_CONFIG_PATH).get("type", self.seal.kind)
        if stored != self.seal.kind:
            raise SealConfigInvalid(
                f'this store is sealed with "{stored}" and the configuration says "{self.seal.kind}":'
                " seal migration is not supported by this version yet"
            )

    def new_key(self) -> bytes:
        """A fresh 32-byte key."""
        return self.entropy(KEY_BYTES)

    async def wrapped_root(self, root_key: bytes, unseal_key: bytes | None) -> dict[str, bytes]:
        """The record that keeps `root_key`; a Shamir seal is given its key, the others have theirs."""
        return {ROOT_KEY_PATH: await self._seal_with(unseal_key).wrap(_ROOT + root_key)}

    async def wrapped_recovery(self, recovery_key: bytes, plan: SharePlan) -> dict[str, bytes]:
        """The records that keep the recovery key."""
        blob = await self.seal.wrap(_RECOVERY + recovery_key)
        return {RECOVERY_KEY_PATH: blob, RECOVERY_CONFIG_PATH: self.config_record(plan, "shamir")}

    def config_record(self, plan: SharePlan, kind: str) -> bytes:
        """The stored form of a plan. Whoever changes it on disk gains nothing: too few shares make a wrong key."""
        return codec.pack({"type": kind, "shares": plan.shares, "threshold": plan.threshold})

    async def open_root(self, unseal_key: bytes | None = None) -> bytes:
        """The root key, by the seal. Raises UnwrapFailed, SealUnavailable or StoreDamaged."""
        return await self._open(ROOT_KEY_PATH, _ROOT, self._seal_with(unseal_key))

    async def authenticate(self, key: bytes) -> None:
        """Raise UnwrapFailed unless `key`, joined from shares, is the one that has authority."""
        if not self.seal.stores_keys:
            try:
                root_key = await self.open_root(key)
            except UnwrapFailed as error:
                raise UnwrapFailed(f"failed to decrypt keys from storage: {error}") from error
            if not self.barrier.verify_root_key(root_key):
                raise UnwrapFailed("the root key does not match")
            return
        await self.check_recovery_key(key)

    async def check_recovery_key(self, key: bytes) -> None:
        """Raise UnwrapFailed unless `key` is the recovery key."""
        if self.barrier.get_plain(RECOVERY_KEY_PATH) is None:
            raise UnwrapFailed("no recovery key found")
        kept = await self._open(RECOVERY_KEY_PATH, _RECOVERY, self.seal)
        if not hmac.compare_digest(kept, key):
            raise UnwrapFailed("recovery key does not match submitted values")

    async def rewrapped(self) -> dict[str, bytes]:
        """Records to write so that all are under the seal's current key; empty if all are."""
        changed = {}
        for path in (ROOT_KEY_PATH, RECOVERY_KEY_PATH):
            blob = self.barrier.get_plain(path)
            if blob is not None and not self.seal.is_current(blob):
                opened: SecretBytes = await self.seal.unwrap(blob)
                changed[path] = await self.seal.wrap(opened.reveal())
                opened.wipe()
        return changed

    async def _locked(self, step: Callable[[], Awaitable[T]]) -> T:
        async with self._lock:
            return await step()

    def _settle(self, step: asyncio.Future[Any]) -> None:
        self._steps.discard(step)
        if not step.cancelled():
            step.exception()  # who asked has heard of it, or is gone

    def _seal_with(self, unseal_key: bytes | None) -> Seal:
        if isinstance(self.seal, ShamirSeal) and unseal_key is not None:
            return self.seal.keyed(unseal_key)
        return self.seal

    async def _open(self, path: str, purpose: bytes, seal: Seal) -> bytes:
        blob = self.barrier.get_plain(path)
        if blob is None:
            raise StoreDamaged(f"{path} is missing: restore a snapshot")
        with await seal.unwrap(blob) as opened:
            payload = opened.reveal()
        if not payload.startswith(purpose) or len(payload) != len(purpose) + KEY_BYTES:
            raise UnwrapFailed("the wrapped key is for another use")
        return payload[len(purpose) :]

    def _plan(self, path: str) -> SharePlan:
        config = self._config(path)
        if not config:
            return NO_PLAN
        shares, threshold = config.get("shares"), config.get("threshold")
        if not isinstance(shares, int) or not isinstance(threshold, int):
            raise StoreDamaged(f"{path} is not readable: restore a snapshot")
        return SharePlan(shares, threshold)

    def _config(self, path: str) -> dict[str, object]:
        record = self.barrier.get_plain(path)
        if record is None:
            return {}
        try:
            config = codec.unpack(record)
        except CodecInvalid as error:
            raise StoreDamaged(f"{path} is not readable: restore a snapshot") from error
        return config if isinstance(config, dict) else {}
