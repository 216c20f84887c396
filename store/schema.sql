-- SPDX-License-Identifier: Apache-2.0
-- The index of an icecore store. `sqlite3 index.db` with SELECT is a supported way to ask questions:
-- tables and columns keep their names and meanings. Writing here by hand is not supported.
-- Times end in _ns (nanoseconds since 1970) or _us (durations); sizes are bytes. A snapshot is
-- (recording_id, number). A place in a pack is (pack_id, pack_offset, pack_length).

-- One row: which store this is.
CREATE TABLE store (
  uuid BLOB NOT NULL,             -- 16 bytes, also in every pack's header
  next_object INTEGER NOT NULL    -- the next id of a segment or page list; given out in blocks
);

-- One row per recording: a process tree's line of snapshots under one name.
CREATE TABLE recordings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid BLOB NOT NULL UNIQUE,      -- 16 bytes; tells two recordings of one name apart
  name TEXT NOT NULL UNIQUE,
  command TEXT NOT NULL,          -- what was run or attached to
  root_pid INTEGER NOT NULL,
  created_ns INTEGER NOT NULL,
  changed_ns INTEGER NOT NULL,    -- when it was created or last had a snapshot committed
  next_number INTEGER NOT NULL,   -- the next snapshot's; numbers are never used twice
  next_space INTEGER NOT NULL
);

-- One row per snapshot.
CREATE TABLE snapshots (
  recording_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  parent INTEGER NOT NULL,        -- number of the snapshot it continues from, 0 for none
  tag TEXT NOT NULL,
  cause TEXT NOT NULL,            -- periodic, requested, crash
  realtime_ns INTEGER NOT NULL,
  monotonic_ns INTEGER NOT NULL,
  complete INTEGER NOT NULL,      -- 0 when something could not be held
  processes INTEGER NOT NULL,
  threads INTEGER NOT NULL,
  dirty_bytes INTEGER NOT NULL,   -- memory that had changed
  stored_bytes INTEGER NOT NULL,  -- what the snapshot added to the packs
  freeze_us INTEGER NOT NULL,
  dump_us INTEGER NOT NULL,
  resume_us INTEGER NOT NULL,
  pause_us INTEGER NOT NULL,
  pack_id INTEGER NOT NULL,       -- the snapshot record
  pack_offset INTEGER NOT NULL,
  pack_length INTEGER NOT NULL,
  PRIMARY KEY (recording_id, number)
) WITHOUT ROWID;
CREATE INDEX snapshots_by_time ON snapshots (recording_id, realtime_ns);
CREATE INDEX snapshots_by_pack ON snapshots (pack_id);

-- Every process of every snapshot.
CREATE TABLE processes (
  recording_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  parent_pid INTEGER NOT NULL,
  comm TEXT NOT NULL,
  executable TEXT NOT NULL,
  threads INTEGER NOT NULL,
  mappings INTEGER NOT NULL,
  descriptors INTEGER NOT NULL,
  PRIMARY KEY (recording_id, number, pid)
) WITHOUT ROWID;

-- Snapshots that were due but not taken.
CREATE TABLE skips (
  recording_id INTEGER NOT NULL,
  realtime_ns INTEGER NOT NULL,
  reason TEXT NOT NULL
);
CREATE INDEX skips_by_time ON skips (recording_id, realtime_ns);

-- A space is a line of pages: one address space or one shared memory object.
CREATE TABLE spaces (
  recording_id INTEGER NOT NULL,
  space INTEGER NOT NULL,
  parent_space INTEGER NOT NULL,    -- where it branched off, 0 when it began empty
  parent_sequence INTEGER NOT NULL,
  first_number INTEGER NOT NULL,    -- the first snapshot that may refer to it
  ended_number INTEGER,             -- the first snapshot that no longer has it; NULL while it goes on
  PRIMARY KEY (recording_id, space)
) WITHOUT ROWID;

-- What changed in a space: list `sequence` covers the changes after `sequence` minus its lowest set
-- bit. The space at snapshot N begins at its highest sequence whose number is at most N.
CREATE TABLE page_lists (
  id INTEGER PRIMARY KEY,
  recording_id INTEGER NOT NULL,
  space INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  number INTEGER NOT NULL,          -- the snapshot that wrote it
  pack_id INTEGER NOT NULL,
  pack_offset INTEGER NOT NULL,
  pack_length INTEGER NOT NULL
);
CREATE UNIQUE INDEX page_lists_by_sequence ON page_lists (recording_id, space, sequence);
CREATE INDEX page_lists_by_number ON page_lists (recording_id, space, number, sequence);
CREATE INDEX page_lists_by_pack ON page_lists (pack_id);

-- Page contents, up to 65535 pages each.
CREATE TABLE segments (
  id INTEGER PRIMARY KEY,
  pages INTEGER NOT NULL,
  pack_id INTEGER NOT NULL,
  pack_offset INTEGER NOT NULL,
  pack_length INTEGER NOT NULL
);
CREATE INDEX segments_by_pack ON segments (pack_id);

-- segment_id holds deltas against pages of base_id.
CREATE TABLE segment_bases (
  segment_id INTEGER NOT NULL,
  base_id INTEGER NOT NULL,
  PRIMARY KEY (segment_id, base_id)
) WITHOUT ROWID;

-- Files under packs/.
CREATE TABLE packs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  recording_id INTEGER NOT NULL,    -- whose writer made it; 0 for gc
  state TEXT NOT NULL,              -- writing, sealed
  bytes INTEGER NOT NULL            -- as of the last commit
);

-- Contents of regular files.
CREATE TABLE files (
  content BLOB PRIMARY KEY,         -- BLAKE3, 32 bytes
  size INTEGER NOT NULL,
  pack_id INTEGER NOT NULL,         -- the manifest: which pages of which segments
  pack_offset INTEGER NOT NULL,
  pack_length INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX files_by_pack ON files (pack_id);

CREATE TABLE file_segments (
  content BLOB NOT NULL,
  segment_id INTEGER NOT NULL,
  PRIMARY KEY (content, segment_id)
) WITHOUT ROWID;

-- Which file on disk had which content, so that an unchanged file is not read again.
CREATE TABLE file_identities (
  device INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (device, inode, size, mtime_ns, ctime_ns)
) WITHOUT ROWID;
CREATE INDEX file_identities_by_content ON file_identities (content);

-- Which snapshot needs which file content.
CREATE TABLE snapshot_files (
  recording_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (recording_id, number, content)
) WITHOUT ROWID;

-- Known contents that a snapshot being written is about to need: gc leaves them alone.
CREATE TABLE file_pins (
  recording_id INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (recording_id, content)
) WITHOUT ROWID;
