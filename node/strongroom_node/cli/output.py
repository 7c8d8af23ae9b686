"""Prints values and secrets in the format the user asked for."""

import json
from typing import Any

from strongroom_node.cli.command import OK, SERVER_ERROR, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.cli.plain import human_seconds, is_duration_name, plain, quoted_list, wrap
from strongroom_node.cli.table import key_value
from strongroom_node.client.request import escape_markup
from strongroom_node.client.secret import Body, Secret

Row = tuple[str, str]
INFINITY = "∞"
PRETTY_REFUSED = "Could not parse output: cannot use the pretty formatter for this type"


def json_text(value: Any) -> str:
    """Indented JSON, as Go's encoder writes it."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return escape_markup(text).encode("utf-8", "replace").decode()


def yaml_text(value: Any) -> str:
    """YAML with sorted keys, without a newline at the end."""
    from strongroom_node.cli.yaml_text import dump

    return dump(value).rstrip("\n")


def render(value: Any, style: str) -> str:
    """A value as json or yaml. Raises UsageFailed for "pretty", which only suits a few commands."""
    if style == "yaml":
        return yaml_text(value)
    if style == "pretty":
        raise UsageFailed(PRETTY_REFUSED)
    return json_text(value)


def print_value(context: Context, value: Any) -> int:
    """Print a value as json or yaml; a format of table or raw shows JSON."""
    context.streams.line(render(value, context.format))
    return OK


def print_warnings(context: Context, warnings: list[str] | None) -> None:
    """Tell the server's warnings on standard error."""
    if not warnings:
        return
    context.streams.note("WARNING! The following warnings were returned from Vault:\n")
    for warning in warnings:
        context.streams.note(wrap(f"* {warning}", 2))
    context.streams.note()


def print_secret(context: Context, secret: Secret | None) -> int:
    """Print one field, or the whole secret in the asked format."""
    if secret is None:
        return OK
    if context.flags.has("field") and context.flags.text("field"):
        return print_field(context, secret_field(secret, context.flags.text("field")))
    if context.format != "table":
        return print_value(context, secret.envelope())
    print_warnings(context, secret.warnings)
    rows = secret_rows(secret)
    if rows:
        context.streams.line(key_value(rows))
    return OK


def print_map_field(context: Context, data: Body) -> int:
    """Print the asked field of a bare map."""
    return print_field(context, data.get(context.flags.text("field")))


def print_field(context: Context, value: Any) -> int:
    """Print a field's value alone. Raises UsageFailed when there is no such field."""
    if value is None:
        raise UsageFailed(f'Field "{context.flags.text("field")}" not present in secret')
    is_bare = context.format in {"table", "raw"}
    context.streams.raw(plain(value) if is_bare else render(value, context.format))
    return OK


def print_map(context: Context, data: Body, *, names: dict[str, str] | None = None) -> int:
    """Print a map as a table of sorted keys, or in the asked format. `names` gives titles and the order of keys."""
    if context.format != "table":
        return print_value(context, data)
    if names is not None:
        rows = [(title, plain(data[key])) for key, title in names.items() if key in data]
    else:
        rows = [(key, plain(data[key])) for key in sorted(data)]
    context.streams.line(key_value(rows))
    return OK


def nothing_found(context: Context, path: str) -> int:
    """Tell that a path holds nothing: exit code 2."""
    context.streams.note(f"No value found at {path}")
    return SERVER_ERROR


def secret_rows(secret: Secret) -> list[Row]:
    """The rows of a secret's table: lease, token, wrapping, then sorted data."""
    rows: list[Row] = []
    if secret.lease_duration > 0:
        length = human_seconds(secret.lease_duration)
        if secret.lease_id:
            rows += [("lease_id", secret.lease_id), ("lease_duration", length)]
            rows.append(("lease_renewable", plain(secret.renewable)))
        else:
            rows.append(("refresh_interval", length))
    if secret.auth is not None:
        rows += auth_rows(secret.auth)
    if secret.wrap_info is not None:
        rows += _wrap_rows(secret.wrap_info)
    data = secret.data or {}
    for key in sorted(data):
        value = data[key]
        rows.append((key, human_seconds(value) if is_duration_name(key) else plain(value)))
    return rows


def auth_rows(auth: Body) -> list[Row]:
    """The rows that show a token; a lease of zero never ends."""
    requirement = auth.get("mfa_requirement")
    if isinstance(requirement, dict):
        return _mfa_rows(requirement)
    length = auth.get("lease_duration") or 0
    rows = [
        ("token", str(auth.get("client_token") or "")),
        ("token_accessor", str(auth.get("accessor") or "")),
        ("token_duration", human_seconds(length) if length else INFINITY),
        ("token_renewable", plain(bool(auth.get("renewable")))),
        ("token_policies", quoted_list(auth.get("token_policies"))),
        ("identity_policies", quoted_list(auth.get("identity_policies"))),
        ("policies", quoted_list(auth.get("policies"))),
    ]
    metadata = auth.get("metadata")
    if isinstance(metadata, dict):
        rows += [(f"token_meta_{key}", plain(metadata[key])) for key in sorted(metadata)]
    return rows


def _mfa_rows(requirement: Body) -> list[Row]:
    rows = [("mfa_request_id", plain(requirement.get("mfa_request_id", "")))]
    constraints = requirement.get("mfa_constraints")
    for name, constraint in sorted((constraints if isinstance(constraints, dict) else {}).items()):
        methods = constraint.get("any", []) if isinstance(constraint, dict) else []
        for method in methods:
            rows += [
                (f"mfa_constraint_{name}_{method.get('type', '')}_id", plain(method.get("id", ""))),
                (f"mfa_constraint_{name}_{method.get('type', '')}_uses_passcode", plain(method.get("uses_passcode"))),
                (f"mfa_constraint_{name}_{method.get('type', '')}_name", plain(method.get("name", ""))),
            ]
    return rows


def _wrap_rows(wrap_info: Body) -> list[Row]:
    rows = [
        ("wrapping_token:", str(wrap_info.get("token") or "")),
        ("wrapping_accessor:", str(wrap_info.get("accessor") or "")),
        ("wrapping_token_ttl:", human_seconds(wrap_info.get("ttl") or 0)),
        ("wrapping_token_creation_time:", _go_time(str(wrap_info.get("creation_time") or ""))),
        ("wrapping_token_creation_path:", str(wrap_info.get("creation_path") or "")),
    ]
    if wrap_info.get("wrapped_accessor"):
        rows.append(("wrapped_accessor:", str(wrap_info["wrapped_accessor"])))
    return rows


def _go_time(text: str) -> str:
    """RFC 3339 in UTC as Go prints a time: "2026-11-23 19:34:08.99 +0000 UTC"."""
    if not text.endswith("Z"):
        return text
    day, _, clock = text[:-1].partition("T")
    if "." in clock:
        clock = clock.rstrip("0").rstrip(".")
    return f"{day} {clock} +0000 UTC"


_AUTH_FIELDS = {
    "token": "client_token",
    "token_accessor": "accessor",
    "token_duration": "lease_duration",
    "token_renewable": "renewable",
    "token_policies": "token_policies",
    "identity_policies": "identity_policies",
    "policies": "policies",
}
_WRAP_FIELDS = {
    "wrapping_token": "token",
    "wrapping_accessor": "accessor",
    "wrapping_token_ttl": "ttl",
    "wrapping_token_creation_time": "creation_time",
    "wrapping_token_creation_path": "creation_path",
    "wrapped_accessor": "wrapped_accessor",
}


def secret_field(secret: Secret, name: str) -> Any:
    """The value `-field` means, None for none."""
    data = secret.data or {}
    if secret.auth is not None and name in _AUTH_FIELDS:
        return secret.auth.get(_AUTH_FIELDS[name])
    if secret.wrap_info is not None and name in _WRAP_FIELDS:
        return secret.wrap_info.get(_WRAP_FIELDS[name])
    if secret.auth is None and secret.wrap_info is None:
        envelope = {
            "request_id": secret.request_id,
            "lease_id": secret.lease_id,
            "lease_duration": secret.lease_duration,
            "refresh_interval": secret.lease_duration,
            "renewable": secret.renewable,
            "data": data.get("data", data or None),
        }
        return envelope[name] if name in envelope else data.get(name)
    return data.get(name)
