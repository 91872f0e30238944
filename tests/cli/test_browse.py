"""Looking around: ls, tree, find, stat, cat."""

import io
import os
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from aioartifact.cli import units
from aioartifact.testing import Fault

pytestmark = pytest.mark.slow

FOLDER = "generic-local/emodb/db"
COMMAND = [sys.executable, "-m", "aioartifact"]
KEYS = ["name", "folder", "url", "repository", "path", "size", "sha256", "sha1", "md5"]
KEYS += ["created", "modified", "created_by", "modified_by", "mime_type"]


# ls


def test_ls_folder_shows_one_level(server, cli, folder):
    """A folder is listed by name, folders with a slash behind."""
    server.put(f"{FOLDER}/readme.txt", b"text")
    server.clear_log()
    assert cli("ls", f"{folder}/") == (0, "1.0.0/\n1.10.0/\n1.9.0/\nreadme.txt\n", "")
    assert len(server.requests) == 1


def test_ls_file_shows_it(cli, folder):
    """A file is listed as itself."""
    assert cli("ls", f"{folder}/1.0.0/media/a.wav") == (0, "a.wav\n", "")


def test_ls_long_shows_sizes_and_dates_in_columns(cli, folder):
    """-l puts date and size before the name, in columns of fixed width."""
    run = cli("ls", "-l", f"{folder}/1.0.0/media")
    assert run.code == 0
    assert sorted(line[20:] for line in run.out.splitlines()) == [f"{14:>14} {name}.wav" for name in "abc"]
    for line in run.out.splitlines():
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", line[:19])


def test_ls_long_with_readable_sizes(server, cli, folder):
    """-h shows sizes in units; what has no size has a dash."""
    server.put(f"{FOLDER}/big.bin", bytes(3 << 10))
    server.make_folder(f"{FOLDER}/empty")
    lines = cli("ls", "-l", "-h", folder).out.splitlines()
    assert {line[20:] for line in lines} >= {f"{'3.0 KiB':>14} big.bin", f"{'-':>14} empty/"}


def test_ls_recursive_shows_paths_below(cli, folder):
    """-R lists all levels, by their paths below the folder."""
    run = cli("ls", "-R", f"{folder}/1.0.0")
    assert sorted(run.out.splitlines()) == ["media/", "media/a.wav", "media/b.wav", "media/c.wav"]


def test_ls_recursive_of_a_repository(server, cli):
    """Below a repository itself, paths are whole."""
    assert "emodb/db/1.0.0/media/a.wav" in cli("ls", "-R", f"{server.url}/generic-local").out.splitlines()


def test_ls_as_json_has_the_same_keys_for_all(server, cli, folder):
    """Files and folders have one set of keys; what was not asked for is null."""
    server.put(f"{FOLDER}/a.txt", b"text")
    objects = cli("ls", folder, "--json").objects
    assert {tuple(each) for each in objects} == {tuple(KEYS)}
    assert [(each["name"], each["folder"]) for each in objects][-2:] == [("1.9.0", True), ("a.txt", False)]
    [file] = [each for each in cli("ls", "-l", folder, "--json").objects if not each["folder"]]
    assert (file["size"], file["url"]) == (4, f"{folder}/a.txt")


def test_ls_shows_what_came_before_a_failure(server, cli, folder):
    """Entries are not collected: a listing that breaks for good has shown its beginning, and is an error."""
    for number in range(200):
        server.put(f"{FOLDER}/many/{number}", b"")
    server.fail("GET", "api/storage/**", times=None, fault=Fault.cut(after=5_000))
    run = cli("ls", f"{folder}/many")
    assert run.code == 1
    assert 0 < len(run.out.splitlines()) < 200
    assert run.err.startswith("error: ")


@pytest.mark.parametrize("verb", [["ls"], ["ls", "-l"], ["tree"], ["find"], ["stat"], ["cat"]], ids=" ".join)
def test_browsing_what_is_not_there(cli, folder, verb):
    """No such item is exit code 4, with nothing on stdout."""
    run = cli(*verb, f"{folder}/none")
    assert (run.code, run.out) == (4, "")
    assert "404 Not Found" in run.err


@pytest.mark.parametrize("verb", [["ls"], ["ls", "-l"], ["tree"], ["find"], ["stat"], ["cat"]], ids=" ".join)
def test_browsing_what_is_refused(bare, cli, verb):
    """Without credentials it is exit code 3."""
    run = cli(*verb, f"{bare.url}/{FOLDER}")
    assert (run.code, run.out) == (3, "")


@pytest.mark.parametrize("verb", ["ls", "tree", "find", "stat", "cat"])
def test_browsing_what_is_no_url(cli, verb):
    """What is no URL is a usage error."""
    run = cli(verb, "not-a-url")
    assert (run.code, run.out) == (2, "")
    assert "not-a-url" in run.err


# tree


def test_tree_is_drawn_sorted(cli, folder):
    """Entries hang below their folders, sorted; how many there are is said on stderr."""
    assert cli("tree", f"{folder}/1.0.0") == (
        0,
        f"{folder}/1.0.0\n└── media\n    ├── a.wav\n    ├── b.wav\n    └── c.wav\n",
        "1 folder, 3 files\n",
    )


def test_tree_of_some_levels(cli, folder):
    """-L bounds its depth."""
    run = cli("-q", "tree", "-L", 2, folder)
    assert run.out.splitlines()[1:3] == ["├── 1.0.0", "│   └── media"]
    assert (".wav" in run.out, run.err) == (False, "")


def test_tree_of_folders(cli, folder):
    """-d leaves out files."""
    assert cli("tree", "-d", folder).err == "6 folders, 0 files\n"


def test_tree_as_json(cli, folder):
    """--json has a path below the folder for each line of the tree, in its order."""
    objects = cli("tree", f"{folder}/1.0.0", "--json").objects
    assert objects[:2] == [{"path": "media", "folder": True}, {"path": "media/a.wav", "folder": False}]


# find


def test_find_prints_urls_for_a_pipe(cli, folder, tmp_path):
    """What is found is a list of URLs, which download takes from stdin."""
    found = cli("find", folder, "1.*/**/a.wav")
    assert sorted(found.out.split()) == sorted(
        f"{folder}/{version}/media/a.wav" for version in ("1.0.0", "1.9.0", "1.10.0")
    )
    one = cli("find", folder, "1.0.0/**", "--exclude", "**/[bc].wav")
    assert cli("download", "-", "-d", tmp_path, stdin=one.out).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_find_without_pattern_finds_all_files(cli, folder):
    """All files below the folder, and no folders."""
    assert len(cli("find", folder).out.splitlines()) == 9


@pytest.mark.parametrize(("kind", "count"), [("file", 9), ("folder", 6), ("any", 15)])
def test_find_by_type(cli, folder, kind, count):
    """--type is files, folders, or both."""
    assert len(cli("find", folder, "--type", kind, "--json").objects) == count


def test_find_by_size_date_and_property(server, cli, folder):
    """Conditions are on size, date and property; all must hold."""
    server.put(f"{FOLDER}/big.bin", bytes(2048), properties={"os": "linux"})
    server.put(f"{FOLDER}/huge.bin", bytes(4096), properties={"os": "mac"})
    url = f"{folder}/big.bin\n"
    assert cli("find", folder, "--min-size", "2K", "--max-size", "3KiB").out == url
    assert cli("find", folder, "--min-size", "2K", "-p", "os=lin*").out == url
    assert cli("find", folder, "--newer-than", "1h", "-p", "os=linux").out == url
    assert cli("find", folder, "--older-than", "1h").out == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["--min-size", "big"], "'big' is not a size", id="size"),
        pytest.param(["--newer-than", "soon"], "'soon' is not a date", id="date"),
        pytest.param(["--type", "link"], "'link' is not one of", id="type"),
        pytest.param(["-p", "os"], "'os' has no '='", id="property"),
        pytest.param(["-p", "a=1", "-p", "a=2"], "'a' is given 2 times", id="property-twice"),
        pytest.param(["a//b"], "a//b", id="pattern"),
    ],
)
def test_find_refuses_what_means_nothing(server, cli, folder, words, message):
    """A condition that cannot be read is a usage error before any request."""
    run = cli("find", folder, *words)
    assert (run.code, run.out, server.requests) == (2, "", [])
    assert message in run.err


# stat


def test_stat_tells_all(server, cli, folder):
    """A line for each thing that is known, its name before a tab."""
    run = cli("stat", f"{folder}/1.0.0/media/a.wav")
    known = dict(line.split("\t") for line in run.out.splitlines())
    assert (known["name"], known["folder"], known["size"]) == ("a.wav", "no", "14")
    assert known["sha256"] == server.checksums(f"{FOLDER}/1.0.0/media/a.wav")["sha256"]


def test_stat_of_several_as_json(cli, folder):
    """Each item is an object with the keys that ls has."""
    file, parent = cli("stat", f"{folder}/1.0.0/media/a.wav", folder, "--json").objects
    assert (list(file), list(parent)) == (KEYS, KEYS)
    assert (file["size"], parent["folder"], parent["size"]) == (14, True, None)
    assert file["modified"].endswith("+00:00")


# cat


def test_cat_writes_bytes_as_they_are(server, cli, folder):
    """Files follow each other, with nothing in between."""
    assert cli("cat", f"{folder}/1.0.0/media/a.wav", f"{folder}/1.9.0/media/b.wav") == (
        0,
        "a.wav of 1.0.0b.wav of 1.9.0",
        "",
    )


def test_cat_of_an_archive_member(server, cli, folder):
    """A file inside an archive has the archive's URL, !/ and its path, quoted like any URL."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("notes/read me.txt", "inside")
    server.put(f"{FOLDER}/notes.zip", packed.getvalue())
    assert cli("cat", f"{folder}/notes.zip!/notes/read%20me.txt") == (0, "inside", "")
    assert cli("cat", f"{folder}/notes.zip!/none").code == 4


def test_cat_of_a_folder(cli, folder):
    """A folder has no bytes."""
    run = cli("cat", folder)
    assert (run.code, run.out) == (1, "")


def test_cat_of_wrong_bytes_fails(server, cli, folder):
    """Bytes that are not what the server promised end in an error."""
    server.fail("GET", f"{FOLDER}/1.0.0/media/a.wav", times=None, fault=Fault.flip(at=3))
    run = cli("cat", f"{folder}/1.0.0/media/a.wav")
    assert run.code == 1
    assert run.err.startswith("error: ")


@pytest.mark.parametrize("words", [["cat", "{}/big.bin"], ["ls", "-R", "{}"], ["find", "{}"]], ids=lambda it: it[0])
def test_reader_that_leaves_early(server, folder, words):
    """A pipe that closes in the middle, as before head, ends the command quietly."""
    server.put_synthetic(f"{FOLDER}/big.bin", 4 << 20)
    for number in range(500):  # more lines than a pipe of 64 KiB holds
        server.put(f"{FOLDER}/{'x' * 200}{number}", b"")
    reading, writing = os.pipe()
    command = [*COMMAND, *(word.format(folder) for word in words)]
    with subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE, text=True) as process:
        os.close(writing)
        os.read(reading, 10)
        os.close(reading)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, "")


# words


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("1500", 1500), ("64K", 65536), ("1.5MiB", 3 << 19), ("2 gb", 2 << 30)]
)
def test_size_is_read(text, size):
    """Sizes are bytes, or have a unit of 1024."""
    assert units.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "K", "-1", "1X", "1.2.3"])
def test_size_is_refused(text):
    """What is no size is named."""
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        units.parse_size(text)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1.5h", 5400), ("7d", 604800), ("2w", 1209600)])
def test_duration_is_read(text, seconds):
    """A time span has a unit."""
    assert units.parse_duration(text) == seconds


def test_moment_is_read():
    """A date with time zone is that moment, one without is local, a span is before now."""
    assert units.parse_moment("2026-01-31T12:00Z") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert units.parse_moment("2026-01-31") == datetime(2026, 1, 31).astimezone()
    assert units.parse_moment("1d") <= datetime.now(UTC) - timedelta(days=1)
