"""What alert rules say of numbers of one moment; whatever grows or is a maximum over time has been so all along."""

import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser as promql
import yaml

from tests.support.scraping import Numbers

MONITORING = Path(__file__).parents[2] / "deploy/monitoring"
COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "==": operator.eq}
COUNT = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
FOLD: Mapping[str, Callable[[Iterable[float]], float]] = {"max": max, "min": min, "sum": sum}
MATCH: Mapping[str, Callable[[str, str], bool]] = {
    "MatchOp.Equal": lambda value, wanted: value == wanted,
    "MatchOp.NotEqual": lambda value, wanted: value != wanted,
    "MatchOp.Re": lambda value, wanted: re.fullmatch(wanted, value) is not None,
    "MatchOp.NotRe": lambda value, wanted: re.fullmatch(wanted, value) is None,
}
Labels = frozenset[tuple[str, str]]
Vector = Mapping[Labels, float]


@cache
def rules() -> Mapping[str, str]:
    """The expression of every alert by its name."""
    groups = yaml.safe_load((MONITORING / "lumilio-alerts.yaml").read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def runbooks() -> Mapping[str, str]:
    """Where each alert says what to do about it."""
    groups = yaml.safe_load((MONITORING / "lumilio-alerts.yaml").read_text())["groups"]
    return {rule["alert"]: rule["annotations"]["runbook"] for group in groups for rule in group["rules"]}


def shown() -> Iterator[str]:
    """The expressions of the dashboard."""
    for panel in json.loads((MONITORING / "lumilio-dashboard.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))


def raised(numbers: Numbers, alert: str) -> bool:
    """Whether an alert is, or will be once it has lasted."""
    return bool(_value(promql.parse(rules()[alert]), numbers))


def names(expression: str) -> Iterator[str]:
    """The metrics that an expression names; ValueError when it is none."""
    yield from _names(promql.parse(expression))


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, promql.VectorSelector) and node.name:
        yield node.name
    for part in ("lhs", "rhs", "expr", "args", "vector_selector"):
        inner = getattr(node, part, None)
        for one in inner if isinstance(inner, list) else [inner] if inner is not None else []:
            yield from _names(one)


def _value(node: Any, numbers: Numbers) -> Any:
    """A number, or a vector of numbers by their labels."""
    match node:
        case promql.NumberLiteral():
            return node.val
        case promql.ParenExpr():
            return _value(node.expr, numbers)
        case promql.VectorSelector():
            return _selected(node, numbers)
        case promql.MatrixSelector():
            return _value(node.vector_selector, numbers)
        case promql.Call():
            found = _value(node.args[0], numbers)
            return ({} if found else {frozenset[Any](): 1.0}) if node.func.name == "absent" else found
        case promql.AggregateExpr():
            return _folded(node, _value(node.expr, numbers))
        case promql.BinaryExpr():
            return _combined(node, _value(node.lhs, numbers), _value(node.rhs, numbers))
    raise NotImplementedError(node)


def _selected(node: Any, numbers: Numbers) -> Vector:
    found = {}
    for (name, labels), value in numbers.items():
        told = dict(labels)
        if name == node.name and all(MATCH[str(m.op)](told.get(m.name, ""), m.value) for m in node.matchers.matchers):
            found[frozenset(labels)] = value
    return found


def _folded(node: Any, vector: Vector) -> Vector:
    kept = set(node.modifier.labels) if node.modifier else set()
    groups: dict[Labels, list[float]] = {}
    for labels, value in vector.items():
        groups.setdefault(_only(labels, kept), []).append(value)
    return {labels: FOLD[str(node.op)](values) for labels, values in groups.items()}


def _combined(node: Any, left: Any, right: Any) -> Any:
    op = str(node.op)
    if op in {"and", "unless"}:
        on = set(node.modifier.matching.labels)
        there = {_only(labels, on) for labels in right}
        return {labels: value for labels, value in left.items() if (_only(labels, on) in there) == (op == "and")}
    if not isinstance(left, Mapping):
        return COUNT[op](left, right)
    pairs = {
        labels: (value, right.get(labels) if isinstance(right, Mapping) else right) for labels, value in left.items()
    }
    if op in COMPARE:
        return {labels: one for labels, (one, other) in pairs.items() if other is not None and COMPARE[op](one, other)}
    return {labels: COUNT[op](one, other) for labels, (one, other) in pairs.items() if other}


def _only(labels: Labels, kept: set[str]) -> Labels:
    return frozenset((name, value) for name, value in labels if name in kept)
