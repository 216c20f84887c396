// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "base/error.h"
#include "replay/files/kernel_lines.h"
#include "replay/files/lost_file_content.h"
#include "replay/files/makers.h"
#include "replay/files/memfd_seals.h"
#include "replay/files/tree_path.h"

namespace icecore::replay {
namespace {

/// As the kernel names it: "/memfd:NAME".
std::string given_name(const model::OpenFile& file) {
  constexpr std::string_view kPrefix = "/memfd:";
  const std::string& target = file.target();
  return target.starts_with(kPrefix) ? target.substr(kPrefix.size()) : target;
}

UniqueFd new_memfd(Making& making, const model::OpenFile& file) {
  UniqueFd fd(::memfd_create(given_name(file).c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) throw_errno("memfd_create");
  fill_lost_file(making.snapshot, file.identity(), fd.get());
  return fd;
}

}  // namespace

/// One that is mapped shared as well has been made already, with the memory.
void make_memfd(Making& making, const model::OpenFile& file) {
  const int object = making.surroundings.lost->find_or_make(
      file.identity(), [&] { return new_memfd(making, file); });
  const unsigned flags = file.flags() & ~static_cast<unsigned>(O_ASYNC | O_CREAT | O_EXCL);
  UniqueFd fd = reopen(object, flags);
  if ((flags & O_PATH) == 0 && ::lseek(fd.get(), file.position(), SEEK_SET) < 0) {
    throw_errno("lseek");
  }
  making.made.emplace(file.id(), std::move(fd));
}

Objection check_memfd(const Checking& checking, const model::OpenFile& file) {
  if (can_make_lost_file(checking.model, file.identity())) return {};
  return {"its content is not in the snapshot", ""};
}

void restore_seals(const model::Snapshot& snapshot, const LostFiles& lost) {
  for (const auto& file : snapshot.open_files()) {
    const int object = file.kind() == model::OpenFile::MEMFD ? lost.find(file.identity()) : -1;
    if (object < 0) continue;
    const auto seals = static_cast<int>(hex_line(file, "seals"));
    const int now = ::fcntl(object, F_GET_SEALS);
    if (now < 0 || (seals & ~now) == 0) continue;
    if (::fcntl(object, F_ADD_SEALS, seals & ~now) != 0) {
      throw_errno(file.target() + ": set its seals");
    }
  }
}

}  // namespace icecore::replay
