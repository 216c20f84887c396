#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nginx under a real gdb: started with its workers followed, and a worker attached to while it serves.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import http.client
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import live
from built_program import ICECORE, LIMIT, SKIPPED, clean
from line_gdb import LineGdb

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


class NginxTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (self.folder / "page").write_text("a page\n", encoding="ascii")
        user = "user root;" if os.geteuid() == 0 else ""
        configuration = self.folder / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(folder=self.folder, port=self.port, user=user), encoding="ascii")
        self.command = [NGINX, "-e", str(self.folder / "error.log"), "-c", str(configuration)]
        self.bodies = []

    def fetch(self):
        """Asks for the page, as soon as somebody listens."""
        while not self.bodies:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
                connection.request("GET", "/page")
                self.bodies.append(connection.getresponse().read())
                connection.close()
            except ConnectionRefusedError:
                pass

    def client(self):
        thread = threading.Thread(target=self.fetch, daemon=True)
        thread.start()
        return thread

    def gdb(self, address):
        gdb = LineGdb(NGINX, preexec_fn=clean)
        self.addCleanup(gdb.process.communicate)
        self.addCleanup(gdb.process.kill)
        gdb.ask("set sysroot /", f"target extended-remote {address}")
        return gdb

    def test_a_worker_is_followed_from_its_birth(self):
        with live.Stub(ICECORE, "--", *self.command) as stub:
            gdb = self.gdb(stub.address)
            gdb.ask("set detach-on-fork off", "set schedule-multiple on", "break accept4")
            client = self.client()
            answer = gdb.ask("continue")
            self.assertRegex(answer, r"hit Breakpoint 1.*, .*accept4")
            self.assertRegex(gdb.ask("info inferiors"), r"\n +1 +process \d+[^\n]*\n\* 2 +process \d+")
            self.assertIn("ngx_event_accept", gdb.ask("backtrace 3"))
            gdb.ask("delete", "break writev")
            self.assertRegex(gdb.ask("continue"), r"hit Breakpoint 2.*, .*writev")
            self.assertIn("ngx_writev", gdb.ask("backtrace 3"))
            gdb.ask("inferior 1")
            self.assertIn("ngx_master_process_cycle", gdb.ask("backtrace"))
            gdb.ask("delete", "detach inferiors 2", "detach inferiors 1")
            client.join(LIMIT)
            self.assertEqual(self.bodies, [b"a page\n"])
            master = int((self.folder / "pid").read_text(encoding="ascii"))
            handle = os.pidfd_open(master)
            os.kill(master, 15)
            live.wait_for_end(handle)

    def test_a_worker_is_attached_to_and_serves_on(self):
        with subprocess.Popen(self.command, preexec_fn=clean) as server:
            self.addCleanup(server.kill)
            self.fetch()
            with open(f"/proc/{server.pid}/task/{server.pid}/children", encoding="ascii") as children:
                worker = int(children.read().split()[0])
            with live.Stub(ICECORE, "--attach", worker) as stub:
                gdb = self.gdb(stub.address)
                gdb.ask("break writev")
                self.bodies.clear()
                client = self.client()
                self.assertRegex(gdb.ask("continue"), r"Breakpoint 1, .*writev")
                self.assertIn("shares memory with others", gdb.ask("reverse-stepi"))
                gdb.ask("detach")
                client.join(LIMIT)
                self.assertEqual(self.bodies, [b"a page\n"])
            self.bodies.clear()
            self.fetch()
            self.assertEqual(self.bodies, [b"a page\n"])
            server.terminate()
            self.assertEqual(server.wait(LIMIT), 0)


if __name__ == "__main__":
    if not ICECORE:
        sys.exit("ICECORE must name the program under test")
    if not NGINX or not shutil.which("gdb"):
        print("skipped: needs nginx and gdb")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
