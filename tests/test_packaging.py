"""The project's own papers agree with each other: dependencies, versions, what travels in the wheel."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mpas_lite
from tests.helpers import ROOT

CONDA_NAMES = {
    "torch": "pytorch",
    "opencv-python": "opencv",
    "matplotlib": "matplotlib-base",
    "playwright": "playwright-python",
}

ROOT_OF_PACKAGE = Path(mpas_lite.__file__).parents[1]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

needs_source = pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="runs in a source tree only")


def project():
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        tomllib = pytest.importorskip("tomli")
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirements(lines):
    """{name: bound} of requirement lines such as 'torch>=2.2; python_version > "3"' or 'pytorch >=2.2'."""
    parsed = (re.match(r"([\w.-]+)\s*(>=\s*[\w.]+)?", line).groups() for line in lines)
    return {name.lower(): (bound or "").replace(" ", "") for name, bound in parsed}


@needs_source
def test_environment_yml_names_the_same_dependencies():
    described = project()
    wanted = requirements(described["dependencies"] + described["optional-dependencies"]["test"])
    wanted = {CONDA_NAMES.get(name, name): bound for name, bound in wanted.items()}
    text = (ROOT / "environment.yml").read_text()
    lines = re.findall(r"^\s+- ([\w-][^:\n]*)$", text, re.MULTILINE)
    conda = requirements(line for line in lines if line not in ("conda-forge", "pip"))
    assert conda.pop("python") == described["requires-python"]
    assert conda == wanted


@needs_source
def test_no_dependency_is_pinned():
    described = project()
    groups = [described["dependencies"], *described["optional-dependencies"].values()]
    assert not [line for group in groups for line in group if re.search(r"==|<|~=", line.split(";")[0])]


@needs_source
def test_one_version():
    assert f"version: {mpas_lite.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_importing_the_package_loads_no_torch_and_no_opencv():
    check = "import sys, mpas_lite; print(sorted({'torch', 'cv2', 'timm', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["crowd_graph", "collective_merging", "circular_region_merging", "render_scene", "iou", "pseudo_label"],
)
def test_what_needs_no_torch_does_not_load_it(name):
    check = f"import sys, mpas_lite; mpas_lite.{name}; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True).stdout == "False\n"


def test_every_public_name_is_there_and_documented():
    for name in mpas_lite.__all__:
        thing = getattr(mpas_lite, name)
        assert not callable(thing) or thing.__doc__, name


@needs_source
def test_the_bundled_samples_are_small():
    size = sum(path.stat().st_size for path in (ROOT / "data_samples").rglob("*") if path.is_file())
    assert 0 < size <= 3_000_000


@needs_source
def test_no_folder_imports_upward_and_no_files_import_each_other():
    """The order of the folders is in pyproject.toml; imports within functions count, too."""
    done = subprocess.run([sys.executable, "-c", LINT, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_folder_names_what_is_public():
    """The door of a folder says what it is, and gives every name it lists; no name is a file's, too."""
    for path in sorted(Path(mpas_lite.__file__).parent.rglob("__init__.py")):
        folder = path.parent
        door = import_module(".".join(folder.relative_to(ROOT_OF_PACKAGE).parts))
        assert door.__doc__, folder
        assert door.__all__, folder
        assert not {name for name in door.__all__ if (folder / f"{name}.py").exists()}
        for name in door.__all__:
            assert getattr(door, name) is not None


@pytest.mark.slow
@needs_source
def test_the_readme_program_runs(tmp_path):
    program = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL).group(1)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("frame 0: ")
    assert done.stderr == ""


@needs_source
def test_ci_and_readme_run_the_same_tests():
    readme = (ROOT / "README.md").read_text()
    assert "-e '.[test]' && OMP_WAIT_POLICY=PASSIVE .venv/bin/python -m pytest\n" in readme
    assert ".venv/bin/python -m pytest\n" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.slow
@needs_source
def test_tests_run_without_nbval():
    assert "test_graph.py::" in collected("-p", "no:nbval", "tests/crowd/test_graph.py")


@pytest.mark.slow
@needs_source
def test_notebooks_are_tested_but_not_in_the_fast_loop():
    pytest.importorskip("nbval")
    assert "notebooks/00_quickstart.ipynb::Cell 0" in collected("notebooks/00_quickstart.ipynb")
    assert re.search(r"no tests collected \(\d+ deselected\)", collected("-m", "not slow", "notebooks"))


def collected(*arguments):
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "README.md"])
@needs_source
def test_every_file_that_a_guide_names_is_there(name):
    """Paths in `...`, from the root or from the package's folder; also folder.file, and commands of benchmarks."""
    text = (ROOT / name).read_text()
    paths = re.findall(r"`((?:mpas_lite|tests|benchmarks|notebooks|data_samples|\.ci|\.github)/[\w./-]*)`", text)
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    modules = [module.replace(".", "/") for module in re.findall(r"python -m\s+((?:benchmarks|tests)\.\w+)", text)]
    for path in [*paths, *links, *(f"{module}.py" for module in modules)]:
        assert (ROOT / path).exists(), path


@needs_source
def test_yaml_files_are_whole():
    yaml = pytest.importorskip("yaml")
    paths = [ROOT / ".pre-commit-config.yaml", ROOT / "CITATION.cff", *(ROOT / ".github").rglob("*.yml")]
    assert len(paths) >= 8
    for path in paths:
        assert isinstance(yaml.safe_load(path.read_text()), dict), path


@needs_source
def test_github_runs_what_ci_runs_and_publishes_without_a_token():
    yaml = pytest.importorskip("yaml")
    folder = ROOT / ".github" / "workflows"
    jobs = yaml.safe_load((folder / "ci.yml").read_text())["jobs"]
    assert "bash .ci/run" in [step.get("run") for step in jobs["everything"]["steps"]]
    oldest = re.search(r"3\.\d+", project()["requires-python"]).group()
    assert jobs["everything"]["strategy"]["matrix"]["python"][0] == oldest
    release = yaml.safe_load((folder / "release.yml").read_text())["jobs"]
    assert release["test"]["uses"] == "./.github/workflows/ci.yml"
    assert set(release["publish"]["needs"]) == {"test", "build"}
    assert release["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in (folder / "release.yml").read_text()


@needs_source
def test_issue_forms_ask_for_something():
    yaml = pytest.importorskip("yaml")
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text())
        if path.stem == "config":
            continue
        assert {"name", "description", "body"} <= set(form), path
        asked = [part for part in form["body"] if part["type"] != "markdown"]
        assert len({part["id"] for part in asked}) == len(asked)
        assert all(part["attributes"]["label"] for part in asked)
        assert any(part.get("validations", {}).get("required") for part in asked), path


@needs_source
def test_what_is_checked_at_a_commit_is_what_ci_checks():
    yaml = pytest.importorskip("yaml")
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    programs = {hook["entry"].split()[0] for hook in hooks} - {"python"}
    first = re.findall(r"^\.venv/bin/(ruff|mypy|lint-imports)\b", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert programs == set(first)
