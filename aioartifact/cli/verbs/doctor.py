"""``doctor``: find out what is wrong with a server, or the way to it."""

import shutil
import sys
import textwrap
from dataclasses import asdict
from urllib.parse import urlsplit

import click

import aioartifact

from .. import render
from ..arguments import URL, as_json, server_or_default
from ..errors import DONE, FAILED
from ..render import CYAN, GREEN, RED, YELLOW
from ..running import run
from ..settings import SessionOptions, Settings

_COLOURS = {"ok": GREEN, "warn": YELLOW, "fail": RED}
# Shorter than those of transfers: a person waits for the answer.
_TIMEOUTS = aioartifact.Timeouts(connect=10.0, stall=20.0, reply=30.0)
_INDENT = " " * 20


@click.command()
@click.argument("url", type=URL, required=False, callback=server_or_default)
@as_json
@click.pass_obj
def doctor(settings: Settings, url: str, as_json: bool) -> int:
    """
    Find out what is wrong with a server or the connection to it.

    Checks host name, proxy, certificate, address, clock, latency, version, credentials, listing and downloads. URL is
    the address of a server, or of a folder to check with. Exit code 1 if a check fails; nothing is changed.
    """

    async def call() -> aioartifact.Diagnosis:
        async with aioartifact.session(**_options(settings, url)) as session:
            return await aioartifact.diagnose(url, session=session)

    found = run(call)
    for finding in found.findings:
        if sys.stdout.isatty() and not as_json:
            render.styled(_parts(finding))
        else:
            fields = (finding.status, finding.check, finding.text, finding.hint or "")
            render.row("\t".join(fields).rstrip(), asdict(finding), as_json=as_json)
    return DONE if found.ok else FAILED


def _options(settings: Settings, url: str) -> SessionOptions:
    options = settings.of(None)
    if settings.credentials:
        # The address may be wrong, but not its host.
        parts = urlsplit(aioartifact.url(url))
        options["auth"] = {f"{parts.scheme}://{parts.netloc}": settings.credentials}
    options["retry"] = options["retry"] or aioartifact.RetryPolicy.none()
    options["timeouts"] = options["timeouts"] or _TIMEOUTS
    return options


def _parts(finding: "aioartifact.Finding") -> list[tuple[str, str]]:
    width = max(40, shutil.get_terminal_size().columns - len(_INDENT))
    texts = [textwrap.wrap(text, width, break_long_words=False) for text in (finding.text, finding.hint or "")]
    first, *more = texts[0]
    lines = [(f" {finding.check:<{len(_INDENT) - 6}}{first}", ""), *((f"\n{_INDENT}{line}", "") for line in more)]
    hints = [part for line in texts[1] for part in ((f"\n{_INDENT}", ""), (line, CYAN))]
    return [(f"{finding.status:<5}", _COLOURS[finding.status]), *lines, *hints]
