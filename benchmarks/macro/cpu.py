"""What a process and all its descendants cost, read from /proc."""

import os
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def tree(pid: int) -> list[int]:
    """The process and its descendants that live now."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*"):
            try:
                found += [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                continue
    return found


def seconds(pid: int) -> float:
    """CPU time, user and system, of every thread of the tree, ended children included. Resolution: one clock tick, 10 ms."""
    ticks = 0
    for process in tree(pid):
        try:
            # Fields 14-17 after the command name, which may itself hold spaces and parentheses.
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS_PER_SECOND


def resident_bytes(pid: int) -> int:
    """Resident memory of the tree. File pages that are only mapped (an LMDB store) are counted apart by `anonymous_bytes`."""
    return sum(_status(process, "VmRSS") for process in tree(pid))


def anonymous_bytes(pid: int) -> int:
    """Resident memory that no file backs: heap and stacks."""
    return sum(_status(process, "RssAnon") for process in tree(pid))


def _status(pid: int, name: str) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
