"""Version 2: a secret's metadata, and the list of secrets."""

from typing import Any, Final

import msgspec

from strongroom_node.engines.kv import custom_metadata, record
from strongroom_node.engines.kv.data import root, tx_config, tx_secret
from strongroom_node.engines.kv.engine import (
    LIST_FIELDS,
    METADATA,
    KVEngine,
    data_key,
    new_secret,
    page_of,
    path_to_read,
    path_to_write,
)
from strongroom_node.engines.kv.record import VERSIONS_MAX, Secret
from strongroom_node.engines.kv.upgrade import versioned
from strongroom_node.sdk.errors import BadRequest, NotFound
from strongroom_node.sdk.fields import Bool, Duration, Int, Map
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response, listing
from strongroom_node.sdk.timestamps import micros

_CAS_OVERRULED: Final = '"cas_required" set to false, but is mandated by backend config. This value will be ignored.'


async def read(engine: KVEngine, request: Request) -> Response | None:
    """Everything known of a secret but its data."""
    secret = engine.secret(path_to_read(request))
    return None if secret is None else Response(data=secret.describe())


def max_versions_of(request: Request) -> int:
    """The limit that the caller gave. Raises BadRequest."""
    number = int(request.get("max_versions", 0))
    if not 0 <= number <= VERSIONS_MAX:
        raise BadRequest(f"max_versions must be between 0 and {VERSIONS_MAX}")
    return number


def _changes(request: Request) -> dict[str, Any]:
    """The fields of the record that the caller gave, but `custom`."""
    changes: dict[str, Any] = {}
    if request.has("max_versions"):
        changes["max_versions"] = max_versions_of(request)
    if request.has("cas_required"):
        changes["cas_required"] = request.get("cas_required")
    if request.has("delete_version_after"):
        changes["delete_after"] = micros(request.get("delete_version_after"))
    return changes


async def write(engine: KVEngine, request: Request) -> Response | None:
    """Set the fields that were given; `custom_metadata` is replaced as a whole."""
    path, changes, now = path_to_write(request), _changes(request), engine.now()
    if request.has("custom_metadata"):
        changes["custom"] = custom_metadata.checked(custom_metadata.texts(request.get("custom_metadata"))) or None
    if not changes:
        return None
    with engine.view.transaction() as tx:
        config, before = tx_config(tx), tx_secret(tx, path) or new_secret(now)
        tx.put(METADATA + path, record.encode(msgspec.structs.replace(before, **changes)))
    await tx.commit()
    return Response(warnings=[_CAS_OVERRULED]) if _overruled(changes, config.cas_required) else None


async def patch(engine: KVEngine, request: Request) -> Response | None:
    """Merge the given fields; null resets one. Raises NotFound if there is no secret."""
    path, changes = path_to_write(request), _changes(request)
    resets: dict[str, Any] = {"max_versions": 0, "cas_required": False}
    changes.update({name: value for name, value in resets.items() if _is_null(request, name)})
    if _is_null(request, "delete_version_after"):
        changes["delete_after"] = 0
    with engine.view.transaction() as tx:
        config, before = tx_config(tx), tx_secret(tx, path)
        if before is None:
            raise NotFound
        custom = _patched_custom(request, before)
        after = msgspec.structs.replace(before, **changes, custom=custom)
        if after != before:
            tx.put(METADATA + path, record.encode(after))
    await tx.commit()
    return Response(warnings=[_CAS_OVERRULED]) if _overruled(changes, config.cas_required) else None


def _patched_custom(request: Request, before: Secret) -> dict[str, str] | None:
    if _is_null(request, "custom_metadata"):
        return None
    if not request.has("custom_metadata"):
        return before.custom
    return custom_metadata.checked(custom_metadata.merged(before.custom, request.get("custom_metadata"))) or None


def _is_null(request: Request, name: str) -> bool:
    return name in request.data and request.data[name] is None


def _overruled(changes: dict[str, Any], required_by_mount: bool) -> bool:
    return required_by_mount and changes.get("cas_required") is False


async def delete(engine: KVEngine, request: Request) -> Response | None:
    """Remove the secret: its record and the data of all its versions."""
    path: str = request.fields["path"]
    if not path or path.endswith("/"):
        return None
    with engine.view.transaction() as tx:
        secret = tx_secret(tx, path)
        if secret is not None:
            tx.delete(METADATA + path)
            for number in range(secret.first, secret.current + 1):
                tx.delete(data_key(secret, number))
    await tx.commit()
    return None


async def list_keys(engine: KVEngine, request: Request) -> Response | None:
    """Names one level below the path."""
    return listing(engine.view.list_page(METADATA + request.get("path", ""), *page_of(request)))


async def scan_keys(engine: KVEngine, request: Request) -> Response | None:
    """All secrets below the path."""
    return listing(engine.view.walk(METADATA + request.get("path", ""), *page_of(request)))


def exists(engine: KVEngine, request: Request) -> bool:
    """Whether the secret has a record: a write is an update then, else a create."""
    path: str = request.fields["path"]
    return bool(path) and not path.endswith("/") and engine.secret(path) is not None


PATHS = (
    Path(
        "metadata",
        fields={name: field for name, field in LIST_FIELDS.items() if name != "path"},
        read=root,
        update=root,
        patch=root,
        delete=root,
        list=versioned(list_keys),
        scan=versioned(scan_keys),
        help="List the secrets of the mount.",
    ),
    Path(
        "metadata/{path*}",
        fields={
            **LIST_FIELDS,
            "max_versions": Int("How many versions to keep; 0 for the mount's number."),
            "cas_required": Bool("Whether every write must use check-and-set."),
            "delete_version_after": Duration("When a version deletes itself, counted from its making; 0 for never."),
            "custom_metadata": Map("Notes on the secret: at most 64 texts."),
        },
        read=versioned(read),
        update=versioned(write),
        patch=versioned(patch),
        delete=versioned(delete),
        list=versioned(list_keys),
        scan=versioned(scan_keys),
        exists=exists,
        help="Configure, read, list and remove secrets.",
    ),
)
