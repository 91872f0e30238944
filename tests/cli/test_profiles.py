"""The default server of the command line, and named profiles."""

import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from aioartifact.cli.profiles import config_path
from aioartifact.testing import ThreadedArtifactoryServer

FOLDER = "generic-local/emodb/db"
CONTENT = b"a.wav of 1.0.0"


@pytest.fixture
def default(server, monkeypatch):
    """The server is the default one."""
    monkeypatch.setenv("AIOARTIFACT_SERVER", server.url)
    return server


@pytest.fixture
def write(home):
    """Write the file with profiles."""

    def to(text):
        path = home / ".config/aioartifact/config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return to


# The default server


@pytest.mark.parametrize(
    ("words", "out"),
    [
        pytest.param(["ls", FOLDER], "1.0.0/\n1.10.0/\n1.9.0/\n", id="ls"),
        pytest.param(["ls", f"{FOLDER}/"], "1.0.0/\n1.10.0/\n1.9.0/\n", id="slash"),
        pytest.param(["find", FOLDER, "1.0.0/**/a.wav"], f"URL/{FOLDER}/1.0.0/media/a.wav\n", id="find"),
        pytest.param(["cat", f"{FOLDER}/1.0.0/media/a.wav"], CONTENT.decode(), id="cat"),
        pytest.param(["cat", f"{FOLDER}/1.0.0/media/%61.wav"], CONTENT.decode(), id="percent-encoded"),
        pytest.param(["versions", "generic-local", "emodb", "db", "--latest"], "1.10.0\n", id="versions"),
        pytest.param(["ping"], "up\n", id="ping"),
        pytest.param(["repos"], "generic-local\n", id="repos"),
        pytest.param(["search", "--name", "a.wav", "--repository", "none"], "", id="search"),
        pytest.param(
            ["aql", 'items.find({"name": "a.wav", "path": {"$match": "*1.0.0*"}}).include("name")'], "a.wav\n"
        ),
        pytest.param(["rm", "-r", f"{FOLDER}/1.0.0", "--dry-run", "--json"], None, id="rm"),
        pytest.param(["mkdir", "generic-local/new"], "", id="mkdir"),
        pytest.param(["cp", f"{FOLDER}/1.0.0", "generic-local/copy"], "URL/generic-local/copy\n", id="cp"),
        pytest.param(["mv", f"{FOLDER}/1.0.0", "generic-local/moved"], "URL/generic-local/moved\n", id="mv"),
        pytest.param(["props", "get", FOLDER], "", id="props"),
        pytest.param(["--quiet", "tree", FOLDER, "-L", "1", "--json"], None, id="tree"),
        pytest.param(["stat", FOLDER, "--json"], None, id="stat"),
        pytest.param(["info", "--json"], None, id="info"),
    ],
)
def test_path_below_the_default_server(default, cli, words, out):
    """A word without a server is a path below the default one; a server that is left out is the default one."""
    run = cli(*words)
    assert (run.code, run.err) == (0, "")
    assert out is None or run.out == out.replace("URL", default.url)
    assert default.requests


def test_aql_from_a_file(default, cli, tmp_path):
    """With --file, the only argument is the server."""
    (tmp_path / "q").write_text('items.find({"name": "none"})', encoding="utf-8")
    assert cli("aql", "--file", tmp_path / "q").code == 0
    assert cli("aql", default.url, "--file", tmp_path / "q").code == 0
    assert cli("aql", default.url, "x", "--file", tmp_path / "q").code == 2
    assert cli("aql", default.url).code == 2


def test_transfers_below_the_default_server(default, cli, tmp_path, monkeypatch):
    """Download, deploy and sync; in a list, lines are paths, too."""
    monkeypatch.chdir(tmp_path)
    assert cli("download", f"{FOLDER}/1.0.0/media/a.wav", "-d", "one").code == 0
    stdin = f"{FOLDER}/1.0.0/media/b.wav\n{FOLDER}/1.9.0/media/b.wav\tother.wav\n"
    assert cli("download", "-", "-d", "two", stdin=stdin).code == 0
    assert cli("deploy", "one/a.wav", "generic-local/x/").out == f"{default.url}/generic-local/x/a.wav\n"
    assert cli("sync", f"{FOLDER}/1.0.0", "./three").code == 0
    assert cli("sync", "./three", "generic-local/three").code == 0
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.wav"))
    assert files[:4] == ["one/a.wav", "three/media/a.wav", "three/media/b.wav", "three/media/c.wav"]
    assert files[4:] == ["two/b.wav", "two/other.wav"]
    assert default.read("generic-local/three/media/a.wav") == CONTENT


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["download", f"{FOLDER}/1.0.0/media/a.wav", "new.wav"], "'new.wav' is not a URL", id="download"),
        pytest.param(["download", "./a.wav"], "'./a.wav' is not a URL", id="local-path"),
        pytest.param(["download", "/tmp/a.wav"], "'/tmp/a.wav' is not a URL", id="absolute-path"),
        pytest.param(["deploy", "a.bin", "b.bin"], "'b.bin' is a local path", id="deploy"),
        pytest.param(["sync", "folder", "generic-local/x"], "neither is a URL", id="sync"),
        pytest.param(["sync", "./folder", "/tmp/x"], "neither is a URL", id="sync-of-local-folders"),
        pytest.param(["ls", "localhost:8081/generic-local"], "expected an absolute URL", id="host-and-port"),
        pytest.param(["ls", "ada:canary@host/generic-local"], "expected an absolute URL", id="user"),
        pytest.param(["ls", "./generic-local"], "expected an absolute URL", id="ls-local"),
        pytest.param(["ls", ""], "expected an absolute URL", id="empty"),
        pytest.param(["ls", "generic-local/../x"], "'..'", id="dots"),
        pytest.param(["versions", "generic-local", "emodb"], "expected [SERVER] REPOSITORY", id="versions"),
    ],
)
def test_word_that_is_not_a_path_below_the_default_server(default, cli, tmp_path, monkeypatch, words, message):
    """What looks like a local path, or like a host, is not sent to the default server."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.bin", "b.bin"):
        (tmp_path / name).touch()
    run = cli(*words)
    assert (run.code, run.out, default.requests) == (2, "", [])
    assert message in run.err
    assert "canary" not in run.err


def test_path_without_a_default_server(cli):
    """The error names the ways to set one."""
    run = cli("ls", "generic-local/x")
    assert run.code == 2
    assert run.err.startswith("error: generic-local/x: expected an absolute URL")
    assert "hint: set AIOARTIFACT_SERVER or JF_URL" in run.err


def test_malformed_default_server(cli, monkeypatch):
    """The error names the variable, and not its value."""
    monkeypatch.setenv("AIOARTIFACT_SERVER", "https://ada:canary@host")
    run = cli("ls", "generic-local/x")
    assert run.code == 2
    assert "AIOARTIFACT_SERVER" in run.err
    assert "canary" not in run.err


@pytest.mark.parametrize("way", ["option", "AIOARTIFACT_SERVER", "JF_URL", "jfrog-cli", "profile"])
def test_each_way_to_set_the_default_server(server, cli, home, write, monkeypatch, way):
    """Option, variables, jfrog-cli, profile."""
    options = ()
    if way == "option":
        options = ("--server", server.url)
    elif way == "jfrog-cli":
        entry = {"serverId": "here", "url": f"{server.origin}/", "isDefault": True}
        (home / ".jfrog").mkdir()
        (home / ".jfrog/jfrog-cli.conf.v6").write_text(json.dumps({"servers": [entry]}), encoding="utf-8")
    elif way == "profile":
        write(f'default = "here"\n[profiles.here]\nserver = "{server.url}"\n')
    else:
        monkeypatch.setenv(way, server.url)
    assert cli(*options, "ls", FOLDER).out == "1.0.0/\n1.10.0/\n1.9.0/\n"


def test_default_server_with_another_context_path(cli, monkeypatch):
    """Its address ends where the variable says, also in a URL that is written in full."""
    with ThreadedArtifactoryServer(context_path="/tools/repo") as server:
        server.put("generic-local/a.bin", b"content")
        monkeypatch.setenv("AIOARTIFACT_SERVER", server.url)
        login = ("--user", server.username, "--password-stdin")
        stdin = f"{server.password}\n"
        assert cli(*login, "ls", "generic-local", stdin=stdin) == (0, "a.bin\n", "")
        assert cli(*login, "ls", f"{server.url}/generic-local", stdin=stdin) == (0, "a.bin\n", "")


def test_password_is_not_sent_to_the_default_server(bare, cli, monkeypatch):
    """It goes to the server of the URL."""
    monkeypatch.setenv("AIOARTIFACT_SERVER", "https://other.invalid/artifactory")
    words = ("--user", bare.username, "--password-stdin", "ls", f"{bare.url}/{FOLDER}")
    assert cli(*words, stdin=f"{bare.password}\n").code == 0


# Profiles


def test_options_of_a_profile(cli, write, tmp_path):
    """Server, certificates relative to the file, user agent and a helper program for the credentials."""
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with ThreadedArtifactoryServer(ssl_context=tls) as server:
        server.put("generic-local/a.bin", b"content")
        helper = tmp_path / "helper.py"
        helper.write_text(f'print("{server.token}")', encoding="utf-8")
        path = write(
            f'[profiles.work]\nserver = "{server.url}"\nca = "ca.pem"\nuser-agent = "build/7"\nretries = 0\n'
            f"credential-command = {json.dumps([sys.executable, str(helper)])}\n"
        )
        authority.cert_pem.write_to_path(path.parent / "ca.pem")
        assert cli("--profile", "work", "ls", "generic-local") == (0, "a.bin\n", "")
        assert {record.headers["user-agent"] for record in server.requests} == {"build/7"}
        [shown] = cli("--profile", "work", "auth", "--json").objects
        assert (shown["server"], shown["kind"]) == (server.url, "provider")
        assert shown["server_source"] == f"profile work of {path}"
        assert shown["source"] == f"profile work of {path}: command {Path(sys.executable).name}"
        assert cli("--profile", "work", "--user-agent", "mine", "ls", "generic-local").code == 0
        assert server.requests[-1].headers["user-agent"] == "mine"


def test_which_profile(cli, write, monkeypatch):
    """The option, else the variable, else the default of the file."""
    write(
        'default = "a"\n'
        + "".join(f'[profiles.{name}]\nserver = "https://{name}.example/artifactory"\n' for name in "abc")
    )

    def server(*options):
        return cli(*options, "auth", "--json").objects[0]["server"]

    assert server() == "https://a.example/artifactory"
    monkeypatch.setenv("AIOARTIFACT_PROFILE", "b")
    assert server() == "https://b.example/artifactory"
    assert server("--profile", "c") == "https://c.example/artifactory"
    monkeypatch.setenv("AIOARTIFACT_SERVER", "https://v.example/artifactory")
    assert server() == "https://v.example/artifactory"
    assert server("--profile", "c") == "https://c.example/artifactory"
    assert server("--profile", "c", "--server", "https://o.example") == "https://o.example"


def test_credentials_of_a_profile_go_to_its_server_only(bare, cli, write, tmp_path):
    """A URL of another server gets what is looked up for that one."""
    helper = tmp_path / "helper.py"
    helper.write_text('print("canary-token")', encoding="utf-8")
    command = json.dumps([sys.executable, str(helper)])
    write(f'[profiles.p]\nserver = "https://p.example/artifactory"\ncredential-command = {command}\n')
    cli("--profile", "p", "--retries", "0", "ls", f"{bare.url}/{FOLDER}")
    assert {record.had_credentials for record in bare.requests} == {False}
    [shown] = cli("--profile", "p", "auth", bare.url, "--json").objects
    assert shown["kind"] == "anonymous"


@pytest.mark.parametrize(
    ("profile", "options", "expected"),
    [
        pytest.param('ca = "a.pem"', ["--no-verify"], {"verify": False}, id="no-verify"),
        pytest.param("no-verify = true", ["--ca", "FILE"], {"verify": "FILE"}, id="ca"),
        pytest.param("no-verify = true", [], {"verify": False}, id="no-verify-of-the-profile"),
        pytest.param('cert = "c.pem"\nkey = "k.pem"', [], {"cert": ("DIR/c.pem", "DIR/k.pem")}, id="cert-and-key"),
        pytest.param('cert = "c.pem"\nkey = "k.pem"', ["--cert", "FILE"], {"cert": "FILE"}, id="other-cert"),
        pytest.param('cert = "~/c.pem"', [], {"cert": "HOME/c.pem"}, id="home"),
        pytest.param('proxy = "http://p:1"', ["--proxy", "http://q:2"], {"proxy": "http://q:2"}, id="proxy"),
    ],
)
def test_options_replace_those_of_a_profile(cli, home, write, tmp_path, monkeypatch, profile, options, expected):
    """Certificates and keys that belong together are replaced together."""
    given = {}
    monkeypatch.setattr("aioartifact.session", lambda **options: given.update(options) or 1 / 0)
    (tmp_path / "file.pem").touch()
    path = write(f"[profiles.p]\n{profile}\n")

    def expand(text):
        return (
            text.replace("FILE", str(tmp_path / "file.pem")).replace("DIR", str(path.parent)).replace("HOME", str(home))
        )

    with pytest.raises(ZeroDivisionError):
        cli("--profile", "p", *map(expand, options), "ping", "https://h.example")
    for name, value in expected.items():
        filled = tuple(map(expand, value)) if isinstance(value, tuple) else value and expand(value)
        assert given[name] == (value if isinstance(value, bool) else filled)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[profiles.p\n", "line 1 is malformed", id="toml"),
        pytest.param("[profiles.q]\n", "no profile 'p'\nhint: expected one of 'q'", id="missing"),
        pytest.param("", "no profile 'p'", id="empty"),
        pytest.param("profiles = 1\n", "not a table of tables", id="not-a-table"),
        pytest.param("[profiles]\np = 1\n", "not a table of tables", id="profile-not-a-table"),
        pytest.param("default = 1\n[profiles.p]\n", "default is not the name", id="default"),
        pytest.param("[p]\nserver = 'https://h'\n", "unknown key 'p'", id="table-without-profiles"),
        pytest.param("[profiles.p]\nservr = 'canary'\n", "unknown key 'servr'", id="unknown-key"),
        pytest.param("[profiles.p]\ntoken = 'canary'\n", "a profile has no credentials", id="token"),
        pytest.param("[profiles.p]\npassword = 'canary'\n", "a profile has no credentials", id="password"),
        pytest.param("[profiles.p]\nserver = 'https://u:canary@h'\n", "contains credentials", id="login-in-server"),
        pytest.param("[profiles.p]\nserver = 'host'\n", "expected an absolute URL", id="server"),
        pytest.param("[profiles.p]\nproxy = 'http://u:canary@h'\n", "proxy has a login", id="login-in-proxy"),
        pytest.param("[profiles.p]\ntimeout = 0\n", "timeout is not a number above 0", id="timeout"),
        pytest.param("[profiles.p]\nstall = inf\n", "stall is not a number above 0", id="stall"),
        pytest.param("[profiles.p]\ntimeout = true\n", "timeout is not a number above 0", id="boolean"),
        pytest.param("[profiles.p]\nretries = 1.5\n", "retries is not an integer", id="retries"),
        pytest.param("[profiles.p]\nno-verify = 'no'\n", "no-verify is not true or false", id="no-verify"),
        pytest.param("[profiles.p]\nca = ''\n", "ca is not a text", id="empty-text"),
        pytest.param("[profiles.p]\nkey = 'k'\n", "key needs cert", id="key"),
        pytest.param("[profiles.p]\nkeyring = true\n", "no server to send them to", id="no-server"),
        pytest.param("[profiles.p]\ncredential-command = 'a b'\n", "not a list of texts", id="command"),
        pytest.param("[profiles.p]\ncredential-stdin = 'url'\n", "needs credential-command", id="stdin"),
    ],
)
def test_invalid_profile(cli, write, text, message):
    """An error names file, profile and key, and quotes no value that may be a secret."""
    path = write(text)
    run = cli("--profile", "p", "ping", "https://h.example")
    assert run.code == 2
    assert str(path) in run.err
    assert message in run.err
    assert "canary" not in run.err


def test_profile_without_a_file(cli):
    """Only a profile that is requested is missing."""
    run = cli("--profile", "p", "auth", "https://h.example")
    assert run.code == 2
    assert "no profile 'p': the file does not exist" in run.err
    assert cli("auth", "https://h.example").code == 0


def test_file_with_profiles_that_cannot_be_read(cli, write):
    """A folder, or bytes that are not text."""
    path = write("")
    path.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in cli("auth", "https://h.example").err
    path.unlink()
    path.mkdir()
    run = cli("auth", "https://h.example")
    assert (run.code, run.out) == (1, "")
    assert str(path) in run.err


@pytest.mark.parametrize(
    ("environ", "platform", "path"),
    [
        pytest.param({}, "linux", "/home/ada/.config/aioartifact/config.toml", id="linux"),
        pytest.param({"XDG_CONFIG_HOME": "/c"}, "linux", "/c/aioartifact/config.toml", id="xdg"),
        pytest.param({"XDG_CONFIG_HOME": " "}, "linux", "/home/ada/.config/aioartifact/config.toml", id="blank"),
        pytest.param({}, "darwin", "/home/ada/Library/Application Support/aioartifact/config.toml", id="macos"),
        pytest.param({"LOCALAPPDATA": "/local"}, "win32", "/local/aioartifact/config.toml", id="windows"),
        pytest.param({}, "win32", "/home/ada/AppData/Local/aioartifact/config.toml", id="windows-bare"),
        pytest.param(
            {"AIOARTIFACT_CONFIG": "~/c.toml", "XDG_CONFIG_HOME": "/c"}, "linux", "/home/ada/c.toml", id="own"
        ),
    ],
)
def test_path_of_the_file(environ, platform, path):
    """By the rules of platformdirs; a variable names another file."""
    assert config_path(environ, Path("/home/ada"), platform).as_posix() == path


@pytest.mark.parametrize(("shell", "position"), [("bash", "1"), ("zsh", "1"), ("fish", "down")])
def test_completion(shell, position):
    """Click generates the script, which requests commands and options from the program."""

    def complete(step, **variables):
        environment = os.environ | {"_AIOARTIFACT_COMPLETE": f"{shell}_{step}"} | variables
        command = [sys.executable, "-m", "aioartifact"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert f"_AIOARTIFACT_COMPLETE={shell}_complete" in complete("source")
    assert "download" in complete("complete", COMP_WORDS="aioartifact down", COMP_CWORD=position)
    position = "--dur" if shell == "fish" else "2"
    assert "--durable" in complete("complete", COMP_WORDS="aioartifact download --dur", COMP_CWORD=position)
