#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands that share/icecore.py gives to gdb, over a recording.

ICECORE names the program under test. Exit status 77 when a tool is missing."""
import os
import subprocess
import sys

import view_test
from view_test import LIMIT, expect


def ask(recording, number, *lines):
    """What a gdb with our commands prints when it is given the lines as a person types them."""
    words = [recording.icecore, "gdb", "--store", recording.store, f"rec@{number}", "--", "-nx"]
    done = subprocess.run(words, input="\n".join(("set pagination off",) + lines) + "\n", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=LIMIT)
    return done.stdout


def test_moments(recording):
    output = ask(recording, 3, "icecore when", "icecore list", "icecore goto 1", "print counter", "icecore when",
                 "icecore goto nowhere", "icecore goto", "icecore info", "icecore tag")
    expect(output, r"\(rec@3\) rec@3  20\d\d-", r"\n\* +3 ", r"\(rec@1\) \$1 = 1\b", r"\(rec@1\) rec@1 ",
           r"nowhere", r"needs a number or a tag", r"taken ", r"no snapshot on this line of history has a tag")


def test_last_change_leads_to_the_snapshot_before(recording):
    output = ask(recording, 4, "icecore last-change counter", "print counter", "icecore last-change counter",
                 "print counter", "icecore last-change counter", "icecore last-change 1 + 1",
                 "icecore last-change no_such_name")
    expect(output, r"they changed between rec@3 and rec@4", r"rec@3  02 00 00 00 00 00 00 00",
           r"rec@4  03 00 00 00 00 00 00 00", r"\(rec@3\) \$1 = 2\b", r"between rec@2 and rec@3", r"\(rec@2\) \$2 = 1\b",
           r"the same in every snapshot back to rec@1", r"1 \+ 1 is not in memory", r'No symbol "no_such_name"')


def test_difference(recording):
    output = ask(recording, 1, "icecore diff 4", "icecore diff 1 1", "icecore diff", "monitor back-to nonsense",
                 "monitor back-to 0x1000,0")
    expect(output, r"from rec@1 to rec@4", r"process \d+ victim", r"written  0x[0-9a-f]+-0x[0-9a-f]+ .*victim: 1 page\n",
           r"from rec@1 to rec@1\s+nothing differs", r"diff needs", r"'nonsense' is no range", r"'0x1000,0' is no range")


def test_help_and_completion(recording):
    output = ask(recording, 2, "icecore help", "help icecore last-change", "complete icecore goto ",
                 "complete icecore l", "icecore nonsense")
    expect(output, r"icecore list: ", r"icecore goto N\|TAG: ", r"monitor back-to", r"anything that has an address",
           r"icecore goto 1\n", r"icecore goto 4\n", r"icecore last-change\n", r"icecore list\n",
           r"icecore has no command 'nonsense'|Undefined icecore command")


def test_another_gdb_may_source_it(recording):
    source = os.path.join(os.environ["ICECORE_SOURCE_DIR"], "share", "icecore.py")
    serve = f"{recording.icecore} serve rec@2 --store {recording.store} --stdio"
    words = ["gdb", "-nx", "-batch", "-ex", f"source {source}", "-ex", "icecore help",
             "-ex", f"target extended-remote | {serve}", "-ex", "icecore when"]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                          timeout=LIMIT)
    expect(done.stdout, r"icecore when: ", r"nothing: ", r"rec@2  20")


if __name__ == "__main__":
    sys.exit(view_test.run(test_moments, test_last_change_leads_to_the_snapshot_before, test_difference,
                           test_help_and_completion, test_another_gdb_may_source_it))
