"""Which errors a function can end with, by its source and by that of all that it calls."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any, get_type_hints

from gateway import errors

OURS = ("gateway.", "common.")
NOWHERE = object()
Found = dict[type[BaseException], str]
Names = dict[str, Any]


def errors_of(function: Callable[..., Any]) -> Found:
    """The errors of ours that can come out of a function, and where each is made."""
    return _Reader().read(inspect.unwrap(function))


class _Reader:
    """Reads each function once; what calls itself brings nothing new."""

    def __init__(self) -> None:
        self.known: dict[Any, Found] = {}

    def read(self, function: Any, owner: type | None = None) -> Found:
        if function not in self.known:
            self.known[function] = {}
            tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
            assert isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef)
            names = {**_hints(function), **({"self": owner} if owner else {})}
            self.known[function] = self._all(tree.body, _Place(function, names))
        return self.known[function]

    def _all(self, nodes: list[Any], place: "_Place") -> Found:
        found: Found = {}
        for node in nodes:
            found |= self._one(node, place)
        return found

    def _one(self, node: ast.AST, place: "_Place") -> Found:
        if isinstance(node, ast.Try):
            caught = tuple(kind for one in node.handlers for kind in place.kinds(one.type))
            within = {kind: at for kind, at in self._all(node.body, place).items() if not issubclass(kind, caught)}
            rest = [*(part for one in node.handlers for part in one.body), *node.orelse, *node.finalbody]
            return within | self._all(rest, place)
        if isinstance(node, ast.With | ast.AsyncWith) and (caught := place.suppressed(node)):
            return {kind: at for kind, at in self._all(node.body, place).items() if not issubclass(kind, caught)}
        if isinstance(node, ast.Name | ast.Attribute):
            return self._meant(node, place)
        return self._all(list(ast.iter_child_nodes(node)), place)

    def _meant(self, node: ast.Name | ast.Attribute, place: "_Place") -> Found:
        meant, owner = place.find(node)
        meant = inspect.unwrap(meant) if callable(meant) else meant
        if isinstance(meant, FunctionType) and meant.__module__.startswith(OURS):
            return self.read(meant, owner)
        if isinstance(meant, type) and issubclass(meant, Exception) and errors.status_of(meant) < 500:
            return {meant: f"{place.function.__module__}.{place.function.__qualname__}"}
        return self._all(list(ast.iter_child_nodes(node)), place)


class _Place:
    """A function that is being read, and what the names in it stand for."""

    def __init__(self, function: Any, names: Names) -> None:
        self.function, self.names = function, names

    def find(self, node: ast.AST) -> tuple[Any, type | None]:
        """What a name or an attribute is, and the class that it is a method of."""
        if isinstance(node, ast.Name):
            return self.function.__globals__.get(node.id, NOWHERE), None
        if not isinstance(node, ast.Attribute):
            return NOWHERE, None
        holder = self._type_of(node.value)
        if holder is not None:
            return getattr(holder, node.attr, NOWHERE), holder
        module, _ = self.find(node.value)
        return (getattr(module, node.attr, NOWHERE), None) if isinstance(module, ModuleType | type) else (NOWHERE, None)

    def kinds(self, node: ast.AST | None) -> Iterator[type[BaseException]]:
        """The classes that an `except` names."""
        for one in node.elts if isinstance(node, ast.Tuple) else [node]:
            kind, _ = self.find(one) if one is not None else (BaseException, None)
            kind = getattr(__builtins__, getattr(one, "id", ""), kind) if kind is NOWHERE else kind
            if isinstance(kind, type) and issubclass(kind, BaseException):
                yield kind

    def suppressed(self, node: ast.With | ast.AsyncWith) -> tuple[type[BaseException], ...]:
        calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
        quiet = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "suppress"]
        return tuple(kind for call in quiet for one in call.args for kind in self.kinds(one))

    def _type_of(self, node: ast.AST) -> type | None:
        """The class of a parameter, or of a field of one."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute) and (holder := self._type_of(node.value)):
            return _hints(holder).get(node.attr)
        return None


def _hints(of: Any) -> Names:
    try:
        return {name: kind for name, kind in get_type_hints(of).items() if isinstance(kind, type)}
    except (NameError, TypeError):
        return {}
