"""Where configuration comes from: files, folders, `VAULT_LOCAL_CONFIG`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from strongroom_node.config.report import ConfigInvalid
from strongroom_node.hcl import HCLError, Limits, ObjectValue, parse

FILE_BYTES_MAX: Final = 4 << 20
_SUFFIXES: Final = (".hcl", ".json")


@dataclass(frozen=True, slots=True)
class Source:
    """One text that was read."""

    name: str
    """Path of the file, or name of the variable."""
    tree: ObjectValue


def variable(environ: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """(name, value) of `BAO_<name>`, else of `VAULT_<name>`; empty ones count as not set."""
    for full in (f"BAO_{name}", f"VAULT_{name}"):
        if environ.get(full):
            return full, environ[full]
    return None


def read_sources(paths: Sequence[str | Path], environ: Mapping[str, str]) -> list[Source]:
    """Everything in the order in which it counts: the later wins.

    The text of `VAULT_LOCAL_CONFIG` comes first, as when a container's entrypoint writes it to `local.json`;
    then each path, a folder's files by name. Without paths `VAULT_CONFIG_PATH` is taken. Raises ConfigInvalid.
    """
    found: list[Source] = []
    local = variable(environ, "LOCAL_CONFIG")
    if local is not None:
        found.append(Source(local[0], parse_source(*local)))
    given = list(paths)
    config_path = variable(environ, "CONFIG_PATH")
    if not given and config_path is not None:
        given = [config_path[1]]
    for path in given:
        found += [Source(str(file), parse_source(str(file), _read(file))) for file in _files(Path(path))]
    return found


def parse_source(name: str, text: str) -> ObjectValue:
    """The tree of a text. Raises ConfigInvalid with the place of the fault."""
    try:
        return parse(text, Limits(size_max=FILE_BYTES_MAX))
    except HCLError as error:
        raise ConfigInvalid(f"{name}:{error.position}: {error.reason}") from None


def _files(path: Path) -> Iterator[Path]:
    """The file, or those of the folder that are configuration; editors' leftovers are not."""
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.iterdir()):
        is_leftover = file.name.startswith((".", "#")) or file.name.endswith(("~", "#"))
        if file.suffix in _SUFFIXES and file.is_file() and not is_leftover:
            yield file


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            raw = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigInvalid(f"{file}: {error.strerror or 'cannot be read'}") from None
    if len(raw) > FILE_BYTES_MAX:
        raise ConfigInvalid(f"{file}: larger than {FILE_BYTES_MAX} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ConfigInvalid(f"{file}: not UTF-8") from None
