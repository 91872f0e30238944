"""Credentials from the output of a helper program."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import anyio
from anyio.abc import ByteReceiveStream, Process

from ..._address import ServerURL, URLLike
from ..._credentials import Credentials, HelperInput, SendToken, helper_input, read_helper_output
from ..._errors import CredentialsError, InvalidArgumentError
from ..._options import check_choice
from .standalone import StandaloneProvider

_MAX_OUTPUT = 64 * 1024


class Command(StandaloneProvider):
    """
    Credentials from the standard output of a helper program.

    ::

        aioartifact.Command(["vault", "kv", "get", "-field=token", "secret/artifactory"])
        aioartifact.Command(["git", "credential", "fill"], stdin="git")
        aioartifact.Command(["docker-credential-pass", "get"], stdin="url")

    The output is one of:

    - one line with an access token
    - a JSON object with ``token`` or ``access_token``, or with ``username`` and ``password``; optionally with
      ``expires_in`` (seconds) or ``expires_at`` (RFC 3339)
    - the output of a credential helper of docker, or kubectl's ``ExecCredential``
    - the output of ``git credential fill``: lines ``username=…``, ``password=…``, ``password_expiry_utc=…``

    The program runs before the first request of a session, before the credentials expire, and after a 401. Its variable
    ``AIOARTIFACT_SERVER`` is the base address of the server; ``AIOARTIFACT_FORCE`` is ``1`` after a 401, else empty. It
    runs without a shell, and its standard error is discarded. If it does not end in time, or the request is cancelled,
    it is killed with its child processes.

    Args:
        command: The program and its arguments.
        stdin: Standard input: ``"none"``; ``"url"``, the base address of the server; or ``"git"``, the lines
            ``protocol``, ``host`` and ``path``.
        timeout: Maximum run time in seconds; ``Timeouts.credentials`` of the session is a limit, too.
        env: Environment variables to set in addition to those of this process.
        server: Base address of the server, for calls of :meth:`credentials` without a session.

    Raises:
        InvalidArgumentError: If *command* is empty or not a list of str, or another argument has the wrong type.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdin: HelperInput = "none",
        timeout: float = 30.0,
        env: Mapping[str, str] | None = None,
        server: URLLike | None = None,
    ) -> None:
        super().__init__(server)
        self._command = _checked(command)
        check_choice("stdin", stdin, ("none", "url", "git"))
        _check_seconds(timeout)
        _check_variables(env)
        self._stdin: HelperInput = stdin
        self._timeout = timeout
        self._env = dict(env or {})
        self._source = f"command {os.path.basename(self._command[0])}"  # noqa: PTH119  # arguments may contain secrets

    def __repr__(self) -> str:
        return f"Command([{self._command[0]!r}, …])" if len(self._command) > 1 else f"Command({self._command!r})"

    async def fetch(
        self, server: ServerURL, send: SendToken, current: Credentials | None, *, is_refused: bool
    ) -> Credentials:
        """Run the program."""
        env = {**os.environ, **self._env, "AIOARTIFACT_SERVER": str(server)}
        env["AIOARTIFACT_FORCE"] = "1" if is_refused else ""
        output: bytes | None = None
        with anyio.move_on_after(self._timeout):
            output = await self._run(helper_input(server, self._stdin), env)
        if output is None:
            raise self._error(f"did not end within {self._timeout:g} s")
        return read_helper_output(output, self._source, time.time())

    async def _run(self, data: bytes, env: Mapping[str, str]) -> bytes:
        """Run the program to its end, and return its output."""
        starting = asyncio.ensure_future(
            anyio.open_process(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=env,
                start_new_session=sys.platform != "win32",
            )
        )
        try:
            process = await _started(starting)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
        else:
            return await self._communicate(process, data)
        raise self._error(f"cannot be run: {reason}")

    async def _communicate(self, process: Process, data: bytes) -> bytes:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # the program need not read its input
                await process.stdin.send(data)
                await process.stdin.aclose()
            output = await self._read(process.stdout)
            status = await process.wait()
        except BaseException:
            _kill(process)
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await process.aclose()
        if status:
            raise self._error(f"ended with status {status}", "run it by hand: its messages are not shown here")
        return output

    async def _read(self, stream: ByteReceiveStream) -> bytes:
        output = b""
        async for chunk in stream:
            output += chunk
            if len(output) > _MAX_OUTPUT:
                raise self._error(f"printed more than {_MAX_OUTPUT} bytes")
        return output

    def _error(self, what: str, hint: str | None = None) -> CredentialsError:
        return CredentialsError(f"{self._source} {what}", source=self._source, hint=hint)


async def _started(starting: "asyncio.Future[Process]") -> Process:
    """
    Wait until a program has started; a cancellation takes effect only then, and kills it.

    A cancellation during the start would leave child processes of the program, and in CPython 3.11 to 3.13 it may wait
    for the pipes of the program forever.
    """
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        while not starting.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({starting})
        if starting.exception() is None:
            process = starting.result()
            _kill(process)
            with anyio.CancelScope(shield=True):
                await process.aclose()
        raise


def _checked(command: object) -> list[str]:
    """Return *command* as a list; errors do not quote it, because arguments may contain secrets."""
    if isinstance(command, str) or not isinstance(command, Sequence):
        raise InvalidArgumentError(
            f"command is a {type(command).__name__}; expected a list such as ['helper', 'get']",
            hint="shlex.split() makes one of a command line",
        )
    if not command or not all(isinstance(each, str) and "\0" not in each for each in command) or not command[0]:
        raise InvalidArgumentError("command: expected a program and its arguments, all of them texts")
    return list(command)


def _check_seconds(timeout: object) -> None:
    if not isinstance(timeout, int | float) or isinstance(timeout, bool) or not timeout > 0:
        raise InvalidArgumentError(f"timeout={timeout!r}: expected seconds above 0")


def _check_variables(env: object) -> None:
    if env is None:
        return
    if not isinstance(env, Mapping):
        raise InvalidArgumentError(f"env is a {type(env).__name__}; expected a mapping")
    if not all(isinstance(text, str) and "\0" not in text for pair in env.items() for text in pair):
        raise InvalidArgumentError("env: expected names and values that are texts")


def _kill(process: Process) -> None:
    """Kill a program and its child processes."""
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform != "win32":
            os.killpg(process.pid, signal.SIGKILL)
        elif process.returncode is None:
            process.kill()
