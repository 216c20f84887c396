// SPDX-License-Identifier: Apache-2.0
#include "replay/files/description_maker.h"

#include "base/error.h"
#include "replay/files/makers.h"

namespace icecore::replay {
namespace {

using Maker = void (*)(Making&, const model::OpenFile&);

/// Null for kinds that cannot be made.
Maker maker_of(model::OpenFile::Kind kind) {
  switch (kind) {
    case model::OpenFile::REGULAR:
    case model::OpenFile::DIRECTORY:
    case model::OpenFile::CHARACTER_DEVICE:
      return make_plain_file;
    default:
      return nullptr;
  }
}

}  // namespace

Refusals check_descriptions(const snapshot::StoredSnapshot& snapshot,
                            const FileOptions& /*options*/, bool /*in_place*/) {
  Refusals refusals;
  std::map<std::uint32_t, const model::OpenFile*> files;
  for (const auto& file : snapshot.model().open_files()) files[file.id()] = &file;
  for (const auto& process : snapshot.model().processes()) {
    for (const auto& descriptor : process.descriptors()) {
      const auto found = files.find(descriptor.description());
      if (found == files.end() || maker_of(found->second->kind()) != nullptr) continue;
      refusals.push_back(
          {process.pid(),
           "fd " + std::to_string(descriptor.fd()) + " (" + found->second->target() + ")",
           "files of this kind cannot be restored yet", ""});
      files.erase(found);
    }
  }
  return refusals;
}

Descriptions make_descriptions(const snapshot::StoredSnapshot& snapshot, const FileOptions& options,
                               Surroundings& surroundings) {
  Descriptions made;
  Making making{snapshot, options, surroundings, made};
  for (const auto& file : snapshot.model().open_files()) {
    if (made.contains(file.id())) continue;
    const Maker maker = maker_of(file.kind());
    if (maker == nullptr) throw Error(file.target() + ": cannot be restored");
    with_context(file.target(), [&] { maker(making, file); });
  }
  return made;
}

void finish_descriptions(const snapshot::StoredSnapshot& /*snapshot*/,
                         const model::Process& /*process*/, Puppet& /*puppet*/,
                         const Surroundings& /*surroundings*/) {}

}  // namespace icecore::replay
