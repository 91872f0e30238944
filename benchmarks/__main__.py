"""
Run the transfer benchmarks and write their results.

    python -m benchmarks [--cases a,b] [--rounds N] [--quick] [--peers] [--folder FOLDER] [--output FOLDER]
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from . import machine, tools
from .aims import judge
from .cases import CASES, Bench, Case
from .lab import QUICK, Lab, Scale, UnavailableError, open_lab
from .measure import Contender, Sample, run
from .report import Outcome, document, markdown
from .task import Task

ROUNDS = 5


def measure(case: Case, lab: Lab, rounds: int) -> Outcome:
    """Set a case up and let everyone have their turns."""
    try:
        bench = case.prepare(lab)
    except UnavailableError as error:
        return Outcome(case.key, case.title, 0, 0, {}, [], {}, str(error))
    results: dict[str, list[Sample]] = {}
    for number in range(min(rounds, bench.rounds or rounds)):
        for contender, task in _in_turn(bench, number):
            sample = _sample(contender, task, bench, lab)
            results.setdefault(contender.name, []).append(sample)
            print(f"{case.key}: {contender.name}: {sample.error or f'{sample.seconds:.3f} s'}", file=sys.stderr)
    ordered = {contender.name: results[contender.name] for contender, _ in _in_turn(bench, 0)}
    verdicts = [judge(aim, ordered) for aim in bench.aims]
    return Outcome(case.key, case.title, bench.task.count, bench.task.size, ordered, verdicts, bench.ideal or {})


def _in_turn(bench: Bench, number: int) -> list[tuple[Contender, Task]]:
    """Contenders and their tasks in another order each round, because the first one may find cold caches."""
    everyone = [each if isinstance(each, tuple) else (each, bench.task) for each in bench.contenders]
    first = number % len(everyone)
    return everyone[first:] + everyone[:first]


def _sample(contender: Contender, task: Task, bench: Bench, lab: Lab) -> Sample:
    if lack := tools.missing(contender.needs):
        return Sample(error=lack)
    before = bench.requests() if bench.requests else 0
    cpu_before = bench.server_cpu() if bench.server_cpu else 0.0
    sample = run(contender, task, lab.folder, keeps=bench.keeps)
    counts = {"requests": bench.requests() - before} if bench.requests else {}
    server_cpu = bench.server_cpu() - cpu_before if bench.server_cpu else None
    return replace(sample, counts=sample.counts | counts, server_cpu_seconds=server_cpu)


def write(outcomes: Sequence[Outcome], facts: dict[str, str | int | float], output: Path, command: str) -> None:
    """Write the results for programs and for people."""
    output.mkdir(parents=True, exist_ok=True)
    text = markdown(outcomes, facts, command)
    (output / "transfers.json").write_text(json.dumps(document(outcomes, facts), indent=2) + "\n", "utf-8")
    (output / "transfers.md").write_text(text, "utf-8")
    print(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Time transfers against what else is.")
    parser.add_argument("--cases", default=",".join(CASES), help="cases to run, with commas between them")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="runs of each contender")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: only to see that everything works")
    parser.add_argument("--peers", action="store_true", help="install other clients in a temporary environment")
    parser.add_argument("--folder", type=Path, help="where to put files; a folder in memory if not given")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results", help="folder of the results")
    return parser


def main() -> None:
    """Run the cases that are asked for."""
    parser = _parser()
    options = parser.parse_args()
    keys = options.cases.split(",")
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds}: expected at least 1")
    if unknown := [key for key in keys if key not in CASES]:
        parser.error(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
    facts = machine.facts() | tools.versions()
    scale, rounds = (QUICK, 1) if options.quick else (Scale(), options.rounds)
    with open_lab(options.folder, scale, peers=options.peers) as lab:
        outcomes = [measure(CASES[key], lab, rounds) for key in keys]
    write(outcomes, facts, options.output, " ".join(["python -m benchmarks", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
