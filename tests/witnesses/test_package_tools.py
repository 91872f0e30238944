"""
pip, and Maven's way of resolving: package managers that need no index of their own from the server.

``api/pypi`` is not served, see docs/endpoints.md; pip reads the HTML index of a folder.
"""

import hashlib
import subprocess
import sys
import zipfile
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from aioartifact.testing import ThreadedArtifactoryServer

WHEEL = "witness-1.0-py3-none-any.whl"


@pytest.fixture(params=[None, 0], ids=["streamed", "redirected"])
def open_server(request):
    """A server that everybody may read, with and without cloud storage."""
    with ThreadedArtifactoryServer(anonymous=True, redirect_over=request.param) as server:
        server.grant("anonymous", "**")
        yield server


@pytest.fixture
def wheel(make_file):
    """A wheel with one module."""
    path = make_file(WHEEL)
    info = "witness-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("witness.py", "ANSWER = 42\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: witness\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", f"witness.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


def test_pip_installs_from_a_folder(open_server, wheel, tmp_path):
    """It finds the wheel by the links of the index page, the newest of several, and installs it."""
    open_server.put(f"generic-local/wheels/{WHEEL}", wheel)
    open_server.put("generic-local/wheels/witness-0.9-py3-none-any.whl", b"an older one, not to be fetched")
    target = tmp_path / "installed"
    command = [sys.executable, "-m", "pip", "install", "--isolated", "--no-cache-dir", "--disable-pip-version-check"]
    source = ["--no-index", "--find-links", f"{open_server.url}/generic-local/wheels/"]
    result = subprocess.run(
        [*command, *source, "--target", str(target), "witness"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert (target / "witness.py").read_text("utf-8") == "ANSWER = 42\n"
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
