"""YAML as Go's library writes it: sorted keys, double quotes where quotes are needed, blocks for several lines."""

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Safe types only, never an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write every value out."""
        del data
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if "\n" in text:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    plain_tag = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # a stub's gap
    # YAML 1.1 reads y and n as booleans, which this library's resolver does not.
    is_plain = plain_tag == "tag:yaml.org,2002:str" and text not in {"y", "n", "Y", "N", ""}
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')


_Dumper.add_representer(str, _string)
_Dumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", "null"))


def dump(value: Any) -> str:
    """The value as YAML text."""
    return yaml.dump(value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, width=1_000_000)
