"""YAML as Cuelight writes it: keys in their order, long text in blocks, every text read back as it was."""

from typing import Any

import yaml

from cuelight.files.yaml_lines import plain

_ODD = ("\r", "\x85", "\u2028", "\u2029", "\ufeff")
_WIDTH = 100


class _Dumper(yaml.SafeDumper):
    """PyYAML's emitter with block scalars, and quotes wherever YAML 1.1 or 1.2 would read something but text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the signature is PyYAML's
        """Write every value out."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:  # noqa: ARG002, FBT001, FBT002  PyYAML's
        """Indent list items under their key."""
        return super().increase_indent(flow, False)  # noqa: FBT003  PyYAML's


def _text(dumper: _Dumper, text: str) -> Any:
    style = None
    if any(one in text for one in _ODD):
        style = '"'
    elif "\n" in text:
        style = "|"
    elif not isinstance(plain(text), str):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def dump(value: Any) -> str:
    """The YAML text of a JSON value."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH, default_flow_style=False
    )
    return text
