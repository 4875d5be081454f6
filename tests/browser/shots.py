"""Draws the pictures of the README from the demo company: `uv run python tests/browser/shots.py`.

With an address as argument, of the demo company that runs there; else a demo company is built.
"""

import sys
import tempfile
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import demo_site

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
# file, language, path, who
PICTURES = [
    ("today.png", "zh-hans", "/", "linxiao"),
    ("today-en.png", "en", "/", "linxiao"),
    ("renewals.png", "zh-hans", "/renewals/?p={next}", "liangjing"),
    ("renewals-en.png", "en", "/renewals/?p={next}", "liangjing"),
]


def next_quarter(day):
    number = day.year * 4 + (day.month - 1) // 3 + 1
    return f"{number // 4}q{number % 4 + 1}"


def main(address=None):
    IMAGES.mkdir(parents=True, exist_ok=True)
    if address:
        draw(address)
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        demo_site.running_demo(Path(folder) / "company") as built,
    ):
        draw(built)


def draw(address):
    with demo_site.browser() as launched:
        for name, language, path, who in PICTURES:
            window = demo_site.Visit(launched, address, width=1440, height=980)
            window.log_in(f"{who}@hezhou.example", language)
            window.go(path.format(next=next_quarter(date.today())))
            window.page.wait_for_load_state("networkidle")
            window.page.screenshot(path=IMAGES / name)
            window.page.context.close()
            print(IMAGES / name)


if __name__ == "__main__":
    main(*sys.argv[1:2])
