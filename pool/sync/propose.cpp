#include "pool/sync/propose.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "pool/clone/agreed_terms.h"
#include "pool/clone/journal.h"
#include "pool/git/sshsig.h"
#include "pool/rules/record_checks.h"
#include "pool/storage/artifact_commit.h"
#include "pool/storage/bundle.h"
#include "pool/storage/segment_log.h"
#include "pool/sync/claim_writer.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr double kLockWait_s = 30;
constexpr int kJoinTries = 3;  // the other clone of this name may be pushing all the while

// Makes the claims and commits everything, one process of this clone at a time: the next one sees the claims.
Result<std::size_t> settle(Clone& clone, Index& index, const std::vector<std::string>& ids, ProposeReport& report) {
    TRY_ASSIGN(FileLock lock, FileLock::acquire(clone.state_dir + "propose.lock",
                                                fmt::format("pid {}, cultivar propose", ::getpid()), kLockWait_s));
    TRY(index.refresh());
    TRY_ASSIGN(report.left_out, make_claims(clone, index, ids));
    TRY_ASSIGN(report.damaged, set_damaged_aside(clone, [&](const Record& record) {
                   const std::string writer = std::visit([](const auto& one) { return one.writer; }, record);
                   const auto good = check_record(clone.task, clone.task_id, record, writer);
                   return !good && good.error().code == Code::corrupt;  // nobody would believe it
               }));
    TRY_ASSIGN(std::size_t records, commit_spool(clone));
    TRY(index.refresh());
    return records;
}

bool is_own_log(const Clone& clone, const std::string& ref) {
    return ref == clone.journal_ref() || ref == clone.ledger_ref();
}

// Local refs of ours: journal, ledger, candidates that the archive does not hold, artifacts that a claim of ours names.
Result<std::vector<Ref>> own_refs(Clone& clone, Index& index) {
    std::vector<Ref> ours;
    for (const std::string& prefix :
         {clone.journal_ref(), clone.ledger_ref(), std::string("refs/heads/candidates/"), std::string(kArtifactRefs)}) {
        TRY_ASSIGN(std::vector<Ref> refs, clone.repo.refs(prefix));
        ours.insert(ours.end(), refs.begin(), refs.end());
    }
    // Under a name that this clone had before, too: the key is the same.
    TRY_ASSIGN(std::vector<Ref> journals, clone.repo.refs("refs/heads/journal/"));
    const std::string key = "." + clone.key.fingerprint().substr(0, 8);
    for (Ref& journal : journals) {
        if (!journal.name.ends_with(key) || journal.name == clone.journal_ref()) continue;
        TRY_ASSIGN(const std::string signer, signer_of(clone.repo, journal.oid));
        if (signer == clone.key.fingerprint()) ours.push_back(std::move(journal));
    }
    TRY_ASSIGN(std::set<Oid> archived, index.archived());
    TRY_ASSIGN(std::vector<std::string> claimed, index.claimed_artifacts());
    std::set<std::string> named;
    for (const std::string& digest : claimed) named.insert(artifact_ref(digest));
    std::erase_if(ours, [&](const Ref& ref) {
        return archived.count(ref.oid) > 0 || (artifact_of_ref(ref.name) && !named.count(ref.name));
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
        TRY_ASSIGN(std::optional<Oid> there, clone.repo.ref(tracking_ref(ref.name)));
        const bool news = !there || *there != ref.oid;
        if (news || is_own_log(clone, ref.name)) outgoing.push_back({std::move(ref), news});
    }
    return outgoing;
}

// The refs that a remote should have but lost.
Result<std::vector<Outgoing>> refs_lost(Clone& clone, Index& index, Transport& transport) {
    TRY_ASSIGN(std::vector<Ref> ours, own_refs(clone, index));
    TRY_ASSIGN(ours, with_main(clone, std::move(ours)));
    TRY_ASSIGN(std::set<std::string> judged, index.judged_artifacts(kKeptArtifacts));
    std::map<std::string, Oid> there;  // of ours, the value of those that the remote has
    for (const Ref& ref : ours) there.emplace(ref.name, "");
    TRY(transport.each_ref(kRemote, [&](std::string_view name, std::string_view oid) {
        if (const auto own = there.find(std::string(name)); own != there.end()) own->second = oid;
    }));
    std::vector<Outgoing> lost;
    for (Ref& ref : ours) {
        const auto artifact = artifact_of_ref(ref.name);
        const bool settled = artifact && judged.count(*artifact);
        if (!settled && there.at(ref.name) != ref.oid) lost.push_back({std::move(ref), true});
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
        TRY_ASSIGN(std::optional<Oid> before, clone.repo.ref(tracking_ref(ref.name)));
        if (!before || *before != ref.oid)
            TRY(clone.repo.set_ref(tracking_ref(ref.name), ref.oid, before.value_or("")));
        if (!out.news) return {};
    } else if (!status.changed) {
        return {};
    }
    if (auto candidate = parse_candidate_branch(ref.name)) report.candidates.push_back(candidate->first);
    if (auto artifact = artifact_of_ref(ref.name)) report.artifacts.push_back(std::move(*artifact));
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
        if (artifact_of_ref(one.name)) bundle.artifacts.push_back(one.oid);
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

// One push and the handling of its answers.
class Sending {
public:
    Sending(Clone& clone, Index& index, Transport& transport, const Destination& destination, ProposeReport& report)
        : clone_(clone), index_(index), transport_(transport), destination_(destination), report_(report) {}

    // A log that was refused because it grew on the remote is merged with that one and sent once more.
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
        TRY(name_squatters(statuses));
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
    // The remote accepted refs that it had accepted before.
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
        return status.refusal == PushRefusal::behind && (destination_.as_bundle || is_own_log(clone_, status.remote));
    }

    // A branch below a name of ours there, or one that our names lie below, keeps ours away.
    Result<void> name_squatters(std::vector<PushStatus>& statuses) {
        if (std::ranges::all_of(statuses, &PushStatus::accepted)) return {};
        std::map<std::string, std::string> squatters;  // by the ref that each keeps away
        const auto listed = transport_.each_ref(remote(), [&](std::string_view name, std::string_view) {
            for (const PushStatus& status : statuses) {
                const bool in_its_way = name.starts_with(status.remote + "/") ||
                                        std::string_view(status.remote).starts_with(std::string(name) + "/");
                if (!status.accepted && in_its_way) squatters.emplace(status.remote, name);
            }
        });
        if (!listed) return listed.error().code == Code::interrupted ? fail(listed.error()) : Result<void>();
        for (PushStatus& status : statuses) {
            const auto squatter = squatters.find(status.remote);
            if (squatter == squatters.end()) continue;
            status.reason = fmt::format("the branch '{}' there keeps it away; the records wait here", squatter->second);
            status.refusal = PushRefusal::rule;
            report_.hint = fmt::format("git push {} {} && cultivar propose", shell_word(remote()),
                                       shell_word(":" + squatter->second));
        }
        return {};
    }

    // False if the other log is not ours; the status says so.
    Result<bool> join(Outgoing& out, PushStatus& status) {
        Ref& ref = out.ref;
        auto joined = merge_remote_log(clone_, transport_, remote(), ref.name);
        if (!joined && joined.error().code == Code::interrupted) return fail(joined.error());
        if (!joined) {
            status.reason = joined.error().message;
            status.refusal = PushRefusal::rule;
            if (joined.error().code != Code::corrupt) return false;
            status.reason = fmt::format("somebody else holds its name there: that branch {}; the records wait here",
                                        joined.error().message);
            report_.hint =
                fmt::format("git push {} {} && cultivar propose", shell_word(remote()), shell_word(":" + ref.name));
            return false;
        }
        report_.rejoined.add(*joined);
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
    TRY_ASSIGN(std::optional<Oid> there, clone.repo.ref(tracking_ref(clone.journal_ref())));
    if (!here) return std::size_t{0};
    TRY_ASSIGN(std::size_t all, log_size(clone.repo, *here));
    if (!there) return all;
    TRY_ASSIGN(bool held, clone.repo.descends(*here, *there));
    if (!held) return all;
    TRY_ASSIGN(std::size_t known, log_size(clone.repo, *there));
    return all - known;
}

}  // namespace

Result<ProposeReport> propose(Clone& clone, Index& index, Transport& transport, const std::vector<std::string>& ids,
                              const Destination& destination) {
    TRY_ASSIGN(bool remote, has_remote(clone));
    if (!remote && destination.to.empty())
        return fail(Code::not_found, "this pool has no remote", "git remote add origin URL");
    TRY(clone.key.can_sign());
    const bool to_origin = destination.to.empty() && !destination.as_bundle;
    ProposeReport report;
    std::vector<RefusedRef> not_ours;  // the push will tell
    TRY_ASSIGN(report.rejoined, merge_fetched_logs(clone, not_ours));
    TRY_ASSIGN(std::size_t records, settle(clone, index, ids, report));
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
    if (report.main_moved) TRY(agree_to_terms(clone));  // the user's own
    return report;
}

}  // namespace cultivar
