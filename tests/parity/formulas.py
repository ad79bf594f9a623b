# SPDX-License-Identifier: GPL-3.0-or-later
"""Computes the formulas that fixtures write out in words of mathematics, such as `8*(0.36 - (X-0.1)^2)` or `3x+5y`."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


def evaluate(formula: str, names: Mapping[str, Any]) -> Any:
    """The value of `formula` with the values and functions in `names`.

    It may hold numbers, names, calls of one argument, brackets, + - * /, `^` for powers, `mod` for the remainder, and
    products without a sign between a number and a name. Raises ValueError for anything else, KeyError for other names.
    """
    text = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(?=[A-Za-z(])(?!mod\b)", r"\1*", formula)
    text = re.sub(r"\bmod\b", "%", text).replace("^", "**")
    return _value(ast.parse(text.strip(), mode="eval").body, names)


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left, names), _value(right, names))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            return names[name](_value(argument, names))
        case _:
            raise ValueError(f"{ast.unparse(node)} is no part of a formula")
