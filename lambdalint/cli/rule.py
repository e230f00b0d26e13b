"""``lambdalint rule``."""

import sys

import click

from lambdalint.cli.options import OneOf, colour
from lambdalint.cli.output import view_of, write
from lambdalint.engine.messages import MESSAGES
from lambdalint.engine.registry import Registry
from lambdalint.errors import UsageError
from lambdalint.reporters.catalogue import explanation, explanation_as_json, message_as_json, message_explanation


@click.command("rule")
@click.argument("name", metavar="RULE")
@click.option("--output-format", type=OneOf(("text", "json")), default="text", show_default=True)
@colour
def command(name: str, output_format: str, color: str) -> None:
    """Explain RULE, given by its code, its name or the id of another tool's rule that it covers."""
    view = view_of(sys.stdout, color)
    for message in MESSAGES:
        if name in (message.code, message.name):
            as_json = output_format == "json"
            write(message_as_json(message) if as_json else message_explanation(message, view), view)
            return
    rule, *others = Registry.load().find(name)
    if others:
        raise UsageError(f"{name} means {len(others) + 1} rules", hint=f"`lambdalint rules {name}` lists them")
    write(explanation_as_json(rule) if output_format == "json" else explanation(rule, view), view)
