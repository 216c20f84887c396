// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "gdbstub/target/host_files.h"
#include "replay/live/live_options.h"
#include "replay/live/live_tree.h"

namespace icecore::replay {

/// Files as the debugged processes see them (below /proc/PID/root), and our own view of their part
/// of /proc, where the pids are those that the client knows. How much else is served is the
/// options' choice; what is not is EACCES.
class LiveFiles : public gdbstub::HostFiles {
 public:
  LiveFiles(const LiveTree& tree, const LiveOptions& options) : tree_(tree), options_(options) {}

  int open(const OpenRequest& request) override;
  void close(int descriptor) override;
  std::vector<std::byte> read(int descriptor, std::size_t count, std::uint64_t offset) override;
  std::size_t write(int descriptor, std::span<const std::byte> bytes,
                    std::uint64_t offset) override;
  gdbstub::HostFileStatus status(int descriptor) override;
  std::string read_link(std::int32_t pid, std::string_view path) override;
  void unlink(std::int32_t pid, std::string_view path) override;

 private:
  [[nodiscard]] bool serves_all() const { return options_.files == LiveOptions::Files::Machine; }
  /// The directory that `pid` has as its root (O_PATH); ours for 0.
  [[nodiscard]] UniqueFd root_of(std::int32_t pid) const;
  [[nodiscard]] UniqueFd open_below(std::int32_t pid, const std::string& path, int flags,
                                    int mode) const;
  /// "/proc/PID/NAME" or "/proc/PID/task/TID/NAME" of a debugged process, NAME being one word.
  [[nodiscard]] bool is_own_proc_path(std::string_view path) const;
  [[nodiscard]] bool is_mapped(int file) const;
  [[nodiscard]] int descriptor_of(int number) const;

  const LiveTree& tree_;
  const LiveOptions& options_;
  std::map<int, UniqueFd> open_;
};

}  // namespace icecore::replay
