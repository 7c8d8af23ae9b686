"""House rules that no linter knows: sizes, leftovers, the mirror of tests, and documents that tell the truth about the tree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "storage": PROJECT / "storage" / "strongroom_storage",
    "cluster": PROJECT / "cluster" / "strongroom_cluster",
    "node": PROJECT / "node" / "strongroom_node",
}
LINES_MAX = 600
OUTSIDE = {".git", ".venv", ".cache", "node_modules", "run", "build", "dist", "__pycache__", ".hypothesis"}
# Joined, so that this file does not find itself.
LEFTOVERS = re.compile(
    rf"\b({'TO' + 'DO'}|{'FIX' + 'ME'}|{'X' * 3}|{'HA' + 'CK'})\b|raise {'NotImplemented' + 'Error'}"
)
UNTESTED = Path(__file__).with_name("untested.txt")


def files(*patterns: str, below: Path = PROJECT) -> Iterator[Path]:
    for pattern in patterns:
        for path in sorted(below.rglob(pattern)):
            if not OUTSIDE.intersection(path.relative_to(PROJECT).parts):
                yield path


def modules() -> Iterator[tuple[str, Path]]:
    """(layer, module) for everything the wheel ships."""
    for layer, package in PACKAGES.items():
        yield from ((layer, path) for path in files("*.py", below=package))


def shown(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def test_no_module_is_long() -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for _, path in modules()}
    assert not {name: lines for name, lines in lengths.items() if lines > LINES_MAX}


def test_nothing_is_left_for_later() -> None:
    found = [
        f"{shown(path)}:{number}"
        for path in files("*.py", "*.mjs", "*.toml", "Makefile", ".importlinter")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if LEFTOVERS.search(line)
    ]
    assert not found


def test_nothing_unpickles() -> None:
    """A pickle from a disk or a wire runs code; there is none, not even in tests."""
    found = []
    for path in files("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] in {"pickle", "cPickle", "shelve", "marshal", "dill"} for name in names):
                found.append(f"{shown(path)}:{node.lineno}")
    assert not found


def test_every_package_is_typed() -> None:
    assert all((package / "py.typed").exists() for package in PACKAGES.values())


def test_packages_without_tests_do_not_grow() -> None:
    """A package is tested in its mirror folder, or by any test that imports from it. The list of others may only shrink."""
    texts = "\n".join(path.read_text() for path in files("*.py", below=PROJECT / "tests"))
    untested = set()
    for layer, package in PACKAGES.items():
        for folder in {path.parent for path in files("*.py", below=package) if path.name != "__init__.py"}:
            inside = folder.relative_to(package)
            dotted = ".".join((package.name, *inside.parts))
            mirrored = any((PROJECT / "tests" / layer / inside).glob("test_*.py"))
            if not mirrored and not re.search(rf"\b{re.escape(dotted)}\b", texts):
                untested.add(shown(folder))
    allowed = set(UNTESTED.read_text().split())
    new, settled = sorted(untested - allowed), sorted(allowed - untested)
    assert not new, "write tests for these:\n" + "\n".join(new)
    assert not settled, "these are tested or gone, take them out of untested.txt:\n" + "\n".join(settled)


def test_test_folders_mirror_packages() -> None:
    strangers = [
        shown(path)
        for layer, package in PACKAGES.items()
        for path in files("test_*.py", below=PROJECT / "tests" / layer)
        if not (package / path.parent.relative_to(PROJECT / "tests" / layer)).is_dir()
    ]
    assert not strangers


def test_test_names_are_unique_in_a_folder_and_not_shadowed() -> None:
    """Two functions of one name in one file: the first would silently not run."""
    found = []
    for path in files("test_*.py", below=PROJECT / "tests"):
        names = [
            node.name
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        found += [f"{shown(path)}: {name}" for name in set(names) if names.count(name) > 1]
    assert not found


DOCUMENTS = sorted(path for path in files("*.md") if path.name != "KNOWN.md")


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_documents_name_targets_that_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^\s*)make ([a-z-]+)", document.read_text(), re.MULTILINE))
    assert not named - targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_documents_link_to_files_that_exist(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    broken = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert not broken


def test_readme_begins_with_the_two_commands() -> None:
    first_screen = "\n".join((PROJECT / "README.md").read_text().splitlines()[:24])
    assert "make demo" in first_screen
    assert "make test" in first_screen


def test_help_lists_every_target() -> None:
    text = (PROJECT / "Makefile").read_text()
    declared = set(re.findall(r"^\.PHONY: ([a-z-]+)$", text, re.MULTILINE))
    described = set(re.findall(r"^([a-z-]+):.*## .+$", text, re.MULTILINE))
    assert declared == described
