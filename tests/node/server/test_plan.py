import pytest

from strongroom_node.cli.commands.server import ServerOptions
from strongroom_node.config.report import ConfigInvalid
from strongroom_node.server.plan import core_config, log_settings, metrics_settings, read_plan

TEXT = """
storage "file" { path = "/data" }
listener "tcp" { address = "127.0.0.1:8300" tls_disable = true }
log_level = "debug"
default_lease_ttl = "1h"
telemetry { disable_hostname = true prometheus_retention_time = "30s" usage_gauge_period = "none" }
user_lockout "all" { lockout_threshold = 3 }
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "server.hcl"
    path.write_text(TEXT)
    return path


def test_flags_count_more_than_files_until_a_reload(file):
    options = ServerOptions(config_paths=(str(file),), log_level="error", log_format="json", log_file="/l/")
    config = read_plan(options, {}).config
    assert (config.log_level, config.log_format, config.log_file) == ("error", "json", "/l/")
    assert log_settings(config).level == "error"
    assert read_plan(options, {}, is_reload=True).config.log_level == "debug"


def test_what_the_core_and_the_metrics_are_told(file):
    options = ServerOptions(config_paths=(str(file),))
    config = read_plan(options, {}).config
    told = core_config(config, options, "")
    assert (told.default_lease_ttl, told.storage_type, told.api_addr) == (3600.0, "file", "http://127.0.0.1:8300")
    assert told.user_lockout == {"all": {"lockout_threshold": 3}}
    assert told.sanitized["storage"]["type"] == "file"
    metrics = metrics_settings(config)
    assert (metrics.hostname, metrics.usage_seconds, metrics.prometheus_seconds) == ("", 0.0, 30.0)


def test_a_wildcard_address_is_not_advertised(file):
    file.write_text(TEXT.replace("127.0.0.1:8300", "0.0.0.0:8300"))
    assert read_plan(ServerOptions(config_paths=(str(file),)), {}).config.api_addr == ""


def test_faults_name_their_place(file):
    file.write_text('storage "inmem" {}\nlistener "tcp" {\n  tls_disable = maybe?\n}\n')
    with pytest.raises(ConfigInvalid, match=rf"{file}:3:\d+: "):
        read_plan(ServerOptions(config_paths=(str(file),)), {})
    with pytest.raises(ConfigInvalid, match="-dev-listen-address"):
        read_plan(ServerOptions(dev=True, dev_listen_address="nowhere:99999999"), {})


def test_a_development_server_can_have_a_configuration_file_too(tmp_path):
    path = tmp_path / "more.hcl"
    path.write_text('max_lease_ttl = "24h"')
    config = read_plan(ServerOptions(config_paths=(str(path),), dev=True), {}).config
    assert config.max_lease_ttl == 86400.0
    assert config.storage.type == "inmem"
    told = core_config(config, ServerOptions(dev=True, dev_kv_v1=True), "hvs.root")
    assert (told.dev_kv_version, told.dev_root_token) == ("1", "hvs.root")
    assert "hvs.root" not in repr(told)
