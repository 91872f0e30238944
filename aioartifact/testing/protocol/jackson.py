"""JSON in the layout of Artifactory's printer (Jackson 1): ``"key" : value``, two spaces, arrays on one line."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

DEEPEST = 100  # levels of arrays and objects; printing takes three calls for each

_TOO_DEEP = f"the document is nested in more than {DEEPEST} levels"

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
        ValueError: If it is not JSON, or nested in more than ``DEEPEST`` levels.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if _is_deep(value):
        raise ValueError(_TOO_DEEP)
    return value


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
