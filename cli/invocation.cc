// SPDX-License-Identifier: Apache-2.0
#include "cli/invocation.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iostream>

#include "base/check.h"
#include "cli/common_options.h"
#include "cli/duration.h"

namespace icecore::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it later
  return value == nullptr ? "" : value;
}

}  // namespace

Invocation::Invocation(const Command& command, ParsedWords words)
    : command_(command), words_(std::move(words)) {}

const Option& Invocation::row(std::string_view option) const {
  const auto named = [&](const Option& candidate) { return candidate.name == option; };
  const auto own = std::ranges::find_if(command_.options, named);
  if (own != command_.options.end()) return *own;
  const auto* common = std::ranges::find_if(kCommonOptions, named);
  ICECORE_CHECK(common != kCommonOptions.end());
  return *common;
}

bool Invocation::has(std::string_view option) const {
  return words_.options.contains(row(option).name);
}

std::string Invocation::text(std::string_view option) const {
  const Option& asked = row(option);
  const auto found = words_.options.find(asked.name);
  return found == words_.options.end() ? std::string(asked.fallback) : found->second.back();
}

std::vector<std::string> Invocation::all(std::string_view option) const {
  const auto found = words_.options.find(row(option).name);
  return found == words_.options.end() ? std::vector<std::string>() : found->second;
}

std::optional<std::chrono::nanoseconds> Invocation::duration(std::string_view option) const {
  const std::string value = text(option);
  if (value.empty() && !has(option)) return std::nullopt;
  const auto parsed = parse_duration(value);
  if (!parsed) {
    throw UsageError("--" + std::string(option) + " " + value + ": not a duration")
        .set_why("a duration is a number and a unit: 500ms, 2s, 1.5m, 1h");
  }
  return parsed;
}

std::optional<std::uint64_t> Invocation::number(std::string_view option) const {
  const std::string value = text(option);
  if (value.empty() && !has(option)) return std::nullopt;
  std::uint64_t parsed = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, parsed);
  if (error != std::errc{} || stop != end) {
    throw UsageError("--" + std::string(option) + " " + value + ": not a number");
  }
  return parsed;
}

std::string Invocation::argument(std::size_t index) const {
  return index < words_.arguments.size() ? words_.arguments[index] : "";
}

std::filesystem::path Invocation::store_directory() const {
  if (has("store")) return text("store");
  if (const auto chosen = environment("ICECORE_STORE"); !chosen.empty()) return chosen;
  if (const auto data = environment("XDG_DATA_HOME"); !data.empty()) {
    return std::filesystem::path(data) / "icecore";
  }
  const auto home = environment("HOME");
  if (home.empty()) {
    throw Error("there is no place for the store: neither --store, ICECORE_STORE nor HOME is set")
        .set_hint("icecore --store DIR " + std::string(command_.name));
  }
  return std::filesystem::path(home) / ".local/share/icecore";
}

bool Invocation::colour(int fd) const {
  const std::string wish = text("color");
  if (wish != "auto") return wish == "always";
  return environment("NO_COLOR").empty() && environment("TERM") != "dumb" && ::isatty(fd) == 1;
}

void Invocation::note(std::string_view message) const {
  if (!quiet()) std::cerr << message << std::endl;
}

}  // namespace icecore::cli
