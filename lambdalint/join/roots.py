"""Which of things that contain one another are contained in none."""

from collections.abc import Collection, Mapping


def outermost(inner: Mapping[str, Collection[str]]) -> list[str]:
    """Those of the keys of *inner* that no other one leads to; of several that lead to one another, the first."""
    below = {child for name, children in inner.items() for child in children if child != name}
    roots = [name for name in inner if name not in below]
    reached: set[str] = set()
    for name in (*roots, *inner):
        if name not in reached:
            if name in below:
                roots.append(name)
            waiting = [name]
            while waiting:
                each = waiting.pop()
                if each not in reached:
                    reached.add(each)
                    waiting += inner.get(each, ())
    return roots
