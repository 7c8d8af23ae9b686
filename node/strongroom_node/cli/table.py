"""Columns of text, as wide as their longest cell."""

from collections.abc import Iterable, Sequence

GAP = "    "
EMPTY = "n/a"


def columns(rows: Sequence[Sequence[str]], gap: str = GAP) -> str:
    """Rows under each other; an empty cell shows `n/a`; the last column is not padded."""
    cells = [[cell.strip() or EMPTY for cell in row] for row in rows]
    widths: list[int] = []
    for row in cells:
        for index, cell in enumerate(row):
            if index == len(widths):
                widths.append(0)
            widths[index] = max(widths[index], len(cell))
    lines = [
        gap.join(cell if index == len(row) - 1 else cell.ljust(widths[index]) for index, cell in enumerate(row))
        for row in cells
    ]
    return "\n".join(lines)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A header, a line of dashes under each word of it, and the rows."""
    return columns([header, ["-" * len(word) for word in header], *rows])


def key_value(rows: Sequence[tuple[str, str]]) -> str:
    """A table of two columns, `Key` and `Value`."""
    return table(("Key", "Value"), rows)


def banner(title: str, width: int) -> str:
    """A title between equals signs, about `width` characters long, at least two signs on each side."""
    signs = max(width - len(title) - 2, 4)
    marks = "=" * ((signs + 1) // 2)
    return f"{marks} {title} {marks}"


def map_banner(title: str, names: Iterable[str]) -> str:
    """A banner as wide as a key_value table of these keys whose values are as long as their header."""
    return banner(title, max((len(name) for name in names), default=0) + len(GAP) + len("Value"))
