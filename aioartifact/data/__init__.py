"""
Building blocks of data loaders: which worker reads which files, and files ahead of the loop that uses them.

Nothing here needs PyTorch or another framework. The functions that choose files are pure: for the same arguments they
return the same on every machine and in every process.
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
