"""
JSON that is read while it arrives: the elements of one array of an object, in memory for one element at a time.

The scanner of the standard library reads each element, or many that look alike; what is here finds where the next one
starts.
"""

import json
import re
from collections.abc import Callable
from typing import Any, TypeAlias

# A value whose end has not come is kept: no answer of Artifactory has one element of such a size.
_LIMIT = 1 << 20
_BLANK = " \t\n\r"
_BLANKS = re.compile(f"[{_BLANK}]*")
_HEAD = re.compile(rf'\{{[{_BLANK}]*"[^"]*"')  # of an object: to the end of its first key
_scan = json.JSONDecoder().raw_decode

_State: TypeAlias = Callable[[str, list[Any]], bool]


class ArrayStream:
    """
    Parser of a JSON object that is fed with its text, piece by piece, and hands out the elements of one array.

    A piece may end anywhere. A value counts once what must follow it is there too: ``1`` may yet become ``1.5``.

    Args:
        key: Key of the array in the object.
        limit: Characters of the longest value, in the array or beside it.

    Attributes:
        members: The other members of the object, as far as they have arrived.
        has_array: Whether the array has begun.
    """

    def __init__(self, key: str, *, limit: int = _LIMIT) -> None:
        self.members: dict[str, Any] = {}
        self.has_array = False
        self._key = key
        self._limit = limit
        self._text = ""
        self._at = 0
        self._name = ""
        self._state: _State = self._start
        self._may_take_run = False

    @property
    def is_complete(self) -> bool:
        """Whether the object has been closed."""
        return self._state == self._end

    def feed(self, text: str) -> list[Any]:
        """
        Take the next piece, and return the elements that it completes.

        Raises:
            ValueError: This is no JSON object, something follows it, or one value exceeds the limit.
        """
        self._text = self._text[self._at :] + text
        self._at = 0
        self._may_take_run = True
        found: list[Any] = []
        while (at := self._skip_blanks(self._at)) < len(self._text):
            self._at = at
            if not self._state(self._text[at], found):
                break
        if len(self._text) - self._at > self._limit:
            raise ValueError(f"a value of more than {self._limit} characters")
        return found

    def _skip_blanks(self, at: int) -> int:
        match = _BLANKS.match(self._text, at)
        return match.end() if match else at

    # The states: each is given the next character, and tells whether it got on.

    def _start(self, character: str, _: list[Any]) -> bool:
        if character != "{":
            raise ValueError("no JSON object")
        return self._go_on(self._first_key)

    def _first_key(self, character: str, found: list[Any]) -> bool:
        return self._go_on(self._end) if character == "}" else self._next_key(character, found)

    def _next_key(self, character: str, _: list[Any]) -> bool:
        if character != '"':
            raise ValueError("a member without a name")
        if (scanned := self._value(":")) is None:
            return False
        self._name, self._state = scanned[0], self._member
        return True

    def _member(self, character: str, _: list[Any]) -> bool:
        if self._name == self._key and character == "[":
            if self.has_array:
                raise ValueError("the array comes twice")
            self.has_array = True
            return self._go_on(self._first_element)
        if (scanned := self._value(",}")) is None:
            return False
        self.members[self._name], delimiter = scanned
        self._state = self._next_key if delimiter == "," else self._end
        return True

    def _first_element(self, character: str, found: list[Any]) -> bool:
        return self._go_on(self._after_array) if character == "]" else self._next_element(character, found)

    def _next_element(self, _: str, found: list[Any]) -> bool:
        if self._may_take_run:
            self._may_take_run = False  # once for each piece: what fails may be long
            self._take_run(found)
        if (scanned := self._value(",]")) is None:
            return False
        element, delimiter = scanned
        found.append(element)
        self._state = self._next_element if delimiter == "," else self._after_array
        return True

    def _take_run(self, found: list[Any]) -> None:
        """
        Scan all elements at once up to the last that begins like the next one.

        If what is before it, but for its comma, is what an array may hold, then these are the next elements. Else, as
        where objects inside of elements begin alike, nothing is taken.
        """
        head = _HEAD.match(self._text, self._at)
        last = self._text.rfind(head[0], self._at + 1) if head else self._at
        run = self._text[self._at : max(last, self._at)].rstrip(_BLANK)
        if not run.endswith(","):
            return
        try:
            found += json.loads(f"[{run[:-1]}]")
        except (ValueError, RecursionError):
            return
        self._at = last

    def _after_array(self, character: str, _: list[Any]) -> bool:
        if character not in ",}":
            raise ValueError("neither a comma nor the end behind the array")
        return self._go_on(self._next_key if character == "," else self._end)

    def _end(self, _character: str, _: list[Any]) -> bool:
        raise ValueError("something behind the end")

    def _go_on(self, state: _State) -> bool:
        self._at += 1
        self._state = state
        return True

    def _value(self, delimiters: str) -> tuple[Any, str] | None:
        """Scan a value and the delimiter behind it; None if that takes more text, or is none, which the end tells."""
        try:
            value, end = _scan(self._text, self._at)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        except ValueError:
            return None
        end = self._skip_blanks(end)
        if end == len(self._text) or self._text[end] not in delimiters:
            return None
        self._at = end + 1
        return value, self._text[end]
