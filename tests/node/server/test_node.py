import asyncio
import io
import ssl
import urllib.error
import urllib.request
from contextlib import asynccontextmanager

import pytest

from strongroom_cluster.errors import JournalDamaged
from strongroom_node.cli.commands.server import ServerOptions
from strongroom_node.core.ceremonies.bodies import InitBody, UnsealBody
from strongroom_node.server.development import make_certificates
from strongroom_node.server.node import Node
from strongroom_node.server.plan import log_settings, read_plan
from strongroom_node.telemetry.log import Log
from strongroom_node.telemetry.metrics import own_hostname


@asynccontextmanager
async def running(options):
    plan = read_plan(options, {})
    stream = io.StringIO()
    log = Log(log_settings(plan.config), stream)
    log.install()
    node = Node(options, plan, log, options.dev_root_token_id)
    node.stream = stream
    try:
        node.share = await node.start()
        yield node
    finally:
        await node.stop()
        log.uninstall()
        log.close()


@pytest.fixture
async def dev():
    options = ServerOptions(dev=True, dev_root_token_id="root", dev_listen_address="127.0.0.1:0")
    async with running(options) as node:
        yield node


async def get(url, token="", context=None):
    def ask():
        request = urllib.request.Request(url, headers={"X-Vault-Token": token} if token else {})
        try:
            with urllib.request.urlopen(request, timeout=10, context=context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await asyncio.to_thread(ask)


async def test_a_development_server_answers_unsealed(dev):
    assert dev.share
    status, body = await get(f"{dev.address}/v1/sys/health")
    assert status == 200
    assert '"sealed":false' in body
    status, body = await get(f"{dev.address}/v1/sys/metrics?format=prometheus", "root")
    assert status == 200
    assert "vault_core_unsealed{" in body
    assert "vault_runtime_alloc_bytes" in body
    assert (await get(f"{dev.address}/v1/sys/metrics"))[0] == 403
    assert (await get(f"{dev.address}/v1/sys/metrics?format=odd", "root")) == (
        400,
        'metric response format "odd" unknown',
    )


async def test_levels_change_while_it_runs(dev):
    dev.core.set_log_level("trace", "http")
    assert dev.core.log_levels()["http"] == "trace"


async def test_no_secret_is_logged(dev):
    await get(f"{dev.address}/v1/secret/data/x", "root")
    text = dev.stream.getvalue()
    assert "vault is unsealed" in text
    assert dev.share not in text


async def test_without_kv_if_so_wanted():
    options = ServerOptions(
        dev=True, dev_root_token_id="root", dev_listen_address="127.0.0.1:0", dev_no_kv=True, dev_kv_v1=True
    )
    async with running(options) as node:
        assert "secret/" not in node.core.mounts.all()


async def headers_told(tmp_path, more):
    file = tmp_path / "server.hcl"
    file.write_text(f"""
storage "raft" {{
  path    = "{tmp_path}/data"
  node_id = "one"
}}
listener "tcp" {{
  address     = "127.0.0.1:0"
  tls_disable = true
}}
cluster_addr  = "https://127.0.0.1:8201"
disable_mlock = true
{more}
""")
    async with running(ServerOptions(config_paths=(str(file),))) as node:

        def ask():
            with urllib.request.urlopen(f"{node.address}/v1/sys/seal-status", timeout=10) as answer:
                return {name: answer.headers[name] for name in ("X-Vault-Hostname", "X-Vault-Raft-Node-ID")}

        return await asyncio.to_thread(ask)


async def test_answers_tell_the_node_only_if_so_wanted(tmp_path):
    wanted = "enable_response_header_hostname = true\nenable_response_header_raft_node_id = true"
    told = await headers_told(tmp_path, wanted)
    assert told == {"X-Vault-Hostname": own_hostname(), "X-Vault-Raft-Node-ID": "one"}
    assert await headers_told(tmp_path, "") == {"X-Vault-Hostname": None, "X-Vault-Raft-Node-ID": None}


async def test_a_failed_log_ends_the_node(dev):
    dev.fail(JournalDamaged("the disk is gone"))
    dev.fail(OSError("later"))
    assert dev.ended.is_set()
    assert str(dev.failure) == "the disk is gone"


CONFIGURATION = """
storage "file" {{ path = "{folder}/data" }}
listener "tcp" {{
  address = "127.0.0.1:0"
  tls_cert_file = "{folder}/tls/vault-cert.pem"
  tls_key_file = "{folder}/tls/vault-key.pem"
}}
disable_mlock = true
log_level = "{level}"
max_lease_ttl = "{ttl}"
"""


async def test_a_reload_takes_up_levels_and_certificates_and_nothing_wrong(tmp_path):
    file = tmp_path / "server.hcl"

    def write(level, ttl="768h"):
        file.write_text(CONFIGURATION.format(folder=tmp_path, level=level, ttl=ttl))

    first = make_certificates(str(tmp_path / "tls"), [])
    trust_first = ssl.create_default_context(cafile=first.ca)
    write("info")
    async with running(ServerOptions(config_paths=(str(file),))) as node:
        url = f"{node.address}/v1/sys/seal-status"
        assert (await get(url, context=trust_first))[0] == 200
        second = make_certificates(str(tmp_path / "tls"), [])
        trust_second = ssl.create_default_context(cafile=second.ca)
        write("debug", "24h")
        assert node.reload({})
        assert node.core.log_levels()["core"] == "debug"
        assert (await get(url, context=trust_second))[0] == 200
        assert "setting waits for a restart: setting=max_lease_ttl" in node.stream.getvalue()

        (tmp_path / "tls" / "vault-key.pem").write_text("torn")
        assert not node.reload({})
        assert (await get(url, context=trust_second))[0] == 200

        file.write_text("log_level = ")
        assert not node.reload({})
        assert f"{file}:1:" in node.stream.getvalue()
        assert node.core.log_levels()["core"] == "debug"


async def test_a_taken_port_is_an_error_that_leaves_nothing_behind(dev):
    port = dev.listeners[0].port
    options = ServerOptions(dev=True, dev_root_token_id="root", dev_listen_address=f"127.0.0.1:{port}")
    with pytest.raises(OSError, match=str(port)):
        async with running(options):
            raise AssertionError("two servers share a port")


async def test_a_node_that_never_started_can_be_stopped(tmp_path):
    file = tmp_path / "server.hcl"
    file.write_text(
        f'storage "file" {{ path = "{tmp_path}/data" }}\nlistener "tcp" {{ address = "127.0.0.1:0" tls_disable = true }}'
    )
    options = ServerOptions(config_paths=(str(file),))
    plan = read_plan(options, {})
    for _ in range(2):  # the second finds the folder unlocked
        node = Node(options, plan, Log(log_settings(plan.config), io.StringIO()), "")
        await node.stop()


async def test_durable_secrets_survive_a_stop(tmp_path):
    file = tmp_path / "server.hcl"
    file.write_text(
        f'storage "raft" {{ path = "{tmp_path}/data" }}\n'
        'listener "tcp" { address = "127.0.0.1:0" tls_disable = true }\ndisable_mlock = true\n'
    )
    async with running(ServerOptions(config_paths=(str(file),))) as node:
        made = await node.core.keeper.init(InitBody(secret_shares=1, secret_threshold=1))
        await node.core.keeper.unseal(UnsealBody(key=made["keys_base64"][0]))
        assert (await get(f"{node.address}/v1/auth/token/lookup-self", made["root_token"]))[0] == 200
    async with running(ServerOptions(config_paths=(str(file),))) as node:
        assert (await get(f"{node.address}/v1/sys/health"))[0] == 503
        await node.core.keeper.unseal(UnsealBody(key=made["keys_base64"][0]))
        assert (await get(f"{node.address}/v1/auth/token/lookup-self", made["root_token"]))[0] == 200
