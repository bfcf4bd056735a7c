"""Mutation testing of one module: which one-line changes do its tests not notice?

``python -m benchmarks.mutation mpas_lite/crowd/graph.py`` mutates a copy of the checkout with mutmut and runs the fast
tests of the module's folder against each mutant. Two of mutmut's kinds of mutants are left out, since they say little
about tests: other texts (messages, for the most part) and arguments replaced by None (they crash). mutmut mutates what
stands in functions and methods, not constants of modules and classes, and no function with a decorator.

It needs mutmut (``pip install -e ".[mutation]"``) on a system that forks (Linux, macOS).
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_KILLED = ("killed", "timeout", "segfault", "suspicious")
_MEMORY = 8 << 30  # bytes that a mutant may take before it counts as killed
# Failing examples need not be made small, and the same ones come in each run.
_HYPOTHESIS = """

from hypothesis import Phase, settings

settings.register_profile("mutation", phases=[Phase.explicit, Phase.generate], derandomize=True, database=None)
settings.load_profile("mutation")
"""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="+", help="files of the package, as in mpas_lite/crowd/graph.py")
    parser.add_argument("--tests", nargs="*", help="files or folders of tests; if not given, tests/ROOM of each module")
    parser.add_argument("--skip", help="leave out tests whose name holds this (slow ones that others make up for)")
    parser.add_argument("--only", nargs="*", default=["*"], help="only mutants whose name is like one of these (glob)")
    parser.add_argument("--sample", type=int, help="at most so many mutants a module, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    parser.add_argument("--workers", type=int, default=1, help="mutants tested at a time (default: 1)")
    parser.add_argument("--out", type=Path, help="a Markdown file for the table and the survivors")
    wanted = parser.parse_args()
    rooms = sorted({f"tests/{Path(module).parts[1]}" for module in wanted.modules})
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy_checkout(Path(folder), wanted.modules, wanted.tests or rooms, wanted.skip)
        call = f"mutate({wanted.modules!r}, {wanted.only!r}, {wanted.sample!r}, {wanted.seed!r}, {wanted.workers!r})"
        # In a process of its own, whose path begins in the copy; what mutmut says on the way goes to stderr.
        code = f"from benchmarks.mutation import mutate; {call}"
        if subprocess.run([sys.executable, "-c", code], cwd=folder, stdout=sys.stderr).returncode:
            raise SystemExit("mutmut did not come to its end; what it said stands above.")
        text = report(json.loads((Path(folder) / "result.json").read_text()), time.monotonic() - started)
    print(text)
    if wanted.out:
        wanted.out.parent.mkdir(parents=True, exist_ok=True)
        wanted.out.write_text(text + "\n")


def copy_checkout(folder: Path, modules: list[str], tests: list[str], skip: str | None) -> None:
    """Copy what git knows of, or would, and say in the copy what is mutated and what is run."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    settings = {
        "source_paths": ["mpas_lite"],
        "only_mutate": modules,
        "also_copy": ["data_samples", "notebooks", "benchmarks", "README.md", "CHANGELOG.md"],
        "pytest_add_cli_args_test_selection": tests,
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-m", "not slow", *(["-k", f"not {skip}"] if skip else [])],
        "timeout_constant": 5.0,
        "timeout_multiplier": 5.0,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    with open(folder / "pyproject.toml", "a") as file:
        file.write("\n".join(["", "[tool.mutmut]", *lines, 'process_isolation = "forkserver"', ""]))
    with open(folder / "tests" / "conftest.py", "a") as file:
        file.write(_HYPOTHESIS)


def mutate(modules: list[str], only: list[str], sample: int | None, seed: int, workers: int) -> None:
    """Make the mutants, test them (or a sample), and write ``result.json``; works in the current folder."""
    import resource

    from mutmut import __main__ as mutmut
    from mutmut.mutation import mutators

    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    dropped = (mutators.operator_string, mutators.operator_arg_removal)
    kept = [pair for pair in mutators.mutation_operators if pair[1] not in dropped]
    mutators.mutation_operators[:] = [*kept, (mutators.cst.Call, arguments_removed)]

    Path("mutants").mkdir()
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.create_mutants(1)
    drawn = {}
    for module in modules:
        names = [name for name in _data(module).exit_code_by_key if any(fnmatch(name, like) for like in only)]
        drawn[module] = sorted(random.Random(seed).sample(sorted(names), min(len(names), sample or len(names))))
    mutmut._run([name for names in drawn.values() for name in names], workers)

    results = {}
    for module, names in drawn.items():
        data = _data(module)
        status = {name: mutmut.status_by_exit_code[data.exit_code_by_key[name]] for name in names}
        lived = [name for name in names if status[name] not in _KILLED]
        results[module] = {
            "mutants": len(data.exit_code_by_key),
            "tested": len(names),
            "survivors": [(n, status[n], changed_lines(mutmut.get_diff_for_mutant(n, path=module))) for n in lived],
        }
    Path("result.json").write_text(json.dumps(results))


def _data(module: str) -> Any:
    """What mutmut knows of a module's mutants."""
    from mutmut.mutation.data import SourceFileMutationData

    data = SourceFileMutationData(path=Path(module))
    data.load()
    return data


def arguments_removed(call: Any) -> Iterator[Any]:
    """The call without its first argument, without its second, and so on (a libcst node)."""
    if len(call.args) > 1:
        for i in range(len(call.args)):
            yield call.with_changes(args=[*call.args[:i], *call.args[i + 1 :]])


def changed_lines(diff: str) -> str:
    """The lines of a unified diff that went and came."""
    return "\n".join(line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---"))


def report(results: dict[str, Any], seconds: float) -> str:
    """A table of the modules and, one by one, the mutants that no test noticed, as Markdown."""
    lines = ["| module | mutants | tested | killed | survived | share killed |", "|---|---|---|---|---|---|"]
    for module, found in results.items():
        tested, survived = found["tested"], len(found["survivors"])
        share = f"{1 - survived / tested:.1%}" if tested else "-"
        counts = [found["mutants"], tested, tested - survived, survived, share]
        lines.append("| " + " | ".join(map(str, [f"`{module}`", *counts])) + " |")
    lines.append(f"\nIn {seconds:.0f} s.")
    for found in results.values():
        lines += [f"\n`{name}` ({status})\n```diff\n{diff}\n```" for name, status, diff in found["survivors"]]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
