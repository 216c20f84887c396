# SPDX-License-Identifier: Apache-2.0
"""Services started from images: built when they are ready, run in any number of copies."""
import hashlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import unittest

import harness
import program
from background import Background
from image_runs import PYTHON, SERVICES, ImageTest, Run, free_port, get, own_cgroup, poll_until


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class Images(ImageTest):
    def test_a_python_service_starts_in_copies_with_ports_of_their_own(self):
        port, built = self.build_hello("--warm", "exit 0", "--copy-event")
        self.assertEqual(built.out, "hello@1\n")
        self.assertIn("random.seed()", built.err)
        self.assertIn("hello.log", built.err)
        base = free_port(2)
        with Run(self, "hello", "--copies", 2, "--port", f"{port}={base}", "--signal", "USR1", "--env", "A=b c",
                 "--after", "grep -q 'copy [12]' $ICECORE_COPY_FILE || test $ICECORE_PID") as run:
            first, second = get(base), get(base + 1)
            self.assertEqual(first, second)  # the same pid, the same count: both went on from one moment
            for generator in ["/random", "/openssl"]:
                self.assertNotEqual(get(base, generator), get(base + 1, generator))
            self.assertEqual(get(base, "/copy"), f"image hello\ncopy 1\nport {port} {base}\nenv A=b c\n")
            self.assertIn("copy 2\n", get(base + 1, "/copy"))
            self.assertEqual(set(get(base, "/events").split()), {"signal", "eventfd"})
            self.assertEqual([get(base, "/write"), get(base, "/write"), get(base + 1, "/write")], ["5", "10", "5"])
            self.assertEqual((self.directory / "hello.log").read_text(), "")
            self.assertEqual(len(set(run.pids())), 2)
            status, _, _ = run.end()
        self.assertEqual(status, 128 + signal.SIGTERM)

    def test_a_full_disk_leaves_no_half_of_an_image(self):
        disk = self.directory / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96M", "tmpfs", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        self.store = disk / "store"
        # Compressed it fits, raw it does not.
        full = self.icecore("image", "build", "full", "--ready", "log:up", "--", PYTHON, "-c",
                            "x = [b'%d' % i * 4000 for i in range(8000)]; print('up', flush=True); input()")
        self.assertEqual(full.status, 1, full.err)
        self.assertIn("No space left on device", full.err)
        self.assertEqual(self.done("list", "--json").json(), [])
        self.assertEqual(list((self.store / "images").iterdir()), [])

    def test_copies_that_are_not_told_draw_the_same_random_numbers(self):
        # What docs/images.md warns of, and what `image build` says in its advice.
        port, built = self.build_hello()
        base = free_port(2)
        with Run(self, "hello", "--copies", 2, "--port", f"{port}={base}"):
            for generator, named in [("/random", "random.seed()"), ("/openssl", "RAND_add")]:
                self.assertEqual(get(base, generator), get(base + 1, generator))
                self.assertIn(named, built.err)

    def test_an_image_is_a_snapshot_and_is_listed_shown_and_removed(self):
        port, _ = self.build_hello()
        image = self.done("image", "list", "--json").json()["images"][0]
        self.assertEqual((image["name"], image["snapshot"], image["ports"]), ("hello", "hello@1", [port]))
        self.assertIn("python3", self.done("show", "hello").out)
        self.assertIn(f"ports     {port}", self.done("image", "show", "hello").out)
        self.refused(1, "image", "build", "hello", "--", "true", what="exists already", hint="image rm hello")
        self.done("image", "rm", "hello")
        self.refused(1, "image", "run", "hello", what="no image 'hello'")
        self.assertEqual(self.done("list").out.count("hello"), 0)

    def test_signals_and_the_exit_status_are_passed_on_and_streams_are_the_starters(self):
        script = "trap 'echo bye; exit 7' TERM; echo up; while read line; do echo got $line; done; while :; do sleep 1; done"
        self.build("sh", "/bin/sh", "-c", script, ready="log:^up")
        ended = subprocess.run([harness.ICECORE, "image", "run", "-q", "sh", "--signal", "TERM"], input="a\n",
                               env=self.environment(), capture_output=True, text=True, timeout=harness.DEADLINE)
        self.assertEqual((ended.returncode, ended.stdout.splitlines()[-1]), (7, "bye"), ended.stderr)

    def test_a_port_that_is_taken_is_named_and_nothing_is_left(self):
        port, _ = self.build_hello()
        with socket.create_server(("127.0.0.1", port)):
            ended = self.icecore("image", "run", "hello")
            self.assertEqual(ended.status, 3)
            self.assertRegex(ended.err, f"127.0.0.1:{port}.*|address is taken by process {os.getpid()}")
        ended = self.icecore("image", "run", "hello", "--port", "1=2")
        self.assertEqual(ended.status, 2)

    def test_listening_sockets_are_taken_over_from_a_service_manager(self):
        self.build_hello()
        with socket.create_server(("127.0.0.1", 0)) as given:
            port = given.getsockname()[1]
            command = f"exec 3<&{given.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec {harness.ICECORE} image run -q hello"
            service = subprocess.Popen(["sh", "-c", command], pass_fds=[given.fileno()], env=self.environment())
            self.addCleanup(service.wait)
            self.addCleanup(service.terminate)
            self.assertIn("hello from pid", get(port))

    def test_a_program_that_cannot_be_an_image_is_refused_with_its_last_words(self):
        for status, what, why, words in [
                (1, "not ready in time", "still loading", ["--timeout", "300ms", "--", "sh", "-c", "echo still loading; exec sleep 99"]),
                (1, "exit status 3", "no config", ["--", "sh", "-c", "echo no config; exit 3"]),
                (127, "/no/such", "", ["--", "/no/such"]),
                (2, "--ready moon", "", ["--ready", "moon", "--", "true"])]:
            ended = self.icecore("image", "build", "x", *words)
            self.assertEqual(ended.status, status, ended.err)
            self.assertRegex(ended.err, f"(?s)error: .*{what}.*{why}")
        with socket.create_server(("127.0.0.1", 0)) as server:
            connect = f"import socket,time; s=socket.create_connection(('127.0.0.1',{server.getsockname()[1]}));" \
                      "print('up', flush=True); time.sleep(99)"
            refused = self.icecore("image", "build", "x", "--ready", "log:up", "--", PYTHON, "-c", connect)
            self.assertEqual(refused.status, 3, refused.err)
            self.assertIn("its connection leaves the tree", refused.err)
        self.assertEqual(self.done("image", "list", "--json").json()["images"], [])
        self.assertEqual(self.done("list", "--json").json(), [])
        self.assertEqual(list((self.store / "images").iterdir()), [])

    def test_ready_by_notification_and_by_command(self):
        notify = "import os,socket,time; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);" \
                 "s.sendto(b'READY=1', chr(0)+os.environ['NOTIFY_SOCKET'][1:]); s.close(); time.sleep(99)"
        self.build("notify", PYTHON, "-c", notify, ready="notify")
        mark = self.directory / "mark"
        self.build("exec", "sh", "-c", f"touch {mark}; exec sleep 99", ready=f"exec:test -e {mark}")
        self.build("signal", "sh", "-c", "kill -USR1 $ICECORE_READY_PID; exec sleep 99", ready="signal")

    def test_a_kept_image_is_forked_and_shares_its_memory(self):
        port = free_port()
        os.chdir(self.directory)
        self.addCleanup(os.chdir, "/")
        self.build("big", PYTHON, SERVICES / "hello.py", port, 64)
        keeper = Background(self, "image", "warm", "-q", "big")
        record = self.store / "images" / "big.bank"
        poll_until(record.exists)
        base = free_port(3)
        for _ in range(2):  # the bank is as it was after a first use
            with Run(self, "big", "--copies", 3, "--port", f"{port}={base}") as run:
                self.assertEqual(len({get(base + i) for i in range(3)}), 1)
                rollup = pathlib.Path(f"/proc/{run.pids()[0]}/smaps_rollup").read_text()
                rss, pss = (int(re.search(rf"{word}: +(\d+) kB", rollup)[1]) for word in ["Rss", "Pss"])
                self.assertGreater(rss, 64 << 10)
                self.assertLess(pss, rss / 2)
                self.assertEqual(pathlib.Path(f"/proc/{run.pids()[0]}/status").read_text().count("TracerPid:\t0"), 1)
        with own_cgroup() as cgroup:
            if cgroup:
                enter = ["sh", "-c", f'echo $$ > {cgroup}/cgroup.procs; exec "$@"', "-"]
                with Run(self, "big", prefix=enter) as run:
                    for pid in [run.process.pid, *run.pids()]:
                        self.assertIn(cgroup.name, pathlib.Path(f"/proc/{pid}/cgroup").read_text())
        held = int(record.read_text().split()[0])
        self.assertEqual([os.readlink(f"/proc/{held}/ns/{kind}") for kind in ["pid", "time", "pid_for_children"]],
                         [os.readlink(f"/proc/self/ns/{kind}") for kind in ["pid", "time", "pid"]])
        again = self.icecore("image", "warm", "big")
        self.assertIn("is kept warm already", again.err)
        self.assertIn("is kept warm", self.icecore("image", "rm", "big").err)
        os.kill(held, signal.SIGKILL)
        self.assertEqual(keeper.end()[0], 1)
        with Run(self, "big"):
            self.assertIn("hit 2", get(port))

    def test_an_image_travels_as_an_oci_layout(self):
        port, _ = self.build_hello()
        layout = self.directory / "hello.oci"
        self.done("image", "export", "hello", layout)
        blobs = list((layout / "blobs" / "sha256").iterdir())
        for blob in blobs:
            self.assertEqual(blob.name, hashlib.sha256(blob.read_bytes()).hexdigest())
        self.assertFalse((layout / ".store").exists())
        if program.find("skopeo"):
            inspected = subprocess.run(["skopeo", "inspect", f"oci:{layout}:hello"], capture_output=True, text=True,
                                       timeout=harness.DEADLINE)
            self.assertEqual(inspected.returncode, 0, inspected.stderr)
            self.assertIn("icecore.image", inspected.stdout)
            # As through a registry.
            carried = self.directory / "carried.oci"
            copied = subprocess.run(["skopeo", "--insecure-policy", "copy", f"oci:{layout}:hello", f"oci:{carried}:hello"],
                                    capture_output=True, text=True, timeout=harness.DEADLINE)
            self.assertEqual(copied.returncode, 0, copied.stderr)
            self.done("image", "import", "--name", "carried", carried)
        self.assertRegex(self.done("image", "verify").out, "hello: .*, sound")
        self.assertIn("exists already", self.icecore("image", "import", layout).err)
        self.done("image", "import", "--name", "other", layout)
        self.done("image", "rm", "hello")
        self.done("gc")
        with Run(self, "other"):
            self.assertIn("hit 2", get(port))
        largest = max(blobs, key=lambda blob: blob.stat().st_size)
        with largest.open("r+b") as file:
            file.seek(5000)
            byte = file.read(1)
            file.seek(5000)
            file.write(bytes([byte[0] ^ 1]))
        self.assertIn("its digest is another", self.icecore("image", "import", "--name", "third", layout).err)

    @program.needs("systemd-analyze")
    def test_the_example_units_are_sound(self):
        examples = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples"
        units = []
        for unit in examples.iterdir():
            text = unit.read_text().replace("/usr/bin/icecore", str(pathlib.Path(harness.ICECORE).resolve()))
            units.append(self.directory / unit.name.replace("@", "@web"))
            units[-1].write_text(text)
        self.assertEqual({unit.suffix for unit in units}, {".service", ".socket"})
        for unit in units:
            verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True,
                                      timeout=harness.DEADLINE)
            self.assertNotIn(unit.name.split(".")[0], verified.stderr)

    @program.needs("redis-server")
    def test_redis_with_its_caches_warm(self):
        port = free_port()
        self.build("redis", "redis-server", "--port", port, "--save", "", "--dir", self.directory, ready="port",
                   options=["--warm", f"redis-cli -p {port} set key warm"])
        with Run(self, "redis"):
            ask = ["redis-cli", "-p", str(port), "get", "key"]
            self.assertEqual(subprocess.run(ask, capture_output=True, text=True, timeout=harness.DEADLINE).stdout, "warm\n")

    @program.needs("node")
    def test_a_node_service(self):
        port = free_port()
        self.build("node", "node", SERVICES / "hello.js", port)
        with Run(self, "node"):
            self.assertRegex(get(port), "hello from pid .* hit 2")

    @program.needs("java")
    def test_a_service_on_the_java_virtual_machine(self):
        port = free_port()
        self.build("java", "java", "-Xmx200m", SERVICES / "Hello.java", port)
        with Run(self, "java"):
            self.assertIn("hello from pid", get(port))


if __name__ == "__main__":
    unittest.main()
