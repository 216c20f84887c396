// SPDX-License-Identifier: Apache-2.0
#include "cli/recording_options.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <iostream>
#include <optional>

#include "cli/byte_size.h"
#include "cli/quantities.h"
#include "snapshot/capture/life_origin.h"

namespace icecore::cli {

namespace {

std::optional<std::uint64_t> size_option(const Invocation& invocation, std::string_view name) {
  if (!invocation.has(name)) return std::nullopt;
  const std::string text = invocation.text(name);
  const auto size = parse_byte_size(text);
  if (!size) {
    throw UsageError("icecore " + std::string(invocation.command().name) + ": --" +
                     std::string(name) + " " + text + " is no size (512K, 64M, 2G)");
  }
  return size;
}

}  // namespace

snapshot::FileKeeping file_keeping(const Invocation& invocation) {
  snapshot::FileKeeping keeping;
  keeping.written = invocation.text("files") == "written";
  if (const auto limit = size_option(invocation, "files-limit")) keeping.limit = *limit;
  return keeping;
}

std::uint64_t buffer_bytes(const Invocation& invocation) {
  constexpr std::uint64_t kPart = 4;
  if (const auto size = size_option(invocation, "buffer")) return *size;
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / kPart;
}

snapshot::RecorderOptions recorder_options(const Invocation& invocation) {
  snapshot::RecorderOptions options;
  options.interval = invocation.duration("every");
  if (options.interval && options.interval->count() < 1'000'000) {
    throw UsageError("icecore " + std::string(invocation.command().name) +
                     ": --every must be at least 1ms");
  }
  options.count = invocation.number("count");
  options.tag = invocation.text("tag");
  options.files = file_keeping(invocation);
  options.buffer_bytes = buffer_bytes(invocation);
  options.freeze_timeout = invocation.duration("freeze-timeout").value_or(std::chrono::seconds(2));
  if (!invocation.quiet()) {
    options.note = [](std::string_view line) { std::cerr << "icecore: " << line << std::endl; };
  }
  return options;
}

void require_recording_name(std::string_view name) {
  const bool plain = !name.empty() && name.size() <= 100 && name.front() != '.' &&
                     std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '+';
                     });
  if (!plain) {
    throw UsageError("'" + std::string(name) +
                     "' cannot name a recording: letters, digits and - _ . + only");
  }
}

std::string recording_name(const Invocation& invocation, const store::Store& store,
                           std::string_view base) {
  if (invocation.has("name")) {
    require_recording_name(invocation.text("name"));
    return invocation.text("name");
  }
  std::string plain;
  for (const unsigned char c : base) {
    const bool fits = std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '+';
    plain.push_back(fits ? static_cast<char>(c) : '-');
  }
  if (plain.empty() || plain.front() == '.') plain.insert(0, "p");
  return store.unused_name(plain);
}

std::string recording_name(const Invocation& invocation, const store::Store& store, int pid,
                           std::string_view base) {
  if (invocation.has("name")) return recording_name(invocation, store, base);
  const std::string origin = snapshot::restored_from(pid).value_or("");
  const std::string recording = origin.substr(0, origin.rfind('@'));
  const auto known = store.recordings();
  const bool is_here =
      std::ranges::find(known, recording, &store::RecordingSummary::name) != known.end();
  return is_here ? recording : recording_name(invocation, store, base);
}

void note_end(const Invocation& invocation, const std::string& name,
              const snapshot::Recorder& recorder) {
  const auto taken = recorder.snapshots_taken();
  if (taken == 0 || !recorder.last_number()) {
    invocation.note("no snapshot was taken of " + name);
    return;
  }
  invocation.note("recorded " + count_text(taken, "snapshot") + " through " +
                  bytes_text(recorder.buffer_peak()) +
                  " of memory; look at the last with: icecore gdb " + name + "@" +
                  std::to_string(*recorder.last_number()));
}

}  // namespace icecore::cli
