"""Local paths on the command line."""

import os
from typing import Any

import click


class LocalPath(click.Path):
    """A path in which a leading ``~`` is the home folder, also where the shell left it: ``--manifest=~/m``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Expand, then check as click does."""
        return super().convert(os.path.expanduser(value), param, ctx)  # noqa: PTH111  # keeps what is no user
