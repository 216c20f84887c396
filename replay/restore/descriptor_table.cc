// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/descriptor_table.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <span>
#include <vector>

#include "base/error.h"

namespace icecore::replay {

namespace {

/// What is sent for them; the root last, when it is sent at all.
std::vector<int> sent_for(const Directories& directories) {
  std::vector<int> sent{directories.working.get()};
  if (directories.root.valid()) sent.push_back(directories.root.get());
  return sent;
}

/// `numbers`: what sent_for() has become in the process.
void enter(std::span<const int> numbers, CallBatch& batch) {
  if (numbers.size() > 1) {
    batch.add(SYS_fchdir, {static_cast<std::uint64_t>(numbers[1])}, "entering the root directory");
    const auto here = batch.put_text(".");
    batch.add(SYS_chroot, {here}, "chroot");
  }
  batch.add(SYS_fchdir, {static_cast<std::uint64_t>(numbers[0])}, "entering the working directory");
}

}  // namespace

void fill_descriptor_table(RestoredProcess& process, const Descriptions& descriptions,
                           const Directories& directories, const Transport& transport) {
  std::vector<int> sent;
  for (const auto& descriptor : process.model->descriptors()) {
    const auto found = descriptions.find(descriptor.description());
    if (found == descriptions.end()) {
      throw Error("fd " + std::to_string(descriptor.fd()) + ": its file was not made");
    }
    sent.push_back(found->second.get());
  }
  const std::size_t count = sent.size();
  for (const int directory : sent_for(directories)) sent.push_back(directory);
  const std::vector<int> numbers = transport.send(process.puppet, sent);
  const auto parking = static_cast<std::uint64_t>(transport.number()) + 2;
  CallBatch batch(process.puppet, process.puppet.pid());
  enter(std::span(numbers).subspan(count), batch);
  // They came at the lowest numbers, which others of them may be meant for: away with all first.
  for (std::size_t i = 0; i < count; ++i) {
    batch.add(SYS_dup3, {static_cast<std::uint64_t>(numbers[i]), parking + i, O_CLOEXEC},
              "moving a descriptor");
  }
  batch.add(SYS_close_range, {0, static_cast<std::uint64_t>(transport.number()) - 1, 0},
            "closing descriptors");
  for (std::size_t i = 0; i < count; ++i) {
    const auto& descriptor = process.model->descriptors(static_cast<int>(i));
    batch.add(SYS_dup3,
              {parking + i, static_cast<std::uint64_t>(descriptor.fd()),
               descriptor.close_on_exec() ? unsigned{O_CLOEXEC} : 0U},
              "fd " + std::to_string(descriptor.fd()));
  }
  batch.add(SYS_close_range, {static_cast<std::uint64_t>(transport.number()) + 1, ~0U, 0},
            "closing descriptors");
  batch.run();
}

void set_directories(RestoredProcess& process, const Directories& directories,
                     const Transport& transport) {
  const auto numbers = transport.send(process.puppet, sent_for(directories));
  CallBatch batch(process.puppet, process.puppet.pid());
  enter(numbers, batch);
  for (const int number : numbers) {
    batch.add(SYS_close, {static_cast<std::uint64_t>(number)}, "closing a directory");
  }
  batch.run();
}

void close_transport(const Transport& transport, CallBatch& batch) {
  batch.add(SYS_close, {static_cast<std::uint64_t>(transport.number())}, "closing the transport");
}

}  // namespace icecore::replay
