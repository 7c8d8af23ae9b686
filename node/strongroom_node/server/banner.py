"""What a server prints while it starts and ends. Pure; the marks that tools look for are Vault's."""

from collections.abc import Mapping
from typing import Final

from strongroom_node.config.listener import ListenerConfig
from strongroom_node.config.schema import ServerConfig
from strongroom_node.core.founding import PRODUCT_VERSION

STARTED: Final = "==> Vault server started! Log data will stream in below:\n"
RELOAD: Final = "==> Vault reload triggered"
SHUTDOWN: Final = "==> Vault shutdown triggered"
_TITLE_COLUMNS: Final = 24


def configuration_text(rows: Mapping[str, str]) -> str:
    """The block of settings: sorted, titles aligned to the right."""
    lines = [f"{title:>{_TITLE_COLUMNS}}: {value}" for title, value in sorted(rows.items())]
    return "\n".join(["==> Vault server configuration:", "", *lines, ""])


def configuration_rows(
    config: ServerConfig, environment_names: list[str], python_version: str, *, is_locked: bool
) -> dict[str, str]:
    """What the block shows. Names of environment variables only: their values may be secrets."""
    rows = {
        "Api Address": config.api_addr,
        "Cluster Address": config.cluster_addr,
        "Environment Variables": ", ".join(sorted(environment_names)),
        "Log Level": config.log_level,
        "Mlock": f"supported: true, enabled: {str(is_locked).lower()}",
        "Python Version": python_version,
        "Recovery Mode": "false",
        "Storage": config.storage.type if config.storage is not None else "",
        "Version": f"Vault v{PRODUCT_VERSION}",
    }
    for number, listener in enumerate(config.listeners, 1):
        rows[f"Listener {number}"] = listener_text(listener, config.default_max_request_duration)
    return rows


def listener_text(listener: ListenerConfig, default_seconds: float) -> str:
    """One listener in one line."""
    shown = {"addr": listener.address}
    if listener.type == "tcp":
        shown["cluster address"] = listener.cluster_address
    shown["max_request_duration"] = go_duration(listener.max_request_duration or default_seconds)
    shown["max_request_size"] = str(listener.max_request_size)
    shown["tls"] = "disabled" if listener.tls_disable or listener.type == "unix" else "enabled"
    inner = ", ".join(f'{name}: "{value}"' for name, value in shown.items())
    return f"{listener.type} ({inner})"


def go_duration(seconds: float) -> str:
    """Seconds as Go prints a duration: `1m30s`."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def development_text(address: str, unseal_key: str, root_token: str, ca_file: str = "") -> str:
    """What somebody who tries a development server needs, and the warning that goes with it."""
    exports = [f"    $ export VAULT_ADDR='{address}'"]
    if ca_file:
        exports.append(f"    $ export VAULT_CACERT='{ca_file}'")
    return "\n".join(
        [
            "WARNING! dev mode is enabled! Everything is kept in memory and lost at the end, the",
            "server is unsealed from the start, and one key opens it.",
            "",
            "For the command line:",
            "",
            *exports,
            "",
            "To seal and unseal it, or to log in again:",
            "",
            f"Unseal Key: {unseal_key}",
            f"Root Token: {root_token}",
            "",
            "Development mode should NOT be used in production installations!",
            "",
        ]
    )
