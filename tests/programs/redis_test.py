#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""redis-server with I/O threads, recorded while redis-benchmark works on it."""
import signal
import subprocess

import program


@program.needs("redis-server", "redis-benchmark", "redis-cli", "gdb")
class Redis(program.ProgramTest):
    def redis(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True,
                              timeout=program.LONG, check=False).stdout.strip()

    def benchmark(self, *options):
        return self.start("redis-benchmark", "-p", self.port, "-c", "10", "-q", *options,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_serves_every_request_while_its_past_is_looked_at(self):
        self.port = program.free_port()
        server = self.record("redis", [
            program.find("redis-server"), "--port", self.port, "--bind", "127.0.0.1", "--io-threads", "2",
            "--io-threads-do-reads", "yes", "--save", "", "--appendonly", "no", "--dir", self.directory])
        self.wait_for(lambda: self.redis("PING") == "PONG", "PONG")
        # I/O threads spin: on a machine with few processors they answer slowly, recorded or not.
        load = self.benchmark("-t", "set,lpush", "-n", "10000", "-r", "5000", "-d", "100", "-P", "4")
        server.wait_for_snapshots(8)
        seen = self.gdb("redis@-3", "info threads", "bt", "x/4xg $sp", "info registers rip rsp")
        self.assertEqual(self.redis("PING"), "PONG")
        self.assertRegex(seen, r"(?m)^\s*\*? *\d+ +Thread .*redis-server")
        self.assertRegex(seen, r"(?m)io_thd_\d")
        self.assertRegex(seen, r"(?m)^#0 ")
        self.assertIn(" in main ", self.gdb("redis@-3", "thread apply 1 bt").replace("()", ""))
        self.assertRegex(seen, r"(?m)^0x[0-9a-f]+.*:\s+0x")
        self.assertRegex(seen, r"(?m)^rip +0x")
        out, _ = load.communicate(timeout=program.LONG)
        self.assertEqual(load.returncode, 0, out)
        self.assertNotRegex(out, "(?i)error")
        self.assertEqual(out.count("requests per second"), 2, out)
        self.assertEqual(self.redis("DBSIZE").isdigit(), True)
        snapshots = server.snapshots()
        self.assertEqual([s["number"] for s in snapshots], sorted({s["number"] for s in snapshots}))
        self.assertTrue(all(s["threads"] >= 3 for s in snapshots[2:]), snapshots)
        server.process.send_signal(signal.SIGTERM)
        status, out, err = server.end()
        self.assertEqual(status, 0, out + err)
        self.verified()


program.main()
