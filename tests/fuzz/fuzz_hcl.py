"""Fuzz target of the HCL reader: any bytes give a tree or an HCLError.

Under atheris: `python tests/fuzz/fuzz_hcl.py [corpus]`. The suite runs the same target with hypothesis.
"""

import contextlib
import sys

from strongroom_node.hcl import HCLError, parse, to_plain
from strongroom_node.policy.parse import PolicyInvalid, parse_policy


def one_input(data: bytes) -> None:
    text = data.decode(errors="replace")
    fault = None
    try:
        to_plain(parse(text))
    except HCLError as error:
        fault = error
    if fault is not None:
        assert 1 <= fault.position.line <= text.count("\n") + 1
        assert fault.position.column >= 1
    with contextlib.suppress(PolicyInvalid):
        parse_policy("fuzz", text)


def main() -> None:
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
