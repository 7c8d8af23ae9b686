"""Tasks that live as long as the node is unsealed, each with an owner that sees them end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

RESTART_SECONDS = 1.0
"""Pause before a task that failed is started again."""

_log = structlog.get_logger("core")


class Background:
    """Supervises named loops; one that fails is logged and started again, and all end on `stop`."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a loop until `stop`."""
        task = asyncio.get_running_loop().create_task(self._supervise(name, loop), name=name)
        self._tasks.append(task)

    async def _supervise(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await loop()
            except Exception as error:  # noqa: BLE001 -- a supervisor outlives whatever its task raises
                _log.error("background task failed", task=name, error=type(error).__name__, detail=str(error)[:200])
            else:
                return
            await asyncio.sleep(RESTART_SECONDS)

    async def stop(self) -> None:
        """Cancel everything and wait for its end."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
