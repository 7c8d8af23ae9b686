"""What reading a configuration tells: notices to log, or the one error that stops the start."""

from dataclasses import dataclass

from strongroom_node.hcl import HCLError, Position


class ConfigInvalid(ValueError):
    """The configuration cannot be used; the message begins with `FILE:LINE:COLUMN: ` where there is a place."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a named source. Without a position the whole source is meant."""

    source: str
    position: Position | None = None

    def __str__(self) -> str:
        """`FILE:LINE:COLUMN`."""
        return self.source if self.position is None else f"{self.source}:{self.position}"


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning for the log: what was read but will not do what its writer may expect."""

    text: str
    place: Place | None = None

    def __str__(self) -> str:
        """The sentence, with its place."""
        return self.text if self.place is None else f"{self.text} at {self.place}"


class Report:
    """Collects the notices of one source."""

    def __init__(self, source: str) -> None:
        """`source` is the file's path or the variable's name."""
        self.source = source
        self.notices: list[Notice] = []

    def place(self, position: Position) -> Place:
        """A position of this source."""
        return Place(self.source, position)

    def warn(self, text: str, position: Position | None = None) -> None:
        """Add a notice."""
        self.notices.append(Notice(text, Place(self.source, position)))

    def unknown(self, name: str, position: Position) -> None:
        """Add the notice of a key nobody knows, in Vault's words."""
        self.warn(f"unknown or unsupported field {name} found in configuration", position)

    def invalid(self, error: HCLError) -> ConfigInvalid:
        """The error that stops the start, with the place in front."""
        return ConfigInvalid(f"{self.place(error.position)}: {error.reason}")
