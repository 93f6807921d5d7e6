#include "cli/verify/origin_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "eval/judge/profile_match.h"
#include "pool/rules/same_candidate.h"
#include "pool/types/candidate.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

constexpr int kMostRuns = 64, kMostSuspects = 256;  // of nearly its score

std::vector<Profile> profiles_of(const std::vector<RunRow>& runs, const std::vector<int>& chunks) {
    std::vector<Profile> profiles;
    for (const RunRow& row : runs) {
        if (row.run.chunk_loss_sums.size() != kScoreChunks) continue;
        Profile& one = profiles.emplace_back();
        one.name = fmt::format("run {} of {} ({})", short_id(row.id), row.run.writer, short_id(row.run.candidate));
        for (int chunk : chunks) one.chunk_sums.push_back(row.run.chunk_loss_sums[static_cast<std::size_t>(chunk)]);
    }
    return profiles;
}

Result<std::string> find_same_candidate(Session& session, const ClaimRow& row) {
    const Space& space = session.clone->task.space;
    const std::string& task_id = session.clone->task_id;
    TRY_ASSIGN(const Candidate mine, parse_canonical(space, task_id, row.claim.toml));
    TRY_ASSIGN(const std::vector<VouchedClaim> before, session.index->vouched_before(row));
    for (const VouchedClaim& one : before) {
        const auto theirs = parse_canonical(space, task_id, one.toml);
        if (!theirs || theirs->files != mine.files) continue;
        const std::string apart = no_effect(space, mine.genes, theirs->genes);
        if (apart.empty()) continue;
        return fmt::format("it is {} of {}, claimed before, in all that matters: {}", short_id(one.candidate),
                           one.writer, apart);
    }
    return std::string();
}

Result<std::string> find_same_weights(Session& session, const QueuedClaim& one, const std::vector<int>& chunks,
                                      const std::vector<double>& sums) {
    const auto mine = std::ranges::find(one.runs, one.row.claim.artifact_run, &RunRow::id);
    if (mine == one.runs.end()) return std::string();
    TRY_ASSIGN(const std::vector<RunRow> vouched,
               session.index->runs_of_others(*mine, IndexQueries::Others::vouched, kTrainingsWithin, kMostRuns));
    TRY_ASSIGN(const std::vector<RunRow> before,
               session.index->runs_of_others(*mine, IndexQueries::Others::before, kSuspectsWithin, kMostSuspects));
    return taken_from(sums, profiles_of(before, chunks), profiles_of(vouched, chunks));
}

}  // namespace

Result<Origin> origin_of(Session& session, const QueuedClaim& one, const std::vector<int>& chunks,
                         const std::vector<double>& sums) {
    Origin origin;
    TRY_ASSIGN(origin.same_as, find_same_candidate(session, one.row));
    TRY_ASSIGN(origin.taken_from, find_same_weights(session, one, chunks, sums));
    return origin;
}

}  // namespace cultivar
