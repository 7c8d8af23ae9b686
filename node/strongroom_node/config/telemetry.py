"""`telemetry { }` of the server."""

from dataclasses import dataclass
from typing import Final

from strongroom_node.config import values
from strongroom_node.config.decode import decode, readers_of, setting
from strongroom_node.config.report import Report
from strongroom_node.hcl import HCLError, Kind, Literal, ObjectValue, Value


def _period(name: str, value: Value) -> float:
    """A duration; `none` switches off."""
    if isinstance(value, Literal) and value.kind is Kind.STRING and value.text == "none":
        return 0.0
    return values.duration(name, value)


@dataclass(frozen=True, slots=True)
class TelemetryConfig:
    """How metrics are kept, named and sent. Durations are seconds."""

    usage_gauge_period: float = setting(_period, 600.0)
    maximum_gauge_cardinality: int = setting(values.whole, 500)
    disable_hostname: bool = setting(values.boolean, default=False)
    enable_hostname_label: bool = setting(values.boolean, default=False)
    metrics_prefix: str = setting(values.text, "vault")
    filter_default: bool = setting(values.boolean, default=True)
    prefix_filter: tuple[str, ...] = setting(values.texts, ())
    lease_metrics_epsilon: float = setting(values.duration, 3600.0)
    num_lease_metrics_buckets: int = setting(values.whole, 168)
    add_lease_metrics_namespace_labels: bool = setting(values.boolean, default=False)
    add_mount_point_rollback_metrics: bool = setting(values.boolean, default=False)
    prometheus_retention_time: float = setting(values.duration, 86_400.0)

    statsite_address: str = setting(values.text, "")
    statsd_address: str = setting(values.text, "")
    dogstatsd_addr: str = setting(values.text, "")
    dogstatsd_tags: tuple[str, ...] = setting(values.texts, ())
    circonus_api_token: str = setting(values.text, "", is_secret=True)
    circonus_api_app: str = setting(values.text, "")
    circonus_api_url: str = setting(values.text, "")
    circonus_submission_interval: str = setting(values.text, "")
    circonus_submission_url: str = setting(values.text, "", is_secret=True)
    circonus_check_id: str = setting(values.text, "")
    circonus_check_force_metric_activation: str = setting(values.text, "")
    circonus_check_instance_id: str = setting(values.text, "")
    circonus_check_search_tag: str = setting(values.text, "")
    circonus_check_display_name: str = setting(values.text, "")
    circonus_check_tags: str = setting(values.text, "")
    circonus_broker_id: str = setting(values.text, "")
    circonus_broker_select_tag: str = setting(values.text, "")
    stackdriver_project_id: str = setting(values.text, "")
    stackdriver_location: str = setting(values.text, "")
    stackdriver_namespace: str = setting(values.text, "")
    stackdriver_debug_logs: bool = setting(values.boolean, default=False)


_READERS: Final = readers_of(TelemetryConfig)


def decode_telemetry(body: ObjectValue, report: Report) -> TelemetryConfig:
    """Read the stanza. Raises HCLError."""
    made = TelemetryConfig(**decode(_READERS, body, report))
    if any(not rule.startswith(("+", "-")) for rule in made.prefix_filter):
        raise HCLError(body.position, "each prefix_filter must begin with + or -")
    if not 1 <= made.num_lease_metrics_buckets <= 10_000:
        raise HCLError(body.position, "num_lease_metrics_buckets must be from 1 to 10000")
    return made
