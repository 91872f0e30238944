"""
Make ``progress.svg``: the command line in a terminal, with a download in progress.

Runs real commands against an embedded server, in a pseudo-terminal, and keeps one frame of what they draw::

    python docs/images/make_progress.py
"""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

from aioartifact.testing import Fault, ThreadedArtifactoryServer

TARGET = Path(__file__).with_name("progress.svg")
COLUMNS = 88
FRAME_END = re.compile(r"(?:\r|\x1b\[2K|\x1b\[1A)+")  # rich erases a frame before it draws the next one
FILES = [f"media/{speaker}{sentence}.wav" for speaker in ("03a01", "08b02", "11a05", "16b10") for sentence in "FNWLT"]
MEBIBYTE = 1024 * 1024


def run(command: str, folder: str, environment: dict[str, str]) -> str:
    """What *command* writes to a terminal, control sequences included."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env=environment, stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    written = b""
    while True:
        try:
            received = os.read(controller, 65536)
        except OSError:  # Linux reports the end of a terminal as an error
            received = b""
        if not received:
            break
        written += received
    os.close(controller)
    if process.wait():
        sys.exit(written.decode())
    return written.decode().replace("\r\n", "\n")


def half_done(frames: list[str]) -> str:
    """The frame in which about half of the files are done, with its files in flight."""
    pattern = re.compile(rf"(\d+)/{len(FILES)} files")
    found = {int(match[1]): frame for frame in frames if (match := pattern.search(frame)) and ".wav" in frame}
    return found[min(found, key=lambda done: abs(done - len(FILES) // 2))]


def main() -> None:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    with ThreadedArtifactoryServer() as server, tempfile.TemporaryDirectory() as folder:
        server.create_repository("data")
        server.put("data/emodb/1.0.0/db.csv", b"file\n")
        for number, name in enumerate(FILES):
            server.put_synthetic(f"data/emodb/1.1.0/{name}", (2 + number % 3) * MEBIBYTE, seed=number)
        server.fail("GET", "data/emodb/1.1.0/**", times=None, fault=Fault.slow(latency=0.1, bandwidth=3 * MEBIBYTE))
        login = {"ARTIFACTORY_USERNAME": server.username, "ARTIFACTORY_API_KEY": server.api_key}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = (
            os.environ | login | {"PATH": path, "HOME": folder, "server": server.url, "TERM": "xterm-256color"}
        )

        versions = "aioartifact versions $server data '' emodb --latest"
        console.print(f"$ {versions}", style="bold", highlight=False)
        console.print(Text.from_ansi(run(versions, folder, environment).strip()), highlight=False)
        download = "aioartifact download $server/data/emodb/1.1.0 -d emodb --max-concurrency 6"
        console.print(f"$ {download}", style="bold", highlight=False)
        frames = [frame.strip("\r\n") for frame in FRAME_END.split(run(download, folder, environment))]
        lines = [re.sub(r"\x1b\[\?25[lh]", "", frame) for frame in frames]
        console.print(Text.from_ansi(half_done(lines)), highlight=False)
    svg = console.export_svg(title="aioartifact", unique_id="progress")
    # Pages of GitHub and PyPI load no fonts from elsewhere; the font of the reader's machine is used.
    TARGET.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), "utf-8")


if __name__ == "__main__":
    main()
