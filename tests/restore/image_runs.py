# SPDX-License-Identifier: Apache-2.0
"""Images built and run by the installed command line."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request

import harness

SERVICES = pathlib.Path(__file__).resolve().parents[1] / "programs" / "services"
PYTHON = "/usr/bin/python3"


def free_port(count=1):
    """A port such that it and the next `count` - 1 are free."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        try:
            for i in range(count):
                with socket.socket() as other:
                    other.bind(("127.0.0.1", port + i))
            return port
        except (OSError, OverflowError):
            continue


def get(port, path="/"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=harness.DEADLINE) as answer:
        return answer.read().decode()


def poll_until(condition):
    deadline = time.monotonic() + harness.DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come to that")
        time.sleep(0.005)


@contextlib.contextmanager
def own_cgroup():
    """A cgroup of the version 2 hierarchy, removed again; None where that cannot be made."""
    mounts = [line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()
              if line.split()[2] == "cgroup2"]
    cgroup = pathlib.Path(mounts[0] if mounts else "/", f"icecore-images-test-{os.getpid()}")
    try:
        if not mounts:
            raise OSError("no cgroup2")
        cgroup.mkdir()
    except OSError:
        yield None
        return
    try:
        yield cgroup
    finally:
        poll_until(lambda: (cgroup / "cgroup.procs").read_text() == "")
        cgroup.rmdir()


class Run:
    """`icecore image run` in the background, ready when entered; ended with SIGTERM when left."""

    def __init__(self, test, *words, prefix=(), **environment):
        self.pidfile = test.directory / "pids"
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(test.directory / f"notify{len(os.listdir(test.directory))}"))
        self.notify.settimeout(harness.DEADLINE)
        test.addCleanup(self.notify.close)
        self.test = test
        self.process = subprocess.Popen(
            [*prefix, harness.ICECORE, "image", "run", *map(str, words), "--pidfile", str(self.pidfile)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=test.environment(NOTIFY_SOCKET=self.notify.getsockname(), **environment))

    def __enter__(self):
        try:
            self.test.assertEqual(self.notify.recv(100), b"READY=1")
        except TimeoutError:
            self.process.kill()
            self.test.fail(self.process.communicate()[1])
        return self

    def pids(self):
        return [int(line) for line in self.pidfile.read_text().split()]

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=harness.DEADLINE)
        return self.process.returncode, out, err

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()
        self.process.stdout.close()
        self.process.stderr.close()


class ImageTest(harness.CliTest):
    """Its images end with it: the files of copies lie outside of the store."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.forget_images)

    def forget_images(self):
        listed = self.icecore("image", "list", "--json")
        for image in listed.json()["images"] if listed.status == 0 else []:
            self.icecore("image", "rm", image["name"])

    def build(self, name, *words, ready="http:/", options=()):
        return self.done("image", "build", name, "--ready", ready, *options, "--", *words)

    def build_hello(self, *options):
        port = free_port()
        os.chdir(self.directory)
        self.addCleanup(os.chdir, "/")
        return port, self.build("hello", PYTHON, SERVICES / "hello.py", port, options=options)
