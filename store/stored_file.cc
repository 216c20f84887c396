// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "store/corrupt_store.h"
#include "store/file_manifest.h"
#include "store/snapshot_reader_impl.h"

namespace icecore::store {

StoredFile::Impl::Impl(std::shared_ptr<ReadSession> shared, const FileId& wanted)
    : session(std::move(shared)), id(wanted) {
  const std::lock_guard guard(session->mutex);
  const LoadedRecord loaded = session->objects.load(
      [&]() -> std::optional<Locator> {
        Rows rows = session->index->query(
            "SELECT pack_id, pack_offset, pack_length FROM files WHERE content=?1", id.hash);
        if (!rows.next()) return std::nullopt;
        return Locator{rows.number(0), rows.number(1), rows.number(2)};
      },
      RecordType::FileManifest, "a kept file");
  FileManifest manifest;
  try {
    manifest = decode_file_manifest(loaded.record.body);
  } catch (const Error& error) {
    throw CorruptStore(loaded.pack->file(), loaded.record.locator.offset, error.what());
  }
  size = manifest.size;
  // Opened and held now, so that gc cannot take them away.
  for (const VersionRun& run : manifest.runs) {
    if (run.kind == PageVersion::Kind::Stored) {
      segments.try_emplace(run.ref.segment, session->objects.segment(run.ref.segment));
    }
  }
  pages = single_list_map(std::move(manifest.runs));
}

StoredFile::StoredFile(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

const FileId& StoredFile::id() const { return impl_->id; }
std::uint64_t StoredFile::size() const { return impl_->size; }

std::size_t StoredFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset >= impl_->size) return 0;
  const std::size_t wanted = std::min<std::uint64_t>(out.size(), impl_->size - offset);
  const std::lock_guard guard(impl_->session->mutex);
  PageBuffer page{};
  for (std::size_t done = 0; done < wanted;) {
    const std::uint64_t number = (offset + done) / kPageSize;
    const std::size_t in_page = (offset + done) % kPageSize;
    const std::size_t count = std::min(wanted - done, kPageSize - in_page);
    const PageVersion version = impl_->pages.run_at(number).version_at(number);
    page.fill(std::byte{0});
    if (version.kind == PageVersion::Kind::Stored) {
      impl_->session->objects.read_page({version.segment, version.index}, page);
    }
    std::memcpy(out.data() + done, page.data() + in_page, count);
    done += count;
  }
  return wanted;
}

}  // namespace icecore::store
