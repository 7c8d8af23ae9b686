"""Writes pairs of keys as fast as it can and says on standard output which were acknowledged. To be killed."""

import asyncio
import os
import sys
from pathlib import Path

import structlog

from strongroom_cluster.store import Store, open_store

ROOT_KEY = bytes(range(32))
WRITERS = 16
CHECKPOINT_BYTES = 1 << 20  # so that kills hit checkpoints and the cutting of the journal too


def value_of(number: int) -> bytes:
    """What is written under a number; its length varies with it."""
    return (b"%d," % number) * (1 + number * 37 % 300)


async def writer(store: Store, first: int) -> None:
    view = store.barrier.view("pairs/")
    number = first
    while True:
        with view.transaction() as tx:
            tx.put(f"a/{number}", value_of(number))
            tx.put(f"b/{number}", value_of(number))
            tx.put("newest", b"%d" % number)
        await tx.commit()
        os.write(1, b"%d\n" % number)
        number += WRITERS


async def main(path: Path, first: int) -> None:
    store = open_store(path, checkpoint_bytes_min=CHECKPOINT_BYTES)
    await store.start()
    if not store.barrier.is_initialized:
        await store.barrier.initialize(ROOT_KEY)
    store.barrier.unseal(ROOT_KEY)
    async with asyncio.TaskGroup() as tasks:
        for number in range(first, first + WRITERS):
            tasks.create_task(writer(store, number))


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # the output is for numbers
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
