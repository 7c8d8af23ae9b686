from pathlib import Path

from strongroom_node.cli.completion import candidates


def test_candidates() -> None:
    assert candidates("vault st") == ["status"]
    assert candidates("vault kv me") == ["metadata"]
    assert candidates("vault kv metadata ") == ["delete", "get", "patch", "put"]
    assert "-format" in candidates("vault read -fo")
    assert candidates("vault read -format=j") == ["-format=json"]
    assert candidates("vault read -format js") == ["json"]
    assert candidates("vault login -method userp") == ["userpass"]
    assert candidates("vault nope ") == []
    assert "read" in candidates("vault ")
    assert "version" not in candidates("vault v")


def test_answers_the_shell(strongroom) -> None:
    assert strongroom(COMP_LINE="vault operator uns", COMP_POINT="18").out == "unseal\n"
    assert strongroom(COMP_LINE="vault status rest", COMP_POINT="10").out == "status\n"


def test_install_and_uninstall(strongroom, tmp_path: Path) -> None:
    bashrc, zshrc = tmp_path / ".bashrc", tmp_path / ".zshrc"
    bashrc.write_text("alias x=y\n")
    bashrc.chmod(0o600)
    zshrc.write_text("")
    (tmp_path / ".config" / "fish").mkdir(parents=True)
    assert strongroom("-autocomplete-install").code == 0
    assert bashrc.read_text().startswith("alias x=y\ncomplete -C ")
    assert bashrc.stat().st_mode & 0o777 == 0o600
    assert "bashcompinit" in zshrc.read_text()
    fish = tmp_path / ".config" / "fish" / "completions" / "vault.fish"
    assert fish.exists()
    once = bashrc.read_text()
    strongroom("-autocomplete-install")
    assert bashrc.read_text() == once
    assert strongroom("-autocomplete-uninstall").code == 0
    assert bashrc.read_text() == "alias x=y\n"
    assert not fish.exists()


def test_install_needs_a_home(strongroom) -> None:
    assert strongroom("-autocomplete-install", HOME="").code == 1
