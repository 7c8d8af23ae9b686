"""What a running command has at hand."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from strongroom_node.cli.command import SERVER_ERROR, CommandFailed
from strongroom_node.cli.flags import Flags
from strongroom_node.cli.http_flags import client_settings
from strongroom_node.cli.streams import Streams
from strongroom_node.client.client import Client, DryRun, Query
from strongroom_node.client.environment import variable
from strongroom_node.client.errors import ClientError
from strongroom_node.client.request import Reply
from strongroom_node.client.token_helper import TokenHelper, token_helper


class Context(NamedTuple):
    """Arguments, flags, streams, environment, and the program's own name for texts that tell what to type."""

    program: str
    arguments: list[str]
    flags: Flags
    streams: Streams
    environment: Mapping[str, str]

    @property
    def format(self) -> str:
        """The output format; "table" for commands without the flag."""
        return self.flags.text("format").lower() if self.flags.has("format") else "table"

    def helper(self) -> TokenHelper:
        """Where the user's token is kept."""
        return token_helper(self.environment)

    def token(self) -> str:
        """The token of the environment, else of the token helper."""
        return variable(self.environment, "TOKEN") or self.helper().get()

    def client(self, *, has_token: bool = True) -> Client:
        """A client with this command's settings. Raises CommandFailed."""
        try:
            settings = client_settings(self.flags, self.environment)
            token = self.token() if has_token else ""
            is_dry = self.flags.on("output-curl-string") or self.flags.on("output-policy")
            return Client(settings, token, is_dry=is_dry)
        except ClientError as error:
            raise CommandFailed(str(error), SERVER_ERROR) from error

    def call(
        self,
        doing: str,
        method: str,
        path: str,
        body: Any = None,
        query: Query | None = None,
        **options: bool,
    ) -> Reply:
        """Send one request; a failure becomes "<doing>: <error>" with exit code 2."""
        client = self.client()
        return self.attempt(doing, lambda: client.call(method, path, body, query, **options))

    def attempt(self, doing: str, action: Callable[[], Reply]) -> Reply:
        """Run a client call; a failure becomes "<doing>: <error>" with exit code 2."""
        try:
            return action()
        except DryRun:
            raise
        except ClientError as error:
            raise CommandFailed(f"{doing}: {error}" if doing else str(error), SERVER_ERROR) from error
