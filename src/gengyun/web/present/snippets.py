"""Code that a developer copies to send the first event, complete with address and key. Pure."""

from dataclasses import dataclass

from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Snippet:
    name: str  # anchor and id on the page
    label: str
    install: str
    code: str
    note: str = ""


PYTHON = """\
from segment.analytics import Client

gengyun = Client("{key}", host="{address}")

gengyun.identify("u_1001", {{"name": "{person}"}})
gengyun.group("u_1001", "acct_88", {{"name": "{company}"}})
gengyun.track("u_1001", "{event}", {{"rows": 1280}},
              context={{"groupId": "acct_88"}})
gengyun.flush()
"""

NODE = """\
const {{ Analytics }} = require('@segment/analytics-node')

const gengyun = new Analytics({{ writeKey: '{key}', host: '{address}' }})

gengyun.identify({{ userId: 'u_1001', traits: {{ name: '{person}' }} }})
gengyun.group({{ userId: 'u_1001', groupId: 'acct_88', traits: {{ name: '{company}' }} }})
gengyun.track({{
  userId: 'u_1001',
  event: '{event}',
  properties: {{ rows: 1280 }},
  context: {{ groupId: 'acct_88' }},
}})
gengyun.closeAndFlush()
"""

BROWSER = """\
<script>
  (function () {{
    var KEY = '{key}', ADDRESS = '{address}', me = {{}};
    function send(type, body) {{
      body.writeKey = KEY;
      body.userId = me.userId;
      body.context = {{
        groupId: me.customerId, page: {{ path: location.pathname, title: document.title }}
      }};
      body.timestamp = body.sentAt = new Date().toISOString();
      fetch(ADDRESS + '/v1/' + type, {{
        method: 'POST', keepalive: true,
        headers: {{ 'Content-Type': 'text/plain' }}, body: JSON.stringify(body)
      }});
    }}
    window.gengyun = {{
      start: function (userId, customerId) {{ me = {{ userId: userId, customerId: customerId }}; }},
      page: function (name) {{ send('page', {{ name: name }}); }},
      track: function (event, properties) {{
        send('track', {{ event: event, properties: properties || {{}} }});
      }}
    }};
  }})();

  gengyun.start('u_1001', 'acct_88');
  gengyun.track('{event}', {{ rows: 1280 }});
</script>
"""

CURL = """\
curl -sS {address}/v1/batch -u {key}: -H 'Content-Type: application/json' -d '{{
  "batch": [
    {{"type": "group", "userId": "u_1001", "groupId": "acct_88",
     "traits": {{"name": "{company}"}}}},
    {{"type": "track", "userId": "u_1001", "event": "{event}",
     "properties": {{"rows": 1280}}, "context": {{"groupId": "acct_88"}}}}
  ]
}}'
"""


def snippets(*, address: str, key: str, is_browser: bool) -> list[Snippet]:
    """The browser first for a browser source; every snippet sends the same example event."""
    slots = {
        "address": address.rstrip("/"),
        "key": key,
        "person": _("Li Lei"),
        "company": _("Chenxi Technology"),
        "event": _("Report exported"),
    }
    found = [
        Snippet("curl", "curl", "", CURL.format(**slots), _("Nothing to install: try this first.")),
        Snippet(
            "python",
            "Python",
            "pip install segment-analytics-python",
            PYTHON.format(**slots),
        ),
        Snippet("node", "Node.js", "npm install @segment/analytics-node", NODE.format(**slots)),
    ]
    browser = Snippet(
        "browser",
        _("Browser"),
        "",
        BROWSER.format(**slots),
        _("Anybody can read a key in a page: use a source of its own for the browser."),
    )
    return [browser, *found] if is_browser else [*found, browser]
