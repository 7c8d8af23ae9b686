"""Version 2: deleting, undeleting and destroying chosen versions."""

from typing import Final

from strongroom_node.engines.kv import record
from strongroom_node.engines.kv.data import tx_config, tx_secret
from strongroom_node.engines.kv.engine import METADATA, KVEngine, data_key, path_to_write
from strongroom_node.engines.kv.upgrade import versioned
from strongroom_node.sdk.errors import BadRequest
from strongroom_node.sdk.fields import Field, Int, StringList, Text
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response

_INT = Int()


class _Versions(StringList):
    """A list of version numbers, or a text of them cut at commas."""

    __slots__ = ()

    def coerce(self, value: object) -> object:
        """Integers."""
        return [_INT.coerce(item) for item in StringList.coerce(self, value)]


def _numbers(request: Request, message: str) -> set[int]:
    numbers: list[int] = request.get("versions", [])
    if not numbers:
        raise BadRequest(message)
    return set(numbers)


async def delete(engine: KVEngine, request: Request) -> Response | None:
    """Delete versions, so that they can be undeleted."""
    path, numbers, now = path_to_write(request), _numbers(request, "No version number provided"), engine.now()
    with engine.view.transaction() as tx:
        secret = tx_secret(tx, path)
        if secret is not None and (changed := record.delete_versions(secret, numbers, now)) is not secret:
            tx.put(METADATA + path, record.encode(changed))
    await tx.commit()
    return None


async def undelete(engine: KVEngine, request: Request) -> Response | None:
    """Bring deleted versions back."""
    path, numbers, now = path_to_write(request), _numbers(request, "No version number provided"), engine.now()
    with engine.view.transaction() as tx:
        secret = tx_secret(tx, path)
        if secret is not None:
            changed = record.undelete_versions(tx_config(tx), secret, numbers, now)
            if changed is not secret:
                tx.put(METADATA + path, record.encode(changed))
    await tx.commit()
    return None


async def destroy(engine: KVEngine, request: Request) -> Response | None:
    """Remove versions' data for ever."""
    path, numbers = path_to_write(request), _numbers(request, "no version number provided")
    with engine.view.transaction() as tx:
        secret = tx_secret(tx, path)
        if secret is not None and (changed := record.destroy_versions(secret, numbers)) is not secret:
            tx.put(METADATA + path, record.encode(changed))
            for number in sorted(numbers):
                version = changed.version(number)
                if version is not None and version.destroyed:
                    tx.delete(data_key(changed, number))
    await tx.commit()
    return None


_FIELDS: Final[dict[str, Field]] = {
    "path": Text("Location of the secret."),
    "versions": _Versions("Numbers of the versions."),
}

PATHS = (
    Path("delete/{path+}", fields=_FIELDS, update=versioned(delete), help="Delete versions; they can be undeleted."),
    Path("undelete/{path+}", fields=_FIELDS, update=versioned(undelete), help="Undelete versions."),
    Path("destroy/{path+}", fields=_FIELDS, update=versioned(destroy), help="Destroy versions for ever."),
)
