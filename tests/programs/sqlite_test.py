#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sqlite3 that writes in a loop, through write() and through a mapping of its file."""
import sqlite3
import subprocess

import program

ROWS = 60000


@program.needs("sqlite3")
class Sqlite(program.ProgramTest):
    def check(self, pragmas):
        database = self.directory / "data.db"
        sqlite = self.record("sqlite", ["sqlite3", "-batch", database], every="50ms", stdin=subprocess.PIPE)
        script = pragmas + "CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT);\n"
        insert = ("INSERT INTO t(text) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 100) "
                  "SELECT hex(randomblob(40)) FROM n;\nUPDATE t SET text = text || 'x' WHERE id % 97 = 0;\n")
        script += insert * (ROWS // 100) + "SELECT count(*) FROM t;\n.quit\n"
        out, err = sqlite.process.communicate(script, timeout=program.LONG)
        self.assertEqual((sqlite.process.returncode, err.count("rror")), (0, 0), out + err)
        self.assertEqual(out.splitlines()[-1], str(ROWS))
        self.assertGreaterEqual(len(sqlite.snapshots()), 3)
        with sqlite3.connect(database) as connection:
            self.assertEqual(connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            self.assertEqual(connection.execute("SELECT count(*) FROM t").fetchone(), (ROWS,))
        connection.close()
        self.verified()

    def test_database_is_whole_after_a_recorded_run(self):
        self.check("PRAGMA synchronous=OFF;\n")

    def test_database_that_is_mapped_is_whole_after_a_recorded_run(self):
        self.check("PRAGMA mmap_size=67108864;\nPRAGMA journal_mode=WAL;\nPRAGMA synchronous=OFF;\n")


program.main()
