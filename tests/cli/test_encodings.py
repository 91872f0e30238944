"""Standard streams of any encoding: every verb writes what it has to, with escapes for what an encoding lacks."""

import os
import signal
import subprocess
import sys

import click
import pytest

from aioartifact.cli.program import program

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "aioartifact", "--quiet"]
SECONDS = 120  # for what only hangs if it is broken
NAME, FOLDER, VERSION = "日本 ü.txt", "generic-local/日本", "1.0.0-日"
# The words of each verb, and a text in its output; None where all of it is ASCII in any case.
VERBS = {
    "ls": (["FOLDER"], NAME),
    "tree": (["FOLDER"], f"└── {NAME}"),
    "find": (["FOLDER", "--json"], None),
    "stat": (["FOLDER/NAME"], NAME),
    "cat": (["FOLDER/NAME"], None),
    "versions": (["SERVER", "generic-local", "", "日本", "--scheme", "natural"], VERSION),
    "search": (["SERVER", "--name", NAME, "--json"], None),
    "aql": (["SERVER", f'items.find({{"name": "{NAME}"}}).include("name", "path", "repo")'], NAME),
    "props": (["get", "FOLDER/NAME"], "日=本"),
    "cp": (["FOLDER/NAME", "FOLDER/copy", "--json"], None),
    "mv": (["FOLDER/NAME", "FOLDER/moved", "--json"], None),
    "rm": (["FOLDER/NAME", "--dry-run"], None),
    "mkdir": (["FOLDER/new", "--json"], None),
    "download": (["FOLDER", "-d", "LOCAL"], NAME),
    "deploy": (["LOCAL/up/NAME", "FOLDER/up", "--json"], None),
    "sync": (["FOLDER", "LOCAL/sync"], NAME),
    "cleanup": (["LOCAL/up"], ".日.0123456789abcdef.part"),
    "cache": (["ls", "--folder", "LOCAL/日"], None),
    "ping": (["SERVER"], None),
    "info": (["SERVER"], None),
    "repos": (["SERVER"], None),
    "auth": (["SERVER"], None),
    "doctor": (["SERVER/generic-local/日本"], None),
    "demo": (["--quick", "--keep", "--folder", "LOCAL/日"], "日"),
    "serve": (["--port", "0", "--password-file", "LOCAL/up/password"], "password-日"),
}


def escaped(text: str, encoding: str) -> bytes:
    return text.encode(encoding, "backslashreplace")


def test_each_verb_is_among_these():
    """None is left out."""
    assert sorted(VERBS) == sorted(program.list_commands(click.Context(program)))


@pytest.fixture
def started(server, tmp_path):
    """Start a verb with streams of an encoding."""
    server.put(f"{FOLDER}/{NAME}", b"x", properties={"日": "本"})
    server.put(f"{FOLDER}/{VERSION}/x", b"x")
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / NAME).write_bytes(b"x")
    (tmp_path / "up/.日.0123456789abcdef.part").write_bytes(b"x")
    (tmp_path / "up/password").write_text("password-日", "utf-8")
    words = {"SERVER": server.url, "FOLDER": f"{server.url}/{FOLDER}", "LOCAL": str(tmp_path), "NAME": NAME}
    processes = []

    def started(verb, encoding, arguments):
        for name, word in words.items():
            arguments = [each.replace(name, word) for each in arguments]
        process = subprocess.Popen(
            ["env", "--default-signal=INT", *COMMAND, verb, *arguments],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"serve"}))
def test_verb_with_ascii_streams(started, verb):
    """Nothing but escapes, and the exit code is that of success."""
    arguments, text = VERBS[verb]
    process = started(verb, "ascii", arguments)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (0, b"")
    assert out.isascii()
    assert escaped(text or "", "ascii") in out


def test_serve_with_ascii_streams(started):
    """A password that the encoding lacks is escaped, too, and the server listens."""
    arguments, text = VERBS["serve"]
    process = started("serve", "ascii", arguments)
    lines = [process.stdout.readline().rstrip() for _ in range(3)]
    assert lines[1:] == [b"admin", escaped(text, "ascii")]
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 0
    assert process.stderr.read() == b""


@pytest.mark.parametrize("encoding", ["cp1252", "shift_jis", "utf-16", "ascii:replace", "utf-8"])
@pytest.mark.parametrize("verb", ["tree", "stat", "download"])
def test_verb_with_streams_of_other_encodings(started, verb, encoding):
    """What an encoding has is written as it is; a way to handle errors that is given is heeded."""
    arguments, text = VERBS[verb]
    process = started(verb, encoding, arguments)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (0, b"")
    expected = text.encode("ascii", "replace") if encoding == "ascii:replace" else escaped(text, encoding)
    assert expected.removeprefix(b"\xff\xfe") in out


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
@pytest.mark.parametrize("verb", ["download", "sync", "cleanup", "deploy"])
def test_local_path_that_is_no_text(started, server, tmp_path, verb, encoding):
    """The bytes of a path are written as they are, for a pipe to go on with."""
    local = tmp_path / "here\udce4"
    local.mkdir()
    (local / ".x.0123456789abcdef.part").write_bytes(b"x")
    arguments = {
        "download": ["FOLDER/NAME", "-d", str(local)],
        "sync": ["FOLDER", str(local)],
        "cleanup": [str(local)],
        "deploy": [str(local), "FOLDER/up/"],
    }[verb]
    process = started(verb, encoding, arguments)
    out, err = process.communicate(timeout=SECONDS)
    if verb == "deploy":
        assert (process.returncode, out) == (2, b"")
        assert b"UTF-8 cannot express it" in err
    else:
        assert (process.returncode, err) == (0, b"")
        assert os.fsencode(local) in out


def test_error_with_ascii_streams(started):
    """Messages are escaped like results."""
    process = started("sync", "ascii", ["LOCAL/none-日", "FOLDER"])
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (1, b"")
    assert err.isascii()
    assert escaped("none-日", "ascii") in err
