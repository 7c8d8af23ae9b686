"""`server`: parses the flags and hands them to the server's own package."""

from dataclasses import dataclass
from importlib import import_module
from typing import Final

from strongroom_node.cli.command import Command, CommandFailed, Flag, UsageFailed
from strongroom_node.cli.context import Context
from strongroom_node.client.durations import SECOND

DEV_LISTEN_ADDRESS: Final = "127.0.0.1:8200"
_DEV: Final = "Dev Options"


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The flags of `server`. An empty text or a zero means that the flag was not given.

    `config_paths` are files and folders in the order given. `dev_stores_token` says whether the root token of a dev
    server goes to the token helper (`client.token_helper`). `dev_latency_ms` slows storage down, in milliseconds.
    """

    config_paths: tuple[str, ...] = ()
    exit_on_core_shutdown: bool = False
    log_file: str = ""
    log_format: str = ""
    log_level: str = ""
    log_rotate_bytes: int = 0
    log_rotate_seconds: float = 0.0
    log_rotate_files_max: int = 0
    recovery: bool = False
    experiments: tuple[str, ...] = ()
    dev: bool = False
    dev_ha: bool = False
    dev_kv_v1: bool = False
    dev_latency_ms: int = 0
    dev_no_kv: bool = False
    dev_listen_address: str = DEV_LISTEN_ADDRESS
    dev_root_token_id: str = ""
    dev_stores_token: bool = True
    dev_tls: bool = False
    dev_tls_cert_dir: str = ""
    dev_tls_sans: tuple[str, ...] = ()
    dev_plugin_dir: str = ""
    dev_cluster_json: str = ""
    program: str = "strongroom"

    def __repr__(self) -> str:
        """Without the root token."""
        return f"<server options dev={self.dev} config={self.config_paths}>"


def options_of(context: Context) -> ServerOptions:
    """The flags as options. Raises UsageFailed for a server without any configuration."""
    flags = context.flags
    paths = tuple(flags.many("config"))
    if not paths:
        named = context.environment.get("BAO_CONFIG_PATH", "")
        paths = (named,) if named else ()
    has_local = bool(context.environment.get("VAULT_LOCAL_CONFIG") or context.environment.get("BAO_LOCAL_CONFIG"))
    is_dev = any(flags.on(name) for name in ("dev", "dev-tls", "dev-ha"))
    if not is_dev and not paths and not has_local:
        raise UsageFailed("Must specify at least one config path using -config")
    return ServerOptions(
        config_paths=paths,
        exit_on_core_shutdown=flags.on("exit-on-core-shutdown"),
        log_file=flags.text("log-file"),
        log_format=flags.text("log-format"),
        log_level=flags.text("log-level"),
        log_rotate_bytes=flags.number("log-rotate-bytes"),
        log_rotate_seconds=flags.number("log-rotate-duration") / SECOND,
        log_rotate_files_max=flags.number("log-rotate-max-files"),
        recovery=flags.on("recovery"),
        experiments=tuple(flags.many("experiment")),
        dev=is_dev,
        dev_ha=flags.on("dev-ha"),
        dev_kv_v1=flags.on("dev-kv-v1"),
        dev_no_kv=flags.on("dev-no-kv"),
        dev_latency_ms=flags.number("dev-latency"),
        dev_listen_address=flags.text("dev-listen-address"),
        dev_root_token_id=flags.text("dev-root-token-id"),
        dev_stores_token=not flags.on("dev-no-store-token"),
        dev_tls=flags.on("dev-tls"),
        dev_tls_cert_dir=flags.text("dev-tls-cert-dir"),
        dev_tls_sans=tuple(flags.many("dev-tls-san")),
        dev_plugin_dir=flags.text("dev-plugin-dir"),
        dev_cluster_json=flags.text("dev-cluster-json"),
        program=context.program,
    )


def _run(context: Context) -> int:
    options = options_of(context)
    try:
        run = import_module("strongroom_node.server").run
    except ModuleNotFoundError as error:
        raise CommandFailed(f"The server cannot be started: {error.name} is missing.", 1) from error
    return int(run(options))


SERVER: Final = Command(
    "[options]",
    """Starts a server. It is sealed until "operator unseal" has been given enough keys, and
must be initialized once with "operator init".

    $ vault server -config=/etc/vault/vault.hcl
    $ vault server -dev -dev-root-token-id=root

With -dev it keeps everything in memory, is unsealed, and is not safe for anything real.""",
    _run,
    flags=(
        Flag("config", "A configuration file, or a folder of .hcl and .json files. May be repeated.", kind="strings"),
        Flag("exit-on-core-shutdown", "End the process when the core stops.", kind="bool"),
        Flag("experiment", "An experiment to switch on. May be repeated.", kind="strings", variable="EXPERIMENTS"),
        Flag("log-file", "The file to log to."),
        Flag("log-format", '"standard" or "json".', variable="LOG_FORMAT", choices=("standard", "json")),
        Flag(
            "log-level",
            "The least severe messages to log.",
            variable="LOG_LEVEL",
            choices=("trace", "debug", "info", "warn", "error"),
        ),
        Flag("log-rotate-bytes", "Begin a new log file after so many bytes.", kind="int"),
        Flag("log-rotate-duration", "Begin a new log file after so long.", kind="duration"),
        Flag("log-rotate-max-files", "How many old log files to keep.", kind="int"),
        Flag("recovery", "Start in recovery mode: only sys/raw, with a recovery token.", kind="bool"),
        Flag("dev", "Start a development server.", kind="bool", section=_DEV),
        Flag("dev-cluster-json", "A file to write the cluster's addresses to.", section=_DEV, is_hidden=True),
        Flag("dev-ha", "A development server with high availability.", kind="bool", section=_DEV, is_hidden=True),
        Flag("dev-kv-v1", "Mount secret/ without versions.", kind="bool", section=_DEV),
        Flag("dev-latency", "Milliseconds of delay in storage.", kind="int", section=_DEV, is_hidden=True),
        Flag(
            "dev-listen-address",
            "Where a development server listens.",
            default=DEV_LISTEN_ADDRESS,
            variable="DEV_LISTEN_ADDRESS",
            section=_DEV,
        ),
        Flag("dev-no-store-token", "Do not keep the root token for the next command.", kind="bool", section=_DEV),
        Flag("dev-plugin-dir", "A folder of plugins.", section=_DEV, is_hidden=True),
        Flag("dev-root-token-id", "The root token.", variable="DEV_ROOT_TOKEN_ID", section=_DEV),
        Flag("dev-tls", "A development server with TLS and its own CA.", kind="bool", section=_DEV),
        Flag("dev-tls-cert-dir", "Where the CA and certificates are written.", section=_DEV),
        Flag("dev-tls-san", "One more name for the certificate. May be repeated.", kind="strings", section=_DEV),
        Flag("dev-no-kv", "Mount nothing at secret/.", kind="bool", section=_DEV, is_hidden=True),
    ),
    has_client=False,
)
