// SPDX-License-Identifier: Apache-2.0
#include "cli/quantities.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace icecore::cli {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

std::string decimal(double value, int places, const char* unit) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.*f %s", places, value, unit);
  return text.data();
}

/// Seconds and the nanoseconds above them, also for moments before 1970.
struct SplitTime {
  std::time_t seconds;
  std::int64_t nanoseconds;
};

SplitTime split(std::int64_t realtime_ns) {
  std::int64_t seconds = realtime_ns / kNanosecondsPerSecond;
  std::int64_t rest = realtime_ns % kNanosecondsPerSecond;
  if (rest < 0) {
    rest += kNanosecondsPerSecond;
    --seconds;
  }
  return {static_cast<std::time_t>(seconds), rest};
}

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double amount = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (amount >= 999.5 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  return decimal(amount, amount < 99.95 ? 1 : 0, kUnits[unit]);
}

std::string microseconds_text(std::uint64_t microseconds) {
  if (microseconds < 1000) return std::to_string(microseconds) + " us";
  if (microseconds < 1'000'000) return decimal(static_cast<double>(microseconds) / 1e3, 2, "ms");
  return decimal(static_cast<double>(microseconds) / 1e6, 2, "s");
}

std::string local_time_text(std::int64_t realtime_ns) {
  const auto [seconds, nanoseconds] = split(realtime_ns);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 64> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%d %H:%M:%S", &local);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%s.%03d", date.data(),
                static_cast<int>(nanoseconds / 1'000'000));
  return text.data();
}

std::string utc_time_text(std::int64_t realtime_ns) {
  const auto [seconds, nanoseconds] = split(realtime_ns);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 64> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%s.%09dZ", date.data(), static_cast<int>(nanoseconds));
  return text.data();
}

std::string hex_text(std::uint64_t value) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

std::string count_text(std::uint64_t count, const std::string& noun) {
  const std::string number = std::to_string(count) + " ";
  if (count == 1) return number + noun;
  return number + (noun.ends_with("s") ? noun + "es" : noun + "s");
}

}  // namespace icecore::cli
