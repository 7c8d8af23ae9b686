"""`sys/rekey` and `sys/rekey-recovery-key`: new shares for the old ones, proven to have arrived if so wished."""

import base64
from collections.abc import Sequence
from typing import Any, Final

from strongroom_node.core.ceremonies.bodies import RekeyBody
from strongroom_node.core.ceremonies.custody import NO_PLAN, SEAL_CONFIG_PATH, Custody
from strongroom_node.core.ceremonies.init import key_fields
from strongroom_node.core.ceremonies.pgp import encrypt_shares, read_recipients
from strongroom_node.core.ceremonies.refusals import refusals
from strongroom_node.sdk.errors import BadRequest
from strongroom_storage import codec
from strongroom_storage.crypto.entropy import random_uuid
from strongroom_storage.seal.errors import CeremonyRefused, PlanInvalid, ShareInvalid, UnwrapFailed
from strongroom_storage.seal.progress import RekeyOrder, RekeyProgress, backup_by_fingerprint
from strongroom_storage.seal.shares import SharePlan, check_share, join_key, split_key

BACKUP_PREFIX: Final = "core/backup/"
"""Behind the barrier: shares encrypted to people, for who lost the answer of a rekey."""


class Rekey:
    """One kind of rekey on this node: of the unseal key (or root key) or of the recovery key."""

    def __init__(self, custody: Custody, *, is_recovery: bool) -> None:
        self._custody = custody
        self._is_recovery = is_recovery
        self._progress: RekeyProgress | None = None
        self._backup = "recovery-keys" if is_recovery else "unseal-keys"

    def forget(self) -> None:
        """Drop what is under way; wipes every share."""
        if self._progress is not None:
            self._progress.forget()
            self._progress = None

    def status(self) -> dict[str, Any]:
        """How far it is. Raises Sealed."""
        self._require_open()
        progress = self._progress
        order = RekeyOrder(NO_PLAN) if progress is None else progress.order
        status = {
            "nonce": "" if progress is None else progress.nonce,
            "started": progress is not None,
            "t": order.plan.threshold,
            "n": order.plan.shares,
            "progress": 0 if progress is None else len(progress.given),
            "required": self._custody.authority().threshold,
            "pgp_fingerprints": list(order.pgp_fingerprints) or None,
            "backup": order.has_backup,
            "verification_required": order.is_verified,
        }
        if progress is not None and progress.is_verifying:
            status["verification_nonce"] = progress.verification_nonce
        return status

    async def start(self, body: RekeyBody) -> dict[str, Any]:
        """Begin, and tell the nonce. Raises BadRequest, also while another is under way."""
        self._require_open()
        if body.backup and not body.pgp_keys:
            raise BadRequest("cannot request a backup of the new keys without providing PGP keys for encryption")
        if body.pgp_keys and len(body.pgp_keys) != body.secret_shares:
            raise BadRequest("incorrect number of PGP keys for rekey")
        self._require_idle()
        order = await self._order(body)
        await self._custody.alone(lambda: self._begin(RekeyProgress(order, random_uuid())))
        return self.status()

    async def cancel(self) -> None:
        """Drop what is under way, if anything is."""
        self._require_open()
        await self._custody.alone(self._cancel)

    async def update(self, share: bytes, nonce: str) -> dict[str, Any]:
        """Give one old share. The last one makes the new key and answers with its shares.

        Raises BadRequest; a wrong set begins again from nothing.
        """
        return await self._custody.alone(lambda: self._update(share, nonce))

    async def verify(self, share: bytes, nonce: str) -> dict[str, Any]:
        """Give one new share. The last one puts the new key into effect. A wrong set begins again, with a new nonce."""
        return await self._custody.alone(lambda: self._verify(share, nonce))

    def verification(self) -> dict[str, Any]:
        """How far the verification is. Raises BadRequest if no rekey is under way."""
        self._require_open()
        progress = self._progress
        if progress is None:
            raise BadRequest("no rekey configuration found")
        return {
            "nonce": progress.verification_nonce,
            "started": progress.is_verifying,
            "t": progress.order.plan.threshold,
            "n": progress.order.plan.shares,
            "progress": len(progress.verified),
        }

    async def restart_verification(self) -> dict[str, Any]:
        """Forget the new shares given so far; the answer has the new nonce."""
        self._require_open()
        await self._custody.alone(self._restart)
        return self.verification()

    def backup(self) -> dict[str, Any]:
        """The encrypted shares of the last rekey with a backup. Raises BadRequest if there are none."""
        with refusals():
            record = self._custody.barrier.view(BACKUP_PREFIX).get(self._backup)
        if record is None:
            raise BadRequest("no backed-up keys found")
        kept = codec.unpack(record)
        spelled = {
            fingerprint: [base64.b64encode(bytes.fromhex(share)).decode() for share in shares]
            for fingerprint, shares in kept["keys"].items()
        }
        return {"nonce": kept["nonce"], "keys": kept["keys"], "keys_base64": spelled}

    async def delete_backup(self) -> None:
        """Delete the encrypted shares, if there are any."""
        with refusals():
            with self._custody.barrier.view(BACKUP_PREFIX).transaction() as tx:
                tx.delete(self._backup)
            await tx.commit()

    async def _begin(self, progress: RekeyProgress) -> None:
        self._require_open()
        self._require_idle()
        self._progress = progress

    async def _cancel(self) -> None:
        self.forget()

    async def _restart(self) -> None:
        if self._progress is not None:
            self._progress.restart_verification(random_uuid())

    async def _update(self, share: bytes, nonce: str) -> dict[str, Any]:
        self._require_open()
        with refusals():
            check_share(share)
            progress = self._started("recovery rekey" if self._is_recovery else "barrier rekey")
            authority = self._custody.authority()
            if authority == NO_PLAN:
                raise CeremonyRefused("no recovery key found")
            word = "rekey" if self._is_recovery else "generation"
            shares = progress.offer(nonce, share, authority.threshold, word)
        if shares is None:
            return self.status()
        await self._authenticate(shares, authority.threshold)
        return await self._replace(progress)

    async def _verify(self, share: bytes, nonce: str) -> dict[str, Any]:
        self._require_open()
        with refusals():
            check_share(share)
            progress = self._started("rekey")
            shares = progress.offer_verification(nonce, share)
        if shares is None:
            return self.verification()
        try:
            key = join_key(shares, progress.order.plan.threshold)
        except ShareInvalid as error:
            progress.restart_verification(random_uuid())
            raise BadRequest(f"failed to compute key for verification: {error}") from error
        if not progress.matches(key):
            progress.restart_verification(random_uuid())
            raise BadRequest("rekey verification failed; incorrect key shares supplied")
        await self._perform(key, progress.order.plan)
        self.forget()
        return {"nonce": nonce, "complete": True}

    async def _order(self, body: RekeyBody) -> RekeyOrder:
        plan = SharePlan(body.secret_shares, body.secret_threshold)
        with refusals():
            if self._custody.seal.stores_keys and not self._is_recovery:
                # the new root key goes to the seal and to nobody else
                plan = SharePlan(1, 1)
                if body.pgp_keys:
                    raise PlanInvalid("PGP key encryption not supported when using stored keys")
                if body.backup:
                    raise PlanInvalid("key backup not supported when using stored keys")
                if body.require_verification:
                    raise PlanInvalid(
                        "requiring verification not supported when rekeying the barrier key with recovery keys"
                    )
        name = "recovery" if self._is_recovery else "rekey seal"
        with refusals(f"invalid {name} configuration: "):
            plan.check()
            recipients = await read_recipients(body.pgp_keys, plan.shares)
        fingerprints = tuple(person.fingerprint for person in recipients)
        return RekeyOrder(plan, tuple(body.pgp_keys), fingerprints, body.backup, body.require_verification)

    async def _authenticate(self, shares: Sequence[bytes], threshold: int) -> None:
        """Raise BadRequest unless the shares make the key that has authority."""
        custody = self._custody
        try:
            with refusals(f"failed to compute {'recovery' if self._is_recovery else 'root'} key: "):
                key = join_key(shares, threshold)
            await custody.authenticate(key)
        except UnwrapFailed as error:
            failed = "recovery key verification failed" if custody.seal.stores_keys else "failed to read root key"
            raise BadRequest(f"{failed}: {error}") from error

    async def _replace(self, progress: RekeyProgress) -> dict[str, Any]:
        """The old shares were right: make the new key and either put it into effect or await its verification."""
        custody, order = self._custody, progress.order
        new_key = custody.new_key()
        hands_out = self._is_recovery or not custody.seal.stores_keys
        shares = split_key(new_key, order.plan, custody.entropy) if hands_out else []
        with refusals():
            recipients = await read_recipients(order.pgp_keys, order.plan.shares)
            given = await encrypt_shares(shares, recipients)
        if order.has_backup:
            await self._keep_backup(progress, given)
        answer = {
            "nonce": progress.nonce,
            "complete": True,
            **key_fields("keys", given),
            "pgp_fingerprints": list(order.pgp_fingerprints) or None,
            "backup": order.has_backup,
            "verification_required": order.is_verified,
        }
        if order.is_verified:
            progress.await_verification(new_key, random_uuid())
            return answer | {"verification_nonce": progress.verification_nonce}
        await self._perform(new_key, order.plan)
        self.forget()
        return answer

    async def _perform(self, new_key: bytes, plan: SharePlan) -> None:
        """Put the new key into effect: one commit, after which only the new shares work."""
        custody = self._custody
        with refusals():
            if self._is_recovery:
                await custody.barrier.put_plain(await custody.wrapped_recovery(new_key, plan))
                return
            root_key = custody.new_key()
            records = await custody.wrapped_root(root_key, None if custody.seal.stores_keys else new_key)
            records[SEAL_CONFIG_PATH] = custody.config_record(plan, custody.seal.kind)
            await custody.barrier.rekey(root_key, records)

    async def _keep_backup(self, progress: RekeyProgress, given: Sequence[bytes]) -> None:
        keys = backup_by_fingerprint(progress.order.pgp_fingerprints, given)
        with refusals():
            with self._custody.barrier.view(BACKUP_PREFIX).transaction() as tx:
                tx.put(self._backup, codec.pack({"nonce": progress.nonce, "keys": keys}))
            await tx.commit()

    def _started(self, name: str) -> RekeyProgress:
        if self._progress is None:
            raise CeremonyRefused(f"no {name} in progress")
        return self._progress

    def _require_idle(self) -> None:
        if self._progress is not None:
            raise BadRequest("rekey already in progress")

    def _require_open(self) -> None:
        with refusals():
            self._custody.barrier.require_unsealed()
