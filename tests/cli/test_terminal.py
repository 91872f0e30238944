"""What a person sees: the command with a terminal on stdout and stderr."""

import os
import pty
import re
import subprocess
import sys

import pytest

from aioartifact.testing import ThreadedArtifactoryServer

pytestmark = pytest.mark.slow  # each test starts processes

FOLDER = "generic-local/emodb/1.0.0"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def server():
    """A server with two files."""
    with ThreadedArtifactoryServer() as server:
        server.put(f"{FOLDER}/small.txt", b"text", properties={"stage": "tested"})
        server.put_synthetic(f"{FOLDER}/large.bin", 3 << 20)
        yield server


@pytest.fixture
def run(server):
    """Run the command in a terminal of 100 columns; return its exit code and what is on the screen."""

    def run(*words, **variables):
        controller, terminal = pty.openpty()
        login = {"ARTIFACTORY_USERNAME": server.username, "ARTIFACTORY_API_KEY": server.api_key}
        kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        environment = kept | login | {"TERM": "xterm", "COLUMNS": "100", "TZ": "UTC"} | variables
        command = [sys.executable, "-m", "aioartifact", *words]
        with subprocess.Popen(command, stdout=terminal, stderr=terminal, env=environment) as process:
            os.close(terminal)
            screen = b""
            while chunk := read(controller):
                screen += chunk
        os.close(controller)
        return process.returncode, screen.decode().replace("\r\n", "\n")

    return run


def read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # Linux reports the end of a terminal as an error
        return b""


def test_stat_is_a_table_with_sizes_and_times_to_read(server, run):
    """Names of fields are words; a size is also in MiB; times are those of the time zone of the user."""
    code, screen = run("stat", f"{server.url}/{FOLDER}/large.bin")
    lines = dict(re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in COLOUR.sub("", screen).splitlines())
    assert (code, lines["size"], lines["created by"]) == (0, "3145728 (3.0 MiB)", "admin")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000", lines["modified"])


def test_fields_of_a_row_are_separated_by_tabs(server, run):
    """Tabs stay, also where other control characters are replaced."""
    server.put(f"{FOLDER}/evil\x1b[2J.txt", b"")
    query = 'items.find({"repo":"generic-local","size":{"$lt":10}}).include("name","size").sort({"$asc":["name"]})'
    assert run("aql", server.url, query) == (0, "evil�[2J.txt\t0\nsmall.txt\t4\n")


def test_sync_separates_action_and_path_by_a_tab(server, run, tmp_path):
    """As in a pipe."""
    code, screen = run("-q", "sync", f"{server.url}/{FOLDER}", str(tmp_path), "--include", "*.txt")
    assert (code, screen) == (0, f"\x1b[32mdownloaded\x1b[0m\t{tmp_path}/small.txt\n")


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        pytest.param({}, True, id="terminal"),
        pytest.param({"NO_COLOR": "1"}, False, id="no-color"),
        pytest.param({"TERM": "dumb"}, False, id="dumb"),
    ],
)
def test_labels_of_errors_are_coloured(server, run, variables, coloured):
    """Only the labels, and only where colours are wanted."""
    code, screen = run("stat", f"{server.url}/{FOLDER}/none", **variables)
    assert (code, bool(COLOUR.search(screen))) == (4, coloured)
    assert re.match(r"error: GET .*\nhint: check repository", COLOUR.sub("", screen))


@pytest.mark.parametrize("columns", [80, 200])
def test_doctor_on_a_terminal(server, run, columns):
    """Lines fit, what continues is indented, the status is coloured, and hints are."""
    code, screen = run("doctor", server.origin, COLUMNS=str(columns))
    lines = COLOUR.sub("", screen).splitlines()
    assert code == 1
    assert max(map(len, lines)) <= columns
    assert "\x1b[32mok   \x1b[0m dns           127.0.0.1\n" in screen
    assert re.search(rf"^ {{20}}\x1b\[36muse {server.url}\x1b\[0m$", screen, re.MULTILINE)
    assert {line[:5].strip() for line in lines} <= {"ok", "warn", "fail", ""}


def test_doctor_without_colours(server, run):
    """NO_COLOR is honoured on stdout, too."""
    _, screen = run("doctor", server.origin, NO_COLOR="1")
    assert not COLOUR.search(screen)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        pytest.param(["ls", "URL/generic-local"], "<34m>emodb</>/", id="ls"),
        pytest.param(["tree", "URL/generic-local"], "└── <34m>emodb</>", id="tree"),
        pytest.param(["props", "get", f"URL/{FOLDER}/small.txt"], "<36m>stage</>=tested", id="props"),
        pytest.param(["repos", "URL"], "generic-local  <2m>local      generic</>", id="repos"),
    ],
)
@pytest.mark.parametrize("wants", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_of_results(server, run, words, line, wants):
    """Folders, names of properties, and details; without colours, the same characters."""
    code, screen = run(*(word.replace("URL", server.url) for word in words), **wants)
    expected = line.replace("</>", "\x1b[0m").replace("<", "\x1b[").replace(">", "")
    assert code == 0
    assert (COLOUR.sub("", expected) if wants else expected) in screen.splitlines()


def test_names_with_control_characters_have_no_colours_of_their_own(server, run):
    """Where text is coloured, a name cannot add codes either."""
    server.put("generic-local/evil\x1b[31m/a", b"")
    server.put("generic-local/b", b"", properties={"k": "v\x1b[2J"})
    _, screen = run("tree", f"{server.url}/generic-local")
    assert "\x1b[34mevil�[31m\x1b[0m" in screen
    _, screen = run("props", "get", f"{server.url}/generic-local/b")
    assert "\x1b[36mk\x1b[0m=v�[2J" in screen


def test_results_do_not_mix_with_progress(server, run, tmp_path):
    """Results are written above the bar, each on a line of its own."""
    code, screen = run("sync", f"{server.url}/{FOLDER}", str(tmp_path))
    shown = [re.split(r"\x1b\[\d*[AK]|\r", line)[-1] for line in screen.splitlines()]
    results = [COLOUR.sub("", line) for line in shown if "downloaded" in line]
    assert code == 0
    assert len(results) == 2
    assert all(line.startswith("downloaded") for line in results)
