"""The type stubs of `aioartifact.blocking`: current, and true."""

import ast
import inspect
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import aioartifact
from aioartifact import blocking

SCRIPT = Path(__file__).parent.parent / ".ci" / "blocking_stubs.py"
STUBS = Path(aioartifact.__file__).with_name("blocking.pyi").read_text("utf-8")
FUNCTIONS = {node.name: node for node in ast.parse(STUBS).body if isinstance(node, ast.FunctionDef)}
CLASSES = {node.name: node for node in ast.parse(STUBS).body if isinstance(node, ast.ClassDef)}


def test_stubs_are_current():
    """After a change of a public function, run ``python .ci/blocking_stubs.py``."""
    spec = spec_from_file_location("blocking_stubs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.Stubs().text() == STUBS


def test_stubs_have_every_name():
    """Each name of the module, and no other."""
    imported = {
        alias.asname for node in ast.parse(STUBS).body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert {*FUNCTIONS, *CLASSES, *imported} - {None, "_ArtifactoryPath", "_Cache", "_Lookup"} == {*blocking.__all__}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_those_at_run_time(name):
    """Also for what reads signatures, such as ``help()``."""
    parameters = inspect.signature(getattr(blocking, name)).parameters.values()
    arguments = FUNCTIONS[name].args
    assert [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY] == [a.arg for a in arguments.args]
    assert [each.name for each in parameters if each.kind is each.KEYWORD_ONLY] == [a.arg for a in arguments.kwonlyargs]


def test_signatures_name_the_types_of_this_module():
    """``help()`` shows no session of aiohttp, and nothing to await."""
    signature = inspect.signature(blocking.iter_download_many)
    assert signature.parameters["session"].annotation == blocking.Session | None
    assert signature.return_annotation is blocking.Outcomes
    assert inspect.signature(blocking.download_many).return_annotation is blocking.Report
    assert inspect.signature(blocking.ls).return_annotation is blocking.Listing
    assert "ClientSession" not in str(inspect.signature(blocking.session))
