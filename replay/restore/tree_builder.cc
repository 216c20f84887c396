// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/tree_builder.h"

#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "base/error.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

/// A fork that did not execute another program since: its memory is mostly its parent's.
bool is_fork_of(const model::Process& child, const model::Process& parent) {
  return child.layout().start_stack() != 0 &&
         child.layout().start_stack() == parent.layout().start_stack() &&
         child.layout().start_code() == parent.layout().start_code() &&
         child.executable() == parent.executable();
}

bool leads_session(const model::Process& process) {
  return inner_session(process) == inner_pid(process);
}

/// "bash", "bash, which has ended but was not waited for"; empty when it cannot be seen.
std::string owner_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto open = line.find('(');
  const auto close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  const bool zombie = line.compare(close + 2, 1, "Z") == 0;
  return line.substr(open + 1, close - open - 1) +
         (zombie ? ", which has ended but was not waited for by its parent" : "");
}

void call_or_throw(Puppet& puppet, const std::string& what, std::int64_t number,
                   std::array<std::uint64_t, 6> arguments = {}) {
  const std::int64_t result = puppet.call(number, arguments);
  if (result < 0) throw_errno(what, static_cast<int>(-result));
}

}  // namespace

TreeBuilder::TreeBuilder(const model::Snapshot& snapshot, Nursery& nursery, const Bank& bank,
                         bool in_place, FillMemory fill)
    : snapshot_(snapshot),
      nursery_(nursery),
      bank_(bank),
      in_place_(in_place),
      fill_(std::move(fill)) {}

RestoredProcess* TreeBuilder::find(int pid) const {
  const auto found = std::ranges::find_if(
      processes_, [pid](const auto& process) { return process->model->pid() == pid; });
  return found == processes_.end() ? nullptr : found->get();
}

std::vector<const model::Process*> TreeBuilder::children_of(int pid) const {
  std::vector<const model::Process*> children;
  for (const auto& process : snapshot_.processes()) {
    if (process.parent_pid() == pid) children.push_back(&process);
  }
  return children;
}

const model::Process* TreeBuilder::leader_in_tree(int session) const {
  for (const auto& process : snapshot_.processes()) {
    if (inner_pid(process) == session && leads_session(process)) return &process;
  }
  return nullptr;
}

void TreeBuilder::build() {
  const auto has_parent = [this](const model::Process& process) {
    return std::ranges::any_of(snapshot_.processes(), [&](const model::Process& other) {
      return other.pid() == process.parent_pid();
    });
  };
  for (const auto& process : snapshot_.processes()) {
    if (!has_parent(process)) grow_outsider(process);
  }
  // Growing one may put off others.
  for (std::size_t i = 0; i < by_leader_.size(); ++i) {
    const auto& process = *by_leader_[i];
    const model::Process* leader = leader_in_tree(inner_session(process));
    RestoredProcess* made = leader == nullptr ? nullptr : find(leader->pid());
    if (made != nullptr) {
      grow_by_leader(process, *made);
      continue;
    }
    // The leader has ended: one for a while, below the process that its children are given to.
    RestoredProcess* parent = find(process.parent_pid());
    if (leader != nullptr || parent == nullptr) {
      throw Refused(name_of(process) + ": its session " + std::to_string(inner_session(process)) +
                    " cannot be made again");
    }
    grow(process, session_helper(inner_session(process), parent->puppet), parent);
  }
  join_groups();
  end_helpers();
  check_parents();
}

/// Those that were born by others must have been given to their parents by now.
void TreeBuilder::check_parents() const {
  for (const auto* process : by_leader_) {
    const RestoredProcess* made = find(process->pid());
    const RestoredProcess* parent = find(process->parent_pid());
    if (made == nullptr || parent == nullptr) continue;
    std::ifstream file("/proc/" + std::to_string(made->pid) + "/stat");
    std::string line;
    std::getline(file, line);
    const auto close = line.rfind(')');
    const int now = close == std::string::npos ? 0 : std::atoi(line.c_str() + close + 4);
    if (now != parent->pid) {
      throw Refused(name_of(*process) + ": it cannot be made a child of " +
                    name_of(*parent->model) + " again, which has adopted it");
    }
  }
}

/// A process whose parent is outside of the tree: a child of init.
void TreeBuilder::grow_outsider(const model::Process& process) {
  const int session = inner_session(process);
  if (leads_session(process)) return grow(process, nursery_.puppet(), nullptr);
  if (leader_in_tree(session) != nullptr) {
    by_leader_.push_back(&process);
    return;
  }
  if (session == 0) return grow(process, nursery_.puppet(), nullptr);
  if (!in_place_ && !joins_our_session_) {
    return grow(process, session_helper(session, nursery_.puppet()), nullptr);
  }
  if (in_place_ && session != ::getsid(0)) {
    notes_.push_back(name_of(process) + ": session " + std::to_string(session) +
                     " belongs to processes outside of the tree; it is in that of icecore instead");
  }
  grow(process, nursery_.puppet(), nullptr);
}

/// Its parent is not in its session (any more): the session's leader makes a process in between,
/// and when that ends the kernel gives the child to the next subreaper, or init.
void TreeBuilder::grow_by_leader(const model::Process& process, RestoredProcess& leader) {
  Puppet& between = make_helper(leader.puppet, 0);
  grow(process, between, leader.has_memory ? &leader : nullptr);
}

Puppet& TreeBuilder::session_helper(int session, Puppet& parent) {
  auto& known = session_helpers_[session];
  if (known == nullptr) {
    known = &make_helper(parent, session);
    call_or_throw(*known, "session " + std::to_string(session) + ": setsid", SYS_setsid);
  }
  return *known;
}

Puppet& TreeBuilder::make_helper(Puppet& parent, int pid) {
  const int born = bear(parent, pid, 0, "a process of icecore");
  auto puppet = std::make_unique<Puppet>(born, parent.area());
  Puppet& result = *puppet;
  const auto own = static_cast<int>(result.call(SYS_getpid));
  helpers_.push_back({std::move(puppet), &parent, own});
  return result;
}

int TreeBuilder::bear(Puppet& creator, int pid, unsigned flags, const std::string& name) {
  clone_args arguments{};
  arguments.flags = flags;
  // With CLONE_PARENT the child has the same one as its creator, and must not name any.
  arguments.exit_signal = (flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
  const std::uint64_t wanted = creator.scratch() + sizeof arguments;
  if (pid != 0) {
    arguments.set_tid = wanted;
    arguments.set_tid_size = 1;
  }
  std::array<std::byte, sizeof arguments + sizeof pid> bytes{};
  std::memcpy(bytes.data(), &arguments, sizeof arguments);
  std::memcpy(bytes.data() + sizeof arguments, &pid, sizeof pid);
  creator.write(creator.scratch(), bytes);
  std::array calls{RemoteCall{SYS_clone3, {creator.scratch(), sizeof arguments}, 0}};
  const auto born = creator.run(creator.pid(), calls);
  const auto error = static_cast<int>(-calls[0].result);
  if (calls[0].result < 0 && error == EEXIST) {
    const std::string owner = in_place_ ? owner_of(pid) : "";
    Refused taken(name + ": pid " + std::to_string(pid) + " is taken" +
                  (owner.empty() ? "" : " by " + owner));
    taken.set_hint("leave out --in-place: in namespaces of its own the tree keeps its pids");
    throw taken;
  }
  if (calls[0].result < 0) throw_errno(name + ": making it with pid " + std::to_string(pid), error);
  if (born.size() != 1) throw Error(name + ": the kernel did not tell its pid");
  snapshot::await_stop(born[0]);
  return born[0];
}

void TreeBuilder::grow(const model::Process& process, Puppet& creator,
                       const RestoredProcess* image) {
  const bool from_nursery = &creator == &nursery_.puppet();
  unsigned flags = from_nursery && in_place_ ? unsigned{CLONE_PARENT} : 0U;
  const RestoredProcess* parent = find(process.parent_pid());
  if (parent != nullptr && &parent->puppet == &creator) {
    if (parent->model->descriptor_table() == process.descriptor_table()) flags |= CLONE_FILES;
    if (parent->model->fs_struct() == process.fs_struct()) flags |= CLONE_FS;
  }
  const bool banked =
      bank_.memory != nullptr && from_nursery && process.pid() == snapshot_.root_pid();
  if (banked) image = &bank_.memory->kept();
  const int born = banked ? bank_.memory->fork_into(nursery_, *bank_.transport, inner_pid(process))
                          : bear(creator, inner_pid(process), flags, name_of(process));
  const std::uint64_t area = banked ? image->puppet.area() : creator.area();
  processes_.push_back(std::make_unique<RestoredProcess>(
      RestoredProcess{&process, born, Puppet(born, area), {}, false}));
  RestoredProcess& made = *processes_.back();
  made.threads[process.pid()] = born;
  if (process.child_subreaper()) {
    call_or_throw(made.puppet, name_of(process) + ": becoming a subreaper", SYS_prctl,
                  {PR_SET_CHILD_SUBREAPER, 1});
  }

  // Children that were born before this process made its session must be born before again; those
  // that have another program than it are born while it is still small.
  std::vector<const model::Process*> order[2][2];  // [after setsid][is a fork]
  for (const auto* child : children_of(process.pid())) {
    const int session = inner_session(*child);
    const bool own = leads_session(*child) || session == inner_session(process);
    const bool before = !own && leads_session(process) && leader_in_tree(session) == nullptr;
    if (!own && !before) {
      by_leader_.push_back(child);
      continue;
    }
    order[before ? 0 : 1][is_fork_of(*child, process) ? 1 : 0].push_back(child);
  }
  const auto make_session = [&] {
    if (leads_session(process)) {
      call_or_throw(made.puppet, name_of(process) + ": setsid", SYS_setsid);
    }
  };
  grow_children(made, order[0][0], image);
  const bool early = order[0][1].empty();
  if (early) make_session();
  if (early) grow_children(made, order[1][0], image);
  if (process.state() != model::Process::ZOMBIE) {
    fill_(made, image);
    made.has_memory = true;
  }
  grow_children(made, order[0][1], made.has_memory ? &made : image);
  if (!early) make_session();
  if (!early) grow_children(made, order[1][0], made.has_memory ? &made : image);
  grow_children(made, order[1][1], made.has_memory ? &made : image);
}

/// `image`: whose memory the parent has at this time.
void TreeBuilder::grow_children(RestoredProcess& parent,
                                const std::vector<const model::Process*>& children,
                                const RestoredProcess* image) {
  for (const auto* child : children) grow(*child, parent.puppet, image);
}

void TreeBuilder::join_groups() {
  for (const auto& process : processes_) {
    const auto& known = *process->model;
    if (inner_group(known) == inner_pid(known) && !leads_session(known)) {
      call_or_throw(process->puppet, name_of(known) + ": setpgid", SYS_setpgid, {0, 0});
    }
  }
  for (const auto& process : processes_) {
    const int group = inner_group(*process->model);
    if (group != 0 && group != inner_pid(*process->model)) join_group(*process, group);
  }
}

void TreeBuilder::join_group(RestoredProcess& process, int group) {
  Puppet& puppet = process.puppet;
  if (puppet.call(SYS_getpgid, {0}) == group) return;
  std::int64_t result = puppet.call(SYS_setpgid, {0, static_cast<std::uint64_t>(group)});
  if (result == 0) return;
  if (in_place_ && ::kill(group, 0) == 0) {
    notes_.push_back(name_of(*process.model) + ": process group " + std::to_string(group) +
                     " is of another session now; it is in a group of its own");
    puppet.call(SYS_setpgid, {0, 0});
    return;
  }
  // Its leader has ended: one for a while, by preference a fork of something small.
  const auto session = session_helpers_.find(inner_session(*process.model));
  Puppet& leader =
      make_helper(session == session_helpers_.end() ? puppet : *session->second, group);
  call_or_throw(leader, "process group " + std::to_string(group) + ": setpgid", SYS_setpgid,
                {0, 0});
  call_or_throw(puppet, name_of(*process.model) + ": setpgid", SYS_setpgid,
                {0, static_cast<std::uint64_t>(group)});
}

void TreeBuilder::end_helpers() {
  while (!helpers_.empty()) {
    end_helper(helpers_.back());
    helpers_.pop_back();
  }
  session_helpers_.clear();
}

void TreeBuilder::end_helper(Helper& helper) {
  ::kill(helper.puppet->pid(), SIGKILL);
  ::waitpid(helper.puppet->pid(), nullptr, __WALL);
  helper.parent->call(SYS_wait4,
                      {static_cast<std::uint64_t>(helper.inner_pid), 0, unsigned{__WALL}, 0});
}

void TreeBuilder::kill_all() {
  std::vector<int> pids;
  for (const auto& process : processes_) pids.push_back(process->pid);
  for (const auto& helper : helpers_) pids.push_back(helper.puppet->pid());
  for (const int pid : pids) ::kill(pid, SIGKILL);
  // Other threads are ours to reap, and come before their leader does.
  for (const auto& process : processes_) {
    for (const auto& [tid, own] : process->threads) {
      if (tid != process->model->pid()) ::waitpid(own, nullptr, __WALL);
    }
  }
  for (const int pid : pids) ::waitpid(pid, nullptr, __WALL);
}

void TreeBuilder::end_zombies() {
  // Children first, so that nobody is given to a reaper.
  for (auto process = processes_.rbegin(); process != processes_.rend(); ++process) {
    const auto& known = *(*process)->model;
    if (known.state() != model::Process::ZOMBIE) continue;
    const int tid = (*process)->puppet.pid();
    const int status = known.exit_code();
    auto registers = ptrace_call::registers(tid);
    if (!registers) throw Error(name_of(known) + ": died");
    if (WIFSIGNALED(status)) {
      // By the signal itself, with nothing that could keep it from killing.
      ptrace_call::set_signal_mask(tid, 0);
      ::kill(tid, WTERMSIG(status));
    } else {
      (*process)->puppet.begin_call(
          RemoteCall{SYS_exit_group, {static_cast<std::uint64_t>(WEXITSTATUS(status))}, 0});
    }
    int signal = 0;
    for (int ended = 0;;) {
      ptrace_call::resume(tid, signal);
      if (::waitpid(tid, &ended, __WALL) != tid || !WIFSTOPPED(ended)) break;
      signal = ended >> 16 != 0 ? 0 : WSTOPSIG(ended);
    }
  }
}

}  // namespace icecore::replay
