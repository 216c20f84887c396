// SPDX-License-Identifier: Apache-2.0
#include "store/recording_writer.h"

#include "store/snapshot_session.h"
#include "store/writer_session.h"

namespace icecore::store {

RecordingWriter::RecordingWriter(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
RecordingWriter::RecordingWriter(RecordingWriter&&) noexcept = default;
RecordingWriter& RecordingWriter::operator=(RecordingWriter&&) noexcept = default;
RecordingWriter::~RecordingWriter() = default;

const std::string& RecordingWriter::name() const { return impl_->recording.name; }

void RecordingWriter::describe(std::string_view command, std::int32_t root_pid) {
  impl_->recording.command = command;
  impl_->recording.root_pid = root_pid;
}

SpaceId RecordingWriter::new_space() { return impl_->new_space(); }

SpaceId RecordingWriter::new_space(SpaceId parent, std::uint64_t number) {
  return impl_->new_space(parent, number);
}

SnapshotWriter RecordingWriter::begin() {
  return SnapshotWriter(std::make_unique<SnapshotWriter::Impl>(impl_));
}

std::uint64_t RecordingWriter::next_number() const { return impl_->next_number; }

void RecordingWriter::skip(std::int64_t realtime_ns, std::string_view reason) {
  impl_->skip(realtime_ns, reason);
}

SnapshotWriter::SnapshotWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SnapshotWriter::SnapshotWriter(SnapshotWriter&&) noexcept = default;
SnapshotWriter& SnapshotWriter::operator=(SnapshotWriter&&) noexcept = default;
SnapshotWriter::~SnapshotWriter() = default;

std::uint64_t SnapshotWriter::number() const { return impl_->number(); }

void SnapshotWriter::write_pages(SpaceId space, std::span<const PageRun> runs) {
  impl_->write_pages(space, runs);
}

void SnapshotWriter::end_other_spaces(std::span<const SpaceId> spaces) {
  impl_->end_other_spaces(spaces);
}

FileId SnapshotWriter::add_file(int fd, const FileIdentity& identity) {
  return impl_->add_file(fd, identity);
}

void SnapshotWriter::add_file(const FileId& id) { impl_->add_file(id); }

std::uint64_t SnapshotWriter::commit(SnapshotSummary summary, std::span<const std::byte> record,
                                     std::span<const ProcessRow> processes) {
  return impl_->commit(std::move(summary), record, processes);
}

}  // namespace icecore::store
