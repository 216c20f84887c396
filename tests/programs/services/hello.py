# SPDX-License-Identifier: Apache-2.0
"""A small web service in Python: hello.py PORT [MEGABYTES]. Told by SIGUSR1 or its eventfd that it is a copy, it
draws new random numbers; /random and /openssl give one, /copy what the copy's own file says, /write appends to a file."""
import http.server
import os
import random
import signal
import ssl
import sys
import threading

COPY_FILE = os.environ.get("ICECORE_COPY_FILE", "/dev/null")
events = []


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer().encode())

    def answer(self):
        if self.path == "/random":
            return str(random.getrandbits(64))
        if self.path == "/openssl":
            return ssl.RAND_bytes(8).hex()
        if self.path == "/copy":
            with open(COPY_FILE) as file:
                return file.read()
        if self.path == "/events":
            return " ".join(events)
        if self.path == "/write":
            log.write("line\n")
            log.flush()
            return str(os.fstat(log.fileno()).st_size)
        return f"hello from pid {os.getpid()}, hit {next(hits)}\n"

    def log_message(self, *_):
        pass


def reseed(*_):
    random.seed()
    ssl.RAND_add(os.urandom(32), 32)
    events.append("signal")


def wait_for_event(number):
    os.read(number, 8)
    events.append("eventfd")


ssl.RAND_bytes(1)  # seeds OpenSSL's generator
hits = iter(range(1, 10**9))
memory = [bytes([i % 251]) * 4096 + i.to_bytes(8, "little") for i in range(int(sys.argv[2]) * 256)] \
    if len(sys.argv) > 2 else []
log = open("hello.log", "a")
signal.signal(signal.SIGUSR1, reseed)
if "ICECORE_COPY_EVENTFD" in os.environ:
    threading.Thread(target=wait_for_event, args=[int(os.environ["ICECORE_COPY_EVENTFD"])], daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Hello)
print("listening", flush=True)
server.serve_forever()
