// SPDX-License-Identifier: Apache-2.0
#include "tests/replay/remade_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "snapshot/capture/descriptors.h"
#include "snapshot/capture/process_state.h"
#include "snapshot/capture/process_tree.h"
#include "snapshot/capture/watched_paths.h"
#include "store/recording_writer.h"

namespace icecore::replay::test {
namespace {

model::Snapshot capture(int root, const std::vector<int>& pids) {
  model::Snapshot captured;
  captured.set_root_pid(root);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  captured.mutable_clocks()->set_realtime_ns(now.tv_sec * 1'000'000'000 + now.tv_nsec);
  const snapshot::OwnNamespaces own;
  for (const int pid : pids) {
    const auto directory = snapshot::ProcDirectory::open(pid);
    if (directory) capture_process_state(*directory, own, *captured.add_processes());
  }
  snapshot::DescriptorCapture(captured).capture();
  snapshot::find_watched_paths(captured);
  return captured;
}

const model::OpenFile& file_at(const model::Snapshot& model, int fd) {
  for (const auto& process : model.processes()) {
    for (const auto& descriptor : process.descriptors()) {
      if (descriptor.fd() == fd) {
        return model.open_files(static_cast<int>(descriptor.description()) - 1);
      }
    }
  }
  throw std::runtime_error("no descriptor " + std::to_string(fd));
}

}  // namespace

RemadeTree::RemadeTree(const std::string& victim)
    : victim_(std::make_unique<icecore::test::Victim>(
          victim, std::vector<std::string>{directory_.path().string()})),
      victim_pid_(victim_->pid()) {
  std::istringstream words(victim_->greeting());
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    told_[word.substr(0, equals)] = std::stoi(word.substr(equals + 1));
  }
  store(capture(victim_->pid(), snapshot::process_tree(victim_->pid())));
}

void RemadeTree::store(const model::Snapshot& captured) {
  const auto path = directory_.path() / "store";
  store_ = std::make_unique<store::Store>(store::Store::open_or_create(path));
  auto writer = store_->write("remade");
  auto snapshot = writer.begin();
  const std::string record = captured.SerializeAsString();
  store::SnapshotSummary summary;
  summary.key.recording = "remade";
  snapshot.commit(summary, std::as_bytes(std::span(record)), {});
  stored_ = std::make_unique<snapshot::StoredSnapshot>(*store_, store_->resolve("remade@last"));
}

void RemadeTree::make() {
  victim_.reset();
  const UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  Surroundings surroundings;
  surroundings.root = root.get();
  // This process stands for all of the victim's.
  for (const auto& process : model().processes()) surroundings.pids[process.pid()] = ::getpid();
  made_ = make_descriptions(*stored_, options_, surroundings);
  after_ = capture(::getpid(), {::getpid()});
}

const model::OpenFile& RemadeTree::before(const std::string& name) const {
  return file_at(stored_->model(), told_.at(name));
}

int RemadeTree::fd(const std::string& name) const { return made_.at(before(name).id()).get(); }

const model::OpenFile& RemadeTree::after(const std::string& name) const {
  return file_at(after_, fd(name));
}

std::string RemadeTree::refusal(const std::string& name) const {
  const std::string object = "fd " + std::to_string(told_.at(name)) + " ";
  for (const Refusal& refusal : check_descriptions(*stored_, options_, false)) {
    if (refusal.object.starts_with(object)) return refusal.object + ": " + refusal.reason;
  }
  return "";
}

}  // namespace icecore::replay::test
