"""A mail server with moods, over a real socket: slow, refusing, dropping the line, answering late.

Written apart from the product's code. `mails` holds what was taken: (envelope sender, [recipients],
bytes). A mood is set for the next connections: `moods` is a list that is used up, then "good".
"""

import socketserver
import threading
import time
from contextlib import contextmanager, suppress


class Postman:
    def __init__(self):
        self.mails = []
        self.moods = []
        self.refused = {}  # address -> answer to RCPT
        self.late = 0.0  # seconds for moods "slow" and "late"
        self.lock = threading.Lock()

    def mood(self):
        with self.lock:
            return self.moods.pop(0) if self.moods else "good"


def _handler(man):
    class Handler(socketserver.StreamRequestHandler):
        def say(self, line):
            self.wfile.write(line.encode() + b"\r\n")
            self.wfile.flush()

        def handle(self):
            with suppress(ConnectionError, BrokenPipeError):
                self._talk(man.mood())

        def _talk(self, mood):
            if mood == "closed":  # drops the line at once
                return
            if mood == "busy":
                self.say("421 4.3.2 try later")
                return
            if mood == "slow":
                time.sleep(man.late)
            self.say("220 postman")
            sender, to = "", []
            for raw in self.rfile:
                verb = raw.decode().strip()
                upper = verb.upper()
                if upper.startswith(("EHLO", "HELO")):
                    self.say("250 postman")
                elif upper.startswith("MAIL FROM:"):
                    if mood == "no_sender":
                        self.say("550 5.7.1 not you")
                        continue
                    sender, to = verb[10:].split()[0].strip("<>"), []
                    self.say("250 ok")
                elif upper.startswith("RCPT TO:"):
                    address = verb[8:].split()[0].strip("<>")
                    if address in man.refused:
                        self.say(man.refused[address])
                        continue
                    to.append(address)
                    self.say("250 ok")
                elif upper == "DATA":
                    if mood == "drop_before":
                        return
                    self.say("354 go on")
                    body = self._body()
                    if body is None:
                        return
                    if mood == "drop_untaken":  # the line breaks after the dot; nothing is kept
                        return
                    if mood == "content":
                        self.say("554 5.7.1 looks like spam")
                        continue
                    if mood == "full":
                        self.say("452 4.3.1 no room")
                        continue
                    with man.lock:
                        man.mails.append((sender, to, body))
                    if mood == "drop_taken":  # kept, but the answer is lost
                        return
                    if mood == "late":
                        time.sleep(man.late)
                    self.say("250 2.0.0 taken")
                elif upper == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

        def _body(self):
            lines = []
            for line in self.rfile:
                if line == b".\r\n":
                    return b"".join(lines)
                lines.append(line[1:] if line.startswith(b"..") else line)
            return None

    return Handler


@contextmanager
def postman():
    """(postman, port)."""
    man = Postman()
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(man))
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield man, server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
