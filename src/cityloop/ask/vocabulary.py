"""The words a question is built with, beside the names of the city's own things: order, comparison, negation, filling.

A rule is a tag and a pattern; the matched groups are what the grammar works with. Patterns are tried at every place of
the plain text, Latin ones only where a word begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cityloop.ask.numerals import WHOLE
from cityloop.ask.text import at_border

_UNIT_ZH = "小时|天|日|周|星期|个?月|季度?|年"
_UNIT_EN = "hour|day|week|month|quarter|year"
_CITIES = (
    "北京|上海|广州|深圳|天津|重庆|成都|武汉|西安|杭州|南京|苏州|长沙|郑州|青岛|大连|厦门|宁波|福州|济南|合肥|昆明|东莞|佛山|"
    "珠海|惠州|中山|沈阳|哈尔滨|长春|石家庄|太原|南宁|贵阳|南昌|海口|三亚|兰州|银川|西宁|拉萨|乌鲁木齐|呼和浩特|无锡|温州|"
    "香港|澳门|台北|纽约|伦敦|巴黎|东京|新加坡|波士顿"
)
_CITIES_EN = (
    "beijing|shanghai|guangzhou|shenzhen|tianjin|chongqing|chengdu|wuhan|xi'an|hangzhou|nanjing|suzhou|dongguan|zhuhai|"
    "hong kong|macao|macau|taipei|new york|london|paris|tokyo|singapore|boston|chicago|berlin|san francisco|seoul"
)


@dataclass(frozen=True)
class Word:
    """A matched rule: its tag, what its groups hold, and where it ends."""

    tag: str
    groups: tuple[str, ...]
    end: int
    cost: float


_RULES: tuple[tuple[str, str], ...] = (
    ("each",
     r"按照|按|每一个|每个|每一|每|各个|各|分别|逐个|逐|不同|分(?=[区部来等站类])|\b(?:broken down by|"
     r"split by|grouped by|for each|by|per|each|every)\b"),
    ("which", r"哪一?个|哪家|哪座|哪条|哪辆|哪种|哪类|\b(?:which|what)\b"),
    ("which_many", r"哪些|哪几[个家条]|\bwhich ones\b"),
    ("top", rf"(?:排名)?前({WHOLE})(?:名|位|强|大)?|\btop (?:the )?({WHOLE})\b|\bfirst ({WHOLE})\b"),
    ("bottom", rf"(?:倒数|后)({WHOLE})(?:名|位)?|\b(?:bottom|last) ({WHOLE})\b"),
    ("most",
     r"最多|最高|最大|最长|最严重|排?名?第一|居首|\b(?:the )?(?:most|highest|largest|biggest|longest|greatest|"
     r"maximum|max)\b"),
    ("least", r"最少|最低|最小|最短|\b(?:the )?(?:least|fewest|lowest|smallest|shortest|minimum|min)\b"),
    ("best", r"最好|最优|最佳|\b(?:the )?best\b"),
    ("worst", r"最差|最坏|最糟|\b(?:the )?worst\b"),
    ("fastest", r"最快|\b(?:the )?(?:fastest|quickest)\b"),
    ("slowest", r"最慢|\b(?:the )?slowest\b"),
    ("rank",
     r"排名|排行榜?|排序|[从由]高到低|[从由]多到少|降序|\b(?:ranking|ranked|rank|sorted|descending|"
     r"league table)\b"),
    ("rank_up", r"[从由]低到高|[从由]少到多|升序|\bascending\b"),
    ("trend",
     r"变化趋势|变化情况|变化曲线|趋势图?|走势图?|变化|曲线|时间序列|\b(?:trends?|over time|development|"
     r"evolution|curve)\b"),
    ("grain",
     rf"(?:每一?个?|逐|按|各个?|分)({_UNIT_ZH})|\b(hourly|daily|weekly|monthly|quarterly|yearly|annual)\b|"
     rf"\b(?:per|by|each|every|for each|for every) ({_UNIT_EN})\b"),
    ("which_day", r"哪一?天|一天|那天|日子|(?<=的)天|\b(?:which|what) days?\b|\bdays?\b"),
    ("which_month", r"哪个?一?月份?|\b(?:which|what) months?\b"),
    ("which_week", r"哪一?周|\b(?:which|what) weeks?\b"),
    ("which_hour", r"哪一?个?小时|哪个时段|几点|\b(?:which|what) hours?\b"),
    ("since",
     r"至今为止|至今|以来|到现在为止|到现在|到目前为止|截至目前|迄今|\b(?:so far|to date|until now|"
     r"up to now)\b"),
    ("sofar_en", r"\b(?:year|month|week|quarter) to date\b|\b(?:ytd|mtd)\b"),
    ("since_en", r"\bsince\b|自从?|从"),
    ("range", r"(?:到|至|~|—|–|-)(?!今|现在|目前)|\b(?:to|until|till|through)\b"),
    ("calendar",
     r"(早高峰)(?:时段|时间|期间)?|(晚高峰)(?:时段|时间|期间)?|(高峰)(?:时段|时间|期间?)?|(工作日)|(周末|"
     r"休息日|双休日)|(法定节假日|节假日|假日|节日)|"
     r"\b(?:(?:in|during|on|at) )?(?:the )?(?:(morning (?:peak|rush)(?: hours?)?)|"
     r"(evening (?:peak|rush)(?: hours?)?)|((?:peak|rush) hours?)|(working days?|weekdays?|workdays?)|"
     r"(weekends?|days off|rest days?)|((?:public |bank )?holidays?))\b"),
    ("previous",
     r"环比|[与和跟比较同]?上一?个?(?:期|周期)(?:相比)?|[与和跟比较]前一?个?(?:期|天|日|周|月|季度|年)(?:相比|"
     r"对比|比)?|上月同期|\b(?:month|week|day|quarter) (?:on|over|by) (?:month|week|day|quarter)\b|"
     r"\b(?:compared (?:with|to)|against|versus|vs\.?|than|and) the (?:previous|preceding|prior) (?:period|"
     r"one|day|week|month|quarter|year)\b|\b(?:compared (?:with|to)|against|versus|vs\.?|than) the (?:day|"
     r"week|month|quarter|year|period) before\b|\b(?:the )?(?:previous|preceding) period\b"),
    ("year",
     r"同比|[与和跟比较]?(?:去年|上年)同期(?:相比|对比|比)?|[与和跟比较]去年(?:相比|对比)|\byear (?:on|"
     r"over) year\b|\byear-on-year\b|\byoy\b|"
     r"\b(?:(?:compared (?:with|to)|against|versus|vs\.?|than|and) )?(?:the )?same (?:period|time|week|month|"
     r"quarter)(?: of)? last year\b|\bthan a year (?:ago|earlier|before)\b|\b(?:compared (?:with|to)|against|"
     r"versus|vs\.?) a year (?:ago|earlier|before)\b"),
    ("than", r"相比于|相比|对比|比|较|\b(?:compared (?:with|to)|versus|vs\.?|against)\b"),
    ("grow_rate", r"增长率|增幅|涨幅|增速|变化率|\bgrowth rate\b|\bin per ?cent\b"),
    ("grow",
     r"增长|增加|上升|上涨|提高|提升|变多|变高|变大|增多|升高|涨|\b(?:grew|grown|grow|growing|growth|"
     r"increased?|increases|rose|rise|risen|rising|went up|go up|improved?|up)\b"),
    ("fall",
     r"下降|减少|降低|下跌|变少|变低|下滑|变差|变慢|恶化|降|\b(?:fell|fall|fallen|falling|dropped|drop|"
     r"decreased?|declined?|went down|go down|worsened?|down)\b"),
    ("above_mean",
     r"(?:高于|超过|多于|大于)(?:全市)?平均(?:水平|值|数)?|\b(?:above|over|higher than|more than|"
     r"better than) (?:the )?(?:average|mean)\b"),
    ("below_mean",
     r"(?:低于|少于|小于|不到|不足)(?:全市)?平均(?:水平|值|数)?|\b(?:below|under|lower than|less than|"
     r"fewer than|worse than) (?:the )?(?:average|mean)\b"),
    ("lte",
     r"不超过|不高于|不大于|不多于|至多|最多不超过|<=|≤|\b(?:at most|no more than|not more than|up to)\b"),
    ("gte", r"不低于|不少于|不小于|至少|达到|>=|≥|\b(?:at least|no less than|not less than|reaching)\b"),
    ("gt",
     r"超过|超出|大于|高于|多于|长于|快于|>|\b(?:above|over|more than|greater than|higher than|longer than|"
     r"faster than|exceeding|exceeds?|exceeded)\b"),
    ("lt",
     r"低于|小于|少于|不足|不到|短于|慢于|未达到?|<|\b(?:below|under|less than|fewer than|lower than|"
     r"shorter than|slower than)\b"),
    ("gte_post", r"以上|及以上|\bor (?:more|above|higher|longer)\b"),
    ("lte_post", r"以下|以内|及以下|\bor (?:less|below|lower|fewer|shorter)\b"),
    ("between", r"介于|在(?=\d)|\bbetween\b"),
    ("between_post", r"之间"),
    ("share",
     r"所占(?:的)?比例|占的比例|占比|份额|构成比?|百分比|比重|比例|\b(?:shares?|proportions?|percentages?|"
     r"breakdown)(?: of)?\b"),
    ("cumulative", r"累计|累积|\b(?:cumulative|cumulated|running total|accumulated)\b"),
    ("moving",
     rf"({WHOLE})(?:天|日|周|个月|小时|期)?的?(?:移动|滑动)平均|\b({WHOLE})[- ](?:day|week|month|"
     r"hour)s? moving (?:average|mean)\b|\bmoving (?:average|mean) (?:of|"
     rf"over) ({WHOLE})(?: (?:day|week|month|hour)s?)?\b"),
    ("not",
     r"除了|除去|除开|除|不含|不包括|不包含|不算|不要|不计|排除|剔除|去掉|不是|非|没有|其中不|\b(?:except for|"
     r"except|excluding|without|other than|apart from|but not|not from|not in|not by|not|non)\b"),
    ("not_post", r"之外|以外|除外|外(?=的|[,，]|其|$)"),
    ("why",
     r"为什么|为何|为啥|什么原因|是什么导致|是何原因|怎么回事|怎么会|的?原因(?:是什么|何在)?|\b(?:why|"
     r"how come|reasons? (?:for|why)|what caused|explain)\b"),
    ("future",
     r"将会|将来|未来|预计|预测|会不会|会有|会超|会|\b(?:will|would|forecasts?|predict(?:ed|ion|ions)?|"
     r"expected|going to)\b"),
    ("personal",
     r"电话号码|电话|手机号码?|身份证|姓名|名字|住址|家庭地址|车主|工资|年龄|谁(?:举报|投诉|上报|报)的?|"
     r"举报人|上报人|投诉人|\b(?:phone numbers?|telephone|mobile number|"
     r"names? of the (?:reporter|citizen|caller)|reporters?|home address|id card|identity|"
     r"who (?:reported|called|complained)|salary)\b"),
    ("act",
     r"删除|删掉|关闭|关掉|修改|改成已|派遣|派给|派单|发送|撤销|作废|重启|清空|\b(?:delete|remove|drop|"
     r"truncate|update|close (?:all|the|every|it)|cancel|dispatch|send|shut|restart)\b"),
    ("elsewhere", rf"(?:{_CITIES})市?|\b(?:{_CITIES_EN})\b"),
    ("outside",
     r"天气|气温|下雨|降雨|经济|gdp|人口|股票|股市|房价|收入|选举|世界杯|\b(?:weather|rain|temperature|"
     r"population|economy|gdp|stock|house prices|election)\b"),
    ("opinion",
     r"应该|怎么办|如何改进|如何解决|建议|怎样才能|\b(?:should|how to|recommend|advice|advise|what to do)\b"),
    ("follow",
     r"那么|那|换成|换为|改成|改为|换|改看|再看看?|只看|只要|\b(?:what about|how about|and for|and in|"
     r"switch to|change (?:it )?to|only|instead)\b"),
    ("split", r"拆开|拆分|细分|展开|分开|分组|\b(?:split|break (?:it )?down|broken down|drill down|grouped)\b"),
    ("and", r"以及|和|与|及|跟|、|,|或者|或|还有|\b(?:and|or|as well as)\b|&"),
    ("other", r"其他|其它|其余|\b(?:other|others|rest)\b"),
)  # fmt: skip
_FILLING = (
    r"有没有|(?:这么|那么|如此|太)[多少高低大小慢快差]|请问|请|帮我|给我|我想|想|要|知道|了解|看一看|看一下|"
    r"看看|看|查询|查一下|查|统计一下|统计|显示|列出|列|告诉我|告诉|一下|一共有|一共|总共|共|总的|总|合计|"
    r"有多少|多少|有几|几|数量|数目|总量|总数|次数|个数|件数|情况|数据|信息|结果|是多少|如何|怎么样|怎样|什么|"
    r"分布|全部|所有|全市|本市|整个|整体|全|的时候|时候|时段|期间|目前|现在|当前|此刻|实时|里面|里|中|内|间|"
    r"上|下|在|于|从|由|对|为|是|有|还|的|得|地|了|过|着|呢|吗|嘛|啊|呀|吧|么|就|都|也|又|再|把|被|给|让|使|"
    r"所|这|那|此|其|它|发生|出现|产生|来的|来自|来|属于|涉及|关于|当中|之|与否|数|量|值|件|个|起|条|宗|次|例|"
    r"名|家|位|座|辆|站次|人次|市|谁|处理|部分|作为|进行|存在|只|仅|单|单独|比较|对比|列表|清单|表|图|谢谢|"
    r"\bso (?:many|much|few|little|high|low|slow|long|bad)\b|\b(?:please|show|give|list|tell|display|me|us|i|"
    r"want|need|know|see|the|a|an|of|for|in|at|on|from|to|with|is|are|was|were|be|been|being|did|does|do|had|"
    r"has|have|having|there|how|many|much|number|numbers|count|counts|total|overall|all|what|who|that|this|"
    r"these|those|it|its|their|our|their|figures?|data|during|within|over|took|takes?|taking|got|get|reached|"
    r"came|come|coming|where|when|whose|about|currently|now|at the moment|right now|amount|value|values|as|"
    r"then|than|s|city|whole|entire|one|ones|city's|place|places|happened|occurred|compare|comparison|chart|"
    r"table|list|in total)\b"
)  # fmt: skip  # fmt: skip
_SPACE = r"[\s?。.!;:;'\"“”‘’()\[\]<>《》…·/]+|[？！：；（）]+"
_COMPILED = tuple((tag, re.compile(pattern)) for tag, pattern in _RULES)
_FILLER = re.compile(_FILLING)
_BLANK = re.compile(_SPACE)


def words(text: str, start: int) -> Iterator[Word]:
    """Every rule that matches at ``start``."""
    border = at_border(text, start)
    blank = _BLANK.match(text, start)
    if blank:
        yield Word("space", (), blank.end(), 0.0)
    if not border:
        return
    for tag, pattern in _COMPILED:
        found = pattern.match(text, start)
        if found and found.end() > start and at_border(text, found.end()):
            yield Word(tag, tuple(group or "" for group in found.groups()), found.end(), 1.0)
    filler = _FILLER.match(text, start)
    if filler and filler.end() > start:
        yield Word("filler", (), filler.end(), 1.3)
