// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/descriptors.h"

#include <fcntl.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "snapshot/capture/description.h"
#include "snapshot/capture/epoll_targets.h"
#include "snapshot/capture/peers.h"
#include "snapshot/capture/socket_messages.h"

namespace icecore::snapshot {
namespace {

void add_limitation(model::Snapshot& snapshot, int pid, int tid, const char* object,
                    const char* reason) {
  model::Limitation& limitation = *snapshot.add_limitations();
  limitation.set_pid(pid);
  limitation.set_tid(tid);
  limitation.set_object(object);
  limitation.set_reason(reason);
  limitation.set_effect(model::Limitation::VIEW_ONLY);
}

}  // namespace

void DescriptorCapture::capture_tables() {
  for (model::Process& process : *snapshot_.mutable_processes()) {
    if (process.state() != model::Process::ZOMBIE) capture_process(process);
  }
}

bool DescriptorCapture::capture_other_tables(const std::set<int>& rested) {
  keep_only(rested);
  read_open_files_again();
  for (model::Process& process : *snapshot_.mutable_processes()) {
    if (process.state() == model::Process::ZOMBIE || rested.contains(process.pid())) continue;
    capture_process(process);
    const auto owner = table_owners_.find(process.descriptor_table());
    if (owner != table_owners_.end() && rested.contains(owner->second->pid())) return false;
  }
  return true;
}

/// Of objects that several hold, another holder now stands for them.
void DescriptorCapture::keep_only(const std::set<int>& rested) {
  const bool all = std::ranges::all_of(
      tids_, [&rested](const auto& entry) { return rested.contains(entry.first); });
  if (all) return;
  std::erase_if(tids_, [&rested](const auto& entry) { return !rested.contains(entry.first); });
  tables_ = {};
  fs_structs_ = {};
  table_owners_.clear();
  std::vector<model::OpenFile> files;
  std::vector<Holder> holders;
  std::map<std::uint32_t, std::uint32_t> new_ids;
  for (model::Process& process : *snapshot_.mutable_processes()) {
    const auto tid = tids_.find(process.pid());
    if (tid == tids_.end()) continue;
    tables_.find_or_add(tid->second, process.descriptor_table(), compare_descriptor_tables);
    fs_structs_.find_or_add(tid->second, process.fs_struct(), compare_fs_structs);
    table_owners_.emplace(process.descriptor_table(), &process);
    for (model::FileDescriptor& descriptor : *process.mutable_descriptors()) {
      const auto [id, added] =
          new_ids.emplace(descriptor.description(), static_cast<std::uint32_t>(files.size()) + 1);
      if (added) {
        files.push_back(snapshot_.open_files(static_cast<int>(descriptor.description()) - 1));
        holders.push_back({tid->second, descriptor.fd()});
      }
      descriptor.set_description(id->second);
    }
  }
  holders_ = std::move(holders);
  snapshot_.mutable_open_files()->Assign(files.begin(), files.end());
}

void DescriptorCapture::read_open_files_again() {
  descriptions_.clear();
  std::optional<ProcDirectory> directory;
  int tid = 0;
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    const Holder& holder = holders_[i];
    const auto id = static_cast<unsigned>(i) + 1;
    model::OpenFile& file = *snapshot_.mutable_open_files(static_cast<int>(i));
    file.Clear();
    file.set_id(id);
    if (!directory || tid != holder.tid) directory = ProcDirectory::open(tid = holder.tid);
    const auto text = directory ? directory->read_fdinfo(holder.fd) : std::nullopt;
    if (!text) continue;  // killed meanwhile
    const proc::FdInfo info = proc::parse_fdinfo(*text);
    descriptions_[key_of(info)].find_or_add(holder, id, compare_holders);
    name_open_file(*directory, holder.fd, info, file);
  }
}

DescriptorCapture::Key DescriptorCapture::key_of(const proc::FdInfo& info) {
  return {info.inode, info.mount_id, info.position, info.flags & ~static_cast<unsigned>(O_CLOEXEC)};
}

KernelOrder DescriptorCapture::compare_holders(const Holder& a, const Holder& b) {
  return compare_descriptions(a.tid, a.fd, b.tid, b.fd);
}

void DescriptorCapture::capture_objects() {
  const std::size_t named = holders_.size();
  for (std::size_t i = 0; i < named; ++i) ask_object(i);
  capture_queues();
  link_peers(snapshot_, pipes_);
  find_epoll_targets(snapshot_);
}

void DescriptorCapture::capture_process(model::Process& process) {
  const auto directory = ProcDirectory::open(process.pid());
  if (!directory || directory->stat().start_time != process.start_time()) return;
  const int tid = tids_[process.pid()] = directory->shared_tid();
  assign_tables(tid, process);
  check_threads(tid, process);
  const auto [owner, added] = table_owners_.emplace(process.descriptor_table(), &process);
  if (added) {
    capture_descriptors(*directory, process);
  } else {
    *process.mutable_descriptors() = owner->second->descriptors();
  }
}

void DescriptorCapture::assign_tables(int tid, model::Process& process) {
  const auto table = tables_.find_or_add(tid, last_table_ + 1, compare_descriptor_tables);
  if (table.is_new) ++last_table_;
  process.set_descriptor_table(table.id);
  const auto fs = fs_structs_.find_or_add(tid, last_fs_struct_ + 1, compare_fs_structs);
  if (fs.is_new) ++last_fs_struct_;
  process.set_fs_struct(fs.id);
  if (!table.certain || !fs.certain) note_uncertain(process.pid());
}

// Threads that left the table they were born with, by unshare(2), have descriptors that the model
// has no place for.
void DescriptorCapture::check_threads(int tid, const model::Process& process) {
  for (const model::Thread& thread : process.threads()) {
    if (thread.tid() == tid || thread.state() == "Z" || thread.state() == "X") continue;
    const auto differs = [](KernelOrder order) {
      return order == KernelOrder::Less || order == KernelOrder::Greater;
    };
    if (differs(compare_descriptor_tables(tid, thread.tid()))) {
      add_limitation(snapshot_, process.pid(), thread.tid(), "descriptors of its own",
                     "the thread does not share its process's descriptor table; only the process's "
                     "is held");
    }
    if (differs(compare_fs_structs(tid, thread.tid()))) {
      add_limitation(snapshot_, process.pid(), thread.tid(), "working directory of its own",
                     "the thread does not share its process's directories and umask; only the "
                     "process's are held");
    }
  }
}

void DescriptorCapture::note_uncertain(int pid) {
  if (uncertain_) return;
  uncertain_ = true;
  add_limitation(snapshot_, pid, 0, "sharing of descriptors",
                 "the kernel does not compare them (kcmp is missing or forbidden), so those that "
                 "processes share look separate");
}

void DescriptorCapture::capture_descriptors(const ProcDirectory& directory,
                                            model::Process& process) {
  for (const int fd : directory.descriptors()) capture_descriptor(directory, fd, process);
}

void DescriptorCapture::capture_descriptor(const ProcDirectory& directory, int fd,
                                           model::Process& process) {
  const auto text = directory.read_fdinfo(fd);
  if (!text) return;
  const proc::FdInfo info = proc::parse_fdinfo(*text);
  model::FileDescriptor& descriptor = *process.add_descriptors();
  // Before anything else is read: the lines lie in the directory's buffer.
  for (const std::string_view line : info.extra) {
    const bool is_lock = line.starts_with("lock:") && line.find("POSIX") != line.npos;
    if (is_lock) descriptor.add_locks(std::string(line));
  }
  const std::uint32_t id = add_description(directory, fd, info);
  descriptor.set_fd(fd);
  descriptor.set_close_on_exec((info.flags & O_CLOEXEC) != 0);
  descriptor.set_description(id);
}

std::uint32_t DescriptorCapture::add_description(const ProcDirectory& directory, int fd,
                                                 const proc::FdInfo& info) {
  const auto new_id = static_cast<unsigned>(snapshot_.open_files_size()) + 1;
  const auto found = descriptions_[key_of(info)].find_or_add({directory.shared_tid(), fd}, new_id,
                                                             compare_holders);
  if (!found.certain) note_uncertain(directory.pid());
  if (found.is_new) {
    model::OpenFile& file = *snapshot_.add_open_files();
    file.set_id(new_id);
    name_open_file(directory, fd, info, file);
    holders_.push_back({directory.shared_tid(), fd});
  }
  return found.id;
}

void DescriptorCapture::ask_object(std::size_t index) {
  model::OpenFile& file = *snapshot_.mutable_open_files(static_cast<int>(index));
  if (!must_be_asked(file)) return;
  const Holder& holder = holders_[index];
  if (!lender_ || lender_->first != holder.tid) {
    lender_.emplace(holder.tid, DescriptorLender(holder.tid));
  }
  ask_open_file({holder.tid, holder.fd, lender_->second}, pipes_, file);
}

// ---- what waits in unix sockets, with the descriptors that travel there

void DescriptorCapture::capture_queues() {
  // Descriptors in flight are added behind, and may be sockets with queues themselves.
  for (int i = 0; i < snapshot_.open_files_size(); ++i) {
    const model::OpenFile& file = snapshot_.open_files(i);
    if (file.has_socket() && has_readable_queue(file.socket())) capture_queue(file.id());
  }
}

void DescriptorCapture::capture_queue(std::uint32_t id) {
  const Holder holder = holders_[id - 1];
  const UniqueFd borrowed = DescriptorLender(holder.tid).borrow(holder.fd);
  if (!borrowed.valid()) return;
  model::Socket* const socket =
      snapshot_.mutable_open_files(static_cast<int>(id) - 1)->mutable_socket();
  auto peeked = peek_messages(borrowed.get(), *socket);
  if (!peeked) return;
  std::vector<model::SocketMessage> messages;
  for (PeekedMessage& each : *peeked) {
    for (UniqueFd& fd : each.descriptors) {
      each.message.add_descriptions(capture_in_flight(std::move(fd)));
    }
    messages.push_back(std::move(each.message));
  }
  // The list of open files may have moved.
  model::Socket& filled = *snapshot_.mutable_open_files(static_cast<int>(id) - 1)->mutable_socket();
  filled.set_messages_held(true);
  filled.mutable_messages()->Assign(messages.begin(), messages.end());
}

std::uint32_t DescriptorCapture::capture_in_flight(UniqueFd fd) {
  const auto self = ProcDirectory::open(::getpid());
  const auto text = self ? self->read_fdinfo(fd.get()) : std::nullopt;
  if (!text) return 0;
  const proc::FdInfo info = proc::parse_fdinfo(*text);
  const std::size_t named = holders_.size();
  const std::uint32_t id = add_description(*self, fd.get(), info);
  if (holders_.size() > named) ask_object(named);
  in_flight_.push_back(std::move(fd));
  return id;
}

}  // namespace icecore::snapshot
