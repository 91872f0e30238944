"""``aioartifact`` and ``python -m aioartifact``: hand over to the command line, if its extra is installed."""

import sys

_NEEDED = ("click", "rich")


def main() -> int:
    """
    Run the command line.

    Returns:
        Exit code; 2 when the ``cli`` extra is not installed, 130 after Ctrl-C.
    """
    try:
        return _run()
    except KeyboardInterrupt:  # during an import: the command line handles its own
        _say("\ninterrupted\n")
        return 130


def _run() -> int:
    from importlib.util import find_spec

    if not all(map(find_spec, _NEEDED)):
        _say('The command line needs its extra: pip install "aioartifact[cli]"\n')
        return 2
    from .cli import main as run

    return run()


def _say(text: str) -> None:
    if sys.stderr is not None:  # services may close it
        sys.stderr.write(text)


if __name__ == "__main__":
    sys.exit(main())
