"""What verbs have in common on their command lines, and how its words become values."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

import aioartifact

from . import units

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")


class LocalPath(click.Path):
    """A path in which a leading ``~`` is the home folder, also where the shell left it: ``--manifest=~/m``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """
        Expand, then check as click does.

        Raises:
            click.BadParameter: There is no such file or folder, or one of the wrong kind.
            LocalFileError: The disk refused to say whether there is; click would say that there is not.
        """
        path = os.path.expanduser(value)  # noqa: PTH111  # keeps what is no user
        if self.exists:
            try:
                os.stat(path)  # noqa: PTH116  # Path.exists() raises some errors and hides others
            except (FileNotFoundError, NotADirectoryError):
                pass  # click says so, and it knows what else may be given
            except OSError as error:
                raise aioartifact.LocalFileError.from_os_error("read", os.fspath(path), error) from error
        return super().convert(path, param, ctx)


FILE = LocalPath(exists=True, dir_okay=False, path_type=Path)
PATH = LocalPath(path_type=Path)


def _reader(parse: Callable[[str], T]) -> Callable[[str], T]:
    """A type of parameters that tells why a word is none of its values."""

    def read(word: str) -> T:
        try:
            return parse(word)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return read


SIZE = _reader(units.parse_size)
DURATION = _reader(units.parse_duration)
MOMENT = _reader(units.parse_moment)


def as_json(command: F) -> F:
    """Let the command be asked for JSON."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")(command)


def with_properties(command: F) -> F:
    """Let the command take properties."""
    return click.option("-p", "--property", "properties", metavar="KEY=VALUE", multiple=True, help="May be repeated.")(
        command
    )


def with_patterns(command: F) -> F:
    """Let the command be told which of the files below a folder are meant."""
    exclude = click.option(
        "--exclude", metavar="PATTERN", multiple=True, help="Leave alone what matches; may be repeated."
    )
    include = click.option(
        "--include", metavar="PATTERN", multiple=True, help="Mean only what matches one; may be repeated."
    )
    return include(exclude(command))


def dry_run(command: F) -> F:
    """Let the command only tell what it would do."""
    return click.option("--dry-run", is_flag=True, help="Change nothing; tell what would happen.")(command)


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


def one_value_each(properties: Mapping[str, list[str]]) -> dict[str, str]:
    """
    Take the single value of each property, where only one can be asked for.

    Raises:
        click.BadParameter: A key is repeated.
    """
    for key, values in properties.items():
        if len(values) > 1:
            raise click.BadParameter(f"{key!r} is given {len(values)} times", param_hint="--property")
    return {key: value for key, [value] in properties.items()}
