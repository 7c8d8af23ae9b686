"""The three standard streams, and questions whose answers are not shown."""

import os
from typing import BinaryIO, NamedTuple, TextIO

from strongroom_node.cli.command import CommandFailed

INPUT_BYTES_MAX = 64 * 1024 * 1024


class NotTerminal(CommandFailed):
    """A secret would have to be asked for, but nobody sits at the terminal."""


class Streams(NamedTuple):
    """Where a command reads and writes. Tests hand in their own."""

    stdin: BinaryIO
    stdout: TextIO
    stderr: TextIO

    def line(self, text: str = "") -> None:
        """Print a line to standard output."""
        self.stdout.write(text + "\n")

    def raw(self, text: str) -> None:
        """Print a bare value: no newline, unless a person reads it."""
        self.stdout.write(text)
        if self.stdout.isatty():
            self.stdout.write("\n")

    def note(self, text: str = "") -> None:
        """Print a line to standard error."""
        self.stderr.write(text + "\n")

    def read_all(self) -> str:
        """Standard input to its end, at most INPUT_BYTES_MAX bytes. Raises CommandFailed."""
        return decode(self.stdin.read(INPUT_BYTES_MAX + 1))

    def ask_hidden(self, question: str) -> str:
        """Ask on the terminal without echo. Raises NotTerminal when standard input is none."""
        self.stderr.write(question)
        self.stderr.flush()
        try:
            if not self.stdin.isatty():
                raise NotTerminal("file descriptor 0 is not a terminal")
            return _read_hidden(self.stdin.fileno())
        finally:
            self.stderr.write("\n")


def decode(content: bytes) -> str:
    """Text of a file or of standard input; bytes that are not UTF-8 survive a round trip. Raises CommandFailed."""
    if len(content) > INPUT_BYTES_MAX:
        raise CommandFailed(f"input is longer than {INPUT_BYTES_MAX} bytes", 1)
    return content.decode("utf-8", "surrogateescape")


def _read_hidden(descriptor: int) -> str:
    """One line with the terminal's echo switched off, and on again whatever happens."""
    import termios

    before = termios.tcgetattr(descriptor)
    hidden = before[:]
    hidden[3] &= ~termios.ECHO
    hidden[3] |= termios.ICANON | termios.ISIG
    termios.tcsetattr(descriptor, termios.TCSAFLUSH, hidden)
    try:
        line = bytearray()
        while (byte := os.read(descriptor, 1)) not in {b"", b"\n"}:
            line += byte
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
    return line.decode("utf-8", "replace").rstrip("\r")
