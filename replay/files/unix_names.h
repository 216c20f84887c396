// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "replay/files/description_maker.h"
#include "replay/files/socket_owner.h"

namespace icecore::replay {

/// Gives unix sockets their names. The bytes of a name are what the program bound, perhaps relative
/// to where it was; what other programs connect to is the file that the bind makes.
class UnixNames {
 public:
  /// `root` and the model are borrowed.
  UnixNames(const model::Snapshot& model, int root) : model_(model), root_(root) {}

  /// Binds `fd` to the name of `file`, and makes the socket file anew with the owner and mode that
  /// it had, if the name led to one.
  void bind(int fd, const model::OpenFile& file) const;
  /// Runs `body` where the owner of `file` was: below the tree's root, in its working directory.
  void inside(const model::OpenFile& file, const std::function<void()>& body) const;
  /// Binds `fd` to `address`, leaving no file: for the ends of connections, which carry a name that
  /// nobody connects to.
  void bind_without_file(int fd, const std::string& address) const;

  /// The process that has a socket bound to that name now.
  [[nodiscard]] static SocketOwner owner(const std::string& name);

 private:
  [[nodiscard]] std::string directory_of_holder(const model::OpenFile& file) const;

  const model::Snapshot& model_;
  int root_;
};

}  // namespace icecore::replay
