// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/catalog.h"
#include "store/file_system.h"
#include "store/index.h"
#include "store/name_resolver.h"
#include "store/recording_lock.h"
#include "store/store_impl.h"
#include "store/writer_session.h"

namespace icecore::store {

namespace {

bool is_empty_or_missing(const std::filesystem::path& directory) {
  std::error_code error;
  if (!std::filesystem::exists(directory, error)) return true;
  return std::filesystem::is_directory(directory, error) &&
         std::filesystem::is_empty(directory, error);
}

void create_store(const std::filesystem::path& directory) {
  if (directory.has_parent_path()) {
    std::error_code error;
    std::filesystem::create_directories(directory.parent_path(), error);
    if (error) throw_errno("mkdir " + directory.parent_path().string(), error.value());
  }
  make_private_directory(directory);
  if (::chmod(directory.c_str(), 0700) != 0) throw_errno("chmod " + directory.string());
  make_private_directory(directory / "locks");
  create_index(directory, random_uuid());
  make_private_directory(directory / "packs");
  sync_directory(directory);
}

/// A creation that was cut short, or that another process is at just now.
bool is_half_made(const std::filesystem::path& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name != "locks" && !name.starts_with("index.db")) return false;
  }
  return !error && std::filesystem::exists(directory / "locks", error);
}

}  // namespace

Store::Store(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Store Store::open(const std::filesystem::path& directory, Access access) {
  return Store(std::make_shared<Impl>(directory, access));
}

Store Store::open_or_create(const std::filesystem::path& directory) {
  if (is_empty_or_missing(directory) || is_half_made(directory)) create_store(directory);
  return open(directory, Access::ReadWrite);
}

const std::filesystem::path& Store::directory() const { return impl_->directory; }

std::vector<RecordingSummary> Store::recordings() const { return impl_->catalog().recordings(); }

std::vector<SnapshotSummary> Store::snapshots(std::string_view recording) const {
  return impl_->catalog().snapshots(recording);
}

std::vector<SkippedSnapshot> Store::skips(std::string_view recording) const {
  return impl_->catalog().skips(recording);
}

SnapshotKey Store::resolve(std::string_view name) const {
  return resolve_name(impl_->catalog(), name, realtime_ns());
}

std::vector<SnapshotKey> Store::resolve_range(std::string_view name) const {
  return resolve_names(impl_->catalog(), name, realtime_ns());
}

SnapshotSummary Store::summary(const SnapshotKey& key) const {
  return impl_->catalog().summary(key);
}

SnapshotReader Store::read(const SnapshotKey& key) const {
  const auto recording = impl_->catalog().recording_id(key.recording);
  try {
    return SnapshotReader(
        std::make_shared<const SnapshotReader::Impl>(impl_->readers(), recording, key));
  } catch (const Error&) {
    (void)impl_->catalog().summary(key);  // says what is near when there is no such snapshot
    throw;
  }
}

StoredFile Store::open_file(const FileId& id) const {
  return StoredFile(std::make_shared<const StoredFile::Impl>(impl_->readers(), id));
}

bool Store::has_file(const FileId& id) const { return impl_->catalog().has_file(id); }

RecordingWriter Store::write(std::string_view recording) {
  impl_->require_writable("write recording " + std::string(recording));
  return RecordingWriter(std::make_shared<RecordingWriter::Impl>(impl_->directory, recording));
}

std::string Store::unused_name(std::string_view base) const {
  return impl_->catalog().unused_name(base);
}

void Store::set_tag(const SnapshotKey& key, std::string_view tag) {
  impl_->require_writable("tag " + key.text());
  impl_->catalog().set_tag(key, tag);
}

void Store::remove(std::span<const SnapshotKey> keys) {
  impl_->require_writable("remove snapshots");
  impl_->catalog().remove(keys);
}

void Store::remove_recording(std::string_view recording) {
  impl_->require_writable("remove recording " + std::string(recording));
  (void)impl_->catalog().recording_id(recording);
  const auto file = recording_lock_path(impl_->directory, recording);
  const auto lock = FileLock::try_take(file);
  if (!lock) {
    Error error("remove recording " + std::string(recording) + ": process " + lock_owner(file) +
                " is writing it");
    throw error.set_exit_status(ExitStatus::Locked);
  }
  impl_->catalog().remove_recording(recording);
}

}  // namespace icecore::store
