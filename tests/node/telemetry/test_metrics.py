import json
import re
import timeit
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.node import running_node

from strongroom_node.telemetry.metrics import DECLARED, Metrics, MetricsSettings, Reading, ttl_bucket

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


def scraped(metrics):
    return metrics.render("prometheus").body.decode()


def test_the_document_lists_what_is_declared():
    rows = re.findall(r"^\| `vault\.([^`]+)` \| (\w+) \|[^|]+\| ([^|]*) \|$", DOCUMENT.read_text(), re.MULTILINE)
    documented = {(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert documented == {(declared.name, declared.kind, declared.labels) for declared in DECLARED}


def test_declared_names_are_sorted_and_single():
    names = [declared.name for declared in DECLARED]
    assert names == sorted(set(names))
    assert all(declared.labels == tuple(sorted(declared.labels)) for declared in DECLARED)


def test_requests_are_counted_by_operation_and_mount():
    metrics = Metrics()
    metrics.request(0.002, "secret/", "read")
    metrics.request(0.004, "auth/userpass/", "update", is_login=True)
    metrics.request(0.001, "", "read")
    text = scraped(metrics)
    assert "vault_core_handle_request_count 2\n" in text
    assert "vault_core_handle_login_request_count 1\n" in text
    assert 'vault_route_read_secret_{quantile="0.5"} 2\n' in text
    assert "vault_route_update_auth_userpass__sum 4\n" in text
    assert "process_resident_memory_bytes" in text


def test_every_scrape_can_be_parsed_and_names_a_metric_once():
    metrics = Metrics()
    for mount in ("a-b/", "a/b/", "ä/"):
        metrics.request(0.001, mount, "read")
    metrics.token_created("userpass", 'auth/"x"/', 3600, "service")
    names = [family.name for family in text_string_to_metric_families(scraped(metrics))]
    assert len(names) == len(set(names))


def test_made_up_mounts_do_not_pile_up_and_unmounted_ones_go():
    metrics = Metrics(MetricsSettings(series_max=5))
    for number in range(100):
        metrics.request(0.001, f"m{number}/", "read")
    assert scraped(metrics).count("# TYPE vault_route_") == 5
    metrics.forget_routes({"m1/"})
    assert scraped(metrics).count("# TYPE vault_route_") == 1


def test_the_cluster_is_a_label_where_vault_has_it():
    metrics = Metrics()
    metrics.cluster = lambda: "one"
    metrics.readings.append(lambda: [Reading("core.unsealed", 1.0), Reading("core.locked_users", 0.0)])
    metrics.token_created("token", "auth/token/", 60, "service")
    text = scraped(metrics)
    assert 'vault_core_unsealed{cluster="one"} 1\n' in text
    assert "vault_core_locked_users 0\n" in text
    assert (
        'vault_token_creation{auth_method="token",cluster="one",creation_ttl="1m",mount_point="auth/token/",'
        'namespace="root",token_type="service"} 1\n'
    ) in text


def test_without_a_format_the_answer_is_json_and_an_accept_header_may_ask_for_text():
    metrics = Metrics(now=lambda: 1_700_000_000.0)
    answer = metrics.render("")
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert {"Timestamp", "Gauges", "Points", "Counters", "Samples"} == set(json.loads(answer.body))
    asked = metrics.render("", "application/openmetrics-text; version=1.0.0,*/*;q=0.1")
    assert asked.content_type == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize(
    ("settings", "wanted", "text"),
    [
        (MetricsSettings(), "odd", b'metric response format "odd" unknown'),
        (MetricsSettings(prometheus_seconds=0), "prometheus", b"prometheus is not enabled"),
    ],
)
def test_other_formats_are_refused_in_plain_text(settings, wanted, text):
    answer = Metrics(settings).render(wanted)
    assert (answer.status, answer.content_type, answer.body) == (400, "text/plain", text)


def in_flight():
    return [Reading("core.in_flight_requests", 0.0)]


def test_names_can_be_filtered_prefixed_and_marked_with_the_host():
    metrics = Metrics(MetricsSettings(prefix="v", hostname="h1", filters=("-v.core", "+v.core.in_flight", "-v.route")))
    metrics.request(0.001, "secret/", "read")
    metrics.readings.append(in_flight)
    text = scraped(metrics)
    assert "v_h1_core_in_flight_requests" in text
    assert "v_core_handle_request" not in text
    assert "v_route" not in text
    marked = Metrics(MetricsSettings(host_label="h1"))
    marked.readings.append(in_flight)
    labelled = scraped(marked)
    assert 'vault_core_in_flight_requests{cluster="",host="h1"} 0' in labelled
    nothing = Metrics(MetricsSettings(allows_by_default=False))
    assert "vault_" not in scraped(nothing)


@pytest.mark.parametrize(
    ("seconds", "label"), [(0, "1m"), (60, "1m"), (61, "10m"), (86_400, "1d"), (2_592_000, "30d"), (1e9, "+Inf")]
)
def test_lifetimes_fall_into_vaults_buckets(seconds, label):
    assert ttl_bucket(seconds) == label


def test_a_request_is_cheap_to_count():
    metrics = Metrics()
    seconds = min(timeit.repeat(lambda: metrics.request(0.001, "secret/", "read"), number=1000, repeat=20)) / 1000
    assert seconds < 1e-5  # under 1 us on the machines it was written on; the rest is for busy ones


async def test_the_pipeline_counts_requests_logins_and_tokens():
    async with running_node() as node:
        await node.token("default", ttl="1h")
        await node.refusal("read", "secret/absent", "wrong")
        await node.ask("update", "auth/token/renew", token=await node.token("default", ttl="1h"))
        answer = node.core.render_metrics("prometheus", "")
        text = answer.body.decode()
    assert re.search(r'vault_token_creation\{.*creation_ttl="1h".*mount_point="auth/token/".*\} 2\n', text)
    assert "vault_core_handle_request_count 4\n" in text
    assert "vault_route_update_auth_token__count 3\n" in text
    assert "vault_route_read_secret__count 1\n" in text
