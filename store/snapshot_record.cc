// SPDX-License-Identifier: Apache-2.0
#include "store/snapshot_record.h"

#include <algorithm>
#include <cstring>

#include "base/byte_reader.h"
#include "base/byte_writer.h"

namespace icecore::store {
namespace {

void write_text(ByteWriter& writer, const std::string& text) {
  writer.write_varint(text.size());
  writer.append(std::as_bytes(std::span(text)));
}

std::string read_text(ByteReader& reader) {
  const auto bytes = reader.take(reader.read_varint());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_signed(ByteWriter& writer, std::int64_t value) {
  writer.write(static_cast<std::uint64_t>(value));
}
std::int64_t read_signed(ByteReader& reader) {
  return static_cast<std::int64_t>(reader.read<std::uint64_t>());
}

/// A count of things of which each takes at least one byte.
std::size_t read_count(ByteReader& reader) {
  const std::uint64_t count = reader.read_varint();
  if (count > reader.remaining()) throw Error("the bytes end too soon");
  return count;
}

void write_recording(ByteWriter& writer, const RecordedRecording& recording) {
  writer.append(recording.uuid);
  write_text(writer, recording.name);
  write_text(writer, recording.command);
  writer.write(static_cast<std::uint32_t>(recording.root_pid));
  write_signed(writer, recording.created_ns);
  writer.write_varint(recording.next_space);
}

RecordedRecording read_recording(ByteReader& reader) {
  RecordedRecording recording;
  std::ranges::copy(reader.take(recording.uuid.size()), recording.uuid.begin());
  recording.name = read_text(reader);
  recording.command = read_text(reader);
  recording.root_pid = static_cast<std::int32_t>(reader.read<std::uint32_t>());
  recording.created_ns = read_signed(reader);
  recording.next_space = reader.read_varint();
  return recording;
}

void write_summary(ByteWriter& writer, const SnapshotSummary& summary) {
  writer.write_varint(summary.key.number);
  writer.write_varint(summary.parent);
  write_text(writer, summary.tag);
  write_text(writer, summary.cause);
  write_signed(writer, summary.realtime_ns);
  write_signed(writer, summary.monotonic_ns);
  writer.write(static_cast<std::uint8_t>(summary.complete ? 1 : 0));
  writer.write_varint(summary.processes);
  writer.write_varint(summary.threads);
  writer.write_varint(summary.dirty_bytes);
  writer.write(summary.stored_bytes);  // fixed width: it counts this record too
  writer.write_varint(summary.freeze_us);
  writer.write_varint(summary.dump_us);
  writer.write_varint(summary.resume_us);
  writer.write_varint(summary.pause_us);
}

SnapshotSummary read_summary(ByteReader& reader) {
  SnapshotSummary summary;
  summary.key.number = reader.read_varint();
  summary.parent = reader.read_varint();
  summary.tag = read_text(reader);
  summary.cause = read_text(reader);
  summary.realtime_ns = read_signed(reader);
  summary.monotonic_ns = read_signed(reader);
  summary.complete = reader.read<std::uint8_t>() != 0;
  summary.processes = static_cast<std::uint32_t>(reader.read_varint());
  summary.threads = static_cast<std::uint32_t>(reader.read_varint());
  summary.dirty_bytes = reader.read_varint();
  summary.stored_bytes = reader.read<std::uint64_t>();
  summary.freeze_us = reader.read_varint();
  summary.dump_us = reader.read_varint();
  summary.resume_us = reader.read_varint();
  summary.pause_us = reader.read_varint();
  return summary;
}

void write_process(ByteWriter& writer, const ProcessRow& process) {
  writer.write(static_cast<std::uint32_t>(process.pid));
  writer.write(static_cast<std::uint32_t>(process.parent_pid));
  write_text(writer, process.comm);
  write_text(writer, process.executable);
  writer.write_varint(process.threads);
  writer.write_varint(process.mappings);
  writer.write_varint(process.descriptors);
}

ProcessRow read_process(ByteReader& reader) {
  ProcessRow process;
  process.pid = static_cast<std::int32_t>(reader.read<std::uint32_t>());
  process.parent_pid = static_cast<std::int32_t>(reader.read<std::uint32_t>());
  process.comm = read_text(reader);
  process.executable = read_text(reader);
  process.threads = static_cast<std::uint32_t>(reader.read_varint());
  process.mappings = static_cast<std::uint32_t>(reader.read_varint());
  process.descriptors = static_cast<std::uint32_t>(reader.read_varint());
  return process;
}

void write_space(ByteWriter& writer, const RecordedSpace& space) {
  writer.write_varint(space.space);
  writer.write_varint(space.parent_space);
  writer.write_varint(space.parent_sequence);
  writer.write_varint(space.sequence);
  writer.write_varint(space.list);
}

RecordedSpace read_space(ByteReader& reader) {
  RecordedSpace space;
  space.space = reader.read_varint();
  space.parent_space = reader.read_varint();
  space.parent_sequence = reader.read_varint();
  space.sequence = reader.read_varint();
  space.list = static_cast<std::uint32_t>(reader.read_varint());
  return space;
}

}  // namespace

std::vector<std::byte> encode(const SnapshotRecord& record, std::span<const std::byte> model) {
  ByteWriter writer;
  write_recording(writer, record.recording);
  write_summary(writer, record.summary);
  writer.write_varint(record.processes.size());
  for (const auto& process : record.processes) write_process(writer, process);
  writer.write_varint(record.spaces.size());
  for (const auto& space : record.spaces) write_space(writer, space);
  writer.write_varint(record.files.size());
  for (const auto& file : record.files) writer.append(file.hash);
  writer.write_varint(model.size());
  writer.append(model);
  return writer.release();
}

SnapshotRecord decode_snapshot_record(std::span<const std::byte> body) {
  ByteReader reader(body);
  SnapshotRecord record;
  record.recording = read_recording(reader);
  record.summary = read_summary(reader);
  record.summary.key.recording = record.recording.name;
  record.processes.resize(read_count(reader));
  for (auto& process : record.processes) process = read_process(reader);
  record.spaces.resize(read_count(reader));
  for (auto& space : record.spaces) space = read_space(reader);
  record.files.resize(read_count(reader));
  for (auto& file : record.files) {
    std::ranges::copy(reader.take(file.hash.size()), file.hash.begin());
  }
  const auto model = reader.take(reader.read_varint());
  record.model.assign(model.begin(), model.end());
  return record;
}

}  // namespace icecore::store
