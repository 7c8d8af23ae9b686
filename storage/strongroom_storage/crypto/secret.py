"""Secrets in memory: no repr, wiped on release."""

import hmac
from types import TracebackType
from typing import Self


class SecretBytes:
    """A secret that prints as `<secret>` and is overwritten when released.

    Python may have copied the bytes elsewhere before; wiping shortens the time, it is no guarantee.
    """

    __slots__ = ("_buffer",)

    def __init__(self, value: bytes | bytearray) -> None:
        self._buffer = bytearray(value)

    def reveal(self) -> bytes:
        """A copy of the secret. Empty after `wipe`."""
        return bytes(self._buffer)

    def wipe(self) -> None:
        """Overwrite and forget the secret."""
        self._buffer[:] = bytes(len(self._buffer))
        self._buffer = bytearray()

    def __len__(self) -> int:
        """Length in bytes."""
        return len(self._buffer)

    def __eq__(self, other: object) -> bool:
        """Constant-time comparison with another secret; never equal to anything else."""
        return isinstance(other, SecretBytes) and hmac.compare_digest(self._buffer, other._buffer)

    __hash__ = None  # type: ignore[assignment]  # a hash of a secret would leak it into dictionaries

    def __repr__(self) -> str:
        """Say nothing of the secret."""
        return "<secret>"

    def __reduce__(self) -> str:
        """Refuse to be copied or serialized."""
        raise TypeError("a secret is not to be serialized")

    def __enter__(self) -> Self:
        """Use the secret for a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipe it at the end of the block."""
        self.wipe()

    def __del__(self) -> None:
        """Wipe what nobody refers to any more."""
        self.wipe()
