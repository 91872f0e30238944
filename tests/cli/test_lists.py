"""Lists of files, on the command line and on stdin: where each file goes, and errors that name the line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import aioartifact

pytestmark = pytest.mark.slow

FOLDER = "generic-local/emodb/db"
COMMAND = [sys.executable, "-m", "aioartifact"]
SECONDS = 60  # for what only hangs if it is broken
# Root may look into any folder; without its privileges it is a user like others.
UNPRIVILEGED = """
import ctypes, runpy
libc = ctypes.CDLL(None)
libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())
runpy.run_module("aioartifact", run_name="__main__", alter_sys=True)
"""


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def local(tmp_path):
    """Local files, two of them with equal names."""
    for path in ("one/a.bin", "one/b.bin", "two/a.bin"):
        (tmp_path / "here" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "here" / path).write_text(path)
    return tmp_path / "here"


# download


@pytest.mark.parametrize(
    ("lines", "second", "tree_helps"),
    [
        pytest.param(["1.0.0/media/a.wav", "", "# more", "1.9.0/media/a.wav"], 4, True, id="lines"),
        pytest.param(["1.0.0/media/a.wav\tx/a", "1.9.0/media/b.wav\tx/a"], 2, False, id="paths"),
        pytest.param(["1.0.0/media/a.wav\tx/", "1.9.0/media/b.wav\tx/a.wav"], 2, False, id="folder"),
        pytest.param(["1.0.0/media/a.wav", "1.9.0/media/b.wav\ta.wav"], 2, True, id="name-and-path"),
        pytest.param(["1.0.0/media/a.wav", "1.9.0/media/b.wav\tNEW/a.wav"], 2, True, id="absolute"),
    ],
)
def test_equal_names_in_a_list(server, cli, folder, tmp_path, lines, second, tree_helps):
    """The error names both lines and what to do about it, before the first request."""
    text = "".join(f"{folder}/{line}\n" if line[:1].isdigit() else f"{line}\n" for line in lines)
    run = cli("download", "-", "-d", tmp_path / "new", stdin=text.replace("NEW", str(tmp_path / "new")))
    assert (run.code, run.out, server.requests) == (2, "", [])
    error, hint = run.err.splitlines()
    assert all(name in error for name in ("line 1 (", f"line {second} ("))
    assert all(f"{folder}/{line.partition(chr(9))[0]}" in error for line in lines if line[:1].isdigit())
    assert ("--tree" in hint) is tree_helps
    assert "URL<TAB>PATH" in hint


def test_equal_paths_in_two_repositories(server, cli, folder, tmp_path):
    """--tree is not suggested where the paths are equal, too."""
    first = f"{folder}/1.0.0/media/a.wav"
    other = first.replace("/generic-local/", "/other-local/")
    assert other != first
    run = cli("download", first, other, "-d", tmp_path)
    assert (run.code, run.out, server.requests) == (2, "", [])
    assert run.err.splitlines()[1] == "hint: lines of the form URL<TAB>PATH name the path of each"


def test_equal_names_among_arguments(server, cli, folder, tmp_path):
    """Arguments are named by their URLs; one may also clash with a line."""
    urls = [f"{folder}/{version}/media/a.wav" for version in ("1.0.0", "1.9.0")]
    run = cli("download", *urls, "-d", tmp_path)
    assert (run.code, run.err.splitlines()[0]) == (2, f"error: {urls[0]} and {urls[1]} both go to {tmp_path}/a.wav")
    run = cli("download", urls[0], "-", "-d", tmp_path, stdin=f"{urls[1]}\n")
    assert f"{urls[0]} and line 1 ({urls[1]}) both go to" in run.err
    assert server.requests == []


def test_tree_keeps_the_path_in_the_repository(cli, folder, tmp_path):
    """--tree is for arguments and lines, for one file and several, and for a folder, which keeps its own path, too."""
    urls = [f"{folder}/{version}/media/a.wav" for version in ("1.0.0", "1.9.0")]
    expected = [f"emodb/db/{version}/media/a.wav" for version in ("1.0.0", "1.9.0")]
    assert cli("download", "-", "--tree", "-d", tmp_path / "lines", stdin="\n".join(urls)).code == 0
    assert cli("download", *urls, "--tree", "-d", tmp_path / "arguments").code == 0
    assert files_below(tmp_path / "lines") == files_below(tmp_path / "arguments") == expected
    assert (tmp_path / "lines" / expected[1]).read_bytes() == b"a.wav of 1.9.0"
    assert cli("download", urls[0], "--tree", "-d", tmp_path / "one").code == 0
    assert files_below(tmp_path / "one") == expected[:1]
    for options in ([], ["--folder"], ["--include", "**/*"]):
        assert cli("download", f"{folder}/1.0.0", "--tree", *options, "-d", tmp_path / "folder").code == 0
        assert files_below(tmp_path / "folder") == [f"emodb/db/1.0.0/media/{name}.wav" for name in "abc"]


def test_tree_of_hostile_names(server, cli, tmp_path):
    """Names are decoded once, as without --tree."""
    for path in ("c# x;y/100%/ü+.bin", "%41/ü+.bin"):
        server.put(f"generic-local/{path}", path.encode())
    urls = [
        f"{server.url}/generic-local/{path}" for path in ("c%23%20x%3By/100%25/%C3%BC%2B.bin", "%2541/%C3%BC%2B.bin")
    ]
    assert cli("download", "-", "--tree", "-d", tmp_path, stdin="\n".join(urls)).code == 0
    assert files_below(tmp_path) == ["%41/ü+.bin", "c# x;y/100%/ü+.bin"]


def test_same_path_in_two_repositories(server, cli, folder, tmp_path):
    """The key of a repository is no part of the tree: only another path helps."""
    server.create_repository("other")
    server.put("other/emodb/db/1.0.0/media/a.wav", b"other")
    urls = [f"{server.url}/{key}/emodb/db/1.0.0/media/a.wav" for key in ("generic-local", "other")]
    run = cli("download", "-", "--tree", "-d", tmp_path, stdin="\n".join(urls))
    assert run.code == 2
    assert "line 1 (" in run.err
    assert "line 2 (" in run.err
    assert "--tree" not in run.err
    assert cli("download", "-", "--tree", "-d", tmp_path, stdin=f"{urls[0]}\n{urls[1]}\tother.wav").code == 0
    assert files_below(tmp_path) == ["emodb/db/1.0.0/media/a.wav", "other.wav"]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_lines_with_a_path(cli, folder, tmp_path, end):
    """What follows after a tab is the path below the destination; one that ends in a slash is a folder."""
    lines = [
        f"\ufeff{folder}/1.0.0/media/a.wav\tone.wav",
        f"{folder}/1.0.0/media/b.wav\tx y/#2/",
        f"{folder}/1.9.0/media/a.wav\t{tmp_path}/new/deep/three.wav",
        f" {folder}/1.9.0/media/b.wav ",
    ]
    run = cli("download", "-", "-d", tmp_path / "new", stdin=end.join(lines))
    assert (run.code, files_below(tmp_path)) == (
        0,
        ["new/b.wav", "new/deep/three.wav", "new/one.wav", "new/x y/#2/b.wav"],
    )
    assert (tmp_path / "new/deep/three.wav").read_bytes() == b"a.wav of 1.9.0"


def test_one_line_with_a_path(server, cli, folder, tmp_path):
    """It is a file, without a request that finds out."""
    run = cli("download", "-", "-d", tmp_path, stdin=f"{folder}/1.0.0/media/a.wav\tx/y\n")
    assert (run.code, files_below(tmp_path), server.count("GET", "api/storage/**")) == (0, ["x/y"], 0)


def test_repeated_line_counts_once(cli, folder, tmp_path):
    """The same URL at the same path is one file, however it is written; at another path it is another file."""
    url = f"{folder}/1.0.0/media/a.wav"
    run = cli("download", "-", "-d", tmp_path, stdin=f"{url}\n{url}\n{url.replace('a.wav', '%61.wav')}\n{url}\tcopy\n")
    assert (run.code, files_below(tmp_path)) == (0, ["a.wav", "copy"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("a.wav", "expected an absolute URL", id="no-url"),
        pytest.param("ftp://user:canary@host/x", "expected an absolute URL", id="other-scheme"),
        pytest.param("http://host", "names no repository", id="no-item"),
        pytest.param("https://user:canary@host/artifactory/r/x", "contains credentials", id="credentials"),
        pytest.param("GOOD?x=1", "starts a query", id="query"),
        pytest.param("GOOD\tx\ty", "more than one tab", id="two-tabs"),
        pytest.param("GOOD\t../x", "not a path below", id="path-above"),
        pytest.param("GOOD\ta/../../x", "not a path below", id="path-above-inside"),
        pytest.param("GOOD\t/somewhere/else", "not a path below", id="path-elsewhere"),
        pytest.param("GOOD\ta//b", "not a path below", id="path-with-empty-name"),
        pytest.param("-", "expected an absolute URL", id="dash"),
    ],
)
def test_error_in_a_list_of_urls_names_its_line(server, cli, folder, tmp_path, line, message):
    """Lines count from the first one of the list, comments and empty lines included; nothing is requested."""
    good = f"{folder}/1.0.0/media/a.wav"
    text = f"# list\n\n{folder}/1.0.0/media/b.wav\n{line.replace('GOOD', good)}\n{good}\n"
    run = cli("download", "-", "-d", tmp_path / "new", stdin=text)
    assert (run.code, run.out, server.requests) == (2, "", [])
    assert run.err.startswith("error: line 4 of the list: ")
    assert message in run.err
    assert "canary" not in run.err
    assert not (tmp_path / "new").exists()


def test_lines_count_after_the_secret(bare, cli, tmp_path):
    """The first line of stdin that is not of the list does not count."""
    run = cli("--user", "admin", "--password-stdin", "download", "-", "-d", tmp_path, stdin=f"{bare.password}\nx\n")
    assert run.err.startswith("error: line 1 of the list: ")
    assert bare.password not in run.err


def test_folder_with_a_path(server, cli, folder):
    """--folder has its destination elsewhere."""
    run = cli("download", "-", "--folder", stdin=f"{folder}\tx\n")
    assert (run.code, server.requests) == (2, [])
    assert "line 1 of the list: a folder takes no path" in run.err


def test_line_that_is_no_text(folder, tmp_path):
    """Bytes that are not UTF-8 are an error of their line, and no traceback."""
    text = f"{folder}/1.0.0/media/a.wav\n".encode() + f"{folder}/".encode() + b"\xe4.wav\n"
    run = subprocess.run(
        [*COMMAND, "download", "-", "-d", tmp_path],
        input=text,
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert run.returncode == 2
    assert run.stderr.startswith(b"error: line 2 of the list: ")
    assert b"UTF-8 cannot express it" in run.stderr


# deploy


@pytest.mark.parametrize(
    ("words", "first", "second"),
    [
        pytest.param(["-"], "line 3 (LOCAL/one/a.bin)", "line 4 (LOCAL/two/a.bin)", id="lines"),
        pytest.param(["LOCAL/two/a.bin", "-"], "LOCAL/two/a.bin", "line 3 (LOCAL/one/a.bin)", id="argument-and-line"),
        pytest.param(["LOCAL/one/a.bin", "LOCAL/two/a.bin"], "LOCAL/one/a.bin", "LOCAL/two/a.bin", id="arguments"),
    ],
)
def test_equal_names_of_local_files(server, cli, folder, local, words, first, second):
    """Both would get one URL: the error names both, and nothing is sent."""
    text = f"{local}/one/b.bin\n\n{local}/one/a.bin\n{local}/two/a.bin\n"
    run = cli("deploy", *(word.replace("LOCAL", str(local)) for word in words), f"{folder}/new", stdin=text)
    assert (run.code, run.out, server.requests) == (2, "", [])
    assert run.err.startswith(f"error: {first} and {second} both go to a.bin\nhint: ".replace("LOCAL", str(local)))


def test_repeated_local_file_counts_once(server, cli, folder, local):
    """However it is written."""
    text = f"{local}/one/a.bin\n{local}/one/./a.bin\n{local}/two/../one/a.bin\n"
    run = cli("deploy", "-", f"{folder}/new", stdin=text)
    assert (run.code, run.out) == (0, f"{folder}/new/a.bin\n")


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        pytest.param("LOCAL/none.bin", 2, "does not exist", id="missing"),
        pytest.param("LOCAL/one/a.bin/below", 2, "does not exist", id="below-a-file"),
        pytest.param("LOCAL/two", 2, "is a folder; a folder is deployed alone", id="folder"),
        pytest.param("LOCAL/\0", 2, "does not exist", id="nul"),
        pytest.param(f"LOCAL/{'x' * 300}", 1, "File name too long", id="long-name"),
    ],
)
def test_error_in_a_list_of_files_names_its_line(server, cli, folder, local, line, code, message):
    """Nothing is sent, not even what the lines before name."""
    text = f"\ufeff{local}/one/a.bin\n\n{line.replace('LOCAL', str(local))}\n"
    run = cli("deploy", "-", f"{folder}/new", stdin=text)
    assert (run.code, run.out, server.requests) == (code, "", [])
    assert run.err.startswith("error: line 3 of the list: ")
    assert message in run.err


@pytest.mark.parametrize("words", [["{}"], ["{}", "--include", "*"], ["{}", "one/a.bin"], ["-"]], ids=str)
def test_local_file_below_a_locked_folder(server, folder, local, words):
    """The disk says why: a file that cannot be looked at is not one that does not exist."""
    locked = local / "two/a.bin"
    locked.parent.chmod(0)
    try:
        run = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, "deploy", *(w.format(locked) for w in words), f"{folder}/new"],
            cwd=local,
            input=f"{local}/one/b.bin\n{locked}\n",
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    finally:
        locked.parent.chmod(0o755)
    prefix = "line 2 of the list: " if words == ["-"] else ""
    assert (run.returncode, run.stdout, server.requests) == (1, "", [])
    assert run.stderr.splitlines() == [
        f"error: {prefix}read {locked}: Permission denied",
        "hint: check the permissions of the file, and of the folders above it",
    ]


@pytest.mark.parametrize("words", [["deploy", "{}", "URL"], ["cleanup", "{}"], ["aql", "URL", "--file", "{}"]], ids=str)
def test_argument_that_cannot_be_looked_at(server, cli, folder, tmp_path, words):
    """So it is with every local path that must exist."""
    path = str(tmp_path / ("x" * 300))
    run = cli(*(word.format(path).replace("URL", folder) for word in words))
    assert (run.code, run.out, server.requests) == (1, "", [])
    assert run.err.startswith(f"error: read {path}: File name too long\n")


@pytest.mark.parametrize("name", [b"\xe4.bin", "ü.bin".encode()], ids=["latin-1", "utf-8"])
def test_list_of_file_names_that_are_bytes(server, folder, local, name):
    """A name that is not UTF-8 is found on the disk; only the server cannot hold it."""
    path = os.fsencode(local / os.fsdecode(name))
    Path(os.fsdecode(path)).write_bytes(b"x")
    run = subprocess.run(
        [*COMMAND, "deploy", "-", f"{folder}/new"],
        input=path + b"\n",
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    if name.startswith(b"\xe4"):
        assert run.returncode == 2
        assert b"UTF-8 cannot express it" in run.stderr
    else:
        assert (run.returncode, run.stdout.strip()) == (0, f"{folder}/new/%C3%BC.bin".encode())


def test_path_that_is_absolute_through_a_link(cli, folder, tmp_path):
    """A destination may be given by a link, and the paths of the list by its real name, or the reverse."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    text = f"{folder}/1.0.0/media/a.wav\t{tmp_path}/real/1\n{folder}/1.0.0/media/b.wav\t{tmp_path}/link/2\n"
    assert cli("download", "-", "-d", tmp_path / "link", stdin=text).code == 0
    assert files_below(tmp_path / "real") == ["1", "2"]
    assert aioartifact.UnsafePathError.__name__ not in cli("download", "-", "-d", tmp_path / "link", stdin=text).err
