"""Lets a written SELECT through only as a tree of listed parts, with every table replaced by what the asker may see.

The list says what is allowed; all else is refused by name: functions that reach files, settings or the network,
statements that change something, table functions, samples, system tables. A table is a table of the lake or a part of
the statement (``WITH``) that is in sight where it is named; nothing is left for the engine's own catalogue to find.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from cityloop.analyse.content import near
from cityloop.core.errors import Fault, Invalid

LONGEST = 20_000
"""Most signs of a statement."""
DEEPEST = 60
"""Most brackets within each other."""
_CLAUSES = (
    exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Join, exp.Where,
    exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct, exp.Qualify, exp.Table,
    exp.TableAlias, exp.Alias, exp.Window, exp.WindowSpec, exp.Filter, exp.WithinGroup, exp.Tuple,
)  # fmt: skip
_VALUES = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Star, exp.Var, exp.Interval,
    exp.DataType, exp.Cast, exp.TryCast, exp.Case, exp.If, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod,
    exp.Neg, exp.DPipe, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is,
    exp.In, exp.Between, exp.Like, exp.ILike, exp.And, exp.Or, exp.Not, exp.Exists,
)  # fmt: skip
_FUNCTIONS = (
    exp.Sum, exp.Count, exp.CountIf, exp.Avg, exp.Min, exp.Max, exp.Median, exp.Mode, exp.PercentileCont,
    exp.PercentileDisc, exp.Quantile, exp.ApproxDistinct, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance,
    exp.VariancePop, exp.Corr, exp.ArgMax, exp.ArgMin, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Abs,
    exp.Round, exp.Floor, exp.Ceil, exp.Sqrt, exp.Ln, exp.Exp, exp.Pow, exp.Sign, exp.Lower, exp.Upper, exp.Length,
    exp.Substring, exp.Left, exp.Right, exp.Trim, exp.StartsWith, exp.Contains, exp.StrPosition, exp.Concat,
    exp.Extract, exp.Year, exp.Quarter, exp.Month, exp.Week, exp.Day, exp.Hour, exp.Minute, exp.DayOfWeek,
    exp.DayOfWeekIso, exp.DayOfMonth, exp.DateTrunc, exp.TimestampTrunc, exp.DateDiff, exp.DateBin, exp.TimeToStr,
    exp.TimeToUnix, exp.AtTimeZone, exp.Rank, exp.DenseRank, exp.RowNumber, exp.PercentRank, exp.Ntile, exp.Lag,
    exp.Lead, exp.FirstValue, exp.LastValue,
)  # fmt: skip
_PLAIN_NAMES = frozenset(["time_bucket", "timezone", "isfinite", "isodow"])
_TYPES = frozenset([
    exp.DType.BOOLEAN, exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.FLOAT,
    exp.DType.DOUBLE, exp.DType.DECIMAL, exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.DATE, exp.DType.TIMESTAMP,
    exp.DType.TIMESTAMPTZ, exp.DType.INTERVAL,
])  # fmt: skip
_ALLOWED: tuple[type[exp.Expr], ...] = (*_CLAUSES, *_VALUES, *_FUNCTIONS)
_ARGUMENTS = {"this", "alias", "db", "catalog", "joins"}
_NAME = re.compile(r"\w{1,60}")
Sight = Callable[[str], exp.Subquery]
"""Gives a table of the lake as the asker sees it."""


def guarded(
    text: str, tables: Collection[str], sight: Sight, *, hints: Collection[str] = ()
) -> tuple[exp.Query, list[str]]:
    """The statement with every table replaced, and the tables it reads; raises :class:`Invalid` in words.

    Only ``hints`` are named where a table is unknown.
    """
    tree = parsed(text)
    faults = list(dict.fromkeys(_faults(tree)))
    names = {name.lower(): name for name in tables}
    read: dict[str, None] = {}
    if not faults:
        for table in list(tree.find_all(exp.Table)):
            if not _replaced(table, names, sight, read):
                faults.append(Fault("sql", f"there is no table '{table.name[:60]}'", near(table.name, hints)))
    if faults:
        raise Invalid("this statement is not let through", "one SELECT over tables of the lake; see docs", faults)
    return tree, list(read)


def parsed(text: str) -> exp.Query:
    """One SELECT as a tree; raises :class:`Invalid` for anything else."""
    if len(text) > LONGEST:
        raise Invalid(f"the statement has {len(text)} signs", f"at most {LONGEST} are read")
    if _depth(text) > DEEPEST:
        raise Invalid("the brackets of the statement are nested too deeply", f"at most {DEEPEST} within each other")
    try:
        trees = sqlglot.parse(text, dialect="duckdb")
    except (SqlglotError, RecursionError) as error:
        detail = str(error).splitlines()[0] if str(error) else "it is nested too deeply"
        raise Invalid(f"not a statement that can be read: {detail[:200]}", "write one SELECT") from error
    found = [tree for tree in trees if tree is not None]
    if len(found) != 1 or not isinstance(found[0], exp.Query):
        raise Invalid("only one SELECT is let through", "leave out everything that changes or sets something")
    return found[0]


def _faults(tree: exp.Query) -> Iterator[Fault]:
    for node in tree.walk():
        shown = node.sql("duckdb")[:60]
        if isinstance(node, exp.Anonymous):
            if str(node.this).lower() not in _PLAIN_NAMES:
                yield Fault("sql", f"the function '{str(node.this)[:40]}' is not allowed", "see the list in the docs")
        elif not isinstance(node, _ALLOWED):
            yield Fault("sql", f"'{shown}' ({type(node).__name__}) is not allowed", "see the list in the docs")
        elif isinstance(node, exp.DataType) and node.this not in _TYPES:
            yield Fault("sql", f"the type '{shown}' is not allowed", "numbers, texts, dates and instants are")
        elif isinstance(node, exp.With) and node.args.get("recursive"):
            yield Fault("sql", "a recursive part may never end", "write it without RECURSIVE")
        elif isinstance(node, exp.Table) and (odd := _odd(node)):
            yield Fault("sql", odd, "name a table of the lake alone")
        elif isinstance(node, exp.TableAlias) and not _NAME.fullmatch(node.name or "x"):
            yield Fault("sql", f"'{node.name[:40]}' is no plain name", "letters, digits and _")


def _odd(table: exp.Table) -> str | None:
    if table.args.get("db") or table.args.get("catalog"):
        return f"'{table.sql('duckdb')[:60]}' names a schema"
    if not isinstance(table.this, exp.Identifier):
        return f"'{table.sql('duckdb')[:60]}' is a table function"
    more = sorted(name for name, value in table.args.items() if value and name not in _ARGUMENTS)
    return f"'{table.sql('duckdb')[:60]}' carries {', '.join(more)}" if more else None


def _replaced(table: exp.Table, names: Mapping[str, str], sight: Sight, read: dict[str, None]) -> bool:
    """Put the asker's sight in the place of a table; parts of the statement stay. False for a name that is neither."""
    if table.name.lower() in _in_sight(table):
        return True
    name = names.get(table.name.lower())
    if name is None:
        return False
    seen = sight(name)
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name, quoted=True))
    seen.set("alias", alias.copy())
    for join in table.args.get("joins") or []:
        seen.append("joins", join)
    table.replace(seen)
    read[name] = None
    return True


def _in_sight(table: exp.Table) -> set[str]:
    """Names of the parts (``WITH``) that may be read where ``table`` stands: those written before it, around it."""
    found: set[str] = set()
    node: exp.Expr = table
    inside: exp.CTE | None = None
    while node.parent is not None:
        node = node.parent
        if isinstance(node, exp.CTE):
            inside = node
        elif isinstance(node, exp.Query):
            for part in node.ctes:
                if part is inside:
                    break
                found.add(part.alias.lower())
    return found


def _depth(text: str) -> int:
    depth = deepest = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        deepest = max(deepest, depth)
    return deepest
