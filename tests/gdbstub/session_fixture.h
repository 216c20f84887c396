// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "gdbstub/session.h"
#include "tests/gdbstub/fake_target.h"

namespace icecore::gdbstub {

/// A session over a fake target, spoken to in payloads.
class SessionFixture : public testing::Test {
 protected:
  /// Sends a packet and returns the payloads that come back, joined by '|'. Notifications are
  /// among them, with their '%'.
  std::string ask(std::string_view packet) {
    session().receive(frame(packet));
    return take_replies();
  }
  std::string take_replies() {
    std::string replies;
    std::string_view bytes = session().output();
    while (!bytes.empty()) {
      const std::size_t start = bytes.find_first_of("$%");
      if (start == std::string_view::npos) break;
      const std::size_t end = bytes.find('#', start);
      if (end == std::string_view::npos) break;
      const std::string mark = bytes[start] == '%' ? "%" : "";
      replies +=
          (replies.empty() ? "" : "|") + mark + unescape(bytes.substr(start + 1, end - start - 1));
      bytes.remove_prefix(end + 3);
    }
    session().output().clear();
    return replies;
  }
  Session& session() {
    if (!session_) {
      session_ = std::make_unique<Session>(
          target, [this](const SessionNews& what) { news.push_back(what); });
    }
    return *session_;
  }
  FakeTarget target;
  std::vector<SessionNews> news;

 private:
  std::unique_ptr<Session> session_;
};

}  // namespace icecore::gdbstub
