"""One file of a call with a cache: from the cache if it has the bytes, else from the server and into the cache."""

from contextlib import suppress
from dataclasses import replace

import aiohttp

from ..._address import ItemURL
from ..._cache import KnownFile, OpenCache, not_cached
from ..._errors import LocalFileError
from ..._files import Staging
from ..._session import state_of
from ..._threads import run
from .one_file import Fetched, WantedFile, fetch_file


async def fetch_through(cache: OpenCache, session: aiohttp.ClientSession, wanted: WantedFile) -> Fetched | None:
    """
    Fetch a file as `fetch_file` does, through a *cache*.

    Raises:
        NotCachedError: If the cache is offline and does not have the file.
        ArtifactoryError: See `fetch_file`.
    """
    return await _CachedFetch(cache, session, wanted).run()


class _CachedFetch:
    """One file, of which the cache may have the bytes."""

    def __init__(self, cache: OpenCache, session: aiohttp.ClientSession, wanted: WantedFile) -> None:
        self._cache = cache
        self._session = session
        self._wanted = wanted
        # What the item was when it was last downloaded; the server may have another file by now.
        self._record: KnownFile | None = None

    async def run(self) -> Fetched | None:
        """Write the file to its target; None if it is unchanged."""
        known = await self._known()
        if known and self._wanted.unless_sha1 and known.checksums.sha1 == self._wanted.unless_sha1:
            return None
        return (known and await self._placed(known)) or await self._fetched()

    async def _known(self) -> KnownFile | None:
        """The content that the file certainly has; None if only the server can say."""
        pin = self._wanted.pin
        if pin is not None and pin.checksums.sha256:
            return KnownFile(pin.size, pin.checksums)
        self._record = record = await self._cache.find_item(self._wanted.item)
        if record is None or (pin and pin.size not in (None, record.size)):
            return None
        if pin and pin.checksums:
            return record if pin.checksums.agree_with(record.checksums) else None
        return record if self._cache.offline else None

    async def _placed(self, known: KnownFile) -> Fetched | None:
        """Place the bytes of *known* at the target; None if the cache does not have them."""
        wanted = self._wanted
        wanted.check_replaceable()
        status = await self._cache.place(known, wanted.target, durable=wanted.durable)
        if status is None or known.size not in (None, status.st_size):
            return None  # a size that contradicts the checksum is an error that the download reports
        state_of(self._session).traffic.found_in_cache()
        if wanted.has_partial:
            await run(_discard_partial, wanted.item, wanted.target)
        wanted.progress.correct(status.st_size)
        wanted.progress.advance(status.st_size)
        return Fetched(status.st_size, known.checksums, status, is_cached=True)

    async def _fetched(self) -> Fetched | None:
        wanted = self._wanted
        if self._cache.offline:
            raise not_cached(f"GET {wanted.item}")
        sha256 = wanted.pin.checksums.sha256 if wanted.pin else None
        async with self._cache.filling(sha256 or self._cache.key_of(wanted.item)):
            # Another task or process may have downloaded it meanwhile.
            known = await self._known()
            if known and (placed := await self._placed(known)):
                return placed
            return await self._fetched_unless_recorded()

    async def _fetched_unless_recorded(self) -> Fetched | None:
        """Download the file, unless the server still has the content that was downloaded before."""
        record, unless_sha1 = await self._usable_record(), self._wanted.unless_sha1
        if record is None:
            return await self._added(unless_sha1)
        fetched = await self._fetch(record.checksums.sha1)
        if fetched is not None:
            return await self._kept(fetched)
        if record.checksums.sha1 == unless_sha1:
            return None
        return await self._placed(record) or await self._added(unless_sha1)

    async def _fetch(self, unless_sha1: str | None) -> Fetched | None:
        return await fetch_file(self._session, replace(self._wanted, unless_sha1=unless_sha1))

    async def _usable_record(self) -> KnownFile | None:
        record, pin = self._record, self._wanted.pin
        if record is None or record.checksums.sha1 is None or (pin and pin.checksums):
            return None
        return record if await self._cache.has(record.checksums.sha256 or "") else None

    async def _added(self, unless_sha1: str | None) -> Fetched | None:
        fetched = await self._fetch(unless_sha1)
        return None if fetched is None else await self._kept(fetched)

    async def _kept(self, fetched: Fetched) -> Fetched:
        """Add a file that was downloaded to the cache."""
        wanted = self._wanted
        sha256 = await self._cache.add(wanted.target, fetched.checksums.sha256, fetched.size)
        if sha256 and not (wanted.pin and wanted.pin.checksums.sha256):
            checksums = replace(fetched.checksums, sha256=sha256)
            await self._cache.remember_item(wanted.item, KnownFile(fetched.size, checksums))
        return fetched


def _discard_partial(item: ItemURL, target: str) -> None:
    """Remove what an interrupted download has left, unless it is in use; blocks."""
    key = str(item)
    with suppress(LocalFileError):
        if Staging.has_record(target, key) and (staging := Staging.shared(target, key)):
            staging.discard()
