"""
A file system of fsspec for Artifactory: for pandas, pyarrow, dask, xarray and other libraries that use fsspec.

Needs the extra ``fsspec``. ``artifactory://repository/path`` is an item on the server of the storage option
``base_url``, otherwise on the default server, see :func:`aioartifact.resolve_server`.
``artifactory+https://host/artifactory/repository/path`` contains the server.
"""

from .file_system import ArtifactoryFileSystem

__all__ = ["ArtifactoryFileSystem"]

ArtifactoryFileSystem.__module__ = __name__  # pickles and JSON name it
