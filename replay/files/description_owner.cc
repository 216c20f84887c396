// SPDX-License-Identifier: Apache-2.0
#include "replay/files/description_owner.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include <algorithm>

#include "replay/files/inherited.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

/// How the tree itself calls the owner; 0 when it is gone.
int owner_inside(const model::Snapshot& model, const OpenFile& file) {
  for (const auto& process : model.processes()) {
    if (file.owner_type() == F_OWNER_PGRP) {
      if (process.process_group() != file.owner_pid()) continue;
      const auto& groups = process.namespace_process_groups();
      return groups.empty() ? process.process_group() : *groups.rbegin();
    }
    if (process.pid() == file.owner_pid()) {
      const auto& pids = process.namespace_pids();
      return pids.empty() ? process.pid() : *pids.rbegin();
    }
    for (const auto& thread : process.threads()) {
      if (thread.tid() != file.owner_pid()) continue;
      const auto& tids = thread.namespace_tids();
      return tids.empty() ? thread.tid() : *tids.rbegin();
    }
  }
  return 0;
}

std::uint64_t number(int value) { return static_cast<std::uint64_t>(value); }

int highest_descriptor(const model::Process& process) {
  int highest = 2;
  for (const auto& descriptor : process.descriptors()) {
    highest = std::max(highest, descriptor.fd());
  }
  return highest;
}

const model::FileDescriptor* find_holder(const model::Process& process, std::uint32_t description,
                                         int preferred) {
  const model::FileDescriptor* found = nullptr;
  for (const auto& descriptor : process.descriptors()) {
    if (descriptor.description() != description) continue;
    if (found == nullptr || descriptor.fd() == preferred) found = &descriptor;
  }
  return found;
}

/// Adds the target under its number, which may lead elsewhere now or nowhere.
void add_target(const model::Process& process, int epoll, const model::EpollTarget& target,
                CallBatch& batch) {
  const std::string what = "epoll target " + std::to_string(target.fd());
  const auto* const holder = find_holder(process, target.description(), target.fd());
  if (holder == nullptr) return;
  const bool aside = holder->fd() != target.fd();
  const bool taken = aside && std::ranges::any_of(process.descriptors(), [&](const auto& other) {
                       return other.fd() == target.fd();
                     });
  const int saved = std::max(highest_descriptor(process), target.fd()) + 1;
  if (taken) batch.add(SYS_dup3, {number(target.fd()), number(saved), O_CLOEXEC}, what);
  if (aside) batch.add(SYS_dup3, {number(holder->fd()), number(target.fd()), O_CLOEXEC}, what);
  epoll_event event{};
  event.events = target.events();
  event.data.u64 = target.data();
  const std::uint64_t address = batch.put_struct(event);
  batch.add(SYS_epoll_ctl, {number(epoll), EPOLL_CTL_ADD, number(target.fd()), address}, what);
  if (aside) batch.add(SYS_close, {number(target.fd())}, what);
  if (!taken) return;
  const auto& descriptors = process.descriptors();
  const auto old = std::ranges::find(descriptors, target.fd(), &model::FileDescriptor::fd);
  const std::uint64_t flags = old->close_on_exec() ? O_CLOEXEC : 0;
  batch.add(SYS_dup3, {number(saved), number(target.fd()), flags}, what);
  batch.add(SYS_close, {number(saved)}, what);
}

}  // namespace

Finishers find_finishers(const model::Snapshot& model) {
  Finishers finishers;
  for (const auto& process : model.processes()) {
    for (const auto& descriptor : process.descriptors()) {
      finishers.try_emplace(descriptor.description(), Finisher{process.pid(), descriptor.fd()});
    }
  }
  return finishers;
}

void restore_owner(const model::Snapshot& model, const OpenFile& file, int fd, CallBatch& batch) {
  const std::string what = "fd " + std::to_string(fd) + " (" + file.target() + "): set its owner";
  const int owner = file.owner_pid() == 0 ? 0 : owner_inside(model, file);
  if (owner != 0) {
    const f_owner_ex value{static_cast<decltype(f_owner_ex::type)>(file.owner_type()), owner};
    const std::uint64_t address = batch.put_struct(value);
    batch.add(SYS_fcntl, {number(fd), F_SETOWN_EX, address}, what);
  }
  if (file.owner_signal() != 0) {
    batch.add(SYS_fcntl, {number(fd), F_SETSIG, number(file.owner_signal())}, what);
  }
  if ((file.flags() & O_ASYNC) != 0) {
    batch.add(SYS_fcntl, {number(fd), F_SETFL, file.flags()}, what);
  }
}

void add_signalfd_targets(const model::Snapshot& model, const Finishers& finishers,
                          const model::Process& process, CallBatch& batch) {
  for (const auto& descriptor : process.descriptors()) {
    const OpenFile* const epoll = find_description(model, descriptor.description());
    if (epoll == nullptr || epoll->kind() != OpenFile::EPOLL) continue;
    const Finisher self{process.pid(), descriptor.fd()};
    if (finishers.at(descriptor.description()) != self) continue;
    for (const auto& target : epoll->epoll_targets()) {
      const OpenFile* const file = find_description(model, target.description());
      if (file == nullptr || file->kind() != OpenFile::SIGNALFD) continue;
      add_target(process, descriptor.fd(), target, batch);
    }
  }
}

}  // namespace icecore::replay
