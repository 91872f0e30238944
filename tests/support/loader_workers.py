"""
Workers of a data loader, in a program of its own: a process that forks should have no other threads.

    python loader_workers.py epochs METHOD WORKERS | forked | killed

The URLs come from stdin, as JSON; the answer goes to stdout, as JSON. The data set is an ``IterableDataset`` of PyTorch
in all but its base class: it is sent to each worker, which iterates over it, to its end or not.
"""

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable

from aioartifact import SessionError
from aioartifact.data import iter_in_thread, prefetch, shard, shuffled

WORLD = EPOCHS = 2


class Files:
    def __init__(self, urls: list[str], workers: int) -> None:
        self.urls, self.workers = urls, workers
        self.epoch = 0

    def iterate(self, rank: int, worker: int):
        order = shuffled(self.urls, seed=5, epoch=self.epoch)
        mine = shard(order, rank=rank, world=WORLD, worker=worker, workers=self.workers)
        return iter_in_thread(lambda: prefetch(mine))


def work(dataset: Files, rank: int, worker: int, queue) -> None:
    for dataset.epoch in range(EPOCHS):
        queue.put((rank, worker, dataset.epoch, [int(file.data) for file in dataset.iterate(rank, worker)]))
    for _ in dataset.iterate(rank, worker):
        break  # and the process ends all the same


def epochs(urls: list[str], method: str, workers: str) -> object:
    """Numbers of the files that each worker has seen, by rank, worker and epoch; and the exit codes."""
    context, dataset = multiprocessing.get_context(method), Files(urls, int(workers))
    queue = context.Queue()
    places = [(rank, worker) for rank in range(WORLD) for worker in range(dataset.workers)]
    processes = [context.Process(target=work, args=(dataset, *place, queue)) for place in places]
    for process in processes:
        process.start()
    seen = sorted(queue.get() for _ in range(len(places) * EPOCHS))
    for process in processes:
        process.join()
    return {"seen": seen, "codes": [process.exitcode for process in processes]}


def take(iterator, queue) -> None:
    try:
        queue.put(next(iterator).data.decode())
    except SessionError as error:
        queue.put(type(error).__name__)


def forked(urls: list[str]) -> object:
    """What a child gets of an iteration that has begun and of one that has not; and the rest of the former."""
    context = multiprocessing.get_context("fork")
    begun, fresh = (iter_in_thread(lambda: prefetch(urls)) for _ in range(2))
    next(begun)
    answers = []
    for iterator in (begun, fresh):
        queue = context.SimpleQueue()
        child = context.Process(target=take, args=(iterator, queue))
        child.start()
        answers.append(queue.get())
        child.join()
        answers.append(child.exitcode)
    return [*answers, *(file.data.decode() for file in begun)]


def kill(urls: list[str]) -> None:
    next(iter_in_thread(lambda: prefetch(urls)))
    os.kill(os.getpid(), signal.SIGKILL)


def killed(urls: list[str]) -> object:
    """The exit code of a worker that was killed, and what another one reads afterwards."""
    child = multiprocessing.get_context("fork").Process(target=kill, args=(urls,))
    child.start()
    child.join()
    return [child.exitcode, len(list(iter_in_thread(lambda: prefetch(urls))))]


if __name__ == "__main__":
    jobs: dict[str, Callable[..., object]] = {"epochs": epochs, "forked": forked, "killed": killed}
    json.dump(jobs[sys.argv[1]](json.load(sys.stdin), *sys.argv[2:]), sys.stdout)
