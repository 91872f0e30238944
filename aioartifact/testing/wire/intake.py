"""Bytes that arrive from a network become a blob."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from ..instance import Instance, settled
from ..storage.blobs import BATCH, Content, Upload

SMALL = 64 << 10  # bytes up to which a body is kept in memory and stored without a thread


async def receive(instance: Instance, body: AsyncGenerator[bytes, None]) -> Content:
    """Store a body as a blob: small ones at once, big ones a batch behind the network. *body* is closed."""
    async with aclosing(body):
        start = bytearray()
        async for data in body:
            start += data
            if len(start) > SMALL:
                return await _receive_big(instance, start, body)
        return instance.store.blobs.add(start)


async def _receive_big(instance: Instance, batch: bytearray, body: AsyncGenerator[bytes, None]) -> Content:
    """Hash and write one batch in a thread while the next arrives."""
    in_thread = instance.in_thread
    with instance.store.blobs.upload() as upload:
        writing = asyncio.create_task(in_thread(partial(upload.write, batch)))
        batch = bytearray()
        try:
            async for data in body:
                batch += data
                if len(batch) >= BATCH:
                    await writing
                    writing = asyncio.create_task(in_thread(partial(upload.write, batch)))
                    batch = bytearray()
        finally:
            await settled(writing)  # the thread must let go of the file before it is closed
        writing.result()
        return await in_thread(partial(_finish, upload, batch))


def _finish(upload: Upload, batch: bytearray) -> Content:
    upload.write(batch)
    content = upload.finish()
    upload.commit(content)
    return content
