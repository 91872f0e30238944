"""
Work for several processes: jobs go out in small chunks, results and progress come back in others.

The processes are started as ``python -c``, each with two pipes, and not by multiprocessing: that would import the
caller's ``__main__`` in each of them, which must then guard everything it does, and cannot at all be imported from a
prompt or a notebook. All that a process must know, credentials included, comes through its pipe: nothing is in its
arguments, its environment or a file. Once the pipe is closed, by whatever end the caller has come to, it ends.
"""

from .pool import run_in_processes

__all__ = ["run_in_processes"]
