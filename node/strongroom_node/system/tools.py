"""`sys/tools`: random bytes and hashes."""

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Final

from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Field, FieldInvalid, Int, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response
from strongroom_storage.crypto.entropy import random_bytes

if TYPE_CHECKING:
    from strongroom_node.system.engine import SystemEngine

RANDOM_BYTES_MAX: Final = 128 * 1024
"""Vault's limit of one answer."""
RANDOM_BYTES_DEFAULT: Final = 32
INLINE_BYTES_MAX: Final = 1 << 18
"""Longer input is hashed off the event loop; this much takes below a millisecond."""

_SOURCES: Final = frozenset({"platform", "seal", "all"})
_ALGORITHMS: Final = {
    "sha2-224": "sha224",
    "sha2-256": "sha256",
    "sha2-384": "sha384",
    "sha2-512": "sha512",
    "sha3-224": "sha3_224",
    "sha3-256": "sha3_256",
    "sha3-384": "sha3_384",
    "sha3-512": "sha3_512",
}


def _encoded(raw: bytes, encoding: str) -> str:
    return raw.hex() if encoding == "hex" else base64.b64encode(raw).decode()


def _count(request: Request) -> int:
    """How many bytes are asked for; the URL wins over the body. Raises BadRequest."""
    url = request.fields.get("urlbytes")
    if url is None:
        count = int(request.get("bytes", RANDOM_BYTES_DEFAULT))
    else:
        try:
            count = int(Int().coerce(url))
        except FieldInvalid as error:
            raise BadRequest("error parsing url-set byte count") from error
    if count < 1:
        raise BadRequest("'bytes' cannot be less than 1")
    if count > RANDOM_BYTES_MAX:
        raise BadRequest(f"'bytes' should be less than {RANDOM_BYTES_MAX}")
    return count


async def random(_engine: "SystemEngine", request: Request) -> Response:
    """Random bytes. A source is taken for what it is: the kernel's generator stands behind all of them."""
    source = request.get("source", "platform")
    if source not in _SOURCES:
        raise BadRequest(f'unsupported entropy source "{source[:32]}"; must be "platform" or "seal", or "all"')
    encoding = request.get("format", "base64")
    if encoding not in {"hex", "base64"}:
        raise BadRequest(f'unsupported encoding format "{encoding[:32]}"; must be "hex" or "base64"')
    return Response(data={"random_bytes": _encoded(random_bytes(_count(request)), encoding)})


async def random_of(engine: "SystemEngine", request: Request) -> Response:
    """Random bytes, where the URL names either the source or the number of bytes."""
    named = request.fields.pop("source_or_bytes")
    request.fields["source" if named in _SOURCES else "urlbytes"] = named
    return await random(engine, request)


def _decoded(text: str) -> bytes:
    """The bytes behind base64, or BadRequest naming the first byte that is wrong."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        letters = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        at = next((at for at, byte in enumerate(text.encode()) if byte not in letters), len(text))
        raise BadRequest(f"unable to decode input as base64: illegal base64 data at input byte {at}") from error


async def digest(engine: "SystemEngine", request: Request) -> Response:
    """The hash of an input."""
    algorithm = request.fields.get("urlalgorithm") or request.get("algorithm", "sha2-256")
    encoding = request.get("format", "hex")
    if encoding not in {"hex", "base64"}:
        raise BadRequest(f'unsupported encoding format {encoding[:32]}; must be "hex" or "base64"')
    if algorithm not in _ALGORITHMS:
        raise BadRequest(f"unsupported algorithm {algorithm[:32]}")
    data = _decoded(request.get("input", ""))
    name = _ALGORITHMS[algorithm]
    if len(data) <= INLINE_BYTES_MAX:
        found = hashlib.new(name, data).digest()
    else:
        found = await engine.core.run_blocking(lambda: hashlib.new(name, data).digest())
    return Response(data={"sum": _encoded(found, encoding)})


_RANDOM_FIELDS: Final[dict[str, Field]] = {
    "bytes": Int("How many bytes.", default=RANDOM_BYTES_DEFAULT),
    "format": Text("hex or base64.", default="base64"),
    "source": Text("platform, seal or all.", default="platform"),
}
_HASH_FIELDS: Final[dict[str, Field]] = {
    "input": Text("What to hash, in base64.", required=True),
    "algorithm": Text("sha2-224, sha2-256, sha2-384, sha2-512, or sha3- with the same sizes.", default="sha2-256"),
    "format": Text("hex or base64.", default="hex"),
}

PATHS = (
    Path("tools/random", fields=_RANDOM_FIELDS, update=random, help="Generate random bytes."),
    Path(
        "tools/random/{source_or_bytes}",
        fields={**_RANDOM_FIELDS, "source_or_bytes": Text("The source, or how many bytes.")},
        update=random_of,
        help="Generate random bytes.",
    ),
    Path(
        "tools/random/{source}/{urlbytes}",
        fields={**_RANDOM_FIELDS, "urlbytes": Text("How many bytes.")},
        update=random,
        help="Generate random bytes.",
    ),
    Path("tools/hash", fields=_HASH_FIELDS, update=digest, help="Hash data."),
    Path(
        "tools/hash/{urlalgorithm}",
        fields={**_HASH_FIELDS, "urlalgorithm": Text("Hash algorithm.")},
        update=digest,
        help="Hash data.",
    ),
)
