#include "cli/runs/score_artifact.h"

#include <algorithm>
#include <filesystem>

#include "cli/runs/artifact_files.h"
#include "cli/runs/run_execution.h"
#include "cli/runs/specification.h"
#include "pool/util/left_folder.h"

namespace cultivar {
namespace {

constexpr double kLeastLimit_s = 300, kMostLimit_s = 1800;

// A model that takes longer than two budgets is slower than any that was trained in one.
double usual_limit_s(const Task& task) { return std::clamp(2 * task.budget_s, kLeastLimit_s, kMostLimit_s); }

}  // namespace

Result<Outcome> run_apart(Worker& worker, const Observer& observer, const Specification& specification,
                          const std::string& folder, double limit_s, const Listener& listener) {
    const WorkerJob job{specification, folder, limit_s, limit_s};
    TRY_ASSIGN(Outcome outcome, worker.run(job, listener, [&] { return observer.interrupted(); }));
    TRY(remove_folder(folder));
    if (outcome.how == Outcome::How::stopped) return fail(Code::interrupted, "interrupted; nothing was judged");
    return outcome;
}

Result<Scored> score_artifact(Worker& worker, const Observer& observer, const Session& session, const Genes& genes,
                              const std::string& weights, const std::vector<int>& chunks, const std::string& folder,
                              const std::string& shard, double limit_s) {
    const std::string dir = std::filesystem::absolute(session.clone->state_dir + folder + "/").string();
    std::error_code ec;
    std::filesystem::remove_all(dir + "artifact", ec);  // of one that was cut off
    std::filesystem::create_directories(dir, ec);
    TRY(session.clone->task.command ? lay_out_artifact(weights, dir + "artifact")
                                    : write_file_atomically(dir + "artifact", weights));
    TRY_ASSIGN(Specification specification, base_specification(session));
    specification.mode = Specification::Mode::score;
    specification.genes = genes;
    if (session.clone->task.command) {
        TRY_ASSIGN(specification.genes, session.clone->task.space.complete(genes));
        specification.budget_s =
            session.clone->task.budget_s;  // an evaluator's limit rests on it, as in the run itself
    }
    specification.work_dir = dir;
    specification.artifact = dir + "artifact";
    specification.chunks = chunks;
    if (!shard.empty()) specification.val_shard = shard;
    Scored scored;
    auto listener = [&](const Event& event) {
        if (auto* start = std::get_if<StartEvent>(&event)) scored.start = *start;
        return Advice::go_on;
    };
    if (!(limit_s > 0)) limit_s = usual_limit_s(session.clone->task);
    TRY_ASSIGN(scored.outcome, run_apart(worker, observer, specification, dir, limit_s, listener));
    return scored;
}

}  // namespace cultivar
