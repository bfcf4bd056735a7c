"""The command ``mpas-lite`` itself; its subcommands are in the files beside this one."""

from __future__ import annotations

import click

import mpas_lite


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(mpas_lite.__version__, prog_name="mpas-lite")
def cli() -> None:
    """Crowd segmentation in video without a single label (MPASNET, Yang & Yang, ICIP 2021)."""
