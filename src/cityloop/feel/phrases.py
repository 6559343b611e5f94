"""What is said of a text that is no expression of the subset, by code in both languages."""

from __future__ import annotations

from cityloop.core.errors import Problem
from cityloop.core.phrases import Phrases

PHRASES = Phrases(
    {
        "long": (
            "表达式有 {size} 个字符，最多 {most} 个 | the expression has {size} characters, at most {most} are taken",
            "拆成几个较短的条件 | split it into shorter conditions",
        ),
        "deep": (
            "表达式嵌套超过 {most} 层 | the expression is nested more than {most} deep",
            "减少括号和嵌套 | use fewer brackets and less nesting",
        ),
        "busy": (
            "表达式有超过 {most} 个运算 | the expression has more than {most} operations",
            "拆成几个较短的条件 | split it into shorter conditions",
        ),
        "empty": ("表达式是空的 | the expression is empty", "写出条件 | write a condition"),
        "character": (
            "不认识的字符“{text}” | the character '{text}' has no meaning here",
            "删除它，或把文字放进双引号 | remove it, or put text in double quotes",
        ),
        "unfinished": (
            "文字没有结束的双引号 | a text has no closing double quote",
            "补上双引号 | add the double quote",
        ),
        "escape": (
            "文字中的转义“{text}”不可用 | the escape '{text}' is not known in a text",
            '可用 \\n \\r \\t \\\\ \\" \\u0041 | use \\n \\r \\t \\\\ \\" \\u0041',
        ),
        "number": (
            "数“{text}”过大或过小 | the number {text} is out of range",
            "最多 34 位有效数字，指数在正负 6000 之内 | at most 34 digits, with an exponent within 6000",
        ),
        "moment": (
            "“{text}”不是日期、时间或时长 | '{text}' is no date, time or duration",
            "例如 2026-11-23、08:30:00、PT2H | for example 2026-11-23, 08:30:00, PT2H",
        ),
        "expected": (
            "这里应为 {wanted}，而不是 {found} | {wanted} is expected here, not {found}",
            "改正这里的写法 | correct the expression here",
        ),
        "unexpected": (
            "这里不能出现 {found} | {found} cannot stand here",
            "改正这里的写法；含空格的名称须是已知的名称"
            " | correct the expression here; a name with blanks must be a known one",
        ),
        "function": (
            "没有函数“{name}” | there is no function '{name}'",
            "使用 FEEL 的内置函数 | use one of the functions of FEEL",
        ),
        "parameters": (
            "函数“{name}”的参数不对：{takes} | the arguments of '{name}' do not fit: {takes}",
            "按参数表改正 | give what the function takes",
        ),
        "unsupported": (
            "不支持 {found} | {found} is not supported",
            "只用 FEEL 的子集 | use the supported subset of FEEL",
        ),
    }
)


class FeelFault(Problem):
    """A text outside the subset; ``position`` counts characters from 0."""

    status = 422
    code = "feel"
    title = "This is no expression of the language"

    def __init__(self, what: str, position: int, mend: str = "") -> None:
        super().__init__(what, mend)
        self.position = position


def fault(code: str, position: int, **parts: object) -> FeelFault:
    """The fault of a code at a position, in both languages."""
    told = PHRASES.fault(f"character {position + 1}", code, **parts)
    made = FeelFault(told.what, position, told.mend)
    made.faults = [told]
    made.more = {"position": position, **{key: value for key, value in told.document().items() if key in _BOTH}}
    return made


_BOTH = ("said", "remedy")
