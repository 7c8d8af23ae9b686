"""`auth enable`, `disable`, `list`, `tune` and `move`."""

from typing import Any, Final

from strongroom_node.cli.command import FORMAT, OK, Command, Flag
from strongroom_node.cli.commands.mounts import (
    enable_config,
    enable_flags,
    mounts_table,
    move,
    options_of,
    print_mounts_json,
    read_mounts,
    tune_body,
    tune_flags,
)
from strongroom_node.cli.commands.secrets import DETAILED
from strongroom_node.cli.context import Context
from strongroom_node.cli.plain import plain
from strongroom_node.cli.table import table
from strongroom_node.client.durations import format_duration

NOUN: Final = "auth method"
TOKEN_TYPE: Final = Flag(
    "token-type",
    "The type of token the method gives.",
    choices=("default-service", "default-batch", "service", "batch"),
)
LOCKOUT: Final = (
    Flag("user-lockout-threshold", "Failed logins before a user is locked out.", kind="uint"),
    Flag("user-lockout-duration", "How long a user is locked out.", kind="duration"),
    Flag("user-lockout-counter-reset-duration", "When failed logins are forgotten.", kind="duration"),
    Flag("user-lockout-disable", "Never lock users out.", kind="bool"),
)


def _enable(context: Context) -> int:
    flags, kind = context.flags, context.arguments[0].strip()
    name = flags.text("plugin-name") if kind == "plugin" else kind
    path = (flags.text("path").strip("/") or name) + "/"
    body = {
        "type": name,
        "description": flags.text("description"),
        "config": enable_config(context),
        "local": flags.on("local"),
        "seal_wrap": flags.on("seal-wrap"),
        "external_entropy_access": flags.on("external-entropy-access"),
        "options": options_of(context),
    }
    context.call(f"Error enabling {kind} auth", "POST", f"sys/auth/{path}", body)
    thing = f"{kind} plugin" if kind == "plugin" else f"{kind} {NOUN}"
    context.streams.line(f"Success! Enabled {thing} at: {path}")
    return OK


def _disable(context: Context) -> int:
    path = context.arguments[0].strip().strip("/") + "/"
    context.call(f"Error disabling {NOUN} at {path}", "DELETE", f"sys/auth/{path}")
    context.streams.line(f"Success! Disabled the {NOUN} (if it existed) at: {path}")
    return OK


def _list(context: Context) -> int:
    mounts = read_mounts(context, "Error listing enabled authentications", "sys/auth")
    if context.format != "table":
        return print_mounts_json(context, mounts)
    if context.flags.on("detailed"):
        context.streams.line(mounts_table(mounts, has_token_type=True))
        return OK
    keys = ("type", "accessor", "description", "plugin_version")
    rows = [[path, *(plain(mount.get(key) or "") for key in keys)] for path, mount in mounts.items()]
    context.streams.line(table(("Path", "Type", "Accessor", "Description", "Version"), rows))
    return OK


def _tune(context: Context) -> int:
    flags = context.flags
    body = tune_body(context)
    lockout: dict[str, Any] = {}
    if flags.given("user-lockout-threshold"):
        lockout["lockout_threshold"] = str(flags.number("user-lockout-threshold"))
    if flags.given("user-lockout-duration"):
        lockout["lockout_duration"] = format_duration(flags.number("user-lockout-duration"))
    if flags.given("user-lockout-counter-reset-duration"):
        reset = flags.number("user-lockout-counter-reset-duration")
        lockout["lockout_counter_reset_duration"] = format_duration(reset)
    if flags.given("user-lockout-disable"):
        lockout["lockout_disable"] = flags.on("user-lockout-disable")
    if lockout:
        body["user_lockout_config"] = lockout
    path = context.arguments[0].strip().strip("/") + "/"
    context.call(f"Error tuning {NOUN} {path}", "POST", f"sys/mounts/auth/{path}tune", body)
    context.streams.line(f"Success! Tuned the {NOUN} at: {path}")
    return OK


def _move(context: Context) -> int:
    return move(context, NOUN, "auth/")


ENABLE: Final = Command(
    "[options] TYPE",
    """Mounts an auth method.

    $ vault auth enable userpass
    $ vault auth enable -path=corp ldap""",
    _enable,
    flags=(*tune_flags("method"), *enable_flags("method"), TOKEN_TYPE),
    arguments_min=1,
    arguments_max=1,
)
DISABLE: Final = Command(
    "[options] PATH",
    """Unmounts an auth method and revokes every token it gave.

    $ vault auth disable userpass/""",
    _disable,
    arguments_min=1,
    arguments_max=1,
)
LIST: Final = Command("[options]", "Lists the mounted auth methods.", _list, flags=(FORMAT, DETAILED))
TUNE: Final = Command(
    "[options] PATH",
    """Changes the settings of a mounted auth method.

    $ vault auth tune -default-lease-ttl=1h userpass/""",
    _tune,
    flags=(*tune_flags("method"), TOKEN_TYPE, *LOCKOUT),
    arguments_min=1,
    arguments_max=1,
)
MOVE: Final = Command(
    "[options] SOURCE DESTINATION",
    """Moves an auth method to another path, and revokes the tokens it gave.

    $ vault auth move userpass/ people/""",
    _move,
    arguments_min=2,
    arguments_max=2,
)
