"""What verbs have in common on their command lines, and how its words become values."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
PATH = click.Path(path_type=Path)

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
with_properties = click.option(
    "-p", "--property", "properties", metavar="KEY=VALUE", multiple=True, help="May be repeated."
)


def with_stdin(words: Iterable[str]) -> Iterator[str]:
    """Put the lines of stdin in the place of ``-``."""
    for word in words:
        if word == "-":
            yield from filter(None, map(str.strip, sys.stdin))
        else:
            yield word


def parse_properties(given: Iterable[str], hint: str = "--property") -> dict[str, list[str]]:
    """
    Read ``KEY=VALUE`` words; a key that is repeated has several values.

    Raises:
        click.BadParameter: A word has no ``=``; *hint* names the parameter.
    """
    values: dict[str, list[str]] = {}
    for word in given:
        key, equals, value = word.partition("=")
        if not equals:
            raise click.BadParameter(f"{word!r} has no '='", param_hint=hint)
        values.setdefault(key, []).append(value)
    return values
