"""OpenAPI 3 of everything mounted, from the same declarations that route and validate."""

import re
from typing import TYPE_CHECKING, Any

from strongroom_node.sdk.fields import Field
from strongroom_node.sdk.mount import Mount
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.request import Operation, Request

if TYPE_CHECKING:
    from strongroom_node.core.core import Core

_VERBS = {
    Operation.READ: "get",
    Operation.LIST: "get",
    Operation.UPDATE: "post",
    Operation.PATCH: "patch",
    Operation.DELETE: "delete",
}
_PLACEHOLDER = re.compile(r"\{(\w+)[+*]?\}")
_ERRORS = {
    "4XX": {
        "description": "The request was refused.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}},
    },
    "5XX": {
        "description": "The node could not answer.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}},
    },
}


def document(core: "Core", request: Request, *, generic_mount_paths: bool = False) -> dict[str, Any]:
    """The OpenAPI document: the mounts that the token may see; without a token only `sys/` and `auth/token/`."""
    paths: dict[str, Any] = {}
    acl = core.acl_of(request.auth, request.identity_policies) if request.auth is not None else None
    for mount_path, mount in sorted(core.mounts.all().items()):
        public = mount.config.listing_visibility == "unauth" or mount_path in {"sys/", "auth/token/"}
        if not public and (acl is None or not acl.has_mount_access(mount_path)):
            continue
        for path in core.router.of(mount).table.paths:
            _add(paths, mount, path, generic=generic_mount_paths)
    return {
        "openapi": "3.0.2",
        "info": {
            "title": "Strongroom API",
            "description": "The HTTP API of Strongroom, compatible with HashiCorp Vault. All routes begin with `/v1/`.",
            "version": core.version,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "paths": paths,
        "security": [{"token": []}],
        "components": {
            "schemas": {
                "Errors": {
                    "type": "object",
                    "required": ["errors"],
                    "properties": {"errors": {"type": "array", "items": {"type": "string"}}},
                }
            },
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Vault-Token"}},
        },
    }


def _add(paths: dict[str, Any], mount: Mount, path: Path, *, generic: bool) -> None:
    prefix, variable = mount.path, None
    if generic and mount.path not in {"sys/", "cubbyhole/", "identity/", "auth/token/"}:
        variable = f"{mount.type}_mount_path"
        prefix = f"auth/{{{variable}}}/" if mount.is_auth else f"{{{variable}}}/"
    url = "/" + prefix + _PLACEHOLDER.sub(r"{\1}", path.pattern)
    url = url.rstrip("/") or "/"
    item: dict[str, Any] = paths.setdefault(url, {})
    fields = path.all_fields
    captures = path.captures
    item["description"] = path.help
    item["parameters"] = [_parameter(name, fields[name], "path") for name in captures]
    if variable is not None:
        item["parameters"].append(_mount_parameter(variable, mount))
    if path.sudo:
        item["x-vault-sudo"] = True
    if path.unauthenticated:
        item["x-vault-unauthenticated"] = True
    if path.exists is not None:
        item["x-vault-createSupported"] = True
    for operation, verb in _VERBS.items():
        if path.handler(operation) is None or (verb in item and operation is Operation.LIST and _note_list(item)):
            continue
        item[verb] = _operation(mount, path, operation, fields, captures)


def _note_list(item: dict[str, Any]) -> bool:
    """A path that is read and listed: the one GET lists if `list` says so."""
    item["get"]["parameters"].append(_list_parameter(required=False))
    return True


def _list_parameter(*, required: bool) -> dict[str, Any]:
    schema = {"type": "string", "enum": ["true"]} if required else {"type": "string"}
    return {
        "name": "list",
        "in": "query",
        "description": "Must be `true` to list.",
        "required": required,
        "schema": schema,
    }


def _mount_parameter(variable: str, mount: Mount) -> dict[str, Any]:
    default = mount.path.removeprefix("auth/").rstrip("/")
    schema = {"type": "string", "default": default}
    return {"name": variable, "in": "path", "description": "Path of the mount.", "required": True, "schema": schema}


def _parameter(name: str, declared: Field, where: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": where,
        "description": declared.description,
        "required": where == "path" or declared.required,
        "schema": _schema(declared, described=False),
    }


def _schema(declared: Field, *, described: bool = True) -> dict[str, Any]:
    schema = dict(declared.schema)
    if described and declared.description:
        schema["description"] = declared.description
    if declared.default is not None:
        schema["default"] = declared.default
    if declared.choices:
        schema["enum"] = list(declared.choices)
    if declared.secret and schema.get("type") == "string":
        schema["format"] = "password"
    if declared.deprecated:
        schema["deprecated"] = True
    return schema


def _operation(
    mount: Mount, path: Path, operation: Operation, fields: dict[str, Field], captures: tuple[str, ...]
) -> dict[str, Any]:
    body = {name: field for name, field in fields.items() if name not in captures and not field.query}
    query = {name: field for name, field in fields.items() if name not in captures and field.query}
    found: dict[str, Any] = {
        "operationId": _identifier(mount, path, operation),
        "summary": path.help,
        "tags": ["auth" if mount.is_auth else "system" if mount.path == "sys/" else "secrets"],
        "parameters": [_parameter(name, field, "query") for name, field in query.items()],
        "responses": {"200": {"description": "OK"}, "204": {"description": "Done, with nothing to say."}, **_ERRORS},
    }
    if path.unauthenticated:
        found["security"] = []
    if operation is Operation.LIST:
        found["parameters"].append(_list_parameter(required=True))
    if operation in {Operation.UPDATE, Operation.PATCH}:
        schema: dict[str, Any] = {"type": "object", "properties": {n: _schema(f) for n, f in body.items()}}
        required = [name for name, field in body.items() if field.required]
        if required:
            schema["required"] = required
        kind = "application/merge-patch+json" if operation is Operation.PATCH else "application/json"
        found["requestBody"] = {"content": {kind: {"schema": schema}}}
    return found


def _identifier(mount: Mount, path: Path, operation: Operation) -> str:
    words = re.sub(r"[^0-9A-Za-z]+", "-", f"{mount.path}{path.pattern}").strip("-")
    return f"{words}-{operation.value}"
