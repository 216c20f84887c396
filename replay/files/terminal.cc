// SPDX-License-Identifier: Apache-2.0
#include "replay/files/terminal.h"

#include <asm/termbits.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "base/error.h"
#include "replay/files/inherited.h"
#include "replay/files/makers.h"
#include "replay/files/status_flags.h"
#include "replay/files/tree_path.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

constexpr unsigned kSlaveMajor = 136;  // UNIX98_PTY_SLAVE_MAJOR and seven more

/// /dev/tty: the terminal of the session of whoever has it.
int index_of_session(const model::Snapshot& model, const OpenFile& file) {
  for (const auto& process : model.processes()) {
    for (const auto& descriptor : process.descriptors()) {
      if (descriptor.description() != file.id()) continue;
      return pty_of_device(static_cast<unsigned>(process.terminal()));
    }
  }
  return -1;
}

int index_of(const model::Snapshot& model, const OpenFile& file) {
  return file.pty_index() >= 0 ? file.pty_index() : index_of_session(model, file);
}

/// The master with that number. The kernel gives the lowest that is free, so those below are held
/// until it comes.
UniqueFd open_master(int root, int index) {
  std::vector<UniqueFd> below;
  for (;;) {
    UniqueFd master = try_open_in_tree(root, "/dev/ptmx", O_RDWR | O_NOCTTY);
    if (!master.valid()) throw_errno("open /dev/ptmx");
    unsigned number = 0;
    if (::ioctl(master.get(), TIOCGPTN, &number) != 0) throw_errno("ask for the pty's number");
    if (static_cast<int>(number) == index) return master;
    if (static_cast<int>(number) > index) {
      throw Error("pty " + std::to_string(index) + " is taken");
    }
    below.push_back(std::move(master));
  }
}

void set_up(int slave, const OpenFile& file) {
  if (file.termios().size() == sizeof(termios2) &&
      ::ioctl(slave, TCSETS2, file.termios().data()) != 0) {
    throw_errno("set the terminal's modes");
  }
  if (file.winsize().size() == sizeof(winsize) &&
      ::ioctl(slave, TIOCSWINSZ, file.winsize().data()) != 0) {
    throw_errno("set the terminal's size");
  }
}

UniqueFd open_slave(int master, unsigned flags) {
  const auto mode = static_cast<int>(flags & (O_ACCMODE | kStatusFlags)) | O_NOCTTY | O_CLOEXEC;
  UniqueFd slave(::ioctl(master, TIOCGPTPEER, mode));
  if (!slave.valid()) throw_errno("open the slave");
  return slave;
}

}  // namespace

int pty_of_device(unsigned device) {
  const unsigned number = gnu_dev_major(device);
  if (number < kSlaveMajor || number >= kSlaveMajor + 8) return -1;
  return static_cast<int>(gnu_dev_minor(device) + (number - kSlaveMajor) * 256);
}

Objection check_terminal(const Checking& checking, const OpenFile& file) {
  const int index = index_of(checking.model, file);
  if (index < 0 && !file.termios().empty()) {
    return {"it is a terminal of this machine, not a pseudo terminal", ""};
  }
  if (file.unread_bytes() > 0) return {"what waits in it could not be read without taking it", ""};
  if (file.termios().empty()) return {};  // hung up
  if (!has_master(checking.model, index)) {
    return {"its master is outside the tree, and it is none of the tree's standard streams", ""};
  }
  if (::access(("/dev/pts/" + std::to_string(index)).c_str(), F_OK) == 0) {
    return {"pty " + std::to_string(index) + " is taken", "end the program that has it first"};
  }
  return {};
}

void make_terminal(Making& making, const OpenFile& file) {
  const model::Snapshot& model = making.snapshot.model();
  const int index = index_of(model, file);
  const bool hung_up = file.termios().empty() || !has_master(model, index);
  const UniqueFd master =
      hung_up ? try_open_in_tree(making.surroundings.root, "/dev/ptmx", O_RDWR | O_NOCTTY)
              : open_master(making.surroundings.root, index);
  const int locked = 0;
  if (::ioctl(master.get(), TIOCSPTLCK, &locked) != 0) throw_errno("unlock the pty");
  const UniqueFd slave = open_slave(master.get(), O_RDWR);
  set_up(slave.get(), file);
  if (hung_up) {  // it ends when the master closes
    making.made.emplace(file.id(), open_slave(master.get(), file.flags()));
    return;
  }
  bool master_given = false;
  for (const auto& other : model.open_files()) {
    if (other.kind() != OpenFile::TERMINAL || index_of(model, other) != index) continue;
    if (other.termios().empty() || making.made.contains(other.id())) continue;
    if (!is_pty_master(other)) {
      making.made.emplace(other.id(), open_slave(master.get(), other.flags()));
      continue;
    }
    if (master_given) throw Error("a pty with two masters");
    master_given = true;
    UniqueFd fd(::fcntl(master.get(), F_DUPFD_CLOEXEC, 3));
    set_status_flags(fd.get(), other);
    making.made.emplace(other.id(), std::move(fd));
  }
}

void take_terminal(const model::Snapshot& model, const model::Process& process, CallBatch& batch) {
  if (process.session() != process.pid() || process.terminal() == 0) return;
  const int index = pty_of_device(static_cast<unsigned>(process.terminal()));
  if (index < 0 || !has_master(model, index)) return;
  for (const auto& descriptor : process.descriptors()) {
    const OpenFile* const file = find_description(model, descriptor.description());
    if (file == nullptr || file->kind() != OpenFile::TERMINAL || is_pty_master(*file)) continue;
    if (index_of(model, *file) != index) continue;
    const auto fd = static_cast<std::uint64_t>(descriptor.fd());
    batch.add(SYS_ioctl, {fd, TIOCSCTTY, 0}, "take the controlling terminal");
    for (const auto& other : model.processes()) {
      if (other.process_group() != process.foreground_group()) continue;
      const auto& groups = other.namespace_process_groups();
      const int group = groups.empty() ? other.process_group() : *groups.rbegin();
      const std::uint64_t address = batch.put_struct(group);
      batch.add(SYS_ioctl, {fd, TIOCSPGRP, address}, "set the foreground process group");
      return;
    }
    return;
  }
}

}  // namespace icecore::replay
