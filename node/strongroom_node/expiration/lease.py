"""A lease as it is stored."""

from typing import Any

import msgspec


class Lease(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that was handed out until a time. Times are Unix seconds, durations seconds.

    The lease of a token holds `id`, `path` and `token` only; its times are the token's. Otherwise `token` is the salted
    id of the token that takes the secret along, `kind` names the engine's `SecretType`, and `internal` is what the
    engine asked to get back.
    """

    id: str
    path: str
    token: str = ""
    kind: str = ""
    mount: str = ""
    mount_accessor: str = ""
    internal: dict[str, Any] = {}
    issue_time: float = 0.0
    expire_time: float = 0.0
    last_renewal: float = 0.0
    ttl: float = 0.0
    max_ttl: float = 0.0
    last_moment: float = 0.0
    """When the batch token that asked for it ends: no renewal goes further. 0 if there is no such end."""
    renewable: bool = False
    due: float = 0.0
    """Where it stands in the index of what is due; 0 if it does not."""
    attempts: int = 0
    error: str = ""
    is_irrevocable: bool = False

    @property
    def is_token(self) -> bool:
        """True for the lease of a token."""
        return not self.kind

    def __repr__(self) -> str:
        """Without what the engine keeps with it."""
        return f"<Lease {self.id}>"


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Lease)


def encode_lease(lease: Lease) -> bytes:
    """The stored form."""
    return _ENCODER.encode(lease)


def decode_lease(packed: bytes) -> Lease:
    """From the stored form."""
    return _DECODER.decode(packed)
