"""Revoking tokens with what hangs on them, in transactions of bounded size.

A token that has children is marked first, so that it is refused and can have no more; then its tree is removed from the
leaves up, and it goes last. The mark stands in the index of what is due: a node that takes over carries on.
"""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec.structs import replace

from strongroom_node.expiration.index import AT_ONCE, LeaseIndex
from strongroom_node.tokens import ids
from strongroom_node.tokens.record import decode_accessor, decode_entry, due_name, encode_entry
from strongroom_storage.transaction import Transaction
from strongroom_storage.view import StorageView

STEPS_MAX: Final = 256
"""Records that one transaction touches, about: a millisecond or two of the writer's time, and 100 KiB of log."""


class TokenTree:
    """The tree of parents and children, and how it is taken down."""

    def __init__(self, view: StorageView, index: LeaseIndex, cubbyholes: StorageView, now: Callable[[], float]) -> None:
        self._view = view
        self._index = index
        self._cubbyholes = cubbyholes
        self._now = now

    async def revoke(self, keys: Iterable[str]) -> None:
        """Remove tokens and all their descendants. Returns when everything is gone."""
        roots = dict.fromkeys(keys)
        stack = [(key, "") for key in reversed(roots)]
        while stack:
            with self._view.transaction() as tx:
                steps = STEPS_MAX
                while stack and steps > 0:
                    steps -= self._step(tx, stack, roots, steps)
            await tx.commit()
        self._index.wake()

    def _step(self, tx: Transaction, stack: list[tuple[str, str]], roots: dict[str, None], steps: int) -> int:
        """Go one token further: down to its children if it has any, else remove it. What it cost.

        The stack holds salted ids with the parent under which each was found.
        """
        key, parent = stack[-1]
        children = tx.list_page(f"parent/{key}", limit=steps)
        if children:
            cost = self._mark(tx, key, "tree", is_root=key in roots)
            stack.extend((child, key) for child in children)
            return cost + 1
        cost, is_gone = self._take(tx, key, steps)
        if is_gone:
            stack.pop()
            if parent:
                tx.delete(f"parent/{parent}/{key}")
        return cost

    async def revoke_orphan(self, key: str) -> None:
        """Remove one token and make its children orphans."""
        is_gone = False
        while not is_gone:
            with self._view.transaction() as tx:
                children = tx.list_page(f"parent/{key}", limit=STEPS_MAX)
                if len(children) == STEPS_MAX:
                    self._mark(tx, key, "spare", is_root=True)
                for child in children:
                    self._orphan(tx, key, child)
                if len(children) < STEPS_MAX:
                    _, is_gone = self._take(tx, key, STEPS_MAX)
                    if not is_gone:
                        self._mark(tx, key, "spare", is_root=True)
            await tx.commit()
        self._index.wake()

    def remove(self, tx: Transaction, key: str) -> None:
        """Remove a token that has no children and few leases, at once."""
        self._take(tx, key, STEPS_MAX)

    def _orphan(self, tx: Transaction, parent: str, child: str) -> None:
        tx.delete(f"parent/{parent}/{child}")
        packed = tx.get("id/" + child)
        if packed is not None:
            tx.put("id/" + child, encode_entry(replace(decode_entry(packed), parent="")))

    def _mark(self, tx: Transaction, key: str, how: str, *, is_root: bool) -> int:
        """Refuse a token from now on. Only the root of a revocation stands in the index: the rest hangs on it."""
        packed = tx.get("id/" + key)
        entry = None if packed is None else decode_entry(packed)
        if entry is None or entry.revoked:
            return 1
        marked = replace(entry, revoked=how)
        if is_root:
            self._index.set_due(tx, due_name(entry), entry.due, AT_ONCE, key)
            marked = replace(marked, due=AT_ONCE)
        tx.put("id/" + key, encode_entry(marked))
        return 3

    def _take(self, tx: Transaction, key: str, steps: int) -> tuple[int, bool]:
        """Remove a childless token, its cubbyhole and lease; its secrets' leases become due at once.

        Gives what it cost, and whether it is gone: what is too large for one transaction is gone on with in the next.
        """
        cost = self._index.expire_secrets(tx, key, self._now(), steps)
        if cost >= steps:
            self._mark(tx, key, "tree", is_root=True)
            return cost, False
        room = steps - cost
        cubbyhole = tx.at(self._cubbyholes).delete_tree(key, room)
        cost += cubbyhole + 1
        if cubbyhole >= room:
            self._mark(tx, key, "tree", is_root=True)
            return cost, False
        packed = tx.get("id/" + key)
        if packed is None:
            return cost, True
        entry = decode_entry(packed)
        salt = tx.get("salt") or b""
        tx.delete("id/" + key)
        if entry.accessor:
            tx.delete("accessor/" + ids.salted_accessor(salt, entry.accessor))
        if entry.parent:
            tx.delete(f"parent/{entry.parent}/{key}")
        self._index.set_due(tx, due_name(entry), entry.due, 0.0)
        if entry.lease_id:
            self._index.drop_token(tx, entry.lease_id)
        return cost + 5, True

    # --- tidying

    async def tidy(self) -> int:
        """Remove what no token stands behind: accessors, places in the tree, cubbyholes."""
        removed = await self._tidy("accessor", self._accessor_is_lost)
        removed += await self._tidy("parent", self._place_is_lost)
        after = ""
        while names := self._cubbyholes.list_page(after=after, limit=STEPS_MAX):
            for name in names:
                if self._view.index_of("id/" + name.rstrip("/")) == 0:
                    removed += await self._remove_cubbyhole(name.rstrip("/"))
            after = names[-1]
        return removed

    async def _tidy(self, folder: str, is_lost: Callable[[Transaction, str], bool]) -> int:
        removed, after = 0, ""
        while keys := self._view.walk(folder, after=after, limit=STEPS_MAX):
            with self._view.transaction() as tx:
                for key in keys:
                    if is_lost(tx, key):
                        tx.delete(f"{folder}/{key}")
                        removed += 1
            await tx.commit()
            after = keys[-1]
        return removed

    def _accessor_is_lost(self, tx: Transaction, name: str) -> bool:
        packed = tx.get("accessor/" + name)
        return packed is not None and tx.get("id/" + decode_accessor(packed).key) is None

    def _place_is_lost(self, tx: Transaction, name: str) -> bool:
        return tx.get("id/" + name.rpartition("/")[2]) is None

    async def _remove_cubbyhole(self, key: str) -> int:
        removed, is_gone = 0, False
        while not is_gone:
            with self._view.transaction() as tx:
                count = 0 if tx.get("id/" + key) is not None else tx.at(self._cubbyholes).delete_tree(key, STEPS_MAX)
            await tx.commit()
            removed, is_gone = removed + count, count < STEPS_MAX
        return removed
