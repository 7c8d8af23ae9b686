"""Tokens of HCL 1 and of its JSON form.

The grammar is that of the original HCL 1 scanner; so are the words of its errors, because clients compare
them. Every character is looked at a bounded number of times.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from strongroom_node.hcl.quoted import EscapeInvalid, decode_heredoc, decode_json_string, decode_string
from strongroom_node.hcl.tree import HCLError, Limits, Position

TokenType = Literal[
    "EOF", "IDENT", "NUMBER", "FLOAT", "BOOL", "NULL", "STRING", "HEREDOC",
    "LBRACK", "RBRACK", "LBRACE", "RBRACE", "COMMA", "ASSIGN", "COLON", "PERIOD", "ADD", "SUB",
]  # fmt: skip

_SYMBOLS: Final[dict[str, TokenType]] = {
    "[": "LBRACK", "]": "RBRACK", "{": "LBRACE", "}": "RBRACE", ",": "COMMA", "=": "ASSIGN",
    ".": "PERIOD", "+": "ADD", "-": "SUB",
}  # fmt: skip
_JSON_SYMBOLS: Final[dict[str, TokenType]] = {
    "[": "LBRACK", "]": "RBRACK", "{": "LBRACE", "}": "RBRACE", ",": "COMMA", ":": "COLON",
}  # fmt: skip

_SPACE = re.compile(r"[ \t\r\n]+")
_LINE_COMMENT = re.compile(r"(?:#|//)[^\n]*")
_WORD = re.compile(r"[^\W\d][\w\-.]*")
_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?|\.[0-9]+([eE][+-]?[0-9]+)?)")
_PLAIN_STRING = re.compile(r'"([^"\\$\n]*)"')
_STRING_STEP = re.compile(r'[^"\\${}\n]+')
_HEREDOC_HEAD = re.compile(r"<<(-?)(\w*)")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_JSON_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\.)*+)"')
_JSON_WORD = re.compile(r"true|false|null")

_DIGITS_MAX: Final = 64
"""Longer numbers fit no setting; converting digits is not linear work."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its decoded value, how it was written, and where."""

    type: TokenType
    value: str | int | float | bool | None
    text: str
    position: Position


class Lexer:
    """Gives token after token; at the end EOF for ever, one column further each time, as the original does."""

    def __init__(self, text: str, limits: Limits, *, is_json: bool = False) -> None:
        if len(text) > limits.size_max:
            raise HCLError(Position(1, 1), f"text is longer than {limits.size_max} characters")
        self._text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        self._at = 0
        self._line = 1
        self._line_start = 0
        self._eof_steps = 0
        self._tokens_left = limits.tokens_max
        self._is_json = is_json

    def next(self) -> Token:
        """The next token that is no comment."""
        self._skip_blank()
        position = self._position(self._at)
        if self._at >= len(self._text):
            self._eof_steps += 1
            return Token("EOF", None, "", Position(position.line, position.column + self._eof_steps - 1))
        self._tokens_left -= 1
        if self._tokens_left < 0:
            raise HCLError(position, "too many tokens")
        token = self._json_token(position) if self._is_json else self._token(position)
        if token.type in ("IDENT", "NUMBER", "FLOAT", "BOOL") and self._at >= len(self._text):
            self._eof_steps = 1
        return token

    def _position(self, at: int) -> Position:
        return Position(self._line, at - self._line_start + 1)

    def _position_ahead(self, at: int) -> Position:
        """The position of something beyond the current token's first line; for errors only."""
        newlines = self._text.count("\n", self._at, at)
        return Position(self._line + newlines, at - self._text.rfind("\n", 0, at))

    def _advance(self, end: int) -> None:
        newlines = self._text.count("\n", self._at, end)
        if newlines:
            self._line += newlines
            self._line_start = self._text.rfind("\n", self._at, end) + 1
        self._at = end

    def _skip_blank(self) -> None:
        text = self._text
        while self._at < len(text):
            if found := _SPACE.match(text, self._at):
                self._advance(found.end())
            elif self._is_json:
                return
            elif found := _LINE_COMMENT.match(text, self._at):
                self._at = found.end()
            elif text.startswith("/*", self._at):
                end = text.find("*/", self._at + 2)
                if end < 0:
                    raise HCLError(self._position(self._at), "comment not terminated")
                self._advance(end + 2)
            else:
                return

    def _take(self, kind: TokenType, value: str | float | bool | None, end: int, position: Position) -> Token:
        text = self._text[self._at : end]
        self._advance(end)
        return Token(kind, value, text, position)

    def _token(self, position: Position) -> Token:
        text, at = self._text, self._at
        if found := _WORD.match(text, at):
            word = found[0]
            is_bool = word in ("true", "false")
            return self._take(
                "BOOL" if is_bool else "IDENT", word == "true" if is_bool else word, found.end(), position
            )
        char = text[at]
        if char == '"':
            if found := _PLAIN_STRING.match(text, at):
                return self._take("STRING", found[1], found.end(), position)
            return self._quoted(position)
        if char == "<":
            return self._heredoc(position)
        if found := _NUMBER.match(text, at):
            is_float = bool(found[1] or found[2] or found[0].lstrip("-").startswith("."))
            return self._number(found[0], is_float, found.end(), position)
        return self._symbol(_SYMBOLS, position)

    def _symbol(self, symbols: dict[str, TokenType], position: Position) -> Token:
        char = self._text[self._at]
        if char not in symbols:
            reasons = {"/": "expected '/' for comment", "\0": "unexpected null character (0x00)"}
            raise HCLError(position, reasons.get(char, "illegal char"))
        return self._take(symbols[char], None, self._at + 1, position)

    def _number(self, text: str, is_float: bool, end: int, position: Position) -> Token:
        if len(text) > _DIGITS_MAX:
            raise HCLError(position, "number has too many digits")
        if is_float:
            return self._take("FLOAT", float(text), end, position)
        digits = text.lstrip("-").lower()
        base = 16 if digits.startswith("0x") else 8 if len(digits) > 1 and digits.startswith("0") else 10
        try:
            value = int(digits, base)
        except ValueError:
            raise HCLError(position, "illegal octal number") from None
        value = -value if text.startswith("-") else value
        if not -(1 << 63) <= value < 1 << 63:
            raise HCLError(position, "number is out of range")
        return self._take("NUMBER", value, end, position)

    def _quoted(self, position: Position) -> Token:
        """A string with escapes or `${...}`."""
        end = self._string_end()
        try:
            value = decode_string(self._text[self._at + 1 : end - 1])
        except EscapeInvalid as error:
            raise HCLError(self._position_ahead(self._at + 1 + error.offset), str(error)) from None
        except ValueError as error:
            raise HCLError(position, str(error)) from None
        return self._take("STRING", value, end, position)

    def _string_end(self) -> int:
        """Where the string ends, with its quote; within `${...}` neither quotes nor newlines end it."""
        text, at, braces = self._text, self._at + 1, 0
        while True:
            if found := _STRING_STEP.match(text, at):
                at = found.end()
            char = text[at : at + 1]
            if char == "" or (char == "\n" and braces == 0):
                raise HCLError(self._position_ahead(at), "literal not terminated")
            at += 1
            if char == '"' and braces == 0:
                return at
            if char == "\\":
                at += 1
            elif char == "$" and braces == 0 and text.startswith("{", at):
                braces, at = 1, at + 1
            elif char == "{" and braces > 0:
                braces += 1
            elif char == "}" and braces > 0:
                braces -= 1

    def _heredoc(self, position: Position) -> Token:
        text = self._text
        head = _HEREDOC_HEAD.match(text, self._at)
        if head is None:
            raise HCLError(position, "heredoc expected second '<', didn't see it")
        if text[head.end() : head.end() + 1] == "":
            raise HCLError(position, "heredoc not terminated")
        if text[head.end()] != "\n":
            raise HCLError(position, "invalid characters in heredoc anchor")
        if not head[2]:
            raise HCLError(position, "zero-length heredoc anchor")
        start = at = head.end() + 1
        while True:
            newline = text.find("\n", at)
            end = len(text) if newline < 0 else newline
            if text[at:end].strip(" \t\r\v\f") == head[2] and text[at:end].rstrip("\r").endswith(head[2]):
                break
            if newline < 0:
                raise HCLError(position, "heredoc not terminated")
            at = newline + 1
        value = decode_heredoc(text[start:at], text[at:end].rstrip("\r").removesuffix(head[2]), head[1] == "-")
        return self._take("HEREDOC", value, end, position)

    def _json_token(self, position: Position) -> Token:
        text, at = self._text, self._at
        char = text[at]
        if char == '"':
            found = _JSON_STRING.match(text, at)
            if found is None:
                raise HCLError(position, "literal not terminated")
            try:
                value = decode_json_string(found[1])
            except ValueError as error:
                raise HCLError(position, str(error)) from None
            return self._take("STRING", value, found.end(), position)
        if found := _JSON_NUMBER.match(text, at):
            return self._number(found[0], bool(found[1] or found[2]), found.end(), position)
        if found := _JSON_WORD.match(text, at):
            if found[0] == "null":
                return self._take("NULL", None, found.end(), position)
            return self._take("BOOL", found[0] == "true", found.end(), position)
        return self._symbol(_JSON_SYMBOLS, position)
