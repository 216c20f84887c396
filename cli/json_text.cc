// SPDX-License-Identifier: Apache-2.0
#include "cli/json_text.h"

#include "cli/quantities.h"

namespace icecore::cli {

Json to_json(const store::RecordingSummary& recording) {
  return {{"version", kJsonVersion},
          {"recording", recording.name},
          {"command", recording.command},
          {"root_pid", recording.root_pid},
          {"created", utc_time_text(recording.created_ns)},
          {"snapshots", recording.snapshots},
          {"first", recording.first},
          {"last", recording.last},
          {"last_time", utc_time_text(recording.last_ns)},
          {"stored_bytes", recording.stored_bytes}};
}

Json to_json(const store::SnapshotSummary& snapshot) {
  return {{"version", kJsonVersion},
          {"recording", snapshot.key.recording},
          {"number", snapshot.key.number},
          {"parent", snapshot.parent},
          {"tag", snapshot.tag},
          {"cause", snapshot.cause},
          {"time", utc_time_text(snapshot.realtime_ns)},
          {"realtime_ns", snapshot.realtime_ns},
          {"monotonic_ns", snapshot.monotonic_ns},
          {"complete", snapshot.complete},
          {"processes", snapshot.processes},
          {"threads", snapshot.threads},
          {"dirty_bytes", snapshot.dirty_bytes},
          {"stored_bytes", snapshot.stored_bytes},
          {"freeze_us", snapshot.freeze_us},
          {"dump_us", snapshot.dump_us},
          {"resume_us", snapshot.resume_us},
          {"pause_us", snapshot.pause_us}};
}

Json to_json(const store::SkippedSnapshot& skipped) {
  return {{"version", kJsonVersion},
          {"time", utc_time_text(skipped.realtime_ns)},
          {"realtime_ns", skipped.realtime_ns},
          {"reason", skipped.reason}};
}

Json to_json(const store::Damage& damage) {
  Json snapshots = Json::array();
  for (const store::SnapshotKey& key : damage.snapshots) snapshots.push_back(key.text());
  return {{"file", damage.file},
          {"offset", damage.offset},
          {"what", damage.what},
          {"snapshots", snapshots}};
}

std::string json_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace icecore::cli
