"""
Building blocks of data loaders: divide files among workers, and read them ahead of the loop that uses them.

No framework such as PyTorch is needed. :func:`shard`, :func:`shuffled` and :func:`partition` return the same result for
the same arguments on every machine and in every process.
"""

from .prefetching import LoadedFile, Prefetch, prefetch
from .sharding import partition, shard, shuffled
from .tar_samples import Sample, tar_samples
from .threads import ThreadIterator, iter_in_thread

__all__ = [
    "LoadedFile",
    "Prefetch",
    "Sample",
    "ThreadIterator",
    "iter_in_thread",
    "partition",
    "prefetch",
    "shard",
    "shuffled",
    "tar_samples",
]
