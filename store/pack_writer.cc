// SPDX-License-Identifier: Apache-2.0
#include "store/pack_writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <vector>

#include "base/error.h"
#include "store/file_mark.h"
#include "store/file_system.h"

namespace icecore::store {

std::filesystem::path pack_path(const std::filesystem::path& store, std::uint64_t pack) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%08llu.pack", static_cast<unsigned long long>(pack));
  return store / "packs" / name.data();
}

std::filesystem::path written_note(const std::filesystem::path& store, std::uint64_t pack) {
  return store / "written" / pack_path(store, pack).stem();
}

void unlink_pack(const std::filesystem::path& store, std::uint64_t pack) {
  ::unlink(pack_path(store, pack).c_str());
  ::unlink(written_note(store, pack).c_str());
}

PackWriter::PackWriter(const std::filesystem::path& store, const StoreUuid& uuid,
                       std::uint64_t pack)
    : store_(store), path_(pack_path(store, pack)), pack_(pack), fd_(create_file(path_)) {
  const auto header = encode(PackHeader{kPackVersion, pack, uuid});
  try {
    write_at(fd_.get(), path_, 0, header, {});
    sync_file_and_directory(fd_.get(), path_);
  } catch (...) {
    ::unlink(path_.c_str());
    throw;
  }
  size_ = header.size();
}

PackWriter::~PackWriter() {
  if (is_doubtful_) return;
  const auto note = written_note(store_, pack_);
  ::mkdir(note.parent_path().c_str(), 0700);
  note_mark(note, fd_.get());
}

Locator PackWriter::append(RecordHeader header, std::span<const std::byte> head,
                           std::span<const std::byte> tail) {
  header.body_size = head.size() + tail.size();
  if (header.body_size > kMaxBodySize) {
    throw Error("write " + path_.string() + ": a record of " + std::to_string(header.body_size) +
                " bytes is too long");
  }
  Hasher hasher;
  hasher.update(head);
  hasher.update(tail);
  header.digest = hasher.finish();
  const auto encoded = encode(header);
  const Locator locator{pack_, size_, record_size(header.body_size)};
  const std::array<std::byte, kRecordAlignment> zeros{};
  const std::size_t padding = locator.size - kRecordHeaderSize - header.body_size;
  write_at(fd_.get(), path_, size_, encoded, head);
  write_at(fd_.get(), path_, size_ + encoded.size() + head.size(), tail,
           std::span(zeros).first(padding));
  size_ += locator.size;
  return locator;
}

Locator PackWriter::append_copy(std::span<const std::byte> record) {
  write_at(fd_.get(), path_, size_, record, {});
  const Locator locator{pack_, size_, record.size()};
  size_ += record.size();
  return locator;
}

void PackWriter::sync() {
  is_doubtful_ = true;
  sync_data(fd_.get(), path_);
  is_doubtful_ = false;
}

void PackWriter::truncate(std::uint64_t size) {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    throw_errno("truncate " + path_.string());
  }
  size_ = size;
}

}  // namespace icecore::store
