"""
Check the types of the examples in the documentation: ``python .ci/type_examples.py FOLDER``.

Each page becomes a module in FOLDER: its ``python`` blocks in one coroutine, in which ``await`` works as it does at the
top level of ``python -m asyncio``. Then mypy and pyright check them.
"""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Its libraries are not installed where types are checked; tests/data runs its examples.
DATA_PAGES = {ROOT / "docs" / "howto" / "dataframes.md"}
PAGES = [ROOT / "README.md", *sorted({*ROOT.glob("docs/**/*.md")} - DATA_PAGES)]
_BLOCK = re.compile(r"(<!-- skip: next -->\s*)?^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
_HEAD = """\
import os

import aioartifact

server = os.environ["SERVER"]


async def page() -> None:
"""


def module_of(page: Path) -> str:
    """Return the examples of a page as a module; empty if it has none."""
    blocks = [block for skip, block in _BLOCK.findall(page.read_text("utf-8")) if not skip]
    body = "\n".join(blocks)
    return _HEAD + textwrap.indent(body, "    ") if blocks else ""


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    modules = []
    for page in PAGES:
        if source := module_of(page):
            module = (
                folder / f"{page.relative_to(ROOT).with_suffix('').as_posix().replace('/', '_').replace('-', '_')}.py"
            )
            module.write_text(source, "utf-8")
            modules.append(str(module))
    mypy = ["mypy", "--strict", "--allow-redefinition", "--local-partial-types", "--config-file="]
    mypy += ["--disable-error-code=import-untyped", *modules]
    pyright = ["pyright", "--pythonpath", sys.executable, *modules]
    return max(subprocess.run([sys.executable, "-m", *command], check=False).returncode for command in (mypy, pyright))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
