// The worker of a clone, in a sandbox: cultivar-lm, or the pool's own command where its user trusts it.
#pragma once

#include "cli/runs/worker.h"
#include "cli/session/session.h"
#include "pool/util/clock.h"

namespace cultivar {

class TrainerWorker final : public Worker {
public:
    // Both must outlive it. The session's settings are read at each call.
    TrainerWorker(const Session& session, const Clock& clock, Confinement confinement = Confinement::sandbox)
        : session_(session), clock_(clock), confinement_(confinement) {}

    Result<std::vector<std::string>> check() const override;
    Result<void> require_device(const std::string& device) const override;
    Result<std::string> digest() const override;
    Result<Outcome> run(const WorkerJob& job, const Listener& listener,
                        const std::function<bool()>& should_stop) override;

private:
    // Its command line; a command's files are copied to `folder`.
    Result<std::vector<std::string>> command(const std::string& folder) const;

    const Session& session_;
    const Clock& clock_;
    Confinement confinement_;
};

}  // namespace cultivar
