"""`policy read`, `write`, `list`, `delete` and `fmt`."""

from typing import Final

from strongroom_node.cli.command import FORMAT, OK, Command, CommandFailed, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_value
from strongroom_node.client.client import DryRun
from strongroom_node.client.errors import APIError, ClientError


def _name(context: Context) -> str:
    """The policy's name, in the lower case the server keeps it in."""
    given = context.arguments[0].strip()
    name = given.lower()
    if name != given:
        context.streams.note(f'Policy name was converted from "{given}" to "{name}"')
    return name


def _read(context: Context) -> int:
    name = _name(context)
    try:
        data = context.client().call("GET", f"sys/policies/acl/{name}").data()
    except DryRun:
        raise
    except APIError as error:
        if error.status == 404:
            raise CommandFailed(f"No policy named: {name}") from error
        raise CommandFailed(f"Error reading policy named {name}: {error}") from error
    except ClientError as error:
        raise CommandFailed(f"Error reading policy named {name}: {error}") from error
    rules = str(data.get("policy") or data.get("rules") or "")
    if context.format != "table":
        return print_value(context, {"policy": rules})
    context.streams.line(rules.strip())
    return OK


def _write(context: Context) -> int:
    path = context.arguments[1].strip()
    if path == "-":
        rules = context.streams.read_all()
    else:
        try:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123  -- pathlib costs 5 ms
                rules = file.read()
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise CommandFailed(f"Error opening policy file: open {path}: {reason}") from error
        except UnicodeDecodeError as error:
            raise CommandFailed(f"Error reading policy file: {path} is not UTF-8") from error
    name = _name(context)
    context.call(f"Error uploading policy {name}", "PUT", f"sys/policies/acl/{name}", {"policy": rules})
    context.streams.line(f"Success! Uploaded policy: {name}")
    return OK


def _list(context: Context) -> int:
    reply = context.call("Error listing policies", "GET", "sys/policies/acl", query={"list": "true"}, not_found_ok=True)
    data = reply.data()
    found = data.get("keys") or data.get("policies")
    names = [str(name) for name in found] if isinstance(found, list) else []
    if context.format != "table":
        return print_value(context, names)
    for name in names:
        context.streams.line(name)
    return OK


def _delete(context: Context) -> int:
    name = _name(context)
    context.call(f"Error deleting {name}", "DELETE", f"sys/policies/acl/{name}")
    context.streams.line(f"Success! Deleted policy: {name}")
    return OK


def _format(context: Context) -> int:
    import os

    from strongroom_node.cli.hcl_format import FormatFailed, format_hcl

    path = os.path.expanduser(context.arguments[0].strip())  # noqa: PTH111
    try:
        with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123
            source = file.read()
        formatted = format_hcl(source)
        with open(path, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
            file.write(formatted)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise UsageFailed(f"Error reading source file: open {path}: {reason}") from error
    except (UnicodeDecodeError, FormatFailed) as error:
        raise UsageFailed(f"Failed to parse policy: {error}") from error
    context.streams.line(f"Success! Formatted policy: {path}")
    return OK


READ: Final = Command(
    "[options] NAME",
    """Prints a policy's rules.

    $ vault policy read app""",
    _read,
    flags=(FORMAT,),
    arguments_min=1,
    arguments_max=1,
)
WRITE: Final = Command(
    "[options] NAME PATH",
    """Uploads a policy from a file, or from standard input with "-".

    $ vault policy write app app.hcl""",
    _write,
    arguments_min=2,
    arguments_max=2,
    completes="files",
)
LIST: Final = Command("[options]", "Lists the names of the policies.", _list, flags=(FORMAT,))
DELETE: Final = Command(
    "[options] NAME",
    """Deletes a policy. Tokens that name it lose what it allowed at once.

    $ vault policy delete app""",
    _delete,
    arguments_min=1,
    arguments_max=1,
)
FMT: Final = Command(
    "[options] PATH",
    """Lays a local policy file out evenly; the file is overwritten.

    $ vault policy fmt app.hcl""",
    _format,
    arguments_min=1,
    arguments_max=1,
    has_client=False,
    completes="files",
)
