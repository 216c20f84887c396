// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace icecore::replay {

/// How much of the machine a copy may use; 0 is no limit.
struct CopyLimits {
  std::uint64_t memory = 0;  ///< bytes
  double cpus = 0;           ///< so much processor time per time
};

/// Cgroups with these limits, one for each hierarchy that has a part in them, of version 1 or 2,
/// wherever it is. We are in them from the beginning until leave(), and so is what we start in
/// between, for ever.
class LimitedCgroup {
 public:
  /// Throws Refused, naming what may not be written, when the limits cannot be set. `name` is for
  /// people.
  LimitedCgroup(const CopyLimits& limits, const std::string& name);
  LimitedCgroup(const LimitedCgroup&) = delete;
  LimitedCgroup& operator=(const LimitedCgroup&) = delete;
  /// Removes the cgroups: all that was started in them must have ended.
  ~LimitedCgroup();

  void leave() noexcept;

 private:
  struct Place {
    std::string before;  ///< the directory that we were in
    std::string own;     ///< the directory that we have made
  };
  void make(const std::string& controller, const std::string& all, const std::string& name);
  void undo() noexcept;

  std::vector<Place> places_;
  bool inside_ = false;
};

}  // namespace icecore::replay
