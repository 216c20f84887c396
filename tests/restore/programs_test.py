#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real programs: snapshotted at work, killed, restored, and at work again."""
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request

import program
import revival

THREADS = """
import sys, threading, time
counts = [0] * 4
def count(i):
    while True:
        counts[i] += 1
        time.sleep(0.005)
for i in range(4): threading.Thread(target=count, args=(i,), daemon=True).start()
start = time.monotonic()
while True:
    time.sleep(0.05)
    with open(sys.argv[1], 'w') as out: out.write(f'{min(counts)} {time.monotonic() - start:.3f}')
"""

POOL = """
import multiprocessing, os, sys, time
def square(x):
    time.sleep(0.01)
    return x * x, os.getpid()
if __name__ == '__main__':
    with multiprocessing.Pool(3) as pool:
        rounds = 0
        while True:
            results = pool.map(square, range(6))
            assert [r for r, _ in results] == [0, 1, 4, 9, 16, 25]
            rounds += 1
            with open(sys.argv[1] + '.new', 'w') as out: out.write(f'{rounds}')
            os.rename(sys.argv[1] + '.new', sys.argv[1])
"""

SQLITE = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[2], isolation_level=None)
database.execute('create table if not exists t(round, i)')
rounds = 0
while True:
    database.execute('begin')
    for i in range(50):
        database.execute('insert into t values(?, ?)', (rounds, i))
        time.sleep(0.002)
    database.execute('commit')
    rounds += 1
    with open(sys.argv[1], 'w') as out: out.write(f'{rounds}')
"""

JOBS = """
set -m
(while :; do echo a >> $1.a; sleep 0.05; done) &
(kill -STOP $BASHPID; while :; do echo b >> $1.b; sleep 0.05; done) &
i=0
while :; do i=$((i+1)); jobs > $1.jobs; echo $i > $1; sleep 0.05; done
"""

JAVA = """
public class Work {
  public static void main(String[] arguments) throws Exception {
    for (long round = 1; ; round++) {
      java.util.ArrayList<String> list = new java.util.ArrayList<>();
      for (int i = 0; i < 20000; i++) list.add("x" + i);
      java.nio.file.Files.writeString(java.nio.file.Path.of(arguments[0]), round + " " + list.size());
      Thread.sleep(20);
    }
  }
}
"""

NODE = """
const fs = require('fs');
const { Worker } = require('worker_threads');
const worker = new Worker(`
  const { parentPort } = require('worker_threads');
  parentPort.on('message', n => parentPort.postMessage(n + 1));`, { eval: true });
worker.on('message', n => {
  fs.writeFileSync(process.argv[2] + '.new', String(n));
  fs.renameSync(process.argv[2] + '.new', process.argv[2]);
  setTimeout(() => worker.postMessage(n), 5);
});
worker.postMessage(0);
"""


class Programs(revival.RevivalTest):
    def progress(self, out):
        """The first number in what a program writes."""
        try:
            words = out.read_text().split()
            return int(float(words[0])) if words else 0
        except (OSError, ValueError):
            return 0

    def goes_on(self, name, *command, least=5, **popen):
        """A program that counts in a file goes on counting where its snapshot was, in both ways."""
        out = self.directory / f"{name}.out"
        process = self.start(*command, start_new_session=True, **popen)
        self.wait_for(lambda: self.progress(out) >= least, f"{name} at work")
        self.snap(process.pid, name, "--kill")
        process.wait()
        self.wait_for_orphans(process.pid)
        for mode, options in revival.MODES.items():
            with self.subTest(mode=mode):
                before = self.progress(out)
                out.write_text("")  # it may have been open: the same file, but changed
                life = self.restore(name, "--files", "keep", *options)
                after = self.wait_for(lambda: self.progress(out) or life.poll() is not None, f"{name}'s next life")
                self.assertIsNone(life.poll(), life.said.read_text())
                if mode == "beside":
                    self.assertLess(after, before + 100, "it began anew, or did not remember")
                self.wait_for(lambda: self.progress(out) > after + 5, f"{name} at work again")
                self.end_life(life, process.pid)
        return out

    def end_life(self, life, pid):
        """In place its processes are in the session of their own; those are ours to end."""
        life.kill()
        life.wait()
        for other in self.session(pid):
            try:
                os.kill(other, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.wait_for_orphans(pid)

    @staticmethod
    def session(pid):
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    if os.getsid(int(name)) == pid:
                        found.append(int(name))
                except ProcessLookupError:
                    pass
        return found

    def wait_for_orphans(self, pid):
        self.wait_for(lambda: self.reap() or not self.session(pid), "end of all processes")

    def python(self, name, text, *arguments):
        script = self.directory / f"{name}.py"
        script.write_text(text)
        return self.goes_on(name, sys.executable, script, self.directory / f"{name}.out", *arguments)

    def test_python_threads(self):
        self.python("threads", THREADS)

    def test_python_multiprocessing(self):
        self.python("pool", POOL)

    def test_sqlite_in_a_transaction(self):
        file = self.directory / "db"
        self.python("sqlite", SQLITE, file)
        with sqlite3.connect(file) as database:
            self.assertEqual(database.execute("pragma integrity_check").fetchone(), ("ok",))
            for (count,) in database.execute("select count(*) from t group by round"):
                self.assertEqual(count % 50, 0)

    @program.needs("bash")
    def test_bash_with_jobs(self):
        script = self.directory / "jobs.sh"
        script.write_text(JOBS)
        out = self.goes_on("jobs", "bash", script, self.directory / "jobs.out")
        jobs = (self.directory / "jobs.out.jobs").read_text()
        self.assertRegex(jobs, r"(?m)^\[1\].*Running")
        self.assertRegex(jobs, r"(?m)^\[2\].*Stopped")
        self.assertFalse((self.directory / "jobs.out.b").exists(), "a stopped job has run")
        self.assertTrue(out)

    @program.needs("java")
    def test_a_java_virtual_machine(self):
        source = self.directory / "Work.java"
        source.write_text(JAVA)
        self.goes_on("java", "java", source, self.directory / "java.out", least=20)

    @program.needs("node")
    def test_node_with_a_worker_thread(self):
        source = self.directory / "work.js"
        source.write_text(NODE)
        self.goes_on("node", "node", source, self.directory / "node.out", least=20)

    def served(self, name, port, ask, *command):
        """A server answers, and answers again in both of its next lives."""
        process = self.start(*command, start_new_session=True)
        first = self.wait_for(ask, f"{name}'s answer")
        self.snap(process.pid, name, "--kill")
        process.wait()
        self.wait_for_orphans(process.pid)
        for mode, options in revival.MODES.items():
            with self.subTest(mode=mode):
                self.wait_for(lambda: not program.answers(port), "free port")
                life = self.restore(name, *options)
                self.assertEqual(self.wait_for(lambda: ask() or life.poll() is not None, "answer"), first,
                                 life.said.read_text())
                self.end_life(life, process.pid)

    @program.needs("redis-server", "redis-cli")
    def test_redis(self):
        port = program.free_port()

        def ask(*words):
            return subprocess.run(["redis-cli", "-p", str(port), *words], capture_output=True, text=True,
                                  check=False).stdout.strip()

        def value():
            if ask("ping") != "PONG":
                return None
            return ask("get", "key") or ask("set", "key", "a value") and None
        self.served("redis", port, value, program.find("redis-server"), "--port", port, "--bind", "127.0.0.1",
                    "--io-threads", "2", "--save", "", "--dir", self.directory)

    @program.needs("nginx")
    def test_nginx_with_workers(self):
        port = program.free_port()
        configuration = self.directory / "nginx.conf"
        configuration.write_text(f"""
            daemon off; worker_processes 2; pid {self.directory}/pid; error_log {self.directory}/error;
            events {{ worker_connections 64; }}
            http {{ access_log off; server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello"; }} }} }}""")

        def ask():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    return answer.read()
            except OSError:
                return None
        self.served("nginx", port, ask, program.find("nginx"), "-c", configuration, "-e", self.directory / "error")

    @program.needs("make")
    def test_make_in_the_middle_of_a_build(self):
        place = self.directory / "build"
        place.mkdir()
        (place / "Makefile").write_text(
            "all: $(foreach i,1 2 3 4 5 6,o$(i))\no%:\n\tsleep 0.2; sh -c 'sleep 0.1'; echo done > $@\n")
        process = self.start("make", "-j2", "-C", place)
        self.wait_for((place / "o1").exists, "first target")
        self.snap(process.pid, "make", "--kill")
        process.wait()
        life = self.restore("make")
        self.assertEqual(life.wait(revival.LONG), 0, life.said.read_text())
        self.assertEqual([(place / f"o{i}").read_text() for i in range(1, 7)], ["done\n"] * 6)
        time.sleep(0.05)
        self.reap()


revival.main()
