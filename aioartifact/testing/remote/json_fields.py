"""The members of a JSON object, each checked as it is taken; what is wrong is named in one sentence."""

import base64
import binascii
import json
from collections.abc import Mapping
from math import inf
from typing import Any, Final, NoReturn


class BadInputError(Exception):
    """A request to control the server is not understood; the text says which part of it, and what is expected."""


class _Required:
    """Stands for the default of a member that must be given."""


REQUIRED: Final[Any] = _Required()


class Fields:
    """
    The members of a JSON object.

    Args:
        value: What should be the object.
        where: Name of the object in errors.

    Raises:
        BadInputError: If *value* is not an object.
    """

    def __init__(self, value: object, where: str = "the body") -> None:
        if not isinstance(value, dict):
            raise BadInputError(f"{where} must be a JSON object, not {shown(value)}")
        self._members: dict[str, Any] = value
        self._where = where
        self._known: dict[str, None] = {}  # in the order in which they were taken

    def take(self, name: str, default: Any = REQUIRED) -> Any:
        """Return a member of any type."""
        self._known[name] = None
        value = self._members.get(name, default)
        if value is REQUIRED:
            raise BadInputError(f"{self._where} needs {name!r}")
        return value

    def text(self, name: str, default: Any = REQUIRED, *, choices: tuple[str, ...] = ()) -> Any:
        """Return a text, or the default; *choices* are the only ones if given."""
        value = self.take(name, default)
        if choices and value not in choices:
            self._refuse(name, f"one of {', '.join(choices)}", value)
        if value != default and not isinstance(value, str):
            self._refuse(name, "a text", value)
        return value

    def name(self, name: str, default: Any = REQUIRED) -> Any:
        """Return a text that is not empty, or the default."""
        value = self.text(name, default)
        return self._refuse(name, "a text that is not empty", value) if value == "" else value

    def header(self, name: str, default: Any = REQUIRED) -> str:
        """Return a text that can be the value of a header."""
        value = self.text(name, default)
        return self._header(name, value)

    def headers(self, name: str) -> dict[str, str]:
        """Return texts by name; none if the member is missing."""
        value = self.take(name, {})
        if not isinstance(value, dict):
            self._refuse(name, "an object of texts", value)
        for key, each in value.items():
            if not key or not key.isascii() or not key.replace("-", "").replace("_", "").isalnum():
                raise BadInputError(f"{name!r} of {self._where} has an invalid header name, {key!r}")
            self._header(f"{name}.{key}", each)
        return value

    def whole(self, name: str, default: Any = REQUIRED, *, minimum: int = 0, maximum: float = inf) -> Any:
        """Return an integer within limits, or the default."""
        value = self.take(name, default)
        if value is not default and (
            isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum
        ):
            limit = f"at least {minimum}" if maximum == inf else f"{minimum} to {maximum}"
            self._refuse(name, f"an integer of {limit}", value)
        return value

    def number(self, name: str, default: Any = REQUIRED, *, positive: bool = False) -> Any:
        """Return a finite number of at least 0, or the default."""
        value = self.take(name, default)
        if value is default:
            return value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= _LARGEST or (positive and value == 0):
            self._refuse(name, "a number above 0" if positive else "a number of at least 0", value)
        return float(value)

    def flag(self, name: str, default: Any = False) -> Any:
        """Return true or false, or the default."""
        value = self.take(name, default)
        return value if value is default or isinstance(value, bool) else self._refuse(name, "true or false", value)

    def texts(self, name: str) -> list[str]:
        """Return a list of texts; an empty one if the member is missing."""
        value = self.take(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self._refuse(name, "a list of texts", value)
        return value

    def content(self, name: str) -> bytes:
        """Return bytes: of a text in UTF-8, or of an object with ``base64``."""
        return self._content(name, self.take(name))

    def contents(self, name: str) -> list[bytes]:
        """Return a list of what :meth:`content` returns, with at least one element."""
        value = self.take(name)
        if not isinstance(value, list) or not value:
            self._refuse(name, "a list with at least one element", value)
        return [self._content(name, each) for each in value]

    def finish(self) -> None:
        """
        Check that every member was taken.

        Raises:
            BadInputError: If the object has other members.
        """
        for name in self._members:
            if name not in self._known:
                expected = ", ".join(self._known) if self._known else "nothing"
                raise BadInputError(f"{self._where} takes {expected}, not {name!r}")

    def _header(self, name: str, value: object) -> str:
        if not isinstance(value, str) or not value.isprintable():
            self._refuse(name, "a text in one line", value)
        return value

    def _content(self, name: str, value: object) -> bytes:
        if isinstance(value, str):
            return value.encode("utf-8", "surrogatepass")
        if isinstance(value, dict) and isinstance(value.get("base64"), str) and len(value) == 1:
            try:
                return base64.b64decode(value["base64"], validate=True)
            except (binascii.Error, ValueError) as error:
                raise BadInputError(f"{name!r} of {self._where} is not valid base64: {error}") from None
        return self._refuse(name, 'a text or {"base64": "..."}', value)

    def _refuse(self, name: str, expected: str, value: object) -> NoReturn:
        raise BadInputError(f"{name!r} of {self._where} must be {expected}, not {shown(value)}")


_LARGEST = 1e11  # seconds, bytes per second: far beyond what any test needs, and within what times can express


def shown(value: object) -> str:
    """Return the start of *value* as JSON."""
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def parse(body: bytes) -> object:
    """
    Parse a JSON body.

    Raises:
        BadInputError: If it is not JSON.
    """
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()  # halves of surrogate pairs are no text
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"the body is not JSON: {error}") from None
    return value


def only(query: Mapping[str, str], *names: str) -> None:
    """
    Check that *query* has no parameters but *names*.

    Raises:
        BadInputError: If it has.
    """
    for name in query:
        if name not in names:
            expected = ", ".join(names) if names else "no parameters"
            raise BadInputError(f"the query takes {expected}, not {name!r}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
