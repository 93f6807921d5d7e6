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
#include "pool/roots.h"
#include "pool/segment_log.h"
#include "pool/source.h"

namespace cultivar {
namespace {

constexpr double kLockWait_s = 30;
constexpr const char* kArtifactFile = "weights";
constexpr std::string_view kArtifacts = "refs/artifacts/";
constexpr int kJoinTries = 3;            // the other clone of this name may be pushing all the while
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

bool is_own_log(const Clone& clone, const std::string& ref) {
    return ref == clone.journal_ref() || ref == clone.ledger_ref();
}

void add(Rejoined& sum, const std::optional<Rejoined>& more) {
    if (!more) return;
    sum.theirs += more->theirs;
    sum.ours += more->ours;
}

// What the last fetch brought of this writer's own logs. What another key signed is reported as refused.
Result<Rejoined> rejoin_tracked(Clone& clone, std::vector<Refusal>& refused) {
    Rejoined sum;
    for (const std::string& ref : {clone.journal_ref(), clone.ledger_ref()}) {
        TRY_ASSIGN(std::optional<Oid> there, clone.repo.ref(tracking(ref)));
        if (!there) continue;
        auto joined = rejoin_log(clone, ref, *there);
        if (!joined && joined.error().code != Code::corrupt) return fail(joined.error());
        if (!joined) refused.push_back({tracking(ref), joined.error().message});
        if (joined) add(sum, *joined);
    }
    return sum;
}

// Local refs of ours: journal, ledger, candidates that the archive does not hold, artifacts that a claim of ours names.
Result<std::vector<Ref>> own_refs(Clone& clone, Index& index) {
    std::vector<Ref> ours;
    for (const std::string& prefix : {clone.journal_ref(), clone.ledger_ref(), std::string("refs/heads/candidates/"),
                                      std::string("refs/artifacts/")}) {
        TRY_ASSIGN(std::vector<Ref> refs, clone.repo.refs(prefix));
        ours.insert(ours.end(), refs.begin(), refs.end());
    }
    // Under a name that this clone had before, too: the key is the same.
    TRY_ASSIGN(std::vector<Ref> journals, clone.repo.refs("refs/heads/journal/"));
    const std::string key = "." + clone.key.fingerprint().substr(0, 8);
    for (Ref& journal : journals) {
        if (journal.name.ends_with(key) && journal.name != clone.journal_ref()) ours.push_back(std::move(journal));
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

// A ref on its way out.
struct Outgoing {
    Ref ref;
    bool news = false;  // not known to be there
};

// The local main, if it is ours to push. It goes first: a hosting's hook judges the rest by it.
Result<std::vector<Ref>> with_main(Clone& clone, std::vector<Ref> refs) {
    TRY_ASSIGN(std::optional<Oid> main, clone.repo.ref("refs/heads/main"));
    if (main && *main == clone.main) refs.insert(refs.begin(), {"refs/heads/main", *main});
    return refs;
}

// Those that the remote is not known to have as they are, and this writer's logs in any case: a remote that has lost
// them takes them again.
Result<std::vector<Outgoing>> refs_to_push(Clone& clone, Index& index) {
    TRY_ASSIGN(std::vector<Ref> ours, own_refs(clone, index));
    TRY_ASSIGN(ours, with_main(clone, std::move(ours)));
    std::vector<Outgoing> outgoing;
    for (Ref& ref : ours) {
        TRY_ASSIGN(std::optional<Oid> there, clone.repo.ref(tracking(ref.name)));
        const bool news = !there || *there != ref.oid;
        if (news || is_own_log(clone, ref.name)) outgoing.push_back({std::move(ref), news});
    }
    return outgoing;
}

// What a remote that has lost some of it should have, and has not.
Result<std::vector<Outgoing>> refs_lost(Clone& clone, Index& index, Transport& transport) {
    TRY_ASSIGN(std::vector<Ref> ours, own_refs(clone, index));
    TRY_ASSIGN(ours, with_main(clone, std::move(ours)));
    TRY_ASSIGN(std::set<std::string> judged, index.judged_artifacts(kKeptArtifacts));
    TRY_ASSIGN(RemoteRefs listed, transport.list(kRemote));
    const std::map<std::string, std::string> there(listed.begin(), listed.end());
    std::vector<Outgoing> lost;
    for (Ref& ref : ours) {
        const bool settled = ref.name.starts_with(kArtifacts) && judged.count(ref.name.substr(kArtifacts.size()));
        auto found = there.find(ref.name);
        if (!settled && (found == there.end() || found->second != ref.oid)) lost.push_back({std::move(ref), true});
    }
    return lost;
}

Result<void> note_accepted(Clone& clone, const Outgoing& out, const PushStatus& status, const Destination& destination,
                           ProposeReport& report) {
    const Ref& ref = out.ref;
    const bool to_origin = destination.to.empty() && !destination.as_bundle;
    report.anything = report.anything || status.changed || (to_origin && out.news);
    if (destination.as_bundle) report.proposal = ref.name.substr(std::string_view("refs/heads/").size());
    if (to_origin) {
        TRY_ASSIGN(std::optional<Oid> before, clone.repo.ref(tracking(ref.name)));
        if (!before || *before != ref.oid) TRY(clone.repo.set_ref(tracking(ref.name), ref.oid, before.value_or("")));
        if (!out.news) return {};
    } else if (!status.changed) {
        return {};
    }
    if (auto candidate = parse_candidate_branch(ref.name)) report.candidates.push_back(candidate->first);
    if (ref.name.starts_with(kArtifacts)) report.artifacts.push_back(ref.name.substr(kArtifacts.size()));
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

Result<std::vector<Outgoing>> refs_for(const Destination& destination, Clone& clone, Index& index) {
    if (destination.to.empty() && !destination.as_bundle) return refs_to_push(clone, index);
    TRY_ASSIGN(std::vector<Ref> refs, destination.as_bundle ? proposal(clone, index) : own_refs(clone, index));
    std::vector<Outgoing> outgoing;
    for (Ref& ref : refs) outgoing.push_back({std::move(ref), true});
    return outgoing;
}

// One push, and what follows from the answers.
class Sending {
public:
    Sending(Clone& clone, Index& index, Transport& transport, const Destination& destination, ProposeReport& report)
        : clone_(clone), index_(index), transport_(transport), destination_(destination), report_(report) {}

    // A log that was refused because it grew elsewhere is joined with what grew there, and sent once more.
    Result<void> send(std::vector<Outgoing> outgoing) {
        TRY_ASSIGN(std::vector<PushStatus> statuses, push(outgoing));
        for (int tried = 0; tried < kJoinTries; ++tried) {
            std::vector<std::size_t> places;
            std::vector<Outgoing> again;
            for (std::size_t i = 0; i < outgoing.size(); ++i) {
                if (!grew_there(statuses[i])) continue;
                TRY_ASSIGN(bool joined, join(outgoing[i], statuses[i]));
                if (!joined) continue;
                places.push_back(i);
                again.push_back(outgoing[i]);
            }
            if (again.empty()) break;
            TRY_ASSIGN(std::vector<PushStatus> answers, push(again));
            for (std::size_t i = 0; i < places.size(); ++i) statuses[places[i]] = std::move(answers[i]);
        }
        for (std::size_t i = 0; i < outgoing.size(); ++i) {
            if (!statuses[i].accepted) report_.refused.push_back(statuses[i]);
            if (statuses[i].accepted) TRY(note_accepted(clone_, outgoing[i], statuses[i], destination_, report_));
            const bool journal = destination_.as_bundle || outgoing[i].ref.name == clone_.journal_ref();
            journal_there_ = journal_there_ || (statuses[i].accepted && journal);
            lost_ = lost_ || (statuses[i].changed && !outgoing[i].news);
        }
        return {};
    }

    bool journal_there() const { return journal_there_; }
    // The remote took what it had taken before.
    bool lost() const { return lost_; }
    std::optional<std::size_t> put_on_top() const { return put_on_top_; }  // records, of a journal that was joined

private:
    Result<std::vector<PushStatus>> push(const std::vector<Outgoing>& outgoing) {
        std::vector<PushItem> items;
        for (const Outgoing& out : outgoing) items.push_back({out.ref.name, out.ref.name});
        return transport_.push(remote(), items);
    }
    std::string remote() const { return destination_.to.empty() ? kRemote : destination_.to; }

    bool grew_there(const PushStatus& status) const {
        auto says = [&](const char* words) { return status.reason.find(words) != std::string::npos; };
        return !status.accepted && (destination_.as_bundle || is_own_log(clone_, status.remote)) &&
               (says("non-fast-forward") || says("fetch first"));
    }

    // False: what grew there is not ours; the status says so.
    Result<bool> join(Outgoing& out, PushStatus& status) {
        Ref& ref = out.ref;
        auto joined = rejoin_with(clone_, transport_, remote(), ref.name);
        if (!joined && joined.error().code == Code::interrupted) return fail(joined.error());
        if (!joined) {
            status.reason = joined.error().message;
            if (joined.error().code != Code::corrupt) return false;
            status.reason = fmt::format("somebody else holds its name there: that branch {}; what it keeps waits here",
                                        joined.error().message);
            report_.hint = fmt::format("git push {} :{} && cultivar propose", remote(), ref.name);
            return false;
        }
        add(report_.rejoined, *joined);
        if (destination_.as_bundle) {
            TRY(index_.refresh());
            TRY_ASSIGN(std::vector<Ref> anew, proposal(clone_, index_));
            ref = anew.front();
            return true;
        }
        if (*joined && ref.name == clone_.journal_ref()) put_on_top_ = (*joined)->ours;
        TRY_ASSIGN(std::optional<Oid> now, clone_.repo.ref(ref.name));
        ref.oid = now.value_or(ref.oid);
        out.news = *joined && (*joined)->ours > 0;
        return true;
    }

    Clone& clone_;
    Index& index_;
    Transport& transport_;
    const Destination& destination_;
    ProposeReport& report_;
    bool journal_there_ = false, lost_ = false;
    std::optional<std::size_t> put_on_top_;
};

// Records of the local journal that the remote was not known to hold.
Result<std::size_t> records_unknown_there(const Clone& clone) {
    TRY_ASSIGN(std::optional<Oid> here, clone.repo.ref(clone.journal_ref()));
    TRY_ASSIGN(std::optional<Oid> there, clone.repo.ref(tracking(clone.journal_ref())));
    if (!here) return std::size_t{0};
    TRY_ASSIGN(std::size_t all, log_size(clone.repo, *here));
    if (!there) return all;
    TRY_ASSIGN(bool held, clone.repo.descends(*here, *there));
    if (!held) return all;
    TRY_ASSIGN(std::size_t known, log_size(clone.repo, *there));
    return all - known;
}

Result<void> pack_many_refs(Repo& repo) {
    std::error_code ec;
    std::size_t loose = 0;
    auto files = std::filesystem::recursive_directory_iterator(repo.git_dir() + "refs", ec);
    for (auto at = begin(files); !ec && at != end(files) && loose <= kLooseRefs; at.increment(ec))
        loose += at->is_regular_file(ec);
    return loose > kLooseRefs ? repo.pack_refs() : Result<void>();
}

// `ref`: as git shortens it, "origin/journal/x".
std::string rewound(const Clone& clone, const std::string& ref) {
    const std::string words = "was rewound on the remote";
    const bool own = ref.ends_with("journal/" + clone.writer) || ref.ends_with("ledger/" + clone.writer);
    return own ? words + "; 'cultivar propose' sends it again" : words;
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

// Somebody put more there than this clone takes: that must not keep everything else away.
bool sends_too_much(const Error& error) { return error.message.starts_with("gave the remote up: it"); }

// Each refspec by itself, `main` first. Errors: those of main, interrupted.
Result<FetchReport> fetch_one_by_one(Transport& transport, const std::vector<std::string>& refspecs) {
    FetchReport report;
    for (const std::string& refspec : refspecs) {
        auto part = transport.fetch(kRemote, {refspec});
        if (!part && (refspec == refspecs.front() || part.error().code == Code::interrupted)) return part;
        if (!part) {
            const std::string there = refspec.substr(0, refspec.find(':'));
            report.refused.emplace_back(there, part.error().message);
        } else {
            report.refused.insert(report.refused.end(), part->refused.begin(), part->refused.end());
        }
    }
    return report;
}

// Names are flat: a branch below one, such as journal/<writer>/x, once fetched would keep that one away for good.
Result<FetchReport> fetch_past_squatters(Clone& clone, Transport& transport, const std::vector<std::string>& refspecs) {
    auto fetched = transport.fetch(kRemote, refspecs);
    if (!fetched && sends_too_much(fetched.error())) fetched = fetch_one_by_one(transport, refspecs);
    if (!fetched) return fetched;
    bool cleared = false;
    for (const auto& [ref, why] : fetched->refused) {
        TRY_ASSIGN(const std::vector<Ref> below, clone.repo.refs("refs/remotes/" + ref + "/"));
        for (const Ref& squatter : below) TRY(clone.repo.delete_ref(squatter.name));
        cleared = cleared || !below.empty();
    }
    return cleared ? transport.fetch(kRemote, refspecs) : fetched;
}

}  // namespace

Result<bool> has_remote(const Clone& clone) {
    TRY_ASSIGN(std::optional<std::string> url, clone.repo.config(fmt::format("remote.{}.url", kRemote)));
    return url.has_value();
}

Result<PullReport> pull(Clone& clone, Index& index, Transport& transport) {
    TRY_ASSIGN(bool remote, has_remote(clone));
    if (!remote) return fail(Code::not_found, "this pool has no remote", "git remote add origin URL");
    const std::string main_ref = fmt::format("refs/remotes/{}/main", kRemote);
    TRY_ASSIGN(std::optional<Oid> main_before, clone.repo.ref(main_ref));
    std::vector<std::string> refspecs;
    for (const char* what : {"main", "candidates/*", "journal/*", "ledger/*"})
        refspecs.push_back(fmt::format("refs/heads/{0}:refs/remotes/{1}/{0}", what, kRemote));
    // A ref named in full must exist, a pattern need not.
    refspecs.push_back(fmt::format("refs/heads/archiv*:refs/remotes/{}/archiv*", kRemote));
    auto fetched = fetch_past_squatters(clone, transport, refspecs);
    if (!fetched && fetched.error().message.find("couldn't find remote ref") != std::string::npos)
        return fail(Code::git, "the remote has no branch main yet", "cultivar propose");
    if (!fetched) return fail(fetched.error());
    Task before = clone.task;
    const Oid main_here = clone.main;
    auto reloaded = clone.reload_task();
    auto follows = reloaded ? may_follow(before, clone.task) : Result<void>(fail(reloaded.error()));
    if (follows) {
        if (auto roots = trusted_roots(clone); !roots) follows = fail(roots.error());
    }
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
        refused.push_back({ref, why == "non-fast-forward" ? rewound(clone, ref) : why});
    TRY(fetch_sources(clone, transport, refused));
    PullReport report;
    TRY_ASSIGN(report.rejoined, rejoin_tracked(clone, refused));
    TRY_ASSIGN(static_cast<RefreshReport&>(report), index.refresh());
    report.refused.insert(report.refused.end(), refused.begin(), refused.end());
    report.main_moved = clone.main != main_here;
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
    const bool to_origin = destination.to.empty() && !destination.as_bundle;
    ProposeReport report;
    std::vector<Refusal> not_ours;  // the push will tell
    TRY_ASSIGN(report.rejoined, rejoin_tracked(clone, not_ours));
    TRY_ASSIGN(std::size_t records, settle(clone, index, ids));
    TRY_ASSIGN(std::vector<Outgoing> outgoing, refs_for(destination, clone, index));
    if (outgoing.empty()) return report;
    if (to_origin) {
        TRY_ASSIGN(records, records_unknown_there(clone));
    }
    Sending sending(clone, index, transport, destination, report);
    TRY(sending.send(std::move(outgoing)));
    if (sending.journal_there()) report.records = sending.put_on_top().value_or(records);
    report.anything = report.anything || report.records > 0;
    if (to_origin && sending.lost()) {
        TRY_ASSIGN(std::vector<Outgoing> lost, refs_lost(clone, index, transport));
        if (!lost.empty()) TRY(sending.send(std::move(lost)));
        report.sent_again = true;
    }
    if (report.rejoined.theirs > 0) TRY(index.refresh());
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
    const std::string ref = artifact_ref(digest);
    std::vector<std::string> places = {""};  // here
    if (transport) {
        places.emplace_back(kRemote);
        TRY_ASSIGN(std::vector<Source> known, sources(clone.repo));
        for (const Source& source : known) places.push_back(source.url);
    }
    Error trouble{Code::not_found, fmt::format("the artifact {} is not in the pool", digest.substr(0, 8)), ""};
    for (const std::string& place : places) {
        if (!place.empty()) {
            auto fetched = transport->fetch(place, {ref + ":" + ref});
            if (!fetched && place == kRemote &&
                fetched.error().message.find("couldn't find remote ref") == std::string::npos)
                return fail(fetched.error());
        }
        TRY_ASSIGN(std::optional<Oid> commit, clone.repo.ref(ref));
        if (!commit) continue;
        auto bytes = check_artifact(clone, *commit, digest);
        if (bytes || bytes.error().code != Code::corrupt) return bytes;
        trouble = bytes.error();
        TRY(clone.repo.delete_ref(ref));  // another place may have the right ones, or its owner put it right
    }
    return fail(trouble);
}

}  // namespace cultivar
