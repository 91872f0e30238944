"""Properties, as a URL carries them."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from .._address import has_surrogates
from .._errors import InvalidArgumentError

# Artifactory's own rule for property names, without what a URL cannot carry: names are not percent-decoded.
_PROPERTY_NAME = re.compile(r"[a-zA-Z][\w.:'-]*\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def matrix_parameters(parameters: Mapping[str, str | Sequence[str]]) -> str:
    """
    Write properties as matrix parameters, a key repeated for each of its values.

    Raises:
        InvalidArgumentError: A name that Artifactory refuses or a URL cannot carry; a value that is no text, or
            has a control character or half of a surrogate pair.
    """
    pairs = [(key, value) for key, values in parameters.items() for value in _values(key, values)]
    return "".join(f";{key}={quote(value, safe='')}" for key, value in pairs)


def _values(key: str, values: object) -> Sequence[str]:
    if not _PROPERTY_NAME.match(key):
        raise InvalidArgumentError(
            f"property name {key!r}: expected a letter, then letters, digits or any of . _ : - '"
        )
    if isinstance(values, Sequence) and not isinstance(values, str):
        return [_property_value(key, value) for value in values]
    return [_property_value(key, values)]


def _property_value(key: str, value: object) -> str:
    if not isinstance(value, str) or _CONTROL.search(value) or has_surrogates(value):
        raise InvalidArgumentError(f"property {key}: value {value!r} is not text that a URL can hold")
    return value
