"""`sys/init`: the first keys of a cluster."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from strongroom_node.core.ceremonies.bodies import InitBody
from strongroom_node.core.ceremonies.custody import NO_PLAN, SEAL_CONFIG_PATH, Custody
from strongroom_node.core.ceremonies.pgp import Recipient, encrypt_shares, read_recipient, read_recipients
from strongroom_node.core.ceremonies.refusals import refusals
from strongroom_node.sdk.errors import BadRequest
from strongroom_storage.seal.shares import SharePlan, split_key


@dataclass(frozen=True, slots=True)
class InitOrder:
    """A checked request: one plan, for the seal's key or, if the seal opens by itself, for the recovery key."""

    plan: SharePlan
    recipients: tuple[Recipient, ...] = ()
    root_recipient: Recipient | None = None


@dataclass(frozen=True, slots=True)
class InitKeys:
    """What init made. Shares are as they leave the node: encrypted if people gave their keys."""

    root_key: bytes = field(repr=False)
    shares: tuple[bytes, ...] = field(repr=False)
    is_recovery: bool

    def answer(self, root_token: str) -> dict[str, Any]:
        """Vault's shape. Recovery keys are left out when there are none."""
        given = key_fields("keys", () if self.is_recovery else self.shares)
        if self.is_recovery and self.shares:
            given |= key_fields("recovery_keys", self.shares)
        return {**given, "root_token": root_token}


async def check_init(body: InitBody, custody: Custody) -> InitOrder:
    """What a request orders. Raises BadRequest in Vault's words and order."""
    barrier_fields = {
        "secret_shares": body.secret_shares,
        "secret_threshold": body.secret_threshold,
        "pgp_keys": body.pgp_keys,
    }
    recovery_fields = {
        "recovery_shares": body.recovery_shares,
        "recovery_threshold": body.recovery_threshold,
        "recovery_pgp_keys": body.recovery_pgp_keys,
    }
    wrong = [name for name, value in (barrier_fields if custody.seal.stores_keys else recovery_fields).items() if value]
    if wrong:
        raise BadRequest(f"parameters {','.join(wrong)} not applicable to seal type {custody.seal.kind}")
    if custody.is_initialized:
        raise BadRequest("Vault is already initialized")
    if custody.seal.stores_keys:
        order = await _checked(
            "recovery", SharePlan(body.recovery_shares, body.recovery_threshold), body.recovery_pgp_keys
        )
    else:
        order = await _checked("seal", SharePlan(body.secret_shares, body.secret_threshold), body.pgp_keys)
    if not body.root_token_pgp_key:
        return order
    with refusals():
        return InitOrder(order.plan, order.recipients, read_recipient(body.root_token_pgp_key))


async def make_keys(order: InitOrder, custody: Custody) -> InitKeys:
    """Make the keys, store them in one commit, and hand out the shares. Call with the lock held.

    Everything that can fail happens before the commit: a store with keys that nobody holds would be lost.
    """
    root_key = custody.new_key()
    held_key = custody.new_key()
    has_shares = order.plan != NO_PLAN
    shares = split_key(held_key, order.plan, custody.entropy) if has_shares else []
    given = await encrypt_shares(shares, order.recipients)
    kind = custody.seal.kind
    if custody.seal.stores_keys:
        records = await custody.wrapped_root(root_key, None)
        records[SEAL_CONFIG_PATH] = custody.config_record(SharePlan(1, 1), kind)
        if has_shares:
            records |= await custody.wrapped_recovery(held_key, order.plan)
    else:
        records = await custody.wrapped_root(root_key, held_key)
        records[SEAL_CONFIG_PATH] = custody.config_record(order.plan, kind)
    with refusals():
        await custody.barrier.initialize(root_key, records)
    return InitKeys(root_key, tuple(given), custody.seal.stores_keys)


def key_fields(name: str, shares: Sequence[bytes]) -> dict[str, Any]:
    """Shares in both spellings under Vault's two names."""
    return {
        name: [share.hex() for share in shares],
        f"{name}_base64": [base64.b64encode(share).decode() for share in shares],
    }


async def _checked(what: str, plan: SharePlan, pgp_keys: Sequence[str]) -> InitOrder:
    with refusals(f"invalid {what} configuration: "):
        if what != "recovery" or plan != NO_PLAN or pgp_keys:
            plan.check()
        return InitOrder(plan, await read_recipients(pgp_keys, plan.shares))
