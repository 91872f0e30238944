"""
Write ``aioartifact/blocking.pyi``: what type checkers and editors know of `aioartifact.blocking`.

The signatures are those in the source of the asynchronous functions, rewritten. ``tests/test_blocking_types.py`` fails
if the file is not current; then run ``python .ci/blocking_stubs.py``.
"""

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import aioartifact
from aioartifact._blocking.classes import BLOCKING_CLASSES, needs_event_loop
from aioartifact._blocking.functions import blocking_text
from aioartifact._blocking.functions import needs_event_loop as function_needs_event_loop
from aioartifact._blocking.names import OWN_NAMES, names

PACKAGE = Path(aioartifact.__file__).parent
TARGET = PACKAGE / "blocking.pyi"
WIDTH = 120

HEADER = '''\
"""The functions of aioartifact for code that blocks. Written by .ci/blocking_stubs.py."""

# mypy: disable-error-code="override"
# pyright: reportIncompatibleMethodOverride=false
# Methods of paths and tables block here, and are awaited in their base classes.

'''
REWRITTEN = (
    (r"\baiohttp\.ClientSession\b", "Session"),
    (r"\bAbstractAsyncContextManager\b", "AbstractContextManager"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\bBatch\b", "Report"),
)
_SPECIAL = {"__init__", "__truediv__"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """
    A module of the package.

    Attributes:
        tree: Its source.
    """

    def __init__(self, dotted: str) -> None:
        base = PACKAGE.joinpath(*dotted.split("."))
        path = base.with_suffix(".py") if base.with_suffix(".py").is_file() else base / "__init__.py"
        self.tree = ast.parse(path.read_text("utf-8"))
        self._package = path.relative_to(PACKAGE.parent).with_suffix("").parts[:-1]
        self._dotted = ".".join([*self._package, *([] if path.stem == "__init__" else [path.stem])])

    def definitions(self, name: str) -> list[Function | ast.ClassDef]:
        """Return the function or class *name*: of one with overloads, only these."""
        nodes = [node for node in self.tree.body if isinstance(node, Function | ast.ClassDef) and node.name == name]
        return nodes[:-1] or nodes

    def home_of(self, name: str) -> "Module":
        """Return the module that defines *name*, which this one may import."""
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
                return Module(self._absolute(node).removeprefix(f"{aioartifact.__name__}."))
        return self

    def import_of(self, name: str) -> str:
        """Return the import that makes *name* known in another module."""
        for node in self.tree.body:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name == name:
                        return f"import {name}"
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return f"from {self._absolute(node)} import {ast.unparse(alias)}"
        return f"from {self._dotted} import {name}"

    def _absolute(self, node: ast.ImportFrom) -> str:
        base = self._package[: len(self._package) - node.level + 1] if node.level else ()
        return ".".join([*base, *([node.module] if node.module else [])])


class Stubs:
    """The text of the stubs, and the imports that it needs."""

    def __init__(self) -> None:
        self._imports: set[str] = {
            "from collections.abc import Iterator",
            "from contextlib import AbstractContextManager",
        }
        self._public = frozenset(names())

    def text(self) -> str:
        exported, parts = [], []
        for name in sorted(self._public):
            part = self._part(name)
            if part is None:
                home = "._blocking.values" if name in OWN_NAMES else "."
                exported.append(f"from {home} import {name} as {name}")
            else:
                parts.append(part)
        imports = "\n".join(sorted(self._imports, key=lambda line: ("aioartifact" in line, line)))
        return f"{HEADER}{imports}\n" + "\n".join(sorted(exported)) + "\n\n" + "\n\n".join(parts) + "\n"

    def _part(self, name: str) -> str | None:
        original = name.removeprefix("iter_")
        if name in OWN_NAMES and name not in BLOCKING_CLASSES:
            return None
        module = Module(aioartifact._MODULES[original]).home_of(original)  # noqa: SLF001
        nodes = module.definitions(original)
        if name in BLOCKING_CLASSES:
            return "\n".join(
                line for node in nodes if isinstance(node, ast.ClassDef) for line in self._class(module, node)
            )
        functions = [node for node in nodes if isinstance(node, Function)]
        if not functions or not function_needs_event_loop(getattr(aioartifact, original)):
            return None
        return "\n".join(
            line for node in functions for line in self._function(module, node, name, is_iterating=name != original)
        )

    def _class(self, module: Module, node: ast.ClassDef) -> Iterator[str]:
        """Yield a subclass with the members that have other types here."""
        self._imports.add(f"from aioartifact import {node.name} as _{node.name}")
        yield f"class {node.name}(_{node.name}):"
        yield from _docstring(node)
        for member in node.body:
            if not isinstance(member, Function) or (member.name.startswith("_") and member.name not in _SPECIAL):
                continue
            original = vars(getattr(aioartifact, node.name))[member.name]
            if needs_event_loop(original) or _mentions(member, node.name, "aiohttp"):
                yield ""
                for line in self._function(module, member, member.name):
                    yield f"    {line}".rstrip()

    def _function(self, module: Module, node: Function, name: str, *, is_iterating: bool = False) -> Iterator[str]:
        decorators = {ast.unparse(each) for each in node.decorator_list}
        returns = self._annotation(module, node.returns)
        if "asynccontextmanager" in decorators:
            returns = returns.replace("Iterator", "AbstractContextManager", 1)
        if is_iterating:
            returns = "Outcomes"
        parameters = list(self._parameters(module, node))
        if "overload" in decorators:
            self._imports.add("from typing import overload")
        for decorator in sorted(decorators - {"asynccontextmanager"}):
            yield f"@{decorator}"
        line = f"def {name}({', '.join(parameters)}) -> {returns}:"
        if len(line) <= WIDTH - 4:
            yield line
        else:
            yield f"def {name}("
            yield from (f"    {parameter}," for parameter in parameters)
            yield f") -> {returns}:"
        yield from _docstring(node, f"Yield the outcomes of `{node.name}` as they finish." if is_iterating else None)

    def _parameters(self, module: Module, node: Function) -> Iterator[str]:
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
        for argument, default in zip(positional, defaults, strict=True):
            yield self._parameter(module, argument, default)
        if arguments.vararg is not None:
            yield "*" + self._parameter(module, arguments.vararg, None)
        elif arguments.kwonlyargs:
            yield "*"
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            yield self._parameter(module, argument, default)

    def _parameter(self, module: Module, node: ast.arg, default: ast.expr | None) -> str:
        if node.annotation is None:
            return node.arg
        text = f"{node.arg}: {self._annotation(module, node.annotation)}"
        return text if default is None else f"{text} = {_default(default)}"

    def _annotation(self, module: Module, node: ast.expr | None) -> str:
        assert node is not None
        text = ast.unparse(node)
        for pattern, replacement in REWRITTEN:
            text = re.sub(pattern, replacement, text)
        if "Literal" not in text:
            text = re.sub(r"'(\w+)'", r"\1", text)  # stubs need no quotes for names that are defined later
        for each in ast.walk(ast.parse(text, mode="eval")):
            if isinstance(each, ast.Name):
                self._require(module, each.id)
        return text

    def _require(self, module: Module, name: str) -> None:
        builtin = name in __builtins__ if isinstance(__builtins__, dict) else hasattr(__builtins__, name)
        known = {"Session", "AbstractContextManager", "Iterator", *self._public}
        if not builtin and name not in known:
            self._imports.add(module.import_of(name))


def _mentions(node: Function, *words: str) -> bool:
    head = " ".join(ast.unparse(each) for each in [node.args, *([node.returns] if node.returns else [])])
    return any(word in head for word in words)


def _default(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return f'"{node.value}"' if isinstance(node.value, str) else repr(node.value)
    return "()" if ast.unparse(node) == "()" else "..."


def _docstring(node: Function | ast.ClassDef, text: str | None = None) -> list[str]:
    summary = text or blocking_text(ast.get_docstring(node) or "").split("\n\n")[0]
    summary = re.sub(r":\w+:`(\w+)`", r"`\1`", " ".join(summary.split()))
    if not summary:
        return ["    ..."]
    if len(summary) < WIDTH - 20:
        return [f'    """{summary}"""']
    return ['    """', *(f"    {line}" for line in textwrap.wrap(summary, WIDTH - 8)), '    """']


if __name__ == "__main__":
    TARGET.write_text(Stubs().text(), "utf-8")
