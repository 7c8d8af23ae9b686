"""What `secrets` and `auth` share: the flags that tune a mount, its request bodies, its tables."""

from collections.abc import Mapping
from typing import Any, Final

from strongroom_node.cli.command import OK, SERVER_ERROR, CommandFailed, Flag
from strongroom_node.cli.context import Context
from strongroom_node.cli.output import print_value
from strongroom_node.cli.plain import plain
from strongroom_node.cli.table import table
from strongroom_node.client.client import DryRun
from strongroom_node.client.durations import SECOND, format_duration
from strongroom_node.client.errors import ClientError
from strongroom_node.client.secret import Body

CONFIG_KEYS: Final = ("default_lease_ttl", "max_lease_ttl", "force_no_cache")
MOUNT_KEYS: Final[Body] = {
    "uuid": "",
    "type": "",
    "description": "",
    "accessor": "",
    "config": {},
    "options": None,
    "local": False,
    "seal_wrap": False,
    "external_entropy_access": False,
    "plugin_version": "",
    "running_plugin_version": "",
    "running_sha256": "",
    "deprecation_status": "",
}
MOVE_POLL_SECONDS: Final = 0.5
_HEADER_LISTS: Final = (
    ("audit-non-hmac-request-keys", "audit_non_hmac_request_keys", "A request key audit devices show as it is."),
    ("audit-non-hmac-response-keys", "audit_non_hmac_response_keys", "A response key audit devices show as it is."),
    ("passthrough-request-headers", "passthrough_request_headers", "A request header the mount may see."),
    ("allowed-response-headers", "allowed_response_headers", "A response header the mount may set."),
)


def tune_flags(noun: str) -> tuple[Flag, ...]:
    """The flags that enabling and tuning share."""
    return (
        *(Flag(name, f"{text} May be repeated.", kind="strings") for name, _, text in _HEADER_LISTS),
        Flag("default-lease-ttl", f"The default life of the {noun}'s leases.", kind="duration"),
        Flag("description", f"What the {noun} is for."),
        Flag(
            "listing-visibility",
            "Whether the user interface lists the mount to anyone.",
            choices=("unauth", "hidden"),
        ),
        Flag("max-lease-ttl", f"The longest life of the {noun}'s leases.", kind="duration"),
        Flag("options", "A key=value option of the mount. May be repeated.", kind="key=value"),
        Flag("plugin-version", "The version of the plugin to run."),
        Flag("version", f"The version of the {noun}.", kind="int"),
        Flag(
            "allowed-managed-keys", "A managed key the mount may use. May be repeated.", kind="strings", is_hidden=True
        ),
    )


def enable_flags(noun: str) -> tuple[Flag, ...]:
    """The flags of enabling alone."""
    return (
        Flag("external-entropy-access", "Let the mount use an external source of entropy.", kind="bool"),
        Flag("force-no-cache", "Never cache what the mount stores.", kind="bool"),
        Flag("local", "Neither replicate the mount nor have replication remove it.", kind="bool"),
        Flag("path", f"Where the {noun} is mounted; its type's name unless given."),
        Flag("plugin-name", "The name of the plugin in the catalog.", is_hidden=True),
        Flag("seal-wrap", "Wrap the mount's critical values with the seal.", kind="bool"),
    )


def options_of(context: Context) -> dict[str, str] | None:
    """The mount options with `-version` among them; None for none."""
    options = context.flags.pairs("options")
    if context.flags.number("version") > 0:
        options["version"] = str(context.flags.number("version"))
    return options or None


def enable_config(context: Context) -> Body:
    """The `config` part of an enable request."""
    flags = context.flags
    config: Body = {
        "options": None,
        "default_lease_ttl": format_duration(flags.number("default-lease-ttl")),
        "max_lease_ttl": format_duration(flags.number("max-lease-ttl")),
        "force_no_cache": flags.on("force-no-cache"),
    }
    return config | _lists(context) | _texts(context)


def tune_body(context: Context) -> Body:
    """The body of a tune request: only what was given, but for the TTLs, which are empty to stay as they are."""
    flags = context.flags
    body: Body = {
        "options": options_of(context),
        "default_lease_ttl": _ttl(context, "default-lease-ttl"),
    }
    if flags.given("description"):
        body["description"] = flags.text("description")
    body |= {"max_lease_ttl": _ttl(context, "max-lease-ttl"), "force_no_cache": False}
    return body | _lists(context) | _texts(context)


def _ttl(context: Context, name: str) -> str:
    length = context.flags.number(name)
    if length == 0:
        return ""
    return "system" if length == -1 * SECOND else format_duration(length)


def _lists(context: Context) -> Body:
    return {key: context.flags.many(name) for name, key, _ in _HEADER_LISTS if context.flags.given(name)}


def _texts(context: Context) -> Body:
    names = (
        ("listing-visibility", "listing_visibility"),
        ("plugin-version", "plugin_version"),
        ("token-type", "token_type"),
    )
    flags = context.flags
    found: Body = {key: flags.text(name) for name, key in names if flags.has(name) and flags.given(name)}
    if flags.given("allowed-managed-keys"):
        found["allowed_managed_keys"] = flags.many("allowed-managed-keys")
    return found


def read_mounts(context: Context, doing: str, path: str) -> dict[str, Body]:
    """Every mount the server tells, sorted by path."""
    data = context.call(doing, "GET", path).data()
    return {name: data[name] for name in sorted(data) if isinstance(data[name], dict) and "type" in data[name]}


def print_mounts_json(context: Context, mounts: Mapping[str, Body]) -> int:
    """The mounts as a map, keys in Vault's order."""
    return print_value(context, {path: _ordered(mount) for path, mount in mounts.items()})


def _ordered(mount: Body) -> Body:
    ordered: Body = {key: mount.get(key, default) for key, default in MOUNT_KEYS.items()}
    config = mount.get("config")
    if isinstance(config, dict):
        known = {key: config[key] for key in CONFIG_KEYS if key in config}
        ordered["config"] = known | {key: config[key] for key in sorted(config) if config[key] and key not in known}
    return ordered


def ttl_cell(config: Any, key: str, kind: str) -> str:
    """A mount's TTL in a table: seconds, `system` for zero, `n/a` for mounts without leases."""
    if kind in {"system", "cubbyhole"}:
        return "n/a"
    value = config.get(key) if isinstance(config, dict) else None
    if not isinstance(value, int) or value == 0:
        return "system"
    return plain(value)


def mounts_table(mounts: Mapping[str, Body], *, has_token_type: bool = False) -> str:
    """The detailed table."""
    header = ["Path", "Plugin", "Accessor", "Default TTL", "Max TTL"]
    header += ["Token Type"] if has_token_type else ["Force No Cache"]
    header += ["Replication", "Seal Wrap", "External Entropy Access", "Options", "Description", "UUID", "Version"]
    header += ["Running Version", "Running SHA256", "Deprecation Status"]
    rows = []
    for path, mount in mounts.items():
        config = mount.get("config")
        settings = config if isinstance(config, dict) else {}
        kind = str(mount.get("type") or "")
        if kind == "plugin":
            kind = str(settings.get("plugin_name") or kind)
        row = [path, kind, plain(mount.get("accessor", ""))]
        row += [ttl_cell(settings, "default_lease_ttl", kind), ttl_cell(settings, "max_lease_ttl", kind)]
        row.append(plain(settings.get("token_type", "") if has_token_type else settings.get("force_no_cache", False)))
        row.append("local" if mount.get("local") else "replicated")
        row += [plain(mount.get(key, False)) for key in ("seal_wrap", "external_entropy_access")]
        row.append(plain(mount.get("options") or {}))
        names = (
            "description",
            "uuid",
            "plugin_version",
            "running_plugin_version",
            "running_sha256",
            "deprecation_status",
        )
        rows.append(row + [plain(mount.get(key) or "") for key in names])
    return table(header, rows)


def move(context: Context, noun: str, prefix: str) -> int:
    """Move a mount and wait until the server says it is done."""
    import time

    source, target = (argument.strip().strip("/") + "/" for argument in context.arguments)
    doing = f"Error moving {noun} {source} to {target}"
    body = {"from": f"{prefix}{source}", "to": f"{prefix}{target}"}
    data = context.call(doing, "POST", "sys/remount", body).data()
    migration = str(data.get("migration_id") or "")
    told = f"{noun} {source} to {target}, with migration ID {migration}"
    context.streams.line(f"Started moving {told}")
    while migration:
        client = context.client()
        try:
            status = client.call("GET", f"sys/remount/status/{migration}").data()
        except DryRun:
            raise
        except ClientError as error:
            raise CommandFailed(f"Error checking status of the move: {error}") from error
        info = status.get("migration_info")
        state = str(info.get("status") or "") if isinstance(info, dict) else ""
        if state == "success":
            break
        if state == "failure":
            context.streams.note(f"Failure! Error encountered moving {told}")
            return SERVER_ERROR
        context.streams.line(f"Waiting for terminal status in migration of {told}")
        time.sleep(MOVE_POLL_SECONDS)
    context.streams.line(f"Success! Finished moving {told}")
    return OK
