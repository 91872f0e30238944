"""``POST api/build/promote`` (Pro): a status for a run, its files copied or moved, properties set on them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...protocol import build_info, formats, jackson
from ...protocol.build_info import BuildInfoError, Run
from ...protocol.replies import VENDOR, Reply, json_reply, refuse
from ...storage.store import Item
from ...wire.exchange import Exchange
from ..items.relocation import COPY, MOVE, Relocation
from ..request_checks import demand_pro
from ..security.entities import Document, flag, mapping, text, texts
from .build_access import BuildAccess, access, path_names, read_object
from .build_artifacts import artifacts_of, dependencies_of
from .build_publication import publish_document

_RESULT = f"{VENDOR}build.PromotionResult+json"
_MAPPINGS = "The use of both 'sourceRepo' or 'targetRepo' and 'mappings' fields is forbidden"


async def promote(exchange: Exchange) -> Reply:
    """Promote the newest run with a number."""
    exchange.demand_user()
    name, number = path_names(exchange, "api/build/promote", count=2)
    sent = await read_object(exchange)
    if sent.get("mappings") is not None:
        named = any(sent.get(each) is not None for each in ("sourceRepo", "targetRepo"))
        refuse(400, _MAPPINGS if named else "'mappings' are not served")
    demand_pro(exchange)
    promotion = Promotion.of(sent)
    builds = access(exchange)
    run = builds.find(name, number)
    if run is None:
        refuse(404, f"Cannot find build by the name '{name}' and the number '{number}' which started on null.")
    builds.demand("w", run)
    task = _Task(builds, run, promotion)
    await exchange.instance.in_thread(task.run)
    messages: jackson.JSON = [{"level": level, "message": message} for level, message in task.messages]
    return json_reply(
        {"messages": messages}, _RESULT, status=400 if promotion.fails_fast and task.has_problems else 200
    )


@dataclass(frozen=True, slots=True)
class Promotion:
    """
    The parameters of a promotion.

    Attributes:
        status: The new status, ``""`` for none.
        timestamp: When it was given, ``""`` for now.
        source: The only repository whose files are promoted, ``""`` for any.
        target: Repository that gets the files; ``""`` if they stay.
        is_copy: Whether they are copied, and not moved.
        scopes: Scopes of the dependencies that are promoted; none for all.
        properties: Values to set on the files.
        is_dry: Report what would happen, and change nothing.
        fails_fast: Stop at the first problem.
    """

    status: str
    comment: str
    ci_user: str
    timestamp: str
    source: str
    target: str
    is_copy: bool
    with_artifacts: bool
    with_dependencies: bool
    scopes: Sequence[str]
    properties: Mapping[str, Sequence[str]]
    is_dry: bool
    fails_fast: bool

    @classmethod
    def of(cls, sent: Document) -> "Promotion":
        """
        Read a promotion.

        Raises:
            RefusalError: 400 if a field has another type than it should have.
        """
        properties = mapping(sent, "properties") or {}
        return cls(
            status=text(sent, "status"),
            comment=text(sent, "comment"),
            ci_user=text(sent, "ciUser"),
            timestamp=text(sent, "timestamp"),
            source=text(sent, "sourceRepo").strip(),
            target=text(sent, "targetRepo"),
            is_copy=flag(sent, "copy", default=False),
            with_artifacts=flag(sent, "artifacts", default=True),
            with_dependencies=flag(sent, "dependencies", default=False),
            scopes=texts(sent, "scopes") or (),
            properties={key: texts(properties, key) or () for key in properties},
            is_dry=flag(sent, "dryRun", default=False),
            fails_fast=flag(sent, "failFast", default=True),
        )


@dataclass(slots=True)
class _Task:
    """
    One promotion and its messages.

    Attributes:
        messages: Level and text.
    """

    builds: BuildAccess
    promoted: Run
    promotion: Promotion
    messages: list[tuple[str, str]] = field(default_factory=list)

    @property
    def has_problems(self) -> bool:
        """Whether there was an error or a warning."""
        return any(level != "INFO" for level, _ in self.messages)

    def run(self) -> None:
        """
        Promote.

        Raises:
            RefusalError: 404 if there is no such repository; 400 if an artifact is missing and the promotion fails
                fast.
        """
        document = self.builds.document(self.promoted)
        target = self._target()
        if not target:
            self._report("INFO", "Skipping build item relocation: no target repository selected.")
        items = self._collect(document) if target or self.promotion.properties else ()
        if target:
            items = self._relocate(items, target)
        if self.promotion.properties:
            self._annotate(items)
        self._set_status(document)

    def _target(self) -> str:
        """Return the local repository that gets the files: that of a virtual one, ``""`` for none."""
        key, repositories = self.promotion.target, self.builds.exchange.instance.repositories
        if not key.strip():
            return ""
        found = repositories.get(key)
        if found and found.kind == "virtual":
            found = repositories.get(found.deploy_to)
        if found is None or found.kind not in ("local", "cache"):
            refuse(404, f"Cannot find target repository by the key '{key}'.")
        return found.key

    def _collect(self, document: dict[str, Any]) -> Sequence[Item]:
        run, promotion = self.promoted, self.promotion
        items: dict[int, Item] = {}
        if promotion.with_artifacts:
            found = artifacts_of(self.builds, document, promotion.source)
            for file in found.missing:
                self._report("ERROR", f"Unable to find artifact '{file.name}' of build '{run.name}' #{run.number}")
            if found.missing and promotion.fails_fast:
                refuse(400, f"Unable to find artifacts of build '{run.name}' #{run.number}: aborting promotion.")
            items |= {item.id: item for item in found.items}
        if promotion.with_dependencies:
            found = dependencies_of(self.builds, document, promotion.scopes)
            for file in found.missing:
                self._report("ERROR", f"Unable to find dependency '{file.name}' of build '{run.name}' #{run.number}")
            items |= {item.id: item for item in found.items}
        return list(items.values())

    def _relocate(self, items: Iterable[Item], target: str) -> Sequence[Item]:
        """Copy or move *items*, and return what they are now."""
        store, moved = self.builds.exchange.instance.store, []
        for item in items:
            relocation = self._relocation(item, target)
            relocation.run()
            self.messages += [each for each in relocation.messages if each[0] != "INFO"]
            if relocation.status != 200 and self.promotion.fails_fast:
                break
            if found := store.get(target, item.path):
                moved.append(found)
        return moved

    def _relocation(self, item: Item, target: str) -> Relocation:
        exchange = self.builds.exchange
        exchange.target = exchange.target.elsewhere(item.repo, item.path)
        verb = COPY if self.promotion.is_copy else MOVE
        is_dry, fails_fast = self.promotion.is_dry, self.promotion.fails_fast
        return Relocation(exchange, verb, target, item.path, is_dry=is_dry, is_atomic=False, fails_fast=fails_fast)

    def _annotate(self, items: Iterable[Item]) -> None:
        exchange = self.builds.exchange
        for item in items:
            if not exchange.instance.accounts.can(exchange.user, "n", item.repo, item.path):
                self._report("WARNING", f"User doesn't have permissions to annotate '{item.repo}:{item.path}'")
                if self.promotion.fails_fast:
                    return
            elif not self.promotion.is_dry:
                exchange.instance.store.set_properties(item, self.promotion.properties, recursive=False)

    def _set_status(self, document: dict[str, Any]) -> None:
        promotion = self.promotion
        if promotion.fails_fast and self.has_problems:
            message = "Skipping promotion status update: item promotion was completed with errors and warnings."
            self._report("INFO", message)
            return
        if not promotion.status.strip():
            self._report("INFO", "Skipping promotion status update: no status received.")
            return
        now = self.builds.exchange.instance.now_ms()
        timestamp = promotion.timestamp.strip() or formats.iso_without_colon(now, self.builds.exchange.instance.zone)
        try:
            when = build_info.parse_started(timestamp)
        except BuildInfoError:
            message = f"Skipping promotion status update: invalid\\unparsable timestamp {timestamp}."
            self._report("ERROR", message)
            return
        if not promotion.is_dry:
            self._record(document, timestamp, when)

    def _record(self, document: dict[str, Any], timestamp: str, when: int) -> None:
        """Replace the document by one with a further status; as on the real server, it counts as created anew."""
        promotion, store = self.promotion, self.builds.exchange.instance.store
        status = {
            "status": promotion.status,
            "comment": promotion.comment,
            "repository": promotion.target,
            "timestamp": timestamp,
            "timestampDate": when,
            "user": self.builds.exchange.user.name,
            "ciUser": promotion.ci_user,
        }
        document["statuses"] = [
            *document.get("statuses", ()),
            {key: value for key, value in status.items() if value != ""},
        ]
        with store.transaction():
            if before := store.get(self.builds.repository, self.promoted.path):
                store.delete(before)
            publish_document(self.builds, document)

    def _report(self, level: str, message: str) -> None:
        self.messages.append((level, message))
