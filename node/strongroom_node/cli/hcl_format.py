"""Lays out HCL 1: two spaces a level, equals signs under each other, comments kept."""

import re
from typing import Final, NamedTuple

DEPTH_MAX: Final = 64
SOURCE_CHARACTERS_MAX: Final = 4 * 1024 * 1024


class FormatFailed(Exception):
    """The source is not HCL; the text names the line."""


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


_PATTERN: Final = re.compile(
    r"""
      (?P<space>[ \t\r\ufeff]+)
    | (?P<newline>\n)
    | (?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)
    | (?P<heredoc><<-?(?P<mark>[A-Za-z0-9_]+)[ \t]*\r?\n(?:.*?\n)??[ \t]*(?P=mark)(?=\r?\n|\Z))
    | (?P<string>"(?:[^"\\\n$]|\\.|\$(?!\{)|\$\{[^}\n]*\})*")
    | (?P<mark_char>[{}\[\]=,:])
    | (?P<word>[^\s{}\[\]=,:"\#]+)
    """,
    re.VERBOSE | re.DOTALL,
)


def format_hcl(source: str) -> str:
    """The same source, laid out evenly, ending in a newline. Raises FormatFailed."""
    if len(source) > SOURCE_CHARACTERS_MAX:
        raise FormatFailed(f"the file is longer than {SOURCE_CHARACTERS_MAX} characters")
    printer = _Printer(_tokens(source.replace("\r\n", "\n")))
    lines = printer.body(0)
    printer.expect_end()
    return "\n".join(lines).strip("\n") + "\n" if lines else ""


def _tokens(source: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, line = 0, 1
    while position < len(source):
        match = _PATTERN.match(source, position)
        if match is None:
            raise FormatFailed(f"line {line}: unexpected {source[position]!r}")
        kind, text = match.lastgroup or "", match.group()
        kind = "heredoc" if kind == "mark" else kind
        if kind != "space":
            tokens.append(_Token("punctuation" if kind == "mark_char" else kind, text, line))
        line += text.count("\n")
        position = match.end()
    return tokens


class _Attribute(NamedTuple):
    """A one-line `key = value`, held back until its neighbours' keys are known."""

    key: str
    value: str
    comment: str


class _Lines:
    """The lines of one body, and the attributes that wait for their neighbours."""

    def __init__(self, indent: str) -> None:
        self._indent = indent
        self._lines: list[str] = []
        self._pending: list[_Attribute] = []
        self._needs_gap = False
        self._follows_comment = False

    def attribute(self, item: _Attribute) -> None:
        """A one-line attribute."""
        if self._needs_gap:
            self.gap()
        self._follows_comment = False
        self._pending.append(item)

    def comment(self, text: str) -> None:
        """A comment on lines of its own."""
        self._flush()
        if self._needs_gap:
            self.gap()
        first, *rest = text.split("\n")
        self._lines += [f"{self._indent}{first.strip()}", *(line.rstrip() for line in rest)]
        self._follows_comment = True

    def block(self, lines: list[str]) -> None:
        """Something of several lines: it stands apart, but not from a comment above it."""
        self._flush()
        if not self._follows_comment:
            self.gap()
        self._lines += lines
        self._follows_comment = False
        self._needs_gap = True

    def gap(self) -> None:
        """An empty line, if there is none yet."""
        self._flush()
        if self._lines and self._lines[-1]:
            self._lines.append("")
        self._needs_gap = self._follows_comment = False

    def finished(self) -> list[str]:
        """Every line, without empty ones at the end."""
        self._flush()
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        return self._lines

    def _flush(self) -> None:
        width = max((len(item.key) for item in self._pending), default=0)
        self._lines += [f"{self._indent}{item.key.ljust(width)} = {item.value}{item.comment}" for item in self._pending]
        self._pending.clear()


class _Printer:
    """Reads tokens from left to right and writes lines."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._position = 0

    def expect_end(self) -> None:
        """Raises FormatFailed when something is left, a closing brace too many."""
        token = self._peek()
        if token is not None:
            raise FormatFailed(f"line {token.line}: unexpected {token.text!r}")

    def body(self, depth: int) -> list[str]:
        """Items up to a closing brace or the end."""
        if depth > DEPTH_MAX:
            raise FormatFailed(f"blocks are nested deeper than {DEPTH_MAX}")
        lines = _Lines("  " * depth)
        while (token := self._peek()) is not None and token.text != "}":
            newlines = self._skip_newlines()
            if newlines:
                if newlines > 1:
                    lines.gap()
            elif token.kind == "comment":
                self._position += 1
                lines.comment(token.text)
            else:
                item = self._item(depth)
                if isinstance(item, _Attribute):
                    lines.attribute(item)
                else:
                    lines.block(item)
        return lines.finished()

    def _item(self, depth: int) -> _Attribute | list[str]:
        indent = "  " * depth
        keys: list[str] = []
        while (token := self._peek()) is not None and token.kind in {"word", "string"}:
            keys.append(token.text)
            self._position += 1
        if token is None or not keys:
            raise FormatFailed(f"line {token.line if token else self._last_line()}: a key was expected")
        key = " ".join(keys)
        if token.text == "{":
            first, *rest = self._block(depth)
            return [f"{indent}{key} {first}", *rest]
        if token.text not in {"=", ":"}:
            raise FormatFailed(f'line {token.line}: "=" or "{{" was expected')
        self._position += 1
        self._skip_newlines()
        value = self._value(depth)
        comment = self._trailing_comment()
        if len(value) == 1:
            return _Attribute(key, value[0], comment)
        return [f"{indent}{key} = {value[0]}", *value[1:-1], value[-1] + comment]

    def _block(self, depth: int) -> list[str]:
        """From an opening brace to the closing one; the first line has no indent."""
        self._position += 1
        inner = self.body(depth + 1)
        token = self._peek()
        if token is None:
            raise FormatFailed(f"line {self._last_line()}: a block is not closed")
        self._position += 1
        closing = "  " * depth + "}"
        return ["{", *inner, closing] if inner else ["{}"]

    def _value(self, depth: int) -> list[str]:
        token = self._peek()
        if token is None:
            raise FormatFailed(f"line {self._last_line()}: a value was expected")
        if token.text == "[":
            return self._list(depth)
        if token.text == "{":
            return self._block(depth)
        if token.kind not in {"word", "string", "heredoc"}:
            raise FormatFailed(f"line {token.line}: a value was expected")
        self._position += 1
        return token.text.split("\n")

    def _list(self, depth: int) -> list[str]:
        """One line if it was one, or an item on each line."""
        if depth > DEPTH_MAX:
            raise FormatFailed(f"lists are nested deeper than {DEPTH_MAX}")
        start = self._position
        self._position += 1
        items: list[list[str]] = []
        is_long = False
        while True:
            is_long |= bool(self._skip_newlines())
            token = self._peek()
            if token is None:
                raise FormatFailed(f"line {self._tokens[start].line}: a list is not closed")
            if token.text == "]":
                self._position += 1
                break
            if token.kind == "comment":
                self._position += 1
                items.append([token.text])
                is_long = True
                continue
            value = self._value(depth + 1)
            is_long |= len(value) > 1
            separator = self._peek_past_newlines()
            if separator is not None and separator.text == ",":
                self._skip_newlines()
                self._position += 1
            elif separator is not None and separator.text != "]" and separator.kind != "comment":
                raise FormatFailed(f'line {separator.line}: "," or "]" was expected')
            items.append([*value[:-1], value[-1] + ","])
        if not is_long:
            return ["[" + ", ".join(item[0].removesuffix(",") for item in items) + "]"]
        indent = "  " * (depth + 1)
        body = [indent + line if index == 0 else line for item in items for index, line in enumerate(item)]
        return ["[", *body, "  " * depth + "]"]

    def _peek(self) -> _Token | None:
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def _peek_past_newlines(self) -> _Token | None:
        position = self._position
        while position < len(self._tokens) and self._tokens[position].kind == "newline":
            position += 1
        return self._tokens[position] if position < len(self._tokens) else None

    def _skip_newlines(self) -> int:
        start = self._position
        while (token := self._peek()) is not None and token.kind == "newline":
            self._position += 1
        return self._position - start

    def _trailing_comment(self) -> str:
        token = self._peek()
        if token is None or token.kind != "comment" or "\n" in token.text:
            return ""
        self._position += 1
        return f" {token.text.strip()}"

    def _last_line(self) -> int:
        return self._tokens[-1].line if self._tokens else 1
