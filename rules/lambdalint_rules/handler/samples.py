"""Examples of one function with code of its own."""

from lambdalint_rules.handler.orders import ORDERS


def orders(code: str, settings: str = "", **modules: str) -> dict[str, str]:
    """The function with *code* in its module, *settings* more lines of its properties, and more *modules*."""
    more = {f"src/{name}.py": text for name, text in modules.items()}
    return {"template.yaml": ORDERS + settings, "src/app.py": code, **more}
