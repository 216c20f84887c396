// SPDX-License-Identifier: Apache-2.0
#include "tests/replay/recorded_victim.h"

#include <signal.h>

#include <sstream>
#include <stdexcept>

namespace icecore::replay::test {

RecordedVictim::RecordedVictim(const std::string& victim, const std::vector<std::string>& arguments)
    : victim_(std::make_unique<icecore::test::Victim>(victim, arguments)),
      greeting_(victim_->greeting()) {}

void RecordedVictim::record(int count, const std::function<void(int)>& before) {
  stored_.reset();
  if (!store_) {
    store_ =
        std::make_unique<store::Store>(store::Store::open_or_create(directory_.path() / "store"));
  }
  const sigset_t mask = snapshot::block_recorder_signals();
  {
    snapshot::Recorder recorder(store_->write("victim"), store_->directory(), victim_->pid(),
                                options_);
    for (int i = 0; i < count; ++i) {
      before(i);
      recorder.snap_once(snapshot::Recorder::Afterwards::Resume);
    }
  }
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  stored_ = std::make_unique<snapshot::StoredSnapshot>(*store_, store_->resolve("victim@last"));
}

void RecordedVictim::look_at(std::uint64_t number) {
  stored_ =
      std::make_unique<snapshot::StoredSnapshot>(*store_, store::SnapshotKey{"victim", number});
}

int RecordedVictim::told(const std::string& name) const {
  std::istringstream words(greeting_);
  for (std::string word; words >> word;) {
    if (word.starts_with(name + "=")) return std::stoi(word.substr(name.size() + 1));
  }
  throw std::runtime_error("the victim told of no " + name);
}

const model::OpenFile& RecordedVictim::file(const std::string& name) const {
  for (const auto& descriptor : model().processes(0).descriptors()) {
    if (descriptor.fd() == told(name)) {
      return model().open_files(static_cast<int>(descriptor.description()) - 1);
    }
  }
  throw std::runtime_error(name + " is not open");
}

}  // namespace icecore::replay::test
