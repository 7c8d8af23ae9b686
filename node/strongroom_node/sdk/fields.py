"""Field declarations and the weak typing that Vault's clients rely on."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from strongroom_node.sdk.durations import DurationInvalid, parse_duration
from strongroom_node.sdk.errors import BadRequest


class FieldInvalid(ValueError):
    """The value does not fit the field."""


@dataclass(frozen=True, slots=True)
class Field:
    """One declared input of a path: what it means, its default, whether it must be there.

    `query` marks an input of the URL's query; `secret` one that OpenAPI and help show as a password.
    """

    description: str = ""
    default: Any = None
    required: bool = False
    query: bool = False
    secret: bool = False
    deprecated: bool = False
    choices: tuple[Any, ...] = ()

    schema: ClassVar[dict[str, Any]] = {}

    def coerce(self, value: Any) -> Any:
        """The value in the field's type, or FieldInvalid."""
        return value

    def default_value(self) -> Any:
        """A fresh copy of the default."""
        return self.default.copy() if isinstance(self.default, (list, dict)) else self.default


class Text(Field):
    """A string; numbers and booleans are written out."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"type": "string"}

    def coerce(self, value: Any) -> Any:
        """As Vault's weak decoding: true is "1", 5 is "5"."""
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "1" if value else "0"
        if isinstance(value, (int, float)):
            return str(value)
        raise FieldInvalid(f"expected a string, got {_kind(value)}")


class LowerText(Text):
    """A string that is lower-cased and stripped."""

    __slots__ = ()

    def coerce(self, value: Any) -> Any:
        """Lower case without surrounding space."""
        return str(Text.coerce(self, value)).strip().lower()


class Int(Field):
    """An integer; strings in decimal, hexadecimal (0x) or octal (0o) are read."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"type": "integer"}

    def coerce(self, value: Any) -> Any:
        """Within 64 bits."""
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, int):
            number = value
        elif isinstance(value, float) and value.is_integer():
            number = int(value)
        elif isinstance(value, str) and re.fullmatch(r"[+-]?(0[xX][0-9a-fA-F]{1,16}|0[oO][0-7]{1,22}|\d{1,20})", value):
            number = int(value, 0) if value.lstrip("+-")[:2].lower() in {"0x", "0o"} else int(value)
        elif value == "":
            number = 0
        else:
            raise FieldInvalid(f"expected a number, got {_kind(value)}")
        if not -(1 << 63) <= number < 1 << 63:
            raise FieldInvalid("number out of range")
        return number


class Number(Field):
    """A floating point number."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"type": "number"}

    def coerce(self, value: Any) -> Any:
        """From numbers and their texts."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError as error:
                raise FieldInvalid("number out of range") from error
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,20}(\.\d{1,20})?", value):
            return float(value)
        raise FieldInvalid(f"expected a number, got {_kind(value)}")


class Bool(Field):
    """A boolean; "true", "1", "t" and their like are read."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"type": "boolean"}
    _words: ClassVar[dict[str, bool]] = {
        **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
        **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False", ""), False),
    }

    def coerce(self, value: Any) -> Any:
        """As Go's strconv.ParseBool; numbers are true unless 0."""
        if isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return value != 0
        if isinstance(value, str) and value in self._words:
            return self._words[value]
        raise FieldInvalid(f"expected a boolean, got {_kind(value)}")


class Duration(Field):
    """Seconds, from a number or from "1h30m"; negative ones are refused unless `signed`."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"type": "integer", "format": "seconds"}
    signed: ClassVar[bool] = False

    def coerce(self, value: Any) -> Any:
        """Seconds as a float."""
        if not isinstance(value, (int, float, str)) or isinstance(value, bool):
            raise FieldInvalid(f"expected a duration, got {_kind(value)}")
        try:
            seconds = parse_duration(value)
        except DurationInvalid as error:
            raise FieldInvalid(str(error)) from error
        if seconds < 0 and not self.signed:
            raise FieldInvalid("cannot provide negative value")
        return seconds


class SignedDuration(Duration):
    """A duration that may be negative."""

    __slots__ = ()
    signed: ClassVar[bool] = True


class StringList(Field):
    """A list of strings: a JSON array, or one string cut at commas."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"type": "array", "items": {"type": "string"}}

    def coerce(self, value: Any) -> Any:
        """Stripped items, empty ones dropped when cut from a string."""
        if isinstance(value, str):
            return [item.strip() for item in value.split(",") if item.strip()]
        if isinstance(value, (list, tuple)):
            return [str(Text.coerce(_TEXT, item)).strip() for item in value]
        if isinstance(value, (int, float)):
            return [str(Text.coerce(_TEXT, value))]
        raise FieldInvalid(f"expected a list of strings, got {_kind(value)}")


class KeyValue(Field):
    """A map of strings: a JSON object, or "a=b,c=d", or a list of "a=b"."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"type": "object", "additionalProperties": {"type": "string"}}

    def coerce(self, value: Any) -> Any:
        """A dict of str to str."""
        if isinstance(value, str):
            if value.lstrip().startswith("{"):
                value = _from_json(value)
            else:
                value = [item for item in value.split(",") if item.strip()]
        if isinstance(value, dict):
            return {str(key): Text.coerce(_TEXT, item) for key, item in value.items()}
        if isinstance(value, list):
            pairs = [str(Text.coerce(_TEXT, item)).partition("=") for item in value]
            if any(not separator for _, separator, _ in pairs):
                raise FieldInvalid("expected key=value pairs")
            return {key.strip(): item.strip() for key, _, item in pairs}
        raise FieldInvalid(f"expected a map, got {_kind(value)}")


class Map(Field):
    """A JSON object of anything; a text holding one, or base64 of it, is read too."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"type": "object"}

    def coerce(self, value: Any) -> Any:
        """A dict."""
        if isinstance(value, str) and value.strip():
            text = value if value.lstrip().startswith("{") else _from_base64(value)
            value = _from_json(text)
        if isinstance(value, dict):
            return value
        raise FieldInvalid(f"expected a map, got {_kind(value)}")


class AnyValue(Field):
    """Whatever JSON holds."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {}


class AnyList(Field):
    """A JSON array of anything."""

    __slots__ = ()
    schema: ClassVar[dict[str, Any]] = {"type": "array", "items": {}}

    def coerce(self, value: Any) -> Any:
        """A list."""
        if isinstance(value, list):
            return value
        raise FieldInvalid(f"expected a list, got {_kind(value)}")


_TEXT = Text()


def _kind(value: Any) -> str:
    """A JSON word for the value's type; never the value, which may be a secret."""
    if value is None:
        return "null"
    names = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "map"}
    return names.get(type(value), "something else")


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FieldInvalid("not a JSON object") from error


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError as error:
        raise FieldInvalid("expected a map") from error


def coerce_fields(declared: Mapping[str, Field], data: dict[str, Any]) -> dict[str, Any]:
    """The declared fields present in `data`, each in its type. JSON null counts as absent.

    Raises BadRequest naming the field that does not fit.
    """
    found: dict[str, Any] = {}
    for name, value in data.items():
        kind = declared.get(name)
        if kind is None or value is None:
            continue
        try:
            found[name] = kind.coerce(value)
        except FieldInvalid as error:
            raise BadRequest(f'Field validation failed: error converting input for field "{name}": {error}') from error
    return found
