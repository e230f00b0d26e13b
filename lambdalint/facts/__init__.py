"""Questions that several rules ask, each answered once per module, function, artifact or project.

A fact is a class with a classmethod ``of``.  The annotations of ``of`` say what it is worked out from: the syntax
tree (``ast.Module``) and ``Source`` of one module, a ``Function``, a ``Project``, an ``Artifact``, other facts, or a
fact of every module (``PerModule[Fact]``).
"""

from lambdalint.facts.per_module import PerModule

__all__ = ["PerModule"]
