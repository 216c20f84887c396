// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/probe.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace icecore::cli::doctor {

Finding works(std::string detail) { return {true, std::move(detail)}; }

Finding fails(std::string detail) { return {false, std::move(detail)}; }

Finding fails_with_errno(const std::string& operation) {
  return fails(operation + ": " + std::strerror(errno));  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace icecore::cli::doctor
