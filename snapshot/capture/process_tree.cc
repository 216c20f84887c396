// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/process_tree.h"

#include <dirent.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "snapshot/capture/proc_directory.h"
#include "snapshot/proc/stat.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot {
namespace {

// Collects descendants in passes, each pid with the start time that tells it from a later one.
class TreeListing {
 public:
  explicit TreeListing(int root) { add(root); }

  // Goes once over everything known; true when that found somebody new.
  bool pass() {
    const std::size_t before = order_.size();
    for (std::size_t i = 0; i < order_.size(); ++i) add_children(order_[i]);
    return order_.size() > before;
  }

  // Those that still live.
  std::vector<int> living() const {
    std::vector<int> pids;
    for (const int pid : order_) {
      const auto directory = ProcDirectory::open(pid);
      if (directory && directory->stat().start_time == start_times_.at(pid)) pids.push_back(pid);
    }
    return pids;
  }

 private:
  void add(int pid) {
    const auto directory = ProcDirectory::open(pid);
    if (!directory) return;
    const auto [entry, added] = start_times_.emplace(pid, directory->stat().start_time);
    if (added) order_.push_back(pid);
    entry->second = directory->stat().start_time;
  }

  void add_children(int pid) {
    const auto directory = ProcDirectory::open(pid);
    if (!directory) return;
    for (const int tid : directory->thread_ids()) {
      const auto text = directory->read(("task/" + std::to_string(tid) + "/children").c_str());
      if (!text) continue;
      std::string_view rest = *text;
      for (auto word = proc::take_word(rest); !word.empty(); word = proc::take_word(rest)) {
        const auto child = proc::to_number<int>(word);
        if (child && !start_times_.contains(*child)) add(*child);
      }
    }
  }

  std::vector<int> order_;
  std::map<int, std::uint64_t> start_times_;
};

std::map<int, int> parents_of_all() {
  std::map<int, int> parents;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), &::closedir);
  if (!directory) return parents;
  while (const dirent* entry = ::readdir(directory.get())) {
    const auto pid = proc::to_number<int>(entry->d_name);
    if (!pid) continue;
    const std::string text =
        ProcDirectory::read_file("/proc/" + std::string(entry->d_name) + "/stat");
    if (!text.empty()) parents[*pid] = proc::parse_stat(text).parent;
  }
  return parents;
}

bool kernel_lists_children() { return ::access("/proc/thread-self/children", R_OK) == 0; }

}  // namespace

std::vector<int> process_tree_by_parents(int root) {
  // Two looks at most miss nobody who lives through both: a child forked behind the scan is found
  // by the next one, so go on until two agree.
  constexpr int kMostScans = 16;
  std::vector<int> tree;
  for (int scan = 0; scan < kMostScans; ++scan) {
    const std::map<int, int> parents = parents_of_all();
    if (!parents.contains(root)) return {};
    std::vector<int> found = {root};
    for (std::size_t i = 0; i < found.size(); ++i) {
      for (const auto& [pid, parent] : parents) {
        if (parent == found[i] && pid != root) found.push_back(pid);
      }
    }
    if (found == tree) break;
    tree = std::move(found);
  }
  return tree;
}

std::vector<int> process_tree(int root) {
  if (!kernel_lists_children()) return process_tree_by_parents(root);
  // A `children` file may leave somebody out when a sibling exits during the read, so a pass that
  // finds nobody new is confirmed by a second one. A tree that forks without end is not followed
  // for ever: its newest are caught by the freezer.
  constexpr int kMostPasses = 32;
  TreeListing listing(root);
  int quiet = 0;
  for (int pass = 0; pass < kMostPasses && quiet < 2; ++pass) {
    quiet = listing.pass() ? 0 : quiet + 1;
  }
  return listing.living();
}

}  // namespace icecore::snapshot
