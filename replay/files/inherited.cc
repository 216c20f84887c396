// SPDX-License-Identifier: Apache-2.0
#include "replay/files/inherited.h"

#include <fcntl.h>
#include <linux/major.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "snapshot/capture/root_process.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

/// Numbers of the ptys whose masters the tree has.
std::set<int> own_masters(const model::Snapshot& model) {
  std::set<int> numbers;
  for (const auto& file : model.open_files()) {
    if (file.kind() == OpenFile::TERMINAL && is_pty_master(file)) numbers.insert(file.pty_index());
  }
  return numbers;
}

/// A terminal whose master nobody in the tree has.
bool is_outer_terminal(const std::set<int>& masters, const OpenFile& file) {
  const bool hung_up = file.termios().empty();
  return file.kind() == OpenFile::TERMINAL && !is_pty_master(file) && !hung_up &&
         !masters.contains(file.pty_index());
}

bool leads_outside(const std::set<int>& masters, const OpenFile& file) {
  const bool connected = file.kind() == OpenFile::PIPE || file.kind() == OpenFile::SOCKET;
  return (connected && file.peer_outside()) || is_outer_terminal(masters, file);
}

}  // namespace

bool is_pty_master(const OpenFile& file) {
  const unsigned device = gnu_dev_major(file.identity().rdev());
  return (device == TTYAUX_MAJOR && gnu_dev_minor(file.identity().rdev()) == 2) ||
         (device >= UNIX98_PTY_MASTER_MAJOR && device < UNIX98_PTY_MASTER_MAJOR + 8);
}

bool has_master(const model::Snapshot& model, int index) {
  return std::ranges::any_of(model.open_files(), [index](const OpenFile& file) {
    return file.kind() == OpenFile::TERMINAL && is_pty_master(file) && file.pty_index() == index;
  });
}

const OpenFile* find_description(const model::Snapshot& model, std::uint32_t id) {
  // Ids are given in order, from 1 on.
  if (id == 0 || id > static_cast<unsigned>(model.open_files_size())) return nullptr;
  return &model.open_files(static_cast<int>(id) - 1);
}

const OpenFile* outer_terminal(const model::Snapshot& model) {
  const model::Process* const root = snapshot::root_process(model);
  if (root == nullptr) return nullptr;
  const auto masters = own_masters(model);
  for (const auto& descriptor : root->descriptors()) {
    if (descriptor.fd() > STDERR_FILENO) continue;
    const OpenFile* const file = find_description(model, descriptor.description());
    if (file != nullptr && is_outer_terminal(masters, *file)) return file;
  }
  return nullptr;
}

Inherited::Inherited(const model::Snapshot& model) {
  const model::Process* const root = snapshot::root_process(model);
  if (root == nullptr) return;
  const auto masters = own_masters(model);
  int terminal = -1;
  for (const auto& descriptor : root->descriptors()) {
    if (descriptor.fd() > STDERR_FILENO) continue;
    const OpenFile* const file = find_description(model, descriptor.description());
    if (file == nullptr || !leads_outside(masters, *file)) continue;
    streams_.emplace(file->id(), descriptor.fd());
    if (file->kind() == OpenFile::TERMINAL) terminal = descriptor.fd();
  }
  if (terminal < 0) return;
  for (const auto& file : model.open_files()) {
    if (is_outer_terminal(masters, file)) streams_.emplace(file.id(), terminal);
  }
}

void Inherited::make(Descriptions& made) const {
  for (const auto& [id, stream] : streams_) {
    constexpr int kAboveStandard = 3;
    UniqueFd fd(::fcntl(stream, F_DUPFD_CLOEXEC, kAboveStandard));
    if (!fd.valid()) fd.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!fd.valid()) throw_errno("open /dev/null");
    made.emplace(id, std::move(fd));
  }
}

}  // namespace icecore::replay
