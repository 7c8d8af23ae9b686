"""The configuration without secrets, in the shape of sys/config/state/sanitized."""

from dataclasses import asdict
from typing import Any, Final

from strongroom_node.config.decode import secret_names
from strongroom_node.config.schema import SCALARS, ServerConfig
from strongroom_node.config.telemetry import TelemetryConfig

_RENAMED: Final = {"ui": "enable_ui", "disable_sscts": "disable_ssct_tokens"}
_NANOSECONDS: Final = 1_000_000_000
_TELEMETRY_DURATIONS: Final = ("lease_metrics_epsilon", "prometheus_retention_time", "usage_gauge_period")


def sanitized(config: ServerConfig) -> dict[str, Any]:
    """Plain values for JSON. Durations are whole seconds; inside `telemetry` nanoseconds, as Vault gives them."""
    made: dict[str, Any] = {}
    for name, _ in SCALARS.values():
        value = getattr(config, name)
        if isinstance(value, float):
            value = int(value)
        made[_RENAMED.get(name, name)] = list(value) if isinstance(value, tuple) else value
    made["listeners"] = [{"type": listener.type, "config": dict(listener.shown)} for listener in config.listeners]
    made["seals"] = [{"type": seal.type, "disabled": seal.disabled} for seal in config.seals] or [
        {"type": "shamir", "disabled": False}
    ]
    for name in ("storage", "ha_storage"):
        stanza = getattr(config, name)
        if stanza is not None:
            made[name] = {
                "type": stanza.type,
                "redirect_addr": config.api_addr,
                "cluster_addr": config.cluster_addr,
                "disable_clustering": config.disable_clustering,
            }
    made["telemetry"] = _telemetry(config.telemetry)
    if config.service_registration:
        made["service_registration"] = {"type": next(iter(config.service_registration))}
    return made


def _telemetry(telemetry: TelemetryConfig) -> dict[str, Any]:
    hidden = secret_names(TelemetryConfig)
    made = {name: "" if name in hidden else value for name, value in asdict(telemetry).items()}
    for name in _TELEMETRY_DURATIONS:
        made[name] = int(made[name] * _NANOSECONDS)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in made.items()}
