// SPDX-License-Identifier: Apache-2.0
// Maps files below the directory that it is given: kept, gone (deleted), shared; its working
// directory is deleted.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

void map(const std::string& path, int sharing) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0640);
  const std::string content = "content of " + path;
  if (::write(fd, content.data(), content.size()) < 0) std::exit(1);
  if (::mmap(nullptr, 8192, PROT_READ | (sharing == MAP_SHARED ? PROT_WRITE : 0), sharing, fd, 0) ==
      MAP_FAILED) {
    std::exit(1);
  }
  ::close(fd);
}

}  // namespace

int main(int, char** arguments) {
  const std::string directory = arguments[1];
  map(directory + "/kept", MAP_PRIVATE);
  map(directory + "/gone", MAP_PRIVATE);
  map(directory + "/shared", MAP_SHARED);
  ::unlink((directory + "/gone").c_str());
  const std::string working = directory + "/working";
  if (::mkdir(working.c_str(), 0700) != 0 || ::chdir(working.c_str()) != 0) return 1;
  ::rmdir(working.c_str());
  std::puts("READY");
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
}
