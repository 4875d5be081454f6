"""Which column of a file holds which field: known names of headers, Chinese and English."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A field that an import can fill. `names`: headers that mean it, any case, no blanks."""

    field: str
    names: tuple[str, ...]
    needed: bool = False


def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.split(", "))


CUSTOMER_COLUMNS = (
    Column(
        "external_id",
        _names(
            "客户编号, 客户id, 客户编码, 客户代码, 企业编号, 公司编号, 账户编号, 账号id, "
            "租户id, 租户编号, 外部id, 系统编号, 编号, external_id, externalid, "
            "customer_id, customerid, account_id, accountid, account external id, "
            "company_id, group_id, groupid, tenant_id, record id, sfdc account id, id"
        ),
    ),
    Column(
        "name",
        _names(
            "客户名称, 客户, 公司名称, 公司, 企业名称, 企业, 单位名称, 客户全称, 公司全称, "
            "客户简称, 名称, 账户名称, name, customer, customer name, company, "
            "company name, account, account name, organization, organisation, 客户名"
        ),
    ),
    Column(
        "uscc",
        _names(
            "统一社会信用代码, 社会信用代码, 信用代码, 纳税人识别号, 税号, 营业执照号, uscc, "
            "credit code, unified social credit code, tax id"
        ),
    ),
    Column(
        "industry",
        _names("行业, 所属行业, 客户行业, 一级行业, 行业分类, industry, sector"),
    ),
    Column(
        "region",
        _names(
            "地区, 区域, 城市, 省份, 省, 市, 所在地, 所在地区, 所在城市, 省市, 大区, "
            "region, city, province, billingcity, location, office_location, country"
        ),
    ),
    Column(
        "parent",
        _names(
            "上级客户, 母公司, 集团, 所属集团, 上级公司, parent, parent account, parentid, "
            "parent_id, parent_external_id, parent company, subsidiary_of"
        ),
    ),
    Column(
        "owner",
        _names(
            "负责人, 客户成功经理, csm, 客户经理, 成功经理, 所属人, 归属人, 跟进人, "
            "服务经理, owner, owner email, owner_email, csm email, csm_email, "
            "account owner, owner name"
        ),
    ),
    Column(
        "tier",
        _names(
            "客户分层, 分层, 客户级别, 客户等级, 客户分级, 级别, 等级, 层级, tier, "
            "segment, customer tier, customer segment"
        ),
    ),
    Column(
        "stage",
        _names(
            "客户阶段, 阶段, 旅程阶段, 生命周期, 生命周期阶段, 客户旅程, stage, "
            "lifecycle stage, journey stage"
        ),
    ),
    Column(
        "arr",
        _names(
            "arr, 年度经常性收入, 年费, 年合同额, 合同金额, 合同额, 成交金额, 年度金额, "
            "年服务费, 年金额, 签约金额, annual recurring revenue, acv, contract value, "
            "amount, annual value"
        ),
    ),
    Column(
        "currency",
        _names("币种, 货币, currency, currency code"),
    ),
    Column(
        "seats",
        _names(
            "席位, 席位数, 账号数, 用户数, 购买账号数, 授权数, 授权用户数, 许可数, 坐席数, "
            "seats, licenses, licences, license count, user count, users"
        ),
    ),
    Column(
        "edition",
        _names(
            "版本, 产品版本, 购买版本, 套餐, 产品名称, edition, plan, plan tier, "
            "plan_tier, package, product"
        ),
    ),
    Column(
        "started_on",
        _names(
            "开始日期, 合同开始日期, 生效日期, 服务开始日期, 签约日期, 签约时间, 起始日期, "
            "合作开始, 开通日期, start date, start_date, started_on, contract start, "
            "signup_date, customer since, created date"
        ),
    ),
    Column(
        "renews_on",
        _names(
            "到期日, 到期日期, 续约日期, 续约日, 合同到期日, 合同到期日期, 合同结束日期, "
            "结束日期, 服务到期日, 服务到期日期, 续费日期, end date, end_date, "
            "renewal date, renewal_date, renews_on, next renewal, contract end, expiry date"
        ),
    ),
    Column(
        "tags",
        _names("标签, 客户标签, tags, tag, labels"),
    ),
    Column(
        "next_step",
        _names("下一步, 下一步计划, 下步计划, 后续计划, next step, next_step"),
    ),
    Column(
        "next_step_on",
        _names(
            "下一步日期, 下次跟进日期, 下次联系日期, 下次跟进时间, next step date, next_step_on"
        ),
    ),
)

CONTACT_COLUMNS = (
    Column(
        "customer",
        _names(
            "客户编号, 客户名称, 客户, 公司, 公司名称, 企业名称, 所属客户, 所属公司, "
            "单位名称, 客户id, customer, customer_id, company, company name, account, "
            "account name, accountid, account_id, external_id, account external id"
        ),
        needed=True,
    ),
    Column(
        "name",
        _names(
            "姓名, 联系人, 联系人姓名, 名字, 联系人名称, name, full name, contact, contact name"
        ),
        needed=True,
    ),
    Column(
        "title",
        _names("职务, 职位, 岗位, 头衔, title, job title, position"),
    ),
    Column(
        "part",
        _names("角色, 决策角色, 联系人角色, 关键角色, role, part, decision role, buying role"),
    ),
    Column(
        "email",
        _names("邮箱, 电子邮箱, 邮件, 邮箱地址, email, e-mail, email address, mail"),
    ),
    Column(
        "phone",
        _names(
            "手机, 手机号, 手机号码, 电话, 联系电话, 联系方式, 固定电话, phone, mobile, "
            "mobilephone, mobile phone, phone number, tel"
        ),
    ),
    Column(
        "wecom_id",
        _names("企业微信, 企微, 企微id, 企业微信id, 微信, 微信号, wecom, wechat"),
    ),
    Column(
        "product_user_id",
        _names(
            "产品账号, 产品用户id, 用户id, 账号, 登录账号, user_id, userid, "
            "product_user_id, user id, contact external id"
        ),
    ),
    Column(
        "note",
        _names("备注, 说明, note, notes, remark, remarks"),
    ),
    Column(
        "left_on",
        _names("离职日期, 离开日期, 离职时间, left on, left_on"),
    ),
)

PERIOD_COLUMNS = (
    Column("customer", CONTACT_COLUMNS[0].names, needed=True),
    Column(
        "starts_on",
        _names(
            "开始日期, 开始日, 起始日期, 生效日期, 订阅开始, 合同开始日期, starts_on, start_date, "
            "start, starts, begin date, subscription start"
        ),
        needed=True,
    ),
    Column(
        "ends_on",
        _names(
            "结束日期, 结束日, 到期日期, 到期日, 终止日期, 订阅结束, 合同结束日期, ends_on, "
            "end_date, end, ends, churn_date, subscription end"
        ),
    ),
)


ACTIVITY_COLUMNS = (
    Column("customer", CONTACT_COLUMNS[0].names, needed=True),
    Column(
        "kind",
        _names(
            "类型, 方式, 跟进方式, 跟进类型, 互动类型, 沟通方式, 拜访方式, type, kind, "
            "activity type, channel, tasksubtype"
        ),
    ),
    Column(
        "happened_at",
        _names(
            "时间, 日期, 跟进时间, 跟进日期, 拜访时间, 拜访日期, 沟通时间, 互动时间, "
            "发生时间, 联系时间, date, time, at, happened_at, activity date, activitydate, "
            "created_at"
        ),
        needed=True,
    ),
    Column(
        "body",
        _names(
            "内容, 跟进内容, 沟通内容, 跟进记录, 拜访内容, 互动内容, 记录, 详情, 纪要, "
            "描述, body, description, content, note, notes, details"
        ),
        needed=True,
    ),
    Column(
        "subject",
        _names("主题, 标题, subject, title"),
    ),
    Column(
        "author",
        _names(
            "跟进人, 记录人, 负责人, 客户成功经理, csm, 拜访人, 创建人, author, owner, "
            "owner email, created by, assigned to"
        ),
    ),
    Column(
        "contact",
        _names("联系人, 联系人姓名, 对方, 参与人, contact, contact name, contacts"),
    ),
    Column(
        "outcome",
        _names("结果, 是否解决, 是否解决问题, 解决情况, outcome, result, solved"),
    ),
)

_BRACKETS = re.compile(r"[（(\[【].*?[)）\]】]")
_NOISE = re.compile(r"[\s_\-.:：*＊'\"/]+")


def folded(header: str) -> str:
    """For comparing: no brackets with their remark, no blanks, small letters."""
    bare = _BRACKETS.sub("", header)
    return _NOISE.sub("", bare or header).casefold()


def suggest(headers: Iterable[str], columns: Sequence[Column]) -> dict[str, str | None]:
    """header -> field or None. A field is given once: to the header that stands first in names."""
    names = {
        folded(name): (column.field, place)
        for column in reversed(columns)
        for place, name in reversed(list(enumerate((column.field, *column.names))))
    }
    best: dict[str, tuple[int, str]] = {}  # field -> (place, header)
    ordered = list(headers)
    for header in ordered:
        found = names.get(folded(header))
        if found is not None:
            field, place = found
            if field not in best or place < best[field][0]:
                best[field] = (place, header)
    chosen = {header: field for field, (_, header) in best.items()}
    return {header: chosen.get(header) for header in ordered}


def amount_unit(header: str) -> int:
    """What the header says amounts are counted in: "ARR（万元）" 10,000, otherwise 1."""
    remark = "".join(_BRACKETS.findall(header)) or header
    for word, unit in (("亿", 10**8), ("百万", 10**6), ("万", 10**4), ("千", 10**3)):
        if word in remark:
            return unit
    return 1
