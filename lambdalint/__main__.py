"""``python -m lambdalint``."""

from lambdalint.cli import main

main(prog_name="lambdalint")
