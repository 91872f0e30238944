"""Changing what is there: props, cp, mv, rm, mkdir."""

import os
import pty
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

FOLDER = "generic-local/emodb/db"
FILE = f"{FOLDER}/1.0.0/media/a.wav"
COMMAND = [sys.executable, "-m", "aioartifact"]


@pytest.fixture
def file(server):
    """URL of a file with properties."""
    server.put(FILE, b"content", properties={"os": ["linux", "mac"], "note": "a=b"})
    return f"{server.url}/{FILE}"


# props


def test_props_get_shows_all(cli, file):
    """A line for each value, sorted by name; with --json an object for each property."""
    run = cli("props", "get", file)
    assert (run.code, sorted(run.out.splitlines()), run.err) == (0, ["note=a=b", "os=linux", "os=mac"], "")
    note, system = cli("props", "get", file, "--json").objects
    assert note == {"name": "note", "values": ["a=b"]}
    assert sorted(system["values"]) == ["linux", "mac"]


def test_props_get_by_name(cli, file):
    """Named ones are shown; one that is not there is exit code 4."""
    assert cli("props", "get", file, "note") == (0, "note=a=b\n", "")
    run = cli("props", "get", file, "note", "none")
    assert (run.code, run.out) == (4, "note=a=b\n")
    assert "has no property none" in run.err


def test_props_set_replaces_all(server, cli, file):
    """What is set are the only properties; nothing deletes all."""
    assert cli("props", "set", file, "a=1", "a=2") == (0, "", "")
    assert server.properties(FILE) == {"a": ["1", "2"]}
    assert cli("props", "set", file).code == 0
    assert server.properties(FILE) == {}


def test_props_update_leaves_the_others(server, cli, file):
    """Those that are not named stay."""
    run = cli("props", "update", file, "os=beos", "--json")
    assert run.objects == [{"url": file, "changes": {"os": ["beos"]}, "recursive": False}]
    assert server.properties(FILE) == {"os": ["beos"], "note": ["a=b"]}


def test_props_delete(server, cli, file):
    """Named ones go."""
    run = cli("props", "delete", file, "os", "none", "--json")
    assert run.objects == [{"url": file, "changes": {"os": None, "none": None}, "recursive": False}]
    assert server.properties(FILE) == {"note": ["a=b"]}


def test_props_recursive(server, cli, folder):
    """-r reaches everything below a folder."""
    assert cli("props", "update", "-r", f"{folder}/1.0.0", "checked=yes").code == 0
    assert server.properties(FILE) == {"checked": ["yes"]}


# cp, mv


def test_cp_keeps_the_source(server, cli, file, folder):
    """A copy is made under the URL given, which is printed."""
    assert cli("cp", file, f"{folder}/copy.wav") == (0, f"{folder}/copy.wav\n", "")
    assert server.read(f"{FOLDER}/copy.wav") == server.read(FILE) == b"content"


def test_mv_into_a_folder(server, cli, file, folder):
    """A slash at the end of the target keeps the name; the source is gone."""
    run = cli("mv", file, f"{folder}/new/", "--json")
    [done] = run.objects
    assert list(done) == ["source", "url", "dry_run", "messages"]
    assert (done["source"], done["url"], done["dry_run"]) == (file, f"{folder}/new/a.wav", False)
    assert (server.exists(FILE), server.exists(f"{FOLDER}/new/a.wav")) == (False, True)


@pytest.mark.parametrize("verb", ["cp", "mv"])
def test_relocation_dry_run_changes_nothing(server, cli, file, folder, verb):
    """The server is asked whether it could; its words are on stderr."""
    run = cli(verb, "--dry-run", file, f"{folder}/other.wav")
    assert (run.code, run.out) == (0, f"{folder}/other.wav\n")
    assert run.err
    assert (server.exists(FILE), server.exists(f"{FOLDER}/other.wav")) == (True, False)


@pytest.mark.parametrize("verb", ["cp", "mv"])
def test_relocation_replaces_nothing_with_no_clobber(server, cli, file, folder, verb):
    """-n fails where something is."""
    run = cli(verb, "-n", file, f"{folder}/1.0.0/media/b.wav")
    assert (run.code, run.out) == (1, "")
    assert server.read(f"{FOLDER}/1.0.0/media/b.wav") == b"b.wav of 1.0.0"


def test_mv_guards_a_whole_repository(server, cli):
    """A repository is not emptied by accident."""
    server.create_repository("other-local")
    words = ("mv", f"{server.url}/generic-local", f"{server.url}/other-local/all")
    assert (cli(*words).code, server.exists(FILE)) == (2, True)
    assert (cli(*words, "--whole-repository").code, server.exists(FILE)) == (0, False)


@pytest.mark.parametrize("verb", ["cp", "mv"])
def test_several_sources_go_into_a_folder(server, cli, folder, verb):
    """Each keeps its name; with --json an object for each, those that failed with their error."""
    sources = [f"{folder}/1.0.0/media/{name}.wav" for name in "abc"]
    run = cli(verb, *sources, f"{folder}/new/")
    assert (run.code, run.err) == (0, "")
    assert sorted(run.out.splitlines()) == [f"{folder}/new/{name}.wav" for name in "abc"]
    assert [server.exists(f"{FOLDER}/1.0.0/media/{name}.wav") for name in "abc"] == [verb == "cp"] * 3
    assert server.read(f"{FOLDER}/new/b.wav") == b"b.wav of 1.0.0"


@pytest.mark.parametrize("verb", ["cp", "mv"])
def test_one_of_several_sources_fails(server, cli, folder, verb):
    """The others are done; the exit code is 1."""
    sources = [f"{folder}/1.9.0/media/{name}.wav" for name in ("a", "missing", "c")]
    run = cli(verb, *sources, f"{folder}/new/", "--json")
    assert (run.code, run.err.count("error: ")) == (1, 1)
    done = {each["source"]: each for each in run.objects}
    assert list(run.objects[0]) == ["source", "url", "dry_run", "status", "error"]
    assert [done[source]["status"] for source in sources] == [
        {"cp": "copied", "mv": "moved"}[verb],
        "failed",
        {"cp": "copied", "mv": "moved"}[verb],
    ]
    assert done[sources[1]]["error"]["type"] == "NotFoundError"
    assert server.exists(f"{FOLDER}/new/c.wav")


@pytest.mark.parametrize("verb", ["cp", "mv"])
def test_several_sources_need_a_folder(server, cli, folder, verb):
    """They cannot all get one URL; nothing is done."""
    run = cli(verb, f"{folder}/1.0.0", f"{folder}/1.9.0", f"{folder}/new")
    assert (run.code, run.out) == (2, "")
    assert "end it with a slash" in run.err
    assert not server.exists(f"{FOLDER}/new")


def test_several_sources_dry_run(server, cli, folder):
    """--dry-run and --no-clobber mean the same for each."""
    sources = [f"{folder}/1.0.0/media/{name}.wav" for name in "ab"]
    run = cli("mv", "--dry-run", "--json", *sources, f"{folder}/new/")
    assert {(each["status"], each["dry_run"]) for each in run.objects} == {("planned", True)}
    assert not server.exists(f"{FOLDER}/new/a.wav")
    server.put(f"{FOLDER}/new/a.wav", b"old")
    assert cli("cp", "-n", *sources, f"{folder}/new/").code == 1
    assert (server.read(f"{FOLDER}/new/a.wav"), server.exists(f"{FOLDER}/new/b.wav")) == (b"old", True)


# mkdir


def test_mkdir_makes_one_level(server, cli, folder):
    """Without -p the folder above must exist, and the folder must not."""
    assert cli("mkdir", f"{folder}/new", "--json").objects == [{"url": f"{folder}/new"}]
    assert server.exists(f"{FOLDER}/new")
    assert cli("mkdir", f"{folder}/new").code == 1
    assert cli("mkdir", f"{folder}/a/b/c").code == 4


def test_mkdir_parents(server, cli, folder):
    """-p makes what is missing above, and minds no folder that exists."""
    assert cli("mkdir", "-p", f"{folder}/a/b/c", folder) == (0, "", "")
    assert server.exists(f"{FOLDER}/a/b/c")


# rm


def test_rm_deletes_files(server, cli, folder):
    """Several files go with one call, without a word."""
    assert cli("rm", f"{folder}/1.0.0/media/a.wav", f"{folder}/1.0.0/media/b.wav") == (0, "", "")
    assert (server.exists(FILE), server.exists(f"{FOLDER}/1.0.0/media/c.wav")) == (False, True)


def test_rm_guards_folders(server, cli, folder):
    """A folder needs -r; a file named before it is not deleted either."""
    run = cli("rm", f"{folder}/1.0.0/media/a.wav", f"{folder}/1.9.0")
    assert (run.code, run.out) == (2, "")
    assert "is a folder; --recursive" in run.err
    assert server.exists(FILE)
    run = cli("rm", "-r", f"{folder}/1.9.0", "--json")
    assert run.objects == [{"url": f"{folder}/1.9.0", "dry_run": False, "files": None, "size": None}]
    assert not server.exists(f"{FOLDER}/1.9.0")


def test_rm_guards_a_whole_repository(server, cli):
    """-r is not enough for a repository."""
    url = f"{server.url}/generic-local"
    assert (cli("rm", "-r", url).code, server.exists(FILE)) == (2, True)
    assert (cli("rm", "-r", "--whole-repository", url).code, server.exists(FILE)) == (0, False)


def test_rm_dry_run_tells_what_would_go(server, cli, folder):
    """The URLs of the files are printed, and all is left."""
    run = cli("rm", "-r", "--dry-run", f"{folder}/1.0.0")
    assert sorted(run.out.split()) == [f"{folder}/1.0.0/media/{name}.wav" for name in "abc"]
    [planned] = cli("rm", "-r", "--dry-run", f"{folder}/1.0.0", "--json").objects
    assert (planned["dry_run"], len(planned["files"]), planned["size"]) == (True, 3, 42)
    assert server.exists(FILE)


def test_rm_missing_ok(cli, folder):
    """What is not there is no error if that is said."""
    assert cli("rm", "--missing-ok", f"{folder}/none") == (0, "", "")
    assert cli("rm", f"{folder}/none").code == 4


@pytest.mark.parametrize(("answer", "words", "is_left"), [("n", [], True), ("y", [], False), ("", ["--yes"], False)])
def test_rm_asks_on_a_terminal(server, folder, answer, words, is_left):
    """On a terminal it says how much would go, and asks; --yes does not."""
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    command = [*COMMAND, "rm", "-r", *words, f"{folder}/1.0.0"]
    run = subprocess.run(command, stdin=theirs, capture_output=True, text=True, timeout=60, check=False)
    os.close(ours)
    os.close(theirs)
    assert (run.returncode, server.exists(FILE)) == (0, is_left)
    assert (f"Delete {folder}/1.0.0: 3 files, 42 B?" in run.stderr) is not bool(words)


# all of them


CALLS = [
    pytest.param(["props", "get", "URL"], id="props-get"),
    pytest.param(["props", "set", "URL", "a=1"], id="props-set"),
    pytest.param(["props", "update", "URL", "a=1"], id="props-update"),
    pytest.param(["props", "delete", "URL", "a"], id="props-delete"),
    pytest.param(["cp", "URL", "ORIGIN/generic-local/target"], id="cp"),
    pytest.param(["mv", "URL", "ORIGIN/generic-local/target"], id="mv"),
    pytest.param(["rm", "URL"], id="rm"),
    pytest.param(["rm", "-r", "URL"], id="rm-recursive"),
    pytest.param(["mkdir", "URL/below"], id="mkdir"),
]


def filled(words, server, url):
    return [word.replace("URL", url).replace("ORIGIN", server.url) for word in words]


@pytest.mark.parametrize("words", CALLS)
def test_change_of_what_is_not_there(server, cli, words):
    """No such item is exit code 4."""
    run = cli(*filled(words, server, f"{server.url}/generic-local/none"))
    assert (run.code, run.out) == (4, "")


@pytest.mark.parametrize("words", CALLS)
def test_change_that_is_refused(bare, cli, words):
    """Without credentials it is exit code 3, and nothing has changed."""
    run = cli(*filled(words, bare, f"{bare.url}/{FILE}"))
    assert (run.code, run.out) == (3, "")
    assert bare.exists(FILE)


@pytest.mark.parametrize("words", CALLS)
def test_change_of_what_is_no_url(server, cli, words):
    """What is no URL is a usage error before any request."""
    run = cli(*filled(words, server, "not-a-url"))
    assert (run.code, run.out, server.requests) == (2, "", [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["set", "URL", "key"], "'key' has no '='", id="no-value"),
        pytest.param(["update", "URL"], "Missing argument 'KEY=VALUE...'", id="no-change"),
        pytest.param(["update", "URL", "1a=b"], "1a", id="bad-name"),
        pytest.param(["delete", "URL"], "Missing argument 'NAME...'", id="no-name"),
        pytest.param(["change", "URL"], "No such command 'change'", id="unknown"),
    ],
)
def test_props_refuses_what_means_nothing(server, cli, folder, words, message):
    """A malformed change is a usage error before any request."""
    run = cli("props", *filled(words, server, folder))
    assert (run.code, run.out, server.requests) == (2, "", [])
    assert message in run.err
