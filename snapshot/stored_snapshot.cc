// SPDX-License-Identifier: Apache-2.0
#include "snapshot/stored_snapshot.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace icecore::snapshot {
namespace {

std::shared_ptr<const model::Snapshot> parse_model(const store::SnapshotReader& reader) {
  const std::vector<std::byte> record = reader.record();
  auto snapshot = std::make_shared<model::Snapshot>();
  if (!snapshot->ParseFromArray(record.data(), static_cast<int>(record.size()))) {
    throw Error("snapshot " + reader.key().text() + ": its record cannot be decoded");
  }
  return snapshot;
}

/// Where the pages of `mapping` are kept.
store::SpaceId space_of(const model::Process& process, const model::Mapping& mapping) {
  return store::SpaceId{mapping.shared_space() != 0 ? mapping.shared_space() : process.space()};
}

std::uint64_t page_of(const model::Mapping& mapping, std::uint64_t address) {
  if (mapping.shared_space() == 0) return address / store::kPageSize;
  return (mapping.offset() + (address - mapping.start())) / store::kPageSize;
}

/// The first guard page at or after `address`, or the mapping's end.
std::uint64_t next_guard(const model::Mapping& mapping, std::uint64_t address) {
  std::uint64_t next = mapping.end();
  for (int i = 0; i + 1 < mapping.guards_size(); i += 2) {
    if (address < mapping.guards(i + 1))
      next = std::min(next, std::max(address, mapping.guards(i)));
  }
  return next;
}

std::optional<store::FileId> file_id(const std::string& content) {
  store::FileId id;
  if (content.size() != id.hash.size()) return std::nullopt;
  std::memcpy(id.hash.data(), content.data(), content.size());
  return id;
}

}  // namespace

StoredSnapshot::StoredSnapshot(const store::Store& store, const store::SnapshotKey& key)
    : store_(store), reader_(store.read(key)), model_(parse_model(reader_)) {}

StoredSnapshot::StoredSnapshot(const StoredSnapshot& other, model::Snapshot model)
    : store_(other.store_),
      reader_(other.reader_),
      model_(std::make_shared<const model::Snapshot>(std::move(model))) {}

const model::Process* StoredSnapshot::find_process(int pid) const {
  for (const auto& process : model_->processes()) {
    if (process.pid() == pid) return &process;
  }
  return nullptr;
}

const model::Mapping* StoredSnapshot::find_mapping(const model::Process& process,
                                                   std::uint64_t address) {
  const auto& mappings = process.mappings();
  const auto after = std::upper_bound(
      mappings.begin(), mappings.end(), address,
      [](std::uint64_t wanted, const model::Mapping& mapping) { return wanted < mapping.end(); });
  if (after == mappings.end() || address < after->start()) return nullptr;
  return &*after;
}

std::size_t StoredSnapshot::read_file(const model::Mapping& mapping, std::uint64_t address,
                                      std::span<std::byte> out) const {
  const auto& file = model_->mapped_files(static_cast<int>(mapping.file()) - 1);
  const std::uint64_t offset = mapping.offset() + (address - mapping.start());
  // Pages wholly behind the file's end raise SIGBUS in the program: not readable here either.
  const std::uint64_t readable_end =
      (file.identity().size() + store::kPageSize - 1) / store::kPageSize * store::kPageSize;
  if (offset >= readable_end) return 0;
  const auto id = file_id(file.content());
  if (!id) return 0;
  auto& stored = files_[file.content()];
  if (!stored) stored = store_.open_file(*id);
  const std::size_t wanted = std::min<std::uint64_t>(out.size(), readable_end - offset);
  const std::size_t got = stored->read(offset, out.first(wanted));
  std::memset(out.data() + got, 0, wanted - got);
  return wanted;
}

std::size_t StoredSnapshot::read_memory(const model::Process& process, std::uint64_t address,
                                        std::span<std::byte> out) const {
  std::size_t done = 0;
  std::array<std::byte, store::kPageSize> page{};
  while (done < out.size()) {
    const std::uint64_t at = address + done;
    const model::Mapping* mapping = find_mapping(process, at);
    if (mapping == nullptr || mapping->content() != model::Mapping::HELD) break;
    if (next_guard(*mapping, at) == at) break;
    const std::size_t in_page = at % store::kPageSize;
    const std::size_t count = std::min<std::size_t>(out.size() - done, store::kPageSize - in_page);
    const auto destination = out.subspan(done, count);
    const auto kind = reader_.read_page(space_of(process, *mapping), page_of(*mapping, at), page);
    if (kind != store::PageVersion::Kind::Absent) {
      std::memcpy(destination.data(), page.data() + in_page, count);
    } else if (mapping->file() != 0) {
      const std::size_t got = read_file(*mapping, at, destination);
      if (got < count) return done + got;
    } else {
      std::memset(destination.data(), 0, count);
    }
    done += count;
  }
  return done;
}

std::optional<store::PageVersion> StoredSnapshot::page_version(const model::Process& process,
                                                               std::uint64_t address) const {
  const model::Mapping* mapping = find_mapping(process, address);
  if (mapping == nullptr || mapping->content() != model::Mapping::HELD) return std::nullopt;
  return reader_.version(space_of(process, *mapping), page_of(*mapping, address));
}

const model::MappedFile* StoredSnapshot::find_file(const std::string& path) const {
  for (const auto& file : model_->mapped_files()) {
    if (file.path() == path) return &file;
  }
  return nullptr;
}

std::optional<store::StoredFile> StoredSnapshot::open_content(const std::string& content) const {
  const auto id = file_id(content);
  if (!id || !store_.has_file(*id)) return std::nullopt;
  return store_.open_file(*id);
}

UniqueFd StoredSnapshot::materialize(const std::string& content) const {
  const auto stored = open_content(content);
  if (!stored) return {};
  UniqueFd fd(::memfd_create("icecore-file", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) throw_errno("memfd_create");
  std::vector<std::byte> buffer(1U << 20U);
  for (std::uint64_t offset = 0; offset < stored->size();) {
    const std::size_t got = stored->read(offset, buffer);
    if (got == 0) break;
    if (::pwrite(fd.get(), buffer.data(), got, static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(got)) {
      throw_errno("copying a stored file to memory");
    }
    offset += got;
  }
  ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  return fd;
}

}  // namespace icecore::snapshot
