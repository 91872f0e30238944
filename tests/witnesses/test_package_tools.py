"""pip and twine, and Maven's way of resolving by plain requests."""

import hashlib
import subprocess
import sys
import zipfile
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from aioartifact.testing import Fault, ThreadedArtifactoryServer

WHEEL = "witness-1.0-py3-none-any.whl"


@pytest.fixture(params=[None, 0], ids=["streamed", "redirected"])
def open_server(request):
    """A server that everybody may read, with and without cloud storage."""
    with ThreadedArtifactoryServer(anonymous=True, redirect_over=request.param) as server:
        server.grant("anonymous", "**")
        yield server


@pytest.fixture
def make_wheel(make_file):
    """Make a wheel with one module that contains its version."""

    def make_wheel(version="1.0", requires_python=">=3.9"):
        path = make_file(f"witness-{version}-py3-none-any.whl")
        info = f"witness-{version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: Witness\nVersion: {version}\nRequires-Python: {requires_python}\n"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("witness.py", f"VERSION = '{version}'\n")
            file.writestr(f"{info}/METADATA", metadata)
            file.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            file.writestr(f"{info}/RECORD", f"witness.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
        return path

    return make_wheel


@pytest.fixture
def pip(tmp_path):
    """Install into a folder of its own; gives what pip says, and the version of the module that is there."""

    def pip(*arguments):
        target = tmp_path / "installed"
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--isolated",
            "--no-cache-dir",
            "--disable-pip-version-check",
        ]
        command += ["--no-input", "--retries", "0", "--upgrade", "--target", str(target), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        module = target / "witness.py"
        return done, module.read_text("utf-8").split("'")[1] if module.exists() else None

    return pip


@pytest.fixture
def packages():
    """A server with a repository for packages that only users may read."""
    with ThreadedArtifactoryServer(edition="pro") as server:
        server.create_repository("pypi", package_type="pypi")
        server.create_repository("all", kind="virtual", package_type="pypi", members=("pypi",), deploy_to="pypi")
        server.add_user("ann", password="p@ss w0rd")
        server.grant("ann", "pypi", "rw")
        yield server


@pytest.fixture
def twine(packages):
    """Upload files; gives what twine says."""

    def twine(*arguments, repository="pypi", password="p@ss w0rd"):
        command = [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar", "--verbose"]
        command += ["--repository-url", f"{packages.url}/api/pypi/{repository}", "--username", "ann"]
        command += ["--password", password, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return twine


def index_url(server, repository="pypi", password="p%40ss%20w0rd"):
    return f"{server.url}/api/pypi/{repository}/simple/".replace("://", f"://ann:{password}@")


def test_pip_installs_what_twine_uploads(packages, twine, pip, make_wheel):
    """The newest version that suits this Python, by any spelling of its name, with credentials in the address."""
    for wheel in (make_wheel(), make_wheel("1.1"), make_wheel("2.0", requires_python=">=99")):
        done = twine(wheel)
        assert done.returncode == 0, done.stdout + done.stderr
    done, version = pip("--index-url", index_url(packages), "WITNESS")
    assert (done.returncode, version) == (0, "1.1"), done.stderr
    assert packages.count("GET", f"api/pypi/pypi/Witness/1.1/{make_wheel('1.1').name}") == 1
    done, version = pip("--index-url", index_url(packages), "witness==1.0")
    assert (done.returncode, version) == (0, "1.0"), done.stderr


def test_virtual_repository_of_packages(packages, twine, pip, make_wheel):
    """Uploads go where it deploys to, and are found in it."""
    assert twine(make_wheel(), repository="all").returncode == 0
    assert packages.exists(f"pypi/Witness/1.0/{WHEEL}")
    done, version = pip("--index-url", index_url(packages, "all"), "witness")
    assert (done.returncode, version) == (0, "1.0"), done.stderr


def test_pip_installs_through_a_remote_repository(packages, twine, pip, make_wheel):
    """From the index of an upstream, whose files are fetched when pip asks for them."""
    assert twine(make_wheel()).returncode == 0
    with ThreadedArtifactoryServer(edition="pro") as near:
        credentials = {"username": packages.username, "password": packages.password}
        url = f"{packages.url}/api/pypi/pypi"
        near.create_repository("far", kind="remote", package_type="pypi", url=url, **credentials)
        near.add_user("ann", password="p@ss w0rd")
        near.grant("ann", "far")
        done, version = pip("--index-url", index_url(near, "far"), "witness")
        assert (done.returncode, version) == (0, "1.0"), done.stderr


def test_pip_checks_the_digest(packages, pip, make_wheel):
    """Content that changes after it was listed is refused by pip."""
    packages.put(f"pypi/{WHEEL}", make_wheel())
    packages.fail("GET", f"**/{WHEEL}", fault=Fault.replace(b"something else"))
    done, version = pip("--index-url", index_url(packages), "witness")
    assert (done.returncode, version) == (1, None)
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_refused_packages(packages, twine, pip, make_wheel):
    """Wrong credentials and unknown projects fail, and what may not be overwritten."""
    assert "401 Unauthorized" in twine(make_wheel(), password="wrong").stdout
    done, _ = pip("--index-url", index_url(packages), "witness")
    assert "No matching distribution found for witness" in done.stderr
    assert twine(make_wheel()).returncode == 0
    assert "403 Forbidden" in twine(make_wheel(requires_python=">=3.10")).stdout


def test_pip_installs_from_a_folder(open_server, make_wheel, pip):
    """It finds the wheel by the links of the index page, the newest of several, and installs it."""
    open_server.put(f"generic-local/wheels/{WHEEL}", make_wheel())
    open_server.put("generic-local/wheels/witness-0.9-py3-none-any.whl", b"an older one, not to be fetched")
    done, version = pip("--no-index", "--find-links", f"{open_server.url}/generic-local/wheels/", "witness")
    assert (done.returncode, version) == (0, "1.0"), done.stderr
    open_server.assert_requests(
        ["GET generic-local/wheels", f"GET generic-local/wheels/{WHEEL}"]
        + [f"GET storage:generic-local/wheels/{WHEEL}"] * (open_server.count(pattern="storage:**"))
    )


def test_maven_layout_resolves_by_plain_requests(open_server, make_file):
    """Metadata, pom and jar with their checksums, as Maven asks for them; what is missing is 404."""
    open_server.create_repository("libs", package_type="maven", layout="maven-2-default")
    folder = "libs/org/example/app"
    files = {
        f"{folder}/maven-metadata.xml": b"<metadata><versioning><release>1.0</release></versioning></metadata>",
        f"{folder}/1.0/app-1.0.pom": b"<project/>",
        f"{folder}/1.0/app-1.0.jar": b"PK",
    }
    for address, data in files.items():
        open_server.put(address, data)
        with urlopen(f"{open_server.url}/{address}", timeout=10) as answer:
            assert answer.read() == data
        for kind in ("sha1", "md5", "sha256"):
            with urlopen(f"{open_server.url}/{address}.{kind}", timeout=10) as answer:
                assert answer.read().decode() == hashlib.new(kind, data).hexdigest()
                assert answer.headers["Content-Type"] == "application/x-checksum"
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{open_server.url}/{folder}/1.1/app-1.1.pom", timeout=10)
