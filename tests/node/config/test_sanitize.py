import json

from strongroom_node.config.load import merge
from strongroom_node.config.sanitize import sanitized
from strongroom_node.config.schema import development_config
from strongroom_node.config.sources import Source, parse_source

TEXT = """
storage "raft" { path = "/d" retry_join { leader_client_key = "hunter2" } }
ha_storage "consul" { token = "hunter2" }
listener "tcp" { address = "127.0.0.1:8200" tls_disable = true tls_acme_eab_mac_key = "hunter2" }
seal "static" { current_key_id = "1" current_key = "hunter2" }
telemetry { circonus_api_token = "hunter2" circonus_submission_url = "hunter2" statsd_address = "s" }
service_registration "consul" { token = "hunter2" }
max_lease_ttl = "10h"
ui = true
"""


def test_secrets_are_left_out():
    made = sanitized(merge([Source("f", parse_source("f", TEXT))], {}).config)
    text = json.dumps(made)
    assert "hunter2" not in text
    assert made["seals"] == [{"type": "static", "disabled": False}]
    assert made["listeners"] == [{"type": "tcp", "config": {"address": "127.0.0.1:8200", "tls_disable": True}}]
    assert made["storage"]["type"] == "raft"
    assert made["ha_storage"]["type"] == "consul"
    assert (made["enable_ui"], made["max_lease_ttl"]) == (True, 36_000)
    assert made["telemetry"]["statsd_address"] == "s"
    assert made["telemetry"]["usage_gauge_period"] == 600_000_000_000


def test_the_development_configuration():
    made = sanitized(development_config())
    assert made["storage"]["type"] == "inmem"
    assert made["seals"] == [{"type": "shamir", "disabled": False}]
    json.dumps(made)
