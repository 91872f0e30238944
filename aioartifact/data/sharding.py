"""Division and order of items, identical in all processes; without I/O."""

import random
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any, Literal, TypeVar

from .._errors import InvalidArgumentError
from .._models import FileInfo
from .._options import check_count, check_several
from .._sync.sync_plan import balanced

T = TypeVar("T")


def shard(items: Iterable[T], *, rank: int = 0, world: int = 1, worker: int = 0, workers: int = 1) -> list[T]:
    """
    Return the items of one worker; each item belongs to exactly one worker of one rank.

    All workers must pass the same items in the same order: sort a listing, or shuffle it with the same seed. The item
    counts of two workers differ by at most one. Example::

        mine = shard(shuffled(files, seed=7, epoch=epoch), rank=rank, world=2, worker=0, workers=4)

    Args:
        items: All items.
        rank: Index of the process, such as ``RANK`` of torchrun.
        world: Number of processes, such as ``WORLD_SIZE``.
        worker: Index of the worker in its process.
        workers: Number of workers per process.

    Raises:
        InvalidArgumentError: If *items* is a str or not iterable, *world* or *workers* is not an integer of at least 1,
            or *rank* or *worker* is not an integer of at least 0 and below *world* or *workers*.
    """
    check_count("world", world)
    check_count("workers", workers)
    _check_index("rank", rank, world)
    _check_index("worker", worker, workers)
    return listed(items)[rank * workers + worker :: world * workers]


def shuffled(items: Iterable[T], *, seed: int, epoch: int = 0) -> list[T]:
    """
    Return the items in a random order; *seed* and *epoch* determine it on every machine and Python version.

    Args:
        items: All items; they are not modified.
        seed: Any integer.
        epoch: Number of the epoch; each epoch has its own order.

    Raises:
        InvalidArgumentError: If *items* is a str or not iterable, or *seed* or *epoch* is not an integer.
    """
    _check_whole("seed", seed)
    _check_whole("epoch", epoch)
    order = listed(items)
    # Python guarantees the values of random() for a str as seed, but not those of shuffle().
    draw = random.Random(f"{seed}/{epoch}").random  # noqa: S311  # not for security
    for last in range(len(order) - 1, 0, -1):
        other = int(draw() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order


def partition(
    items: Iterable[T], n: int, *, by: Literal["size", "count"] | Callable[[T], float] = "size"
) -> list[list[T]]:
    """
    Divide the items into *n* parts of about the same size, for instance for the workers of a cluster.

    Each item is in one part, and the items of a part keep their order. No part exceeds the mean by more than one item.

    Args:
        items: All items.
        n: Number of parts. With fewer items, some are empty.
        by: ``"size"`` balances the sizes of :class:`FileInfo` items; an unknown size counts as the mean of the others.
            ``"count"`` balances the number of items. A function returns the weight of an item, at least 0.

    Raises:
        InvalidArgumentError: If *items* is a str or not iterable, *n* is not an integer of at least 1, *by* is
            ``"size"`` and an item is not a FileInfo, or *by* is not one of the above or returns another value.
    """
    check_count("n", n)
    order = listed(items)
    return [[order[index] for index in part] for part in balanced(_weights(order, by), n)]


def _weights(items: list[Any], by: Any) -> list[float]:
    if by == "count":
        return [1] * len(items)
    if by == "size":
        return _sizes(items)
    if not callable(by):
        raise InvalidArgumentError(f"by={by!r}: expected 'size', 'count' or a function")
    weights: list[Any] = [by(item) for item in items]
    for weight in weights:
        if not isinstance(weight, int | float) or not 0 <= weight < float("inf"):
            raise InvalidArgumentError(f"by: returned {weight!r}; expected a finite number of at least 0")
    return weights


def _sizes(items: list[Any]) -> list[float]:
    for item in items:
        if not isinstance(item, FileInfo):
            raise InvalidArgumentError(
                f"item is a {type(item).__name__}: its size is not known",
                hint="give entries of a listing, or by='count', or a function",
            )
    known = [item.size for item in items if item.size is not None]
    mean = sum(known) / len(known) if known else 1
    return [float(mean if item.size is None else item.size) for item in items]


def listed(items: Iterable[T]) -> list[T]:
    """
    Return *items* as a list.

    Raises:
        InvalidArgumentError: If they are a str or not iterable.
    """
    if isinstance(items, str | AsyncIterable):
        raise InvalidArgumentError(f"items is a {type(items).__name__}; expected a list of items")
    check_several("items", items)
    return list(items)


def _check_whole(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidArgumentError(f"{name}={value!r}: expected a whole number")


def _check_index(name: str, value: object, total: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < total:
        raise InvalidArgumentError(f"{name}={value!r}: expected a whole number from 0 to {total - 1}")
