import importlib.util
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

SPEC = importlib.util.spec_from_file_location("fuzz_hcl", Path(__file__).with_name("fuzz_hcl.py"))
TARGET = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(TARGET)

TOKENS = st.sampled_from(
    [*'{}[]=,:" \n-1\\\0\u00e9', *('path "x" ', "${", "<<E\n", "<<-E\n", "E\n", "\r\n", "0x", "1e")]
)
WORDS = st.sampled_from(["1.5", "true", "null", "#c\n", "//c\n", "/*", "*/", "capabilities", '"read"', "{{", "}}"])


@settings(max_examples=500, deadline=None)
@given(st.lists(TOKENS | WORDS, max_size=40).map(lambda parts: "".join(parts).encode()))
@example(b'{"path": {"x": {"capabilities": null}}}')
@example(b'path "x" { capabilities = [null] }')
def test_mixed_tokens(data):
    TARGET.one_input(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data):
    TARGET.one_input(data)
