"""Where tokens are kept."""

import os
import stat
from pathlib import Path

import pytest

from strongroom_node.client.token_helper import FileTokenHelper, ProgramTokenHelper, TokenHelperFailed, token_helper


def test_file_is_private_and_bare(tmp_path: Path) -> None:
    helper = token_helper({"HOME": str(tmp_path)})
    assert helper.get() == ""
    helper.store("hvs.abc")
    path = tmp_path / ".vault-token"
    assert path.read_bytes() == b"hvs.abc"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert helper.get() == "hvs.abc"
    helper.erase()
    helper.erase()
    assert not path.exists()


def test_store_replaces_a_world_readable_file(tmp_path: Path) -> None:
    path = tmp_path / ".vault-token"
    path.write_text("old\n")
    path.chmod(0o644)
    FileTokenHelper(str(path)).store("new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [".vault-token"]


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    """Somebody who can write to the folder must not make us write the token to a file of theirs."""
    target = tmp_path / "theirs"
    target.write_text("")
    path = tmp_path / ".vault-token"
    (tmp_path / f".vault-token.{os.getpid()}.tmp").symlink_to(target)
    FileTokenHelper(str(path)).store("hvs.abc")
    assert target.read_text() == ""
    assert path.read_text() == "hvs.abc"


def test_newline_at_the_end_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".vault-token").write_text("hvs.abc\n")
    assert token_helper({"HOME": str(tmp_path)}).get() == "hvs.abc"


def test_unwritable_folder_is_told(tmp_path: Path) -> None:
    helper = FileTokenHelper(str(tmp_path / "no" / "token"))
    with pytest.raises(TokenHelperFailed, match="No such file"):
        helper.store("hvs.abc")


def program(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "helper"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    (tmp_path / ".vault").write_text(f'# a comment\n#token_helper = "/nope"\ntoken_helper = "{path}"\n')
    return path


def test_external_program(tmp_path: Path) -> None:
    store = tmp_path / "kept"
    program(
        tmp_path,
        f'case "$1" in get) cat {store} 2>/dev/null;; store) cat > {store};; erase) rm -f {store};; esac; exit 0',
    )
    helper = token_helper({"HOME": str(tmp_path), "PATH": os.environ["PATH"], "VAULT_ADDR": "http://v"})
    assert isinstance(helper, ProgramTokenHelper)
    assert helper.get() == ""
    helper.store("hvs.abc")
    assert store.read_text() == "hvs.abc"
    assert helper.get() == "hvs.abc"
    helper.erase()
    assert not store.exists()


def test_external_program_that_fails(tmp_path: Path) -> None:
    program(tmp_path, "echo broken >&2; exit 3")
    helper = token_helper({"HOME": str(tmp_path), "PATH": os.environ["PATH"]})
    with pytest.raises(TokenHelperFailed, match="broken: exit status 3") as failed:
        helper.store("hvs.abc")
    assert "hvs.abc" not in str(failed.value)


def test_external_program_must_be_absolute(tmp_path: Path) -> None:
    (tmp_path / ".vault").write_text('token_helper = "helper"')
    with pytest.raises(TokenHelperFailed, match="absolute"):
        token_helper({"HOME": str(tmp_path)})


def test_paths_from_the_environment(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token_helper({"HOME": str(tmp_path), "BAO_TOKEN_PATH": str(token)}).store("a")
    assert token.read_text() == "a"
    config = tmp_path / "config"
    config.write_text('token_helper = "/x"')
    assert isinstance(token_helper({"HOME": str(tmp_path), "VAULT_CONFIG_PATH": str(config)}), ProgramTokenHelper)
