"""Unix sockets: mode, owner, and files that others left."""

import os
import socket
import stat

import pytest
from support.edge import FakeCore, edge

from strongroom_node.http.listener import Listener
from strongroom_node.http.settings import ListenerSettings

STS = "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize(("mode", "shown"), [(None, 0o600), (0o660, 0o660)])
async def test_unix_socket(tmp_path, mode, shown):
    path = tmp_path / "s"
    async with edge(path=path, socket_mode=mode, socket_user=str(os.getuid()), socket_group=str(os.getgid())) as node:
        assert stat.S_IMODE(path.stat().st_mode) == shown
        assert node.listener.port == 0
        client = await node.connect()
        assert await client.is_alive()
        assert node.core.requests[0].remote_address == ""
        umask = os.umask(0)
        os.umask(umask)
        assert umask != 0o177
    assert not path.exists()


async def test_stale_socket_file(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    async with edge(path=path) as node:
        assert await (await node.connect()).is_alive()


async def test_socket_of_a_live_server(tmp_path):
    path = tmp_path / "s"
    async with edge(path=path) as node:
        with pytest.raises(OSError, match="another server"):
            await Listener(FakeCore(), ListenerSettings(path=path)).start()
        assert await (await node.connect()).is_alive()


async def test_a_successors_socket_stays(tmp_path):
    path = tmp_path / "s"
    async with edge(path=path):
        path.rename(tmp_path / "old")
        with socket.socket(socket.AF_UNIX) as successor:
            successor.bind(str(path))
    assert path.exists()


@pytest.mark.parametrize("more", [{"socket_user": "nobody-of-that-name"}, {"socket_group": "no-such-group"}])
async def test_unix_socket_that_cannot_be(tmp_path, more):
    path = tmp_path / "s"
    with pytest.raises(OSError, match="there is no"):
        await Listener(FakeCore(), ListenerSettings(path=path, **more)).start()
    assert not path.exists()
    path.write_text("mine")
    with pytest.raises(OSError, match="in use"):
        await Listener(FakeCore(), ListenerSettings(path=path)).start()
    assert path.read_text() == "mine"
