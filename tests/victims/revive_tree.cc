// SPDX-License-Identifier: Apache-2.0
// A family: children in groups and sessions of their own, one whose parent has ended, zombies, a
// session without its leader, a subreaper with what it has adopted, one that job control stopped.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <functional>
#include <map>
#include <string>

#include "revive_case.h"

namespace {

std::string place() {
  return std::to_string(::getpid()) + " " + std::to_string(::getpgid(0)) + " " +
         std::to_string(::getsid(0));
}

/// One of the family, which tells by a file of its name what it is now.
pid_t member(const std::string& name, bool parent_stays, const std::function<void()>& first) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  first();
  if (!parent_stays) {
    // Until the orphan has been given away.
    while (::getppid() == parent) ::usleep(1000);
  }
  const std::string before = place();
  const pid_t parent_before = ::getppid();
  revive::put(name, before);
  revive::wait_for_go();
  if (place() != before) {
    revive::differs(name + " is " + place() + ", was " + before);
  }
  if (parent_stays && ::getppid() != parent_before) revive::differs(name + " has another parent");
  revive::put(name + ".result", revive::differences.empty() ? "equal" : revive::differences);
  while (::waitpid(-1, nullptr, 0) > 0) {  // its children first, so that they keep their parent
  }
  ::_exit(7);
}

void wait_for_file(const std::string& name) {
  const std::string path = revive::directory + "/" + name;
  while (::access(path.c_str(), F_OK) != 0) ::usleep(1000);
}

/// A child that forks and ends.
void orphaned(const std::string& name, const std::function<void()>& first) {
  const pid_t between = ::fork();
  if (between == 0) {
    first();
    member(name, false, [] {});
    ::_exit(0);
  }
  ::waitpid(between, nullptr, 0);
  wait_for_file(name);
}

}  // namespace

int main(int, char** argv) {
  revive::begin(argv);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::map<std::string, pid_t> children;
  const auto child = [&](const std::string& name, const std::function<void()>& first) {
    children[name] = member(name, true, first);
    wait_for_file(name);
  };
  child("plain", [] {});
  child("group", [] { ::setpgid(0, 0); });
  child("joined", [&] { ::setpgid(0, children["group"]); });
  child("session", [] { ::setsid(); });
  child("nested", [] { member("grandchild", true, [] { ::setpgid(0, 0); }); });
  wait_for_file("grandchild");
  orphaned("adopted", [] {});
  orphaned("leaderless", [] { ::setsid(); });
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(42);
  const pid_t killed = ::fork();
  if (killed == 0) {
    ::pause();
    ::_exit(1);
  }
  ::kill(killed, SIGTERM);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(gone), &info, WEXITED | WNOWAIT);
  ::waitid(P_PID, static_cast<id_t>(killed), &info, WEXITED | WNOWAIT);
  const pid_t stopped = ::fork();
  if (stopped == 0) {
    ::setpgid(0, 0);
    for (;;) ::pause();
  }
  ::setpgid(stopped, stopped);
  ::kill(stopped, SIGTTOU);
  int stop = 0;
  ::waitpid(stopped, &stop, WUNTRACED);
  const std::string before = place();
  revive::ready();
  revive::wait_for_go();

  // Where it was made anew its parent is told once more.
  int again = 0;
  if (::waitpid(stopped, &again, WUNTRACED | WNOHANG) == stopped) {
    revive::expect_equal("what stopped a child", again, stop);
  }
  revive::expect_equal(
      "a stopped child",
      revive::read_file("/proc/" + std::to_string(stopped) + "/stat").find(") T ") !=
          std::string::npos,
      true);
  ::kill(stopped, SIGKILL);
  ::waitpid(stopped, nullptr, 0);
  revive::expect_equal("the root", place(), before);
  int status = 0;
  revive::expect_equal("a zombie", ::waitpid(gone, &status, 0), gone);
  revive::expect_equal("a zombie's status", WIFEXITED(status) ? WEXITSTATUS(status) : -1, 42);
  revive::expect_equal("a killed zombie", ::waitpid(killed, &status, 0), killed);
  revive::expect_equal("a killed zombie's signal", WIFSIGNALED(status) ? WTERMSIG(status) : -1,
                       SIGTERM);
  for (const auto& [name, pid] : children) {
    revive::expect_equal(name + " as a child", ::waitpid(pid, &status, 0), pid);
  }
  // Those that were adopted end, too, and nothing is left.
  while (::waitpid(-1, &status, 0) > 0) {
  }
  for (const std::string name :
       {"plain", "group", "joined", "session", "nested", "grandchild", "adopted", "leaderless"}) {
    const std::string text = revive::read_file(revive::directory + "/" + name + ".result");
    if (text != "equal") revive::differs(name + ": " + text);
  }
  revive::finish();
}
