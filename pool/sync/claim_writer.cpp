#include "pool/sync/claim_writer.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "pool/clone/journal.h"
#include "pool/rules/record_checks.h"
#include "pool/storage/artifact_commit.h"

namespace cultivar {
namespace {

// One claim for each category in which this writer has unclaimed kept runs; for a candidate that was asked for by
// name, in which it has any scored runs.
Result<std::vector<Claim>> claims_to_make(Clone& clone, Index& index, const std::string& candidate, bool asked) {
    TRY_ASSIGN(std::vector<RunRow> rows, index.runs(candidate));
    TRY_ASSIGN(std::vector<ClaimRow> claimed, index.claims(candidate));
    std::map<std::string, std::vector<const RunRow*>> by_category;
    std::set<std::string> wanted;
    for (const RunRow& row : rows) {
        if (row.run.writer != clone.writer || row.run.status != RunStatus::done || row.refused) continue;
        by_category[row.run.category].push_back(&row);
        if (asked || row.run.decision == Decision::kept) wanted.insert(row.run.category);
    }
    if (asked && by_category.empty())
        return fail(Code::not_found,
                    fmt::format("candidate '{}' has no scored run of this clone", candidate.substr(0, 12)),
                    "cultivar explore --runs 1");
    for (const ClaimRow& row : claimed) {
        if (row.claim.writer == clone.writer) wanted.erase(row.claim.category);
    }
    std::vector<Claim> claims;
    for (const std::string& category : wanted) {
        Claim claim;
        double sum = 0;
        for (const RunRow* row : by_category[category]) {
            claim.runs.push_back(row->id);
            sum += *row->run.val_bpb;
            if (row->run.artifact.empty()) {
                if (claim.artifact.empty() && may_lack_artifact(clone.task)) claim.artifact_run = row->id;
                continue;
            }
            TRY_ASSIGN(std::optional<Oid> weights, clone.repo.ref(artifact_ref(row->run.artifact)));
            if (!weights) continue;
            claim.artifact = row->run.artifact;
            claim.artifact_run = row->id;
        }
        if (claim.artifact_run.empty()) continue;  // nothing that a verifier could check
        const Run& run = by_category[category].front()->run;
        claim.task = clone.task_id;
        claim.candidate = candidate;
        claim.toml = run.toml;
        claim.parents = run.parents;
        claim.category = category;
        claim.val_bpb = sum / static_cast<double>(claim.runs.size());
        claim.writer = clone.writer;
        claim.at = utc_text(std::time(nullptr));
        claims.push_back(std::move(claim));
    }
    if (asked && claims.empty() && !wanted.empty())
        return fail(Code::not_found,
                    fmt::format("no artifact of candidate '{}' is here, which a verifier would check: only kept runs "
                                "leave one",
                                candidate.substr(0, 12)),
                    "cultivar top");
    return claims;
}

Result<void> make_claims_of(Clone& clone, Index& index, const std::string& id, bool asked) {
    TRY_ASSIGN(std::vector<Claim> claims, claims_to_make(clone, index, id, asked));
    for (const Claim& claim : claims) {
        TRY_ASSIGN(CandidateCommit commit, index.commit_of(claim.candidate));
        TRY(ensure_candidate_branch(clone.repo, commit));
        TRY(append_record(clone, claim));
    }
    return {};
}

}  // namespace

Result<std::vector<Refusal>> make_claims(Clone& clone, Index& index, const std::vector<std::string>& ids) {
    std::vector<std::string> candidates = ids;
    if (ids.empty()) {
        TRY_ASSIGN(candidates, index.unclaimed());
    }
    std::vector<Refusal> left_out;
    for (const std::string& id : candidates) {
        auto made = make_claims_of(clone, index, id, !ids.empty());
        if (made) continue;
        if (!ids.empty() || made.error().code == Code::io || made.error().reason == Reason::bad_index)
            return fail(made.error());
        left_out.push_back({id, made.error().message});
    }
    return left_out;
}

}  // namespace cultivar
