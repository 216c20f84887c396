// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "replay/restore/memory_bank.h"
#include "replay/restore/nursery.h"
#include "replay/restore/restored_process.h"

namespace icecore::replay {

/// Makes all processes of a snapshot, each by its own parent, with their pids, sessions and process
/// groups. A session or group whose leader has ended gets one for a while, which then ends too.
class TreeBuilder {
 public:
  /// Gives a newborn process its memory. `image` is the process whose memory it was born with, null
  /// for the seed's.
  using FillMemory = std::function<void(RestoredProcess& process, const RestoredProcess* image)>;

  /// Where the root is born from, when it is not null.
  struct Bank {
    MemoryBank* memory = nullptr;
    const Transport* transport = nullptr;
  };

  TreeBuilder(const model::Snapshot& snapshot, Nursery& nursery, const Bank& bank, bool in_place,
              FillMemory fill);

  /// Zombies are still alive afterwards: see end_zombies().
  void build();
  /// Ends those that have ended in the snapshot; their parents get no signal for it, provided that
  /// their pending signals are set later.
  void end_zombies();

  /// Everything that was made dies at once; for a restore that failed.
  void kill_all();

  /// Parents first.
  [[nodiscard]] const std::vector<std::unique_ptr<RestoredProcess>>& processes() const {
    return processes_;
  }
  [[nodiscard]] RestoredProcess* find(int pid) const;
  /// What came out other than in the snapshot; one line each.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  /// In new namespaces, before build(): a session that was led from outside of the tree is not made
  /// again; its processes join ours, whose terminal they shall have. getsid(2) tells them 0 then.
  void join_our_session() { joins_our_session_ = true; }

 private:
  struct Helper {
    std::unique_ptr<Puppet> puppet;
    Puppet* parent;
    int inner_pid;
  };

  [[nodiscard]] std::vector<const model::Process*> children_of(int pid) const;
  [[nodiscard]] const model::Process* leader_in_tree(int session) const;
  void grow(const model::Process& process, Puppet& creator, const RestoredProcess* image);
  void grow_children(RestoredProcess& parent, const std::vector<const model::Process*>& children,
                     const RestoredProcess* image);
  void grow_outsider(const model::Process& process);
  void grow_by_leader(const model::Process& process, RestoredProcess& leader);
  Puppet& session_helper(int session, Puppet& parent);
  Puppet& make_helper(Puppet& parent, int pid);
  void check_parents() const;
  void join_groups();
  void join_group(RestoredProcess& process, int group);
  void end_helpers();
  void end_helper(Helper& helper);
  int bear(Puppet& creator, int pid, unsigned flags, const std::string& name);

  const model::Snapshot& snapshot_;
  Nursery& nursery_;
  Bank bank_;
  bool in_place_;
  bool joins_our_session_ = false;
  FillMemory fill_;
  std::vector<std::unique_ptr<RestoredProcess>> processes_;
  std::map<int, Puppet*> session_helpers_;
  std::vector<Helper> helpers_;
  std::vector<const model::Process*> by_leader_;  ///< born later, by their session's leader
  std::vector<std::string> notes_;
};

}  // namespace icecore::replay
