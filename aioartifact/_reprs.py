"""How values with many others in them are shown, by an interpreter or as HTML by a notebook: they fit on a screen."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from html import escape
from typing import Any

_MOST_VALUES = 3
_MOST_ROWS = 100
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class ShortRepr:
    """Mixin of a dataclass with ``repr=False``: of a long sequence, the repr shows the first values and a count."""

    __slots__ = ()

    def __repr__(self) -> str:
        shown = ((each.name, getattr(self, each.name)) for each in fields(self) if each.repr)  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(f'{name}={_short(value)}' for name, value in shown)})"


def _short(value: Any) -> str:
    if not isinstance(value, tuple) or len(value) <= _MOST_VALUES:
        return repr(value)
    return f"({', '.join(map(repr, value[:_MOST_VALUES]))}, … {len(value) - _MOST_VALUES} more)"


def html_table(caption: str, head: Sequence[str], rows: Sequence[Iterable[object]]) -> str:
    """
    Return a table, of whose rows no more than the first hundred are shown.

    Args:
        caption: Text above it.
        head: Names of the columns.
        rows: Values of the columns; None is an empty cell.
    """
    shown = [_row("td", row) for row in rows[:_MOST_ROWS]]
    if (more := len(rows) - _MOST_ROWS) > 0:
        shown.append(f'<tr><td colspan="{len(head)}">… {more} more</td></tr>')
    body = f"<thead>{_row('th', head)}</thead><tbody>{''.join(shown)}</tbody>" if rows else ""
    return f'<table><caption style="text-align: left">{escape(caption)}</caption>{body}</table>'


def _row(tag: str, values: Iterable[object]) -> str:
    style = ' style="text-align: left"'
    cells = (f"<{tag}{style}>{'' if value is None else escape(str(value))}</{tag}>" for value in values)
    return f"<tr>{''.join(cells)}</tr>"


def html_size(size: int | None) -> str:
    """Return a number of bytes with a unit; empty if unknown."""
    if size is None:
        return ""
    power = min(max(size.bit_length() - 1, 0) // 10, len(_UNITS) - 1)
    return f"{size} B" if power == 0 else f"{size / 1024**power:.1f} {_UNITS[power]}"
