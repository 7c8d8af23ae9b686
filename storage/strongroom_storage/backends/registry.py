"""The only list of local stores."""

from importlib import import_module
from pathlib import Path
from typing import Final, cast

from strongroom_storage.backend import Backend

# Name to module and class; a class takes the folder it may use, None where it needs none.
BUILTIN: Final = {
    "inmem": "strongroom_storage.backends.inmem:InmemBackend",
    "lmdb": "strongroom_storage.backends.lmdb:LMDBBackend",
}


def open_backend(name: str, folder: Path | None) -> Backend:
    """Open the store called `name`. Raises KeyError for a name that is not in the list."""
    module, _, attribute = BUILTIN[name].partition(":")
    backend = getattr(import_module(module), attribute)
    return cast("Backend", backend() if folder is None else backend(folder))
