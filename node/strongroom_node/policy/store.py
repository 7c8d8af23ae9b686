"""Stored policies, and the compiled rules of the callers who have them."""

import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from strongroom_node.policy.acl import ACL, compile_policies
from strongroom_node.policy.builtin import BUILTIN_TEXTS, DEFAULT_TEXT, IMMUTABLE, INTERNAL
from strongroom_node.policy.parse import PolicyInvalid, decode_text, errors_occurred, parse_policy
from strongroom_node.policy.password import (
    PasswordGenerator,
    PasswordPolicy,
    PasswordPolicyInvalid,
    parse_password_policy,
)
from strongroom_node.policy.rules import Policy
from strongroom_node.policy.template import IdentityContext, fill_policy
from strongroom_node.sdk.errors import BadRequest, NotFound
from strongroom_storage.codec import pack, unpack
from strongroom_storage.crypto.entropy import random_bytes
from strongroom_storage.errors import InputRefused
from strongroom_storage.view import StorageView

BUNDLES_MAX: Final = 4096
"""Different lists of policy names kept; each is a tuple of references."""
COMPILED_MAX: Final = 1024
"""Compiled ACLs kept: about 15 KiB each with the default policy."""

_BUILTIN: Final = {name: parse_policy(name, text) for name, text in BUILTIN_TEXTS.items()}


class PolicyBarrier(Protocol):
    """What the store needs of the barrier."""

    def view(self, prefix: str) -> StorageView:
        """The storage below a prefix."""
        ...

    def generation(self, name: str) -> int:
        """A number that changes with every change of a class of paths."""
        ...


class _Bundle:
    """The policies behind one list of names, as they were at one generation."""

    __slots__ = ("generation", "is_templated", "policies")

    def __init__(self, generation: int, policies: tuple[Policy, ...]) -> None:
        self.generation = generation
        self.policies = policies
        self.is_templated = any(policy.is_templated for policy in policies)


class PolicyStore:
    """Policies below `sys/policy/`: read and written by name, compiled for callers."""

    def __init__(self, barrier: PolicyBarrier, now: Callable[[], float] = time.time) -> None:
        """Nothing is read before it is asked for. `now` is Unix seconds."""
        self._barrier = barrier
        self._now = now
        self._view = barrier.view("sys/policy/acl/")
        self._passwords = barrier.view("sys/policy/password/")
        self._generator = PasswordGenerator(random_bytes)
        self._bundles: dict[tuple[str, ...], _Bundle] = {}
        self._compiled: dict[tuple[tuple[str, ...], str], tuple[_Bundle, IdentityContext | None, ACL]] = {}

    # --- ACL policies ---------------------------------------------------------------------------------

    async def ensure_defaults(self) -> None:
        """Write the default policy if it was never written, so that a later version does not change it."""
        if self._view.get("default") is None:
            await self._put("default", DEFAULT_TEXT)

    def names(self) -> list[str]:
        """Sorted names of all policies, then `root`; internal ones are left out."""
        return [*sorted({*self._view.walk(), "default"} - INTERNAL), "root"]

    def exists(self, name: str) -> bool:
        """Whether a policy of that name can be read."""
        return self.read(name) is not None

    def read(self, name: str) -> Policy | None:
        """A policy by its name in any case; `root` has an empty text."""
        name = name.lower()
        if name in IMMUTABLE:
            return _BUILTIN[name]
        return self._view.get_checked(name, _decode) or _BUILTIN.get(name)

    async def write(self, name: str, text: str) -> Policy:
        """Create or replace a policy, given in HCL, JSON or base64. Raises BadRequest."""
        if not text:
            raise BadRequest("'policy' parameter not supplied or empty")
        name = name.lower()
        text = decode_text(text)
        try:
            policy = parse_policy(name, text)
        except PolicyInvalid as error:
            raise BadRequest(str(error)) from None
        if not name:
            raise BadRequest("policy name missing")
        if name in IMMUTABLE:
            raise BadRequest(f'cannot update "{name}" policy')
        await self._put(name, text)
        return policy

    async def _put(self, name: str, text: str) -> None:
        with self._view.transaction() as tx:
            tx.put(name, pack({"name": name, "text": text, "modified": int(self._now())}))
        await tx.commit()

    async def delete(self, name: str) -> None:
        """Drop a policy; one that is not there is no error. Raises BadRequest for those that must stay."""
        name = name.lower()
        if name in IMMUTABLE:
            raise BadRequest(f'cannot delete "{name}" policy')
        if name == "default":
            raise BadRequest("cannot delete default policy")
        with self._view.transaction() as tx:
            tx.delete(name)
        await tx.commit()

    # --- compiled -------------------------------------------------------------------------------------

    def compiled(self, names: tuple[str, ...], identity: IdentityContext | None = None) -> ACL:
        """What a caller with these policies and this identity may do. Names without a policy grant nothing.

        Kept while the policies are the same; with templates, while the identity is equal, too.
        """
        bundle = self._bundle(names)
        if not bundle.is_templated:
            identity = None
        key = (names, "" if identity is None else identity.id)
        kept = self._compiled.get(key)
        if kept is not None and kept[0] is bundle and (kept[1] is identity or kept[1] == identity):
            acl = kept[2]
            if not acl.expires or self._now() < acl.expires:
                return acl
        acl = compile_policies([fill_policy(policy, identity) for policy in bundle.policies], self._now())
        _keep(self._compiled, key, (bundle, identity, acl), COMPILED_MAX)
        return acl

    def _bundle(self, names: tuple[str, ...]) -> _Bundle:
        generation = self._barrier.generation("policy")
        bundle = self._bundles.get(names)
        if bundle is not None and bundle.generation == generation:
            return bundle
        found = tuple(policy for name in dict.fromkeys(names) if (policy := self._granting(name)) is not None)
        if bundle is not None and _are_same(bundle.policies, found):
            bundle.generation = generation
            return bundle
        bundle = _Bundle(generation, found)
        _keep(self._bundles, names, bundle, BUNDLES_MAX)
        return bundle

    def _granting(self, name: str) -> Policy | None:
        """A policy that a token names; a name that storage refuses belongs to none."""
        try:
            return self.read(name)
        except InputRefused:
            return None

    # --- password policies ----------------------------------------------------------------------------

    def password_names(self) -> list[str]:
        """Sorted names of the password policies."""
        return self._passwords.walk()

    def password_read(self, name: str) -> str | None:
        """The text of a password policy."""
        found = self._passwords.get_checked(name, _decode_password)
        return None if found is None else found[0]

    async def password_write(self, name: str, text: str) -> None:
        """Create or replace a password policy. Raises BadRequest."""
        if not name:
            raise BadRequest(errors_occurred(["missing policy name"]))
        if not text:
            raise BadRequest(errors_occurred(["missing policy"]))
        text = decode_text(text)
        try:
            parse_password_policy(text)
        except PasswordPolicyInvalid as error:
            raise BadRequest(errors_occurred([str(error)])) from None
        with self._passwords.transaction() as tx:
            tx.put(name, pack({"text": text}))
        await tx.commit()

    async def password_delete(self, name: str) -> None:
        """Drop a password policy; one that is not there is no error."""
        with self._passwords.transaction() as tx:
            tx.delete(name)
        await tx.commit()

    def generate_password(self, name: str) -> str:
        """A password by the named policy. Raises NotFound."""
        found = self._passwords.get_checked(name, _decode_password)
        if found is None:
            raise NotFound(errors_occurred(["policy does not exist"]))
        return self._generator.generate(found[1])


def _decode(record: bytes) -> Policy:
    """A stored policy; one that no longer parses stops whoever needs it rather than losing its denials."""
    fields: dict[str, Any] = unpack(record)
    return parse_policy(fields["name"], fields["text"])


def _decode_password(record: bytes) -> tuple[str, PasswordPolicy]:
    text: str = unpack(record)["text"]
    return text, parse_password_policy(text)


def _are_same(mine: tuple[Policy, ...], found: tuple[Policy, ...]) -> bool:
    """The same objects: the view gives the same one while its record is unchanged."""
    return len(mine) == len(found) and all(one is other for one, other in zip(mine, found, strict=True))


def _keep(table: dict[Any, Any], key: Any, value: Any, size_max: int) -> None:
    """Put into a bounded table; what has been there longest goes first."""
    table.pop(key, None)
    while len(table) >= size_max:
        del table[next(iter(table))]
    table[key] = value
