"""The locked sets agree with each other and with the project file, carry hashes, and name no registry but the public default."""

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PUBLIC = {"pypi.org", "files.pythonhosted.org"}


def requirements(name: str) -> dict[str, str]:
    text = (PROJECT / name).read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def uv_lock() -> dict[str, str]:
    packages = tomllib.loads((PROJECT / "uv.lock").read_text())["package"]
    return {package["name"]: package["version"] for package in packages if package["name"] != "strongroom"}


def test_the_two_forms_of_the_lock_agree() -> None:
    assert requirements("requirements-dev.lock") == uv_lock()
    assert requirements("requirements-build.lock").items() <= uv_lock().items()


def test_every_requirement_has_hashes() -> None:
    for name in ("requirements-build.lock", "requirements-dev.lock"):
        entries = re.split(r"\n(?=\S)", (PROJECT / name).read_text().strip())
        assert not [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]


def test_no_requirement_names_a_registry() -> None:
    for name in ("requirements-build.lock", "requirements-dev.lock"):
        assert "://" not in (PROJECT / name).read_text()
    hosts = set(re.findall(r"https?://([^/\"]+)", (PROJECT / "uv.lock").read_text()))
    assert hosts <= PUBLIC


def test_every_dependency_is_locked_at_or_above_its_bound() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"]]
    wanted += [item for group in project["dependency-groups"].values() for item in group if isinstance(item, str)]
    locked = uv_lock()
    for requirement in wanted:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)(>=|==)([0-9.]+)", requirement)
        assert match, f"{requirement}: state an exact lower bound"
        version = [int(part) for part in re.findall(r"\d+", locked[normal(match[1])])]
        bound = [int(part) for part in match[3].split(".")]
        assert version >= bound, requirement
