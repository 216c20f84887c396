#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nginx with workers, recorded while clients ask without pause."""
import http.client
import signal
import threading

import program

WORKERS = 3
CONFIGURATION = """
daemon off; worker_processes {workers}; pid {directory}/nginx.pid; error_log {directory}/error.log;
{user}
events {{ worker_connections 128; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  server {{ listen 127.0.0.1:{port}; root {directory}/www; }}
}}
"""


class Client(threading.Thread):
    """Asks for the page until told to stop; keeps what went wrong."""

    def __init__(self, port, body):
        super().__init__(daemon=True)
        self.port, self.body, self.answered, self.failures = port, body, 0, []
        self.enough = threading.Event()

    def run(self):
        while not self.enough.is_set():
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                for _ in range(20):
                    connection.request("GET", "/page")
                    answer = connection.getresponse()
                    if answer.status != 200 or answer.read() != self.body:
                        self.failures.append(answer.status)
                    self.answered += 1
                connection.close()
            except OSError as error:
                self.failures.append(error)


@program.needs("nginx")
class Nginx(program.ProgramTest):
    def test_all_workers_are_in_every_snapshot_and_no_request_fails(self):
        port, body = program.free_port(), b"a page of nginx\n" * 1000
        (self.directory / "www").mkdir()
        (self.directory / "www/page").write_bytes(body)
        for path in (self.directory, self.directory / "www"):
            path.chmod(0o755)
        configuration = self.directory / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(
            workers=WORKERS, directory=self.directory, port=port, user="user www-data;"))
        server = self.record("nginx", [program.find("nginx"), "-e", self.directory / "error.log", "-c", configuration])
        self.wait_for(lambda: program.answers(port) and len(program.children(server.program())) == WORKERS, "workers")
        clients = [Client(port, body) for _ in range(4)]
        before = len(server.snapshots())
        for client in clients:
            client.start()
        snapshots = server.wait_for_snapshots(before + 12)
        for client in clients:
            client.enough.set()
        for client in clients:
            client.join(program.LONG)
            self.assertEqual(client.failures, [])
            self.assertGreater(client.answered, 0)
        self.assertEqual({s["processes"] for s in snapshots[before + 1:]}, {1 + WORKERS})
        stacks = self.done("bt", "nginx@-3", "--all").out
        self.assertIn("ngx_master_process_cycle", stacks)
        self.assertEqual(stacks.count("ngx_process_events_and_timers"), WORKERS, stacks)
        server.process.send_signal(signal.SIGQUIT)
        status, out, err = server.end()
        self.assertEqual(status, 0, out + err)
        self.verified()


program.main()
