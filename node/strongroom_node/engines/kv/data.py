"""Version 2: reading, writing, patching and deleting the data of a secret."""

from typing import Any

import msgspec

from strongroom_node.engines.kv import record
from strongroom_node.engines.kv.body import checked, versioned_body
from strongroom_node.engines.kv.engine import (
    CONFIG,
    METADATA,
    KVEngine,
    data_key,
    new_secret,
    path_to_read,
    path_to_write,
)
from strongroom_node.engines.kv.merge_patch import merge_patch
from strongroom_node.engines.kv.record import Config, Secret, Version
from strongroom_node.engines.kv.upgrade import versioned
from strongroom_node.sdk.errors import BadRequest, NotFound
from strongroom_node.sdk.fields import FieldInvalid, Int, Map, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response
from strongroom_storage.transaction import Transaction

_CONFIG_DEFAULT = Config()
_CAS = Int()


def asked_version(engine: KVEngine, request: Request) -> tuple[Secret, int, Version]:
    """The secret and the version that a read means; without a positive number the newest. Raises NotFound."""
    secret = engine.secret(path_to_read(request))
    if secret is None:
        raise NotFound
    number = int(request.get("version", 0))
    if number <= 0:
        number = secret.current
    version = secret.version(number)
    if version is None:
        raise NotFound
    return secret, number, version


def stored_data(engine: KVEngine, secret: Secret, number: int) -> bytes:
    """The JSON of a version that is not gone. Raises NotFound if it was trimmed meanwhile."""
    body = engine.view.get(data_key(secret, number))
    if body is None:
        raise NotFound
    return body


async def read(engine: KVEngine, request: Request) -> Response | None:
    """One version's data and metadata; of one that is gone the metadata only."""
    secret, number, version = asked_version(engine, request)
    metadata = secret.describe_version(number, version)
    if version.is_gone(engine.now()):
        return Response(data={"data": None, "metadata": metadata}, missing=True)
    return Response(data={"data": msgspec.Raw(stored_data(engine, secret, number)), "metadata": metadata})


def cas_of(request: Request) -> int | None:
    """The version that the caller believes to be the newest, or None. Raises BadRequest."""
    options: dict[str, Any] = request.get("options", {})
    if "cas" not in options:
        return None
    try:
        number: int = _CAS.coerce(options["cas"])
    except FieldInvalid as error:
        raise BadRequest("error parsing check-and-set parameter") from error
    return number


def check_cas(config: Config, secret: Secret | None, cas: int | None) -> None:
    """Raise BadRequest unless the write may go ahead."""
    if cas is None:
        if config.cas_required or (secret is not None and secret.cas_required):
            raise BadRequest("check-and-set parameter required for this call")
    elif cas != (0 if secret is None else secret.current):
        raise BadRequest("check-and-set parameter did not match the current version")


def tx_config(tx: Transaction) -> Config:
    """The mount's configuration as a transaction sees it."""
    return tx.get_checked(CONFIG, record.decode_config) or _CONFIG_DEFAULT


def tx_secret(tx: Transaction, path: str) -> Secret | None:
    """A secret's record as a transaction sees it."""
    return tx.get_checked(METADATA + path, record.decode_secret)


def put_version(tx: Transaction, path: str, config: Config, secret: Secret | None, body: bytes, now: int) -> Secret:
    """Write a new version, and trim what is over the limit."""
    before = secret or new_secret(now)
    after, trimmed = record.add_version(config, before, now)
    tx.put(data_key(after, after.current), body)
    tx.put(METADATA + path, record.encode(after))
    for number in trimmed:
        tx.delete(data_key(after, number))
    return after


def _newest(secret: Secret) -> dict[str, Any]:
    return secret.describe_version(secret.current, secret.versions[-1])


async def write(engine: KVEngine, request: Request) -> Response | None:
    """Add a version. Raises BadRequest if check-and-set does not let it."""
    path, body, cas, now = path_to_write(request), versioned_body(request), cas_of(request), engine.now()
    with engine.view.transaction() as tx:
        config, secret = tx_config(tx), tx_secret(tx, path)
        check_cas(config, secret, cas)
        secret = put_version(tx, path, config, secret, body, now)
    await tx.commit()
    return Response(data=_newest(secret))


async def patch(engine: KVEngine, request: Request) -> Response | None:
    """Add a version that is the newest one after a merge patch. Raises NotFound if there is nothing to patch."""
    path, change, cas, now = path_to_write(request), versioned_body(request), cas_of(request), engine.now()
    with engine.view.transaction() as tx:
        config, secret = tx_config(tx), tx_secret(tx, path)
        if secret is None or not secret.versions:
            raise NotFound
        if secret.versions[-1].is_gone(now):
            return Response(data=_newest(secret), missing=True)
        check_cas(config, secret, cas)
        before = tx.get(data_key(secret, secret.current))
        if before is None:
            raise NotFound
        secret = put_version(tx, path, config, secret, checked(merge_patch(before, change)), now)
    await tx.commit()
    return Response(data=_newest(secret))


async def delete(engine: KVEngine, request: Request) -> Response | None:
    """Delete the newest version, so that it can be undeleted."""
    path, now = request.fields["path"], engine.now()
    if path.endswith("/"):
        return None
    with engine.view.transaction() as tx:
        secret = tx_secret(tx, path)
        if secret is not None:
            changed = record.delete_versions(secret, {secret.current}, now)
            if changed is not secret:
                tx.put(METADATA + path, record.encode(changed))
    await tx.commit()
    return None


def exists(engine: KVEngine, request: Request) -> bool:
    """Whether the secret has a record: a write is an update then, else a create."""
    path: str = request.fields["path"]
    return not path.endswith("/") and engine.secret(path) is not None


async def root(_engine: KVEngine, _request: Request) -> Response | None:
    """Tell that the prefix alone is no secret."""
    return Response(warnings=["Non-listing operations on the root of a K/V v2 mount are not supported."], missing=True)


PATHS = (
    Path("data", read=root, update=root, patch=root, delete=root, help="The prefix of all secrets' data."),
    Path(
        "data/{path+}",
        fields={
            "path": Text("Location of the secret."),
            "version": Int("Version to read; the newest if not positive.", query=True),
            "data": Map("The secret: a JSON object. A patch is merged into the newest version.", secret=True),
            "options": Map("`cas`: the version that must be the newest, 0 for a secret without versions."),
        },
        read=versioned(read),
        update=versioned(write),
        patch=versioned(patch),
        delete=versioned(delete),
        exists=exists,
        help="Write, patch, read and delete data in the key-value store.",
    ),
)
