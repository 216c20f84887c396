// SPDX-License-Identifier: Apache-2.0
#include "tests/support/temp_directory.h"

#include <cstdlib>
#include <string>
#include <system_error>

#include "base/error.h"

namespace icecore::test {

TempDirectory::TempDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "icecore-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw_errno("mkdtemp " + name);
  path_ = name;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace icecore::test
