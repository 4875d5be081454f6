"""Stand-ins for the message services: they check what the real ones check, by their documents, and
answer with the real ones' words. Written apart from the product's code: signatures are computed
here once more."""

import base64
import hashlib
import hmac
import json
import socketserver
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

FEISHU_SECRET = "gengyunFeishuSecret01"
DINGTALK_SECRET = "SECgengyun0000000000000000000000000000000000000000000000000000000"
WEBHOOK_SECRET = "whsec_Z2VuZ3l1bi1zdGFuZGFyZC13ZWJob29rLTMyYnl0ZXM="


def _hmac(key, message):
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


class Services:
    """What arrived, by service, and what the next answers are to be."""

    def __init__(self):
        self.got = []  # (service, message, headers)
        self.next = []  # (status, body, headers) given before any check

    def of(self, service):
        return [message for name, message, _headers in self.got if name == service]

    # one method per service: (status, body)

    def feishu(self, message, query, headers):
        at = message.get("timestamp", "")
        good = _hmac(f"{at}\n{FEISHU_SECRET}".encode(), b"")
        if message.get("sign") != good or abs(time.time() - int(at or 0)) > 3600:
            return 200, {
                "code": 19021,
                "msg": "sign match fail or timestamp is not within one hour",
            }
        if message.get("msg_type") not in {"text", "post", "interactive"}:
            return 200, {"code": 9499, "msg": "Bad Request"}
        self.got.append(("feishu", message, headers))
        return 200, {
            "StatusCode": 0,
            "StatusMessage": "success",
            "code": 0,
            "data": {},
            "msg": "success",
        }

    def dingtalk(self, message, query, headers):
        at = query.get("timestamp", ["0"])[0]
        good = _hmac(DINGTALK_SECRET.encode(), f"{at}\n{DINGTALK_SECRET}".encode())
        if query.get("access_token") != ["T"]:
            return 200, {"errcode": 300005, "errmsg": "token is not exist"}
        if query.get("sign") != [good] or abs(time.time() - int(at) / 1000) > 3600:
            return 200, {
                "errcode": 310000,
                "errmsg": "sign not match, more: [https://ding-doc.dingtalk.com]",
            }
        self.got.append(("dingtalk", message, headers))
        return 200, {"errcode": 0, "errmsg": "ok"}

    def wecom(self, message, query, headers):
        if query.get("key") != ["K"]:
            return 200, {"errcode": 93000, "errmsg": "invalid webhook url, hint: [1] from ip"}
        if len(message["markdown"]["content"].encode()) > 4096:
            return 200, {"errcode": 45002, "errmsg": "content size out of limit"}
        self.got.append(("wecom", message, headers))
        return 200, {"errcode": 0, "errmsg": "ok"}

    def webhook(self, message, query, headers, raw):
        key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + raw
        if headers["webhook-signature"] != "v1," + _hmac(key, signed):
            return 401, {"error": "bad signature"}
        self.got.append(("webhook", message, headers))
        return 200, {}


def _handler(services):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            parts = urlsplit(self.path)
            message, query = json.loads(raw), parse_qs(parts.query)
            headers, more = {k.lower(): v for k, v in self.headers.items()}, {}
            if services.next:
                status, answer, more = services.next.pop(0)
            elif parts.path.startswith("/open-apis/bot/v2/hook/"):
                status, answer = services.feishu(message, query, headers)
            elif parts.path == "/robot/send":
                status, answer = services.dingtalk(message, query, headers)
            elif parts.path == "/cgi-bin/webhook/send":
                status, answer = services.wecom(message, query, headers)
            else:
                status, answer = services.webhook(message, query, headers, raw)
            body = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


@contextmanager
def services_running():
    """(services, address of the server)."""
    services = Services()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(services))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield services, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class MailBox:
    """A mail server that takes everything, except for addresses it is told to refuse."""

    def __init__(self):
        self.mails = []  # (from, [to], text)
        self.refused = {}  # address -> line of the answer


def _mail_handler(box):
    class Handler(socketserver.StreamRequestHandler):
        def say(self, line):
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self):
            self.say("220 sink")
            sender, to = "", []
            for line in self.rfile:
                text = line.decode().strip()
                verb = text.upper()
                if verb.startswith(("EHLO", "HELO")):
                    self.say("250 sink")
                elif verb.startswith("MAIL FROM:"):
                    sender, to = text[10:].split()[0].strip("<>"), []
                    self.say("250 ok")
                elif verb.startswith("RCPT TO:"):
                    address = text[8:].split()[0].strip("<>")
                    if address in box.refused:
                        self.say(box.refused[address])
                        continue
                    to.append(address)
                    self.say("250 ok")
                elif verb == "DATA":
                    self.say("354 go on")
                    lines = []
                    for body in self.rfile:
                        if body == b".\r\n":
                            break
                        lines.append(body[1:] if body.startswith(b"..") else body)
                    box.mails.append((sender, to, b"".join(lines)))
                    self.say("250 taken")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    return Handler


@contextmanager
def mail_server():
    """(box, port)."""
    box = MailBox()
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _mail_handler(box))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield box, server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
