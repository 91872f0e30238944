"""The fixtures of tests of the file system."""

from fsspec_fixtures import fs, module_server, new_fs, server

__all__ = ["fs", "module_server", "new_fs", "server"]
