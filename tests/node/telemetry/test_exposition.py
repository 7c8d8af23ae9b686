import json
import math

from prometheus_client.parser import text_string_to_metric_families

from strongroom_node.telemetry.exposition import Family, Point, flat_name, json_summary, prometheus_text
from strongroom_node.telemetry.series import Interval

NASTY = 'a"b\\c\nd'
FAMILIES = [
    Family("vault.core.unsealed", "gauge", "open", [Point((("cluster", NASTY),), 1.0)]),
    Family("vault.token.creation", "counter", "made", [Point((), 3.0, interval=Interval(2, 2.0, 1.0, 1.0))]),
    Family(
        "vault.core.handle_request",
        "summary",
        "line\nbreak",
        [Point((), 6.5, 3, (1.0, math.nan, 3.0), Interval(3, 6.5, 1.0, 3.0, 0.5))],
    ),
]


def test_prometheus_reads_the_text():
    text = prometheus_text(FAMILIES)
    parsed = {family.name: family for family in text_string_to_metric_families(text)}
    assert parsed["vault_core_unsealed"].samples[0].labels == {"cluster": NASTY}
    assert parsed["vault_core_handle_request"].type == "summary"
    samples = {(s.name, s.labels.get("quantile")): s.value for s in parsed["vault_core_handle_request"].samples}
    assert samples["vault_core_handle_request_count", None] == 3
    assert samples["vault_core_handle_request_sum", None] == 6.5
    assert samples["vault_core_handle_request", "0.5"] == 1.0
    assert "vault_token_creation 3\n" in text  # without _total, which no dashboard for Vault knows


def test_names_are_flat():
    assert flat_name("vault.route.read.auth-token-") == "vault_route_read_auth_token_"
    assert flat_name("1.kv/ü") == "_1_kv__"


def test_the_summary_has_vaults_shape():
    body = json.loads(json_summary(FAMILIES, 1_700_000_007.5))
    assert list(body) == ["Timestamp", "Gauges", "Points", "Counters", "Samples"]
    assert body["Timestamp"] == "2023-11-14 22:13:20 +0000 UTC"
    assert body["Gauges"] == [{"Name": "vault.core.unsealed", "Value": 1, "Labels": {"cluster": NASTY}}]
    assert body["Points"] == []
    assert body["Counters"][0]["Count"] == 2
    assert body["Samples"][0] == {
        "Name": "vault.core.handle_request",
        "Count": 3,
        "Rate": 0.65,
        "Sum": 6.5,
        "Min": 1.0,
        "Max": 3.0,
        "Mean": 6.5 / 3,
        "Stddev": 0.5,
        "Labels": {},
    }


def test_numbers_that_json_lacks_are_null():
    body = json_summary([Family("x", "gauge", "", [Point((), math.nan), Point((), math.inf)])], 0.0)
    assert [gauge["Value"] for gauge in json.loads(body)["Gauges"]] == [None, None]
