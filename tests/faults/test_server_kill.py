"""A whole server under load is killed again and again; over the API, nothing that it acknowledged may be missing."""

import http.client
import json
import threading
from pathlib import Path

import hvac
import pytest
from support.server import Server, ended_within, running_production

WRITERS = 8
UNSEALED_SECONDS_MAX = 30


class Load:
    """Threads that write numbered secrets until the server is gone, and what was acknowledged to them."""

    def __init__(self, server: Server, token: str, turn: int) -> None:
        self.host = server.address.removeprefix("http://")
        self.token, self.turn = token, turn
        self.acknowledged: set[str] = set()
        self.unexpected: list[int] = []
        self.enough = threading.Event()
        self.wanted = 0

    def run(self, wanted: int, server: Server) -> None:
        """Kill the server once `wanted` writes were acknowledged, while more are under way."""
        self.wanted = wanted
        threads = [threading.Thread(target=self.write, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        assert self.enough.wait(60), "the server is too slow, or refuses"
        server.process.kill()
        for thread in threads:
            thread.join(30)
        assert ended_within(server.process, 10)
        assert not [status for status in self.unexpected if status >= 500]

    def write(self, writer: int) -> None:
        connection = http.client.HTTPConnection(self.host, timeout=20)
        headers = {"X-Vault-Token": self.token, "Content-Type": "application/json"}
        try:
            for number in range(1_000_000):
                name = f"{self.turn}-{writer}-{number}"
                connection.request("POST", f"/v1/kill/data/{name}", json.dumps({"data": {"name": name}}), headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.acknowledged.add(name)
                else:
                    self.unexpected.append(answer.status)
                if len(self.acknowledged) >= self.wanted:
                    self.enough.set()
        except (OSError, http.client.HTTPException):
            return  # killed
        finally:
            connection.close()


def open_server(server: Server, share: str) -> None:
    client = hvac.Client(url=server.address, token="")
    client.sys.submit_unseal_key(share)
    for _ in range(UNSEALED_SECONDS_MAX * 20):
        if client.sys.read_health_status(method="HEAD").status_code == 200:
            break
        assert not ended_within(server.process, 0.05)
    client.adapter.close()


def found(server: Server, token: str) -> dict[str, str]:
    """Every secret's name and content, by what the listing says is there."""
    client = hvac.Client(url=server.address, token=token)
    names = client.secrets.kv.v2.list_secrets("", mount_point="kill")["data"]["keys"]
    read = client.secrets.kv.v2.read_secret_version
    content = {
        name: read(name, mount_point="kill", raise_on_deleted_version=True)["data"]["data"]["name"] for name in names
    }
    client.adapter.close()
    return content


def drill(folder: Path, turns: list[int]) -> None:
    acknowledged: set[str] = set()
    with running_production(folder) as server:
        client = hvac.Client(url=server.address, token="")
        made = client.sys.initialize(secret_shares=1, secret_threshold=1)
        share, token = made["keys_base64"][0], made["root_token"]
        open_server(server, share)
        client.token = token
        client.sys.enable_secrets_engine("kv", path="kill", options={"version": "2"})
        client.adapter.close()
        first = Load(server, token, 0)
        first.run(turns[0], server)
        acknowledged |= first.acknowledged
    for turn, wanted in enumerate(turns[1:], 1):
        with running_production(folder) as server:
            open_server(server, share)
            present = found(server, token)
            assert not acknowledged - present.keys()
            assert all(name == content for name, content in present.items())
            load = Load(server, token, turn)
            load.run(wanted, server)
            acknowledged |= load.acknowledged
    with running_production(folder) as server:
        open_server(server, share)
        assert not acknowledged - found(server, token).keys()


def test_two_kills(tmp_path: Path) -> None:
    drill(tmp_path, [60, 200])


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_many_kills(tmp_path: Path) -> None:
    drill(tmp_path, [1, 30, 300, 1000, 7, 500, 90, 700])
