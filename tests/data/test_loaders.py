"""Loaders of other projects over aioartifact.data, as the guide for training has them."""

import io
import sys
import tarfile
from contextlib import aclosing

import pytest
import webdataset
from spdl.pipeline import PipelineBuilder

from aioartifact.data import iter_in_thread, prefetch, shuffled, tar_samples
from aioartifact.testing import ThreadedArtifactoryServer


def shard_of(first: int, count: int) -> bytes:
    """A tar file of samples, each an image and its class."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number in range(first, first + count):
            for extension, data in (("jpg", b"image %d" % number), ("cls", b"%d" % number)):
                member = tarfile.TarInfo(f"train/{number:06}.{extension}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


@pytest.fixture
def urls(artifactory_env: ThreadedArtifactoryServer) -> list[str]:
    """Files on a server whose credentials are in the environment."""
    for number in range(100):
        artifactory_env.put(f"generic-local/d/{number:03}", b"%d" % number)
    return [f"{artifactory_env.url}/generic-local/d/{number:03}" for number in range(100)]


@pytest.fixture
def shards(artifactory_env: ThreadedArtifactoryServer) -> str:
    """The address of three shards, in the notation of WebDataset."""
    for number in range(3):
        artifactory_env.put(f"generic-local/t/{number:06}.tar", shard_of(number * 20, 20))
    return f"{artifactory_env.url}/generic-local/t/{{000000..000002}}.tar"


async def source(order: list[str]):
    async with prefetch(order) as loaded:
        async for file in loaded:
            yield file.data


def test_spdl_pipeline(urls):
    """An async generator is a source; twice in one process, in the order of the seed."""
    for epoch in range(2):
        order = shuffled(urls, seed=7, epoch=epoch)
        pipeline = PipelineBuilder().add_source(source(order)).pipe(int).add_sink(3).build(num_threads=2)
        with pipeline.auto_stop():
            found = list(pipeline)
        assert [f"{number:03}" for number in found] == [url[-3:] for url in order]


def test_spdl_pipeline_that_is_left_early(urls):
    """The pipeline closes the generator, and with it the connections."""
    closed = []

    async def watched():
        async with aclosing(source(urls)) as contents:
            async for content in contents:
                yield content
        closed.append("at the end")

    async def left_early():
        try:
            async with aclosing(watched()) as contents:
                async for content in contents:
                    yield content
        finally:
            closed.append("early")

    pipeline = PipelineBuilder().add_source(left_early()).pipe(int).add_sink(3).build(num_threads=2)
    with pipeline.auto_stop():
        assert next(iter(pipeline)) == 0
    assert closed == ["early"]


@pytest.mark.parametrize(
    "command", [f"{sys.executable} -m aioartifact -q cat", "curl -sS --fail --netrc"], ids=["cat", "curl"]
)
def test_webdataset_over_a_pipe(shards, artifactory_env, home, command):
    """The samples are those of tar_samples()."""
    machine = artifactory_env.url.split("/")[2].split(":")[0]
    login = f"machine {machine} login {artifactory_env.username} password {artifactory_env.password}\n"
    (home / ".netrc").write_text(login)
    (home / ".netrc").chmod(0o600)
    found = list(webdataset.WebDataset(f"pipe:{command} {shards}", shardshuffle=False))
    urls = [shards.replace("{000000..000002}", f"{number:06}") for number in range(3)]
    ours = list(iter_in_thread(lambda: tar_samples(urls)))
    assert len(ours) == 60
    assert [(each["__key__"], each["jpg"], each["cls"]) for each in found] == [
        (each["__key__"], each["jpg"], each["cls"]) for each in ours
    ]
