#include "pool/integrity/fsck.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "pool/clone/seeds.h"
#include "pool/clone/trust_roots.h"
#include "pool/git/sshsig.h"
#include "pool/storage/artifact_commit.h"

namespace cultivar {
namespace {

constexpr const char* kThisClone = "this clone";

using KeysOfWriters = std::map<std::string, std::string>;

// Every commit of a log is signed by one key: that of the writer's other logs, of which the name shows eight digits.
Result<void> check_signatures(const Repo& repo, const Ref& log, KeysOfWriters& keys, FsckReport& report) {
    const std::string writer = log.name.substr(log.name.rfind('/') + 1);
    for (Oid at = log.oid; !at.empty();) {
        TRY_ASSIGN(auto signature, repo.signature(at));
        auto signer = signature ? verify_signature(signature->first, signature->second) : std::string();
        if (!signer || signer->substr(0, 8) != key_digits(writer)) {
            report.problems.push_back(
                {log.name, fmt::format("commit {} is not signed by its writer", at.substr(0, 8))});
            return {};
        }
        if (keys.emplace(writer, *signer).first->second != *signer) {
            report.problems.push_back(
                {log.name, fmt::format("commit {} is signed by another key than its writer's other commits, with the "
                                       "same first digits",
                                       at.substr(0, 8))});
            return {};
        }
        ++report.signatures;
        TRY_ASSIGN(Commit commit, repo.read_commit(at));
        at = commit.parents.empty() ? "" : commit.parents.front();
    }
    return {};
}

Result<void> check_artifacts(Clone& clone, FsckReport& report) {
    TRY_ASSIGN(std::vector<Ref> refs, clone.repo.refs(std::string(kArtifactRefs)));
    for (const Ref& ref : refs) {
        auto bytes = check_artifact(clone.repo, ref.oid, *artifact_of_ref(ref.name), clone.task.artifact_cap_bytes);
        if (!bytes) report.problems.push_back({ref.name, bytes.error().message});
        ++report.artifacts;
    }
    return {};
}

Result<void> check_claims(Index& index, FsckReport& report) {
    TRY_ASSIGN(std::vector<ClaimRow> claims, index.claims());
    for (const ClaimRow& row : claims) {
        const std::string where = fmt::format("the claim {} of {}", row.id.substr(0, 8), row.claim.writer);
        const bool told = std::any_of(report.problems.begin(), report.problems.end(),
                                      [&](const Refusal& one) { return one.reason == row.problem; });
        if (!row.problem.empty() && !told) report.problems.push_back({where, row.problem});
        TRY_ASSIGN(const std::vector<std::string> odd, index.suspicions(row));
        for (const std::string& one : odd) report.odd.push_back({where, one});
    }
    return {};
}

}  // namespace

Result<std::vector<Refusal>> damaged_objects(const Repo& repo) {
    constexpr std::size_t kMostBytes = std::size_t{1} << 30;
    TRY_ASSIGN(const auto damaged, repo.damaged_objects(kMostBytes));
    std::vector<Refusal> problems;
    for (const auto& [oid, why] : damaged) problems.push_back({"object " + oid, "is damaged: " + why});
    return problems;
}

Result<FsckReport> fsck(Clone& clone) {
    FsckReport report;
    Repo::check_hashes(true);
    // A problem of one part, and nothing of the others.
    auto unless_damaged = [&](const std::string& where, const Result<void>& checked) -> Result<void> {
        if (checked) return {};
        const Code code = checked.error().code;
        if (code != Code::git && code != Code::corrupt && code != Code::newer && code != Code::not_found)
            return checked;
        report.problems.push_back({where, checked.error().message});
        report.of_the_pool += where == kThisClone;
        return {};
    };
    auto damaged = damaged_objects(clone.repo);
    TRY(unless_damaged(kThisClone, damaged.map([](const auto&) {})));
    auto index = Index::read_anew(clone);
    TRY(unless_damaged(kThisClone, index.map([](const auto&) {})));
    if (index) {
        const RefreshReport& read = index->opened_with();
        report.runs = read.runs, report.claims = read.claims;
        report.verdicts = read.verdicts, report.candidates = read.candidates;
        report.other_task = read.other_task, report.more_refused = read.more_refused;
        report.problems.insert(report.problems.end(), read.refused.begin(), read.refused.end());
    }
    if (damaged) {
        report.problems.insert(report.problems.end(), damaged->begin(), damaged->end());
        report.of_the_pool += damaged->size();
    }
    TRY_ASSIGN(std::vector<Ref> refs, clone.repo.refs("refs/"));
    KeysOfWriters keys;
    if (const std::string own = clone.key.fingerprint(); !own.empty()) keys[clone.writer] = own;
    for (const Ref& ref : refs) {
        if (ref.name.find("/journal/") == std::string::npos && ref.name.find("/ledger/") == std::string::npos) continue;
        TRY(unless_damaged(ref.name, check_signatures(clone.repo, ref, keys, report)));
        ++report.logs;
    }
    TRY(check_artifacts(clone, report));
    if (index) TRY(unless_damaged(kThisClone, check_claims(*index, report)));
    if (auto roots = trusted_roots(clone); !roots) {
        report.problems.push_back({"main", roots.error().message});
        ++report.of_the_pool;
    }
    std::vector<Error> bad_seeds;
    if (auto seeds = read_seeds(clone, &bad_seeds); !seeds) bad_seeds.push_back(seeds.error());
    for (const Error& one : bad_seeds) {
        report.problems.push_back({"main", one.message});
        ++report.of_the_pool;
    }
    return report;
}

}  // namespace cultivar
