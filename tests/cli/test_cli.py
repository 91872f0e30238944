"""The command line as its users meet it: words in; stdout, stderr and an exit code out."""

import itertools
import json
import logging
import os
import pty
import re
import signal
import ssl
import subprocess
import sys
import threading
import urllib.request

import click
import pytest
import trustme

import aioartifact
from aioartifact.cli import display, errors, units
from aioartifact.cli.program import program
from aioartifact.testing import Fault, ThreadedArtifactoryServer

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "aioartifact"]
FOLDER = "generic-local/emodb/db"
SECONDS = 60  # for what only hangs if it is broken


def url_of(server, path):
    return f"{server.url}/{FOLDER}/{path}"


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def environment(**variables):
    return {**os.environ, "PYTHONUNBUFFERED": "1", **variables}


# versions


@pytest.mark.parametrize("method", ["auto", "folder", "aql"])
def test_versions_are_lines_oldest_first(server, cli, method):
    """Versions are printed one per line in their order, and nothing else is said."""
    run = cli("versions", server.url, "generic-local", "emodb", "db", "--method", method)
    assert run == (0, "1.0.0\n1.9.0\n1.10.0\n", "")


def test_versions_as_json(server, cli):
    """With --json each line is an object."""
    run = cli("versions", server.url, "generic-local", "emodb", "db", "--json")
    assert run.objects == [{"version": "1.0.0"}, {"version": "1.9.0"}, {"version": "1.10.0"}]


def test_versions_latest_is_one_line(server, cli):
    """--latest prints the newest alone."""
    assert cli("versions", server.url, "generic-local", "emodb", "db", "--latest") == (0, "1.10.0\n", "")


def test_versions_of_nothing(server, cli):
    """An unknown artifact has no versions, which is no error; its latest version is not found."""
    words = ("versions", server.url, "generic-local", "emodb", "unknown")
    assert cli(*words) == (0, "", "")
    run = cli(*words, "--latest")
    assert (run.code, run.out) == (4, "")
    assert run.err.startswith("error: ")


def test_versions_refused_is_an_error(bare, cli):
    """Refused access is never shown as an empty list."""
    run = cli("versions", bare.url, "generic-local", "emodb", "db")
    assert (run.code, run.out) == (3, "")


# download


def test_download_file_prints_its_path(server, cli, tmp_path):
    """One file: its path on stdout, the summary on stderr."""
    run = cli("download", url_of(server, "1.0.0/media/a.wav"), "-d", tmp_path / "new")
    assert (run.code, run.out) == (0, f"{tmp_path / 'new' / 'a.wav'}\n")
    assert run.err.startswith("1 file downloaded: 14 B in ")
    assert (tmp_path / "new/a.wav").read_bytes() == b"a.wav of 1.0.0"


def test_download_folder_keeps_its_tree(server, cli, tmp_path):
    """A URL of a folder fetches all below it, and a second time nothing."""
    words = ("download", url_of(server, "1.0.0"), "-d", tmp_path)
    assert sorted(cli(*words).out.split()) == [str(tmp_path / "media" / name) for name in ("a.wav", "b.wav", "c.wav")]
    server.clear_log()
    assert cli(*words).err.startswith("0 files downloaded, 3 unchanged: 0 B in ")
    assert server.count("GET", "generic-local/**") == 0


def test_download_folder_option_saves_a_request(server, cli, tmp_path):
    """--folder does not ask what the URL names."""
    run = cli("download", "--folder", url_of(server, "1.0.0"), "-d", tmp_path)
    assert run.code == 0
    assert len(files_below(tmp_path)) == 3
    assert server.count("GET", "api/storage/**") == 1  # the listing


def test_download_several_urls_from_stdin(server, cli, tmp_path):
    """A dash stands for the URLs on stdin, one per line; blank lines do not count."""
    stdin = f"{url_of(server, '1.0.0/media/b.wav')}\n\n  {url_of(server, '1.0.0/media/c.wav')}\n"
    run = cli("download", url_of(server, "1.0.0/media/a.wav"), "-", "-d", tmp_path, stdin=stdin)
    assert run.code == 0
    assert files_below(tmp_path) == ["a.wav", "b.wav", "c.wav"]


def test_download_of_no_url_does_nothing(cli):
    """An empty list on stdin is no error."""
    assert cli("download", "-") == (0, "", "")


def test_download_as_json_reports_each_file(server, cli, tmp_path):
    """With --json each outcome is an object, failures included."""
    urls = [url_of(server, "1.0.0/media/a.wav"), url_of(server, "1.0.0/media/none.wav")]
    run = cli("download", *urls, "-d", tmp_path, "--json")
    done, failed = sorted(run.objects, key=lambda each: each["url"])
    assert run.code == 1
    assert (done["status"], done["size"], done["error"]) == ("downloaded", 14, None)
    assert done["sha256"] == server.checksums(f"{FOLDER}/1.0.0/media/a.wav")["sha256"]
    assert (failed["status"], failed["error"]["type"]) == ("failed", "NotFoundError")


@pytest.mark.parametrize(("on_error", "code"), [("raise", 1), ("stop", 1), ("collect", 0)])
def test_download_partial_failure(server, cli, tmp_path, on_error, code):
    """A failure is said on stderr; it is the exit code too, unless failures are only collected."""
    urls = [url_of(server, "1.0.0/media/a.wav"), url_of(server, "1.0.0/media/none.wav")]
    run = cli("download", *urls, "-d", tmp_path, "--on-error", on_error, "--max-concurrency", 1)
    assert run.code == code
    assert "1 failed" in run.err
    assert "none.wav: 404 Not Found" in run.err
    assert files_below(tmp_path) == ["a.wav"]


def test_download_many_failures_are_counted_not_listed(server, cli, tmp_path):
    """A flood of failures ends in a number."""
    run = cli("download", *(url_of(server, f"{number}.bin") for number in range(12)), "-d", tmp_path)
    lines = run.err.splitlines()
    assert sum(line.startswith("error: GET") for line in lines) == 10
    assert lines[-1] == "error: 2 more failed; --json lists every file"


@pytest.mark.parametrize(
    ("overwrite", "content"),
    [("changed", b"a.wav of 1.0.0"), ("always", b"a.wav of 1.0.0"), ("never", b"mine")],
)
def test_download_overwrites_as_told(server, cli, tmp_path, overwrite, content):
    """--overwrite decides about a local file with other content."""
    (tmp_path / "a.wav").write_bytes(b"mine")
    run = cli("download", url_of(server, "1.0.0/media/a.wav"), "-d", tmp_path, "--overwrite", overwrite)
    assert run.code == 0
    assert (tmp_path / "a.wav").read_bytes() == content


def test_download_of_what_is_not_described_yet(server, cli, tmp_path):
    """A file of a remote repository can be fetched before the server can describe it."""
    server.fail("GET", "api/storage/**", fault=Fault.status(404))
    assert cli("download", url_of(server, "1.0.0/media/a.wav"), "-d", tmp_path).code == 0
    assert files_below(tmp_path) == ["a.wav"]


# deploy


def test_deploy_prints_the_url(server, cli, tmp_path):
    """The file is stored, with its properties, and its URL printed."""
    source = tmp_path / "tool.bin"
    source.write_bytes(b"content")
    url = f"{server.url}/generic-local/tool/1.0.0/tool.bin"
    run = cli("deploy", source, url, "-p", "os=linux", "-p", "os=mac", "-p", "note=a=b")
    assert (run.code, run.out) == (0, f"{url}\n")
    assert server.read("generic-local/tool/1.0.0/tool.bin") == b"content"
    assert server.properties("generic-local/tool/1.0.0/tool.bin") == {"os": ["linux", "mac"], "note": ["a=b"]}


def test_deploy_below_a_folder_keeps_the_name(server, cli, tmp_path):
    """A URL with a slash at its end gets the file's own name, quoted."""
    source = tmp_path / "50% off#1.bin"
    source.write_bytes(b"content")
    run = cli("deploy", source, f"{server.url}/generic-local/new/", "--json")
    [done] = run.objects
    assert (done["path"], done["url"]) == (str(source), f"{server.url}/generic-local/new/50%25%20off%231.bin")
    assert (done["status"], done["size"], done["error"]) == ("deployed", 7, None)
    assert server.read("generic-local/new/50% off#1.bin") == b"content"


# exit codes


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        pytest.param(["ls", "not-a-url"], 2, "not-a-url", id="invalid-url"),
        pytest.param(["ls"], 2, "Missing argument 'URL'", id="missing-argument"),
        pytest.param(["ls", "URL", "--wide"], 2, "No such option", id="unknown-option"),
        pytest.param(["list"], 2, "No such command 'list'", id="unknown-verb"),
        pytest.param(
            ["download", "--folder", "URL/a", "URL/b"],
            2,
            "a folder must be the only URL; got 2",
            id="two-folders",
        ),
        pytest.param(["deploy", "no-such-file", "URL/a"], 2, "'no-such-file' does not exist", id="no-local-file"),
        pytest.param(["deploy", "FILE", "URL/a", "-p", "key"], 2, "'key' has no '='", id="malformed-property"),
        pytest.param(["deploy", "FILE", "ORIGIN/generic-local"], 2, "is a repository", id="deploy-to-a-repository"),
        pytest.param(["--user", "me", "ls", "URL"], 2, "need each other", id="user-without-password"),
        pytest.param(["--password-stdin", "ls", "URL"], 2, "need each other", id="password-without-user"),
        pytest.param(["--token-stdin", "--user", "me", "ls", "URL"], 2, "excludes --user", id="token-with-user"),
        pytest.param(["--ca", "FILE", "--no-verify", "ls", "URL"], 2, "exclude each other", id="ca-and-no-verify"),
        pytest.param(["--key", "FILE", "ls", "URL"], 2, "--key needs --cert", id="client-key-without-certificate"),
        pytest.param(["--proxy", "http://a:b@host", "ls", "URL"], 2, "set HTTPS_PROXY", id="proxy-with-login"),
        pytest.param(["--timeout", "0", "ls", "URL"], 2, "--timeout", id="no-time"),
        pytest.param(["--stall", "none", "ls", "URL"], 2, "--stall", id="no-number"),
        pytest.param(["--retries", "-1", "ls", "URL"], 2, "--retries", id="negative-retries"),
        pytest.param(["--user-agent", "a\nb", "ls", "URL"], 2, "user_agent", id="line-break-in-user-agent"),
        pytest.param(["serve", "--tls-key", "FILE"], 2, "needs --tls-cert", id="key-without-certificate"),
        pytest.param(["serve", "--user", "name"], 2, "--user needs NAME:PASSWORD", id="user-without-password"),
        pytest.param(["serve", "--port", "0", "--seed", "none"], 2, "none is not a folder", id="no-seed"),
        pytest.param(["serve", "--port", "0", "--repository", "a/b"], 2, "Invalid repository key", id="bad-key"),
        pytest.param(["serve", "--port", "0", "--user", "admin:x"], 2, "'admin' exists already", id="user-admin"),
        pytest.param(["serve", "--latency", "-1"], 2, "--latency", id="negative-latency"),
        pytest.param(["serve", "--host", "0.0.0.0"], 2, "needs a password of its own", id="well-known-password"),
        pytest.param(["--token-stdin", "ls", "URL"], 3, "the token is empty", id="no-token-on-stdin"),
        pytest.param(["ls", "URL/none"], 4, "404 Not Found", id="not-found"),
        pytest.param(["download", "URL/none"], 4, "404 Not Found", id="no-such-file"),
        pytest.param(["deploy", "FILE", "ORIGIN/nowhere/a"], 4, "404 Not Found", id="no-such-repository"),
        pytest.param(["download", "--folder", "URL/1.0.0/media/a.wav"], 1, "a.wav", id="file-as-folder"),
    ],
)
def test_exit_code_and_message(server, cli, tmp_path, words, code, message):
    """Each kind of failure has its exit code, one line that says error, and nothing on stdout."""
    file = tmp_path / "file"
    file.write_text("content")
    known = {"URL": f"{server.url}/{FOLDER}", "FILE": str(file), "ORIGIN": server.url}
    for name, value in known.items():
        words = [word.replace(name, value) for word in words]
    run = cli(*words)
    assert (run.code, run.out) == (code, "")
    [line] = [line for line in run.err.splitlines() if line.startswith("error: ")]
    assert message in line


@pytest.mark.parametrize(("status", "code"), [(400, 1), (401, 3), (403, 3), (404, 4), (409, 1)])
def test_exit_code_of_what_the_server_says(server, cli, status, code):
    """The status decides, and the server's own words are shown."""
    server.fail("GET", "api/storage/**", fault=Fault.status(status, message="said so"))
    run = cli("ls", url_of(server, "1.0.0"))
    assert (run.code, run.out) == (code, "")
    assert "said so" in run.err


def test_hint_stands_on_its_own_line(bare, cli):
    """What to try is a line of its own, and not part of the message."""
    error, hint = cli("ls", url_of(bare, "1.0.0")).err.splitlines()
    assert error.startswith("error: GET ")
    assert hint.startswith("hint: ")
    assert hint.removeprefix("hint: ") not in error


def test_words_of_a_server_cannot_steer_the_terminal(server, cli):
    """An error repeats what the server said, without the characters that a terminal obeys."""
    server.fail("GET", "api/storage/**", fault=Fault.status(403, message="\x1b[2J\x1b]0;title\x07no\x9bm"))
    run = cli("stat", url_of(server, "1.0.0"))
    assert "�[2J�]0;title�no�m" in run.err
    assert all(character.isprintable() for line in run.err.split("\n") for character in line)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_name_that_stdout_cannot_encode(server, encoding):
    """It is written with escapes; the other lines are there, too."""
    for name in ("\u65e5\u672c.txt", "z.txt"):
        server.put(f"generic-local/u/{name}", b"x")
    command = [*COMMAND, "ls", f"{server.url}/generic-local/u"]
    run = subprocess.run(
        command, env=environment(PYTHONIOENCODING=encoding), capture_output=True, timeout=SECONDS, check=False
    )
    assert (run.returncode, run.stderr) == (0, b"")
    assert b"z.txt" in run.stdout
    assert rb"\u65e5\u672c.txt" in run.stdout


def test_usage_error_points_to_the_help_of_its_verb(cli):
    """The hint is the command that explains."""
    assert cli("ls", "--wide").err.splitlines()[-1] == "hint: aioartifact ls --help"


def test_option_behind_the_verb_is_sent_before_it(cli):
    """For an option of the program after a command, the error names the right position."""
    hint = "hint: --quiet must come before the command: aioartifact [OPTIONS] ls"
    assert cli("ls", "--quiet", "URL").err.splitlines()[-1] == hint


def test_without_a_verb_the_help_is_shown(cli):
    """No verb is a usage error, answered with the help."""
    run = cli()
    assert (run.code, run.out) == (2, "")
    assert "Usage: aioartifact" in run.err


def test_version_is_that_of_the_package(cli):
    """--version prints name and version."""
    assert cli("--version") == (0, f"aioartifact {aioartifact.__version__}\n", "")


@pytest.mark.parametrize("verb", [[], *([verb] for verb in program.list_commands(click.Context(program)))])
def test_help_costs_no_heavy_import(verb):
    """Help and completion wait neither for aiohttp nor for rich."""
    code = (
        "import sys; from aioartifact.cli import main; code = main(sys.argv[1:]); "
        "sys.exit(code or ', '.join({'aiohttp', 'anyio', 'rich'} & {*sys.modules}) or None)"
    )
    run = subprocess.run([sys.executable, "-c", code, *verb, "--help"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("Usage: aioartifact")


def test_errors_of_parallel_work_are_shown_one_by_one(capsys):
    """A group from tasks side by side is no traceback, however deep."""
    lost = aioartifact.ConnectionLostError("GET a: connection lost")

    def work():
        raise ExceptionGroup("tasks", [OSError("disk"), ExceptionGroup("more", [lost])])

    assert errors.guarded(work) == 1
    assert capsys.readouterr() == ("", "error: disk\nerror: GET a: connection lost\n")


def test_mistakes_of_ours_keep_their_traceback():
    """What is no failure of server, disk or network is not hidden behind a line."""

    def work():
        raise ExceptionGroup("tasks", [TypeError("a bug")])

    with pytest.raises(ExceptionGroup, match="tasks"):
        errors.guarded(work)


# credentials and trust


@pytest.mark.parametrize("words", [["--user", "admin", "--password-stdin"], ["--token-stdin"]])
def test_secret_from_stdin_is_used_and_not_shown(bare, cli, words):
    """The first line of stdin is the secret; it appears nowhere."""
    secret = bare.token if words == ["--token-stdin"] else bare.password
    run = cli(*words, "ls", url_of(bare, "1.0.0"), stdin=f"{secret}\nmore\n")
    assert run == (0, "media/\n", "")
    refused = cli(*words, "ls", url_of(bare, "1.0.0"), stdin="canary-of-a-secret\n")
    assert refused.code == 3
    assert "canary" not in refused.err


def test_secret_and_urls_share_stdin(bare, cli, tmp_path):
    """The URLs follow on the lines after the secret."""
    stdin = f"{bare.password}\n{url_of(bare, '1.0.0/media/a.wav')}\n"
    run = cli("--user", "admin", "--password-stdin", "download", "-", "-d", tmp_path, stdin=stdin)
    assert run.code == 0
    assert files_below(tmp_path) == ["a.wav"]


def test_given_credentials_go_to_one_server(bare, cli, tmp_path):
    """A password given for the first URL is not sent to the server of another."""
    with ThreadedArtifactoryServer() as other:
        other.put("generic-local/other.bin", b"content")
        urls = [url_of(bare, "1.0.0/media/a.wav"), f"{other.url}/generic-local/other.bin"]
        words = ("--user", "admin", "--password-stdin", "download", *urls, "-d", tmp_path)
        run = cli(*words, stdin=f"{bare.password}\n")
        assert run.code == 1
        assert files_below(tmp_path) == ["a.wav"]
        assert [record.had_credentials for record in other.requests] == [False]


def test_server_option_names_another_context_path(cli):
    """--server says where the address of the server ends."""
    with ThreadedArtifactoryServer(context_path="/tools/repo") as server:
        server.put("generic-local/a.bin", b"content")
        words = ("--user", "admin", "--password-stdin", "--server", server.url, "ls", f"{server.url}/generic-local")
        assert cli(*words, stdin="password\n") == (0, "a.bin\n", "")


@pytest.fixture
def tls(tmp_path):
    """A certificate authority in a file, and a server that it vouches for."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ThreadedArtifactoryServer(ssl_context=context) as server:
        server.put("generic-local/a.bin", b"content")
        yield server, tmp_path / "ca.pem"


def test_ca_option_is_trusted(tls, cli):
    """--ca vouches for a server that the system does not know."""
    server, ca = tls
    words = ("--user", "admin", "--password-stdin", "--ca", ca, "ls", f"{server.url}/generic-local")
    assert cli(*words, stdin="password\n") == (0, "a.bin\n", "")


@pytest.mark.parametrize("in_one_file", [True, False])
def test_client_certificate(cli, tmp_path, in_one_file):
    """--cert, with --key unless both are in one file, for a server that requires one."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    client = authority.issue_cert("client")
    client.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    client.private_key_pem.write_to_path(tmp_path / "key.pem")
    for number, part in enumerate(client.cert_chain_pems):
        part.write_to_path(tmp_path / "cert.pem", append=number > 0)
    both = ("--cert", tmp_path / "both.pem")
    words = both if in_one_file else ("--cert", tmp_path / "cert.pem", "--key", tmp_path / "key.pem")
    with ThreadedArtifactoryServer(ssl_context=context) as server:
        server.put("generic-local/a.bin", b"content")
        url = f"{server.url}/generic-local"
        login = ("--user", "admin", "--password-stdin", "--ca", tmp_path / "ca.pem")
        assert cli(*login, *words, "ls", url, stdin="password\n") == (0, "a.bin\n", "")
        assert cli(*login, "--retries", 0, "ls", url, stdin="password\n").code == 1


def test_proxy_option(cli, server):
    """All requests go to the proxy; here it is the server itself, which does not know the path of a proxy request."""
    origin = server.url.removesuffix("/artifactory")
    assert cli("--proxy", origin, "--retries", 0, "ls", "http://host.invalid/artifactory/generic-local").code in (1, 4)
    assert server.requests


@pytest.mark.parametrize(("retries", "count"), [(0, 1), (1, 2)])
def test_retries_option(cli, server, retries, count):
    """So many more attempts."""
    server.fail("GET", "**", times=None, fault=Fault.retry_after(503, "0"))
    assert cli("--retries", retries, "info", server.url).code == 1
    assert len(server.requests) == count


@pytest.mark.parametrize(
    ("option", "words", "fault"),
    [
        pytest.param("--timeout", ["info", "URL"], Fault.hold(), id="response"),
        pytest.param("--stall", ["cat", "URL/generic-local/a.bin"], Fault.stall(after=3), id="file"),
    ],
)
def test_time_limit_options(cli, server, option, words, fault):
    """A server that is silent for longer is a failure."""
    server.put("generic-local/a.bin", b"content")
    server.fail("GET", "**", times=None, fault=fault)
    run = cli(option, "0.2", "--retries", 0, *(word.replace("URL", server.url) for word in words))
    assert run.code == 1
    assert "0.2 s" in run.err
    server.clear_faults()


def test_user_agent_option(cli, server):
    """It replaces the default."""
    assert cli("--user-agent", "build/7", "ping", server.url).code == 0
    assert server.requests[-1].headers["user-agent"] == "build/7"


def test_no_verify_warns(tls):
    """--no-verify works, and says what it does in one line."""
    server, _ = tls
    words = ["--user", "admin", "--password-stdin", "--no-verify", "ls", f"{server.url}/generic-local"]
    run = subprocess.run([*COMMAND, *words], input="password\n", capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "a.bin\n")
    assert run.stderr.splitlines() == ["warning: TLS certificates are not verified: verify=False"]


# progress


def test_quiet_says_nothing_but_errors(server, cli, tmp_path):
    """--quiet silences progress and summary; results and errors remain."""
    urls = [url_of(server, "1.0.0/media/a.wav"), url_of(server, "1.0.0/media/none.wav")]
    run = cli("-q", "download", *urls, "-d", tmp_path)
    assert run.out == f"{tmp_path / 'a.wav'}\n"
    assert [line.partition(":")[0] for line in run.err.splitlines()] == ["error", "hint"]


def test_lines_tell_how_far_it_is():
    """Without a terminal, progress is whole lines, now and then."""
    clock = itertools.chain([0.0], itertools.repeat(1.0)).__next__  # for as many lines as there is time for
    counts, written, seen = aioartifact.Progress(clock=clock), threading.Event(), []
    counts.expect(files=2000, size=5 << 30)
    counts.finish("transferred")
    counts.advance(3565158)

    def write(line):
        seen.append(line)
        written.set()

    with display.lines(counts, every=0.001, write=write):
        assert written.wait(SECONDS)
    assert seen[0] == "1/2000 files, 3.4 MiB of 5.0 GiB, 3.4 MiB/s"


@pytest.mark.parametrize("size", [0, 14])
def test_line_of_unknown_sizes(size):
    """Without known sizes, no total is invented."""
    counts = aioartifact.Progress(clock=lambda: 0.0)
    counts.expect(files=1)
    counts.advance(size)
    assert display.line(counts.snapshot()) == f"0/1 file, {size} B, {size} B/s"


def test_terminal_shows_a_bar_and_names_while_it_runs(server, tmp_path):
    """On a terminal the files in flight are seen; what stays is the summary."""
    stall = server.fail("GET", f"{FOLDER}/1.0.0/media/b.wav", fault=Fault.stall(after=3))
    ours, theirs = pty.openpty()
    command = [*COMMAND, "download", url_of(server, "1.0.0"), "-d", str(tmp_path)]
    env = environment(TERM="xterm", COLUMNS="100")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=env) as process:
        os.close(theirs)
        screen = b""
        while b"2/3 files" not in screen or b"  media/b.wav" not in screen:
            screen += os.read(ours, 4096)
        stall.release()
        out, _ = process.communicate(timeout=SECONDS)
        while chunk := _read_terminal(ours):
            screen += chunk
    os.close(ours)
    assert process.returncode == 0
    assert len(out.split()) == 3
    assert b"3 files downloaded: 42 B in " in screen.splitlines()[-1]


def _read_terminal(descriptor):
    try:
        return os.read(descriptor, 4096)
    except OSError:  # Linux: EIO, once the other side is closed
        return b""


@pytest.fixture
def terminal():
    """Run the command with a terminal as stdout; return what it wrote there."""

    def run(*words):
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [*COMMAND, *words], stdout=theirs, env=environment(TERM="xterm", COLUMNS="120")
        ) as process:
            os.close(theirs)
            screen = b"".join(iter(lambda: _read_terminal(ours), b""))
        os.close(ours)
        assert process.returncode == 0
        return screen.decode()

    return run


def test_stat_on_a_terminal_is_a_table(server, terminal):
    """People get all that is known of a file, a line each."""
    screen = re.sub(r"\x1b\[[0-9;]*m", "", terminal("stat", url_of(server, "1.0.0/media/a.wav")))
    table = {name: value.rstrip() for name, value in (line.split(maxsplit=1) for line in screen.splitlines())}
    assert (table["name"], table["size"]) == ("a.wav", "14")
    assert table["sha256"] == server.checksums(f"{FOLDER}/1.0.0/media/a.wav")["sha256"]


def test_ls_folder_on_a_terminal_shows_names_only(server, terminal):
    """A name that holds control characters does not reach the terminal as it is."""
    server.put(f"{FOLDER}/evil\x1b[2J.txt", b"text")
    assert "evil�[2J.txt" in terminal("ls", url_of(server, ""))


def test_download_on_a_terminal_prints_no_paths(server, terminal, tmp_path):
    """Paths are for pipes; a terminal gets the summary on stderr instead."""
    assert terminal("-q", "download", url_of(server, "1.0.0"), "-d", str(tmp_path)) == ""
    assert len(files_below(tmp_path)) == 3


def test_names_cannot_steer_the_terminal():
    """A name from a server is shown without the characters a terminal obeys."""
    assert units.printable("a\x1b[2Jb\r\nc ü") == "a�[2Jb��c ü"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1023 * 1024, "1.0 MiB"),
        (3 << 20, "3.0 MiB"),
        (5 << 40, "5.0 TiB"),
    ],
)
def test_size_is_readable(count, text):
    """Sizes have at most three digits before the point, from KiB on."""
    assert units.size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (61, "1:01"), (3725, "1:02:05")])
def test_duration_is_a_clock(seconds, text):
    """Times are shown as clocks do."""
    assert units.duration(seconds) == text


# a reader that leaves


def test_reader_that_leaves_is_no_traceback(server):
    """A closed pipe, as behind head, ends the command quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    run = subprocess.run(
        [*COMMAND, "ls", url_of(server, "")], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (run.returncode, run.stderr) == (1, "")


# serve


@pytest.fixture
def serving(tmp_path):
    """Run ``aioartifact serve`` with more words; stop it at the end."""
    processes = []

    def start(*words):
        command = [*COMMAND, "serve", "--port", "0", *map(str, words)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(TMPDIR=str(tmp_path))
        )
        processes.append(process)
        return process, *(process.stdout.readline().rstrip("\n") for _ in range(3))

    yield start
    for process in processes:
        process.terminate()
        process.communicate(timeout=SECONDS)


def test_serve_prints_what_a_client_needs(serving, cli):
    """URL, user name and password are three lines, and they work."""
    _, url, user, password = serving()
    words = ("--user", user, "--password-stdin", "ls", f"{url}/generic-local")
    assert cli(*words, stdin=f"{password}\n") == (0, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_cleanly(serving, tmp_path, number):
    """Ctrl-C is the way to stop it, so it is no error; nothing temporary remains."""
    ready = tmp_path / "ready"
    process, *_ = serving("--ready-file", ready)
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (0, "", "")
    assert files_below(tmp_path) == []


def test_serve_fills_itself(serving, cli, tmp_path):
    """Folders of the seed are repositories; users may do everything with items."""
    for path in ("seed/generic-local/a/b.bin", "seed/libs/c.bin"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"content")
    words = ("--seed", tmp_path / "seed", "--repository", "libs", "--repository", "empty")
    _, url, *_ = serving(*words, "--user", "ci:se:cret", "--user", "other:x")
    login = ("--user", "ci", "--password-stdin")
    assert cli(*login, "ls", f"{url}/generic-local/a", stdin="se:cret\n") == (0, "b.bin\n", "")
    assert cli(*login, "ls", f"{url}/libs", stdin="se:cret\n") == (0, "c.bin\n", "")
    source = tmp_path / "seed/libs/c.bin"
    assert cli(*login, "deploy", source, f"{url}/empty/", stdin="se:cret\n").code == 0


def test_serve_with_example_data(serving, cli, tmp_path):
    """What the pages of the documentation use is there, also where a folder keeps it."""
    for _ in range(2):
        process, url, *_ = serving("--example-data", "--data", tmp_path / "kept", "--user", "ci:secret")
        words = ("--user", "ci", "--password-stdin", "versions", url, "data-public", "emodb", "db")
        assert cli(*words, stdin="secret\n").out == "1.0.0\n1.1.0\n1.1.1\n"
        process.terminate()
        assert process.wait(SECONDS) == 0


def test_serve_prints_what_a_shell_runs(serving, tmp_path):
    """``env`` is for ``eval``, ``json`` for programs; the ready file holds the same and is private."""
    for form in ("env", "json"):
        ready = tmp_path / form
        password = tmp_path / "password"
        password.write_text("it's $secret\n", "utf-8")
        words = ("--format", form, "--ready-file", ready, "--control", "--password-file", password)
        command = [*COMMAND, "serve", "--port", "0", *map(str, words)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
            lines = [process.stdout.readline() for _ in range(7 if form == "env" else 1)]
            while not ready.exists():
                assert process.poll() is None
            assert ready.read_text("utf-8") == "".join(lines)
            assert ready.stat().st_mode & 0o077 == 0
            process.terminate()
        if form == "env":
            script = f'{"".join(lines)}echo "$ARTIFACTORY_PASSWORD $ARTIFACTORY_PID"; env'
            run = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
            out = run.stdout
            assert out.startswith(f"it's $secret {process.pid}\n")
            assert "ARTIFACTORY_CONTROL_URL=http://127.0.0.1:" in out
        else:
            value = json.loads(lines[0])
            assert (value["username"], value["password"], value["pid"]) == ("admin", "it's $secret", process.pid)
            assert value["url"].endswith("/artifactory")
            assert len(value["control_token"]) >= 32


def test_serve_prints_the_control_token_last(serving):
    """The first three lines stay what they are; without the option there are no more."""
    process, *_ = serving("--control")
    url, token = (process.stdout.readline().rstrip("\n") for _ in range(2))
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as response:
        assert json.load(response)["repositories"] == ["generic-local"]


def test_serve_is_strict(serving, tmp_path):
    """An endpoint that is not served is named at the end; the log has the request."""
    process, url, *_ = serving("--strict", "--log", tmp_path / "log", "--latency", "1", "--anonymous")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{url}/api/unknown")
    caught.value.close()
    process.terminate()
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "the server does not serve\nGET api/unknown" in err
    (line,) = (tmp_path / "log").read_text("utf-8").splitlines()
    assert json.loads(line)["line"] == "GET api/unknown"


def test_serve_keeps_data_where_it_is_told(serving, cli, tmp_path):
    """What was deployed is there after a restart with the same folder, for everybody if that is allowed."""
    source = tmp_path / "a.bin"
    source.write_bytes(b"content")
    process, url, user, password = serving("--data", tmp_path / "data")
    words = ("--user", user, "--password-stdin", "deploy", source, f"{url}/generic-local/")
    assert cli(*words, stdin=f"{password}\n").code == 0
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)
    _, url, *_ = serving("--data", tmp_path / "data", "--anonymous")
    assert cli("ls", f"{url}/generic-local") == (0, "a.bin\n", "")


def test_serve_speaks_tls(serving, cli, tmp_path):
    """With a certificate and its key it serves HTTPS."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    _, url, *_ = serving("--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem", "--anonymous")
    assert url.startswith("https://127.0.0.1:")
    assert cli("--ca", tmp_path / "ca.pem", "ls", f"{url}/generic-local") == (0, "", "")


def test_serve_is_the_release_and_edition_it_is_told_to_be(serving):
    """Newer releases name themselves in a header; the open source edition has no add-ons."""
    _, url, *_ = serving("--profile", "7.x", "--edition", "oss", "--anonymous")
    with urllib.request.urlopen(f"{url}/api/system/version") as answer:
        assert answer.headers["X-JFrog-Version"].startswith("Artifactory/7.")
        assert json.load(answer)["addons"] == []


def test_serve_on_a_port_that_is_taken(bare, cli):
    """An address that cannot be had is an error like any other."""
    run = cli("serve", "--port", bare.origin.rpartition(":")[2])
    assert (run.code, run.out) == (1, "")
    assert "address already in use" in run.err


def test_closed_streams_do_no_harm(server):
    """A service may run it without stdin, stdout and stderr; no connection is taken for one of them."""
    script = 'exec "$@" <&- >&- 2>&-'
    run = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *COMMAND, "ls", url_of(server, "1.0.0")], timeout=SECONDS, check=False
    )
    assert run.returncode == 0
    assert server.requests != []


def test_download_of_what_is_no_url_downloads_nothing(server, cli, tmp_path, monkeypatch):
    """A destination that looks like a second URL, as with curl, is an error with a hint, before any request."""
    monkeypatch.chdir(tmp_path)
    run = cli("download", url_of(server, "1.0.0/media/a.wav"), "target.wav")
    assert (run.code, run.out) == (2, "")
    assert "'target.wav' is not a URL; use --destination for the local folder" in run.err
    assert server.requests == []
    assert files_below(tmp_path) == []


def test_list_of_verbs_cuts_no_summary(cli):
    """Each command has a message in complete words."""
    assert "..." not in cli("--help").out.replace("[ARGS]...", "")


@pytest.mark.parametrize(
    ("options", "retries", "requests"), [([], False, False), (["-v"], True, False), (["-vv"], True, True)]
)
def test_verbosity(cli, server, folder, options, retries, requests):
    """-v shows retries, -vv each request as well; all of it on stderr, and only for this run."""
    server.fail("GET", f"api/storage/{FOLDER}", fault=Fault.status(500))
    run = cli(*options, "ls", folder)
    assert run.code == 0
    assert ("aioartifact.retry: GET" in run.err, "aioartifact.http: GET" in run.err) == (retries, requests)
    assert "1.0.0" in run.out
    assert server.password not in run.err
    assert not logging.getLogger("aioartifact").handlers


def test_home_folder_in_paths(cli, server, folder, home):
    """A tilde that the shell leaves alone is the home folder."""
    (home / "d").mkdir()
    (home / "d" / "f").write_bytes(b"1")
    assert cli("deploy", "~/d/f", f"{folder}/f").code == 0
    assert cli("cleanup", "~/d").code == 0
    assert cli("download", f"{folder}/f", "-d", "~/e").code == 0
    assert (home / "e" / "f").exists()
    assert not list(home.glob("~*"))


def test_user_option_with_a_configured_context_path(cli, home):
    """Credentials of --user go to the server that the configuration names in the URL."""
    with ThreadedArtifactoryServer(context_path="/acme") as server:
        server.put("generic-local/g/a.txt", b"x")
        section = server.url.partition("://")[2]
        (home / ".artifactory_python.cfg").write_text(f"[{section}]\nverify = true\n", encoding="utf-8")

        url = f"{server.url}/generic-local/g"
        run = cli("--user", server.username, "--password-stdin", "ls", url, stdin=f"{server.password}\n")

    assert (run.code, run.out) == (0, "a.txt\n")
