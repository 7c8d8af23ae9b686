"""Bound sockets of listeners: TCP for the accept loop behind proxies, and Unix sockets with an owner and a mode."""

import errno
import grp
import os
import pwd
import socket
import stat
from pathlib import Path
from typing import Final

from strongroom_node.http.settings import ListenerSettings

BACKLOG: Final = 1024
_MODE: Final = 0o600


def bind_tcp(host: str, port: int) -> socket.socket:
    """A listening TCP socket that does not block; without a host, on every address. Raises OSError."""
    is_6 = ":" in host or (not host and socket.has_dualstack_ipv6())
    family = socket.AF_INET6 if is_6 else socket.AF_INET
    bound = socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=is_6 and not host)
    bound.setblocking(False)
    return bound


class UnixSocket:
    """A bound Unix socket and its file. Raises OSError: also where a server still answers at the path."""

    def __init__(self, path: Path, settings: ListenerSettings) -> None:
        self.path = path
        _remove_stale(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o777 & ~_MODE)
        try:
            self.socket.bind(str(path))
        except OSError:
            self.socket.close()
            raise
        finally:
            os.umask(before)
        self._inode = path.lstat().st_ino
        try:
            os.chown(path, _user(settings.socket_user), _group(settings.socket_group))
            path.chmod(_MODE if settings.socket_mode is None else settings.socket_mode)
        except OSError:
            self.socket.close()
            self.remove()
            raise

    def remove(self) -> None:
        """Take the file away, unless another server has put its own there."""
        try:
            if self.path.lstat().st_ino == self._inode:
                self.path.unlink()
        except FileNotFoundError:
            return


def _remove_stale(path: Path) -> None:
    """Take away the socket file of a server that is gone; a file of any other kind is left for `bind` to refuse."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except BlockingIOError:
            pass
    raise OSError(errno.EADDRINUSE, "another server answers at this socket", str(path))


def _user(name: str) -> int:
    """A user's number, by name or number; -1, which leaves the owner, without one. Raises OSError."""
    if not name or name.isdigit():
        return int(name or -1)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise OSError(errno.EINVAL, f"there is no user {name}") from None


def _group(name: str) -> int:
    """The same for a group."""
    if not name or name.isdigit():
        return int(name or -1)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise OSError(errno.EINVAL, f"there is no group {name}") from None
