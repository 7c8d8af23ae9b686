"""Metrics as text for Prometheus, and as JSON in Vault's shape. Pure.

prometheus-client would add `_total` to the names of counters, and has no quantiles; Vault's names have to stay, so its
text format is written here. It serves the numbers of the process itself.
"""

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from strongroom_node.telemetry.series import INTERVAL_SECONDS, QUANTILES, Interval, Labels

_OUTSIDE: Final = re.compile(r"[^a-zA-Z0-9_:]")


@dataclass(frozen=True, slots=True)
class Point:
    """One series of a metric. Gauges and counters have a `value`, summaries a count, a sum and quantiles."""

    labels: Labels = ()
    value: float = 0.0
    count: int = 0
    quantiles: Sequence[float] = ()
    interval: Interval = field(default_factory=Interval)


@dataclass(frozen=True, slots=True)
class Family:
    """All series of one metric. `name` has dots; `kind` is gauge, counter or summary."""

    name: str
    kind: str
    help: str
    points: Sequence[Point]


def flat_name(name: str) -> str:
    """`vault.core.unsealed` as Prometheus writes it."""
    flat = _OUTSIDE.sub("_", name)
    return f"_{flat}" if flat[:1].isdigit() else flat


def prometheus_text(families: Iterable[Family]) -> str:
    """Text format 0.0.4."""
    lines: list[str] = []
    for family in sorted(families, key=lambda family: family.name):
        name = flat_name(family.name)
        lines += [f"# HELP {name} {_help(family.help)}", f"# TYPE {name} {family.kind}"]
        for point in family.points:
            if family.kind != "summary":
                lines.append(f"{name}{_labels(point.labels)} {_number(point.value)}")
                continue
            for at, value in zip(QUANTILES, point.quantiles, strict=True):
                lines.append(f"{name}{_labels((*point.labels, ('quantile', f'{at}')))} {_number(value)}")
            lines.append(f"{name}_sum{_labels(point.labels)} {_number(point.value)}")
            lines.append(f"{name}_count{_labels(point.labels)} {point.count}")
    return "\n".join(lines) + "\n"


def json_summary(families: Iterable[Family], at: float) -> bytes:
    """The last interval, in the shape of `GET sys/metrics`."""
    gauges: list[dict[str, Any]] = []
    counters: list[dict[str, Any]] = []
    samples: list[dict[str, Any]] = []
    for family in sorted(families, key=lambda family: family.name):
        for point in family.points:
            labels = dict(point.labels)
            if family.kind == "gauge":
                gauges.append({"Name": family.name, "Value": _plain(point.value), "Labels": labels})
            elif point.interval.count:
                made = _aggregate(family.name, point.interval, labels)
                (counters if family.kind == "counter" else samples).append(made)
    moment = datetime.fromtimestamp(at - at % INTERVAL_SECONDS, UTC)
    body = {
        "Timestamp": moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
        "Gauges": gauges,
        "Points": [],
        "Counters": counters,
        "Samples": samples,
    }
    return json.dumps(body).encode()


def _aggregate(name: str, interval: Interval, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "Name": name,
        "Count": interval.count,
        "Rate": interval.total / INTERVAL_SECONDS,
        "Sum": interval.total,
        "Min": interval.low,
        "Max": interval.high,
        "Mean": interval.mean,
        "Stddev": interval.deviation,
        "Labels": labels,
    }


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    inner = ",".join(f'{_OUTSIDE.sub("_", name)}="{_escaped(value)}"' for name, value in labels)
    return f"{{{inner}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _plain(value: float) -> float | int | None:
    if math.isnan(value) or math.isinf(value):
        return None
    return int(value) if value == int(value) else value


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
