// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace icecore::cli::doctor {

/// What one probe found.
struct Finding {
  bool works = false;
  std::string detail;  ///< what was seen: a version, a path, the errno
};

[[nodiscard]] Finding works(std::string detail = {});
[[nodiscard]] Finding fails(std::string detail);
/// "OPERATION: strerror(errno)"
[[nodiscard]] Finding fails_with_errno(const std::string& operation);

enum class Need {
  Required,  ///< without it there are no snapshots at all
  Useful,    ///< without it something is slower or missing, as `without` says
};

/// One ability of this machine, found out by doing it, never by the kernel's version.
struct Probe {
  std::string_view name;
  Need need = Need::Useful;
  std::string_view gives;    ///< what icecore does with it
  std::string_view without;  ///< what its absence costs
  std::string_view fix;      ///< a command to paste, or who can change it
  Finding (*run)() = nullptr;
};

[[nodiscard]] std::span<const Probe> tracing_probes();
[[nodiscard]] std::span<const Probe> memory_probes();
[[nodiscard]] std::span<const Probe> restore_probes();
[[nodiscard]] std::span<const Probe> surroundings_probes();

}  // namespace icecore::cli::doctor
