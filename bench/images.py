#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon a service answers: started as usual, by CRIU, and from its image: read from disk, in the page cache, kept warm.

    bench/images.py [--icecore BINARY] [--rounds N] [--copies N] [--criu BINARY] [SERVICE...]

Each time is from the start of the command to the first answer (least of N rounds; the median in brackets). An image has
been started once before: then it is known what it touches first. "Runs" is when `image run` of a kept image says
READY=1, which is just after the first instruction; "copies" when all of N that were started at once have answered. Then
N copies at once of a process with 1 GiB, which they have in common with the keeper's and do not write: the sum of
their proportional set sizes and the keeper's against the resident set of one. Prints Markdown. Needs root; what is
not installed is left out: java with Spring needs libspring-web-servlet-java and libjetty9-java. CRIU's columns are
empty where it cannot dump the service, and say so on the error stream. Takes about six minutes.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SERVICES = HERE.parent / "tests" / "programs" / "services"

# As an application with its imports done and its data loaded: a hundred modules of the standard library.
BIG_PYTHON = """
import sys, pkgutil, importlib
done = []
names = [m.name for m in pkgutil.iter_modules() if m.name in sys.stdlib_module_names and not m.name.startswith('_')]
for name in names:
    if name in ('antigravity', 'this', 'idlelib', 'turtledemo', 'tkinter', 'turtle', 'lib2to3', 'test'): continue
    if len(done) == 100: break
    try: done.append(importlib.import_module(name))
    except Exception: pass
sys.argv[0:1] = []
exec(compile(open(sys.argv[0]).read(), sys.argv[0], 'exec'))
"""


JARS = ["commons-logging", "jetty9-http", "jetty9-io", "jetty9-security", "jetty9-server", "jetty9-servlet", "jetty9-util",
        "jetty9-util-ajax", "servlet-api", "spring3-aop", "spring3-beans", "spring3-context", "spring3-core",
        "spring3-expression", "spring3-web", "spring3-web.servlet"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def first_answer(port, request, deadline=60):
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(request)
                if connection.recv(100):
                    return time.monotonic()
        except OSError:
            time.sleep(0.0003)
    raise TimeoutError(f"nothing answers on port {port}")


class Bench:
    def __init__(self, icecore, work, rounds):
        self.icecore, self.work, self.rounds = icecore, work, rounds
        self.environment = dict(os.environ, ICECORE_STORE=str(work / "store"))

    def run(self, *words):
        ended = subprocess.run([self.icecore, *map(str, words)], env=self.environment, check=False, cwd=self.work,
                               capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr

    def start(self, command):
        return subprocess.Popen(list(map(str, command)), cwd=self.work, env=self.environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answer_ms(self, command, port, request, fill=None):
        times = []
        for _ in range(self.rounds):
            begin = time.monotonic()
            process = self.start(command)
            answered = first_answer(port, request)
            if fill:  # it is what it is in the image only then
                subprocess.run(["sh", "-c", fill], check=True, stdout=subprocess.DEVNULL)
                answered = time.monotonic()
            times.append((answered - begin) * 1000)
            process.send_signal(signal.SIGKILL)
            process.wait()
            time.sleep(0.3)
        return times

    def running_ms(self, name):
        times = []
        for i in range(self.rounds):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
                notify.bind(str(self.work / f"notify{name}{i}"))
                self.environment["NOTIFY_SOCKET"] = notify.getsockname()
                begin = time.monotonic()
                process = self.start([self.icecore, "image", "run", "-q", name])
                notify.recv(100)
                times.append((time.monotonic() - begin) * 1000)
            del self.environment["NOTIFY_SOCKET"]
            process.send_signal(signal.SIGKILL)
            process.wait()
            time.sleep(0.3)
        return times

    def keep(self, name):
        keeper = self.start([self.icecore, "image", "warm", name])
        while not (self.work / "store" / "images" / f"{name}.bank").exists():
            assert keeper.poll() is None
            time.sleep(0.01)
        return keeper

    def cool(self, name):
        """Takes the image and what it has touched of other files out of the page cache, where nobody else maps it."""
        store = self.work / "store"
        touched = (store / "images" / f"{name}.touched").read_text().splitlines()
        files = {line.split(" ", 2)[2] for line in touched}
        for file in [*files, *(store / "packs").iterdir(), store / "index.db", *(store / "images").glob(f"{name}.*")]:
            try:
                with open(file, "rb") as open_file:
                    os.fsync(open_file.fileno())
                    os.posix_fadvise(open_file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            except OSError:
                continue

    def cold_ms(self, name, command, port, request):
        times = []
        for _ in range(self.rounds):
            self.cool(name)
            begin = time.monotonic()
            process = self.start(command)
            times.append((first_answer(port, request) - begin) * 1000)
            process.send_signal(signal.SIGKILL)
            process.wait()
            time.sleep(0.3)
        return times

    def copies_ms(self, name, port, request, count):
        """Until the last of `count` copies has answered."""
        times = []
        for _ in range(max(2, self.rounds // 3)):
            base = free_ports(count)
            begin = time.monotonic()
            crew = self.start([self.icecore, "image", "run", "-q", name, "--copies", count, "--port", f"{port}={base}"])
            times.append((max(first_answer(base + i, request) for i in range(count)) - begin) * 1000)
            crew.terminate()
            crew.wait()
            time.sleep(0.3)
        return times

    def criu_ms(self, criu, command, port, request, fill):
        """Plain and lazy; empty where it cannot."""
        images = self.work / "criu"
        shutil.rmtree(images, ignore_errors=True)
        images.mkdir()
        service = subprocess.Popen(list(map(str, command)), cwd=self.work, stdin=subprocess.DEVNULL, start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        first_answer(port, request)
        if fill:
            subprocess.run(["sh", "-c", fill], check=True, stdout=subprocess.DEVNULL)
        dumped = subprocess.run([criu, "dump", "-t", str(service.pid), "-D", images, "--tcp-close", "-o", "dump.log"],
                                capture_output=True, text=True, check=False)
        service.kill()
        service.wait()
        if dumped.returncode != 0:
            log = images / "dump.log"
            last = [line for line in (log.read_text() if log.exists() else dumped.stderr).splitlines() if "Error" in line]
            print(f"criu dump: {last[-1] if last else dumped.stderr}", file=sys.stderr)
            return [], []
        return [self.criu_restore_ms(criu, images, port, request, lazy) for lazy in [False, True]]

    def criu_restore_ms(self, criu, images, port, request, lazy):
        times = []
        pidfile = images / "pid"
        for _ in range(self.rounds):
            pidfile.unlink(missing_ok=True)
            begin = time.monotonic()
            pager = self.start([criu, "lazy-pages", "-D", images]) if lazy else None
            restore = [criu, "restore", "-D", images, "-d", "--tcp-close", "--pidfile", pidfile]
            ended = subprocess.run([*restore, *(["--lazy-pages"] if lazy else [])], capture_output=True, check=False)
            if ended.returncode != 0:
                print("criu restore:", ended.stderr.decode(), file=sys.stderr)
                break
            times.append((first_answer(port, request) - begin) * 1000)
            os.kill(int(pidfile.read_text()), signal.SIGKILL)
            if pager:
                pager.wait()
            time.sleep(0.3)
        return times

    def row(self, name, command, port, copies, criu, request=b"GET / HTTP/1.0\r\n\r\n", fill=None):
        normal = self.answer_ms(command, port, request, fill)
        plain, lazy = self.criu_ms(criu, command, port, request, fill) if criu else ([], [])
        options = ["--ready", "port", "--warm", fill] if fill else ["--ready", "http:/"]
        self.run("image", "build", name, *options, "--", *command)
        image = [self.icecore, "image", "run", "-q", name]
        self.answer_ms(image, port, request)  # what it touches first is noted
        cached = self.answer_ms(image, port, request)
        cold = self.cold_ms(name, image, port, request)
        keeper = self.keep(name)
        kept = self.answer_ms(image, port, request)
        running = self.running_ms(name)
        together = self.copies_ms(name, port, request, copies)
        keeper.terminate()
        keeper.wait()
        self.run("image", "rm", name)
        print(f"| {name} | {text(normal)} | {text(plain)} | {text(lazy)} | {text(cold)} | {text(cached)} | {text(running)} | "
              f"{text(kept)} | {text(together)} | {min(normal) / min(cached):.0f} x | {min(normal) / min(kept):.0f} x |",
              flush=True)

    def copies(self, count):
        load = self.work / "load"
        subprocess.run(["c++", "-O2", "-std=c++20", "-pthread", str(HERE / "load.cc"), "-o", str(load)], check=True)
        self.run("image", "build", "gigabyte", "--ready", "log:READY", "--", load, "memory", 1024, 0)
        keeper = self.keep("gigabyte")
        pidfile = self.work / "pids"
        begin = time.monotonic()
        crew = self.start([self.icecore, "image", "run", "-q", "gigabyte", "--copies", count, "--pidfile", pidfile])
        while not pidfile.exists() or len(pidfile.read_text().split()) < count:
            assert crew.poll() is None
            time.sleep(0.001)
        took = (time.monotonic() - begin) * 1000
        pids = [int(pid) for pid in pidfile.read_text().split()]
        held = int((self.work / "store" / "images" / "gigabyte.bank").read_text().split()[0])
        one = memory_kib(pids[0], "Rss")
        pss = sum(memory_kib(pid, "Pss") for pid in [*pids, held])
        print(f"\n{count} copies of {one >> 10} MiB: all run after {took:.0f} ms; together with the bank they have "
              f"{pss >> 10} MiB, {pss / one:.2f} x one.")
        crew.send_signal(signal.SIGTERM)
        crew.wait()
        keeper.terminate()
        keeper.wait()
        self.run("image", "rm", "gigabyte")


def memory_kib(pid, word):
    return int(re.search(rf"{word}: +(\d+) kB", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text())[1])


def free_ports(count):
    """The first of `count` neighbouring ports that are free."""
    while True:
        base = free_port()
        try:
            for i in range(count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + i))
            return base
        except (OSError, OverflowError):
            continue


def text(times):
    return "-" if not times else f"{min(times):.1f} ms ({statistics.median(times):.1f})"


def class_path(directory):
    """What Shop.java needs, as Debian's packages name it; empty when some of it is not there."""
    jars = [directory / f"{name}.jar" for name in JARS]
    return ":".join(map(str, jars)) if all(jar.exists() for jar in jars) else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--icecore", default=shutil.which("icecore") or "icecore")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--copies", type=int, default=20)
    parser.add_argument("--criu", default=shutil.which("criu"))
    parser.add_argument("--jars", type=pathlib.Path, default=pathlib.Path("/usr/share/java"))
    parser.add_argument("services", nargs="*")
    arguments = parser.parse_args()
    os.closerange(3, 4096)
    with tempfile.TemporaryDirectory(prefix="icecore-bench.") as directory:
        work = pathlib.Path(directory)
        bench = Bench(os.path.abspath(arguments.icecore), work, arguments.rounds)
        big = work / "big.py"
        big.write_text(BIG_PYTHON)
        ports = {name: free_port() for name in ["java", "spring", "python", "gigabyte", "redis", "node"]}
        fill = f"redis-cli -p {ports['redis']} debug populate 450000 key 1000"
        rows = {
            "java": (["java", SERVICES / "Hello.java", ports["java"]], {}),
            "spring": (["java", "-cp", class_path(arguments.jars), SERVICES / "Shop.java", ports["spring"]], {}),
            "python": (["/usr/bin/python3", big, SERVICES / "hello.py", ports["python"], 200], {}),
            "gigabyte": (["/usr/bin/python3", SERVICES / "hello.py", ports["gigabyte"], 1024], {}),
            "redis": (["redis-server", "--port", ports["redis"], "--save", "", "--enable-debug-command", "yes"],
                      {"request": b"PING\r\n", "fill": fill}),
            "node": (["node", SERVICES / "hello.js", ports["node"]], {}),
        }
        print(f"| service | usual start | CRIU | CRIU, lazy | cold | cached | kept: runs | kept: answers | "
              f"{arguments.copies} copies | usual : cached | usual : kept |")
        print("|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
        for name, (command, options) in rows.items():
            wanted = not arguments.services or name in arguments.services
            if wanted and shutil.which(str(command[0])) and (name != "spring" or class_path(arguments.jars)):
                bench.row(name, command, ports[name], arguments.copies, arguments.criu, **options)
        if not arguments.services or "copies" in arguments.services:
            bench.copies(arguments.copies)


main()
