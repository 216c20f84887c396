// SPDX-License-Identifier: Apache-2.0
#include "replay/files/description_maker.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "replay/files/description_owner.h"
#include "replay/files/file_locks.h"
#include "replay/files/inherited.h"
#include "replay/files/makers.h"
#include "replay/files/memfd_seals.h"
#include "replay/files/terminal.h"
#include "snapshot/capture/file_kind.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

Objection no_objection(const Checking& /*checking*/, const OpenFile& /*file*/) { return {}; }
void nothing_more(Making& /*making*/, const OpenFile& /*file*/) {}

struct Kind {
  OpenFile::Kind kind;
  void (*make)(Making&, const OpenFile&);
  Objection (*check)(const Checking&, const OpenFile&) = no_objection;
  void (*link)(Making&, const OpenFile&) = nothing_more;
  void (*settle)(Making&, const OpenFile&) = nothing_more;
};

constexpr std::array kKinds = {
    Kind{OpenFile::REGULAR, make_regular_file, check_regular_file},
    Kind{OpenFile::DIRECTORY, make_directory},
    Kind{OpenFile::CHARACTER_DEVICE, make_device},
    Kind{OpenFile::MEMFD, make_memfd, check_memfd},
    Kind{OpenFile::FIFO, make_fifo},
    Kind{OpenFile::PROC, make_proc_file, check_proc_file},
    Kind{OpenFile::PIPE, make_pipe, check_pipe},
    Kind{OpenFile::SOCKET, make_socket, check_socket, link_socket, settle_socket},
    Kind{OpenFile::TERMINAL, make_terminal, check_terminal},
    Kind{OpenFile::EVENTFD, make_eventfd},
    Kind{OpenFile::SIGNALFD, make_signalfd},
    Kind{OpenFile::TIMERFD, make_timerfd},
    Kind{OpenFile::INOTIFY, make_inotify, check_inotify, link_inotify},
    Kind{OpenFile::FANOTIFY, make_fanotify, check_fanotify, link_fanotify},
    Kind{OpenFile::MESSAGE_QUEUE, make_message_queue, check_message_queue},
    Kind{OpenFile::PIDFD, make_pidfd, check_pidfd},
    Kind{OpenFile::EPOLL, make_epoll, check_epoll, link_epoll},
};

/// Null for kinds that cannot be made.
const Kind* find_kind(OpenFile::Kind kind) {
  const auto row = std::ranges::find(kKinds, kind, &Kind::kind);
  return row == kKinds.end() ? nullptr : &*row;
}

Objection objection(const Checking& checking, const OpenFile& file) {
  const Kind* const kind = find_kind(file.kind());
  if (kind != nullptr) {
    Objection found = kind->check(checking, file);
    return found.reason.empty() ? check_locks(checking, file) : found;
  }
  return {"files of this kind (" + std::string(snapshot::kind_text(file.kind())) +
              ") cannot be restored yet",
          ""};
}

void add_given(const FileOptions& options, Descriptions& made) {
  for (const auto& [id, given] : options.given) {
    UniqueFd fd(::fcntl(given, F_DUPFD_CLOEXEC, 3));
    if (!fd.valid()) throw_errno("descriptor " + std::to_string(given));
    made.emplace(id, std::move(fd));
  }
}

}  // namespace

Refusals check_descriptions(const snapshot::StoredSnapshot& snapshot, const FileOptions& options,
                            bool in_place) {
  Refusals refusals;
  const model::Snapshot& model = snapshot.model();
  const Checking checking{model, options, in_place};
  const Inherited inherited(model);
  std::set<std::uint32_t> told;
  for (const auto& process : model.processes()) {
    for (const auto& descriptor : process.descriptors()) {
      const OpenFile* const file = find_description(model, descriptor.description());
      if (file == nullptr || !told.insert(file->id()).second) continue;
      if (inherited.covers(file->id()) || options.given.contains(file->id())) continue;
      const Objection found = objection(checking, *file);
      if (found.reason.empty()) continue;
      const std::string object = "fd " + std::to_string(descriptor.fd()) + " (" + file->target();
      refusals.push_back({process.pid(), object + ")", found.reason, found.hint, found.holder});
    }
  }
  return refusals;
}

Descriptions make_descriptions(const snapshot::StoredSnapshot& snapshot, const FileOptions& options,
                               Surroundings& surroundings) {
  Descriptions made;
  Making making{snapshot, options, surroundings, made};
  const Inherited inherited(snapshot.model());
  inherited.make(made);
  add_given(options, made);
  for (const auto& file : snapshot.model().open_files()) {
    if (made.contains(file.id())) continue;
    const Kind* const kind = find_kind(file.kind());
    if (kind == nullptr) throw Error(file.target() + ": cannot be restored");
    with_context(file.target(), [&] { kind->make(making, file); });
  }
  for (const auto round : {&Kind::link, &Kind::settle}) {
    for (const auto& file : snapshot.model().open_files()) {
      const Kind* const kind = find_kind(file.kind());
      if (kind == nullptr || inherited.covers(file.id())) continue;
      with_context(file.target(), [&] { (kind->*round)(making, file); });
    }
  }
  for (const auto& [id, fd] : made) {
    const OpenFile* const file = find_description(snapshot.model(), id);
    if (file == nullptr || inherited.covers(id)) continue;
    with_context(file->target(), [&fd = fd, file] { take_locks(fd.get(), *file); });
  }
  return made;
}

void finish_descriptions(const snapshot::StoredSnapshot& snapshot, const model::Process& process,
                         Puppet& puppet, const Surroundings& surroundings) {
  restore_seals(snapshot.model(), *surroundings.lost);
  const Inherited inherited(snapshot.model());
  CallBatch batch(puppet, puppet.pid());
  const Finishers finishers = find_finishers(snapshot.model());
  add_signalfd_targets(snapshot.model(), finishers, process, batch);
  take_terminal(snapshot.model(), process, batch);
  const auto is_finisher = [&](const model::FileDescriptor& descriptor) {
    const Finisher self{process.pid(), descriptor.fd()};
    return finishers.at(descriptor.description()) == self;
  };
  add_process_locks(snapshot.model(), process, is_finisher, batch);
  for (const auto& descriptor : process.descriptors()) {
    const OpenFile* const file = find_description(snapshot.model(), descriptor.description());
    if (file == nullptr || inherited.covers(file->id())) continue;
    if (is_finisher(descriptor)) {
      add_lease(*file, descriptor.fd(), batch);
      restore_owner(snapshot.model(), *file, descriptor.fd(), batch);
    }
  }
  batch.run();
}

}  // namespace icecore::replay
