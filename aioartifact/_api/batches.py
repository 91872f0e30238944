"""What every bulk call does with its options and its session."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import TypeAlias

import aiohttp

from .._errors import InvalidArgumentError
from .._options import check_choice, check_count
from .._protocol import matrix_parameters
from .._reports import Outcome
from .._session import state_of
from .._transfer.batch import Batch, OnError
from .._transfer.deployer import DeployOptions, Parameters
from .._transfer.plan import Overwrite
from .session import using

# All that a bulk call does; it is begun with ``max_concurrency=``.
Work: TypeAlias = Callable[..., AbstractAsyncContextManager[AsyncIterable[Outcome | Sequence[Outcome]]]]


def checked_options(
    parameters: Parameters | None, min_checksum_deploy: int | None, overwrite: Overwrite = "always"
) -> DeployOptions:
    """
    Return options for deploying, which make sense.

    Raises:
        InvalidArgumentError: A property that a URL cannot carry, no number of bytes, or no way to overwrite.
    """
    if not isinstance(parameters, Mapping | None):
        raise InvalidArgumentError(f"parameters is a {type(parameters).__name__}; expected a mapping of properties")
    matrix_parameters(parameters or {})
    if min_checksum_deploy is not None:
        check_count("min_checksum_deploy", min_checksum_deploy)
    check_overwrite(overwrite)
    return DeployOptions(dict(parameters or {}), min_checksum_deploy, overwrite)


def check_overwrite(overwrite: Overwrite) -> None:
    """
    Make sure *overwrite* is one of its values.

    Raises:
        InvalidArgumentError: It is not.
    """
    check_choice("overwrite", overwrite, ("changed", "always", "never"))


def make_batch(
    prepared: Callable[[aiohttp.ClientSession], AbstractAsyncContextManager[Work]],
    *,
    max_concurrency: int | None,
    on_error: OnError,
    session: aiohttp.ClientSession | None,
) -> Batch:
    """
    Make a bulk call of work that is *prepared* until all of it is done.

    Raises:
        InvalidArgumentError: *max_concurrency* or *on_error* is not one of its values.
    """
    if max_concurrency is not None:
        check_count("max_concurrency", max_concurrency)
    check_choice("on_error", on_error, ("raise", "stop", "collect"))

    @asynccontextmanager
    async def opened_batch() -> AsyncIterator[AsyncIterator[Outcome]]:
        async with using(session) as opened, prepared(opened) as begin:
            limit = max_concurrency or state_of(opened).limits.max_concurrency
            async with begin(max_concurrency=limit) as stream, aclosing(_one_by_one(stream)) as outcomes:
                yield outcomes

    return Batch(opened_batch, on_error)


async def _one_by_one(stream: AsyncIterable[Outcome | Sequence[Outcome]]) -> AsyncGenerator[Outcome, None]:
    async for result in stream:
        if isinstance(result, Outcome):
            yield result
        else:
            for outcome in result:
                yield outcome
