"""``python -m mpas_lite.cli``: the program runs as a main file of its own, which spawned trainers read first, too."""

import runpy

runpy.run_module("mpas_lite.cli.program", run_name="__main__", alter_sys=True)
