"""A request on its way through the node."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from strongroom_node.sdk.mount import Mount
    from strongroom_node.sdk.path import Path
    from strongroom_node.sdk.token import TokenEntry


class Operation(StrEnum):
    """What is asked of a path. LIST and SCAN paths end with a slash."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    LIST = "list"
    SCAN = "scan"
    HELP = "help"
    RENEW = "renew"
    REVOKE = "revoke"
    ROLLBACK = "rollback"


WRITES = frozenset({Operation.CREATE, Operation.UPDATE, Operation.PATCH})
LISTS = frozenset({Operation.LIST, Operation.SCAN})


@dataclass(slots=True)
class Request:
    """One request, filled in step by step by the pipeline.

    `path` is the whole path below `/v1/`; `relative` is its part below the mount. `data` is the decoded
    body, or the query of a read, list or delete. `fields` are the declared fields that were given, in
    their declared types; URL captures are among them and win over the body.
    """

    operation: Operation
    path: str
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    id: str = ""
    token: str = field(default="", repr=False)
    remote_address: str = ""
    remote_port: int = 0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    namespace: str = ""
    body: bytes = field(default=b"", repr=False)
    wrap_ttl: float = 0.0
    wrap_format: str = ""
    client_certificate: bytes = field(default=b"", repr=False)

    mount: "Mount | None" = None
    declaration: "Path | None" = None
    relative: str = ""
    fields: dict[str, Any] = field(default_factory=dict, repr=False)
    auth: "TokenEntry | None" = None
    identity_policies: tuple[str, ...] = ()
    secret_data: dict[str, Any] = field(default_factory=dict, repr=False)
    """For RENEW and REVOKE: the internal data that the engine stored with the lease."""
    increment: float = 0.0
    """For RENEW: how many seconds the caller asks for; 0 when it did not say."""

    def get(self, name: str, default: Any = None) -> Any:
        """The field's value, else its declared default, else `default`."""
        value = self.fields.get(name)
        if value is not None:
            return value
        if self.declaration is not None and (declared := self.declaration.fields.get(name)) is not None:
            made = declared.default_value()
            if made is not None:
                return made
        return default

    def has(self, name: str) -> bool:
        """True if the caller gave the field."""
        return name in self.fields
