// A repository served by `git daemon` on loopback behind a counting relay.
#pragma once

#include <memory>
#include <string>

#include <sys/types.h>

#include "benchmarks/relay.h"

namespace cultivar {

class Hosting {
public:
    // Serves every repository in `folder`, for reading and writing. Errors: io.
    static Result<std::unique_ptr<Hosting>> start(const std::string& folder);
    Hosting(const Hosting&) = delete;
    Hosting& operator=(const Hosting&) = delete;
    ~Hosting();

    std::string url(const std::string& repository) const;  // "hub.git" -> "git://127.0.0.1:.../hub.git"
    Relay::Traffic traffic() const { return relay_->traffic(); }

private:
    explicit Hosting(pid_t daemon) : daemon_(daemon) {}

    pid_t daemon_;
    std::unique_ptr<Relay> relay_;
};

}  // namespace cultivar
