"""
Install the oldest direct dependencies that pyproject.toml allows.

Called with the names of extras whose dependencies count too.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
wanted = [*project["dependencies"]]
for extra in sys.argv[1:]:
    wanted += project["optional-dependencies"][extra]
oldest = [requirement.replace(">=", "==") for requirement in wanted]
sys.stdout.write(f"oldest: {', '.join(oldest)}\n")
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *oldest], check=False).returncode)
