"""The product the demo company sells (禾舟协同, invented): modules, what people do, editions."""

from dataclasses import dataclass

PRODUCT = "禾舟协同"


@dataclass(frozen=True)
class Deed:
    """One tracked event: its name, module, weight inside the module, and typical `rows`."""

    event: str
    module: str
    weight: float
    rows: int = 0  # 0: the event carries no number of rows


DEEDS = (
    Deed("新建任务", "任务协作", 3),
    Deed("完成任务", "任务协作", 4),
    Deed("评论任务", "任务协作", 2),
    Deed("提交审批", "流程审批", 3),
    Deed("处理审批", "流程审批", 4),
    Deed("新建流程", "流程审批", 0.2),
    Deed("新建文档", "知识文档", 1),
    Deed("查看文档", "知识文档", 5),
    Deed("手机签到", "移动办公", 3),
    Deed("手机审批", "移动办公", 3),
    Deed("查看看板", "经营看板", 6),
    Deed("编辑看板", "经营看板", 1),
    Deed("生成报表", "自动报表", 3, 800),
    Deed("导出报表", "自动报表", 2, 400),
    Deed("订阅报表", "自动报表", 0.4),
    Deed("新增客户资料", "客户台账", 2),
    Deed("更新跟进记录", "客户台账", 4),
    Deed("导入数据", "数据对接", 1, 2500),
    Deed("同步数据", "数据对接", 3, 1200),
    Deed("邀请成员", "系统管理", 1),
    Deed("配置权限", "系统管理", 2),
)
MODULES = tuple(dict.fromkeys(deed.module for deed in DEEDS))

# how often a module is used, all else equal
MODULE_WEIGHT = {
    "任务协作": 5.0,
    "流程审批": 3.5,
    "知识文档": 2.0,
    "移动办公": 1.6,
    "经营看板": 2.2,
    "自动报表": 1.8,
    "客户台账": 2.4,
    "数据对接": 0.8,
    "系统管理": 0.25,
}

# how a job bends the mix: staff, heads of department, system administrators
JOBS = ("员工", "主管", "管理员")
JOB_BEND = {
    "员工": {"经营看板": 0.5, "自动报表": 0.6, "数据对接": 0.2, "系统管理": 0.02},
    "主管": {"流程审批": 1.8, "经营看板": 2.2, "自动报表": 1.6, "系统管理": 0.3},
    "管理员": {"数据对接": 5.0, "系统管理": 12.0, "自动报表": 1.3},
}

EDITIONS = ("标准版", "专业版", "旗舰版")
EDITION_MODULES = {
    "标准版": ("任务协作", "流程审批", "知识文档", "移动办公", "系统管理"),
    "专业版": (
        "任务协作",
        "流程审批",
        "知识文档",
        "移动办公",
        "系统管理",
        "经营看板",
        "自动报表",
    ),
    "旗舰版": MODULES,
}
SEAT_PRICE_YUAN = {"标准版": 980, "专业版": 1880, "旗舰版": 3200}  # list price per seat and year
CLIENTS = ("网页", "手机", "桌面端")
CLIENT_SHARE = (0.62, 0.26, 0.12)
