"""Which column of a revenue file holds which field: known headers, Chinese and English."""

from gengyun.customers.calc.columns import CONTACT_COLUMNS, Column


def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.split(", "))


CUSTOMER = Column("customer", CONTACT_COLUMNS[0].names, needed=True)
CURRENCY = Column(
    "currency", _names("币种, 货币, 结算币种, 原币, currency, currency code, currency_iso_code")
)
NOTE = Column("note", _names("备注, 说明, 摘要, note, notes, remark, remarks, memo, comment"))

CONTRACT_COLUMNS = (
    CUSTOMER,
    Column(
        "number",
        _names(
            "合同编号, 合同号, 合同编码, 协议编号, 合同流水号, 订单编号, 订单号, 销售订单号, "
            "contract_number, contract no, contract number, contract_id, contract, order number, "
            "order_id, subscription_id, subscription number"
        ),
        needed=True,
    ),
    Column("name", _names("合同名称, 合同标题, 协议名称, 订单名称, contract_name, contract title")),
    Column("contract_kind", _names("合同类型, 期限类型, 合同性质, contract_type, term_type")),
    Column(
        "signed_on",
        _names(
            "签约日期, 签订日期, 签署日期, 合同签订日期, 签约时间, 签署时间, signed_on, sign date, "
            "signed date, signature date, signed_at, closed date"
        ),
    ),
    Column(
        "starts_on",
        _names(
            "开始日期, 开始日, 起始日期, 起始日, 生效日期, 服务开始日期, 服务开始, 服务起始日, "
            "合同开始日期, 订阅开始, 起租日, starts_on, start_date, start, starts, begin date, "
            "service start, term start, subscription start, effective date"
        ),
        needed=True,
    ),
    Column(
        "ends_on",
        _names(
            "结束日期, 结束日, 到期日期, 到期日, 终止日期, 服务结束日期, 服务到期日, 服务结束, "
            "合同结束日期, 合同到期日, 订阅结束, ends_on, end_date, end, ends, expiry date, "
            "expires_on, service end, term end, subscription end"
        ),
    ),
    Column(
        "is_ended",
        _names(
            "是否终止, 已终止, 是否流失, 已流失, 是否断约, 已断约, churn_flag, churned, "
            "is_churned, terminated, is_ended, ended, cancelled"
        ),
    ),
    Column("cause", _names("断约原因, 流失原因, 终止原因, churn_reason, reason, end_reason")),
    Column(
        "auto_renew",
        _names(
            "自动续约, 自动续费, 是否自动续约, 自动续期, 自动顺延, auto_renew, auto_renewal, "
            "auto_renew_flag, evergreen"
        ),
    ),
    Column(
        "notice_days",
        _names("通知期, 提前通知天数, 通知天数, 解约通知期, notice_days, notice period, notice"),
    ),
    CURRENCY,
    Column(
        "billing",
        _names(
            "计费周期, 付款方式, 付款周期, 付费周期, 开票周期, 收款方式, 账期类型, billing, "
            "billing_frequency, billing period, billing_interval, billing cycle, interval, "
            "payment frequency"
        ),
    ),
    Column(
        "previous_number",
        _names(
            "上期合同, 上期合同编号, 原合同, 原合同编号, 续签合同, 续自合同, 前序合同, "
            "previous_contract, previous contract number, renewed from, renewal_of"
        ),
    ),
    Column(
        "line_id",
        _names(
            "行编号, 明细编号, 合同明细编号, 订阅编号, 订阅行编号, 行号, line_id, line item id, "
            "contract_line_id, subscription_line_id, item_id"
        ),
    ),
    Column(
        "product",
        _names(
            "产品, 产品名称, 产品编码, 产品线, 商品, 商品名称, 服务项目, 项目, 产品模块, product, "
            "product_name, product_key, product code, sku, item, module"
        ),
    ),
    Column(
        "edition",
        _names(
            "版本, 产品版本, 套餐, 套餐版本, 规格, 版本名称, edition, plan, plan_tier, plan name, "
            "package, tier"
        ),
    ),
    Column("group", _names("续约组, 续约分组, 产品族, 产品系列, group, renewal_group, family")),
    Column(
        "line_kind",
        _names(
            "行类型, 收费类型, 计费类型, 费用类型, 收入类型, 服务类型, 业务类型, line_kind, "
            "line_type, charge_type, revenue_type, pricing model"
        ),
    ),
    Column(
        "seats",
        _names(
            "席位, 席位数, 账号数, 授权数, 用户数, 数量, 许可数, 坐席数, 购买数量, seats, "
            "licenses, licences, quantity, qty, users, seat_count, license_count"
        ),
    ),
    Column(
        "amount",
        _names(
            "合同金额, 金额, 总金额, 合同总额, 合同总价, 成交金额, 成交价, 签约金额, 行金额, "
            "明细金额, 小计, 价税合计, 订单金额, 总价, 应付金额, tcv, amount, total, total_amount, "
            "contract_amount, contract_value, line_amount, net_amount, price, value"
        ),
    ),
    Column(
        "annual",
        _names(
            "年费, 年化金额, 年金额, 年单价, 年度金额, 年服务费, 年订阅费, arr, arr_amount, acv, "
            "annual_amount, annual price, annual value, yearly"
        ),
    ),
    Column(
        "monthly",
        _names("月费, 月金额, 月订阅费, 月租, mrr, mrr_amount, monthly_amount, monthly price"),
    ),
    Column(
        "list",
        _names(
            "原价, 目录价, 列表价, 标准价, 刊例价, 折前金额, 标价, list_price, list, list_amount, "
            "gross_amount"
        ),
    ),
    Column(
        "discount",
        _names("折扣, 折扣率, 优惠, 优惠比例, 让利, discount, discount_pct, discount_rate"),
    ),
    Column(
        "discount_forever",
        _names("长期折扣, 折扣是否长期, 续约保留折扣, discount_forever, discount_is_forever"),
    ),
    Column(
        "tax_included",
        _names("是否含税, 含税, 价格含税, tax_included, includes_tax, incl_tax, gross"),
    ),
    Column(
        "tax_rate",
        _names("税率, 增值税率, 增值税税率, tax_rate, vat, vat_rate, tax percent"),
    ),
    Column(
        "paid_months",
        _names(
            "付费月数, 付费时长, 付费期, 购买时长, 购买月数, 计费月数, 年限, 合同年限, 期限, "
            "服务期, paid_months, term, term_months, duration, duration_months, months"
        ),
    ),
    Column(
        "gift_days",
        _names(
            "赠送天数, 赠送期, 赠送, 赠送时长, 赠期, 免费天数, 免费期, 赠送月数, gift_days, "
            "free_days, bonus_days, free period"
        ),
    ),
    Column("is_trial", _names("试用, 是否试用, 是否试用期, is_trial, trial, trialing")),
    Column(
        "committed",
        _names("承诺金额, 承诺用量金额, 年承诺, 保底金额, 年保底, committed, commitment, minimum"),
    ),
    Column(
        "maintenance_base",
        _names(
            "维保基数, 许可金额, 授权金额, 买断金额, 维保计费基数, maintenance_base, "
            "licence_price, license_price, license_amount"
        ),
    ),
    Column(
        "renews",
        _names(
            "续自, 续自明细, 上期明细, 原明细编号, 被续约行, renews, renews_line, previous_line, "
            "previous_line_id, renewed_from_line"
        ),
    ),
    NOTE,
)

INVOICE_COLUMNS = (
    CUSTOMER,
    Column(
        "number",
        _names(
            "发票号码, 发票号, 发票编号, 票号, 数电票号码, 应收单号, 应收编号, 账单编号, "
            "invoice_number, invoice no, invoice_id, invoice, bill number, number"
        ),
        needed=True,
    ),
    Column(
        "contract",
        _names("合同编号, 合同号, 关联合同, 所属合同, contract_number, contract no, contract"),
    ),
    Column(
        "issued_on",
        _names(
            "开票日期, 开票时间, 发票日期, 账单日期, 应收日期, issued_on, issue_date, issued, "
            "invoice_date, date"
        ),
        needed=True,
    ),
    Column(
        "due_on",
        _names(
            "到期日, 应付日期, 应收到期日, 付款期限, 付款到期日, 约定付款日, 回款期限, "
            "计划回款日期, due_on, due_date, due, payment due"
        ),
    ),
    Column(
        "amount",
        _names(
            "价税合计, 开票金额, 发票金额, 含税金额, 应收金额, 金额, 总金额, amount, total, "
            "invoice_amount, amount_due, gross_amount, gross"
        ),
        needed=True,
    ),
    Column("tax", _names("税额, 增值税额, 其中税额, tax, tax_amount, vat_amount, vat")),
    CURRENCY,
    Column("status", _names("状态, 发票状态, 票据状态, status, state, invoice_status")),
    Column(
        "disputed_since",
        _names("争议日期, 争议开始日期, 异议日期, disputed_since, dispute_date, disputed_on"),
    ),
    NOTE,
)

PAYMENT_COLUMNS = (
    CUSTOMER,
    Column(
        "number",
        _names(
            "流水号, 收款单号, 回款编号, 回款单号, 收款编号, 交易流水号, 银行流水号, 凭证号, "
            "payment_number, payment_id, transaction_id, receipt number, reference, number, "
            "churn_event_id"
        ),
    ),
    Column(
        "invoice",
        _names(
            "发票号码, 发票号, 发票编号, 核销发票, 应收单号, 账单编号, invoice_number, "
            "invoice no, invoice_id, invoice"
        ),
    ),
    Column(
        "received_on",
        _names(
            "回款日期, 到账日期, 收款日期, 付款日期, 到账时间, 收款时间, 入账日期, 交易日期, "
            "received_on, received_date, payment_date, paid_on, paid_at, date, churn_date"
        ),
        needed=True,
    ),
    Column(
        "amount",
        _names(
            "回款金额, 到账金额, 收款金额, 实收金额, 付款金额, 金额, amount, amount_paid, paid, "
            "received_amount, payment_amount"
        ),
    ),
    Column(
        "refund",
        _names("退款金额, 退款, 退费, refund, refund_amount, refunded, refund_amount_usd"),
    ),
    CURRENCY,
    NOTE,
)

SPEND_COLUMNS = (
    Column("month", _names("月份, 月, 期间, 会计期间, 年月, month, period, date"), needed=True),
    Column(
        "kind",
        _names("费用类型, 类型, 类别, 科目, 费用科目, 成本类型, kind, type, category, account"),
        needed=True,
    ),
    Column("amount", _names("金额, 费用, 支出, 发生额, 成本, amount, cost, spend, total"), True),
    CURRENCY,
    Column("user", _names("人员, 员工, 姓名, 客户成功经理, csm, user, employee, person, name")),
    Column("key", _names("凭证号, 编号, 单号, voucher, id, external_id, reference")),
    NOTE,
)

BUDGET_COLUMNS = (
    CUSTOMER,
    Column(
        "category",
        _names("预算类别, 品类, 类别, 采购品类, 预算科目, category, budget_category, type"),
        needed=True,
    ),
    Column("year", _names("年度, 年份, 预算年度, 年, year, fiscal year, budget_year"), needed=True),
    Column("amount", _names("预算金额, 预算, 年度预算, 金额, amount, budget, budget_amount"), True),
    CURRENCY,
    Column(
        "said_by", _names("信息来源, 谁说的, 来源, 提供人, said_by, source, told by, informant")
    ),
    Column("said_on", _names("获知日期, 获悉日期, 日期, 时间, said_on, date, told_on")),
)

RATE_COLUMNS = (
    Column(
        "currency",
        _names("币种, 货币, 外币, 原币, 源币种, currency, from, from_currency, source_currency"),
        needed=True,
    ),
    Column("base", _names("本位币, 目标币种, 折算币种, base, to, to_currency, target_currency")),
    Column("on", _names("日期, 汇率日期, 生效日期, 报价日期, on, date, day, rate_date"), True),
    Column(
        "rate",
        _names("汇率, 中间价, 折算汇率, 汇率中间价, rate, exchange_rate, fx_rate, mid, close"),
        needed=True,
    ),
    Column("per", _names("单位, 报价单位, 每, per, unit, nominal")),
    Column("source", _names("来源, 数据来源, source, provider")),
)

OPPORTUNITY_COLUMNS = (
    CUSTOMER,
    Column(
        "key",
        _names(
            "商机编号, 商机id, 机会编号, 销售机会编号, opportunity_id, opportunity id, deal_id, "
            "deal id, id"
        ),
    ),
    Column(
        "name",
        _names(
            "商机名称, 机会名称, 销售机会, 商机, 主题, opportunity_name, opportunity, deal name, "
            "deal, name, title"
        ),
    ),
    Column("kind", _names("商机类型, 机会类型, 类型, 业务类型, kind, type, opportunity_type")),
    Column("product", _names("产品, 产品名称, 意向产品, 产品编码, product, product_name, sku")),
    Column(
        "stage",
        _names("商机阶段, 销售阶段, 阶段, 状态, stage, deal_stage, stage_name, status"),
        needed=True,
    ),
    Column(
        "amount",
        _names(
            "预计金额, 商机金额, 金额, 预计成交金额, 成交金额, 年费, amount, value, close_value, "
            "deal_value, deal_amount, acv"
        ),
    ),
    CURRENCY,
    Column(
        "opened_on",
        _names(
            "创建日期, 立项日期, 创建时间, 建立日期, created_on, created_at, created_date, "
            "engage_date, open_date"
        ),
    ),
    Column(
        "expected_on",
        _names(
            "预计成交日期, 预计签约日期, 预计关闭日期, 预计结单日期, expected_on, "
            "expected_close_date, expected close"
        ),
    ),
    Column(
        "closed_on",
        _names(
            "成交日期, 关闭日期, 结单日期, 赢单日期, 输单日期, closed_on, close_date, closed_at, "
            "closed_date"
        ),
    ),
    Column("next_step", _names("下一步, 下一步计划, 下步计划, next_step, next action")),
    Column("next_step_on", _names("下次跟进日期, 下一步日期, next_step_on, next_step_date")),
    Column(
        "owner",
        _names(
            "负责人, 跟进人, 销售, 销售负责人, 客户成功经理, csm, owner, owner email, sales_agent, "
            "sales rep, account executive"
        ),
    ),
    Column("source", _names("商机来源, 来源, 渠道, source, lead_source, channel")),
    Column(
        "loss_reason",
        _names("输单原因, 丢单原因, 失败原因, loss_reason, lost_reason, closed_lost_reason"),
    ),
    NOTE,
)
