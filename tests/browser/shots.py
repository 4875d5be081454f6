"""Draws the pictures of the README from the demo company: `uv run python tests/browser/shots.py`.

With an address as argument, of the demo company that runs there; else a demo company is built.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import demo_site

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
PICTURES = [("today.png", "zh-hans", "/"), ("today-en.png", "en", "/")]


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
        for name, language, path in PICTURES:
            window = demo_site.Visit(launched, address, width=1440, height=980)
            window.log_in(language=language)
            window.go(path)
            window.page.screenshot(path=IMAGES / name)
            window.page.context.close()
            print(IMAGES / name)


if __name__ == "__main__":
    main(*sys.argv[1:2])
