// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/mapping_flags_cache.h"

namespace icecore::snapshot {

bool MappingFlagsCache::apply(model::Process& process) const {
  const auto known = processes_.find(process.pid());
  if (known == processes_.end() || known->second.start_time != process.start_time()) return false;
  bool complete = true;
  for (auto& mapping : *process.mutable_mappings()) {
    const auto entry = known->second.mappings.find(mapping.start());
    if (entry == known->second.mappings.end()) {
      complete = false;
      continue;
    }
    mapping.set_flags(entry->second.flags);
    mapping.set_page_size(entry->second.page_size);
    mapping.mutable_guards()->Assign(entry->second.guards.begin(), entry->second.guards.end());
    if (mapping.content() == model::Mapping::HELD) mapping.set_content(entry->second.content);
    complete = complete && entry->second.end == mapping.end();
  }
  return complete;
}

void MappingFlagsCache::remember(const model::Process& process) {
  auto& known = processes_[process.pid()];
  known.start_time = process.start_time();
  known.read_at = generation_;
  known.mappings.clear();
  for (const auto& mapping : process.mappings()) {
    known.mappings[mapping.start()] = {mapping.end(),
                                       mapping.flags(),
                                       mapping.page_size(),
                                       {mapping.guards().begin(), mapping.guards().end()},
                                       mapping.content()};
  }
}

bool MappingFlagsCache::is_fresh(const model::Process& process) const {
  const auto known = processes_.find(process.pid());
  return known != processes_.end() && known->second.start_time == process.start_time() &&
         generation_ - known->second.read_at < kMaxAge;
}

}  // namespace icecore::snapshot
