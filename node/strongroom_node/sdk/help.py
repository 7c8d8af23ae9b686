"""`?help=1`: what the declarations say of a path."""

import msgspec

from strongroom_node.sdk.engine import EngineType
from strongroom_node.sdk.path import Path, PathTable
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.sdk.response import Raw, Response

_OPERATIONS = (
    Operation.READ,
    Operation.CREATE,
    Operation.UPDATE,
    Operation.PATCH,
    Operation.DELETE,
    Operation.LIST,
    Operation.SCAN,
)


def path_help(kind: EngineType, table: PathTable, request: Request) -> Response:
    """Help on the path that was asked for, or on the engine at its root; sent without an envelope, as in Vault."""
    if request.relative.strip("/") and request.declaration is not None:
        text = _of_path(request, request.declaration)
    else:
        text = _of_engine(kind, table)
    return Response(raw=Raw(msgspec.json.encode({"help": text, "see_also": None})))


def _of_path(request: Request, path: Path) -> str:
    lines = [f"Request:        {request.relative}", f"Matching Route: ^{path.pattern}$", "", path.help]
    fields = path.all_fields
    if fields:
        lines += ["", "## PARAMETERS"]
        for name, declared in sorted(fields.items()):
            kind = type(declared).__name__.lower()
            lines += ["", f"    {name} ({kind})", f"        {declared.description}"]
    operations = [operation.value for operation in _OPERATIONS if path.handler(operation) is not None]
    lines += ["", "## OPERATIONS", "", f"    {', '.join(operations)}"]
    if path.description:
        lines += ["", "## DESCRIPTION", "", path.description]
    return "\n".join(lines) + "\n"


def _of_engine(kind: EngineType, table: PathTable) -> str:
    lines = ["## DESCRIPTION", "", kind.help or kind.summary, "", "## PATHS", ""]
    lines.append("The following paths are supported by this engine. To view help for")
    lines.append("any of the paths below, use the help command with any route matching")
    lines.append("the path pattern. Depending on the policy of your token, some may be refused.")
    for path in table.paths:
        lines += ["", f"    ^{path.pattern}$", f"        {path.help}"]
    return "\n".join(lines) + "\n"
