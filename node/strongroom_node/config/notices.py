"""Sentences about what was configured and has no effect yet, or not the expected one."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from strongroom_node.config import availability
from strongroom_node.config.report import Notice, Place
from strongroom_node.config.schema import ServerConfig


def notices_of(config: ServerConfig, given: Mapping[str, Place]) -> list[Notice]:
    """Everything the operator should know, by name. `given` are the settings that were written down."""
    return [*_top_level(config, given), *_inside(config), *_advice(config, given)]


def _top_level(config: ServerConfig, given: Mapping[str, Place]) -> Iterator[Notice]:
    if config.ha_storage is not None:
        place = config.ha_storage.place
        yield Notice(f'ha_storage "{config.ha_storage.type}" is not available in this version', place)
    for kind in config.service_registration:
        place = given.get("service_registration")
        yield Notice(f'service_registration "{kind}" is not available in this version', place)
    for name, place in given.items():
        if name in availability.BLOCKS:
            yield Notice(f"{name} is read but not available in this version", place)
        elif name in availability.SETTINGS and getattr(config, name) not in (False, "", 0, (), {}, None):
            yield Notice(f"{name} has no effect in this version", place)


def _inside(config: ServerConfig) -> Iterator[Notice]:
    for listener in config.listeners:
        for name in _changed(listener, availability.LISTENER_PREFIXES):
            yield Notice(f"{name} of the listener on {listener.address} has no effect in this version")
        if listener.profiling.unauthenticated_pprof_access:
            yield Notice(f"profiling of the listener on {listener.address} has no effect in this version")
    for name in _changed(config.telemetry, availability.TELEMETRY_PREFIXES):
        yield Notice(f"{name} of telemetry has no effect in this version")
    if config.storage is not None and config.storage.raft is not None:
        place = config.storage.place
        for name in _changed(config.storage.raft, availability.RAFT_PREFIXES):
            yield Notice(f'{name} of storage "raft" has no effect in this version', place)
    for seal in config.seals:
        if seal.disabled:
            yield Notice(f'seal "{seal.type}" is disabled: seal migration is not available in this version', seal.place)


def _advice(config: ServerConfig, given: Mapping[str, Place]) -> Iterator[Notice]:
    if config.storage is not None and config.storage.type == "inmem" and config.storage.place is not None:
        yield Notice('storage "inmem" keeps nothing: all data is lost when the server stops', config.storage.place)
    if config.storage is not None and config.storage.type == "raft" and not config.cluster_addr:
        yield Notice('cluster_addr should be set with storage "raft"', config.storage.place)
    if config.raw_storage_endpoint:
        yield Notice(
            "raw_storage_endpoint opens sys/raw to every token with sudo on it", given.get("raw_storage_endpoint")
        )
    for listener in config.listeners:
        if listener.type == "tcp" and listener.tls_disable and listener.host not in ("127.0.0.1", "::1", "localhost"):
            yield Notice(f"the listener on {listener.address} has TLS disabled: tokens and secrets travel in clear")
        if listener.tls_min_version in ("tls10", "tls11"):
            yield Notice(f"tls_min_version of the listener on {listener.address} allows versions known to be weak")


def _changed(value: Any, prefixes: tuple[str, ...]) -> list[str]:
    """Names of the fields that begin with one of the prefixes and differ from their defaults."""
    return [
        declared.name
        for declared in fields(value)
        if declared.name.startswith(prefixes) and getattr(value, declared.name) != declared.default
    ]
