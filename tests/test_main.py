"""The door of the command line, with and without its extra."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_main_without_the_extra_says_what_to_install(missing):
    """Without the ``cli`` extra the command says in one line which one to install, and exits with 2."""
    hide = f"import sys; sys.modules[{missing!r}] = None"
    code = f"{hide}; import runpy; runpy.run_module('aioartifact', run_name='__main__')"
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == 'The command line needs its extra: pip install "aioartifact[cli]"\n'


def test_package_alone_imports_next_to_nothing():
    """Before the command is imported, it cannot handle Ctrl-C: that must not take long."""
    code = "import sys; before = set(sys.modules); import aioartifact; print(*sorted(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in run.stdout.split()} <= {"aioartifact", "importlib", "types", "warnings"}
