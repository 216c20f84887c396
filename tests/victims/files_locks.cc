// SPDX-License-Identifier: Apache-2.0
// Holds locks of all kinds on files below the directory that it is given, its child one too.
// "locks" answers what fdinfo says of them, "lease" which lease it has.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::vector<int> all;
std::string directory;

int make(const char* name, int flags) {
  const std::string path = directory + "/" + name;
  const int fd = ::open(path.c_str(), flags | O_CREAT, 0640);
  if (fd < 0) std::exit(1);
  all.push_back(fd);
  return fd;
}

void lock(int fd, int command, int type, off_t start, off_t length) {
  struct flock range {};
  range.l_type = static_cast<short>(type);
  range.l_whence = SEEK_SET;
  range.l_start = start;
  range.l_len = length;
  if (::fcntl(fd, command, &range) != 0) std::perror("lock");
}

// Without the line's number and the file's: "POSIX ADVISORY WRITE PID 0 EOF".
std::string locks_of(int fd) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(fd));
  std::string text;
  for (std::string line; std::getline(info, line);) {
    if (!line.starts_with("lock:")) continue;
    std::istringstream words(line);
    std::string word;
    for (int i = 0; words >> word; ++i) {
      const bool told = i > 1 && i != 6;
      if (told) text += word + " ";
    }
    text += "| ";
  }
  return text;
}

}  // namespace

int main(int, char** arguments) {
  directory = arguments[1];
  const int whole = make("flock", O_RDWR);
  ::flock(whole, LOCK_EX);
  const int described = make("described", O_RDWR);
  lock(described, F_OFD_SETLK, F_WRLCK, 10, 20);
  const int ranges = make("ranges", O_RDWR);
  lock(ranges, F_SETLK, F_WRLCK, 0, 5);
  lock(ranges, F_SETLK, F_RDLCK, 100, 0);
  make("leased", O_RDWR);
  const int leased = ::open((directory + "/leased").c_str(), O_RDONLY);
  ::close(all.back());
  all.back() = leased;
  ::fcntl(leased, F_SETSIG, SIGUSR1);
  if (::fcntl(leased, F_SETLEASE, F_RDLCK) != 0) std::perror("lease");
  int ready[2];
  if (::pipe(ready) != 0) return 1;
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    lock(ranges, F_SETLK, F_WRLCK, 50, 10);
    if (::write(ready[1], "x", 1) != 1) return 1;
    for (;;) ::pause();
  }
  char byte;
  if (::read(ready[0], &byte, 1) != 1) return 1;
  std::puts("READY");
  std::fflush(stdout);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    if (std::strncmp(line, "locks", 5) == 0) {
      for (const int fd : all) std::printf("%s; ", locks_of(fd).c_str());
      for (const off_t start : {0, 50, 100}) {
        struct flock range {};
        range.l_type = F_WRLCK;
        range.l_start = start;
        range.l_len = 1;
        ::fcntl(ranges, F_OFD_GETLK, &range);
        std::printf("%s ", range.l_type == F_UNLCK     ? "free"
                           : range.l_pid == child      ? "child"
                           : range.l_pid == ::getpid() ? "self"
                                                       : "other");
      }
      std::printf("lease %d signal %d", ::fcntl(leased, F_GETLEASE), ::fcntl(leased, F_GETSIG));
    }
    std::puts("");
    std::fflush(stdout);
  }
  ::kill(child, SIGKILL);
}
