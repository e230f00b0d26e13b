"""``lambdalint rules``."""

import sys

import click

from lambdalint.cli.options import OneOf, colour
from lambdalint.cli.output import view_of, write
from lambdalint.engine.registry import Registry
from lambdalint.reporters.catalogue import listing, listing_as_json


@click.command("rules")
@click.argument("names", nargs=-1)
@click.option("--output-format", type=OneOf(("text", "json")), default="text", show_default=True)
@colour
def command(names: tuple[str, ...], output_format: str, color: str) -> None:
    """List the rules, or those that NAMES mean: codes, names, families, ids of other tools' rules."""
    registry = Registry.load()
    meant = {rule for name in names for rule in registry.find(name)}
    rules = [rule for rule in registry.rules if rule in meant or not names]
    view = view_of(sys.stdout, color)
    write(listing_as_json(rules) if output_format == "json" else listing(rules, view), view)
