"""One request and one answer, and how a request looks as a curl command."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from strongroom_node.client.errors import ReplyInvalid
from strongroom_node.client.secret import Body, Secret, parse_secret

TOKEN_HEADER = "X-Vault-Token"
MERGE_PATCH = "application/merge-patch+json"
# Characters Go leaves alone in a path, less "$", which a shell would expand in the printed curl command.
PATH_SAFE = "/:@&=+,;~"


class Request(NamedTuple):
    """What will be sent. `path` is decoded and relative to `/v1/`."""

    method: str
    url: str
    path: str
    headers: dict[str, str]
    body: bytes | None = None

    def __repr__(self) -> str:
        """Without headers and body, which hold secrets."""
        return f"<request {self.method} {self.path}>"


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        """Without the body, which holds secrets."""
        return f"<reply {self.status}>"

    def json(self) -> Body:
        """The body as a map; empty for an empty body. Raises ReplyInvalid."""
        if not self.body.strip():
            return {}
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ReplyInvalid("the server's answer is not JSON") from error
        if not isinstance(value, dict):
            raise ReplyInvalid("the server's answer is not a JSON object")
        return value

    def data(self) -> Body:
        """The body's `data` map, or the whole body where the server has none."""
        body = self.json()
        data = body.get("data")
        return data if isinstance(data, dict) else body

    def secret(self) -> Secret | None:
        """The envelope; None for an empty body."""
        return parse_secret(self.json()) if self.body.strip() else None


def clean_path(path: str) -> str:
    """Without surrounding spaces, leading slashes and one trailing slash."""
    return path.strip().lstrip("/").removesuffix("/")


def encode_path(path: str) -> str:
    """The path with everything a URL cannot hold percent-encoded."""
    return quote(path, safe=PATH_SAFE, errors="surrogateescape")


def encode_query(query: Mapping[str, str | list[str]]) -> str:
    """The query text with sorted keys; empty for no keys."""
    return urlencode({name: query[name] for name in sorted(query)}, doseq=True)


def encode_json(value: Any) -> bytes:
    """JSON as Go writes it: no spaces, UTF-8, angle brackets and ampersands escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return escape_markup(text).encode("utf-8", "replace")


def escape_markup(text: str) -> str:
    """Escape what Go's encoder escapes; these characters occur only inside JSON's strings."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def curl_command(request: Request, program: str) -> str:
    """The request as a curl command. The token is fetched by the command, never printed."""
    parts = ["curl"]
    if request.method != "GET":
        parts.append(f"-X {request.method}")
    for name, value in _shown_headers(request.headers):
        shown = f"$({program} print token)" if name == TOKEN_HEADER else _shell_text(value)
        parts.append(f'-H "{name}: {shown}"')
    if request.body:
        data = request.body.decode("utf-8", "replace").replace("'", "'\"'\"'")
        parts.append(f"-d '{data}'")
    parts.append(f'"{request.url}"')
    return " ".join(parts)


def _shown_headers(headers: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    shown = {name: value for name, value in headers.items() if value != "application/json"}
    shown.setdefault(TOKEN_HEADER, "")
    return sorted(shown.items())


def _shell_text(value: str) -> str:
    for character in '\\"$`':
        value = value.replace(character, "\\" + character)
    return value
