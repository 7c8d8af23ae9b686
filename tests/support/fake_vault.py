"""An HTTP server that gives prepared answers and remembers what it was asked, for tests of the client side."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `path` is decoded and without `/v1/`, with its query."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class FakeVault:
    """Answers by method and path; several answers for one path are given in turn, the last one from then on."""

    address: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)

    def answer(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> None:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault((method, path), []).append(Answer(status, content, named))

    def next_answer(self, method: str, path: str) -> Answer:
        prepared = self.answers.get((method, path)) or self.answers.get((method, path.partition("?")[0]))
        if not prepared:
            return Answer(404, b'{"errors":[]}')
        return prepared.pop(0) if len(prepared) > 1 else prepared[0]

    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]


def _handler(vault: FakeVault) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = unquote(self.path).removeprefix("/v1/")
            vault.asked.append(Asked(self.command, path, dict(self.headers.items()), body))
            answer = vault.next_answer(self.command, path)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def running_fake(server_class: type[ThreadingHTTPServer] = ThreadingHTTPServer, **options: Any) -> Iterator[FakeVault]:
    """A fake on a free loopback port, or with the given server class and its options."""
    vault = FakeVault()
    server = server_class(options.pop("server_address", ("127.0.0.1", 0)), _handler(vault), **options)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        if isinstance(server.server_address, tuple):
            vault.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield vault
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
