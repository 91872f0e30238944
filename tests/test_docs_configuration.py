"""``docs/reference/configuration.md`` has every variable of the environment and every setting that the code reads."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

import aioartifact

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/reference/configuration.md").read_text("utf-8")
SOURCES = "\n".join(path.read_text("utf-8") for path in ROOT.glob("aioartifact/**/*.py") if path.name != "plugin.py")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in re.findall(r"^\| `.*\|$", PAGE.partition("## Settings of a session")[2], re.MULTILINE)
]


def test_table_has_every_variable():
    """Whatever is read with ``environ`` or named ``…_VARIABLE`` in the code is in the table."""
    read = set(re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", SOURCES))
    read |= {name for line in re.findall(r"_VARIABLE = (.*)", SOURCES) for name in re.findall(r"[A-Z_]{4,}", line)}
    assert {"NETRC", "JF_URL", "SSL_CERT_FILE", "TERM"} <= read
    assert read - set(re.findall(r"`([A-Z_]+)`", PAGE)) == set()


@pytest.mark.parametrize("settings", [aioartifact.RetryPolicy, aioartifact.Timeouts, aioartifact.Limits])
def test_table_has_every_setting_with_its_default(settings):
    """A setting that is missing, or whose default has changed, fails here."""
    listed = {row[0].strip("`"): row[1].removesuffix(" s") for row in ROWS}
    expected = {f"{settings.__name__}.{field.name}": str(field.default) for field in fields(settings)}
    assert {name: listed.get(name) for name in expected} == expected


def test_table_has_every_argument_of_a_session():
    """The arguments of ``session()`` are in the order of its signature."""
    arguments = list(inspect.signature(aioartifact.session).parameters)
    assert [row[0].strip("`") for row in ROWS if row[0].strip("`") in arguments] == arguments
