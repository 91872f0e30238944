"""A part, its journal and a real disk, driven through everything that can happen to them between two runs."""

import hashlib
import random
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aioartifact._address import parse_item_url
from aioartifact._checksums import Checksums
from aioartifact._errors import LocalFileError
from aioartifact._files import Staging
from aioartifact._files.part_files import shared_part
from aioartifact._protocol import ExpectedContent
from aioartifact._transfer.receive.content import first_missing
from aioartifact._transfer.receive.journal import adopt, decode, journal_of
from aioartifact._transfer.receive.partial_file import PartialFile

ITEM = parse_item_url("https://host/artifactory/r/a.bin")
SIZE = 64


class Remote:
    """One content of the file on the server, of a size of its own."""

    def __init__(self, number: int) -> None:
        draw = random.Random(number)
        self.content = draw.randbytes(draw.choice([1, SIZE // 2, SIZE]))
        self.sha256 = hashlib.sha256(self.content).hexdigest()
        self.promise = ExpectedContent(len(self.content), Checksums(self.sha256), f"etag-{self.sha256}")


class Runs(RuleBasedStateMachine):
    """Runs of a client, one after the other, each of which may be killed at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.target = str(Path(self.folder, "a.bin"))
        self.part = Path(shared_part(self.target, str(ITEM)))
        self.draw = random.Random(0)
        self.partial: PartialFile | None = None
        self.pinned = ExpectedContent(None, Checksums())
        self.committed = {b"old and good"}
        self.lied = False
        self.numbers = iter(range(1_000_000))

    @initialize()
    def set_up(self) -> None:
        Path(self.target).write_bytes(b"old and good")
        self.change_remote()

    def teardown(self) -> None:
        self.end()
        shutil.rmtree(self.folder)

    def end(self) -> None:
        if self.partial:
            self.partial.staging.leave()
        self.partial = None

    @rule()
    def change_remote(self) -> None:
        """Another client deploys other content."""
        self.remote = Remote(next(self.numbers))

    @precondition(lambda self: self.partial is None)
    @rule()
    def start(self) -> None:
        """A new run takes over what is there, or begins anew."""
        staging = Staging.shared(self.target, str(ITEM))
        assert staging is not None
        journal = decode(staging.record())
        kept = adopt(journal, ITEM, staging.size(), None)
        if journal and kept:
            self.partial, self.pinned = PartialFile(staging, journal.size, kept), journal.expected
            self.partial.hash_with(["sha256"])
        else:
            self.begin_anew(staging)

    def begin_anew(self, staging: Staging) -> None:
        staging.empty()
        self.lied = False
        self.pinned = self.remote.promise
        self.partial = PartialFile(staging, self.pinned.size)
        self.partial.hash_with(["sha256"])

    @precondition(lambda self: self.partial)
    @rule(data=st.data())
    def receive(self, data) -> None:
        """Some missing bytes arrive, wherever; another content is noticed by its ETag."""
        if self.pinned.etag != self.remote.promise.etag:
            self.begin_anew(self.partial.staging)
        missing = self.partial.kept.missing(self.pinned.size)
        if not missing:
            return
        gap = data.draw(st.sampled_from(missing))
        start = data.draw(st.integers(gap.start, gap.stop - 1))
        cuts = sorted(data.draw(st.lists(st.integers(start, gap.stop), min_size=1, max_size=3)))
        edges = [start, *cuts]
        chunks = [self.remote.content[a:b] for a, b in zip(edges, cuts, strict=False)]
        self.partial.store(start, chunks)

    @precondition(lambda self: self.partial)
    @rule(most=st.integers(0, SIZE))
    def catch_up(self, most: int) -> None:
        """Something is read back and hashed."""
        self.partial.catch_up(most)

    @precondition(lambda self: self.partial)
    @rule()
    def save(self) -> None:
        """What is there is put on the disk."""
        journal = journal_of(ITEM, self.pinned, self.partial.snapshot())
        self.partial.save(journal)

    @precondition(lambda self: self.partial)
    @rule(cut=st.integers(0, SIZE))
    def crash(self, cut: int) -> None:
        """The power fails: bytes without a record in the journal become anything, or are lost."""
        staging = self.partial.staging
        journal = decode(staging.record())
        safe = journal.kept if journal else ()
        size = max([cut, *(kept.stop for kept in safe)])
        self.end()
        content = bytearray(self.draw.randbytes(size))
        before = self.part.read_bytes()
        for start, stop in safe:
            content[start:stop] = before[start:stop]
        self.part.write_bytes(content)

    @precondition(lambda self: self.partial)
    @rule()
    def kill(self) -> None:
        """The process ends, the system does not: all written bytes are there, whether in the journal or not."""
        self.end()

    @precondition(lambda self: self.partial)
    @rule()
    def others_come(self) -> None:
        """Another process wants the same target: it gets no share of the part, and its own copy in its place."""
        assert Staging.shared(self.target, str(ITEM)) is None
        private = PartialFile(Staging(self.target))
        private.hash_with(["sha256"])
        private.store(0, [self.remote.content])
        assert private.checksums().sha256 == self.remote.sha256
        private.staging.commit()
        self.committed = {self.remote.content}

    @precondition(lambda self: self.partial is None)
    @rule(garbage=st.binary(max_size=8))
    def disk_lies(self, garbage: bytes) -> None:
        """Bytes that were safe are not what they were."""
        with suppress(FileNotFoundError), self.part.open("r+b") as file:
            file.write(garbage)
            self.lied = True

    @precondition(lambda self: self.partial)
    @rule()
    def finish(self) -> None:
        """The rest arrives; what is wrong is noticed, and nothing else takes the target's place."""
        if self.pinned.etag != self.remote.promise.etag:
            self.begin_anew(self.partial.staging)
        while (gap := first_missing(self.pinned, self.partial.kept)) is not None:
            self.partial.store(gap.start, [self.remote.content[gap.start : gap.stop]])
        try:
            right = self.partial.checksums().sha256 == self.pinned.checksums.sha256
        except LocalFileError:
            right = False
        assert right or self.lied
        if right:
            self.partial.staging.commit()
            self.committed = {self.remote.content}
            assert not self.part.exists()
        else:
            self.partial.staging.discard()
        self.end()

    @invariant()
    def target_is_always_right(self) -> None:
        """At any moment the target holds a content that the server had, whole."""
        if Path(self.target).exists():
            assert Path(self.target).read_bytes() in self.committed


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=60, stateful_step_count=40)
