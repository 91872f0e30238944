"""Properties as text: matrix parameters in a URL, an escaped list in a query, and values for JSON."""

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from .._address import has_surrogates
from .._errors import InvalidArgumentError

# Artifactory's own rule for property names.
_NAME = re.compile(r"[a-zA-Z][^\s\x00-\x1f\x7f)(}{\]\[*+^$\\/~`!@#%&<>;=,±§]*\Z")
# The same without characters that a URL cannot contain: names of matrix parameters are not percent-decoded.
_MATRIX_NAME = re.compile(r"[a-zA-Z][\w.:'-]*\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SEPARATOR = re.compile(r"([,=|;])")
_LEAVE_OUT = "leave out those that are not to be, or use update_properties()"


def matrix_parameters(parameters: Mapping[str, str | Sequence[str]]) -> str:
    """
    Write properties as matrix parameters, a key repeated for each of its values.

    Raises:
        InvalidArgumentError: If Artifactory refuses a name or a URL cannot contain it, or a value is not text, or has a
            control character or half of a surrogate pair.
    """
    pairs = [(key, value) for key, values in parameters.items() for value in _matrix_values(key, values)]
    return "".join(f";{key}={quote(value, safe='')}" for key, value in pairs)


def _matrix_values(key: object, values: object) -> list[str]:
    if not isinstance(key, str) or not _MATRIX_NAME.match(key):
        raise InvalidArgumentError(
            f"property name {key!r}: expected a letter, then letters, digits or any of . _ : - '"
        )
    return [_url_text(key, value) for value in _listed(values)]


def property_list(values: Mapping[str, Sequence[str]]) -> str:
    r"""
    Write checked properties as the list of ``?properties=``: ``k=v1,v2;k2=v``, percent-encoded.

    A backslash escapes only a separator after it, and stands for itself before anything else, so a value cannot end in
    one. The server drops blanks at the end of a pair and empty values at the end of a list: a comma keeps the blanks,
    and empty values are put first, as the order of values has no meaning.

    Raises:
        InvalidArgumentError: If a value has a control character or ends in a backslash.
    """
    return "%3B".join(quote(_pair(name, each), safe="") for name, each in values.items())


def _pair(name: str, values: Sequence[str]) -> str:
    ordered = sorted((_list_text(name, value) for value in values), key=bool)
    text = ",".join(map(_escaped, ordered))
    return f"{_escaped(name)}={text}" + ("," if text != text.rstrip() else "")


def _escaped(text: str) -> str:
    return _SEPARATOR.sub(r"\\\1", text)


def _list_text(name: str, value: str) -> str:
    if value.endswith("\\"):
        raise InvalidArgumentError(
            f"property {name}: value {value!r} ends in a backslash, which the server would read as an escape",
            hint="set it without recursive",
        )
    return _url_text(name, value)


def _url_text(name: str, value: object) -> str:
    if not isinstance(value, str) or _CONTROL.search(value) or has_surrogates(value):
        raise InvalidArgumentError(f"property {name}: value {value!r} is not text that a URL can hold")
    return value


def property_names(names: Iterable[str]) -> list[str]:
    """
    Check the names of properties.

    Raises:
        InvalidArgumentError: If there are none, or Artifactory refuses one.
    """
    if not isinstance(names, Iterable):
        raise InvalidArgumentError(f"names are a {type(names).__name__}; expected names of properties")
    checked = [_name(name) for name in ([names] if isinstance(names, str) else names)]
    if not checked:
        raise InvalidArgumentError("no property is named", hint="name at least one")
    return checked


def property_values(
    values: Mapping[str, str | Sequence[str] | None], *, may_delete: bool = True
) -> dict[str, list[str] | None]:
    """
    Check properties that are to be sent as JSON; None deletes a property, if the call *may_delete*.

    Raises:
        InvalidArgumentError: If *values* is not a mapping, Artifactory refuses a name, a property has no value, a value
            is not text or has a NUL or half of a surrogate pair, or a property is None and *may_delete* is False.
    """
    if not isinstance(values, Mapping):
        raise InvalidArgumentError(f"properties are a {type(values).__name__}; expected a mapping of names to values")
    if None in values.values() and not may_delete:
        raise InvalidArgumentError("None is not a value of a property", hint=_LEAVE_OUT)
    hint = "give None to delete it, or an empty text" if may_delete else "leave it out, or give an empty text"
    return {_name(name): None if each is None else _values(name, each, hint) for name, each in values.items()}


def _name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.match(name) or has_surrogates(name):
        raise InvalidArgumentError(
            f"property name {name!r}: expected a letter, then no blank and none of )(}}{{][*+^$\\/~`!@#%&<>;=,±§"
        )
    return name


def _values(name: str, values: object, hint: str) -> list[str]:
    checked = [_value(name, value) for value in _listed(values)]
    if not checked:
        raise InvalidArgumentError(f"property {name}: has no value", hint=hint)
    return checked


def _value(name: str, value: object) -> str:
    if not isinstance(value, str) or "\0" in value or has_surrogates(value):
        raise InvalidArgumentError(f"property {name}: value {value!r} is not text that the server can hold")
    return value


def _listed(values: object) -> Sequence[object]:
    """Return a single value as a list."""
    return values if isinstance(values, Sequence) and not isinstance(values, str | bytes) else [values]
