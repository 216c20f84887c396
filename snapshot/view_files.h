// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <variant>

#include "gdbstub/target/host_files.h"
#include "snapshot/view_moment.h"

namespace icecore::snapshot {

/// The files that a debugger may ask for: those that the snapshot keeps, by the path that they had
/// (separate debug information also by build-id), and /proc written again from the model. Never a
/// file of the machine that we run on.
class ViewFiles : public gdbstub::HostFiles {
 public:
  explicit ViewFiles(const ViewMoment& moment) : moment_(moment) {}

  int open(const OpenRequest& request) override;
  void close(int descriptor) override;
  std::vector<std::byte> read(int descriptor, std::size_t count, std::uint64_t offset) override;
  std::size_t write(int descriptor, std::span<const std::byte> bytes,
                    std::uint64_t offset) override;
  gdbstub::HostFileStatus status(int descriptor) override;
  std::string read_link(std::int32_t pid, std::string_view path) override;
  void unlink(std::int32_t pid, std::string_view path) override;

 private:
  struct OpenFile {
    std::variant<store::StoredFile, std::string> content;
    gdbstub::HostFileStatus status;
  };

  [[nodiscard]] OpenFile find(std::string_view path) const;
  [[nodiscard]] OpenFile open_held(const model::MappedFile& file, const std::string& content) const;
  [[nodiscard]] OpenFile open_proc(std::string_view path) const;
  /// The loader knows a library by the name that it was asked for, often a symbolic link, the
  /// kernel by where that led: null when no process has loaded it by this name.
  [[nodiscard]] const model::MappedFile* loaded_as(std::string_view name) const;
  OpenFile& opened(int descriptor);

  const ViewMoment& moment_;
  std::map<int, OpenFile> open_;
};

}  // namespace icecore::snapshot
