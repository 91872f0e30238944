"""The benchmarks still run, and judge figures rightly; what the figures are, no test asks."""

import json
import math
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
MODULES = ("aims", "contenders", "makespan", "measure", "micro", "task", "tools")


@pytest.fixture
def bench(monkeypatch):
    """Modules of the benchmarks, which are not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    return SimpleNamespace(**{name: import_module(f"benchmarks.{name}") for name in MODULES})


@pytest.fixture
def task(bench, tmp_path):
    """Two files of three bytes, which no server has."""
    files = bench.task.Files("http://127.0.0.1:9/artifactory/generic", 2, 3, "0" * 64)
    return bench.task.Task("http://127.0.0.1:9/artifactory", (files,), str(tmp_path / "target"), 4)


def run_module(*arguments):
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_cases_run_at_a_tiny_size(tmp_path):
    """Every case without nginx is measured, and what cannot run says why."""
    cases = "latency,mixed,upload-big,upload-small,processes-latency,manifest,versions,peers-small"
    done = run_module("benchmarks", "--quick", "--cases", cases, "--folder", tmp_path, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "out" / "transfers.json").read_text("utf-8"))
    *measured, peers = results["cases"]
    for case in measured:
        (sample,), *_ = case["results"].values()  # ours comes first
        assert (sample["error"], sample["counts"]["files"]) == (None, case["count"])
        reasons = [verdict["why_not"] for verdict in case["verdicts"] if verdict["measured"] is None]
        assert all("uvloop is not installed" in reason and find_spec("uvloop") is None for reason in reasons), reasons
    assert "--peers" in peers["why_not"]
    assert f"not run: {peers['why_not']}" in (tmp_path / "out" / "transfers.md").read_text("utf-8")
    assert {entry.name for entry in tmp_path.iterdir()} == {"out"}, "files were left behind"


def test_listing_is_consumed_at_a_tiny_size(tmp_path):
    """Every way of reading a listing gets to its end."""
    done = run_module("benchmarks.bench_listing", "--entries", "1500", "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "listing.json").read_text("utf-8"))["results"]
    assert [each["entries"] for each in results] == [1500, 1500, 1500, 1500, 0]


def test_samples_are_read_at_a_tiny_size(tmp_path):
    """Each way of reading samples gets all of them; without nginx, the reason is reported."""
    words = ("--samples", "200", "--size", "1000", "--rounds", "1", "--folder", tmp_path, "--output", tmp_path)
    done = run_module("benchmarks.bench_loader", *words)
    if done.returncode:
        assert "is not installed" in done.stderr
        return
    text = (tmp_path / "loader.json").read_text("utf-8")
    results = json.loads(text)["results"]
    assert len(results) >= 5
    assert {each["samples"] for each in results} == {200}
    assert str(tmp_path) not in text


def test_results_hold_no_local_path(tmp_path):
    """Results are committed: neither the folder of a run nor a user's home is in them."""
    done = run_module("benchmarks", "--quick", "--cases", "versions", "--folder", tmp_path, "--output", tmp_path)
    text = (tmp_path / "transfers.json").read_text("utf-8")
    assert done.returncode == 0, done.stderr
    assert not [place for place in (str(tmp_path), str(ROOT), str(Path.home())) if place in text]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param(["--cases", "bigg"], "no such case: bigg; there are big, ", id="misspelt-case"),
        pytest.param(["--rounds", "0"], "--rounds 0: expected at least 1", id="no-round"),
    ],
)
def test_bad_option(options, complaint):
    """A program that cannot run is reported at once."""
    done = run_module("benchmarks", *options)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_micro_benchmarks_run():
    """Each guarded function still exists and is measured."""
    done = run_module("benchmarks.micro", "--quick")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 2


def test_micro_benchmarks_have_a_baseline(bench):
    """A guard without a committed figure would guard nothing."""
    assert json.loads(bench.micro.BASELINE.read_text("utf-8")).keys() == bench.micro.FUNCTIONS.keys()


def test_micro_benchmarks_tell_a_regression(bench):
    """Twice the baseline is noise, more is not; what has no baseline cannot be slower."""
    baseline = {"parse": 10.0, "build": 10.0}
    assert bench.micro.too_slow({"parse": 20.0, "build": 20.1, "new": 99.0}, baseline) == ["build"]


@pytest.mark.parametrize(
    ("sizes", "link", "whole", "ranges"),
    [
        pytest.param([0] * 64, (32, 0.02), 0.04, 0.04, id="latency-alone"),
        pytest.param([0], (32, 0.02), 0.02, 0.02, id="one-request"),
        pytest.param([100, 100], (1, 0.5, 100.0), 3.0, 3.0, id="one-connection"),
        pytest.param([300, 100], (2, 0.0, 100.0), 3.0, 2.0, id="longest-file"),
        pytest.param([100] * 4, (2, 0.0, 100.0), 2.0, 2.0, id="all-connections-busy"),
    ],
)
def test_ideal_makespan(bench, sizes, link, whole, ranges):
    """The ideal is what connections and the longest file allow, worked out by hand."""
    link = bench.makespan.Link(*link)
    assert math.isclose(bench.makespan.ideal_makespan(sizes, link), whole)
    assert math.isclose(bench.makespan.ideal_makespan_in_ranges(sizes, link), ranges)


def samples(bench, *seconds):
    return [bench.measure.Sample(each, memory=int(each * 2**20), counts={"requests": int(each)}) for each in seconds]


@pytest.mark.parametrize(
    ("aim", "arguments", "measured", "met"),
    [
        pytest.param("faster", (2.0,), 2.0, True, id="faster-just-met"),
        pytest.param("faster", (2.1,), 2.0, False, id="faster-missed"),
        pytest.param("slower_by", (0.5,), 0.5, True, id="slower-by-just-met"),
        pytest.param("slower_by", (0.4,), 0.5, False, id="slower-by-missed"),
    ],
)
def test_aim_between_contenders(bench, aim, arguments, measured, met):
    """Contenders are compared round by round, and the median decides: one round of noise does not."""
    ours, other = bench.contenders.OURS, bench.contenders.CURL
    results = {ours.name: samples(bench, 1, 1, 4), other.name: samples(bench, 2, 2, 1)}
    verdict = bench.aims.judge(getattr(bench.aims, aim)("aim", ours, other, *arguments), results)
    assert (verdict.measured, verdict.met) == (measured, met)


@pytest.mark.parametrize(
    ("aim", "arguments", "measured", "met"),
    [
        pytest.param("within", (2.0, 1.5), 1.5, True, id="ideal-met"),
        pytest.param("within", (2.0, 1.4), 1.5, False, id="ideal-missed"),
        pytest.param("memory_within", (3,), 3.0, True, id="memory-met"),
        pytest.param("memory_within", (2,), 3.0, False, id="memory-missed"),
        pytest.param("counted", ("requests", 3), 3, True, id="count-met"),
        pytest.param("counted", ("requests", 2), 3, False, id="count-missed"),
    ],
)
def test_aim_of_one_contender(bench, aim, arguments, measured, met):
    """Times, memory and counts are held against a bound."""
    ours = bench.contenders.OURS
    verdict = bench.aims.judge(getattr(bench.aims, aim)("aim", ours, *arguments), {ours.name: samples(bench, 3, 2, 4)})
    assert (verdict.measured, verdict.met) == (measured, met)


def test_aim_without_a_figure(bench):
    """A contender that failed or is missing leaves the aim open, with the reason; it is neither met nor missed."""
    ours, curl = bench.contenders.OURS, bench.contenders.CURL
    aim = bench.aims.faster("aim", ours, curl, 1.0)
    failed = [bench.measure.Sample(error="curl is not installed")]
    verdicts = [
        bench.aims.judge(aim, {ours.name: samples(bench, 1), curl.name: failed}),
        bench.aims.judge(aim, {ours.name: samples(bench, 1)}),
    ]
    assert [verdict.met for verdict in verdicts] == [None, None]
    assert [verdict.why_not for verdict in verdicts] == ["curl: curl is not installed", "curl: did not run"]


def contender(bench, script):
    return bench.measure.Contender("script", lambda task, _: ["sh", "-c", script, task.destination], reports=False)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param("echo lost >&2; exit 3", "lost", id="fails-with-words"),
        pytest.param("exit 3", "exit code 3", id="fails-silently"),
        pytest.param("true", "ValueError: 0 files of 0 bytes; expected 2 of 6", id="writes-nothing"),
        pytest.param(
            'mkdir "$0"; printf abc >"$0/a"', "ValueError: 1 files of 3 bytes; expected 2 of 6", id="loses-a-file"
        ),
        pytest.param('mkdir "$0"; printf abc >"$0/a"; printf abc >"$0/b"', None, id="does-the-job"),
    ],
)
def test_contender_is_checked(bench, task, tmp_path, script, error):
    """A contender that does not leave the required files has no figures, and its files are removed."""
    sample = bench.measure.run(contender(bench, script), task, tmp_path)
    assert sample.error == error
    assert (sample.seconds > 0) is (error is None)
    assert list(tmp_path.iterdir()) == []


def test_contender_that_hangs(bench, task, tmp_path):
    """A contender that never ends is killed after a time limit."""
    sample = bench.measure.run(contender(bench, "exec tail -f /dev/null"), task, tmp_path, limit=0.05)
    assert sample.error == "killed, at the latest after 0.05 s"


def test_contender_that_is_not_there(bench, task, tmp_path):
    """A program that cannot be started is an error of that contender, not of the run."""
    absent = bench.measure.Contender("absent", lambda *_: [str(tmp_path / "absent")], reports=False)
    assert "FileNotFoundError" in bench.measure.run(absent, task, tmp_path).error


def test_missing_tools_are_named_with_a_way_to_get_them(bench, monkeypatch, tmp_path):
    """Programs come from apt, modules from pip."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bench.tools.missing(["json", "aria2c"]) == "aria2c is not installed (apt-get install aria2)"
    assert bench.tools.missing(["no_such_module"]) == "no_such_module is not installed (pip install no_such_module)"
    assert bench.tools.missing(["json"]) is None
    assert bench.tools.versions()["aria2c"] == "not installed"


def test_task_survives_its_file(bench, task, tmp_path):
    """A child reads the very task its parent wrote; names are unique, also beyond a folder of 1,000."""
    task.save(tmp_path / "task.json")
    assert bench.task.Task.load(tmp_path / "task.json") == task
    names = list(bench.task.Files("", 1_001, 1, "").names())
    assert (len(set(names)), names[0], names[-1]) == (1_001, "d000/f000000.bin", "d001/f001000.bin")


def test_service_under_load():
    """The right bytes for all clients, and neither memory nor open files grow where half of them break off."""
    command = [sys.executable, "-m", "benchmarks.bench_service", "--rounds", "5", "--clients", "40", "--size", "300000"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
