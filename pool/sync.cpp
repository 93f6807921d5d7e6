#include "pool/sync.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>

#include <fmt/format.h>
#include <ctime>

#include "pool/archive.h"
#include "pool/bundle.h"
#include "pool/digest.h"
#include "pool/journal.h"
#include "pool/source.h"

namespace cultivar {
namespace {

constexpr double kLockWait_s = 30;
constexpr const char* kArtifactFile = "weights";
constexpr std::size_t kLooseRefs = 100;  // that came with a pull: worth packing

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
            if (row->run.artifact.empty()) continue;  // a command may leave none
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

// Claims made and everything committed, by one process of this clone at a time: the next one sees what was claimed.
Result<std::size_t> settle(Clone& clone, Index& index, const std::vector<std::string>& ids) {
    TRY_ASSIGN(FileLock lock, FileLock::acquire(clone.state_dir + "propose.lock",
                                                fmt::format("pid {}, cultivar propose", ::getpid()), kLockWait_s));
    TRY(index.refresh());
    TRY(make_claims(clone, index, ids));
    TRY_ASSIGN(std::size_t records, commit_spool(clone));
    TRY(index.refresh());
    return records;
}

// Local refs of ours: journal, ledger, candidates that the archive does not hold, artifacts that a claim of ours names.
Result<std::vector<Ref>> own_refs(Clone& clone, Index& index) {
    std::vector<Ref> ours;
    for (const std::string& prefix : {clone.journal_ref(), clone.ledger_ref(), std::string("refs/heads/candidates/"),
                                      std::string("refs/artifacts/")}) {
        TRY_ASSIGN(std::vector<Ref> refs, clone.repo.refs(prefix));
        ours.insert(ours.end(), refs.begin(), refs.end());
    }
    TRY_ASSIGN(std::set<Oid> archived, index.archived());
    TRY_ASSIGN(std::vector<std::string> claimed, index.claimed_artifacts());
    std::set<std::string> named;
    for (const std::string& digest : claimed) named.insert(artifact_ref(digest));
    std::erase_if(ours, [&](const Ref& ref) {
        return archived.count(ref.oid) > 0 || (ref.name.starts_with("refs/artifacts/") && !named.count(ref.name));
    });
    return ours;
}

// Those that the remote does not have as they are, and main if it moved here.
Result<std::vector<Ref>> refs_to_push(Clone& clone, Index& index) {
    TRY_ASSIGN(std::vector<Ref> ours, own_refs(clone, index));
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

Result<void> note_accepted(Clone& clone, const Ref& ref, const PushStatus& status, const Destination& destination,
                           ProposeReport& report) {
    if (destination.as_bundle) report.proposal = ref.name.substr(std::string_view("refs/heads/").size());
    if (destination.to.empty() && !destination.as_bundle) {
        TRY_ASSIGN(std::optional<Oid> before, clone.repo.ref(tracking(ref.name)));
        if (!before || *before != ref.oid) TRY(clone.repo.set_ref(tracking(ref.name), ref.oid, before.value_or("")));
    } else if (!status.changed) {
        return {};
    }
    if (auto candidate = parse_candidate_branch(ref.name)) report.candidates.push_back(candidate->first);
    if (ref.name.starts_with("refs/artifacts/")) report.artifacts.push_back(ref.name.substr(15));
    if (ref.name == "refs/heads/main") report.main_moved = true;
    if (ref.name == clone.ledger_ref()) report.verdicts = true;
    return {};
}

// The commit that carries everything of ours, on the branch of our proposal: on top of main, or hosts would see no
// common history, with the journal's records in its tree, where a reviewer reads them.
Result<std::vector<Ref>> proposal(Clone& clone, Index& index) {
    const std::string ref = "refs/heads/proposal/" + clone.writer;
    TRY_ASSIGN(std::vector<Ref> ours, own_refs(clone, index));
    Bundle bundle;
    bundle.main = clone.main;
    for (const Ref& one : ours) {
        if (one.name == clone.journal_ref()) bundle.journals.push_back(one.oid);
        if (one.name.starts_with("refs/heads/candidates/")) bundle.candidates.push_back(one.oid);
        if (one.name.starts_with("refs/artifacts/")) bundle.artifacts.push_back(one.oid);
    }
    TRY_ASSIGN(std::optional<Oid> before, clone.repo.ref(ref));
    if (bundle.journals.empty()) return std::vector<Ref>();
    TRY_ASSIGN(Commit main, clone.repo.read_commit(clone.main));
    TRY_ASSIGN(Commit journal, clone.repo.read_commit(bundle.journals[0]));
    TRY_ASSIGN(std::vector<TreeEntry> tree, clone.repo.read_tree(main.tree));
    TRY_ASSIGN(std::vector<TreeEntry> records, clone.repo.read_tree(journal.tree));
    tree.insert(tree.end(), records.begin(), records.end());
    TRY_ASSIGN(Oid whole, clone.repo.write_tree(tree));
    if (before) {
        TRY_ASSIGN(Commit last, clone.repo.read_commit(*before));
        if (last.tree == whole) return std::vector<Ref>{{ref, *before}};
        bundle.journals.push_back(*before);  // so that the branch only ever goes forward
    }
    TRY_ASSIGN(Oid commit, write_bundle(clone.repo, bundle, whole, clone.identity(),
                                        fmt::format("Proposal of {}\n", clone.writer), clone.key));
    TRY(clone.repo.set_ref(ref, commit, before.value_or("")));
    return std::vector<Ref>{{ref, commit}};
}

Result<std::vector<Ref>> refs_for(const Destination& destination, Clone& clone, Index& index) {
    if (destination.as_bundle) return proposal(clone, index);
    return destination.to.empty() ? refs_to_push(clone, index) : own_refs(clone, index);
}

Result<void> pack_many_refs(Repo& repo) {
    std::error_code ec;
    std::size_t loose = 0;
    auto files = std::filesystem::recursive_directory_iterator(repo.git_dir() + "refs", ec);
    for (auto at = begin(files); !ec && at != end(files) && loose <= kLooseRefs; at.increment(ec))
        loose += at->is_regular_file(ec);
    return loose > kLooseRefs ? repo.pack_refs() : Result<void>();
}

Result<void> fetch_sources(Clone& clone, Transport& transport, std::vector<Refusal>& refused) {
    TRY_ASSIGN(std::vector<Source> known, sources(clone.repo));
    for (const Source& source : known) {
        auto fetched = transport.fetch(source.url, refspecs_of(source));
        if (!fetched && fetched.error().code == Code::interrupted) return fail(fetched.error());
        if (!fetched) refused.push_back({"source " + source.name, fetched.error().message});
    }
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
    // A ref named in full must exist, a pattern need not.
    refspecs.push_back(fmt::format("refs/heads/archiv*:refs/remotes/{}/archiv*", kRemote));
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
    std::vector<Refusal> refused;
    for (const auto& [ref, why] : fetched->refused)
        refused.push_back({ref, why == "non-fast-forward" ? "was rewound on the remote" : why});
    TRY(fetch_sources(clone, transport, refused));
    TRY_ASSIGN(RefreshReport report, index.refresh());
    report.refused.insert(report.refused.end(), refused.begin(), refused.end());
    TRY_ASSIGN(std::size_t dropped, drop_archived_branches(clone, index));
    TRY(pack_many_refs(clone.repo));
    if (dropped > 0) TRY(index.refresh());
    return report;
}

Result<ProposeReport> propose(Clone& clone, Index& index, Transport& transport, const std::vector<std::string>& ids,
                              const Destination& destination) {
    TRY_ASSIGN(bool remote, has_remote(clone));
    if (!remote && destination.to.empty())
        return fail(Code::not_found, "this pool has no remote", "git remote add origin URL");
    ProposeReport report;
    TRY_ASSIGN(report.records, settle(clone, index, ids));
    TRY_ASSIGN(std::vector<Ref> refs, refs_for(destination, clone, index));
    if (refs.empty()) return report;
    std::vector<PushItem> items;
    for (const Ref& ref : refs) items.push_back({ref.name, ref.name});
    TRY_ASSIGN(std::vector<PushStatus> statuses,
               transport.push(destination.to.empty() ? kRemote : destination.to, items));
    for (std::size_t i = 0; i < refs.size(); ++i) {
        report.anything = report.anything || statuses[i].changed;
        if (!statuses[i].accepted) report.refused.push_back(statuses[i]);
        if (statuses[i].accepted) TRY(note_accepted(clone, refs[i], statuses[i], destination, report));
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

Result<std::string> check_artifact(Clone& clone, const Oid& commit, const std::string& digest) {
    TRY_ASSIGN(std::optional<std::string> bytes,
               clone.repo.file(commit, kArtifactFile, static_cast<std::size_t>(clone.task.artifact_cap_bytes)));
    if (!bytes || sha256_hex(*bytes) != digest)
        return fail(Code::corrupt, fmt::format("the artifact does not hash to its name {}", digest.substr(0, 8)));
    return std::move(*bytes);
}

Result<std::string> load_artifact(Clone& clone, Transport* transport, const std::string& digest) {
    std::string ref = artifact_ref(digest);
    TRY_ASSIGN(std::optional<Oid> commit, clone.repo.ref(ref));
    if (!commit && transport) {
        std::vector<std::string> places = {kRemote};
        TRY_ASSIGN(std::vector<Source> known, sources(clone.repo));
        for (const Source& source : known) places.push_back(source.url);
        for (std::size_t i = 0; i < places.size() && !commit; ++i) {
            auto fetched = transport->fetch(places[i], {ref + ":" + ref});
            if (!fetched && i == 0 && fetched.error().message.find("couldn't find remote ref") == std::string::npos)
                return fail(fetched.error());
            TRY_ASSIGN(commit, clone.repo.ref(ref));
        }
    }
    if (!commit) return fail(Code::not_found, fmt::format("the artifact {} is not in the pool", digest.substr(0, 8)));
    auto bytes = check_artifact(clone, *commit, digest);
    if (!bytes && bytes.error().code == Code::corrupt) TRY(clone.repo.delete_ref(ref));  // its owner may put it right
    return bytes;
}

}  // namespace cultivar
