"""Small settings of the cluster: one map a name under `core/config/`, kept until their generation changes."""

from typing import Any

from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.codec import pack, unpack


class Settings:
    """CORS, UI headers, audited headers and the like."""

    def __init__(self, barrier: Barrier) -> None:
        """Nothing is read before it is asked for."""
        self._barrier = barrier
        self._view = barrier.view("core/config/")
        self._generation = -1
        self._known: dict[str, dict[str, Any]] = {}

    def read(self, name: str) -> dict[str, Any]:
        """The named map; empty if it was never written. Not to be changed by the caller."""
        generation = self._barrier.generation("config")
        if generation != self._generation:
            self._known, self._generation = {}, generation
        found = self._known.get(name)
        if found is None:
            value = self._view.get(name)
            found = self._known[name] = {} if value is None else dict(unpack(value))
        return found

    async def write(self, name: str, value: dict[str, Any]) -> None:
        """Replace the named map."""
        with self._view.transaction() as tx:
            tx.put(name, pack(value))
        await tx.commit()

    async def set(self, name: str, key: str, value: Any) -> None:
        """Set one member of the named map, whose name may be there in another case; None takes it away."""
        with self._view.transaction() as tx:
            stored = tx.get(name)
            before: dict[str, Any] = {} if stored is None else dict(unpack(stored))
            after = {known: kept for known, kept in before.items() if known.lower() != key.lower()}
            tx.put(name, pack(after if value is None else {**after, key: value}))
        await tx.commit()
