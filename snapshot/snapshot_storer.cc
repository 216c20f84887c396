// SPDX-License-Identifier: Apache-2.0
#include "snapshot/snapshot_storer.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/log.h"
#include "snapshot/symbols/build_id.h"

namespace icecore::snapshot {
namespace {

store::FileIdentity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
          status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
          status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec};
}

std::string bytes_of(const store::FileId& id) {
  return {reinterpret_cast<const char*>(id.hash.data()), id.hash.size()};
}

store::FileId id_of(const std::string& bytes) {
  store::FileId id;
  std::memcpy(id.hash.data(), bytes.data(), id.hash.size());
  return id;
}

std::string_view cause_name(const model::Cause& cause) {
  switch (cause.kind()) {
    case model::Cause::PERIODIC:
      return "periodic";
    case model::Cause::REQUESTED:
      return "requested";
    case model::Cause::CRASH:
      return "crash";
    default:
      return "";
  }
}

store::SnapshotSummary summarize(const model::Snapshot& snapshot) {
  store::SnapshotSummary summary;
  summary.key.recording = snapshot.recording();
  summary.parent = snapshot.parent();
  summary.tag = snapshot.tag();
  summary.cause = cause_name(snapshot.cause());
  summary.realtime_ns = snapshot.clocks().realtime_ns();
  summary.monotonic_ns = snapshot.clocks().monotonic_ns();
  summary.complete =
      std::none_of(snapshot.limitations().begin(), snapshot.limitations().end(),
                   [](const auto& each) { return each.effect() == model::Limitation::INCOMPLETE; });
  summary.processes = static_cast<std::uint32_t>(snapshot.processes_size());
  for (const auto& process : snapshot.processes()) {
    summary.threads += static_cast<std::uint32_t>(process.threads_size());
  }
  summary.dirty_bytes = snapshot.timing().dirty_bytes();
  summary.freeze_us = snapshot.timing().freeze_us();
  summary.dump_us = snapshot.timing().dump_us();
  summary.resume_us = snapshot.timing().resume_us();
  summary.pause_us = snapshot.timing().pause_us();
  return summary;
}

std::vector<store::ProcessRow> process_rows(const model::Snapshot& snapshot) {
  std::vector<store::ProcessRow> rows;
  for (const auto& process : snapshot.processes()) {
    rows.push_back({process.pid(), process.parent_pid(), process.comm(), process.executable(),
                    static_cast<std::uint32_t>(process.threads_size()),
                    static_cast<std::uint32_t>(process.mappings_size()),
                    static_cast<std::uint32_t>(process.descriptors_size())});
  }
  return rows;
}

/// The snapshot of this recording that a restored tree continues: a branch.
std::uint64_t origin_in(const model::Snapshot& snapshot, const std::string& recording) {
  const std::string prefix = recording + "@";
  if (!snapshot.origin().starts_with(prefix)) return 0;
  return std::strtoull(snapshot.origin().c_str() + prefix.size(), nullptr, 10);
}

}  // namespace

std::uint64_t SnapshotStorer::store(CapturedSnapshot& captured, const std::string& tag) {
  auto snapshot = writer_.begin();
  model::Snapshot& model = captured.model;
  model.set_recording(writer_.name());
  model.set_number(snapshot.number());
  model.set_parent(last_number_ != 0 ? last_number_ : origin_in(model, writer_.name()));
  model.set_tag(tag.empty() ? tag_ : tag);
  std::vector<store::SpaceId> living;
  for (const auto& change : captured.spaces) {
    snapshot.write_pages(change.space, change.runs);
    living.push_back(change.space);
  }
  store_kept_files(snapshot, captured, living);
  snapshot.end_other_spaces(living);
  store_files(snapshot, captured);
  const std::string record = model.SerializeAsString();
  const auto rows = process_rows(model);
  last_number_ = snapshot.commit(summarize(model), std::as_bytes(std::span(record)), rows);
  return last_number_;
}

void SnapshotStorer::store_kept_files(store::SnapshotWriter& snapshot, CapturedSnapshot& captured,
                                      std::vector<store::SpaceId>& living) {
  auto& kept = *captured.model.mutable_kept_files();
  for (const auto& pending : captured.kept_files) {
    living.push_back(pending.space());
    if (const auto runs = pending.read(captured.pages)) {
      snapshot.write_pages(pending.space(), *runs);
      continue;
    }
    const auto lost = std::find_if(kept.begin(), kept.end(), [&](const model::KeptFile& file) {
      return file.space() == static_cast<std::uint64_t>(pending.space());
    });
    if (lost == kept.end()) continue;
    auto* limitation = captured.model.add_limitations();
    limitation->set_object("content of " + lost->path());
    limitation->set_reason("it was written to while it was being read, after the pause");
    limitation->set_effect(lost->cause() == model::KeptFile::WRITTEN
                               ? model::Limitation::INCOMPLETE
                               : model::Limitation::VIEW_ONLY);
    kept.erase(lost);
  }
}

void SnapshotStorer::store_files(store::SnapshotWriter& snapshot, CapturedSnapshot& captured) {
  for (const auto& pending : captured.files) {
    auto& file = *captured.model.mutable_mapped_files(pending.index);
    struct stat status {};
    if (::fstat(pending.fd->get(), &status) != 0) continue;
    if (static_cast<std::uint64_t>(status.st_size) > MappedFiles::kMaxBytes) {
      auto* limitation = captured.model.add_limitations();
      limitation->set_object("content of " + file.path());
      limitation->set_reason("the file is larger than 1 GiB");
      limitation->set_effect(model::Limitation::INCOMPLETE);
      continue;
    }
    try {
      file.set_content(bytes_of(snapshot.add_file(pending.fd->get(), identity_of(status))));
    } catch (const Error& error) {
      if (error.errno_value() == ENOSPC) throw;
      auto* limitation = captured.model.add_limitations();
      limitation->set_object("content of " + file.path());
      limitation->set_reason(error.what());
      limitation->set_effect(model::Limitation::INCOMPLETE);
      continue;
    }
    store_debug_file(snapshot, pending.fd->get(), file);
  }
}

void SnapshotStorer::store_debug_file(store::SnapshotWriter& snapshot, int fd,
                                      model::MappedFile& file) {
  auto [build_id, unknown] = build_ids_.try_emplace(file.content());
  if (unknown) {
    const auto bytes = symbols::build_id_bytes(symbols::read_build_id(fd));
    build_id->second.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    auto& debug = debug_files_[file.content()];
    const auto found = symbols::find_debug_file(fd, file.path());
    struct stat status {};
    if (found.fd.valid() && ::fstat(found.fd.get(), &status) == 0) {
      debug.path = found.path;
      debug.content = bytes_of(snapshot.add_file(found.fd.get(), identity_of(status)));
    }
  }
  file.set_build_id(build_id->second);
  const auto& debug = debug_files_[file.content()];
  if (debug.content.empty()) return;
  file.set_debug_path(debug.path);
  file.set_debug_content(debug.content);
  if (!unknown) snapshot.add_file(id_of(debug.content));
}

}  // namespace icecore::snapshot
