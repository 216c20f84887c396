// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "replay/files/makers.h"
#include "replay/files/status_flags.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

bool same_pipe(const OpenFile& a, const OpenFile& b) {
  return a.kind() == b.kind() && a.identity().inode() == b.identity().inode() &&
         a.identity().device() == b.identity().device();
}

struct Ends {
  UniqueFd read;
  UniqueFd write;
};

Ends new_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw_errno("pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count <= 0) throw_errno("write the unread bytes");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool writes_packets(const OpenFile& file) {
  return (file.flags() & O_ACCMODE) != O_RDONLY && (file.flags() & O_DIRECT) != 0;
}

// A write to a descriptor with O_DIRECT makes one packet.
void fill(const Ends& ends, const OpenFile& file, bool packets) {
  if (file.pipe_packets().empty()) {
    if (packets) ::fcntl(ends.write.get(), F_SETFL, O_NONBLOCK | O_DIRECT);
    write_all(ends.write.get(), file.unread());
    return;
  }
  ::fcntl(ends.write.get(), F_SETFL, O_NONBLOCK | O_DIRECT);
  std::string_view rest = file.unread();
  for (const std::uint32_t size : file.pipe_packets()) {
    write_all(ends.write.get(), rest.substr(0, size));
    rest.remove_prefix(std::min<std::size_t>(size, rest.size()));
  }
}

}  // namespace

Objection check_pipe(const Checking& /*checking*/, const OpenFile& file) {
  if (file.peer_outside()) return {"a process outside the tree holds its other end", ""};
  const bool reads = (file.flags() & O_ACCMODE) != O_WRONLY;
  if (reads && file.unread_bytes() > file.unread().size()) {
    return {"it held more unread bytes than a snapshot keeps", ""};
  }
  return {};
}

void make_pipe(Making& making, const OpenFile& file) {
  std::vector<const OpenFile*> all;
  bool packets = false;
  const OpenFile* reader = nullptr;
  for (const auto& other : making.snapshot.model().open_files()) {
    if (!same_pipe(file, other) || (other.flags() & O_PATH) != 0) continue;
    all.push_back(&other);
    packets = packets || writes_packets(other);
    if (!other.unread().empty()) reader = &other;
  }
  Ends ends = new_pipe();
  const auto capacity = static_cast<int>(file.pipe_capacity());
  if (capacity != 0 && ::fcntl(ends.read.get(), F_GETPIPE_SZ) != capacity &&
      ::fcntl(ends.read.get(), F_SETPIPE_SZ, capacity) < 0) {
    throw_errno("set its size to " + std::to_string(capacity));
  }
  if (reader != nullptr) fill(ends, *reader, packets);
  // The first of each end is the end itself; further descriptions were made by opening /proc.
  for (const OpenFile* each : all) {
    const unsigned mode = each->flags() & O_ACCMODE;
    UniqueFd& end = mode == O_RDONLY ? ends.read : ends.write;
    const bool taken =
        mode == O_RDWR || std::ranges::any_of(all, [&](const OpenFile* before) {
          return making.made.contains(before->id()) && (before->flags() & O_ACCMODE) == mode;
        });
    UniqueFd made(taken ? reopen(ends.read.get(), *each) : ::fcntl(end.get(), F_DUPFD_CLOEXEC, 3));
    set_status_flags(made.get(), *each);
    making.made.emplace(each->id(), std::move(made));
  }
}

}  // namespace icecore::replay
