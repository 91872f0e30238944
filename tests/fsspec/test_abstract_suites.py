"""The test suites of fsspec for file systems, unmodified."""

import fsspec.tests.abstract as abstract
import pytest

# In older versions of fsspec.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Class-scoped fixture")]


class Fixtures(abstract.AbstractFixtures):
    @pytest.fixture
    def fs(self, new_fs):
        return new_fs()

    @pytest.fixture
    def fs_path(self, fs):
        return "data"

    @pytest.fixture
    def fs_join(self):
        return lambda *parts: "/".join(parts)


class TestCopy(abstract.AbstractCopyTests, Fixtures):
    pass


class TestGet(abstract.AbstractGetTests, Fixtures):
    pass


class TestPut(abstract.AbstractPutTests, Fixtures):
    pass


class TestOpen(abstract.AbstractOpenTests, Fixtures):
    pass


class TestPipe(abstract.AbstractPipeTests, Fixtures):
    pass
