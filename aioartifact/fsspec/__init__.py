"""
A file system of fsspec for Artifactory, for pandas, pyarrow, dask, xarray and all else that reads fsspec's URLs.

The extra ``fsspec`` installs what this needs. ``artifactory://repository/path`` is an item of the server that the
storage option ``base_url`` names, or else of the default server, see :func:`aioartifact.resolve_server`;
``artifactory+https://host/artifactory/repository/path`` names its server.
"""

from .file_system import ArtifactoryFileSystem

__all__ = ["ArtifactoryFileSystem"]

ArtifactoryFileSystem.__module__ = __name__  # pickles and JSON name it
