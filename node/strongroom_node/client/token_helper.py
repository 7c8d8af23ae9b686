"""Keeps the user's token: in `~/.vault-token`, or in the program that `~/.vault` names."""

import os
import re
from collections.abc import Mapping
from typing import Protocol

from strongroom_node.client.environment import variable
from strongroom_node.client.errors import ClientError

TOKEN_FILE = ".vault-token"
CONFIG_FILE = ".vault"
TOKEN_BYTES_MAX = 64 * 1024
_HELPER_LINE = re.compile(r'^\s*"?token_helper"?\s*[=:]\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)


class TokenHelperFailed(ClientError):
    """The helper program, the file or the configuration cannot be used."""


class TokenHelper(Protocol):
    """Where a login leaves the token for the next command."""

    def get(self) -> str:
        """The stored token; empty when there is none."""
        ...

    def store(self, token: str) -> None:
        """Keep the token."""
        ...

    def erase(self) -> None:
        """Forget the token."""
        ...


class FileTokenHelper:
    """A file only its owner can read, replaced in one step so that a crash leaves the old token or the new one."""

    def __init__(self, path: str) -> None:
        self.path = path

    def get(self) -> str:
        """The file's contents, stripped."""
        try:
            with open(self.path, "rb") as file:  # noqa: PTH123  -- pathlib costs 5 ms at each start
                return file.read(TOKEN_BYTES_MAX).decode("utf-8", "replace").strip()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise TokenHelperFailed(f"error reading {self.path}: {error.strerror}") from error

    def store(self, token: str) -> None:
        """Write a new file with mode 0600 beside the old one, then move it into place."""
        temporary = f"{self.path}.{os.getpid()}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        try:
            try:
                descriptor = os.open(temporary, flags, 0o600)
            except FileExistsError:  # left by a crash of a process with our number
                os.unlink(temporary)  # noqa: PTH108  -- pathlib costs 5 ms
                descriptor = os.open(temporary, flags, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(token.encode())
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)  # noqa: PTH105  -- pathlib costs 5 ms
        except OSError as error:
            raise TokenHelperFailed(f"error storing token in {self.path}: {error.strerror}") from error

    def erase(self) -> None:
        """Remove the file."""
        try:
            os.unlink(self.path)  # noqa: PTH108  -- pathlib costs 5 ms
        except FileNotFoundError:
            return
        except OSError as error:
            raise TokenHelperFailed(f"error erasing {self.path}: {error.strerror}") from error


class ProgramTokenHelper:
    """An external program: `get` prints the token, `store` reads it from standard input, `erase` forgets it."""

    def __init__(self, path: str, environment: Mapping[str, str]) -> None:
        self.path = path
        self._environment = dict(environment)

    def get(self) -> str:
        """What the program prints."""
        return self._run("get").decode("utf-8", "replace").strip()

    def store(self, token: str) -> None:
        """Hand the token over on standard input."""
        self._run("store", token.encode())

    def erase(self) -> None:
        """Tell the program to forget."""
        self._run("erase")

    def _run(self, verb: str, given: bytes = b"") -> bytes:
        import subprocess  # noqa: PLC0415  -- heavy, and external helpers are rare

        try:
            done = subprocess.run(  # noqa: S603  -- no shell; the user's own file names the program
                [self.path, verb],
                input=given,
                capture_output=True,
                check=False,
                env=self._environment,
            )
        except OSError as error:
            raise TokenHelperFailed(f'error with token helper "{self.path}": {error.strerror}') from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise TokenHelperFailed(f"{said or 'no message'}: exit status {done.returncode}")
        return done.stdout


def token_helper(environment: Mapping[str, str]) -> TokenHelper:
    """The helper the user's configuration names, else the token file. Raises TokenHelperFailed."""
    home = environment.get("HOME", "") or os.path.expanduser("~")  # noqa: PTH111  -- pathlib costs 5 ms
    path = variable(environment, "CONFIG_PATH") or os.path.join(home, CONFIG_FILE)  # noqa: PTH118
    program = _configured_program(path)
    if program:
        given = {"VAULT_ADDR": variable(environment, "ADDR") or "https://127.0.0.1:8200"}
        return ProgramTokenHelper(program, {**environment, **given})
    return FileTokenHelper(variable(environment, "TOKEN_PATH") or os.path.join(home, TOKEN_FILE))  # noqa: PTH118


def _configured_program(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            text = file.read(TOKEN_BYTES_MAX)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return ""
    except OSError as error:
        raise TokenHelperFailed(f"error reading {path}: {error.strerror}") from error
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "//"))]
    found = _HELPER_LINE.search("\n".join(lines))
    if found is None:
        return ""
    program = re.sub(r"\\(.)", r"\1", found.group(1))
    if program and not os.path.isabs(program):  # noqa: PTH117
        raise TokenHelperFailed(f'token helper "{program}" must be an absolute path')
    return program
