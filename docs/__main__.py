"""Build the site: ``python -m docs`` puts a source folder together, and Sphinx makes pages of it. No network is used.

    python -m docs                      # build/site/index.html
    python -m docs --states 8           # few states of each explorer: quick, for looking at everything else
    python -m docs --external           # also asks whether the addresses of other sites answer

Notebooks are taken as they were executed. Their explorers are drawn again, by the notebooks' own cells, and kept in
``build/explorers`` until the code behind them changes. A warning is an error, a link that leads nowhere is a warning.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main(arguments: list[str] | None = None) -> int:
    """Build what the command line asks for; return Sphinx's exit status."""
    from sphinx.cmd.build import main as sphinx

    from docs.make.source import write_source

    parser = argparse.ArgumentParser(
        "python -m docs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", help="folder of the site")
    parser.add_argument("--work", type=Path, default=ROOT / "build", help="folder of what is kept between two builds")
    parser.add_argument("--states", type=int, default=100, help="states of an explorer that are drawn, at most")
    parser.add_argument("--external", action="store_true", help="check links to other sites, too")
    options = parser.parse_args(arguments)
    if (options.out / ".buildinfo").is_file():  # made by Sphinx: pages that are no more must go
        shutil.rmtree(options.out)
    source = options.work / "site-source"
    write_source(ROOT, source, cache=options.work / "explorers", most=options.states)
    strict = ["-q", "-W", "--keep-going", "-n", "-E", "-d", str(options.work / "doctrees")]
    status = sphinx([*strict, "-b", "html", str(source), str(options.out)])
    if options.external and not status:
        status = sphinx([*strict, "-b", "linkcheck", str(source), str(options.work / "links")])
    if not status:
        print(f"The site is {options.out / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
