"""What is said of forms, evidence and answers, in both languages."""

from __future__ import annotations

from cityloop.core.phrases import Phrases
from cityloop.core.values import Title

PHRASES = Phrases(
    {
        # A form
        "form": (
            "申请无法受理 | the application cannot be taken",
            "请改正指出的各项 | correct the fields that are named",
        ),
        "unknown": ("表单中没有“{field}”这一项 | the form has no field '{field}'", "请删去 | leave it out"),
        "missing": ("{title}：必填 | {title} is needed", "请填写 | fill it in"),
        "markup": ("{title}：不能含有标记 | {title} holds markup", "请只写文字 | write plain words"),
        "longest": (
            "{title}：超过 {most} 个字 | {title} is longer than {most} characters",
            "请缩短 | shorten it",
        ),
        "number": ("{title}：不是数字 | {title} is no number", "请填写数字 | write a number"),
        "integer": ("{title}：不是整数 | {title} is no whole number", "请填写整数 | write a whole number"),
        "least": ("{title}：小于 {least} | {title} is below {least}", "不得小于 {least} | at least {least}"),
        "most": ("{title}：大于 {most} | {title} is above {most}", "不得大于 {most} | at most {most}"),
        "date": ("{title}：不是日期 | {title} is no date", "请写成 2026-03-09 | write it as 2026-03-09"),
        "choice": ("{title}：没有这个选项 | {title}: there is no such choice", "可选：{known} | one of: {known}"),
        "flag": ("{title}：应为是或否 | {title} is neither yes nor no", "请选择是或否 | answer true or false"),
        "area": ("{title}：没有这个辖区 | {title}: there is no such area", "请选择所列辖区 | choose one of the list"),
        "phone": ("{title}：不是电话号码 | {title} is no phone number", "5 至 20 位数字 | 5 to 20 digits"),
        "id_number": (
            "{title}：不是有效的身份号码 | {title} is no valid identity number",
            "18 位，末位为校验码 | 18 signs, the last is a check digit",
        ),
        # Why a machine does not answer
        "no-evidence": "{evidence}：没有查到记录 | {evidence}: no record was found",
        "many-records": "{evidence}：查到多条记录 | {evidence}: more than one record was found",
        "not-shared": "{evidence}：{why} | {evidence}: {why}",
        "differs": "{field}与{evidence}不一致 | {field} differs from {evidence}",
        "unknown-fact": "“{fact}”无法确定 | '{fact}' cannot be determined",
        "again": "已有同一申请人的在办或已批准申请 | the same applicant has one that is open or granted already",
        "no-rule": "没有规则适用 | no rule applies",
        "table-error": "决策表未能给出结论 | the decision table gave no answer",
        "by-rule": "规则要求人工核定 | the rule wants a person to decide",
        "would-refuse": "规则建议不予批准，须人工核定 | the rule proposes a refusal, which a person decides on",
        # Moves
        "no-move": (
            "当前状态“{state}”不能“{move}” | '{move}' is not open while the application is {state}",
            "请刷新后查看可办理的操作 | look at it anew: it lists the moves that are open",
        ),
        "no-right": (
            "{actor} 没有权限“{permission}” | {actor} lacks the permission '{permission}'",
            "换有权限的岗位 | ask a post that holds it",
        ),
        "own": (
            "不能核定自己作出的决定 | nobody judges his own decision",
            "由本部门另一人办理 | somebody else of the department decides",
        ),
        "other-department": (
            "由“{department}”办理 | this is for the department '{department}'",
            "请转该部门 | ask somebody there",
        ),
        "reason": ("须写明理由 | a reason is needed", "申请人会看到这一理由 | the applicant reads it"),
        "irrevocable": (
            "本事项的批准不可撤销 | what was granted of this item cannot be revoked",
            "只能依法另案处理 | by law only, as a matter of its own",
        ),
        "appeal-over": ("已过申诉期限 | the time for an appeal is over", "可重新申请 | a new application can be made"),
        "appealed": (
            "每件申请只能申诉一次 | an application is appealed against once",
            "可重新申请 | a new application can be made",
        ),
        "not-found": (
            "编号与查询码不匹配 | number and code do not fit together",
            "请核对申请回执 | copy both from the receipt",
        ),
    }
)
STATES: dict[str, Title] = {
    "granted": Title(zh="已批准", en="Granted"),
    "handed": Title(zh="人工核定中", en="With a person"),
    "refused": Title(zh="不予批准", en="Refused"),
    "revoked": Title(zh="已撤销", en="Revoked"),
    "appealed": Title(zh="申诉复核中", en="Appeal under review"),
}
MOVES: dict[str, Title] = {
    "apply": Title(zh="提交申请", en="Applied"),
    "grant": Title(zh="批准", en="Grant"),
    "refuse": Title(zh="不予批准", en="Refuse"),
    "revoke": Title(zh="撤销", en="Revoke"),
    "appeal": Title(zh="申诉", en="Appeal"),
    "check_pass": Title(zh="抽查通过", en="Pass the check"),
    "check_fail": Title(zh="抽查不通过", en="Fail the check"),
}
HANDED = Title(
    zh="需要人工核定，将在期限内答复",
    en="A person has to look at it and will answer within the limit",
)
"""What the public is told of a doubt: never what a register says."""
