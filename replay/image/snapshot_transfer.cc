// SPDX-License-Identifier: Apache-2.0
#include "replay/image/snapshot_transfer.h"

#include <sys/stat.h>

#include <functional>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/mapped_region.h"
#include "store/recording_writer.h"
#include "store/snapshot_reader.h"

namespace icecore::replay {
namespace {

constexpr store::PageRange kAllPages{0, ~std::uint64_t{0} / store::kPageSize};

/// All spaces that the snapshot refers to.
std::set<std::uint64_t> spaces_of(const model::Snapshot& model) {
  std::set<std::uint64_t> spaces;
  for (const auto& process : model.processes()) spaces.insert(process.space());
  for (const auto& object : model.shared_objects()) spaces.insert(object.space());
  for (const auto& file : model.kept_files()) spaces.insert(file.space());
  spaces.erase(0);
  return spaces;
}

std::set<std::string> contents_of(const model::Snapshot& model) {
  std::set<std::string> contents;
  for (const auto& file : model.mapped_files()) {
    contents.insert(file.content());
    contents.insert(file.debug_content());
  }
  contents.erase("");
  return contents;
}

void transfer_space(const snapshot::StoredSnapshot& from, store::SpaceId space,
                    store::SnapshotWriter& to) {
  const auto present = from.reader().present(space, kAllPages);
  std::uint64_t pages = 0;
  for (const auto& range : present) pages += range.count;
  if (pages == 0) return to.write_pages(space, {});
  const MappedRegion memory = MappedRegion::anonymous(pages * store::kPageSize);
  std::vector<store::PageRun> runs;
  std::size_t offset = 0;
  for (const auto& range : present) {
    runs.push_back(
        {store::PageRun::Kind::Data, range.first, range.count, memory.data() + offset, {}});
    for (std::uint64_t page = range.first; page < range.first + range.count; ++page) {
      from.reader().read_page(space, page, memory.bytes().subspan(offset, store::kPageSize));
      offset += store::kPageSize;
    }
  }
  to.write_pages(space, runs);
}

void transfer_file(const snapshot::StoredSnapshot& from, const std::string& content,
                   store::SnapshotWriter& to) {
  const UniqueFd fd = from.materialize(content);
  if (!fd.valid()) throw Error("a file that the snapshot needs is not in the store");
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw_errno("fstat");
  // Of no file on disk: an identity that nothing else will have.
  to.add_file(fd.get(), {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
                         status.st_mtim.tv_sec, status.st_mtim.tv_nsec});
}

std::vector<store::ProcessRow> rows_of(const model::Snapshot& model) {
  std::vector<store::ProcessRow> rows;
  for (const auto& process : model.processes()) {
    rows.push_back({process.pid(), process.parent_pid(), process.comm(), process.executable(),
                    static_cast<std::uint32_t>(process.threads_size()),
                    static_cast<std::uint32_t>(process.mappings_size()),
                    static_cast<std::uint32_t>(process.descriptors_size())});
  }
  return rows;
}

}  // namespace

std::uint64_t transfer_snapshot(const snapshot::StoredSnapshot& from, store::Store& to,
                                const std::string& name, const std::string& command) {
  auto writer = to.write(name);
  writer.describe(command, from.model().root_pid());
  const auto spaces = spaces_of(from.model());
  // The model refers to spaces by number, and a new recording gives them out from 1 on.
  for (std::uint64_t made = 0; !spaces.empty() && made < *spaces.rbegin();) {
    made = static_cast<std::uint64_t>(writer.new_space());
  }
  auto snapshot = writer.begin();
  std::vector<store::SpaceId> living;
  for (const auto space : spaces) {
    living.push_back(store::SpaceId{space});
    transfer_space(from, living.back(), snapshot);
  }
  snapshot.end_other_spaces(living);
  for (const auto& content : contents_of(from.model())) transfer_file(from, content, snapshot);
  model::Snapshot model = from.model();
  model.set_recording(name);
  model.set_number(snapshot.number());
  model.set_parent(0);
  auto summary = from.store().summary(from.key());
  summary.parent = 0;
  const std::string record = model.SerializeAsString();
  return snapshot.commit(summary, std::as_bytes(std::span(record)), rows_of(model));
}

std::uint64_t read_whole(const snapshot::StoredSnapshot& snapshot) {
  std::uint64_t bytes = 0;
  std::vector<std::byte> buffer(1U << 20U);
  for (const auto space : spaces_of(snapshot.model())) {
    for (const auto& range : snapshot.reader().present(store::SpaceId{space}, kAllPages)) {
      for (std::uint64_t page = range.first; page < range.first + range.count; ++page) {
        snapshot.reader().read_page(store::SpaceId{space}, page, buffer);
        bytes += store::kPageSize;
      }
    }
  }
  for (const auto& content : contents_of(snapshot.model())) {
    const auto file = snapshot.open_content(content);
    if (!file) throw Error("a file that the snapshot needs is not in the store");
    for (std::uint64_t offset = 0; offset < file->size();) {
      const std::size_t got = file->read(offset, buffer);
      if (got == 0) throw Error("a file that the snapshot needs ends too early");
      offset += got;
    }
    bytes += file->size();
  }
  return bytes;
}

}  // namespace icecore::replay
