"""A Sphinx directive that lists the commands of the command line with their arguments and options."""

import inspect
import re
from collections.abc import Iterator

import click
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from aioartifact.cli.program import program


class CommandOptions(Directive):
    """Render each command as a section: what it does, its usage, and a table of its options."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        container = nodes.container()
        # Sections inside of a directive need the parser of the page itself, so that they are in its contents.
        self.state.nested_parse(StringList(list(markdown()), "click"), self.content_offset, container, match_titles=1)
        return list(container.children)


def markdown() -> Iterator[str]:
    """Lines of the page."""
    root = click.Context(program, info_name="aioartifact")
    yield from _lines("Before the command", program, root)
    for name in program.list_commands(root):
        command = program.get_command(root, name)
        if command is not None:
            yield from _command(name, command, root)


def _command(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    yield from _lines(context.command_path.removeprefix("aioartifact "), command, context)
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            if each := command.get_command(context, verb):
                yield from _command(verb, each, context)


def _lines(title: str, command: click.Command, context: click.Context) -> Iterator[str]:
    yield from (f"## {title}", "")
    if command is not program:
        yield from (*_as_code(inspect.cleandoc(command.help or "").replace("\b\n", "")).splitlines(), "")
    yield from ("```console", f"$ {context.command_path} {' '.join(command.collect_usage_pieces(context))}", "```", "")
    options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
    yield from ("| option | meaning |", "| --- | --- |")
    for names, text in filter(None, (option.get_help_record(context) for option in options)):
        cells = [f"`{names}`", _as_code(text.replace("*", r"\*"))]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _as_code(text: str) -> str:
    """Mark the options in *text* as code; otherwise two hyphens become a dash."""
    return re.sub(r"(?<![\w`-])(--?[a-z][a-z-]*)", r"`\1`", text)
