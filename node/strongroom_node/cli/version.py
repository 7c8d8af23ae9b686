"""The version this program answers with: Vault's, so that scripts which look for it go on working."""

from typing import Final

VAULT_VERSION: Final = "1.15.2"


def version_line() -> str:
    """The first line of `strongroom version`."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        own = version("strongroom")
    except PackageNotFoundError:
        own = "unknown"
    return f"Vault v{VAULT_VERSION} (strongroom {own})"
