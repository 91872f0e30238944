"""JSON in the layout of Artifactory's printer (Jackson 1): ``"key" : value``, two spaces, arrays on one line."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

JSON = Mapping[str, "JSON"] | Sequence["JSON"] | str | int | float | bool | None

_quote = json.encoder.encode_basestring


def dumps(value: JSON, indent: str = "") -> str:
    """
    Print *value* as Artifactory does; text outside ASCII stays as it is.

    Args:
        value: What ``json.dumps`` takes; keys are text.
        indent: White space that starts the line *value* stands on.
    """
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, Mapping):
        return _object(value, indent)
    if isinstance(value, Sequence):
        return "[ " + ", ".join(dumps(each, indent) for each in value) + " ]" if value else "[ ]"
    return json.dumps(value)


def _object(value: Mapping[str, JSON], indent: str) -> str:
    if not value:
        return "{ }"
    inner = indent + "  "
    members = ",\n".join(f"{inner}{_quote(key)} : {dumps(each, inner)}" for key, each in value.items())
    return f"{{\n{members}\n{indent}}}"


def loads(text: str | bytes) -> Any:
    """
    Parse JSON that a client sent.

    Raises:
        ValueError: If it is not JSON, or nested more deeply than the parser can follow.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("the document is nested too deeply") from None
