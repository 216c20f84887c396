// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "replay/image/image.h"
#include "replay/image/limited_cgroup.h"
#include "store/store.h"

namespace icecore::cli {

/// What `image run` asks of one copy.
struct CopyWishes {
  int number = 1;            ///< of --copies
  std::map<int, int> ports;  ///< listening ports, old to new
  enum class Files { Private, Shared } files = Files::Private;
  /// The starter's network, or one of its own with a loopback device only.
  enum class Network { Starters, Own } network = Network::Starters;
  std::string host_name;  ///< empty: the starter's
  replay::CopyLimits limits;
  int signal = 0;                    ///< sent to the root when it runs; 0 for none
  std::string after;                 ///< shell command, run in its namespaces when it runs
  std::vector<std::string> details;  ///< lines of its own file: "env K=V", "arg WORD"
};

/// Starts one copy of an image, waits for it in the foreground with signals passed on, and returns
/// its exit status (or dies of its signal). `started` is called with the root's pid when it runs.
int run_copy(const store::Store& store, const replay::Image& image, const CopyWishes& wishes,
             const std::function<void(int pid)>& started);

}  // namespace icecore::cli
