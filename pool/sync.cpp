#include "pool/sync.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include <fmt/format.h>
#include <ctime>

#include "pool/digest.h"
#include "pool/journal.h"

namespace cultivar {
namespace {

constexpr const char* kArtifactFile = "weights";

std::string tracking(const std::string& local) {
    std::string_view name(local);
    for (std::string_view prefix : {"refs/heads/", "refs/"}) {
        if (name.starts_with(prefix)) return fmt::format("refs/remotes/{}/{}", kRemote, name.substr(prefix.size()));
    }
    return local;
}

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
            TRY_ASSIGN(std::optional<Oid> weights, clone.repo.ref(artifact_ref(row->run.artifact)));
            if (!weights) continue;
            claim.artifact = row->run.artifact;
            claim.artifact_run = row->id;
        }
        if (claim.artifact.empty()) continue;  // nothing that a verifier could check
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
    return claims;
}

Result<void> make_claims(Clone& clone, Index& index, const std::vector<std::string>& ids) {
    std::vector<std::string> candidates = ids;
    if (ids.empty()) {
        TRY_ASSIGN(candidates, index.unclaimed());
    }
    for (const std::string& id : candidates) {
        TRY_ASSIGN(std::vector<Claim> claims, claims_to_make(clone, index, id, !ids.empty()));
        for (const Claim& claim : claims) {
            TRY_ASSIGN(CandidateCommit commit, index.commit_of(claim.candidate));
            TRY(ensure_candidate_branch(clone.repo, commit));
            TRY(append_record(clone, claim));
        }
    }
    return {};
}

// Local refs of ours that the remote does not have as they are.
Result<std::vector<Ref>> refs_to_push(Clone& clone) {
    std::vector<Ref> ours;
    for (const std::string& prefix : {clone.journal_ref(), clone.ledger_ref(), std::string("refs/heads/candidates/"),
                                      std::string("refs/artifacts/")}) {
        TRY_ASSIGN(std::vector<Ref> refs, clone.repo.refs(prefix));
        ours.insert(ours.end(), refs.begin(), refs.end());
    }
    TRY_ASSIGN(std::optional<Oid> main, clone.repo.ref("refs/heads/main"));
    // First: a hosting's hook judges the rest by it.
    if (main && *main == clone.main) ours.insert(ours.begin(), {"refs/heads/main", *main});
    std::vector<Ref> missing;
    for (Ref& ref : ours) {
        TRY_ASSIGN(std::optional<Oid> there, clone.repo.ref(tracking(ref.name)));
        if (!there || *there != ref.oid) missing.push_back(std::move(ref));
    }
    return missing;
}

// Only artifacts that a claim of ours names travel.
Result<void> drop_unclaimed_artifacts(Index& index, std::vector<Ref>& refs) {
    TRY_ASSIGN(std::vector<std::string> claimed, index.claimed_artifacts());
    std::set<std::string> named;
    for (const std::string& digest : claimed) named.insert(artifact_ref(digest));
    std::erase_if(refs,
                  [&](const Ref& ref) { return ref.name.starts_with("refs/artifacts/") && !named.count(ref.name); });
    return {};
}

Result<void> note_accepted(Clone& clone, const Ref& ref, ProposeReport& report) {
    TRY_ASSIGN(std::optional<Oid> before, clone.repo.ref(tracking(ref.name)));
    if (!before || *before != ref.oid) TRY(clone.repo.set_ref(tracking(ref.name), ref.oid, before.value_or("")));
    if (auto candidate = parse_candidate_branch(ref.name)) report.candidates.push_back(candidate->first);
    if (ref.name.starts_with("refs/artifacts/")) report.artifacts.push_back(ref.name.substr(15));
    if (ref.name == "refs/heads/main") report.main_moved = true;
    if (ref.name == clone.ledger_ref()) report.verdicts = true;
    return {};
}

}  // namespace

Result<bool> has_remote(const Clone& clone) {
    TRY_ASSIGN(std::optional<std::string> url, clone.repo.config(fmt::format("remote.{}.url", kRemote)));
    return url.has_value();
}

Result<RefreshReport> pull(Clone& clone, Index& index, Transport& transport) {
    TRY_ASSIGN(bool remote, has_remote(clone));
    if (!remote) return fail(Code::not_found, "this pool has no remote", "git remote add origin URL");
    const std::string main_ref = fmt::format("refs/remotes/{}/main", kRemote);
    TRY_ASSIGN(std::optional<Oid> main_before, clone.repo.ref(main_ref));
    std::vector<std::string> refspecs;
    for (const char* what : {"main", "candidates/*", "journal/*", "ledger/*"})
        refspecs.push_back(fmt::format("refs/heads/{0}:refs/remotes/{1}/{0}", what, kRemote));
    auto fetched = transport.fetch(kRemote, refspecs);
    if (!fetched && fetched.error().message.find("couldn't find remote ref") != std::string::npos)
        return fail(Code::git, "the remote has no branch main yet", "cultivar propose");
    if (!fetched) return fail(fetched.error());
    Task before = clone.task;
    auto reloaded = clone.reload_task();
    auto follows = reloaded ? may_follow(before, clone.task) : Result<void>(fail(reloaded.error()));
    if (!follows) {
        TRY_ASSIGN(std::optional<Oid> main_now, clone.repo.ref(main_ref));
        if (main_now && main_before && *main_now != *main_before)
            TRY(clone.repo.set_ref(main_ref, *main_before, *main_now));
        if (main_now && !main_before) TRY(clone.repo.delete_ref(main_ref));
        TRY(clone.reload_task());
        return fail(follows.error().code, "the remote's main is refused: " + follows.error().message);
    }
    TRY_ASSIGN(RefreshReport report, index.refresh());
    for (const auto& [ref, why] : fetched->refused)
        report.refused.push_back({ref, why == "non-fast-forward" ? "was rewound on the remote" : why});
    return report;
}

Result<ProposeReport> propose(Clone& clone, Index& index, Transport& transport, const std::vector<std::string>& ids) {
    TRY_ASSIGN(bool remote, has_remote(clone));
    if (!remote) return fail(Code::not_found, "this pool has no remote", "git remote add origin URL");
    ProposeReport report;
    TRY(make_claims(clone, index, ids));
    TRY_ASSIGN(report.records, commit_spool(clone));
    TRY(index.refresh());
    TRY_ASSIGN(std::vector<Ref> refs, refs_to_push(clone));
    TRY(drop_unclaimed_artifacts(index, refs));
    if (refs.empty()) return report;
    std::vector<PushItem> items;
    for (const Ref& ref : refs) items.push_back({ref.name, ref.name});
    TRY_ASSIGN(std::vector<PushStatus> statuses, transport.push(kRemote, items));
    for (std::size_t i = 0; i < refs.size(); ++i) {
        report.anything = report.anything || statuses[i].changed;
        if (!statuses[i].accepted) {
            report.refused.push_back(statuses[i]);
        } else {
            TRY(note_accepted(clone, refs[i], report));
        }
    }
    return report;
}

std::string artifact_ref(const std::string& digest) { return "refs/artifacts/" + digest; }

Result<void> store_artifact(Clone& clone, const std::string& digest, const std::string& bytes) {
    TRY_ASSIGN(Oid blob, clone.repo.write_blob(bytes));
    TRY_ASSIGN(Oid tree, clone.repo.write_tree({{kArtifactFile, blob, false, true}}));
    Identity who{"cultivar", "pool@cultivar.invalid", 0};
    TRY_ASSIGN(Oid commit, clone.repo.write_commit({tree, {}, who, fmt::format("artifact {}\n", digest)}));
    TRY_ASSIGN(std::optional<Oid> there, clone.repo.ref(artifact_ref(digest)));
    if (there && *there == commit) return {};
    return clone.repo.set_ref(artifact_ref(digest), commit, there.value_or(""));
}

Result<std::string> load_artifact(Clone& clone, Transport* transport, const std::string& digest) {
    std::string ref = artifact_ref(digest);
    TRY_ASSIGN(std::optional<Oid> commit, clone.repo.ref(ref));
    if (!commit && transport) {
        auto fetched = transport->fetch(kRemote, {ref + ":" + ref});
        if (!fetched && fetched.error().message.find("couldn't find remote ref") == std::string::npos)
            return fail(fetched.error());
        TRY_ASSIGN(commit, clone.repo.ref(ref));
    }
    if (!commit) return fail(Code::not_found, fmt::format("the artifact {} is not in the pool", digest.substr(0, 8)));
    TRY_ASSIGN(std::optional<std::string> bytes,
               clone.repo.file(*commit, kArtifactFile, static_cast<std::size_t>(clone.task.artifact_cap_bytes)));
    if (!bytes || sha256_hex(*bytes) != digest) {
        TRY(clone.repo.delete_ref(ref));  // its owner may put it right
        return fail(Code::corrupt, fmt::format("the artifact does not hash to its name {}", digest.substr(0, 8)));
    }
    return *bytes;
}

}  // namespace cultivar
