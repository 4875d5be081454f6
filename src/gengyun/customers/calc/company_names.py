"""Company names: when two of them are the same writing, and when they may be the same company.

A registered name is place + 字号 (brand) + trade + legal form, sometimes with a branch behind it.
`folded` changes nothing but width, case, blanks and brackets: only what is equal then is the same
legal entity. `likeness` is a guess for a person to decide on, with its reason.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

PLACES = tuple(
    """
    中国 北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南
    湖北 湖南 广东 海南 四川 贵州 云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆 香港
    澳门 深圳 广州 杭州 南京 苏州 无锡 常州 宁波 温州 嘉兴 绍兴 金华 成都 武汉 长沙 西安
    郑州 济南 青岛 烟台 厦门 福州 泉州 合肥 南昌 昆明 贵阳 南宁 海口 三亚 太原 石家庄 唐山
    沈阳 大连 长春 哈尔滨 兰州 银川 西宁 乌鲁木齐 呼和浩特 拉萨 东莞 佛山 珠海 中山 惠州
    汕头 南通 徐州 扬州 镇江 泰州 盐城 芜湖 潍坊 临沂 洛阳
    """.split()  # noqa: SIM905 - words to read, not punctuation
)
# longest first: 集团股份有限公司 before 股份有限公司 before 有限公司
FORMS = tuple(
    """
    集团股份有限公司 集团有限责任公司 股份有限公司 有限责任公司 集团有限公司 控股有限公司
    股份公司 有限公司 集团公司 总公司 集团 公司 工厂 厂 corporation incorporated holdings
    limited group company co.,ltd. co.,ltd co.ltd. co.ltd co. inc. inc ltd. ltd llc corp.
    corp gmbh co
    """.split()  # noqa: SIM905 - words to read, not punctuation
)
TRADES = tuple(
    """
    信息技术 信息科技 网络科技 网络技术 智能科技 智能制造 电子商务 电子科技 计算机系统
    计算机技术 数据服务 数据技术 云计算 互联网 供应链 管理咨询 文化传媒 文化传播 企业管理
    投资管理 生物科技 生物医药 医疗科技 医疗器械 教育科技 新能源 新材料 科技发展 技术开发
    科技 技术 软件 网络 信息 电子 智能 数据 系统 计算机 通信 贸易 商贸 实业 发展 投资 控股
    管理 咨询 服务 传媒 文化 教育 医疗 医药 制药 制造 机械 电器 食品 物流 零售 餐饮 建筑
    工程 设备 材料 化工 汽车 能源 环保 technology technologies software systems network
    information tech
    """.split()  # noqa: SIM905 - words to read, not punctuation
)
_BRANCH = re.compile(
    r"^(.{4,}?(?:公司|集团|厂))(.{0,12}(?:分公司|分店|分厂|办事处|代表处|营业部|事业部))$"
)
_CJK = r"\u2e80-\u9fff\uf900-\ufaff"
_BLANK_BY_CJK = re.compile(rf"(?<=[{_CJK}()])\s+|\s+(?=[{_CJK}()])")
_BRACKETS = str.maketrans("〔〕【】[]［］〈〉<>", "()()()()()()")
_PLACE_HEAD = re.compile(
    rf"^(?:(?:{'|'.join(PLACES)})(?:省|市|自治区|特别行政区)?)+(?:[{_CJK}]{{1,3}}(?:区|县|市)(?=[{_CJK}]{{4}}))?"
)

Reason = Literal["same_name", "other_form", "short_name", "branch", "same_brand", "near_name"]
# how sure each reason is; from SUGGESTED on a pair is worth a person's look
SCORES: dict[Reason, float] = {
    "same_name": 0.98,
    "other_form": 0.8,
    "near_name": 0.75,
    "short_name": 0.7,
    "branch": 0.4,
    "same_brand": 0.3,
}
SUGGESTED = 0.7
NEAR = 0.85


@dataclass(frozen=True)
class NameParts:
    place: str
    brand: str  # 字号; never empty where the name is not
    trade: str
    form: str
    branch: str


@dataclass(frozen=True)
class Likeness:
    reason: Reason
    score: float


def folded(name: str) -> str:
    """Width, case, blanks beside Chinese characters, and kinds of brackets folded; no more."""
    text = unicodedata.normalize("NFKC", name).translate(_BRACKETS).casefold()
    return _BLANK_BY_CJK.sub("", " ".join(text.split())).strip()


def is_same_entity(one: str, other: str) -> bool:
    """Whether two writings are the same registered name."""
    return folded(one) == folded(other)


def parts(name: str) -> NameParts:
    text, branch = folded(name), ""
    if found := _BRANCH.match(text):
        text, branch = found[1], found[2]
    place = ""
    for inside in re.findall(r"\(([^()]*)\)", text):
        place = place or inside
    text = re.sub(r"\([^()]*\)", "", text).strip() or text
    form = ""
    while cut := next((f for f in FORMS if text.endswith(f) and len(text) > len(f)), ""):
        form, text = cut + form, text.removesuffix(cut).rstrip(" ,.")
    if found := _PLACE_HEAD.match(text):
        rest = text[found.end() :]
        if len(rest) >= 2:  # 上海有限公司 is named after the place
            place, text = place or found[0], rest
    trade = ""
    while cut := next((t for t in TRADES if text.endswith(t) and len(text) - len(t) >= 2), ""):
        trade, text = cut + trade, text.removesuffix(cut).rstrip()
    return NameParts(place, text, trade, form, branch)


def name_key(name: str) -> str:
    """What names that may mean the same company have in common: the brand, without blanks."""
    return parts(name).brand.replace(" ", "")[:200]


def likeness(one: str, other: str) -> Likeness | None:
    """Why two names may mean one company; None when nothing speaks for it."""
    if is_same_entity(one, other):
        return Likeness("same_name", SCORES["same_name"])
    a, b = parts(one), parts(other)
    reason = _reason(a, b)
    if reason is None and _dice(folded(one), folded(other)) >= NEAR and a.branch == b.branch:
        reason = "near_name"
    return None if reason is None else Likeness(reason, SCORES[reason])


def _reason(a: NameParts, b: NameParts) -> Reason | None:
    if a.brand.replace(" ", "") != b.brand.replace(" ", ""):
        return None
    if a.branch != b.branch:
        return "branch"
    if a.place and b.place and not _is_same_place(a.place, b.place):
        return "same_brand"
    if a.trade == b.trade:
        return "other_form" if a.form and b.form else "short_name"
    # 耕云, or 耕云科技, for 耕云科技发展有限公司; two registered names are two companies
    begins = a.trade.startswith(b.trade) or b.trade.startswith(a.trade)
    return "short_name" if begins and not (a.form and b.form) else "same_brand"


def _is_same_place(one: str, other: str) -> bool:
    shorter, longer = sorted((one.rstrip("省市区县"), other.rstrip("省市区县")), key=len)
    return shorter in longer


def _dice(one: str, other: str) -> float:
    """Twice the common pairs of neighbouring characters over all pairs (Dice 1945)."""
    a, b = _bigrams(one), _bigrams(other)
    if not a or not b:
        return 0.0
    return 2 * len(a & b) / (len(a) + len(b))


def _bigrams(text: str) -> set[str]:
    return {text[n : n + 2] for n in range(len(text) - 1)}
