"""Arguments and options that several commands share, and how their text is parsed."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

import aioartifact

from . import units
from .settings import Settings

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")


class LocalPath(click.Path):
    """A path in which a leading ``~`` is the home folder, also where the shell left it: ``--manifest=~/m``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """
        Expand, then check as click does.

        Raises:
            click.BadParameter: If the file does not exist or folder, or one of the wrong kind.
            LocalFileError: If the disk failed; click would report that the file does not exist.
        """
        path = os.path.expanduser(value)  # noqa: PTH111  # leaves an unknown user unchanged
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
    """A parameter type whose errors explain why a value is invalid."""

    def read(word: str) -> T:
        try:
            return parse(word)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return read


SIZE = _reader(units.parse_size)
DURATION = _reader(units.parse_duration)
MOMENT = _reader(units.parse_moment)


class ItemURL(click.types.StringParamType):  # ParamType itself takes a type parameter only from click 8.4 on
    """URL of an item, which is below the default server if it names none."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Add the default server; see :meth:`Settings.url`."""
        settings = ctx and ctx.find_object(Settings)
        return settings.url(value) if settings else value


URL = ItemURL()


def server_or_default(context: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """Return the default server if none is named."""
    settings = context.find_object(Settings)
    return settings.default_server().url if settings and value is None else value


def with_server(command: F) -> F:
    """Add the argument ``SERVER``, by default the default server."""
    return click.argument("server", required=False, callback=server_or_default)(command)


def as_json(command: F) -> F:
    """Add ``--json`` to the command."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")(command)


def with_properties(command: F) -> F:
    """Add ``--property`` to the command."""
    return click.option("-p", "--property", "properties", metavar="KEY=VALUE", multiple=True, help="May be repeated.")(
        command
    )


def with_patterns(command: F) -> F:
    """Add ``--include`` and ``--exclude`` to the command."""
    exclude = click.option(
        "--exclude", metavar="PATTERN", multiple=True, help="Leave out files that match; may be repeated."
    )
    include = click.option(
        "--include", metavar="PATTERN", multiple=True, help="Only files that match; may be repeated."
    )
    return include(exclude(command))


def dry_run(command: F) -> F:
    """Add ``--dry-run`` to the command."""
    return click.option("--dry-run", is_flag=True, help="Only show what would be done.")(command)


def parse_properties(given: Iterable[str], hint: str = "--property") -> dict[str, list[str]]:
    """
    Parse ``KEY=VALUE`` arguments; a repeated key has several values.

    Raises:
        click.BadParameter: If an argument has no ``=``; *hint* names the parameter.
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
    Return the single value of each property, where only one is allowed.

    Raises:
        click.BadParameter: If a key is repeated.
    """
    for key, values in properties.items():
        if len(values) > 1:
            raise click.BadParameter(f"{key!r} is given {len(values)} times", param_hint="--property")
    return {key: value for key, [value] in properties.items()}
