import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom_node.config.environment import apply_environment
from strongroom_node.config.load import load, merge
from strongroom_node.config.report import ConfigInvalid
from strongroom_node.config.schema import SCALARS, ServerConfig, development_config
from strongroom_node.config.sources import Source, parse_source

BASE = 'storage "raft" { path = "/data" node_id = "one" }\nlistener "tcp" { tls_disable = true }\ncluster_addr = "https://a:8201"\n'


def merged(*texts, environ=None, base=None, **options):
    sources = [Source(f"f{n}.hcl", parse_source(f"f{n}.hcl", text)) for n, text in enumerate(texts)]
    return merge(sources, environ or {}, base, **options)


def config_of(*texts, **options):
    return merged(*texts, **options).config


def notices(*texts, **options):
    return [str(notice) for notice in merged(*texts, **options).notices]


def refusal(*texts, **options):
    with pytest.raises(ConfigInvalid) as caught:
        merged(*texts, **options)
    return str(caught.value)


def test_a_whole_configuration():
    config = config_of(
        """
        ui            = true
        api_addr      = "https://vault.example.com:8200"
        cluster_addr  = "https://10.0.0.1:8201"
        cluster_name  = "main"
        disable_mlock = "true"
        default_lease_ttl = "168h"
        max_lease_ttl = 2592000
        log_level = "WARN"
        log_format = "json"
        log_rotate_duration = "5d"
        storage "raft" {
          path = "/vault/data"
          node_id = "node1"
          snapshot_interval = "1m"
          retry_join { leader_api_addr = "https://b:8200" leader_client_key = "KEY" }
          retry_join { leader_api_addr = "https://c:8200" }
        }
        listener "tcp" {
          address = "0.0.0.0:8200"
          tls_cert_file = "/tls/cert.pem"
          tls_key_file = "/tls/key.pem"
          tls_min_version = "tls13"
          x_forwarded_for_authorized_addrs = "10.0.0.0/8, 192.168.1.7"
          telemetry { unauthenticated_metrics_access = true }
          custom_response_headers {
            "default" = { "X-A" = ["1", "2"], "X-B" = "3" }
            "404" = { "X-C" = ["4"] }
          }
        }
        listener "unix" { address = "/run/v.sock" socket_mode = "660" }
        telemetry { prometheus_retention_time = "30s" disable_hostname = true }
        user_lockout "all" { lockout_threshold = "3" lockout_duration = "10m" }
        """
    )
    assert (config.ui, config.disable_mlock, config.log_level) == (True, True, "warn")
    assert (config.default_lease_ttl, config.max_lease_ttl) == (604_800.0, 2_592_000.0)
    assert config.storage.raft.snapshot_interval == 60.0
    assert [join.leader_api_addr for join in config.storage.raft.retry_join] == ["https://b:8200", "https://c:8200"]
    tcp, unix = config.listeners
    assert (tcp.host, tcp.port, tcp.cluster_address) == ("0.0.0.0", 8200, "0.0.0.0:8201")
    assert tcp.telemetry.unauthenticated_metrics_access
    assert tcp.custom_response_headers == {"default": {"X-A": "1; 2", "X-B": "3"}, "404": {"X-C": "4"}}
    assert [str(network) for network in tcp.x_forwarded_for_authorized_addrs] == ["10.0.0.0/8", "192.168.1.7/32"]
    assert (unix.type, unix.address, unix.socket_mode) == ("unix", "/run/v.sock", 0o660)
    assert config.telemetry.prometheus_retention_time == 30.0
    assert config.user_lockout == {"all": {"lockout_threshold": 3, "lockout_duration": 600.0}}


def test_json_and_hcl_say_the_same():
    hcl = config_of(
        'backend "file" { path = "/d" } listener "tcp" { address = "0.0.0.0:8200" tls_disable = 1 } default_lease_ttl = "168h"'
    )
    text = json.dumps(
        {
            "backend": {"file": {"path": "/d"}},
            "listener": [{"tcp": {"address": "0.0.0.0:8200", "tls_disable": "true"}}],
            "default_lease_ttl": "168h",
        }
    )
    assert config_of(text) == hcl
    assert config_of(text.replace("[{", "{").replace("}]", "}")) == hcl


# --- merging --------------------------------------------------------------------------------------


def test_later_files_override_replace_and_append():
    config = config_of(
        BASE + 'ui = true default_lease_ttl = "1h" telemetry { disable_hostname = true statsd_address = "x" }',
        'backend "file" { path = "/later" } listener "tcp" { address = "127.0.0.1:9200" tls_disable = true }'
        "ui = false telemetry { maximum_gauge_cardinality = 7 }",
    )
    assert (config.ui, config.default_lease_ttl) == (False, 3600.0)
    assert (config.storage.type, config.storage.path, config.storage.raft) == ("file", "/later", None)
    assert [listener.port for listener in config.listeners] == [8200, 9200]
    assert (config.telemetry.maximum_gauge_cardinality, config.telemetry.statsd_address) == (7, "")


def test_a_listener_with_the_same_address_replaces_the_first():
    first = 'listener "tcp" { address = "0.0.0.0:8200" tls_disable = true }'
    second = '\nlistener "tcp" { address = "0.0.0.0" tls_cert_file = "c" tls_key_file = "k" }'
    loaded = merged(BASE.replace('listener "tcp" { tls_disable = true }', first), second)
    (listener,) = loaded.config.listeners
    assert not listener.tls_disable
    assert "listener on 0.0.0.0:8200 replaces the one configured at f0.hcl:2:1 at f1.hcl:2:1" in [
        str(notice) for notice in loaded.notices
    ]


def test_storage_and_backend_in_one_file_clash():
    assert refusal(BASE + 'backend "inmem" {}') == "f0.hcl:4:1: only one storage stanza is allowed"


def test_over_the_development_configuration():
    base = development_config("127.0.0.1:0")
    assert config_of(base=base).storage.type == "inmem"
    config = config_of('ui = false listener "tcp" { address = "127.0.0.1:9" tls_disable = true }', base=base)
    assert [listener.port for listener in config.listeners] == [0, 9]
    assert not config.ui


# --- environment ----------------------------------------------------------------------------------


def test_the_environment_counts_more_than_files():
    environ = {
        "VAULT_API_ADDR": "https://env:8200",
        "BAO_API_ADDR": "https://bao:8200",
        "VAULT_LOG_LEVEL": "debug",
        "VAULT_UI": "1",
        "VAULT_DISABLE_MLOCK": "true",
        "VAULT_RAFT_NODE_ID": "env-node",
        "VAULT_RAFT_PATH": "/env",
        "VAULT_SEAL_TYPE": "static",
        "VAULT_RAFT_RETRY_JOIN": '[{"leader_api_addr": "https://x:8200"}]',
        "VAULT_CLUSTER_NAME": "",
    }
    config = config_of(BASE + 'api_addr = "https://file:8200" log_level = "error" seal "shamir" {}', environ=environ)
    assert (config.api_addr, config.log_level, config.ui, config.disable_mlock) == (
        "https://bao:8200",
        "debug",
        True,
        True,
    )
    assert (config.storage.raft.node_id, config.storage.path) == ("env-node", "/env")
    assert [seal.type for seal in config.seals] == ["static"]
    assert [join.leader_api_addr for join in config.storage.raft.retry_join] == ["https://x:8200"]


def test_on_reload_the_files_log_level_counts_more():
    environ = {"VAULT_LOG_LEVEL": "debug"}
    assert config_of(BASE + 'log_level = "error"', environ=environ, is_reload=True).log_level == "error"
    assert config_of(BASE, environ=environ, is_reload=True).log_level == "debug"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("VAULT_UI", "maybe", "VAULT_UI must be true or false"),
        ("BAO_LOG_LEVEL", "loud", "BAO_LOG_LEVEL must be trace, debug, info, warn or error"),
        ("VAULT_RAFT_RETRY_JOIN", "[5]", "VAULT_RAFT_RETRY_JOIN: retry_join must be a block"),
        ("VAULT_RAFT_RETRY_JOIN", "[", "VAULT_RAFT_RETRY_JOIN: Unknown token: 1:17 RBRACE }"),
    ],
)
def test_wrong_variables_are_named(name, value, reason):
    assert refusal(BASE, environ={name: value}) == reason


def test_nothing_in_the_environment_changes_nothing():
    assert apply_environment(ServerConfig(), {"HOME": "/x"}) == ServerConfig()


# --- files ----------------------------------------------------------------------------------------


def test_files_folders_and_local_config(tmp_path):
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "b.hcl").write_text('cluster_name = "b" ui = true')
    (folder / "a.json").write_text('{"cluster_name": "a", "log_level": "warn"}')
    (folder / ".#c.hcl").write_text("broken")
    (folder / "d.hcl~").write_text("broken")
    (folder / "e.txt").write_text("broken")
    single = tmp_path / "last.hcl"
    single.write_text('log_format = "json"')
    environ = {"VAULT_LOCAL_CONFIG": BASE + 'cluster_name = "local" pid_file = "/p"'}
    config = load([folder, single], environ).config
    assert (config.cluster_name, config.ui, config.log_level, config.log_format) == ("b", True, "warn", "json")
    assert (config.pid_file, config.storage.path) == ("/p", "/data")
    assert load([], {**environ, "VAULT_CONFIG_PATH": str(single)}).config.log_format == "json"


def test_unreadable_files_are_named(tmp_path):
    missing = tmp_path / "none.hcl"
    with pytest.raises(ConfigInvalid, match=r"none\.hcl: No such file"):
        load([missing], {})
    missing.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigInvalid, match=r"none\.hcl: not UTF-8"):
        load([missing], {})
    missing.write_text("ui = \n\n  yes")
    with pytest.raises(ConfigInvalid, match=r"none\.hcl:3:3: Unknown token: 3:3 IDENT yes"):
        load([missing], {})


# --- what stops the start -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "A storage backend must be specified"),
        ('storage "inmem" {}', "at least one listener must be configured"),
        ("ui = [", "f0.hcl:1:7: unexpected token while parsing list: EOF"),
        ('ui = "maybe"', "f0.hcl:1:6: ui must be true or false"),
        ("\n  default_lease_ttl = true", 'f0.hcl:2:23: default_lease_ttl must be a duration such as "90s" or "5d"'),
        ('default_lease_ttl = "-1h"', 'f0.hcl:1:21: default_lease_ttl must be a duration such as "90s" or "5d"'),
        ('cache_size = "many"', "f0.hcl:1:14: cache_size must be a whole number"),
        ("cluster_name = {}", "f0.hcl:1:16: cluster_name must be a string"),
        ('ui "x" {}', "f0.hcl:1:4: ui takes no name"),
        ('log_level = "loud"', "f0.hcl:1:13: log_level must be trace, debug, info, warn or error"),
        ('listener "tcp" {}', "f0.hcl:1:1: 'tls_cert_file' must be set, or tls_disable = true"),
        ('listener "quic" {}', 'f0.hcl:1:1: unsupported listener type "quic"; there are tcp and unix'),
        ("listener = 5", "f0.hcl:1:12: listener must be a block"),
        ('listener "tcp" { tls_disable = 1 address = "a:b" }', 'f0.hcl:1:1: "a:b" is no address to listen on'),
        ('listener "tcp" { tls_disable = 1 address = "{{ GetMood }}" }', 'f0.hcl:1:1: the template in "{{ GetMood }}" finds no address'),
        ('storage "raft" { path = "x" performance_multiplier = 11 }', "f0.hcl:1:1: performance_multiplier must be from 0 to 10"),
        ('user_lockout "kerberos" {}', 'f0.hcl:1:1: user_lockout "kerberos": there are all, userpass, ldap and approle'),
        (BASE + 'max_lease_ttl = "1h" default_lease_ttl = "2h"', "f0.hcl:4:22: default_lease_ttl is longer than max_lease_ttl"),
        (BASE + 'seal "awskms" { kms_key_id = "k" }', 'f0.hcl:4:1: seal "awskms" is not available in this version; there are shamir, static'),
        ('storage "raft" { node_id = "x" } listener "tcp" { tls_disable = 1 }', "f0.hcl:1:1: 'path' must be set"),
        ('storage "postgresql" { connection_url = "u" } listener "tcp" { tls_disable = 1 }',
         'f0.hcl:1:1: storage "postgresql" is not available in this version; there are file, inmem, raft'),
        ('storage "raftt" {} listener "tcp" { tls_disable = 1 }', "f0.hcl:1:1: unknown storage type raftt; there are file, inmem, raft"),
    ],
)  # fmt: skip
def test_what_stops_the_start(text, reason):
    assert refusal(text) == reason


def test_messages_do_not_repeat_values():
    assert "hunter2" not in refusal('disable_mlock = "hunter2"')
    assert "hunter2" not in refusal('listener "tcp" { tls_disable = true proxy_protocol_authorized_addrs = "hunter2" }')


# --- notices --------------------------------------------------------------------------------------


def test_unknown_keys_are_told_with_their_place():
    text = BASE + 'foo = 1\nlistener "tcp" { address = "127.0.0.1:9" tls_disable = true bar = 2 }\nbaz "x" {}'
    told = notices(text)
    assert "unknown or unsupported field foo found in configuration at f0.hcl:4:1" in told
    assert "unknown or unsupported field bar found in configuration at f0.hcl:5:61" in told
    assert "unknown or unsupported field baz found in configuration at f0.hcl:6:1" in told


def test_what_has_no_effect_is_told_by_name():
    told = notices(
        BASE
        + 'ha_storage "consul" { token = "t" }\nservice_registration "kubernetes" {}\nplugin_directory = "/p"\n'
        + 'disable_clustering = false\nentropy "seal" {}\nraw_storage_endpoint = true\n'
        + 'telemetry { dogstatsd_addr = "x" }\nlistener "tcp" { address = "0.0.0.0:9" tls_disable = true redact_version = true }'
    )
    assert 'ha_storage "consul" is not available in this version at f0.hcl:4:1' in told
    assert 'service_registration "kubernetes" is not available in this version at f0.hcl:5:1' in told
    assert "plugin_directory has no effect in this version at f0.hcl:6:1" in told
    assert "entropy is read but not available in this version at f0.hcl:8:1" in told
    assert "dogstatsd_addr of telemetry has no effect in this version" in told
    assert "redact_version of the listener on 0.0.0.0:9 has no effect in this version" in told
    assert "the listener on 0.0.0.0:9 has TLS disabled: tokens and secrets travel in clear" in told
    assert any(line.startswith("raw_storage_endpoint opens sys/raw") for line in told)
    assert not any("disable_clustering" in line for line in told)


def test_a_plain_configuration_is_quiet():
    assert notices(BASE) == []


def test_a_default_that_was_not_given_follows_a_shorter_maximum():
    config = config_of(BASE + 'max_lease_ttl = "1h" default_lease_ttl = 0', BASE.replace("/data", "/d"))
    assert (config.default_lease_ttl, config.max_lease_ttl) == (3600.0, 3600.0)
    assert config_of(BASE + 'max_lease_ttl = "1h"').default_lease_ttl == 3600.0


def test_old_places_of_addresses():
    text = 'storage "raft" { path = "/d" api_addr = "https://a:8200" cluster_addr = "https://a:8201" } listener "tcp" { tls_disable = 1 }'
    config = config_of(text)
    assert (config.api_addr, config.cluster_addr) == ("https://a:8200", "https://a:8201")


def test_no_secret_shows_in_repr():
    config = config_of(
        'storage "raft" { path = "/d" retry_join { leader_client_key = "hunter2" auto_join = "hunter2" } }'
        'listener "tcp" { tls_disable = 1 tls_acme_eab_mac_key = "hunter2" }'
        'seal "static" { current_key_id = "1" current_key = "hunter2" }'
        'ha_storage "consul" { token = "hunter2" } telemetry { circonus_api_token = "hunter2" }'
        'service_registration "consul" { token = "hunter2" }'
    )
    assert "hunter2" not in repr(config)
    assert config.seals[0].settings == {"current_key_id": "1", "current_key": "hunter2"}


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*SCALARS, "storage", "listener", "seal", "telemetry", "user_lockout", "zzz"]),
        st.recursive(
            st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "1h", "tcp", "raft"]),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["tcp", "raft", "path", "type", "address"]), inner, max_size=2)
            ),
            max_leaves=5,
        ),
        max_size=4,
    )
)
def test_any_values_are_taken_or_refused(tree):
    with contextlib.suppress(ConfigInvalid):
        merged(json.dumps(tree))
