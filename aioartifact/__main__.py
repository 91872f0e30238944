"""``aioartifact`` and ``python -m aioartifact``: hand over to the command line, if its extra is installed."""

import signal
import sys

_NEEDED = ("click", "rich")


def main() -> int:
    """
    Run the command line.

    Returns:
        Exit code; 2 when the ``cli`` extra is not installed, 130 after Ctrl-C, 143 after SIGTERM. After these two,
        both signals are ignored.
    """
    try:
        code = _run()
    except KeyboardInterrupt:  # during an import: the command line handles its own
        _say("\ninterrupted\n")
        code = 130
    if code in (130, 143):
        # timeout(1) sends SIGTERM twice, a key may bounce: a second one must not change the exit code.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    return code


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
