"""``aioartifact`` and ``python -m aioartifact``: hand over to the command line, if its extra is installed."""

import sys
from importlib.util import find_spec

_NEEDED = ("click", "rich")


def main() -> int:
    """
    Run the command line.

    Returns:
        Exit code; 2 when the ``cli`` extra is not installed.
    """
    if not all(map(find_spec, _NEEDED)):
        sys.stderr.write('The command line needs its extra: pip install "aioartifact[cli]"\n')
        return 2
    from .cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
