// SPDX-License-Identifier: Apache-2.0
// Mounts a FUSE file system of its own, in its own mount namespace, and has a child that asks for a
// file there. "answer" answers that question at last ("RESULT -2": there is no such file), "alive"
// says alive. "UNABLE reason" instead of READY where it may not mount. The child sleeps where no
// stop reaches it as soon as it has been interrupted: the kernel waits for the server's answer.
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "blocked_case.h"

namespace {

int device = -1;
std::uint64_t unanswered = 0;

template <typename Body>
void reply(std::uint64_t unique, int error, const Body* body) {
  char message[256];
  fuse_out_header header{};
  header.len = static_cast<unsigned>(sizeof header + (body != nullptr ? sizeof *body : 0));
  header.error = error;
  header.unique = unique;
  std::memcpy(message, &header, sizeof header);
  if (body != nullptr) std::memcpy(message + sizeof header, body, sizeof *body);
  if (::write(device, message, header.len) < 0) ::perror("reply");
}

/// Until the child's LOOKUP is there.
void serve_until_asked() {
  static char request[FUSE_MIN_READ_BUFFER + 4096];
  while (unanswered == 0) {
    if (::read(device, request, sizeof request) <= 0) ::abort();
    fuse_in_header header;
    std::memcpy(&header, request, sizeof header);
    if (header.opcode == FUSE_INIT) {
      fuse_init_out out{};
      out.major = FUSE_KERNEL_VERSION;
      out.minor = FUSE_KERNEL_MINOR_VERSION;
      out.max_write = 4096;
      reply(header.unique, 0, &out);
    } else if (header.opcode == FUSE_LOOKUP) {
      unanswered = header.unique;
    } else if (header.opcode != FUSE_INTERRUPT && header.opcode != FUSE_FORGET) {
      reply<char>(header.unique, -ENOSYS, nullptr);
    }
  }
}

const char* mount_at(const char* directory) {
  if (::unshare(CLONE_NEWNS) != 0) return "unshare";
  if (::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "make mounts private";
  device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) return "open /dev/fuse";
  const std::string options = "fd=" + std::to_string(device) +
                              ",rootmode=40000,user_id=" + std::to_string(::getuid()) +
                              ",group_id=" + std::to_string(::getgid());
  if (::mount("hanging", directory, "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    return "mount";
  }
  return nullptr;
}

pid_t ask(const std::string& file, int answer) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::close(device);  // the end of the server is then the end of the file system, and wakes us
  struct stat status;
  const int result = ::stat(file.c_str(), &status) == 0 ? 0 : -errno;
  if (::write(answer, &result, sizeof result) < 0) ::_exit(1);
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  if (const char* failed = mount_at(argv[1])) {
    std::printf("UNABLE %s: %s\n", failed, std::strerror(errno));
    return 0;
  }
  int answer[2];
  if (::pipe2(answer, O_CLOEXEC) != 0) return 1;
  const pid_t child = ask(std::string(argv[1]) + "/file", answer[1]);
  serve_until_asked();
  std::printf("READY %d\n", child);
  std::fflush(stdout);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    if (std::strcmp(line, "answer\n") == 0) {
      int result = 0;
      reply<char>(unanswered, -ENOENT, nullptr);
      if (::read(answer[0], &result, sizeof result) != sizeof result) return 1;
      std::printf("RESULT %d\n", result);
    } else {
      std::printf("alive\n");
    }
    std::fflush(stdout);
  }
  ::umount2(argv[1], MNT_DETACH);
  ::kill(child, SIGKILL);
  return 0;
}
