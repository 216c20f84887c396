// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "snapshot/proc/stat.h"
#include "snapshot/proc/status.h"

namespace icecore::snapshot {

/// /proc/PID of one process, held open: when the process ends and its pid is given to another,
/// every call answers "gone" and never tells of the stranger. All file access of capture goes
/// through here.
///
/// Opening it reads stat once. When the leader has exited while other threads live on, the memory,
/// the descriptors and the paths are looked at through a living thread (shared_path()); opened on a
/// frozen process that choice stays right. Not for several threads at once: reads share one buffer.
class ProcDirectory {
 public:
  /// nullopt when there is no such process.
  static std::optional<ProcDirectory> open(int pid);

  [[nodiscard]] int pid() const { return pid_; }
  /// As it was when the directory was opened.
  [[nodiscard]] const proc::Stat& stat() const { return stat_; }
  /// An O_PATH descriptor of /proc/PID.
  [[nodiscard]] int fd() const { return directory_.get(); }
  /// The same of the thread whose memory and files stand for the process: the leader's, if it
  /// lives.
  [[nodiscard]] int shared_fd() const {
    return living_thread_.valid() ? living_thread_.get() : directory_.get();
  }
  /// The thread behind shared_fd().
  [[nodiscard]] int shared_tid() const { return living_tid_; }

  /// status of the leader, read when first asked for and then kept; nullptr when it cannot be read.
  /// Open a ProcDirectory anew for each snapshot.
  [[nodiscard]] const proc::Status* status() const;

  /// How the kernel writes a file. A list comes a page at a time, so that only an empty read tells
  /// its end; one record comes whole, and that last read is saved.
  enum class Shape { List, OneRecord };

  /// The whole of a file below /proc/PID, such as "status" or "task/12/stat". The text is valid
  /// until the next read. nullopt when the process or the file is gone, does not exist on this
  /// kernel, or may not be read by us.
  [[nodiscard]] std::optional<std::string_view> read(const char* name,
                                                     Shape shape = Shape::List) const;
  /// The same of what threads share: "maps", "environ", "cmdline".
  [[nodiscard]] std::optional<std::string_view> read_shared(const char* name,
                                                            Shape shape = Shape::List) const;

  /// A small file that is not below /proc/PID: its text, empty when it cannot be read.
  static std::string read_file(const std::string& path);

  /// Where a link below shared_fd() leads: "exe", "cwd", "fd/3", "ns/net".
  [[nodiscard]] std::optional<std::string> read_link(const char* name) const;
  /// stat of what a link below shared_fd() leads to: identity, kind, size and times only, without
  /// asking a file server.
  [[nodiscard]] std::optional<struct ::stat> stat_target(const char* name) const;
  /// Opens a file below shared_fd().
  [[nodiscard]] UniqueFd open_file(const char* name, int flags) const;

  /// Thread ids, the leader's first. Empty when the process is gone.
  [[nodiscard]] std::vector<int> thread_ids() const;
  /// Numbers of the open descriptors, ascending.
  [[nodiscard]] std::vector<int> descriptors() const;
  /// The text of fdinfo/FD, where fd/FD leads, and the stat of that.
  [[nodiscard]] std::optional<std::string_view> read_fdinfo(int fd) const;
  [[nodiscard]] std::optional<std::string> read_descriptor_link(int fd) const;
  [[nodiscard]] std::optional<struct ::stat> stat_descriptor(int fd) const;

 private:
  ProcDirectory(int pid, UniqueFd directory);
  [[nodiscard]] std::optional<std::string_view> read_at(int directory, const char* name,
                                                        Shape shape) const;
  [[nodiscard]] std::vector<int> list_numbers(int directory, const char* name) const;
  [[nodiscard]] int folder(UniqueFd& opened, const char* name) const;
  void grow(std::size_t used) const;
  void find_living_thread();

  int pid_;
  UniqueFd directory_;
  UniqueFd living_thread_;
  int living_tid_;
  proc::Stat stat_;
  mutable std::optional<proc::Status> status_;
  // Lookups from here are shorter; opened when first used.
  mutable UniqueFd fd_folder_;
  mutable UniqueFd fdinfo_folder_;
  /// What is read most often fits in here. Not from the heap: a block of this size makes malloc
  /// join all its small free blocks first. Its content does not outlive a move.
  struct FirstBuffer {
    FirstBuffer() {}
    FirstBuffer(FirstBuffer&&) noexcept {}
    FirstBuffer& operator=(FirstBuffer&&) noexcept { return *this; }
    std::array<char, std::size_t{16} << 10U> bytes;  // not zeroed
  };
  [[nodiscard]] char* buffer() const { return larger_ ? larger_.get() : first_.bytes.data(); }

  mutable FirstBuffer first_;
  mutable std::unique_ptr<char[]> larger_;
  mutable std::size_t capacity_ = first_.bytes.size();
};

inline constexpr auto kOneRecord = ProcDirectory::Shape::OneRecord;

}  // namespace icecore::snapshot
