"""The token store: looking tokens up, making, using and renewing them.

Below `token/`: `id/<salted id>` holds the entry, `accessor/<salted accessor>` leads to it, `parent/<parent>/<child>` is
the tree, `salt` and `batch-key` are made once. The token itself is stored nowhere.
"""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from strongroom_node.expiration.index import LeaseIndex
from strongroom_node.sdk.errors import BadRequest, PermissionDenied, Unavailable
from strongroom_node.sdk.response import Auth
from strongroom_node.sdk.token import TokenEntry
from strongroom_node.tokens import batch, ids
from strongroom_node.tokens.login import issue
from strongroom_node.tokens.record import (
    LAST_USE,
    AccessorEntry,
    decode_accessor,
    decode_entry,
    due_name,
    encode_accessor,
    encode_entry,
    exists,
    is_alive,
)
from strongroom_node.tokens.revocation import TokenTree
from strongroom_node.tokens.ttl import Grant, Limits
from strongroom_storage.barrier.barrier import Barrier
from strongroom_storage.transaction import Transaction
from strongroom_storage.view import StorageView

LAST_USE_SECONDS_MAX: Final = 300.0
"""A token whose last use was interrupted by a crash is swept after this time; no request runs longer."""


class TokenStore:
    """All tokens of the cluster. Reading is synchronous; `now` gives Unix seconds.

    Nothing but the salt and the batch key is kept outside of the store's checked cache, and those two never change.
    """

    def __init__(self, barrier: Barrier, index: LeaseIndex, now: Callable[[], float]) -> None:
        self.now = now
        self._index = index
        self._view = barrier.view("token/")
        self._entries = self._view.within("id/")
        self._tree = TokenTree(self._view, index, barrier.view("cubbyhole/"), now)
        self._salt = b""

    @property
    def view(self) -> StorageView:
        """Where tokens are stored; a transaction of it may span tokens, leases and cubbyholes."""
        return self._view

    async def prepare(self) -> None:
        """Make the salt and the batch key if the cluster has none yet. On the active node, after each unseal."""
        with self._view.transaction() as tx:
            if tx.get("salt") is None:
                tx.put("salt", ids.new_salt())
            if tx.get("batch-key") is None:
                tx.put("batch-key", batch.new_key())
        await tx.commit()

    # --- looking up

    def lookup(self, token: str) -> TokenEntry | None:
        """The entry of a token that may be used now, else None: unknown, ended, revoked, forged or used up."""
        if token.startswith(ids.BATCH_PREFIX):
            return self._lookup_batch(token)
        if len(token) > ids.TOKEN_CHARACTERS_MAX:
            return None
        entry = self._entries.get_checked(ids.salted_id(self._salt, token), decode_entry) if self._salt else None
        if entry is None:
            if not self._reload_salt():
                return None
            entry = self._entries.get_checked(ids.salted_id(self._salt, token), decode_entry)
        return entry if entry is not None and is_alive(entry, self.now()) else None

    def lookup_key(self, key: str) -> TokenEntry | None:
        """The entry under a salted id, if the token may be used now."""
        entry = self._entries.get_checked(key, decode_entry)
        return entry if entry is not None and is_alive(entry, self.now()) else None

    def lookup_accessor(self, accessor: str) -> TokenEntry | None:
        """The entry of the token with this accessor, if the token may be used now."""
        if not accessor or len(accessor) > ids.TOKEN_CHARACTERS_MAX or not (self._salt or self._reload_salt()):
            return None
        for _ in range(2):
            found = self._view.get_checked("accessor/" + ids.salted_accessor(self._salt, accessor), decode_accessor)
            if found is not None:
                return self.lookup_key(found.key)
            if not self._reload_salt():
                break
        return None

    def stored(self, key: str) -> TokenEntry | None:
        """The entry under a salted id whatever its state, for the sweeper and for leases."""
        return self._entries.get_checked(key, decode_entry)

    def accessors(self, after: str = "", limit: int = 1000) -> tuple[list[str], str]:
        """A page of accessors of usable tokens, and where the next page begins (empty after the last)."""
        names = self._view.list_page("accessor", after=after, limit=limit)
        found = []
        for name in names:
            packed = self._view.get("accessor/" + name)
            if packed is None:
                continue
            entry = decode_accessor(packed)
            if self.lookup_key(entry.key) is not None:
                found.append(entry.accessor)
        return found, names[-1] if len(names) == limit else ""

    def accessor_name(self, accessor: str) -> str:
        """Where an accessor stands in the order of the list; empty for none."""
        return ids.salted_accessor(self._salt, accessor) if accessor and (self._salt or self._reload_salt()) else ""

    def _lookup_batch(self, token: str) -> TokenEntry | None:
        key = self._view.get_checked("batch-key", bytes)
        if key is None or not (self._salt or self._reload_salt()) or len(token) > ids.TOKEN_CHARACTERS_MAX:
            return None
        entry = batch.unseal(key, token, ids.salted_id(self._salt, token))
        if entry is None or not is_alive(entry, self.now()):
            return None
        if entry.parent and self.lookup_key(entry.parent) is None:
            return None
        return entry

    def _reload_salt(self) -> bool:
        """Read the salt again; true if it is another one than before (first use, or a restored snapshot)."""
        salt = self._view.get_checked("salt", bytes) or b""
        changed = salt != self._salt
        self._salt = salt
        return changed and bool(salt)

    # --- making

    async def create(self, draft: TokenEntry, *, token: str = "", leased: bool = True) -> tuple[str, TokenEntry]:
        """Make a token of any type. See `create_in`."""
        if draft.type == "batch":
            return self._create_batch(draft)
        with self._view.transaction() as tx:
            made = self.create_in(tx, draft, token=token, leased=leased)
        await tx.commit()
        return made

    def create_in(
        self, tx: Transaction, draft: TokenEntry, *, token: str = "", leased: bool = True
    ) -> tuple[str, TokenEntry]:
        """Make a service token in the caller's transaction; the token, and its entry.

        `draft` has everything but key, accessor, lease and index; it ends `creation_ttl` after `creation_time` unless
        it says otherwise. Raises BadRequest for a token that exists, or a parent that does not.
        """
        own = tx.at(self._view)
        self._salt = own.get_checked("salt", bytes) or b""
        if not self._salt:
            raise Unavailable("the token store is not ready")
        token = token or ids.new_service_token()
        key, accessor = ids.salted_id(self._salt, token), ids.new_accessor()
        if own.get("id/" + key) is not None:
            raise BadRequest("cannot create a token with a duplicate ID")
        ends = draft.expire_time or (draft.creation_time + draft.creation_ttl if draft.creation_ttl else 0.0)
        entry = replace(
            draft,
            key=key,
            accessor=accessor,
            expire_time=ends,
            ttl=draft.ttl or draft.creation_ttl,
            lease_id=f"{draft.path}/{key}" if leased else "",
            due=ends,
        )
        if entry.parent:
            self._require_parent(own, entry.parent)
            own.put(f"parent/{entry.parent}/{key}", b"")
        own.put("id/" + key, encode_entry(entry))
        own.put("accessor/" + ids.salted_accessor(self._salt, accessor), encode_accessor(AccessorEntry(accessor, key)))
        if leased:
            self._index.put_token(own, entry)
        self._index.set_due(own, due_name(entry), 0.0, entry.due, key)
        return token, entry

    async def create_root(
        self, *, token_id: str = "", path: str = "auth/token/root", display_name: str = "root", leased: bool = False
    ) -> str:
        """Make a root token without end; the token. For the ceremonies, and with `token_id` for development."""
        draft = TokenEntry(
            key="", policies=("root",), path=path, display_name=display_name, creation_time=self.now(), renewable=False
        )
        token, _ = await self.create(draft, token=token_id, leased=leased)
        return token

    async def login(self, auth: Auth, *, path: str, mount_token_type: str, limits: Limits) -> list[str]:
        """Make the token that an auth method's answer asks for, and write it into the answer; see `tokens.login`."""
        return await issue(self, auth, path, mount_token_type, limits)

    def _create_batch(self, draft: TokenEntry) -> tuple[str, TokenEntry]:
        key = self._view.get_checked("batch-key", bytes)
        if key is None or not (self._salt or self._reload_salt()):
            raise Unavailable("the token store is not ready")
        if draft.parent and self.lookup_key(draft.parent) is None:
            raise BadRequest("parent token lookup failed: no parent found")
        token = batch.seal(key, draft)
        made = batch.unseal(key, token, ids.salted_id(self._salt, token))
        if made is None:
            raise Unavailable("the batch key changed meanwhile")
        return token, made

    def _require_parent(self, tx: Transaction, parent: str) -> None:
        packed = tx.get("id/" + parent)
        if packed is None or not is_alive(decode_entry(packed), self.now()):
            raise BadRequest("parent token lookup failed: no parent found")

    # --- using

    async def use(self, entry: TokenEntry) -> TokenEntry:
        """Take one of the token's uses; the entry with what is left, LAST_USE if this is the last.

        Raises PermissionDenied if the uses are gone: of several last uses at once exactly one gets through.
        """
        if not entry.num_uses:
            return entry
        with self._view.transaction() as tx:
            packed = tx.get("id/" + entry.key)
            stored = None if packed is None else decode_entry(packed)
            if stored is None or not is_alive(stored, self.now()):
                raise PermissionDenied
            used = replace(stored, num_uses=stored.num_uses - 1 or LAST_USE)
            if used.num_uses == LAST_USE:
                used = self._due_soon(tx, used)
            tx.put("id/" + entry.key, encode_entry(used))
        await tx.commit()
        return used

    def _due_soon(self, tx: Transaction, entry: TokenEntry) -> TokenEntry:
        due = self.now() + LAST_USE_SECONDS_MAX
        if entry.due and entry.due < due:
            return entry
        self._index.set_due(tx, due_name(entry), entry.due, due, entry.key)
        return replace(entry, due=due)

    async def used_up(self, entry: TokenEntry) -> None:
        """Revoke a token after the request that was its last use."""
        await self.revoke(entry.key)

    def require_existing(self, tx: Transaction, key: str) -> None:
        """Raise PermissionDenied unless the token lives, in the caller's transaction; its last use may be going on."""
        packed = tx.at(self._view).get("id/" + key)
        if packed is None or not exists(decode_entry(packed), self.now()):
            raise PermissionDenied

    def is_usable(self, tx: Transaction, key: str) -> bool:
        """True if the token may be used, in the caller's transaction."""
        packed = tx.at(self._view).get("id/" + key)
        return packed is not None and is_alive(decode_entry(packed), self.now())

    def is_stored(self, tx: Transaction, key: str) -> bool:
        """True if there is a record of the token, whatever its state, in the caller's transaction."""
        return tx.at(self._view).get("id/" + key) is not None

    # --- renewing

    async def renew(self, entry: TokenEntry, decide: Callable[[TokenEntry], Grant]) -> tuple[TokenEntry, Grant]:
        """Give a token a new end. `decide` gets the entry as it is now and may raise to refuse.

        Raises BadRequest for what cannot be renewed, in the words of `require_renewable`.
        """
        require_renewable(entry)
        with self._view.transaction() as tx:
            packed = tx.get("id/" + entry.key)
            stored = None if packed is None else decode_entry(packed)
            if stored is None or not exists(stored, self.now()):
                raise BadRequest("lease expired")
            require_renewable(stored)
            granted = decide(stored)
            # The last use of a token does not outlive its request, whatever the renewal says.
            due = stored.due if stored.num_uses == LAST_USE else granted.expire_time
            renewed = replace(
                stored, ttl=granted.ttl, expire_time=granted.expire_time, last_renewal=self.now(), due=due
            )
            self._index.set_due(tx, due_name(stored), stored.due, due, stored.key)
            tx.put("id/" + stored.key, encode_entry(renewed))
        await tx.commit()
        return renewed, granted

    # --- revoking

    async def revoke(self, *keys: str) -> None:
        """Revoke tokens with all their descendants, their leases and cubbyholes. Unknown ones are no error."""
        await self._tree.revoke(keys)

    async def revoke_orphan(self, key: str) -> None:
        """Revoke one token; its children live on as orphans."""
        await self._tree.revoke_orphan(key)

    def remove_in(self, tx: Transaction, key: str) -> None:
        """Revoke a token that can have neither children nor leases, in the caller's transaction (a wrapping token)."""
        self._tree.remove(tx.at(self._view), key)

    async def tidy(self) -> int:
        """Take away index entries and cubbyholes that no token stands behind; how many."""
        return await self._tree.tidy()


def require_renewable(entry: TokenEntry) -> None:
    """Raise BadRequest for a token that cannot be renewed."""
    if entry.type == "batch":
        raise BadRequest("batch tokens cannot be renewed")
    if not entry.lease_id:
        raise BadRequest("invalid lease ID")
    if not entry.renewable or not entry.expire_time:
        raise BadRequest("lease is not renewable")
