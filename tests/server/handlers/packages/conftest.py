"""Python packages, and forms as twine sends them."""

import hashlib
import io
import tarfile
import zipfile

import pytest

METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: {}\nSummary: What it is for\nRequires-Python: >=3.9, <4\n"


@pytest.fixture
def wheel():
    """Make the bytes of a wheel."""

    def wheel(name="My.App", version="1.0", folder="my_app-1.0.dist-info"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for path, text in (("my_app.py", "ANSWER = 42\n"), (f"{folder}/METADATA", METADATA.format(name, version))):
                archive.writestr(zipfile.ZipInfo(path), text)  # without the time of day
        return buffer.getvalue()

    return wheel


@pytest.fixture
def sdist():
    """Make the bytes of a source distribution."""

    def sdist(name="My.App", version="1.0"):
        buffer, data = io.BytesIO(), METADATA.format(name, version).encode()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            entry = tarfile.TarInfo(f"my_app-{version}/PKG-INFO")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        return buffer.getvalue()

    return sdist


@pytest.fixture
def form():
    """Encode an upload; gives headers and body."""

    def form(data, file_name="my_app-1.0-py3-none-any.whl", **changes):
        fields = {
            ":action": "file_upload",
            "name": "My.App",
            "version": "1.0",
            "summary": "What it is for",
            "requires_python": ">=3.9, <4",
            "md5_digest": hashlib.md5(data).hexdigest(),
            "sha256_digest": hashlib.sha256(data).hexdigest(),
            **changes,
        }
        parts = [
            f'--xYz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
            if value is not None
        ]
        head = f'--xYz\r\nContent-Disposition: form-data; name="content"; filename="{file_name}"\r\n\r\n'
        body = b"".join([*parts, head.encode(), data, b"\r\n--xYz--\r\n"])
        return {"Content-Type": "multipart/form-data; boundary=xYz"}, body

    return form
