"""The identity engine's instance, and what its paths share."""

from collections.abc import Callable
from typing import Any, Final

from strongroom_node.identity.records import Alias
from strongroom_node.identity.store import IdentityStore
from strongroom_node.sdk.engine import Engine, MountContext
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Field, Int, Text
from strongroom_node.sdk.mount import Mount
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.timestamps import format_micros

METADATA_KEYS_MAX: Final = 64
METADATA_KEY_BYTES_MAX: Final = 128
METADATA_VALUE_BYTES_MAX: Final = 512
NAME_BYTES_MAX: Final = 1024

PAGE_FIELDS: Final[dict[str, Field]] = {
    "after": Text("List only what comes after this one.", query=True),
    "limit": Int("List at most this many; all if not positive.", default=-1, query=True),
}


class IdentityEngine(Engine):
    """`identity/`; its records are the node's identity store, not the mount's own folder."""

    def __init__(self, context: MountContext, store: IdentityStore, mount_of: Callable[[str], Mount | None]) -> None:
        """Keep the store."""
        super().__init__(context)
        self.store = store
        self.mount_of = mount_of

    def auth_mount(self, accessor: str) -> Mount:
        """The auth method with this accessor. Raises BadRequest."""
        mount = self.mount_of(accessor)
        if mount is None or not mount.is_auth:
            raise BadRequest(f'invalid mount accessor "{accessor[:128]}"')
        return mount

    def mount_path(self, accessor: str) -> str:
        """Where the mount with this accessor is; "" if it is gone."""
        mount = self.mount_of(accessor)
        return "" if mount is None else mount.path


def page_of(request: Request) -> tuple[str, int]:
    """`after` and `limit` of a LIST."""
    limit = int(request.get("limit", -1))
    return str(request.get("after", "")), limit if limit > 0 else -1


def checked_name(name: str) -> str:
    """The same name. Raises BadRequest if it is too long or not printable."""
    if len(name.encode("utf-8", "surrogatepass")) > NAME_BYTES_MAX or not name.isprintable():
        raise BadRequest("the name is too long or has characters that cannot be printed")
    return name


def checked_metadata(metadata: dict[str, str]) -> dict[str, str] | None:
    """The same metadata, None for none. Raises BadRequest if they break a limit."""
    if len(metadata) > METADATA_KEYS_MAX:
        raise BadRequest(f"metadata can contain at most {METADATA_KEYS_MAX} key/value pairs")
    for key, value in metadata.items():
        if not 0 < len(key.encode()) <= METADATA_KEY_BYTES_MAX:
            raise BadRequest(f"a metadata key must have between 1 and {METADATA_KEY_BYTES_MAX} bytes")
        if len(value.encode()) > METADATA_VALUE_BYTES_MAX:
            raise BadRequest(f"a metadata value can have at most {METADATA_VALUE_BYTES_MAX} bytes")
    return metadata or None


def checked_policies(names: list[str]) -> tuple[str, ...]:
    """Lower-case names without repetition, in order. Raises BadRequest for root, which no identity may carry."""
    cleaned = tuple(dict.fromkeys(name.strip().lower() for name in names if name.strip()))
    if "root" in cleaned:
        raise BadRequest("policies cannot contain root")
    return cleaned


def describe_alias(engine: IdentityEngine, alias: Alias) -> dict[str, Any]:
    """An alias as answers show it within its owner."""
    return {
        "canonical_id": alias.owner,
        "creation_time": format_micros(alias.created),
        "custom_metadata": alias.custom_metadata,
        "id": alias.id,
        "last_update_time": format_micros(alias.updated),
        "local": alias.local,
        "merged_from_canonical_ids": list(alias.merged_from) or None,
        "metadata": alias.metadata,
        "mount_accessor": alias.mount_accessor,
        "mount_path": engine.mount_path(alias.mount_accessor),
        "mount_type": alias.mount_type,
        "name": alias.name,
    }
