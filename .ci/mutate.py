"""
Mutation testing: small random faults in a package, one at a time, each run against the tests that reach its line.

    python -m pip install --group mutation --group test -e .[cli,pep440,progress]
    python .ci/mutate.py map reached.json tests/test_session.py tests/test_pacing.py
    python .ci/mutate.py run reached.json aioartifact/_session --mutants 60 --seed 1

``map`` runs tests with coverage and records which lines each of them reaches. ``run`` works on a copy of the files that
git knows. It prints each mutant that no test noticed, and ends with a summary. Mutants are those of cosmic-ray, except
the ones of type hints, and calls and awaits that are left out; a line is drawn first, then one of its mutants.
"""

import argparse
import ast
import difflib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import coverage
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

_MOST_SECONDS = 60.0  # of the tests of one mutant, as long as the map says that they take
_CONTEXTS = """
import json, os, pytest
from coverage import Coverage

seconds = {}

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    Coverage.current().switch_context(item.nodeid)
    return (yield)

def pytest_runtest_logreport(report):
    seconds[report.nodeid] = seconds.get(report.nodeid, 0) + report.duration

def pytest_sessionfinish(session):
    with open(os.environ["SECONDS_FILE"], "w") as file:
        json.dump(seconds, file)
"""


def map_tests(output: Path, tests: list[str]) -> None:
    """Record by file and line the tests that reach it, and how long each test takes."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "contexts.py").write_text(_CONTEXTS, "utf-8")
        data_file, seconds = Path(folder, "data"), Path(folder, "seconds")
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join((folder, str(Path.cwd()))),
            "SECONDS_FILE": str(seconds),
        }
        command = [sys.executable, "-m", "coverage", "run", f"--data-file={data_file}", "-m", "pytest", "-q"]
        subprocess.run([*command, "-p", "contexts", "-p", "no:cacheprovider", *tests], env=environment, check=True)
        recorded = coverage.Coverage(data_file=str(data_file))
        recorded.combine([folder])  # pyproject.toml makes coverage write a file for each process
        output.write_text(
            json.dumps({"reached": _reached(recorded.get_data()), "seconds": json.loads(seconds.read_text("utf-8"))}),
            "utf-8",
        )


def _reached(data: coverage.CoverageData) -> dict[str, dict[int, list[str]]]:
    return {
        os.path.relpath(file): {line: [*filter(None, names)] for line, names in data.contexts_by_lineno(file).items()}
        for file in data.measured_files()
    }


# --- mutants ---


Mutant = Callable[[], str | None]
"""Makes the mutated text of a module, or None if it cannot be made."""


def mutants_of(path: Path) -> dict[int, list[Mutant]]:
    """By line, the mutants of a module."""
    code, tree = path.read_text("utf-8"), get_ast_from_path(path)
    found: dict[int, list[Mutant]] = defaultdict(list)
    for name in operator_names():
        operator = get_operator(name)
        if operator.arguments() or "BitOr" in name:  # most of the latter are type hints
            continue
        starts = [start for node in ast_nodes(tree) for start, _ in operator().mutation_positions(node)]
        for occurrence, (line, column) in enumerate(starts):
            if not code.splitlines()[line - 1][column:].startswith("*,"):  # of a signature, taken for a product
                found[line].append(partial(_mutated, code, operator, occurrence))
    for line, text in _left_out(code):
        found[line].append(partial(str, text))
    return found


def _mutated(code: str, operator: Callable[[], object], occurrence: int) -> str | None:
    try:
        return mutate_code(code, operator(), occurrence)
    except Exception:  # noqa: BLE001  # some operators of cosmic-ray fail at some of their own positions
        return None


def _left_out(code: str) -> Iterator[tuple[int, str]]:
    """Mutants in which a call or an await whose result nobody uses is left out."""
    lines = code.splitlines(keepends=True)
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await):
            first, last = node.lineno - 1, node.end_lineno or node.lineno
            blank = [f"{' ' * node.col_offset}pass\n", *["\n"] * (last - first - 1)]
            yield node.lineno, "".join([*lines[:first], *blank, *lines[last:]])


# --- runs ---


def tests_for(path: str, line: int, known: dict) -> list[str]:
    """The tests that reach a line, fast ones first, in the time there is; of one run at import, those of its block."""
    lines = {int(number): names for number, names in known["reached"].get(path, {}).items()}
    names = set(lines.get(line, ()))
    for first, last in _blocks_around(path, line) if not names else ():
        names |= {name for number, each in lines.items() if first <= number <= last for name in each}
        if names:
            break
    chosen, left = [], _MOST_SECONDS
    for name in sorted(names, key=lambda name: known["seconds"].get(name, 0)):
        left -= known["seconds"].get(name, 0)
        if left < 0 and chosen:
            break
        chosen.append(name)
    return chosen


def _blocks_around(path: str, line: int) -> list[tuple[int, int]]:
    """First and last line of the functions and classes around a line, inner ones first, and of the file."""
    code = Path(path).read_text("utf-8")
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, kinds)]
    spans = [
        (min([node.lineno, *(each.lineno for each in node.decorator_list)]), node.end_lineno or 0) for node in nodes
    ]
    around = [(first, last) for first, last in spans if first <= line <= last]
    return [*sorted(around, key=lambda span: span[1] - span[0]), (1, len(code.splitlines()))]


def outcome_of(folder: Path, tests: list[str]) -> str:
    """Whether the tests in *folder* notice the mutant."""
    if not tests:
        return "not reached"
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--timeout=60", *tests]
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            return "survived" if process.wait(60 + 5 * _MOST_SECONDS) == 0 else "killed"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return "timeout"


def run_mutants(known: dict, package: str, count: int, seed: str, limit: float) -> Counter[str]:
    """Run *count* random mutants of *package*, or as many as there is time for; return the number of each outcome."""
    outcomes: Counter[str] = Counter()
    end, draw = time.monotonic() + limit, random.Random(seed)  # noqa: S311  # mutants are no secret
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        listed = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True).stdout  # noqa: S607
        for name in listed.splitlines():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, folder / name)
        modules = {str(path): mutants_of(path) for path in sorted(Path(package).rglob("*.py"))}
        lines = [(path, line) for path, by_line in modules.items() for line in by_line]
        for path, line in draw.sample(lines, min(count, len(lines))):
            if time.monotonic() > end:
                break
            text, code = draw.choice(modules[path][line])(), (folder / path).read_text("utf-8")
            if text is None or text == code:
                continue
            (folder / path).write_text(text, "utf-8")
            outcome = outcome_of(folder, tests_for(path, line, known))
            (folder / path).write_text(code, "utf-8")
            outcomes[outcome] += 1
            sys.stderr.write(f"{path}:{line}: {outcome}\n")
            if outcome != "killed":
                difference = difflib.unified_diff(code.splitlines(), text.splitlines(), path, outcome, lineterm="", n=2)
                sys.stdout.write("\n".join([*difference, "", ""]))
                sys.stdout.flush()
    return outcomes


def main() -> None:
    """Run a verb of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    mapping, running = verbs.add_parser("map"), verbs.add_parser("run")
    mapping.add_argument("output", type=Path)
    mapping.add_argument("tests", nargs="+")
    running.add_argument("map", type=Path)
    running.add_argument("package")
    running.add_argument("--mutants", type=int, default=60)
    running.add_argument("--seed", default="1")
    running.add_argument("--minutes", type=float, default=60)
    options = parser.parse_args()
    if options.verb == "map":
        map_tests(options.output, options.tests)
        return
    known = json.loads(options.map.read_text("utf-8"))
    outcomes = run_mutants(known, options.package, options.mutants, options.seed, options.minutes * 60)
    sys.stdout.write(f"{options.package}: {sum(outcomes.values())} mutants, {dict(outcomes)}\n")


if __name__ == "__main__":
    main()
