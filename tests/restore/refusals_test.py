#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What cannot come back is told when the snapshot is taken, by --check, and by a restore: never silently other."""
import harness
import revival

NO_SUCH_THING = 77

# What the victim has, and how it is named.
KINDS = {
    "io_uring": r"fd \d+ \((anon_inode:\[)?io_uring\]?\)",
    "ring memory": r"mapping .*io_uring",
    "aio": r"mapping .*\[aio\]",
    "userfaultfd": r"fd \d+ \((anon_inode:\[)?userfaultfd\]?\)",
    "bpf map": r"fd \d+ \((BPF object|anon_inode:bpf-map)\)",
    "tap": r"fd \d+ \((tun/tap device )?/dev/net/tun\)",
    "perf": r"fd \d+ \((perf event|anon_inode:\[perf_event\])\)",
    "secret memory": r"mapping .*secretmem",
    "undumped memory": r"mapping .*MADV_DONTDUMP",
    "packet socket": r"fd \d+ \(socket",
}


class Refusals(revival.RevivalTest):
    def check_kind(self, kind, named):
        place = self.directory / kind.replace(" ", "-")
        place.mkdir()
        process = self.start(harness.VICTIMS / "revive_refused", place, kind)
        self.wait_for(lambda: (place / "ready").exists() or process.poll() is not None, "ready")
        if process.poll() == NO_SUCH_THING:
            self.skipTest(f"this machine has no {kind}")
        name = kind.replace(" ", "-").replace("_", "-")
        self.snap(process.pid, name, "--kill")
        process.wait()
        self.reap()
        self.assertRegex(self.done("show", name).out, named + r".*\(cannot be restored\)")
        ended = self.icecore("restore", "--check", name)
        self.assertEqual(ended.status, 3, ended.out)
        self.assertRegex(ended.out, named)
        for options in revival.MODES.values():
            self.assertEqual(self.icecore("restore", *options, name).status, 3)

    def test_every_kind(self):
        for kind, named in KINDS.items():
            with self.subTest(kind=kind):
                self.check_kind(kind, named)


revival.main()
