"""Storage options: which server is meant, what is refused, and where secrets must not be."""

import json
import pickle

import fsspec
import pytest

import aioartifact
from aioartifact import Credentials
from aioartifact.fsspec import ArtifactoryFileSystem

SERVER = "https://host/artifactory"
SECRET = "s3cr3t-canary"


@pytest.fixture(autouse=True)
def no_instances():
    yield
    ArtifactoryFileSystem.clear_instance_cache()


async def provide():
    return Credentials.bearer(SECRET)


class Provider:
    """A provider that refers to a secret, and has none."""

    async def credentials(self, *, force):
        return Credentials.bearer(SECRET)


def test_server_of_the_option():
    """Spellings of one server give one object."""
    fs = fsspec.filesystem("artifactory", base_url=f"{SERVER}/")
    assert fs.base_url == SERVER
    assert fs is fsspec.filesystem("aioartifact", base_url=SERVER)
    assert fs is ArtifactoryFileSystem(SERVER)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("AIOARTIFACT_SERVER", SERVER), ("JF_URL", "https://host"), ("FSSPEC_ARTIFACTORY_BASE_URL", SERVER)],
)
def test_server_of_the_environment(monkeypatch, variable, value):
    """Without an option, the server is the default server; fsspec's own variables work, too."""
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(fsspec.config, "conf", fsspec_conf())
    assert fsspec.filesystem("artifactory").base_url == SERVER


def fsspec_conf():
    conf = {}
    fsspec.config.set_conf_env(conf)
    return conf


def test_server_of_jfrog_cli(home):
    """The default server of jfrog-cli is the last source."""
    folder = home / ".jfrog"
    folder.mkdir()
    entry = {"serverId": "main", "url": "https://host/", "artifactoryUrl": f"{SERVER}/", "isDefault": True}
    (folder / "jfrog-cli.conf.v6").write_text(json.dumps({"servers": [entry], "version": "6"}))
    assert fsspec.filesystem("artifactory").base_url == SERVER


def test_pickle_names_the_server(monkeypatch):
    """A worker reads from the server that was meant, whatever its own default server is."""
    monkeypatch.setenv("JF_URL", SERVER)
    pickled = pickle.dumps(fsspec.filesystem("artifactory"))
    monkeypatch.setenv("JF_URL", "https://other/artifactory")
    assert pickle.loads(pickled).base_url == SERVER


def test_server_of_the_url():
    """A full URL needs no option."""
    fs, path = fsspec.core.url_to_fs(f"artifactory+{SERVER}/repo/a%20b.csv")
    assert (fs.base_url, path) == (SERVER, "repo/a b.csv")
    fs, path = fsspec.core.url_to_fs(f"artifactory+{SERVER}/repo/a", base_url=f"{SERVER}/")
    assert (fs.base_url, path) == (SERVER, "repo/a")


def test_url_of_another_server():
    """Neither an option nor an open file system redirects a full URL to another server."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="server of the URL is https://other"):
        fsspec.open("artifactory+https://other/artifactory/repo/a", base_url=SERVER)
    with pytest.raises(aioartifact.InvalidArgumentError, match="is not on"):
        fsspec.filesystem("artifactory", base_url=SERVER).cat("artifactory+https://other/artifactory/repo/a")


def test_no_server():
    """Without any server, the error says what to set."""
    with pytest.raises(aioartifact.ConfigurationError, match="JF_URL"):
        fsspec.filesystem("artifactory")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"token": SECRET}, "unknown storage option 'token'"),
        ({"password": SECRET}, "unknown storage option 'password'"),
        ({"anon": True}, "unknown storage option 'anon'"),
        ({"auth": SECRET}, "auth is a str"),
        ({"auth": (SECRET, 1)}, "auth is a tuple"),
        ({"auth": {SERVER: ("user", SECRET)}}, "auth is a dict"),
        ({"auth": Provider}, "auth is a type"),
        ({"auth": ("user", f"{SECRET}\n")}, "control character"),
        ({"base_url": "host/artifactory"}, "absolute URL"),
        ({"base_url": f"https://user:{SECRET}@host/artifactory"}, "contains credentials"),
    ],
)
def test_invalid_option(options, message):
    """A misspelt option would mean anonymous access, and its value would be in pickles and JSON."""
    with pytest.raises(aioartifact.ArtifactoryError, match=message) as caught:
        fsspec.filesystem("artifactory", **{"base_url": SERVER, **options})
    assert SECRET not in f"{caught.value!r} {caught.value}"


def test_too_many_arguments():
    """Only the server is positional."""
    with pytest.raises(TypeError, match="one positional argument"):
        ArtifactoryFileSystem(SERVER, ("user", SECRET))


@pytest.mark.parametrize("auth", [("user", SECRET), Credentials.bearer(SECRET), Provider(), provide])
def test_no_form_has_a_secret(auth):
    """Neither repr nor JSON, dict, token or pickle has it; JSON is read back without credentials."""
    fs = fsspec.filesystem("artifactory", base_url=SERVER, auth=auth)
    forms = [repr(fs), str(fs.storage_options), fs.to_json(), str(fs.to_dict()), str(fs._fs_token), fs.fsid]
    assert not [form for form in forms if SECRET in form]
    assert "auth" not in fs.to_dict()
    again = ArtifactoryFileSystem.from_json(fs.to_json())
    assert (type(again), again.base_url) == (ArtifactoryFileSystem, SERVER)


@pytest.mark.parametrize("auth", [("user", SECRET), Credentials.bearer(SECRET), Credentials.api_key(SECRET)])
def test_explicit_credentials_are_not_pickled(auth):
    """A worker must find its own; an object that silently lost its credentials would be anonymous there."""
    fs = fsspec.filesystem("artifactory", base_url=SERVER, auth=auth)
    with pytest.raises(TypeError, match="resolve them in each process"):
        pickle.dumps(fs)


def test_provider_is_pickled():
    """A provider goes with the file system."""
    fs = fsspec.filesystem("artifactory", base_url=SERVER, auth=provide)
    assert pickle.loads(pickle.dumps(fs)).storage_options["auth"].auth is provide


def test_users_do_not_share_an_object():
    """Objects are cached by the text of options: two secrets must not have the same one."""
    made = [
        fsspec.filesystem("artifactory", base_url=SERVER, auth=auth)
        for auth in [("user", "one"), ("user", "two"), Credentials.bearer("one"), Provider(), Provider(), None]
    ]
    assert len({id(fs) for fs in made}) == len({fs._fs_token for fs in made}) == len(made)
    assert fsspec.filesystem("artifactory", base_url=SERVER, auth=("user", "one")) is made[0]


def test_options_of_the_session(server):
    """Options of a session are passed on."""
    limits = aioartifact.Limits(max_connections=1)
    retry = aioartifact.RetryPolicy(attempts=1)
    fs = fsspec.filesystem("artifactory", base_url=server.url, limits=limits, retry=retry)
    server.fail("GET", "**", fault=aioartifact.testing.Fault.status(503))
    with pytest.raises(aioartifact.ServerError):
        fs.ls("data")
    fs.close()
