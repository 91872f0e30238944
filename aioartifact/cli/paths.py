"""Local paths on the command line."""

import os
from typing import Any

import click

import aioartifact


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
