"""The public names: what is promised is there, is documented, and costs nothing until it is used."""

import ast
import importlib
import inspect
import pickle
import re
import subprocess
import sys
import typing
import zipfile
from pathlib import Path

import pytest

import aioartifact
from aioartifact import _errors

PUBLIC_NAMES = Path(aioartifact.__file__).with_name("_public.py")
REFERENCE = "".join(page.read_text("utf-8") for page in Path(__file__).parent.parent.glob("docs/reference/api/*.md"))
OBJECTS = {name: getattr(aioartifact, name) for name in aioartifact.__all__}
DEFINED = {name: value for name, value in OBJECTS.items() if inspect.isclass(value) or inspect.isroutine(value)}
CLASSES = {name: value for name, value in DEFINED.items() if inspect.isclass(value)}
METHODS = {  # what a base class declares is documented there
    f"{name}.{member}": value
    for name, cls in CLASSES.items()
    for member, value in vars(cls).items()
    if inspect.isroutine(value) or isinstance(value, property)
    if not member.startswith("_") and not any(hasattr(base, member) for base in cls.__mro__[1:])
}


def run_python(code: str) -> str:
    """Output of *code* in a fresh interpreter."""
    return subprocess.run([sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True).stdout


def test_all_is_sorted():
    """Every public name has one place in the list."""
    assert aioartifact.__all__ == sorted(set(aioartifact.__all__))


def test_all_agrees_with_what_type_checkers_see():
    """The names that type checkers import, those resolved at run time and ``__all__`` are the same."""
    statements = [node for node in ast.parse(PUBLIC_NAMES.read_text("utf-8")).body if not isinstance(node, ast.Expr)]
    seen = {alias.name: node.module for node in statements for alias in node.names}
    assert all(isinstance(node, ast.ImportFrom) and node.level == 1 for node in statements)
    assert seen == aioartifact._MODULES
    assert {*seen, "__version__"} == set(aioartifact.__all__)


def test_names_are_marked_as_exported():
    """In a typed package, an import is public for type checkers only as ``X as X``."""
    statements = [node for node in ast.parse(PUBLIC_NAMES.read_text("utf-8")).body if isinstance(node, ast.ImportFrom)]
    assert [alias.name for node in statements for alias in node.names if alias.asname != alias.name] == []


def test_names_need_no_source(tmp_path):
    """A package that is compiled and zipped, as in a frozen program, has the same names."""
    archive = tmp_path / "library.zip"
    with zipfile.PyZipFile(archive, "w") as library:
        library.writepy(Path(aioartifact.__file__).parent)
    code = f"import sys; sys.path.insert(0, {str(archive)!r}); import aioartifact; print(aioartifact.__file__, "
    path, *names = run_python(f"{code} aioartifact.url.__module__, *aioartifact.__all__)").split()
    assert path.startswith(str(archive))
    assert names == ["aioartifact", *aioartifact.__all__]


def test_dir_lists_the_public_names():
    """Completion in an interpreter offers what is public, whether used before or not."""
    assert dir(aioartifact) == aioartifact.__all__


def test_unknown_name_is_an_attribute_error():
    """A misspelt name fails as in any module."""
    with pytest.raises(AttributeError, match="module 'aioartifact' has no attribute 'verions'"):
        aioartifact.verions  # noqa: B018  # reading the attribute is the test


@pytest.mark.parametrize("name", DEFINED)
def test_name_shows_the_package(name):
    """Tracebacks and reprs say ``aioartifact``, not the private module."""
    assert DEFINED[name].__module__ == "aioartifact"


@pytest.mark.parametrize("name", DEFINED)
def test_name_can_be_pickled(name):
    """Public classes and functions can be sent to another process."""
    assert pickle.loads(pickle.dumps(DEFINED[name])) is DEFINED[name]


@pytest.mark.parametrize("name", {**DEFINED, **METHODS})
def test_source_is_found(name):
    """
    Debuggers and notebooks show the source of functions, methods and properties.

    Python looks for the source of a class in the module that it names, which is the package: an error, no wrong lines.
    """
    value = (DEFINED | METHODS)[name]
    function = value.fget if isinstance(value, property) else value
    if inspect.isclass(function):
        with pytest.raises(OSError, match=r"class definition|not available"):
            inspect.getsource(function)
    else:
        assert f"def {function.__name__}(" in inspect.getsource(function)


@pytest.mark.parametrize("name", DEFINED)
def test_types_can_be_resolved(name):
    """Annotations are found though the classes name another module than their own."""
    typing.get_type_hints(DEFINED[name])


@pytest.mark.parametrize("name", DEFINED | METHODS)
def test_name_is_documented(name):
    """Everything public has a docstring of its own, and its summary is a sentence."""
    summary, *_ = inspect.cleandoc((DEFINED | METHODS)[name].__doc__ or "").split("\n\n")
    assert summary.endswith((".", ":"))


@pytest.mark.parametrize("name", DEFINED)
def test_name_is_in_the_reference(name):
    """Everything public has its entry in the documentation."""
    assert re.search(rf"^\.\. auto\w+:: {name}\b", REFERENCE, re.MULTILINE)


def test_every_error_is_public():
    """Whatever this library raises can be caught by a public name."""
    errors = {
        name
        for name, value in vars(_errors).items()
        if inspect.isclass(value) and issubclass(value, aioartifact.ArtifactoryError)
    }
    assert errors | {"BatchError"} == {name for name in CLASSES if name.endswith("Error")}


def test_import_is_cheap():
    """``import aioartifact`` and listing its names load neither aiohttp nor anything else that is slow."""
    code = "import sys; old = {*sys.modules}; import aioartifact; dir(aioartifact); print(*{*sys.modules} - old)"
    loaded = set(run_python(code).split())
    assert not loaded & {
        "aiofiles",
        "aiohttp",
        "anyio",
        "asyncio",
        "click",
        "importlib.metadata",
        "rich",
        "ssl",
    }


@pytest.mark.parametrize("module", ["aioartifact.testing", "aioartifact.testing.plugin"])
def test_import_of_the_test_support_is_cheap(module):
    """Pytest loads the plugin in every project that has this package installed."""
    before = set(run_python("import pytest, sys; print(*sys.modules)").split())
    after = set(run_python(f"import pytest, {module}, sys; print(*sys.modules)").split())
    assert not (after - before) & {"aiofiles", "aiohttp", "anyio", "asyncio", "click", "rich", "sqlite3"}


def test_version_is_the_installed_one():
    """The version is written once, in the metadata."""
    assert aioartifact.__version__ == importlib.metadata.version("aioartifact")


def test_star_import_gives_all_names():
    """``from aioartifact import *`` binds exactly the public names."""
    code = "from aioartifact import *; print(*sorted(n for n in dir() if not n.startswith('__')))"
    assert run_python(code).split() == [name for name in aioartifact.__all__ if not name.startswith("__")]
