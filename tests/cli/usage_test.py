#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Command lines that are right or wrong in themselves, before any snapshot is looked at."""
import re
import subprocess

import harness


class Usage(harness.CliTest):
    def test_no_verb_prints_the_verbs_and_is_wrong_usage(self):
        ended = self.icecore()
        self.assertEqual(ended.status, 2)
        self.assertIn("usage: icecore VERB", ended.err)
        self.assertEqual(ended.out, "")

    def test_version_is_one_line(self):
        self.assertRegex(self.done("--version").out, r"^icecore \d+\.\d+\.\d+\n$")

    def test_help_lists_every_verb_of_the_readme(self):
        out = self.done("help").out
        for verb in "run attach snap freeze thaw state list show check gdb serve export rm gc verify doctor bt dis diff".split():
            self.assertRegex(out, rf"(?m)^  {verb} ")

    def test_help_of_a_verb_shows_its_usage_and_all_its_options(self):
        out = self.done("help", "list").out
        self.assertTrue(out.startswith("usage: icecore list"))
        for option in ("--json", "--skipped", "--store DIR", "-q, --quiet", "--color auto|always|never"):
            self.assertIn(option, out)
        self.assertEqual(self.done("list", "--help").out, out)
        self.assertEqual(self.done("list", "-h").out, out)

    def test_unknown_verb_names_the_near_ones(self):
        self.refused(2, "lsit", what="no verb 'lsit'", why="the nearest are: list|the nearest: list")

    def test_a_program_in_the_place_of_the_verb_is_told_how_to_run_it(self):
        self.refused(2, "true", "x", what="no verb 'true'", hint=r"icecore run -- true")

    def test_unknown_option_names_the_near_one(self):
        self.refused(2, "list", "--jsno", what="no option --jsno", why="--json", hint="icecore help list")

    def test_options_are_not_guessed_from_their_beginnings(self):
        self.refused(2, "list", "--js", what="no option --js")

    def test_missing_and_surplus_words_are_named(self):
        self.refused(2, "show", what="SNAPSHOT is missing", hint="icecore help show")
        self.refused(2, "list", "a", "b", what="one word too many: b")

    def test_option_without_its_value_is_wrong_usage(self):
        self.refused(2, "list", "--store", what="store")

    def test_durations_are_checked(self):
        self.refused(2, "run", "--every", "soon", "--", "true", what="--every soon", why="500ms",
                     hint="icecore help run")

    def test_choices_are_checked(self):
        self.refused(2, "list", "--color", "pink", what="auto.always.never")

    def test_common_options_may_come_before_the_verb(self):
        self.refused(10, "--store", self.directory / "none", "list", what="none")

    def test_store_that_is_not_there_is_status_10_and_is_not_made_by_looking(self):
        self.refused(10, "list", what=re.escape(str(self.store)))
        self.assertFalse(self.store.exists())

    def test_directory_that_is_no_store_is_left_alone(self):
        (self.store).mkdir()
        (self.store / "letter.txt").write_text("dear")
        self.refused(10, "list", what=re.escape(str(self.store)))
        self.assertEqual([file.name for file in self.store.iterdir()], ["letter.txt"])

    def test_full_disk_behind_stdout_is_a_failure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            finished = subprocess.run([harness.ICECORE, "help"], stdout=full, stderr=subprocess.PIPE, text=True,
                                      check=False, timeout=harness.DEADLINE)
        self.assertEqual(finished.returncode, 1)
        self.assertIn("stdout", finished.stderr)


class Manual(harness.CliTest):
    def test_every_verb_has_a_page_with_its_options(self):
        self.done("help", "--man-pages", self.directory)
        pages = {page.name for page in self.directory.glob("*.1")}
        self.assertIn("icecore.1", pages)
        verbs = re.findall(r"(?m)^  ([a-z]+(?: [a-z]+)?)  ", self.done("help").out)
        self.assertGreater(len(verbs), 15)
        self.assertEqual(pages, {"icecore.1"} | {f"icecore-{verb.replace(' ', '-')}.1" for verb in verbs})
        page = (self.directory / "icecore-list.1").read_text()
        self.assertIn("\\-\\-skipped", page)
        self.assertNotIn("icecore-complete.1", pages)


class Completion(harness.CliTest):
    def offered(self, *words):
        return [line.split("\t")[0] for line in self.done("complete", "--", *words).out.splitlines()]

    def test_verbs(self):
        self.assertIn("show", self.offered("s"))
        self.assertNotIn("list", self.offered("s"))
        self.assertNotIn("complete", self.offered("c"))

    def test_options_of_the_verb_and_of_all(self):
        self.assertIn("--skipped", self.offered("list", "--"))
        self.assertIn("--store", self.offered("list", "--s"))
        self.assertNotIn("--skipped", self.offered("show", "--"))

    def test_choices_and_directories(self):
        self.assertEqual(self.offered("list", "--color", "a"), ["auto", "always"])
        self.assertEqual(self.offered("list", "--color=a"), ["--color=auto", "--color=always"])
        self.assertEqual(self.offered("list", "--store", ""), [":directories"])

    def test_programs_then_files_behind_run(self):
        self.assertEqual(self.offered("run", "--", ""), [":programs"])
        self.assertEqual(self.offered("run", "redis-server", ""), [":files"])

    def test_nothing_and_no_noise_where_there_is_no_store(self):
        ended = self.done("complete", "--", "show", "")
        self.assertEqual((ended.out, ended.err), ("", ""))

    def test_scripts_for_three_shells(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("icecore complete -- ", self.done("completion", shell).out)
        self.refused(2, "completion", "tcsh", what="tcsh")


class Doctor(harness.CliTest):
    def test_report_names_cost_and_remedy_of_each_ability(self):
        ended = self.icecore("doctor", "--json")
        report = ended.json()
        self.assertEqual(ended.status, 0 if report["able"] else 1)
        self.assertEqual(report["able"], all(f["works"] for f in report["features"] if f["required"]))
        names = {feature["name"] for feature in report["features"]}
        self.assertLessEqual({"ptrace a child", "track written pages", "cgroup v2 freezer", "gdb"}, names)
        for feature in report["features"]:
            self.assertTrue(feature["gives"] and feature["without"] and feature["fix"], feature)

    def test_debuggers_are_looked_for_along_the_path(self):
        report = self.icecore("doctor", "--json", PATH=str(self.directory)).json()
        gdb = next(feature for feature in report["features"] if feature["name"] == "gdb")
        self.assertFalse(gdb["works"])
        self.assertIn("apt install gdb", gdb["fix"])


if __name__ == "__main__":
    harness.main()
