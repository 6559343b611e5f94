"""The sheets that a city is set up from: what heads each column, how it is filled, and an example that is nobody's."""

from __future__ import annotations

from collections.abc import Mapping

from cityloop.city.limit_sheet import HEADINGS
from cityloop.city.sheet import Column, SheetKind
from cityloop.core.values import Title


def _column(
    key: str, title: str, note: str, example: str = "", words: tuple[str, ...] = (), *, needed: bool = False
) -> Column:
    """A column; ``title`` and ``note`` hold Chinese and English with a bar between them."""
    return Column(key, _both(title), _both(note), words, example, needed)


def _both(text: str) -> Title:
    zh, _, en = text.partition(" | ")
    return Title(zh=zh, en=en)


_DATUM = "WGS 84 或 CGCS2000 | WGS 84 or CGCS2000"
_POINT = (
    _column("lon", "经度 | Longitude", _DATUM, "114.2", ("lng", "x", "东经"), needed=True),
    _column("lat", "纬度 | Latitude", _DATUM, "23.0", ("y", "北纬"), needed=True),
)

AREAS = SheetKind(
    "areas",
    _both("辖区 | Areas"),
    (
        _column(
            "code",
            "编码 | Code",
            "区 6 位、街道 9、社区 12、单元网格 15 | district 6, street 9, community 12, cell 15",
            "449901",
            ("代码", "标识码", "区划代码", "网格编码", "单元网格标识码"),
            needed=True,
        ),
        _column(
            "name", "名称 | Name", "中文名称 | name in Chinese", "示例区", ("zh", "网格名称", "区划名称"), needed=True
        ),
        _column(
            "english", "英文名称 | English name", "可空 | may be empty", "Example District", ("en", "英文名", "英文")
        ),
        _column(
            "level",
            "级别 | Level",
            "空则按编码位数；区、街道、社区、网格 | empty: by the length of the code",
            "",
            ("层级", "类型"),
        ),
        _column(
            "parent",
            "上级编码 | Parent code",
            "空则按编码开头 | empty: by the beginning of the code",
            "",
            ("上级", "上级代码", "父级编码"),
        ),
        _column(
            "local", "自编 | Local", "不是国家编码时填“是” | yes where the code is no national one", "", ("自编码",)
        ),
        _column(
            "boundary",
            "边界 | Boundary",
            "WKT，经度在前 | WKT, longitude first",
            "POLYGON ((114.1 22.9, 114.3 22.9, 114.3 23.1, 114.1 22.9))",
            ("wkt", "geometry", "范围", "几何"),
        ),
        _column(
            "lon", "经度 | Longitude", "没有边界时填中心点 | the centre where there is no boundary", "", ("lng", "x")
        ),
        _column("lat", "纬度 | Latitude", "没有边界时填中心点 | the centre where there is no boundary", "", ("y",)),
    ),
)

DEPARTMENTS = SheetKind(
    "departments",
    _both("部门 | Departments"),
    (
        _column(
            "id",
            "编号 | Id",
            "小写字母、数字和短横，长期不变 | small letters, digits and hyphens; it never changes",
            "example-bureau",
            ("部门编号", "部门代码"),
            needed=True,
        ),
        _column(
            "name",
            "名称 | Name",
            "全称 | the whole name",
            "示例局",
            ("部门", "部门名称", "单位名称", "zh"),
            needed=True,
        ),
        _column("english", "英文名称 | English name", "可空 | may be empty", "Example Bureau", ("英文名", "en")),
        _column("short", "简称 | Short name", "可空 | may be empty", "示例", ("部门简称",)),
        _column("short_english", "英文简称 | Short English name", "可空 | may be empty", "", ("英文缩写",)),
        _column(
            "code",
            "统一社会信用代码 | Credit code",
            "18 位，没有则空 | 18 characters, empty where there is none",
            "",
            ("信用代码", "机构代码"),
        ),
        _column(
            "kind",
            "类型 | Kind",
            "中心或部门，空为部门 | centre or department, empty: department",
            "部门",
            ("部门类型",),
        ),
        _column(
            "calendar",
            "日历 | Calendar",
            "city.yaml 里的日历，空为默认 | a calendar of city.yaml, empty: the default",
            "",
            ("作息",),
        ),
    ),
)

RESPONSIBILITY = SheetKind(
    "responsibility",
    _both("权责清单 | Responsibility"),
    (
        _column("id", "编号 | Id", "空则按行号 | empty: by the number of the row", "example-refuse", ("序号", "行号")),
        _column(
            "title",
            "说明 | Title",
            "这一行管什么，案件上显示 | what the row is about; the case shows it",
            "示例：垃圾归示例局",
            ("职责", "职责说明", "名称"),
            needed=True,
        ),
        _column("english", "英文说明 | English title", "可空 | may be empty", "example: refuse", ("en",)),
        _column(
            "matters",
            "事项 | Matters",
            "代码或名称，也可大类代码；空为全部 | codes or names, or a class; empty: all",
            "06010、06011",
            ("事项代码", "小类", "小类代码", "管理事项"),
        ),
        _column(
            "areas", "辖区 | Areas", "名称或编码，空为全部 | names or codes; empty: all", "", ("区域", "范围", "属地")
        ),
        _column(
            "owners",
            "权属单位 | Owners",
            "部件属于这些部门时 | where the component belongs to these departments",
            "",
            ("权属", "产权单位"),
        ),
        _column("channels", "来源 | Channels", "空为全部 | empty: all", "", ("案件来源", "渠道")),
        _column("weekdays", "星期 | Weekdays", "1 到 7，空为每天 | 1 to 7, empty: every day", "", ("工作日",)),
        _column(
            "hours", "时段 | Hours", "如 20:00-08:00，空为全天 | such as 20:00-08:00, empty: all day", "", ("时间段",)
        ),
        _column(
            "department",
            "主办部门 | Department",
            "编号、名称或简称；同等部门都写 | id, name or short name; equals all together",
            "示例局",
            ("主办", "主办单位", "责任部门", "牵头部门", "处置部门"),
            needed=True,
        ),
        _column(
            "co_handlers",
            "协办部门 | Co-handlers",
            "可写几个 | several may stand here",
            "",
            ("协办", "协办单位", "配合部门"),
        ),
        _column(
            "required",
            "协办必须完成 | Parts required",
            "填“否”时案件不等协办 | no: the case does not wait for them",
            "",
            ("必须",),
        ),
        _column("demand", "协办要求 | Demand", "写给协办部门 | what the co-handlers are asked", "", ("配合事项",)),
    ),
)

ACCOUNTS = SheetKind(
    "accounts",
    _both("账号 | Accounts"),
    (
        _column(
            "account",
            "账号 | Account",
            "登录名，小写字母和数字 | the name to sign in with, small letters and digits",
            "example",
            ("登录名", "用户名"),
            needed=True,
        ),
        _column(
            "name", "姓名 | Name", "显示的姓名 | the name that people see", "示例员", ("人员", "名字"), needed=True
        ),
        _column("english", "英文姓名 | English name", "可空 | may be empty", "Example", ("en",)),
        _column(
            "posts",
            "岗位 | Posts",
            "可写几个，小城市可兼岗 | several in a small city",
            "受理员、值班长",
            ("角色", "职务"),
            needed=True,
        ),
        _column(
            "department",
            "部门 | Department",
            "编号、名称或简称 | id, name or short name",
            "示例局",
            ("单位", "所属部门"),
        ),
        _column(
            "areas",
            "辖区 | Areas",
            "监督员的责任区，可写几个 | the collector's ground, several may stand here",
            "",
            ("责任区", "责任网格", "区域"),
        ),
    ),
)

COMPONENTS = SheetKind(
    "components",
    _both("部件 | Components"),
    (
        _column(
            "code",
            "标识码 | Identifier",
            "16 或 17 位，单元格设为文本 | 16 or 17 digits, the cell formatted as text",
            "44990101001000001",
            ("管理部件标识码", "部件编码", "部件标识码", "GLBJBSM", "ObjID"),
            needed=True,
        ),
        _column(
            "name",
            "名称 | Name",
            "小类名称或自己的名称 | the name of its class, or one of its own",
            "示例井盖",
            ("管理部件名称", "部件名称", "GLBJMC", "ObjName"),
        ),
        _column(
            "owner",
            "权属单位 | Owner",
            "部门；空则为主管部门 | id, name or credit code; empty: the supervising body",
            "示例局",
            ("责任单位", "权属单位名称", "QSDWMC", "DeptName2"),
        ),
        _column("owner_code", "权属单位代码 | Owner code", "可空 | may be empty", "", ("QSDWDM", "DeptCode2")),
        _column(
            "supervisor",
            "主管部门 | Supervising body",
            "可空 | may be empty",
            "",
            ("主管部门名称", "ZGBMMC", "DeptName1"),
        ),
        _column(
            "supervisor_code",
            "主管部门代码 | Supervising body's code",
            "可空 | may be empty",
            "",
            ("ZGBMDM", "DeptCode1"),
        ),
        _column(
            "maintainer", "养护单位 | Maintainer", "可空 | may be empty", "", ("养护单位名称", "YHDWMC", "DeptName3")
        ),
        _column(
            "state",
            "状态 | State",
            "完好、破损、丢失、废弃、移除 | intact, damaged, missing, abandoned, removed",
            "完好",
            ("管理部件状态", "部件状态", "GLBJZT", "ObjState"),
            needed=True,
        ),
        *_POINT,
        _column("surveyed_on", "初始日期 | First survey", "可空 | may be empty", "", ("CSRQ", "ORDate")),
        _column("changed_on", "变更日期 | Changed", "可空 | may be empty", "", ("BGRQ", "CHDate")),
        _column("origin", "数据来源 | Source", "实测、地形图等 | survey, map and the like", "", ("SJLY", "DataSource")),
        _column("note", "备注 | Note", "可空 | may be empty", "", ("BZ",)),
    ),
)

ADDRESSES = SheetKind(
    "addresses",
    _both("地址 | Addresses"),
    (
        _column(
            "address",
            "标准地址 | Address",
            "到门牌或楼栋 | down to the house number or the building",
            "示例区示例路0号",
            ("地址", "标准地址名称", "地址全称", "门牌地址"),
            needed=True,
        ),
        *_POINT,
        _column(
            "aliases",
            "别名 | Other names",
            "小区、大厦等，可写几个 | estates, buildings, several may stand here",
            "示例大厦",
            ("俗称", "小区名称", "建筑物名称"),
        ),
    ),
)

_LIMIT_TITLES = {
    "kind": ("类别 | Kind", "事件或部件 | matter or component", "事件"),
    "code": ("代码 | Code", "目录代码 | code of the catalogue", "06010"),
    "name": ("名称 | Name", "没有代码时按名称 | by name where there is no code", "暴露垃圾"),
    "filing": ("立案条件 | Filing condition", "可空 | may be empty", "示例条件"),
    "limit": ("处置时限 | Limit", "如 4工作时、3工作日 | such as 4工作时, 3工作日", "4工作时"),
    "closing": ("结案条件 | Closing condition", "可空 | may be empty", "示例结果"),
}
LIMITS = SheetKind(
    "limits",
    _both("时限与立案结案条件 | Limits, filing and closing conditions"),
    tuple(_column(key, *_LIMIT_TITLES[key], words, needed=key == "limit") for key, words in HEADINGS.items()),
)

KINDS: Mapping[str, SheetKind] = {
    kind.name: kind for kind in (AREAS, DEPARTMENTS, LIMITS, RESPONSIBILITY, ACCOUNTS, COMPONENTS, ADDRESSES)
}
