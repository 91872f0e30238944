"""Representations of values that may hold very many others: they fit on a screen."""

from dataclasses import fields
from typing import Any

_SHOWN = 3


class ShortRepr:
    """Mixin of a dataclass with ``repr=False``: of a long sequence, the repr shows the first values and a count."""

    __slots__ = ()

    def __repr__(self) -> str:
        shown = ((each.name, getattr(self, each.name)) for each in fields(self) if each.repr)  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(f'{name}={_short(value)}' for name, value in shown)})"


def _short(value: Any) -> str:
    if not isinstance(value, tuple) or len(value) <= _SHOWN:
        return repr(value)
    return f"({', '.join(map(repr, value[:_SHOWN]))}, … {len(value) - _SHOWN} more)"
