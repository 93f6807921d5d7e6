// The pools that one command looks at, each opened once.
#pragma once

#include <map>
#include <string>

#include "cli/app/context.h"
#include "cli/commands/registry.h"
#include "cli/session/session.h"

namespace cultivar {

class Pools {
public:
    explicit Pools(Context& context) : context_(context), here_(context.folder) {}

    // Errors: as look_at_session().
    Result<Session*> at(const std::string& path) {
        const auto found = sessions_.find(path);
        if (found != sessions_.end()) return &found->second;
        context_.folder = path;
        auto session = look_at_session(context_);
        context_.folder = here_;
        if (!session) return fail(session.error());
        return &sessions_.emplace(path, std::move(*session)).first->second;
    }
    const std::string& here() const { return here_; }  // the folder of the command

private:
    Context& context_;
    const std::string here_;
    std::map<std::string, Session> sessions_{};
};

}  // namespace cultivar
