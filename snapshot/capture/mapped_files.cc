// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/mapped_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>

#include "snapshot/capture/file_identity.h"
#include "snapshot/capture/mappings.h"

namespace icecore::snapshot {
namespace {

std::string map_file_path(const model::Process& process, const model::Mapping& mapping) {
  return "/proc/" + std::to_string(process.pid()) + "/map_files/" + mapping_range(mapping);
}

/// Opens what the mapping shows: by map_files when we may, else by its path as the process sees it,
/// if that still is the same file.
UniqueFd open_mapped(const model::Process& process, const model::Mapping& mapping) {
  UniqueFd fd(::open(map_file_path(process, mapping).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.valid() || mapping.deleted()) return fd;
  const std::string path = "/proc/" + std::to_string(process.pid()) + "/root" + mapping.name();
  fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (fd.valid() && (::fstat(fd.get(), &status) != 0 || status.st_ino != mapping.inode()))
    fd.reset();
  return fd;
}

std::string link_of(int fd) {
  char target[PATH_MAX];
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(path.c_str(), target, sizeof target);
  return {target, size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace

MappedFiles::File* MappedFiles::open(const model::Process& process, const model::Mapping& mapping) {
  auto& file = files_[{mapping.device(), mapping.inode()}];
  if (!file.fd || !file.fd->valid()) {
    file.fd = std::make_shared<const UniqueFd>(open_mapped(process, mapping));
    file.path = mapping.name();
  }
  if (!file.fd->valid()) return nullptr;
  if (file.last_seen != generation_) {
    // Once, however many mappings show it.
    file.regular = ::fstat(file.fd->get(), &file.status) == 0 && S_ISREG(file.status.st_mode);
    file.last_seen = generation_;
    file.link = link_of(file.fd->get());
  }
  // It may have got another name since the mappings were read, or have two.
  if (file.link != mapping.name() + (mapping.deleted() ? " (deleted)" : "")) all_certain_ = false;
  return &file;
}

void MappedFiles::collect(model::Snapshot& snapshot) {
  ++generation_;
  pending_.clear();
  all_certain_ = true;
  for (auto& [key, file] : files_) file.index = -1;
  collect_more(snapshot, 0);
  std::erase_if(files_,
                [this](const auto& entry) { return entry.second.last_seen != generation_; });
}

void MappedFiles::collect_more(model::Snapshot& snapshot, int first) {
  for (int i = first; i < snapshot.processes_size(); ++i) {
    collect_process(*snapshot.mutable_processes(i), snapshot);
  }
}

void MappedFiles::collect_process(model::Process& process, model::Snapshot& snapshot) {
  for (auto& mapping : *process.mutable_mappings()) {
    if (mapping.inode() == 0 || mapping.shared_space() != 0) continue;
    if (is_anonymous_huge(mapping)) continue;
    if (mapping.content() != model::Mapping::HELD || mapping.name().empty()) continue;
    File* file = open(process, mapping);
    if (file == nullptr || !file->regular) {
      all_certain_ = false;
      auto* limitation = snapshot.add_limitations();
      limitation->set_pid(process.pid());
      limitation->set_object("mapping of " + mapping.name());
      limitation->set_reason(file == nullptr ? "the file cannot be opened"
                                             : "it maps a device, not a file");
      limitation->set_effect(model::Limitation::INCOMPLETE);
      mapping.set_content(model::Mapping::NOT_HELD);
      continue;
    }
    if (file->index < 0) {
      file->index = snapshot.mapped_files_size();
      auto* mapped = snapshot.add_mapped_files();
      mapped->set_path(mapping.name());
      mapped->set_deleted(mapping.deleted());
      fill_identity(file->status, *mapped->mutable_identity());
      pending_.push_back({file->index, file->fd});
    }
    mapping.set_file(static_cast<std::uint32_t>(file->index) + 1);
  }
}

bool MappedFiles::refresh(model::Snapshot& snapshot) {
  if (!all_certain_) return false;
  for (auto& [key, file] : files_) {
    if (file.index < 0) continue;
    if (::fstat(file.fd->get(), &file.status) != 0 || link_of(file.fd->get()) != file.link) {
      return false;
    }
    fill_identity(file.status, *snapshot.mutable_mapped_files(file.index)->mutable_identity());
  }
  return true;
}

}  // namespace icecore::snapshot
