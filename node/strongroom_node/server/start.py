"""`run`: the whole life of a server process, as an exit status."""

import asyncio
import gc
import os
import platform
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TextIO

import structlog
import uvloop

from strongroom_node.client.token_helper import TOKEN_FILE, FileTokenHelper, TokenHelperFailed
from strongroom_node.config.report import ConfigInvalid
from strongroom_node.http.tls import TLSInvalid
from strongroom_node.server import banner, hardening
from strongroom_node.server.development import Certificates, make_certificates, random_root_token, with_tls
from strongroom_node.server.node import Node
from strongroom_node.server.pid_file import PidFile
from strongroom_node.server.plan import Plan, log_settings, read_plan
from strongroom_node.telemetry.log import Log
from strongroom_storage.errors import StorageError

if TYPE_CHECKING:
    from strongroom_node.cli.commands.server import ServerOptions

UMASK: Final = 0o077
"""Whatever the server makes is its own."""

GC_THRESHOLDS: Final = (20_000, 20, 50)
"""Requests leave next to no cycles, so the collector looks less often than at every 700 objects, Python's default.

Together with the freeze it saves 1 to 8 % of a KV read's 20 us, and full collections that would stop everybody.
"""

_log = structlog.get_logger("server")


def run(options: "ServerOptions") -> int:
    """Serve until told to end. 0 after SIGTERM or SIGINT, 1 if it could not start or its storage failed."""
    if options.recovery:
        return _refuse("recovery mode is not available in this version")
    os.umask(UMASK)
    try:
        plan = read_plan(options, os.environ)
    except ConfigInvalid as error:
        return _refuse(f"error loading configuration: {error}")
    certificates = make_certificates(options.dev_tls_cert_dir, options.dev_tls_sans) if options.dev_tls else None
    if certificates is not None:
        plan = replace(plan, config=with_tls(plan.config, certificates))
        plan = replace(plan, config=replace(plan.config, api_addr=plan.config.api_addr.replace("http:", "https:", 1)))
    if not options.dev:
        hardening.forbid_dumps()
    try:
        log = Log(log_settings(plan.config))
    except OSError as error:
        return _refuse(f"error opening the log file {plan.config.log_file}: {error.strerror}")
    log.install()
    pid_file = PidFile(plan.config.pid_file)
    try:
        pid_file.write()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(options, plan, log, certificates))
    except (StorageError, TLSInvalid, OSError) as error:
        return _refuse(f"error starting the server: {error}")
    finally:
        pid_file.remove()
        if certificates is not None:
            certificates.remove()
        log.uninstall()
        log.close()


async def _serve(options: "ServerOptions", plan: Plan, log: Log, certificates: Certificates | None) -> int:
    loop = asyncio.get_running_loop()
    log.watch(loop)
    for notice in plan.loaded.notices:
        _log.warning(str(notice))
    root_token = (options.dev_root_token_id or random_root_token()) if options.dev else ""
    node = Node(options, plan, log, root_token)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, node.ended.set)
    loop.add_signal_handler(signal.SIGHUP, log.reopen)  # without a handler it would end the process
    try:
        share = await start_unless_ended(node)
        if share is not None:
            loop.add_signal_handler(signal.SIGHUP, _reload, node)
            _quieten_collector()
            _announce(node, share, root_token, certificates)
            await node.ended.wait()
        _say(banner.SHUTDOWN)
    finally:
        await node.stop()
    if node.failure is not None:
        return _refuse(f"storage failed: {node.failure}")
    return 0


async def start_unless_ended(node: Node) -> str | None:
    """Start the node; None if it was told to end before it was ready, as while it waits for a key service."""
    loop = asyncio.get_running_loop()
    starting, ending = loop.create_task(node.start()), loop.create_task(node.ended.wait())
    try:
        await asyncio.wait((starting, ending), return_when=asyncio.FIRST_COMPLETED)
        return await starting if starting.done() else None
    finally:
        starting.cancel()
        ending.cancel()
        await asyncio.gather(starting, ending, return_exceptions=True)


def _announce(node: Node, share: str, root_token: str, certificates: Certificates | None) -> None:
    rows = banner.configuration_rows(
        node.config, sorted(os.environ), platform.python_version(), is_locked=node.is_locked
    )
    _say(banner.configuration_text(rows))
    _say(banner.STARTED)
    if not node.options.dev:
        return
    if node.options.dev_stores_token:
        _store_token(root_token)
    ca_file = "" if certificates is None else str(certificates.ca)
    _say(banner.development_text(node.address, share, root_token, ca_file))


def _quieten_collector() -> None:
    """What is there now stays: it need not be looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _store_token(root_token: str) -> None:
    home = os.environ.get("HOME", "")
    if not home:
        return
    try:
        FileTokenHelper(os.path.join(home, TOKEN_FILE)).store(root_token)  # noqa: PTH118 -- the helper takes a text
    except TokenHelperFailed as error:
        _log.warning("the root token was not kept for the next command", reason=str(error))


def _reload(node: Node) -> None:
    _say(banner.RELOAD)
    node.reload()


def _say(text: str, stream: TextIO | None = None) -> None:
    """Print, if anybody still reads."""
    try:
        print(text, file=stream or sys.stdout, flush=True)
    except (OSError, ValueError):
        return


def _refuse(reason: str) -> int:
    _say(reason, sys.stderr)
    return 1
