"""Values of quoted strings and heredocs."""

import json
import re
from typing import Final

_SIMPLE: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"',
}  # fmt: skip
_PIECE = re.compile(
    r"(?P<text>[^\\$]+)"
    r"|(?P<open>\$\{)"
    r"|(?P<dollar>\$)"
    r"|\\(?:(?P<simple>[abfnrtv\\\"])|(?P<octal>[0-7]{3})|x(?P<byte>[0-9a-fA-F]{2})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))"
)
_BRACE = re.compile(r"[{}]")


class EscapeInvalid(ValueError):
    """An escape nobody knows; `offset` is that of the character after the backslash."""

    def __init__(self, offset: int) -> None:
        super().__init__("illegal char escape")
        self.offset = offset


def decode_string(body: str) -> str:
    """What stands between the quotes of an HCL string means.

    `${...}` is kept as it is written, escapes and all. Raises EscapeInvalid, or another ValueError for bytes
    that are no UTF-8.
    """
    made = bytearray()
    at = 0
    while at < len(body):
        piece = _PIECE.match(body, at)
        if piece is None:
            raise EscapeInvalid(at + 1)
        kind, start, at = piece.lastgroup, at, piece.end()
        if kind == "open":
            end = _interpolation_end(body, at)
            made += body[piece.start() : end].encode()
            at = end
        elif kind in ("text", "dollar"):
            made += piece[0].encode()
        elif kind == "simple":
            made += _SIMPLE[piece["simple"]].encode()
        elif kind == "octal":
            made += _byte(int(piece["octal"], 8), start)
        elif kind == "byte":
            made += _byte(int(piece["byte"], 16), start)
        else:
            made += _char(int(piece["short"] or piece["long"], 16), start)
    try:
        return made.decode()
    except UnicodeDecodeError:
        raise ValueError("illegal UTF-8 encoding") from None


def _interpolation_end(body: str, at: int) -> int:
    depth = 1
    for brace in _BRACE.finditer(body, at):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    raise ValueError("literal not terminated")


def _byte(number: int, start: int) -> bytes:
    if number > 0xFF:
        raise EscapeInvalid(start + 1)
    return bytes((number,))


def _char(number: int, start: int) -> bytes:
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise EscapeInvalid(start + 1)
    return chr(number).encode()


def decode_json_string(body: str) -> str:
    """What stands between the quotes of a JSON string means; ValueError for what JSON does not know."""
    if "\\" not in body:
        return body
    value = json.loads(f'"{body}"')
    if not isinstance(value, str) or any(0xD800 <= ord(char) <= 0xDFFF for char in value):
        raise ValueError("illegal UTF-8 encoding")
    return value


def decode_heredoc(body: str, indent: str, is_indented: bool) -> str:
    """The lines of a heredoc, each with its newline.

    With `<<-` the indentation of the end marker is taken from every line, if every line has it.
    """
    if not is_indented:
        return body + indent
    lines = body.split("\n")[:-1]
    if indent and all(line.startswith(indent) for line in lines):
        return "".join(line[len(indent) :] + "\n" for line in lines)
    return body
