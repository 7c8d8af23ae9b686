"""server: flags become options."""

import io
import sys
import types

import pytest

from strongroom_node.cli.command import UsageFailed
from strongroom_node.cli.commands.server import SERVER, ServerOptions, options_of
from strongroom_node.cli.context import Context
from strongroom_node.cli.flags import parse_flags
from strongroom_node.cli.streams import Streams


def options(*words: str, **environment: str) -> ServerOptions:
    parsed = parse_flags(SERVER.flags, words, environment)
    streams = Streams(io.BytesIO(), io.StringIO(), io.StringIO())
    return options_of(Context("vault", parsed.arguments, parsed.flags, streams, environment))


def test_configuration() -> None:
    found = options("-config=a.hcl", "-config", "b", "-log-level=debug", "-log-rotate-duration=1h", "-experiment=x")
    assert found.config_paths == ("a.hcl", "b")
    assert found.log_level == "debug"
    assert found.log_rotate_seconds == 3600.0
    assert found.experiments == ("x",)
    assert not found.dev
    assert options(VAULT_LOCAL_CONFIG="{}").config_paths == ()
    assert options(BAO_CONFIG_PATH="c.hcl").config_paths == ("c.hcl",)


def test_dev() -> None:
    found = options("-dev", "-dev-root-token-id=root", "-dev-listen-address=127.0.0.1:0", "-dev-no-store-token")
    assert found.dev
    assert found.dev_root_token_id == "root"
    assert found.dev_listen_address == "127.0.0.1:0"
    assert not found.dev_stores_token
    assert "root'" not in repr(found)
    assert options("-dev-tls").dev
    assert options("-dev", VAULT_DEV_ROOT_TOKEN_ID="t").dev_root_token_id == "t"
    assert options("-dev").dev_listen_address == "127.0.0.1:8200"


def test_something_must_be_configured(strongroom) -> None:
    with pytest.raises(UsageFailed, match="at least one config path"):
        options()
    assert strongroom("server").code == 1


def test_the_server_is_run(strongroom, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[ServerOptions] = []
    module = types.ModuleType("strongroom_node.server")
    module.run = lambda given: seen.append(given) or 3  # type: ignore[attr-defined,func-returns-value]
    monkeypatch.setitem(sys.modules, "strongroom_node.server", module)
    assert strongroom("server", "-dev").code == 3
    assert seen[0].program == "vault"
