"""Invented names. Companies are put together from parts; a match with a real one is chance."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Industry:
    name: str
    season: str  # see calendar.season_factor
    share: float
    words: tuple[str, ...]  # last part of a company's name


INDUSTRIES = (
    Industry("制造业", "plain", 0.24, ("精工", "机电", "智造", "新材", "电子", "装备", "精密")),
    Industry("零售电商", "retail", 0.18, ("优品", "商贸", "跨境", "生鲜", "百货", "家居", "食品")),
    Industry("软件与互联网", "plain", 0.16, ("科技", "网络", "数据", "软件", "智能", "信息")),
    Industry("教育培训", "education", 0.09, ("教育", "学堂", "书院", "培训", "文化")),
    Industry("金融服务", "finance", 0.09, ("金服", "保险", "租赁", "资管", "财务")),
    Industry("物流供应链", "retail", 0.09, ("物流", "供应链", "速运", "仓储", "货运")),
    Industry("医疗健康", "plain", 0.09, ("医疗", "生物", "健康", "药业", "康养")),
    Industry("文旅酒店", "tourism", 0.06, ("文旅", "酒店", "度假", "景区", "传媒")),
)

CITIES = (
    ("上海", 12), ("北京", 11), ("深圳", 11), ("杭州", 10), ("广州", 9), ("苏州", 7), ("成都", 6),
    ("南京", 5), ("武汉", 5), ("宁波", 4), ("青岛", 4), ("厦门", 4), ("西安", 4), ("长沙", 4),
    ("重庆", 4), ("合肥", 3), ("无锡", 3), ("佛山", 3), ("东莞", 3), ("天津", 3), ("郑州", 2),
    ("济南", 2), ("福州", 2), ("昆明", 1), ("沈阳", 1), ("大连", 2), ("温州", 2), ("嘉兴", 2),
)  # fmt: skip

FIRST = "云星澜禾远沐长海青岚拓恒朗博安启瑞辰谷枫亿木川晴泽松屿鹿鲸荔禹砚棠焰梧榆黎霁舟"
SECOND = "启野图丰帆川桥蓝岭舟森域原衡序帜柏羽禾舸澄昊翎川野序棠越砺洲浦圃汀笙麓彧"

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁"
)
GIVEN = (
    "志远", "思琪", "敏", "浩", "晨", "雪梅", "建国", "丽娟", "子涵", "一鸣", "文博", "晓东",
    "海燕", "俊杰", "雅婷", "国强", "佳怡", "泽宇", "秀英", "天宇", "若溪", "明哲", "诗涵",
    "振华", "欣怡", "永康", "梦洁", "立群", "婉清", "宏伟", "静怡", "世杰", "淑芬", "嘉诚",
    "月华", "启航", "慧敏", "成业", "春燕", "子轩", "红霞", "毅", "倩", "磊", "洁", "鹏", "颖",
    "刚", "莉", "斌", "蓉", "涛", "楠", "凯", "薇", "锐", "岚", "琛", "芷晴", "景行",
)  # fmt: skip

DECIDER_TITLES = ("总经理", "副总经理", "信息化总监", "运营副总", "首席信息官", "数字化负责人")
CHAMPION_TITLES = ("运营经理", "业务部经理", "流程经理", "项目主管", "综合部经理", "数据主管")
USER_TITLES = ("系统管理员", "信息专员", "行政主管", "部门助理", "计划专员")
BUYER_TITLES = ("采购经理", "财务经理", "采购主管")


def company_names(
    rng: np.random.Generator, industries: list[Industry], cities: list[str]
) -> list[str]:
    """One name per customer; no two share the two-character brand."""
    brands = [a + b for a in FIRST for b in dict.fromkeys(SECOND) if a != b]
    chosen = rng.permutation(len(brands))[: len(industries)]
    return [
        city + brands[k] + industry.words[int(rng.integers(len(industry.words)))]
        for k, industry, city in zip(chosen, industries, cities, strict=True)
    ]


def person_names(rng: np.random.Generator, count: int) -> list[str]:
    surnames = rng.integers(len(SURNAMES), size=count)
    given = rng.integers(len(GIVEN), size=count)
    return [SURNAMES[s] + GIVEN[g] for s, g in zip(surnames, given, strict=True)]
