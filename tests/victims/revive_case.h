// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the victims of the restore tests share: they set something up, say "ready", wait until the
// file "go" is there, and then tell what is no longer as it was. Everything goes through files
// named by paths, so that nothing but the set-up itself is there to be restored.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace revive {

inline std::string read_file(const std::string& path) {
  const std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::string directory;
inline std::string differences;

inline void begin(char** argv) {
  directory = argv[1];
  for (int fd = 3; fd < 64; ++fd) ::close(fd);
}

/// Notes that something differs.
inline void differs(const std::string& what) { differences += what + "\n"; }

template <typename A, typename B>
void expect_equal(const std::string& what, const A& now, const B& before) {
  if (now == before) return;
  std::ostringstream text;
  text << what << " is " << now << ", was " << before;
  differs(text.str());
}

inline void put(const std::string& name, const std::string& text) {
  const std::string path = directory + "/" + name;
  std::ofstream(path + ".new") << text;
  std::rename((path + ".new").c_str(), path.c_str());
}

inline void ready() { put("ready", std::to_string(::getpid())); }

inline bool told_to_go() {
  struct stat status {};
  return ::stat((directory + "/go").c_str(), &status) == 0;
}

inline void wait_for_go() {
  while (!told_to_go()) ::usleep(2000);
}

/// Says what differs, and ends.
[[noreturn]] inline void finish() {
  put("result", differences.empty() ? "equal\n" : differences);
  std::exit(differences.empty() ? 0 : 1);
}

}  // namespace revive
