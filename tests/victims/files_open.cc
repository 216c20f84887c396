// SPDX-License-Identifier: Apache-2.0
// Opens files of all kinds below the directory that it is given and tells their numbers. "state"
// answers what fstat, fcntl and lseek say of each; "read" the bytes at each position.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace {

std::string directory;
std::vector<std::pair<std::string, int>> all;

int add(const char* name, int fd) {
  if (fd < 0) {
    std::perror(name);
    std::exit(1);
  }
  all.emplace_back(name, fd);
  return fd;
}

std::string in(const char* name) { return directory + "/" + name; }

int make(const char* name, int flags) {
  const int fd = add(name, ::open(in(name).c_str(), flags | O_CREAT, 0640));
  const std::string content = std::string("content of ") + name;
  if (::pwrite(fd, content.data(), content.size(), 0) < 0) std::exit(1);
  ::lseek(fd, 3, SEEK_SET);
  return fd;
}

void open_all() {
  make("plain", O_RDWR);
  make("append", O_RDWR | O_APPEND | O_NOATIME);
  make("sync", O_RDWR | O_SYNC | O_NONBLOCK);
  add("read", ::open(in("plain").c_str(), O_RDONLY | O_CLOEXEC));
  add("path", ::open(in("plain").c_str(), O_PATH));
  add("directory", ::open(directory.c_str(), O_RDONLY | O_DIRECTORY));
  add("null", ::open("/dev/null", O_RDWR));
  add("zero", ::open("/dev/zero", O_RDONLY));
  add("full", ::open("/dev/full", O_WRONLY));
  add("random", ::open("/dev/urandom", O_RDONLY));
  add("own_status", ::open("/proc/self/status", O_RDONLY));
  add("meminfo", ::open("/proc/meminfo", O_RDONLY));
  add("own_directory", ::open("/proc/self", O_RDONLY | O_DIRECTORY));
  add("shared", ::dup(make("shared_first", O_RDWR)));

  const int deleted = make("deleted", O_RDWR);
  if (::pwrite(deleted, "end", 3, 1 << 20) != 3) std::exit(1);
  ::fchmod(deleted, 0604);
  add("deleted_again", ::open(in("deleted").c_str(), O_RDONLY));
  ::unlink(in("deleted").c_str());
  add("unnamed", ::open(directory.c_str(), O_TMPFILE | O_RDWR, 0600));
  if (::write(all.back().second, "content of unnamed", 18) != 18) std::exit(1);
  make("linked", O_RDWR);
  ::link(in("linked").c_str(), in("other_name").c_str());
  ::unlink(in("linked").c_str());
  ::mkdir(in("gone").c_str(), 0700);
  add("gone_directory", ::open(in("gone").c_str(), O_RDONLY | O_DIRECTORY));
  ::rmdir(in("gone").c_str());

  const int memory = add("memory", ::memfd_create("memory", MFD_ALLOW_SEALING));
  if (::write(memory, "content of memory", 17) != 17) std::exit(1);
  ::fcntl(memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE);
  const int mapped = add("mapped_memory", ::memfd_create("mapped", 0));
  if (::ftruncate(mapped, 8192) != 0) std::exit(1);
  auto* const pages =
      static_cast<char*>(::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, mapped, 0));
  std::strcpy(pages, "content of mapped memory");

  ::mkfifo(in("fifo").c_str(), 0600);
  add("fifo_read", ::open(in("fifo").c_str(), O_RDONLY | O_NONBLOCK));
  add("fifo_write", ::open(in("fifo").c_str(), O_WRONLY));
  if (::write(all.back().second, "unread", 6) != 6) std::exit(1);
}

void tell_state() {
  for (const auto& [name, fd] : all) {
    struct stat status {};
    ::fstat(fd, &status);
    char target[512] = "";
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), target, sizeof target - 1) < 0) std::exit(1);
    // No name has a number; an unnamed file's name is its inode's.
    if (char* const number = std::strchr(target, '#')) *number = '\0';
    std::printf("%s:%s mode=%o size=%lld flags=%o fd=%o at=%lld seals=%x; ", name.c_str(), target,
                status.st_mode, static_cast<long long>(status.st_size), ::fcntl(fd, F_GETFL),
                ::fcntl(fd, F_GETFD), static_cast<long long>(::lseek(fd, 0, SEEK_CUR)),
                static_cast<unsigned>(::fcntl(fd, F_GET_SEALS)));
  }
}

void tell_contents() {
  for (const char* wanted : {"plain", "append", "read", "deleted", "deleted_again", "unnamed",
                             "linked", "memory", "mapped_memory", "fifo_read"}) {
    for (const auto& [name, fd] : all) {
      if (name != wanted) continue;
      char bytes[64] = "";
      const bool fifo = name.starts_with("fifo");
      if ((fifo ? ::read(fd, bytes, 63) : ::pread(fd, bytes, 63, 0)) < 0) std::perror(wanted);
      std::printf("%s:%s; ", wanted, bytes);
    }
  }
  for (const auto& [name, fd] : all) {
    if (name == "deleted")
      std::printf("hole:%lld", static_cast<long long>(::lseek(fd, 0, SEEK_HOLE)));
    if (name == "deleted") ::lseek(fd, 3, SEEK_SET);
  }
}

}  // namespace

int main(int, char** arguments) {
  directory = arguments[1];
  open_all();
  std::printf("READY");
  for (const auto& [name, fd] : all) std::printf(" %s=%d", name.c_str(), fd);
  std::puts("");
  std::fflush(stdout);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    if (std::strncmp(line, "state", 5) == 0) tell_state();
    if (std::strncmp(line, "read", 4) == 0) tell_contents();
    std::puts("");
    std::fflush(stdout);
  }
}
