#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a person sees of a recording: list, show, bt, dis, diff, export, gdb, serve, rm, gc, verify."""
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import harness
import recorded

ROW = set("recording number parent tag time monotonic_ns complete processes threads dirty_bytes stored_bytes freeze_us "
          "dump_us pause_us".split())


class Looking(harness.CliTest):
    """One recording of three tagged moments; between the last two `counter` went from 41 to 42."""

    before = "shop@before"
    after = "shop@after"
    original = None  # a directory with the store that every test gets a copy of

    @classmethod
    def tearDownClass(cls):
        if cls.original:
            cls.original.cleanup()

    def setUp(self):
        super().setUp()
        if Looking.original is None:
            self.record()
            Looking.original = tempfile.TemporaryDirectory(prefix="icecore-cli-test.")
            shutil.copytree(self.store, pathlib.Path(Looking.original.name) / "store")
        else:
            shutil.copytree(pathlib.Path(Looking.original.name) / "store", self.store)

    def record(self):
        with recorded.Recorded(self, "symbols_globals", "shop") as victim:
            victim.snap("start")
            victim.snap("before")
            self.assertEqual(victim.send("count"), "DONE")
            victim.snap("after")

    def rows(self):
        return self.done("list", "shop", "--json").json()

    def test_list_shows_what_each_snapshot_cost(self):
        rows = self.rows()
        self.assertLessEqual(ROW, set(rows[0]))
        numbers = [row["number"] for row in rows]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual([row["tag"] for row in rows if row["tag"]], ["start", "before", "after"])
        for earlier, later in zip(rows, rows[1:]):
            self.assertEqual(later["parent"], earlier["number"])
            self.assertLess(earlier["monotonic_ns"], later["monotonic_ns"])
        text = self.done("list", "shop").out
        self.assertEqual(len(text.splitlines()), 1 + len(rows))
        self.assertIn("requested", text)
        self.assertEqual(self.done("list", "--json").json()[0]["snapshots"], len(rows))

    def test_show_names_processes_threads_and_where_they_stand(self):
        out = self.done("show", self.after).out
        self.assertIn("symbols_globals", out)
        self.assertIn("read(0,", out)
        self.assertRegex(out, r"#\d+ .* main \(symbols_globals\.cc:\d+\)|#0 .*read")
        model = self.done("show", "--json", self.after).json()
        self.assertEqual(model["tag"], "after")
        self.assertEqual(model["version"], 1)
        self.assertEqual(model["number"], next(row["number"] for row in self.rows() if row["tag"] == "after"))
        self.assertEqual(len(model["processes"]), 1)
        self.assertIn("main", self.done("show", "--all", self.after).out)

    def test_bt_reaches_main_with_its_source_line(self):
        self.assertRegex(self.done("bt", self.after).out, r"main \(symbols_globals\.cc:\d+\)")
        thread = self.done("bt", "--json", self.after).json()[0]
        main = next(frame for frame in thread["frames"] if frame["function"] == "main")
        self.assertTrue(main["file"].endswith("symbols_globals.cc"))
        self.assertRegex(thread["system_call"], r"^read\(0, ")
        self.refused(1, "bt", "--thread", "1", self.after, what="thread 1")

    def test_dis_shows_stored_code_and_marks_the_current_instruction(self):
        out = self.done("dis", self.after, "plain_c_function").out
        self.assertRegex(out, r"(?m)^ +0x[0-9a-f]+ <plain_c_function>.*\bpush\b")
        self.assertRegex(self.done("dis", self.after).out, r"(?m)^=> 0x[0-9a-f]+")
        self.assertIn("zmm", self.done("dis", self.after, "add_wide").out)
        self.refused(1, "dis", self.after, "plain_c_functoin", what="plain_c_functoin")

    def test_diff_names_the_variables_that_changed(self):
        self.assertIn("counter 41 -> 42", self.done("diff", self.before, self.after).out)
        report = self.done("diff", f"{self.before}..{self.after}", "--json").json()
        variables = {v["name"]: (v["before"], v["after"]) for v in report["process_changes"][0]["variables"]}
        self.assertEqual(variables["counter"], ("41", "42"))
        self.assertNotIn("hidden", variables)
        self.assertRegex(self.done("diff", self.after, self.after).out, "^nothing differs")

    def test_export_writes_a_core_that_gdb_opens(self):
        if not shutil.which("gdb"):
            self.skipTest("needs gdb")
        core = self.directory / "core"
        self.assertEqual(self.done("export", self.before, "--core", core).out, f"{core}\n")
        gdb = subprocess.run(
            ["gdb", "-batch", "-nx", "-ex", "print counter", "-ex", "bt", str(harness.VICTIMS / "symbols_globals"), core],
            capture_output=True, text=True, timeout=harness.DEADLINE, check=False)
        self.assertIn("$1 = 41", gdb.stdout)
        self.assertIn("main ()", gdb.stdout)

    def test_gdb_opens_any_moment_and_its_exit_status_is_passed_on(self):
        if not shutil.which("gdb"):
            self.skipTest("needs gdb")
        ended = self.icecore("gdb", self.after, "--", "-batch", "-nx", "-ex", "print counter", "-ex", "bt", "-ex",
                             "goto before", "-ex", "print counter", "-ex", "quit 7")
        self.assertEqual(ended.status, 7, ended.err)
        self.assertIn("$1 = 42", ended.out)
        self.assertIn("main ()", ended.out)
        self.assertIn("$2 = 41", ended.out)
        self.assertNotIn("Error while", ended.out + ended.err)

    def test_gdb_leaves_nothing_behind(self):
        if not shutil.which("gdb"):
            self.skipTest("needs gdb")
        runtime = self.directory / "runtime"
        runtime.mkdir()
        self.icecore("gdb", self.after, "--", "-batch", "-nx", XDG_RUNTIME_DIR=str(runtime))
        self.assertEqual(list(runtime.iterdir()), [])

    def test_lldb_opens_it_with_the_stored_files(self):
        if not any(shutil.which(name) for name in ("lldb", "lldb-19")):
            self.skipTest("needs lldb")
        ended = self.done("gdb", "--lldb", self.before, "--", "-b", "-o", "target variable counter", "-o", "quit")
        self.assertIn("counter = 41", ended.out)

    def test_serve_prints_its_address_and_ends_with_its_client(self):
        server = subprocess.Popen([harness.ICECORE, "serve", "--listen", ":0", "--once", self.after],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment())
        self.addCleanup(server.communicate)
        self.addCleanup(server.kill)
        host, port = server.stdout.readline().rsplit(":", 1)
        self.assertEqual(host, "127.0.0.1")
        with socket.create_connection((host, int(port)), timeout=harness.DEADLINE) as client:
            client.sendall(b"$qSupported#37")
            answer = b""
            while b"#" not in answer:
                answer += client.recv(65536)
            self.assertIn(b"PacketSize=", answer)
        self.assertEqual(server.wait(timeout=harness.DEADLINE), 0)

    def test_wrong_names_say_what_there_is(self):
        self.refused(1, "show", "shpo@before", what="shpo", hint="icecore list")
        self.refused(1, "show", "shop@99", what="shop@99", hint="icecore list shop")
        self.refused(2, "serve", "--listen", "nonsense", self.after, what="nonsense")
        self.refused(1, "gdb", "--process", "1", self.after, what="process 1")
        self.refused(1, "gdb", self.after, what="gdb.*not found", hint="apt install gdb", PATH=str(self.directory))

    def test_completion_offers_recordings_numbers_and_tags(self):
        offered = lambda *words: [line.split("\t")[0] for line in self.done("complete", "--", *words).out.splitlines()]
        self.assertEqual(offered("show", "sh"), ["shop@"])
        self.assertLessEqual({"shop@last", "shop@before", "shop@after"}, set(offered("show", "shop@")))
        self.assertEqual(offered("show", "@aft"), ["@after"])
        self.assertEqual(offered("list", ""), ["shop"])
        self.assertEqual(offered("--store", str(self.directory / "none"), "list", ""), [])

    def test_tag_names_a_snapshot_anew(self):
        self.done("tag", self.before, "first-look")
        self.assertEqual(self.done("show", "--json", "shop@first-look").json()["tag"], "first-look")
        self.done("tag", "--delete", "shop@first-look")
        self.refused(1, "show", "shop@first-look", what="first-look")
        self.refused(2, "tag", self.after, what="either a TAG or --delete")

    def test_rm_forgets_one_snapshot_and_never_harms_another(self):
        self.refused(2, "rm", "shop", what="say which", hint="rm --recording shop")
        first = self.rows()[0]["number"]
        self.assertEqual(self.done("rm", "--dry-run", f"shop@{first}").out, f"shop@{first}\n")
        self.assertEqual(self.rows()[0]["number"], first)
        self.done("rm", f"shop@{first}")
        self.done("gc")
        self.assertNotIn(first, [row["number"] for row in self.rows()])
        self.assertTrue(self.done("verify", "--json").json()["sound"])
        self.assertIn("counter 41 -> 42", self.done("diff", self.before, self.after).out)

    def test_gc_gives_back_the_space_of_a_removed_recording(self):
        size = lambda: sum(file.stat().st_size for file in self.store.rglob("*.pack")) or sum(
            file.stat().st_size for file in self.store.rglob("*") if file.is_file() and "index" not in file.name)
        full = size()
        self.done("rm", "--recording", "shop")
        self.assertGreater(self.done("gc", "--json").json()["bytes_before"], 0)
        self.assertLess(size(), full / 4)
        self.assertEqual(self.done("list", "--json").json(), [])

    def test_verify_names_the_damaged_pack(self):
        packs = [file for file in self.store.rglob("*") if file.is_file() and "index" not in file.name]
        pack = max(packs, key=lambda file: file.stat().st_size)
        with open(pack, "r+b") as file:
            file.seek(pack.stat().st_size // 2)
            byte = file.read(1)
            file.seek(-1, 1)
            file.write(bytes([byte[0] ^ 0x55]))
        ended = self.icecore("verify", "--json")
        self.assertEqual(ended.status, 1, ended.err)
        damages = ended.json()["damages"]
        self.assertTrue(damages)
        self.assertIn(pack.name, json.dumps(damages))

    def test_colour_only_when_it_is_wanted(self):
        self.assertNotIn("\033[", self.done("list", "shop").out)
        self.assertIn("\033[1m", self.done("list", "shop", "--color", "always").out)
        self.assertIn("\033[1m", self.done("show", self.after, "--color=always").out)


class Pipes(harness.CliTest):
    def test_reader_that_goes_away_is_no_error_message(self):
        finished = subprocess.run(["bash", "-c", f"'{harness.ICECORE}' help | true"], capture_output=True, text=True,
                                  timeout=harness.DEADLINE, check=False)
        self.assertEqual(finished.stderr, "")
        self.assertTrue(re.fullmatch("", finished.stdout))


if __name__ == "__main__":
    harness.main()
