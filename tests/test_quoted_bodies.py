"""Bodies of refusals in messages: text is quoted, binary content is not, whatever its label."""

import bz2
import gzip
import io
import json
import lzma
import random
import zipfile
import zlib

import pytest
from raw_http import raw_server, response

import aioartifact
from aioartifact._models import Response
from aioartifact._protocol import server_words

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xfc\xcf\xc0P\x0f\x00\x04\x85\x01\x80\x84\xa9\x8c!\x00\x00\x00\x00IEND\xaeB`\x82"
)
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Length 40/Filter/FlateDecode>>stream\n" + zlib.compress(b"text" * 20)
TEXT = "The proxy has refused this request. " * 20
ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w") as file:
    file.writestr("a.txt", TEXT)

BINARY = {
    "png": PNG,
    "gzip": gzip.compress(TEXT.encode()),
    "zlib": zlib.compress(TEXT.encode()),
    "bzip2": bz2.compress(TEXT.encode()),
    "xz": lzma.compress(TEXT.encode()),
    "zip": ZIP.getvalue(),
    "pdf": PDF,
    "random": random.Random(1).randbytes(5000),
    "few-random-bytes": b"\xe3\x11\xa9\x02\xf4\xb6",
    "utf-16": TEXT.encode("utf-16"),
    "utf-16-without-mark": TEXT.encode("utf-16-le"),
    "utf-16-beyond-latin": "Ошибка прокси".encode("utf-16-be"),
    "utf-32": TEXT.encode("utf-32"),
    "lone-surrogates": "refused \ud83d\ud800".encode("utf-8", "surrogatepass"),
    "high-bytes": bytes(range(128, 256)) * 4,
    "latin-1-letters": bytes(range(0xC0, 0x100)) * 4,
    "printable-latin-1": bytes([*range(0x20, 0x7F), *range(0xA0, 0x100)]) * 3,
    "control-characters": b"refused\x00\x01\x02",
    "escape-sequence": b"\x1b[31mrefused\x1b[0m",
    "page-with-a-null": b"<html><title>refused\x00</title></html>",
}
TYPES = [
    "application/octet-stream",
    "text/plain",
    "text/plain;charset=ISO-8859-1",
    "text/plain;charset=windows-1252",
    "text/plain;charset=utf-16",
    "application/json",
    "text/html;charset=utf-8",
    "",
]


def words(body, content_type=""):
    return server_words(Response(500, body, {"Content-Type": content_type}, "http://h"))


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("body", BINARY.values(), ids=BINARY)
def test_binary_body_has_no_words(body, content_type):
    """The bytes decide, and not their label."""
    assert words(body, content_type) == ""


GERMAN = "Zugriff verweigert: Für „Größe“ fehlt Ihnen die Berechtigung"
PLAIN_GERMAN = "Zugriff verweigert: Für »Größe« fehlt Ihnen die Berechtigung, Überprüfung nötig"


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        pytest.param(PLAIN_GERMAN.encode("latin-1"), "text/plain;charset=ISO-8859-1", PLAIN_GERMAN, id="latin-1"),
        pytest.param(PLAIN_GERMAN.encode("latin-1"), "text/plain", PLAIN_GERMAN, id="latin-1-without-label"),
        pytest.param(PLAIN_GERMAN.encode("latin-1"), "text/plain;charset=utf-8", PLAIN_GERMAN, id="latin-1-as-utf-8"),
        pytest.param("Accès refusé à l'élève".encode("latin-1"), "", "Accès refusé à l'élève", id="french"),
        pytest.param(GERMAN.encode("cp1252"), "text/plain;charset=windows-1252", GERMAN, id="cp1252"),
        pytest.param(GERMAN.encode(), "text/plain", GERMAN, id="utf-8"),
        pytest.param(GERMAN.encode(), "text/plain;charset=ISO-8859-1", GERMAN, id="utf-8-as-latin-1"),
        pytest.param(GERMAN.encode("utf-8-sig"), "text/plain", GERMAN, id="mark"),
        pytest.param("アクセスが拒否されました".encode(), "text/plain", "アクセスが拒否されました", id="japanese"),
        pytest.param("Отказано".encode("cp1251"), "text/plain;charset=windows-1251", "Отказано", id="cyrillic"),
        pytest.param(b"one\ttwo\r\nthree\x0c", "text/plain", "one two three", id="blanks"),
        pytest.param(b'{"errors":[{"message":"f\xfcr"}]}', "application/json;charset=ISO-8859-1", "für", id="json"),
        pytest.param("<title>Größe</title>".encode("latin-1"), "text/html", "Größe", id="page"),
        pytest.param("Größe".encode()[:3], "text/plain", "Gr", id="cut-off-within-a-character"),
    ],
)
def test_text_is_quoted(body, content_type, expected):
    """In the charset of its label, or else in UTF-8 or Latin-1, whichever makes it text."""
    assert words(body, content_type) == expected


@pytest.mark.parametrize("text", ["no\x7fway", "no\x9bway", "no\ufffeway"])
def test_odd_characters_in_text(text):
    """They do not make it binary, and are replaced."""
    assert words(text.encode()) == words(json.dumps({"message": text}, ensure_ascii=False).encode()) == "no�way"


def test_characters_that_cannot_be_printed():
    """JSON can spell them: they are replaced, so that the message can be printed and encoded."""
    body = json.dumps({"errors": [{"message": "no\x00 \ud800 \x1b[2J way\x7f"}]}).encode()
    assert words(body) == "no� � �[2J way�"


async def read(url, session, _):
    await aioartifact.read_bytes(url, session=session)


async def downloaded(url, session, folder):
    await aioartifact.download(url, folder / "new", session=session)


async def described(url, session, _):
    await aioartifact.info(url, session=session)


async def deployed(url, session, folder):
    (folder / "f").write_bytes(b"content")
    await aioartifact.deploy(folder / "f", url, session=session)


@pytest.mark.parametrize(
    ("call", "status"),
    [
        *((call, status) for call in (read, downloaded, described, deployed) for status in (302, 400, 403, 404, 500)),
        *((call, 203) for call in (read, downloaded, described)),
    ],
)
@pytest.mark.parametrize("body", [PNG, BINARY["high-bytes"], BINARY["gzip"]], ids=["png", "high-bytes", "gzip"])
async def test_message(call, status, body, tmp_path):
    """Whatever the call, the message is printable and has the status."""
    async with (
        raw_server(lambda _: response(body, status=status)) as server,
        aioartifact.session(server.url, auth=("user", "secret"), retry=aioartifact.RetryPolicy.none()) as session,
    ):
        with pytest.raises(aioartifact.ArtifactoryError) as caught:
            await call(f"{server.url}/r/f", session, tmp_path)
        assert str(caught.value).replace("—", "").isascii()
        assert getattr(caught.value, "server_message", "") == ""


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "unknown"])
async def test_coding_that_does_not_apply(coding):
    """A body that is not encoded as labelled is judged by its bytes."""
    headers = {"Content-Encoding": coding}
    async with (
        raw_server(lambda _: response(BINARY["random"], status=500, headers=headers)) as server,
        aioartifact.session(server.url, auth=("user", "secret"), retry=aioartifact.RetryPolicy.none()) as session,
    ):
        for call in (read, described):
            with pytest.raises(aioartifact.ArtifactoryError) as caught:
                await call(f"{server.url}/r/f", session, None)
            assert str(caught.value).replace("—", "").isascii()


async def test_latest_version():
    """A binary body is not a version."""
    async with (
        raw_server(lambda _: response(BINARY["high-bytes"])) as server,
        aioartifact.session(server.url, auth=("user", "secret")) as session,
    ):
        with pytest.raises(aioartifact.ProtocolError):
            await aioartifact.latest_version(server.url, "r", "g", "n", method="server", session=session)
