from dataclasses import fields, replace

from strongroom_node.config.listener import ListenerConfig
from strongroom_node.config.reload import RELOADED, RELOADED_OF_LISTENER, plan_reload
from strongroom_node.config.schema import ServerConfig
from strongroom_node.config.storage import StorageConfig

TLS = ListenerConfig(address="0.0.0.0:8200", tls_cert_file="c", tls_key_file="k")
PLAIN = ListenerConfig(address="127.0.0.1:8300", tls_disable=True)
OLD = ServerConfig(storage=StorageConfig("inmem"), listeners=(TLS, PLAIN))


def test_the_lists_name_real_settings():
    assert {declared.name for declared in fields(ServerConfig)} >= RELOADED
    assert {declared.name for declared in fields(ListenerConfig)} >= RELOADED_OF_LISTENER


def test_nothing_changed_still_reads_certificates_again():
    plan = plan_reload(OLD, OLD)
    assert (plan.changed, plan.needs_restart, plan.listeners, plan.config) == ((), (), (TLS,), OLD)


def test_some_settings_are_taken_up_and_others_wait():
    plan = plan_reload(
        OLD, replace(OLD, log_level="debug", max_lease_ttl=1.0, storage=StorageConfig("file", {"path": "/d"}))
    )
    assert plan.changed == ("log_level",)
    assert set(plan.needs_restart) == {"storage", "max_lease_ttl"}
    assert plan.config == replace(OLD, log_level="debug")


def test_listeners():
    renewed = replace(TLS, tls_cert_file="c2", tls_min_version="tls13")
    added = ListenerConfig(address="127.0.0.1:9999", tls_disable=True)
    plan = plan_reload(OLD, replace(OLD, listeners=(renewed, added)))
    assert plan.listeners == (replace(TLS, tls_cert_file="c2"),)
    assert plan.config.listeners == (replace(TLS, tls_cert_file="c2"), PLAIN)
    assert plan.needs_restart == (
        "listener 0.0.0.0:8200: tls_min_version",
        "listener 127.0.0.1:8300: removed",
        "listener 127.0.0.1:9999: added",
    )
