import importlib.util
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

SPEC = importlib.util.spec_from_file_location("fuzz_journal", Path(__file__).with_name("fuzz_journal.py"))
TARGET = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(TARGET)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1200), st.binary(max_size=64))
@example(0, b"")
@example(0, b"\xff" * 64)
@example(40, b"\x00\x00\x00\x01")
def test_any_damage_is_cut_off_or_refused(at, data):
    TARGET.one_input(at.to_bytes(3, "big") + data)
