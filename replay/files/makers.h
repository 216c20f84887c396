// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "replay/files/description_maker.h"

namespace icecore::replay {

/// What a maker of one kind of description may use.
struct Making {
  const snapshot::StoredSnapshot& snapshot;
  const FileOptions& options;
  Surroundings& surroundings;
  Descriptions& made;  ///< so far; a maker may add several (both ends of a pipe)
  /// The other ends, of connections whose other end nobody in the tree has: by OpenFile.id. They
  /// send what is left in the queue, and then they close.
  std::map<std::uint32_t, UniqueFd> far_ends{};
  bool repairs = false;  ///< TCP_REPAIR is allowed to us
};

/// Why an open file cannot be made; no reason when it can.
struct Objection {
  std::string reason;
  std::string hint;
  int holder = 0;  ///< process that has what is wanted; 0 when there is none or it is not known
};

/// What a check may look at.
struct Checking {
  const model::Snapshot& model;
  const FileOptions& options;
  bool in_place;
};

// One maker per kind of open file, each in its own file. They add `file` (and what belongs to it)
// to `making.made`, or throw. They are called in the order of Snapshot.open_files, and only for
// what is not made yet.
void make_regular_file(Making& making, const model::OpenFile& file);
void make_directory(Making& making, const model::OpenFile& file);
void make_device(Making& making, const model::OpenFile& file);
void make_memfd(Making& making, const model::OpenFile& file);
void make_fifo(Making& making, const model::OpenFile& file);
void make_proc_file(Making& making, const model::OpenFile& file);
void make_pipe(Making& making, const model::OpenFile& file);
void make_eventfd(Making& making, const model::OpenFile& file);
void make_signalfd(Making& making, const model::OpenFile& file);
void make_timerfd(Making& making, const model::OpenFile& file);
void make_inotify(Making& making, const model::OpenFile& file);
void make_fanotify(Making& making, const model::OpenFile& file);
void make_message_queue(Making& making, const model::OpenFile& file);
void make_pidfd(Making& making, const model::OpenFile& file);
void make_epoll(Making& making, const model::OpenFile& file);
void make_terminal(Making& making, const model::OpenFile& file);
void make_socket(Making& making, const model::OpenFile& file);

// What a maker would refuse, told beforehand.
Objection check_regular_file(const Checking& checking, const model::OpenFile& file);
Objection check_memfd(const Checking& checking, const model::OpenFile& file);
Objection check_proc_file(const Checking& checking, const model::OpenFile& file);
Objection check_pipe(const Checking& checking, const model::OpenFile& file);
Objection check_inotify(const Checking& checking, const model::OpenFile& file);
Objection check_fanotify(const Checking& checking, const model::OpenFile& file);
Objection check_message_queue(const Checking& checking, const model::OpenFile& file);
Objection check_pidfd(const Checking& checking, const model::OpenFile& file);
Objection check_epoll(const Checking& checking, const model::OpenFile& file);
Objection check_terminal(const Checking& checking, const model::OpenFile& file);
Objection check_socket(const Checking& checking, const model::OpenFile& file);

// The second round, when every description has been made: what refers to other descriptions.
void link_epoll(Making& making, const model::OpenFile& file);
/// Not earlier: our own opening of what they watch would be an event.
void link_inotify(Making& making, const model::OpenFile& file);
void link_fanotify(Making& making, const model::OpenFile& file);
/// What waited in a socket's queue is sent again.
void link_socket(Making& making, const model::OpenFile& file);

// The third round, when all queues are full.
/// What was shut down is shut down again, and the options get their values.
void settle_socket(Making& making, const model::OpenFile& file);

}  // namespace icecore::replay
