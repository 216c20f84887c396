// SPDX-License-Identifier: Apache-2.0
// Has files below the directory that it is given open: a deleted one with a hole, a memfd, one that
// it writes, a large one, one that it only reads; tells their numbers. "write TEXT" overwrites the
// beginning of `written` and of `deleted`, "show" answers what `written` has.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

std::string directory;

int make(const char* name, int flags, off_t hole = 0) {
  const std::string path = directory + "/" + name;
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0640);
  const std::string content = std::string("content of ") + name;
  if (::pwrite(fd, content.data(), content.size(), 0) < 0) std::exit(1);
  if (hole != 0 && ::pwrite(fd, "end", 3, hole) != 3) std::exit(1);
  if (flags != O_RDWR) {
    ::close(fd);
    fd = ::open(path.c_str(), flags);
  }
  std::printf(" %s=%d", name, fd);
  return fd;
}

}  // namespace

int main(int, char** arguments) {
  directory = arguments[1];
  std::printf("READY");
  const int deleted = make("deleted", O_RDWR, 1 << 20);
  ::unlink((directory + "/deleted").c_str());
  const int memory = ::memfd_create("memory", MFD_ALLOW_SEALING);
  if (::write(memory, "content of memory", 17) != 17) return 1;
  ::fcntl(memory, F_ADD_SEALS, F_SEAL_GROW);
  std::printf(" memory=%d", memory);
  const int written = make("written", O_RDWR);
  const int large = make("large", O_RDWR);
  const std::string block(1 << 20, 'x');
  if (::pwrite(large, block.data(), block.size(), 4096) < 0) return 1;
  make("read", O_RDONLY);
  std::puts("");
  std::fflush(stdout);
  char line[256];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    line[std::strcspn(line, "\n")] = '\0';
    if (std::strcmp(line, "show") == 0) {
      char content[64] = "";
      if (::pread(written, content, sizeof content - 1, 0) < 0) return 1;
      std::puts(content);
      std::fflush(stdout);
      continue;
    }
    const char* text = std::strchr(line, ' ') + 1;
    for (const int fd : {written, deleted}) {
      if (::pwrite(fd, text, std::strlen(text), 0) < 0) return 1;
    }
    std::puts("DONE");
    std::fflush(stdout);
  }
}
