"""Code that a developer copies to send the first event, complete with address and key. Pure.

Every snippet is run as it stands by a test, with the real client, against a real server.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Snippet:
    name: str  # anchor and id on the page
    label: str
    install: str
    code: str
    note: str = ""


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

# Segment's and RudderStack's Python clients differ in the import only
PYTHON = """\
from {module} import Client

gengyun = Client("{key}", host="{address}")

gengyun.identify("u_1001", {{"name": "{person}"}})
gengyun.group("u_1001", "acct_88", {{"name": "{company}"}})
gengyun.track("u_1001", "{event}", {{"rows": 1280}},
              context={{"groupId": "acct_88"}})
gengyun.flush()
"""

POSTHOG_PYTHON = """\
from posthog import Posthog

gengyun = Posthog("{key}", host="{address}")

gengyun.set(distinct_id="u_1001", properties={{"name": "{person}"}})
gengyun.group_identify("{group_type}", "acct_88", {{"name": "{company}"}})
gengyun.capture("{event}", distinct_id="u_1001", properties={{"rows": 1280}},
                groups={{"{group_type}": "acct_88"}})
gengyun.shutdown()
"""

CALLS = """\

gengyun.identify({{ userId: 'u_1001', traits: {{ name: '{person}' }} }})
gengyun.group({{ userId: 'u_1001', groupId: 'acct_88', traits: {{ name: '{company}' }} }})
gengyun.track({{
  userId: 'u_1001',
  event: '{event}',
  properties: {{ rows: 1280 }},
  context: {{ groupId: 'acct_88' }},
}})
"""

NODE = (
    """\
const {{ Analytics }} = require('@segment/analytics-node')

const gengyun = new Analytics({{ writeKey: '{key}', host: '{address}' }})
"""
    + CALLS
    + "gengyun.closeAndFlush()\n"
)

RUDDER_NODE = (
    """\
const RudderAnalytics = require('@rudderstack/rudder-sdk-node')

// as it comes it gives up after three quick tries: a restart of the server takes longer
const gengyun = new RudderAnalytics('{key}', {{
  dataPlaneUrl: '{address}',
  axiosRetryConfig: {{ retries: 40, retryDelay: () => 500 }},
}})
"""
    + CALLS
    + "gengyun.flush()\n"
)

POSTHOG_NODE = """\
const {{ PostHog }} = require('posthog-node')

const gengyun = new PostHog('{key}', {{ host: '{address}', fetchRetryCount: 20 }})

gengyun.identify({{ distinctId: 'u_1001', properties: {{ name: '{person}' }} }})
gengyun.groupIdentify({{
  groupType: '{group_type}', groupKey: 'acct_88', properties: {{ name: '{company}' }},
}})
gengyun.capture({{
  distinctId: 'u_1001',
  event: '{event}',
  properties: {{ rows: 1280 }},
  groups: {{ '{group_type}': 'acct_88' }},
}})
gengyun.shutdown()
"""

BROWSER = """\
<script>
  (function () {{
    var KEY = '{key}', ADDRESS = '{address}', me = {{}};
    function send(type, body) {{
      body.writeKey = KEY;
      body.userId = me.userId;
      body.messageId = Date.now() + '-' + Math.random().toString(36).slice(2);
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

SEGMENT_BROWSER = """\
import {{ AnalyticsBrowser }} from '@segment/analytics-next'

const gengyun = AnalyticsBrowser.load(
  {{ writeKey: '{key}', cdnURL: '{address}' }},
  {{ integrations: {{ 'Segment.io': {{ apiHost: '{host}/v1', protocol: '{protocol}' }} }} }},
)

gengyun.identify('u_1001', {{ name: '{person}' }})
gengyun.group('acct_88', {{ name: '{company}' }})
gengyun.track('{event}', {{ rows: 1280 }}, {{ context: {{ groupId: 'acct_88' }} }})
"""

RUDDER_BROWSER = """\
import {{ RudderAnalytics }} from '@rudderstack/analytics-js/bundled'

const gengyun = new RudderAnalytics()
gengyun.load('{key}', '{address}', {{ configUrl: '{address}' }})

gengyun.identify('u_1001', {{ name: '{person}' }})
gengyun.group('acct_88', {{ name: '{company}' }})
gengyun.track('{event}', {{ rows: 1280 }})
"""

POSTHOG_BROWSER = """\
import posthog from 'posthog-js'

posthog.init('{key}', {{
  api_host: '{address}',
  autocapture: false, disable_session_recording: true, disable_surveys: true,
}})

posthog.identify('u_1001', {{ name: '{person}' }})
posthog.group('{group_type}', 'acct_88', {{ name: '{company}' }})
posthog.capture('{event}', {{ rows: 1280 }})
"""


def snippets(
    *, address: str, key: str, is_browser: bool, group_type: str = "company"
) -> list[Snippet]:
    """The browser first for a browser source; every snippet sends the same example event."""
    address = address.rstrip("/")
    slots = {
        "address": address,
        "host": address.partition("://")[2],
        "protocol": urlsplit(address).scheme,
        "key": key,
        "group_type": group_type,
        "person": _("Li Lei"),
        "company": _("Chenxi Technology"),
        "event": _("Report exported"),
    }
    curl = Snippet(
        "curl", "curl", "", CURL.format(**slots), _("Nothing to install: try this first.")
    )
    browsers, servers = _browsers(slots), _servers(slots)
    return [*browsers, curl, *servers] if is_browser else [curl, *servers, *browsers]


def _servers(slots: dict[str, str]) -> list[Snippet]:
    found = [
        ("python", "Python · Segment", "pip install segment-analytics-python", PYTHON),
        ("node", "Node.js · Segment", "npm install @segment/analytics-node", NODE),
        ("rudder-python", "Python · RudderStack", "pip install rudder-sdk-python", PYTHON),
        (
            "rudder-node",
            "Node.js · RudderStack",
            "npm install @rudderstack/rudder-sdk-node",
            RUDDER_NODE,
        ),
        ("posthog-python", "Python · PostHog", "pip install posthog", POSTHOG_PYTHON),
        ("posthog-node", "Node.js · PostHog", "npm install posthog-node", POSTHOG_NODE),
    ]
    modules = {"python": "segment.analytics", "rudder-python": "rudderstack.analytics"}
    return [
        Snippet(name, label, install, code.format(module=modules.get(name, ""), **slots))
        for name, label, install, code in found
    ]


def _browsers(slots: dict[str, str]) -> list[Snippet]:
    where = _("Browser")
    note = _("Anybody can read a key in a page: use a source of its own for the browser.")
    found = [
        ("browser", _("Browser, nothing to install"), "", BROWSER),
        (
            "segment-browser",
            f"{where} · Segment",
            "npm install @segment/analytics-next",
            SEGMENT_BROWSER,
        ),
        (
            "rudder-browser",
            f"{where} · RudderStack",
            "npm install @rudderstack/analytics-js",
            RUDDER_BROWSER,
        ),
        ("posthog-browser", f"{where} · PostHog", "npm install posthog-js", POSTHOG_BROWSER),
    ]
    return [
        Snippet(name, label, install, code.format(**slots), note)
        for name, label, install, code in found
    ]
