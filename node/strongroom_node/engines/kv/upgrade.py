"""From version 1 to version 2: each secret becomes version 1 of a versioned secret, in bounded transactions.

Nothing runs in the background. The first requests that meet an unfinished upgrade do a part of it each; a node that
may not write raises NotActive from the transaction, and the request goes to the one that may.
"""

import time
from functools import wraps
from typing import Final

import msgspec

from strongroom_node.engines.kv import record
from strongroom_node.engines.kv.engine import METADATA, PLAIN, Handler, KVEngine, data_key, new_secret
from strongroom_node.engines.kv.record import Version
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response
from strongroom_storage.transaction import Transaction

STEP_SECRETS_MAX: Final = 256
STEP_BYTES_MAX: Final = 2 << 20
"""One transaction: a few milliseconds on the event loop, and well below the largest transaction (8 MiB)."""
REQUEST_SECONDS_MAX: Final = 0.5
"""How long one request works on the upgrade before it tells its caller to come back."""

_UPGRADING: Final = (
    "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will "
    "resume service shortly."
)


def versioned(handler: Handler) -> Handler:
    """The handler, run only once nothing of version 1 is left. Raises BadRequest until then."""

    @wraps(handler)
    async def run(engine: KVEngine, request: Request) -> Response | None:
        if not engine.is_upgraded:
            await finish(engine)
        return await handler(engine, request)

    return run


async def finish(engine: KVEngine, seconds_max: float = REQUEST_SECONDS_MAX) -> None:
    """Upgrade as much as the time allows, or wait for the request that does. Raises BadRequest if something is left."""
    waited = engine.upgrading.locked()
    async with engine.upgrading:
        deadline = time.monotonic() + seconds_max
        while not engine.is_upgraded and engine.view.walk(PLAIN, limit=1):
            if waited or time.monotonic() > deadline:
                raise BadRequest(_UPGRADING)
            with engine.view.transaction() as tx:
                done = step(tx, engine.now())
            await tx.commit()
            waited = done == 0  # all that is left is in flight for another request
        engine.is_upgraded = True


def step(tx: Transaction, now: int) -> int:
    """Upgrade the next secrets within one transaction; how many."""
    paths = tx.walk(PLAIN, limit=STEP_SECRETS_MAX)
    done = size = 0
    for path in paths:
        body = tx.get(PLAIN + path)
        tx.delete(PLAIN + path)
        done += 1
        if body is None or tx.get(METADATA + path) is not None:
            continue
        secret = msgspec.structs.replace(new_secret(now), current=1, oldest=1, versions=(Version(now),))
        tx.put(METADATA + path, record.encode(secret))
        tx.put(data_key(secret, 1), body)
        size += len(body)
        if size > STEP_BYTES_MAX:
            break
    return done
