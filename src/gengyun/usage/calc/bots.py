"""Robots by what they call themselves: search engines, link previews, monitors, headless browsers.

A name can lie, so this only keeps honest robots out of the counts; it is no protection. Programs
like curl are not in the list: with them a developer tries the source out.
"""

import re

# "bot" ends a word in robots' names (Googlebot/2.1, AhrefsBot); CUBOT is a maker of phones
_ROBOT = re.compile(
    r"(?<!cu)bots?\b|bot-|spider|crawler|crawling|slurp|archiver|scrapy|headlesschrome|phantomjs"
    r"|puppeteer|playwright|selenium|lighthouse|pagespeed|pingdom|uptime|statuscake|site24x7"
    r"|gtmetrix|facebookexternalhit|embedly|bingpreview|yisou|prerender|dataforseo",
    re.IGNORECASE,
)


def is_bot(user_agent: str) -> bool:
    """Whether this user agent says that it is a robot; nothing said is no robot."""
    return bool(user_agent) and _ROBOT.search(user_agent) is not None
