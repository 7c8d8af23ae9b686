"""One KV mount, of either version, and where it keeps what."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from strongroom_node.engines.kv import record
from strongroom_node.engines.kv.record import Config, Secret
from strongroom_node.sdk.engine import Engine, MountContext
from strongroom_node.sdk.errors import BadRequest, NotFound
from strongroom_node.sdk.fields import Field, Int, Text
from strongroom_node.sdk.mount import Mount
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response
from strongroom_node.sdk.timestamps import micros
from strongroom_storage.crypto.entropy import random_base62

CONFIG: Final = "config"
METADATA: Final = "metadata/"
VERSIONS: Final = "versions/"
PLAIN: Final = "unversioned/"
"""Secrets of version 1. Not shorter than `METADATA`: what fits here still fits there after an upgrade."""

_CONFIG_DEFAULT: Final = Config()
_ID_CHARACTERS: Final = 20  # 119 bits: nobody's secrets share a folder.
_TRAILING_SLASH: Final = "cannot write to a path ending in '/'"


def is_versioned(mount: Mount) -> bool:
    """True for version 2. Raises BadRequest for a version that does not exist."""
    version = (mount.options or {}).get("version", "")
    if version not in {"", "1", "2"}:
        raise BadRequest(f"unknown version {version!r} of the kv engine")
    return version == "2"


class KVEngine(Engine):
    """A KV mount.

    A versioned secret is a record at `metadata/<path>` and its data at `versions/<id>/<number>`; the id is random,
    so that a secret which is made anew never meets data of its forerunner, and no path is too long for its tenth
    version only.
    """

    def __init__(self, context: MountContext) -> None:
        """Nothing is known yet of an upgrade; the first request looks."""
        super().__init__(context)
        self.is_upgraded = False
        self.upgrading = asyncio.Lock()

    def now(self) -> int:
        """Microseconds since the epoch."""
        return micros(self.system.now())

    def config(self) -> Config:
        """The mount's configuration."""
        return self.view.get_checked(CONFIG, record.decode_config) or _CONFIG_DEFAULT

    def secret(self, path: str) -> Secret | None:
        """A secret's record."""
        return self.view.get_checked(METADATA + path, record.decode_secret)


def new_secret(now: int) -> Secret:
    """A record without versions, with a folder of its own."""
    return Secret(id=random_base62(_ID_CHARACTERS), created=now, updated=now)


def data_key(secret: Secret, number: int) -> str:
    """Where a version's data are."""
    return f"{VERSIONS}{secret.id}/{number}"


def path_to_read(request: Request) -> str:
    """The secret's path. Raises NotFound where no secret can be."""
    path: str = request.fields["path"]
    if not path or path.endswith("/"):
        raise NotFound
    return path


def path_to_write(request: Request) -> str:
    """The secret's path. Raises BadRequest where no secret can be."""
    path: str = request.fields["path"]
    if not path or path.endswith("/"):
        raise BadRequest(_TRAILING_SLASH)
    return path


def page_of(request: Request) -> tuple[str, int]:
    """`after` and `limit` of a LIST; every limit below 1 means all."""
    limit = int(request.get("limit", -1))
    return str(request.get("after", "")), limit if limit > 0 else -1


LIST_FIELDS: Final[dict[str, Field]] = {
    "path": Text("Location of the secret, or of a folder to list."),
    "after": Text("List only names greater than this one.", query=True),
    "limit": Int("List at most this many names; all if not positive.", default=-1, query=True),
}

Handler = Callable[[KVEngine, Request], Awaitable[Response | None]]
