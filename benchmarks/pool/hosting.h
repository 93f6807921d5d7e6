// Serves a repository by `git daemon` on loopback behind a counting relay.
#pragma once

#include <memory>
#include <string>

#include "benchmarks/pool/relay.h"
#include "pool/process/child_process.h"

namespace cultivar {

class Hosting {
public:
    // Serves every repository in `folder`, for reading and writing. Errors: io.
    static Result<std::unique_ptr<Hosting>> start(const std::string& folder);
    std::string url(const std::string& repository) const;  // "hub.git" -> "git://127.0.0.1:.../hub.git"
    Relay::Traffic traffic() const { return relay_->traffic(); }

private:
    explicit Hosting(Child daemon) : daemon_(std::move(daemon)) {}

    Child daemon_;
    std::unique_ptr<Relay> relay_;
};

}  // namespace cultivar
