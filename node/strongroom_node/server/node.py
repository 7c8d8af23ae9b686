"""A running node: its core, its listeners and what reloads, drains and ends them."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from strongroom_cluster.store import Store, open_store
from strongroom_node.assembly import make_core
from strongroom_node.config.listener import ListenerConfig
from strongroom_node.config.reload import plan_reload
from strongroom_node.config.report import ConfigInvalid
from strongroom_node.config.schema import ServerConfig
from strongroom_node.core.background import Background
from strongroom_node.http.listener import Listener
from strongroom_node.http.settings import CONNECTIONS_MAX, ListenerSettings
from strongroom_node.http.tls import TLSInvalid
from strongroom_node.seals.registry import make_seal
from strongroom_node.server import hardening
from strongroom_node.server.listeners import settings_of
from strongroom_node.server.plan import Plan, core_config, metrics_settings, read_plan
from strongroom_node.telemetry.log import Log
from strongroom_node.telemetry.metrics import Metrics, own_hostname
from strongroom_node.telemetry.runtime import Runtime
from strongroom_node.telemetry.usage import Usage, cheap_readings

if TYPE_CHECKING:
    from strongroom_node.cli.commands.server import ServerOptions

DRAIN_SECONDS: Final = 5.0
"""How long requests under way may take when the process is asked to end."""

UNLOCK_SECONDS: Final = 60.0
"""How often maps of the store, which may have grown, are unlocked again."""

_log = structlog.get_logger("server")


class Node:
    """Everything of a server but the process: made from a plan, started, reloaded, stopped."""

    def __init__(self, options: "ServerOptions", plan: Plan, log: Log, root_token: str) -> None:
        """Opens the store. Raises StorageError. `root_token` is a development server's."""
        self.options, self.plan, self._log = options, plan, log
        self.config: ServerConfig = plan.config
        self.failure: BaseException | None = None
        self.ended = asyncio.Event()
        self.is_locked = False
        self.listeners: list[Listener] = []
        files = hardening.raise_file_limit() // max(len(self.config.listeners), 1)
        self._connections_max = min(CONNECTIONS_MAX, files)
        seal = next((seal for seal in self.config.seals if not seal.disabled), None)
        opened = make_seal() if seal is None else make_seal(seal.type, seal.settings)
        self.folder = _folder(self.config)
        store: Store = open_store(self.folder, on_failure=self.fail)
        self.core = make_core(store, opened, core_config(self.config, options, root_token))
        self.metrics = self.core.metrics = Metrics(metrics_settings(self.config))
        self._runtime = Runtime()
        self._background = Background()
        self._connect()

    def _connect(self) -> None:
        core, metrics = self.core, self.metrics
        metrics.cluster = lambda: core.facts().cluster_name
        metrics.readings += [lambda: cheap_readings(core), self._runtime.readings]
        core.set_log_level = self._log.set_level
        core.log_levels = self._log.levels
        core.reload = self._reload_part

    # --- life

    async def start(self) -> str:
        """Open what the seal can open, serve. A development server's unseal key, else an empty text.

        Raises StorageError, TLSInvalid or OSError; `stop` is then still to be called.
        """
        self._runtime.start()
        self._lock_memory()
        await self.core.start()
        share = ""
        if self.options.dev:
            share = await self.core.make_development()
            if self.options.dev_no_kv:
                await self.core.disable(self.core.mounts.all()["secret/"])
        for config in self.config.listeners:
            listener = Listener(self.core, self._settings(config))
            await listener.start()
            self.listeners.append(listener)
        self._background.start("usage", Usage(self.core, self.metrics).run)
        if self.is_locked and self.folder is not None:
            self._background.start("unlock", self._keep_files_unlocked)
        return share

    def fail(self, error: BaseException) -> None:
        """Nothing can be written any more: end the process rather than serve what cannot change."""
        if self.failure is None:
            self.failure = error
            _log.error("storage failed, the server ends", error=type(error).__name__, detail=str(error)[:200])
        self.ended.set()

    async def stop(self) -> None:
        """Let requests finish, seal, close the store. Also for a node that did not start."""
        await asyncio.gather(*(listener.drain(DRAIN_SECONDS) for listener in self.listeners))
        self.listeners.clear()
        await self._background.stop()
        await self.core.stop()
        self._runtime.stop()

    @property
    def address(self) -> str:
        """The API's address for clients on this machine; the port is the bound one, whatever was configured."""
        listener = self.listeners[0]
        if listener.settings.path is not None or self.config.listeners[0].port:
            return self.config.api_addr
        scheme = "http" if listener.settings.tls is None else "https"
        return f"{scheme}://{listener.settings.host}:{listener.port}"

    def _settings(self, config: ListenerConfig) -> ListenerSettings:
        server = self.config
        raft = server.storage.raft if server.storage is not None else None
        return replace(
            settings_of(config, server.default_max_request_duration),
            connections_max=self._connections_max,
            hostname=own_hostname() if server.enable_response_header_hostname else "",
            raft_node_id=raft.node_id if raft is not None and server.enable_response_header_raft_node_id else "",
        )

    def _lock_memory(self) -> None:
        if self.config.disable_mlock:
            return
        try:
            hardening.lock_memory()
        except hardening.MemoryLockRefused as error:
            _log.warning("memory is not locked, keys may be swapped out", reason=str(error))
            return
        self.is_locked = True
        if self.folder is not None:
            hardening.unlock_files(self.folder)

    async def _keep_files_unlocked(self) -> None:
        while self.folder is not None:
            hardening.unlock_files(self.folder)
            await asyncio.sleep(UNLOCK_SECONDS)

    # --- reload

    def reload(self, environ: Mapping[str, str] = os.environ) -> bool:
        """Read the configuration again and take up what can change. False, with the reason logged, if it is wrong."""
        self._log.reopen()
        try:
            plan = read_plan(self.options, environ, is_reload=True)
        except ConfigInvalid as error:
            _log.error("configuration was not reloaded", reason=str(error))
            return False
        for notice in plan.loaded.notices:
            _log.warning(str(notice))
        wanted = plan_reload(self.config, self.kept_by_flags(plan.config))
        self.config = wanted.config
        if "log_level" in wanted.changed:
            self._log.configure_level(wanted.config.log_level)
        for setting in wanted.needs_restart:
            _log.warning("setting waits for a restart", setting=setting)
        is_good = self._reload_listeners()
        _log.info("configuration reloaded", changed=",".join(wanted.changed))
        return is_good

    def kept_by_flags(self, config: ServerConfig) -> ServerConfig:
        """A development server's own certificates are not in any file."""
        return config if not self.options.dev_tls else self.config

    def _reload_listeners(self) -> bool:
        is_good = True
        for config, listener in zip(self.config.listeners, self.listeners, strict=True):
            before, listener.settings = listener.settings, self._reloaded(listener.settings, config)
            try:
                listener.reload()
            except TLSInvalid as error:
                is_good, listener.settings = False, before
                _log.error("certificate was not reloaded", listener=listener.settings.label, reason=str(error))
        return is_good

    def _reloaded(self, running: ListenerSettings, config: ListenerConfig) -> ListenerSettings:
        """The running settings with what a listener can take up."""
        wanted = self._settings(config)
        tls = running.tls
        if tls is not None and wanted.tls is not None:
            tls = replace(
                tls,
                certificate=wanted.tls.certificate,
                key=wanted.tls.key,
                client_ca=wanted.tls.client_ca,
            )
        return replace(running, tls=tls, custom_headers=wanted.custom_headers, cors=wanted.cors)

    async def _reload_part(self, subsystem: str) -> bool:
        """`sys/config/reload`: listeners' certificates, or everything a SIGHUP would."""
        if subsystem in ("listener", "listeners"):
            return self._reload_listeners()
        return subsystem in ("config", "log", "logging") and self.reload()


def _folder(config: ServerConfig) -> Path | None:
    storage = config.storage
    return None if storage is None or storage.type == "inmem" else Path(storage.path)
