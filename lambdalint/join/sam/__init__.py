"""What the SAM transform makes of a template, as far as functions are concerned."""
