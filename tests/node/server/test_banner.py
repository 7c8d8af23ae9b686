import pytest

from strongroom_node.config.schema import development_config
from strongroom_node.server.banner import configuration_rows, configuration_text, development_text, go_duration


def test_rows_are_sorted_and_aligned():
    text = configuration_text({"Storage": "inmem", "Api Address": "http://127.0.0.1:8200"})
    assert text == (
        "==> Vault server configuration:\n\n"
        "             Api Address: http://127.0.0.1:8200\n"
        "                 Storage: inmem\n"
    )


def test_the_settings_are_shown_without_values_of_the_environment():
    rows = configuration_rows(development_config(), ["VAULT_TOKEN", "A"], "3.11", is_locked=True)
    assert rows["Environment Variables"] == "A, VAULT_TOKEN"
    assert rows["Mlock"] == "supported: true, enabled: true"
    assert rows["Listener 1"] == (
        'tcp (addr: "127.0.0.1:8200", cluster address: "127.0.0.1:8201", max_request_duration: "1m30s", '
        'max_request_size: "33554432", tls: "disabled")'
    )


@pytest.mark.parametrize(("seconds", "text"), [(5, "5s"), (90, "1m30s"), (3600, "1h0m0s"), (0, "0s")])
def test_durations(seconds, text):
    assert go_duration(seconds) == text


def test_scripts_find_key_and_token():
    lines = development_text("https://127.0.0.1:1", "share=", "hvs.x", "/t/ca.pem").splitlines()
    assert "Unseal Key: share=" in lines
    assert "Root Token: hvs.x" in lines
    assert "    $ export VAULT_ADDR='https://127.0.0.1:1'" in lines
    assert "    $ export VAULT_CACERT='/t/ca.pem'" in lines
    assert lines[0].startswith("WARNING! dev mode is enabled!")
