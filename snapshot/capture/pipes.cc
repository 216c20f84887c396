// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/pipes.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/unique_fd.h"

namespace icecore::snapshot {
namespace {

// tee() copies references to whole buffers of the pipe, so ours needs as many slots: the same
// capacity.
// One read returns all, or one packet of a pipe with O_DIRECT.
void copy_content(int pipe, model::OpenFile& file) {
  std::string& content = *file.mutable_unread();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  ::fcntl(write_end.get(), F_SETPIPE_SZ, static_cast<int>(file.pipe_capacity()));
  const ssize_t copied = ::tee(pipe, write_end.get(), file.unread_bytes(), SPLICE_F_NONBLOCK);
  if (copied <= 0) return;
  content.resize(static_cast<std::size_t>(copied));
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t count = ::read(read_end.get(), content.data() + size, content.size() - size);
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
    file.add_pipe_packets(static_cast<std::uint32_t>(count));
  }
  content.resize(size);
  if (file.pipe_packets_size() == 1) file.clear_pipe_packets();
}

}  // namespace

void PipeCapture::capture(int borrowed, model::OpenFile& file) {
  const int capacity = ::fcntl(borrowed, F_GETPIPE_SZ);
  int unread = 0;
  if (::ioctl(borrowed, FIONREAD, &unread) != 0) unread = 0;
  file.set_pipe_capacity(static_cast<std::uint64_t>(std::max(capacity, 0)));
  file.set_unread_bytes(static_cast<std::uint64_t>(unread));
  const bool reads = (file.flags() & O_ACCMODE) != O_WRONLY;
  if (reads && unread > 0 && file.unread_bytes() <= kMaxContent) {
    copy_content(borrowed, file);
  }
  // POLLHUP: no writer is left; POLLERR: no reader.
  pollfd state = {borrowed, 0, 0};
  if (::poll(&state, 1, 0) >= 0) {
    other_end_[file.id()] = (state.revents & (POLLHUP | POLLERR)) == 0;
  }
}

bool PipeCapture::other_end_open(const model::OpenFile& file) const {
  const auto known = other_end_.find(file.id());
  return known == other_end_.end() || known->second;
}

}  // namespace icecore::snapshot
