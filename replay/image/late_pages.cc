// SPDX-License-Identifier: Apache-2.0
#include "replay/image/late_pages.h"

#include <algorithm>

namespace icecore::replay {

void LatePages::add(const Run& run) {
  if (run.count != 0) runs_[run.first] = run;
}

std::vector<LatePages::Run> LatePages::cut(std::uint64_t first, std::uint64_t count) {
  const std::uint64_t end = first + count;
  auto at = runs_.upper_bound(first);
  if (at != runs_.begin()) --at;
  std::vector<Run> taken;
  while (at != runs_.end() && at->first < end) {
    const Run run = at->second;
    const std::uint64_t begin_cut = std::max(run.first, first);
    const std::uint64_t end_cut = std::min(run.first + run.count, end);
    if (begin_cut >= end_cut) {
      ++at;
      continue;
    }
    at = runs_.erase(at);
    add({run.first, run.source, begin_cut - run.first});
    add({end_cut, run.source + (end_cut - run.first), run.first + run.count - end_cut});
    taken.push_back({begin_cut, run.source + (begin_cut - run.first), end_cut - begin_cut});
  }
  return taken;
}

LatePages::Run LatePages::take_some(std::uint64_t most) {
  const Run lowest = runs_.begin()->second;
  return cut(lowest.first, std::min(lowest.count, most)).front();
}

}  // namespace icecore::replay
