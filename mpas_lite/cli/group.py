"""The command ``mpas-lite`` itself; its subcommands are in the files beside this one."""

from __future__ import annotations

import click

import mpas_lite
from mpas_lite.cli.settings import Command


class Program(click.Group):
    """A group whose commands show their options under headings."""

    command_class = Command


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(mpas_lite.__version__, prog_name="mpas-lite")
def cli() -> None:
    """Crowd segmentation in video without a single label (MPASNET, Yang & Yang, ICIP 2021)."""
