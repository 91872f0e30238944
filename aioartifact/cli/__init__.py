"""The command line: each command reads its arguments, calls a public function, and prints the result."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Args:
        arguments: Words after the program's name; None takes those of this process.

    Returns:
        Exit code; see ``docs/reference/cli.md``.
    """
    from .errors import guarded
    from .program import program
    from .running import accept_any_text, hold_standard_streams
    from .termination import heeding_signals

    hold_standard_streams()
    accept_any_text()

    with heeding_signals():
        return guarded(lambda: program.main(arguments, prog_name="aioartifact", standalone_mode=False))
