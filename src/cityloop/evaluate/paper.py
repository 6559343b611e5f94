"""The report of a board as paragraphs and tables."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from cityloop.core.paper import Cell, Language, Paper, Say, Table, speaker
from cityloop.core.values import Page, Title
from cityloop.evaluate.schemas import Board, FigureCase, IndicatorList, Row


def paper(
    city: Title,
    board: Board,
    forced: Page[FigureCase],
    made_of: IndicatorList,
    language: Language,
    zone: ZoneInfo,
) -> Paper:
    """The report of one board: ranking, figures, every addend, formulas, exemptions, and the listed cases."""
    say = speaker(language)
    return Paper(
        language=language,
        title=say(
            f"{city.zh}{board.period.title.zh}{board.title.zh}通报",
            f"{city.en}: {board.title.en}, {board.period.title.en}",
        ),
        lines=_lines(board, say, zone),
        tables=[
            _ranking(board, say),
            _figures(board, say),
            _addends(board, say),
            _formulas(board, say),
            _exemptions(board, made_of, say),
            _listed(forced, say, zone),
        ],
    )


def _of(say: Say, title: Title | None) -> str:
    return say(title.zh, title.en) if title else "—"


def _lines(board: Board, say: Say, zone: ZoneInfo) -> list[str]:
    period = board.period
    lines = [
        say(f"统计期间：{period.first} 至 {period.last}", f"Period: {period.first} to {period.last}"),
        say(f"评价方案：{board.title.zh}，版本 {board.version}", f"Scheme: {board.title.en}, version {board.version}"),
        say(f"数据截至：{_local(board.as_of, zone)}", f"Counted at: {_local(board.as_of, zone)}"),
    ]
    if board.published:
        at = _local(board.published.at, zone)
        lines.append(say(f"已于 {at} 发布，结果冻结", f"Published at {at}; the result is frozen"))
    elif not board.complete:
        lines.append(say("期间尚未结束，数据为阶段性结果", "The period is not over: these are interim figures"))
    else:
        lines.append(say("尚未发布", "Not published"))
    if board.partial:
        lines.append(say("仅含本人数据范围内的案件", "Only cases within the reader's own scope are counted"))
    least = board.minimum_sample
    lines.append(say(f"分母小于 {least} 的对象不参与排名", f"Objects with a denominator below {least} are not ranked"))
    return lines


def _ranking(board: Board, say: Say) -> Table:
    heading = [say("名次", "Rank"), say("对象", "Object"), say("得分", "Score"), say("等级", "Grade")]
    heading += [
        say("上期得分", "Before"),
        say("得分变化", "Change"),
        say("名次变化", "Rank change"),
        say("备注", "Note"),
    ]
    return Table(
        say("排名", "Ranking"),
        heading,
        [_rank_row(row, say) for row in board.rows],
        colours=[row.grade.colour if row.grade else "" for row in board.rows],
    )


def _rank_row(row: Row, say: Say) -> list[Cell]:
    rank = "—" if row.rank is None else f"{row.rank}{say('（并列）', ' (shared)') if row.shared else ''}"
    grade = _of(say, row.grade.title if row.grade else None)
    before = row.before.score if row.before else None
    note = _of(say, row.why_unranked) if row.why_unranked else ""
    cells: list[Cell] = [rank, _of(say, row.title), _or_dash(row.score), grade, _or_dash(before)]
    return [*cells, _signed(row.score_change), _signed(row.rank_change), note]


def _figures(board: Board, say: Say) -> Table:
    heading = [say("对象", "Object")]
    heading += [f"{_of(say, c.title)} ({c.points:g}{say('分', ' points')})" for c in board.columns]
    rows = []
    for row in [*board.rows, board.total]:
        figures: list[Cell] = [f"{item.shown} ({_fraction(item.numerator, item.denominator)})" for item in row.items]
        if figures:
            rows.append([_of(say, row.title), *figures])
    note = say(
        "括号内为分子/分母，均为计入豁免后的数。", "In brackets: numerator / denominator, with exemptions applied."
    )
    return Table(say("指标", "Indicators"), heading, rows, note)


def _addends(board: Board, say: Say) -> Table:
    titles = {column.id: _of(say, column.title) for column in board.columns}
    heading = [say("对象", "Object"), say("指标", "Indicator"), say("原始值", "As it happened")]
    heading += [say("计入值", "Counted"), say("算法", "How"), say("得分", "Points")]
    rows: list[list[Cell]] = [
        [_of(say, row.title), titles[i.id], i.raw_shown, i.shown, i.how, "—" if i.score is None else round(i.score, 2)]
        for row in [*board.rows, board.total]
        for i in row.items
    ]
    return Table(say("得分明细", "Every addend"), heading, rows)


def _formulas(board: Board, say: Say) -> Table:
    heading = [say("指标", "Indicator"), say("版本", "Version"), say("公式", "Formula"), say("依据", "Source")]
    rows: list[list[Cell]] = []
    for column in board.columns:
        formula = f"({column.numerator}) ÷ ({column.denominator})" if column.denominator else column.numerator
        rows.append([_of(say, column.title), column.indicator_version, formula, column.clause])
    return Table(say("公式", "Formulas"), heading, rows)


def _exemptions(board: Board, made_of: IndicatorList, say: Say) -> Table:
    effects = {
        "leave_out": say("不计入", "left out"),
        "on_time": say("视为按期", "counted as on time"),
        "late": say("视为超期", "counted as late"),
    }
    rows: list[list[Cell]] = [[_of(say, e.title), effects[e.effect]] for e in made_of.exemptions]
    note = say("原始事实保留，豁免只改变计入值。", "The fact stays; an exemption changes only what is counted.")
    return Table(say("豁免", "Exemptions"), [say("情形", "Case"), say("处理", "Effect")], rows, note)


def _listed(forced: Page[FigureCase], say: Say, zone: ZoneInfo) -> Table:
    heading = [say("案件号", "Number"), say("标题", "Title"), say("部门", "Department"), say("时间", "Ended")]
    rows: list[list[Cell]] = [
        [c.number, c.title, _of(say, c.department_title), _local(c.ended_at, zone) if c.ended_at else "—"]
        for c in forced.items
    ]
    shown = len(forced.items)
    note = say(f"共 {forced.total} 件", f"{forced.total} in all")
    if shown < forced.total:
        note += say(f"，列出 {shown} 件", f", {shown} of them here")
    return Table(
        say("须列明的案件（如强制结案）", "Cases that must be listed (such as forced closings)"), heading, rows, note
    )


def _fraction(numerator: float | None, denominator: float | None) -> str:
    if denominator is None:
        return _or_dash(numerator)
    return f"{_or_dash(numerator)}/{_or_dash(denominator)}"


def _or_dash(number: float | None) -> str:
    return "—" if number is None else f"{number:.2f}".rstrip("0").rstrip(".")


def _signed(number: float | None) -> str:
    return "—" if number is None else f"{number:+g}" if number else "0"


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
