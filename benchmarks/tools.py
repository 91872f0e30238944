"""Programs of the system: which are here, their versions, and how to get the others."""

import importlib.util
import shutil
import subprocess
from collections.abc import Iterable

# Debian's package of each program.
PACKAGES = {"aria2c": "aria2", "curl": "curl", "nginx": "nginx-light", "openssl": "openssl"}
_VERSION_OPTION = {"aria2c": "--version", "curl": "--version", "nginx": "-v", "openssl": "version"}


def missing(needs: Iterable[str]) -> str | None:
    """Say what is not installed of *needs*, programs and modules of Python, and how to get it; None for nothing."""
    for name in needs:
        if name not in PACKAGES:
            if importlib.util.find_spec(name) is None:
                return f"{name} is not installed (pip install {name})"
        elif program(name) is None:
            return f"{name} is not installed (apt-get install {PACKAGES[name]})"
    return None


def program(name: str) -> str | None:
    """Find a program; nginx lies where only administrators look."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def versions() -> dict[str, str]:
    """Version line that each program prints; "not installed" for a missing one."""
    return {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    path = program(name)
    if path is None:
        return "not installed"
    ran = subprocess.run([path, _VERSION_OPTION[name]], capture_output=True, text=True, check=True)
    return (ran.stdout or ran.stderr).splitlines()[0].removeprefix("nginx version: ").split(" (")[0]
