// SPDX-License-Identifier: Apache-2.0
#include "replay/image/bank_record.h"

#include <sys/stat.h>

#include <fstream>

#include "base/error.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::replay {

void write_bank_record(const std::filesystem::path& path, const BankRecord& record) {
  const std::filesystem::path passing = path.string() + ".new";
  {
    std::ofstream file(passing);
    file << record.pid << ' ' << record.start_time << ' ' << record.area << ' ' << record.number
         << '\n';
    if (!file.flush()) throw_errno("write " + passing.string());
  }
  if (::chmod(passing.c_str(), 0600) != 0 || ::rename(passing.c_str(), path.c_str()) != 0) {
    throw_errno("write " + path.string());
  }
}

std::optional<BankRecord> read_bank_record(const std::filesystem::path& path) {
  std::ifstream file(path);
  BankRecord record;
  if (!(file >> record.pid >> record.start_time >> record.area >> record.number)) {
    return std::nullopt;
  }
  const auto now = snapshot::task_stat(record.pid, record.pid);
  const bool lives = now && now->start_time == record.start_time && now->state != 'Z';
  return lives ? std::optional(record) : std::nullopt;
}

}  // namespace icecore::replay
