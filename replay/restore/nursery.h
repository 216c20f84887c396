// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "replay/restore/puppet.h"
#include "replay/restore/transport.h"
#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// The first puppet, which makes the tree's root and those processes whose parent is outside. In
/// new namespaces it is their pid 1 and stays as their init; in place it goes away.
class Nursery {
 public:
  struct Options {
    bool in_place = false;
    bool new_ipc = false;
    bool new_uts = false;
    /// Lives on when we end.
    bool detach = false;
    /// Which snapshot it is; the new tree's mounts tell (snapshot/capture/life_origin.h).
    std::string snapshot;
    /// Given a view of the tree's own: see replay/files/private_view.h. Not in place.
    std::vector<std::string> private_directories;
    /// The same, as far as that can be had.
    std::vector<std::string> wished_directories;
    enum class OtherFiles { Writable, ReadOnly };
    OtherFiles other_files = OtherFiles::Writable;
    /// The moment at which the tree's clocks go on.
    model::Clocks clocks;
  };

  /// `transport` numbers lie above all descriptors of the tree.
  Nursery(const Options& options, Transport& transport);
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;
  /// Kills it, and with it everything in its PID namespace, unless let_go() was called; in place it
  /// is killed in any case. What it made in place is the caller's to kill.
  ~Nursery();

  [[nodiscard]] Puppet& puppet() { return *puppet_; }
  /// What the restored tree has as / (O_PATH), in its own mount namespace.
  [[nodiscard]] int root() const { return root_.get(); }
  [[nodiscard]] int pid() const { return pid_; }

  /// The tree is complete: the nursery becomes init (waiting for `root_pid`, as its namespace has
  /// it), or ends when in place.
  void let_go(int root_pid);

  /// Pairs {int32 pid, int32 wait status} of the children of init, pids as the namespace has them.
  /// Invalid in place.
  [[nodiscard]] UniqueFd take_reports() { return std::move(reports_); }

 private:
  void start(const Options& options, const Transport& transport);
  void enter_time_namespace(const model::Clocks& clocks);
  void prepare_mounts(const Options& options);

  bool in_place_;
  bool detach_;
  int pid_ = 0;
  int report_number_ = -1;
  bool gone_ = false;
  std::optional<Puppet> puppet_;
  UniqueFd root_;
  UniqueFd reports_;
};

}  // namespace icecore::replay
