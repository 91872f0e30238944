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
# The standard library gives up at some depth from 1,000 to 10,000, which depends on the version of CPython.
_MAX_DEPTH = 10_000
_BLANK = " \t\n\r"
_BLANKS = re.compile(f"[{_BLANK}]*")
_HEAD = re.compile(rf'\{{[{_BLANK}]*"[^"]*"')  # of an object: to the end of its first key
_scan = json.JSONDecoder().raw_decode
_MARK = re.compile(r'["\[\]{}]')
_MARK_IN_STRING = re.compile(r'["\\]')
_AFTER_SCALAR = re.compile(rf"[{_BLANK},\]}}:]")

_State: TypeAlias = Callable[[str, list[Any]], bool]


class _EndFinder:
    """
    Finds where a value ends that arrives in pieces; each character is looked at once.

    Args:
        first: First character of the value.

    Raises:
        ValueError: If the value is nested too deeply; Python would refuse it at its end.
    """

    def __init__(self, first: str) -> None:
        self._is_scalar = first not in '{["'
        self._depth = 0
        self._is_in_string = False
        self._skip = 0

    def finds_end(self, text: str, start: int = 0) -> bool:
        """Whether the value ends in its next piece, *text* from *start* on."""
        if self._is_scalar:
            return _AFTER_SCALAR.search(text, start) is not None
        at = start + self._skip
        while mark := (_MARK_IN_STRING if self._is_in_string else _MARK).search(text, at):
            at = mark.end()
            if mark[0] == "\\":
                at += 1  # what it escapes
            elif mark[0] == '"':
                self._is_in_string = not self._is_in_string
            else:
                self._depth += 1 if mark[0] in "[{" else -1
                if self._depth > _MAX_DEPTH:
                    raise ValueError("nested too deeply")
            if self._depth <= 0 and not self._is_in_string:
                return True
        self._skip = max(0, at - len(text))
        return False


def _always(_: str) -> bool:
    return True


def _never(_: str) -> bool:
    return False


def _is_not_blank(text: str) -> bool:
    return bool(text.strip(_BLANK))


class ArrayStream:
    """
    Parser of a JSON object that is fed with its text, piece by piece, and hands out the elements of one array.

    A piece may end anywhere. A value counts once what must follow it is there too: ``1`` may yet become ``1.5``.

    Args:
        key: Key of the array in the object.
        limit: Characters of the longest element of the array, and of all other members together.

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
        self._pieces: list[str] = []
        self._size = 0
        self._blanks = 0
        self._beside = 0
        self._may_go_on: Callable[[str], bool] = _always

    @property
    def is_complete(self) -> bool:
        """Whether the object has been closed."""
        return self._state == self._end

    def feed(self, text: str) -> list[Any]:
        """
        Take the next piece, and return the elements that it completes.

        Raises:
            ValueError: This is no JSON object, something follows it, or one value or gap exceeds the limit.
        """
        self._pieces.append(text)
        self._size += len(text)
        self._blanks = 0 if _is_not_blank(text) else self._blanks + len(text)
        # Pieces of an unfinished value are joined and scanned once, when its end has arrived.
        found = self._scan_all() if self._may_go_on(text) else []
        if max(self._size, self._blanks) > self._limit:
            raise ValueError(f"a value of more than {self._limit} characters")
        return found

    def _scan_all(self) -> list[Any]:
        self._text = "".join(self._pieces)
        self._at = 0
        self._may_go_on = _always
        self._may_take_run = True
        found: list[Any] = []
        while (at := self._skip_blanks(self._at)) < len(self._text):
            self._at = at
            if not self._state(self._text[at], found):
                break
        else:
            self._at = at
        self._pieces = [self._text[self._at :]]
        self._size = len(self._pieces[0])
        self._text = ""
        return found

    def _skip_blanks(self, at: int) -> int:
        match = _BLANKS.match(self._text, at)
        return match.end() if match else at

    # The states: each gets the next character, and returns whether it accepted it.

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
        start = self._at
        if (scanned := self._value(",}")) is None:
            return False
        self.members[self._name], delimiter = scanned
        self._beside += len(self._name) + self._at - start
        if self._beside > self._limit:
            raise ValueError(f"more than {self._limit} characters beside the array")
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
        """
        Scan a value and the delimiter behind it; None if the text ends before, or if it is not JSON.

        Both are found at the end of the answer: then the object is not complete.

        Raises:
            ValueError: If it is nested too deeply, or is a number of too many digits.
        """
        try:
            value, end = _scan(self._text, self._at)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        except json.JSONDecodeError:
            finder = _EndFinder(self._text[self._at])
            self._may_go_on = _never if finder.finds_end(self._text, self._at) else finder.finds_end
            return None
        except ValueError:  # Python limits how many digits it converts
            raise ValueError("a number of too many digits") from None
        is_open = end == len(self._text) and self._text[-1] not in '}]"'  # a number may go on
        end = self._skip_blanks(end)
        if end == len(self._text) or self._text[end] not in delimiters:
            is_ended = end < len(self._text)
            self._may_go_on = _never if is_ended else _EndFinder("0").finds_end if is_open else _is_not_blank
            return None
        self._at = end + 1
        return value, self._text[end]
