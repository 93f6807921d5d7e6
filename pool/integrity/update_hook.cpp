#include "pool/integrity/update_hook.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "pool/clone/clone.h"
#include "pool/clone/trust_roots.h"
#include "pool/git/allowed_signers.h"
#include "pool/git/signing_key.h"
#include "pool/git/sshsig.h"
#include "pool/lineage/candidate_commits.h"
#include "pool/storage/artifact_commit.h"
#include "pool/storage/bundle.h"
#include "pool/storage/segment_log.h"
#include "pool/types/record.h"
#include "pool/types/verdict.h"
#include "pool/util/sha256.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

constexpr const char* kMain = "refs/heads/main";
constexpr std::size_t kMostCommitBytes = 64 * 1024;
constexpr int kMostUnreadable = 1000;                              // records in the new part of a log
constexpr std::int64_t kMostCarriedBytes = std::int64_t{1} << 30;  // by one push of bundles

tl::unexpected<Error> refuse(std::string why) { return fail(Code::corrupt, std::move(why)); }

Result<Commit> read_small_commit(const Repo& repo, const Oid& oid) {
    TRY_ASSIGN(std::size_t bytes, repo.object_bytes(oid));
    if (bytes > kMostCommitBytes) return refuse(fmt::format("commit {:.8} is too large: {} bytes", oid, bytes));
    return repo.read_commit(oid);
}

Result<Task> current_task(const Repo& repo) {
    TRY_ASSIGN(std::optional<Oid> main, repo.ref(kMain));
    if (!main) return refuse("the pool has no main yet: push it first");
    return task_at(repo, *main);
}

Result<void> check_forward(const Repo& repo, const RefUpdate& update) {
    if (update.before.empty()) return {};
    TRY_ASSIGN(bool forward, repo.descends(update.after, update.before));
    return forward ? Result<void>() : refuse(fmt::format("'{}' only moves forward; this rewinds it", update.ref));
}

Result<void> check_main(const Repo& repo, const RefUpdate& update) {
    TRY(check_forward(repo, update));
    TRY_ASSIGN(Task next, task_at(repo, update.after));
    TRY_ASSIGN(Roots after, roots_at(repo, update.after));
    if (update.before.empty()) return {};
    TRY_ASSIGN(Roots before, roots_at(repo, update.before));
    TRY(roots_follow(before, after));
    TRY_ASSIGN(Task now, task_at(repo, update.before));
    return may_follow(now, next);
}

// A candidate's commit, its ancestry aside.
Result<CandidateCommit> candidate_at(const Repo& repo, const Task& task, const Oid& oid) {
    TRY_ASSIGN(Commit commit, read_small_commit(repo, oid));
    auto candidate = candidate_of_tree(repo, task.space, task.id(), commit.tree);
    if (candidate && !candidate->files.empty()) {
        auto source = check_source(repo, *task.space.surface(), *candidate, commit.tree);
        if (!source) candidate = fail(source.error());
    }
    if (!candidate) return refuse(fmt::format("commit {:.8}: {}", oid, candidate.error().message));
    const auto& parents = commit.parents;
    if (parents.size() > 2 || (parents.size() == 2 && parents[0] >= parents[1]))
        return refuse(fmt::format("commit {:.8} has parents that no candidate has", oid));
    const std::string trailer = fmt::format("\nCandidate: {}\n", candidate->id);
    if (commit.author.name != "cultivar" || commit.author.email != "pool@cultivar.invalid" ||
        !commit.message.ends_with(trailer))
        return refuse(fmt::format("commit {:.8} was not written by cultivar", oid));
    return CandidateCommit{oid, std::move(*candidate), parents, commit.author.unix_s};
}

Result<void> check_candidate(const Repo& repo, const RefUpdate& update) {
    auto name = parse_candidate_branch(update.ref);
    if (!name || update.ref != "refs/heads/" + candidate_branch(name->first, name->second))
        return refuse(fmt::format("'{}' is not candidates/<id>.<commit>", update.ref));
    if (!update.before.empty()) return refuse("a candidate's branch never moves");
    if (!update.after.starts_with(name->second))
        return refuse(fmt::format("the branch names commit {}, but holds {:.8}", name->second, update.after));
    TRY_ASSIGN(Task task, current_task(repo));
    TRY_ASSIGN(CandidateCommit commit, candidate_at(repo, task, update.after));
    if (commit.candidate.id != name->first)
        return refuse(
            fmt::format("the candidate hashes to {:.8}, not to its name {:.8}", commit.candidate.id, name->first));
    TRY_ASSIGN(std::int64_t unix_s, parse_utc(task.created));
    for (const Oid& parent : commit.parents) {
        auto from = candidate_at(repo, task, parent);
        if (!from) return refuse(fmt::format("parent {:.8} is no candidate: {}", parent, from.error().message));
        unix_s = std::max(unix_s, from->unix_s + 1);
    }
    if (commit.unix_s != unix_s) return refuse("the commit's date does not follow from its parents");
    return {};
}

Result<void> check_verifier(const Repo& repo, const Oid& tip, const std::string& key, std::int64_t now_s) {
    TRY_ASSIGN(std::optional<Oid> main, repo.ref(kMain));
    if (!main) return refuse("the pool has no main yet: push it first");
    TRY_ASSIGN(std::vector<AllowedSigner> allowed, verifiers_at(repo, *main));
    TRY_ASSIGN(Commit commit, repo.read_commit(tip));
    const std::string why = why_not_allowed(allowed, key, commit.author.unix_s, now_s);
    return why.empty() ? Result<void>() : refuse("the ledger " + why);
}

// Two keys may have the eight digits in common that a name shows: whoever looks for such a pair finds it in seconds.
Result<void> check_whole_key(const Repo& repo, const std::string& writer, const std::string& key,
                             const std::string& what) {
    for (const char* folder : {"journal/", "ledger/", "proposal/"}) {
        const std::string ref = fmt::format("refs/heads/{}{}", folder, writer);
        TRY_ASSIGN(const std::optional<Oid> tip, repo.ref(ref));
        if (!tip || ref == what) continue;  // its own one is compared with the one before
        TRY_ASSIGN(const std::string known, signer_of(repo, *tip));
        if (!known.empty() && known != key)
            return refuse(fmt::format("'{}' is signed by another key than '{}'", what, ref));
    }
    return {};
}

// Checks that the key in the writer's name signed the commit, and returns it.
Result<std::string> check_signer(const Repo& repo, const Oid& commit, const std::string& writer,
                                 const std::string& what) {
    TRY_ASSIGN(std::string key, signer_of(repo, commit));
    if (key.empty()) return refuse(fmt::format("'{}' is not signed by its writer", what));
    if (key.substr(0, 8) != key_digits(writer))
        return refuse(fmt::format("'{}' is signed by another key than its name says", what));
    TRY(check_whole_key(repo, writer, key, what));
    return key;
}

// The form of the records from number `from` on, one segment in memory at a time. Single bad records are the readers'
// concern; a log that is full of them is nobody's.
Result<void> check_records(const Repo& repo, const Oid& tip, std::size_t from) {
    TRY_ASSIGN(const OpenLog log, OpenLog::open(repo, tip, from));
    int unreadable = 0;
    TRY(log.each(from, [&](const LogSegment& segment) -> Result<bool> {
        for (const std::string& line : segment.lines) {
            auto record = parse_line(line);
            unreadable += !record && record.error().code != Code::newer && !parse_verdict(line);
        }
        return unreadable < kMostUnreadable;
    }));
    return unreadable < kMostUnreadable ? Result<void>() : refuse("a log full of lines that are no records");
}

Result<void> check_log(const Repo& repo, const RefUpdate& update, const std::string& writer, bool ledger) {
    if (!is_writer(writer)) return refuse(fmt::format("'{}' is not name.machine.<8 digits of a key>", writer));
    TRY(read_small_commit(repo, update.after));
    TRY_ASSIGN(std::string key, check_signer(repo, update.after, writer, update.ref));
    if (ledger) TRY(check_verifier(repo, update.after, key, update.now_s));
    std::size_t count = 0;
    if (!update.before.empty()) {
        TRY_ASSIGN(std::string before, signer_of(repo, update.before));
        if (before != key) return refuse(fmt::format("'{}' is signed by another key than before", update.ref));
        TRY_ASSIGN(count, log_size(repo, update.before));
        auto extends = check_extends(repo, update.before, count, update.after);
        if (!extends) return refuse(fmt::format("'{}' {}", update.ref, extends.error().message));
    }
    return check_records(repo, update.after, count);
}

Result<void> check_artifact_commit(const Repo& repo, const Task& task, const Oid& oid, const std::string& digest) {
    TRY_ASSIGN(Commit commit, read_small_commit(repo, oid));
    TRY_ASSIGN(std::vector<TreeEntry> entries, repo.read_tree(commit.tree, 8));
    const Commit expected{
        commit.tree, {}, {"cultivar", "pool@cultivar.invalid", 0}, fmt::format("artifact {}\n", digest)};
    if (entries.size() != 1 || entries[0].name != "weights" || !entries[0].plain_file ||
        oid != Repo::name_of_commit(expected))
        return refuse(fmt::format("commit {:.8} is not an artifact's", oid));
    TRY_ASSIGN(std::size_t bytes, repo.object_bytes(entries[0].oid));
    const auto cap = static_cast<std::size_t>(task.artifact_cap_bytes);
    if (bytes > cap) return refuse(fmt::format("the artifact has {} bytes; the pool allows {}", bytes, cap));
    TRY_ASSIGN(std::string weights, repo.read_blob(entries[0].oid, cap));
    if (sha256_hex(weights) != digest) return refuse(fmt::format("the artifact does not hash to {:.8}", digest));
    return {};
}

Result<void> check_artifact(const Repo& repo, const RefUpdate& update, const std::string& digest) {
    if (!is_hex(digest, 64)) return refuse(fmt::format("'{}' is not refs/artifacts/<SHA-256>", update.ref));
    if (!update.before.empty()) return refuse("an artifact never changes");
    TRY_ASSIGN(Task task, current_task(repo));
    return check_artifact_commit(repo, task, update.after, digest);
}

// Bundles may carry thousands of logs and artifacts, of which a small push makes gigabytes.
Result<void> spend(std::int64_t& bytes_left, std::int64_t bytes) {
    bytes_left -= bytes;
    return bytes_left >= 0 ? Result<void>() : refuse("the push carries too much at once: propose it in parts");
}

Result<void> check_carried_journal(const Repo& repo, const Oid& tip, std::int64_t& bytes_left) {
    TRY_ASSIGN(Commit commit, read_small_commit(repo, tip));
    const std::string& writer = commit.author.name;
    if (!is_writer(writer)) return refuse(fmt::format("commit {:.8} is no writer's journal", tip));
    TRY(check_signer(repo, tip, writer, fmt::format("commit {:.8}", tip)));
    TRY_ASSIGN(const OpenLog log, OpenLog::open(repo, tip));
    TRY(spend(bytes_left, log.bytes_from(0)));
    return check_records(repo, tip, 0);
}

Result<void> check_carried(const Repo& repo, const Bundle& bundle, std::int64_t& bytes_left) {
    TRY_ASSIGN(Task task, current_task(repo));
    for (const Oid& candidate : bundle.candidates) TRY(candidate_at(repo, task, candidate));
    for (const Oid& journal : bundle.journals) TRY(check_carried_journal(repo, journal, bytes_left));
    for (const Oid& artifact : bundle.artifacts) {
        TRY_ASSIGN(Commit commit, read_small_commit(repo, artifact));
        TRY_ASSIGN(std::vector<TreeEntry> files, repo.read_tree(commit.tree, 8));
        for (const TreeEntry& file : files) {
            TRY_ASSIGN(const std::size_t bytes, repo.object_bytes(file.oid));
            TRY(spend(bytes_left, static_cast<std::int64_t>(bytes)));
        }
        constexpr std::string_view kWord = "artifact ";
        const std::string digest = commit.message.starts_with(kWord) ? commit.message.substr(kWord.size(), 64) : "";
        if (!is_hex(digest, 64)) return refuse(fmt::format("commit {:.8} is not an artifact's", artifact));
        TRY(check_artifact_commit(repo, task, artifact, digest));
    }
    return {};
}

// Each new link of the chain: signed, without files, and carrying nothing but candidates and journals.
Result<void> check_archive(const Repo& repo, const RefUpdate& update) {
    TRY(check_forward(repo, update));
    std::int64_t bytes_left = kMostCarriedBytes;
    for (Oid at = update.after; at != update.before;) {
        TRY_ASSIGN(Commit commit, read_small_commit(repo, at));
        if (commit.tree != kEmptyTree) return refuse("the archive holds files");
        TRY_ASSIGN(std::string key, signer_of(repo, at));
        if (key.empty()) return refuse(fmt::format("commit {:.8} of the archive is not signed", at));
        TRY_ASSIGN(Bundle bundle, read_bundle(repo, at));
        const std::size_t carried = bundle.candidates.size() + bundle.journals.size();
        if (commit.parents.size() != carried + (bundle.before ? 1 : 0) || carried > kBundleParents)
            return refuse(
                fmt::format("commit {:.8} of the archive carries something else than candidates and journals", at));
        TRY(check_carried(repo, bundle, bytes_left));
        if (!bundle.before) return update.before.empty() ? Result<void>() : refuse("the archive lost its beginning");
        at = *bundle.before;
    }
    return {};
}

// The tree is main's with the journal's seg/ beside it.
Result<void> check_proposal_tree(const Repo& repo, const Commit& tip, const Oid& main, const Oid& journal) {
    std::map<std::string, Oid> expected, found;
    for (const Oid& from : {main, journal}) {
        TRY_ASSIGN(Commit commit, read_small_commit(repo, from));
        TRY_ASSIGN(std::vector<TreeEntry> entries, repo.read_tree(commit.tree));
        for (const TreeEntry& entry : entries) expected[entry.name] = entry.oid;
    }
    TRY_ASSIGN(std::vector<TreeEntry> entries, repo.read_tree(tip.tree));
    for (const TreeEntry& entry : entries) found[entry.name] = entry.oid;
    return found == expected ? Result<void>() : refuse("a proposal's files are main's and its journal's seg/");
}

Result<void> check_proposal(const Repo& repo, const RefUpdate& update, const std::string& writer) {
    if (!is_writer(writer)) return refuse(fmt::format("'{}' is not name.machine.<8 digits of a key>", writer));
    TRY(check_forward(repo, update));
    TRY_ASSIGN(Commit tip, read_small_commit(repo, update.after));
    TRY_ASSIGN(std::string key, check_signer(repo, update.after, writer, update.ref));
    TRY_ASSIGN(Bundle bundle, read_bundle(repo, update.after));
    if (bundle.journals.size() != 1 || bundle.before) return refuse("a proposal carries one journal");
    TRY_ASSIGN(std::string journal_key, signer_of(repo, bundle.journals[0]));
    if (journal_key != key) return refuse("a proposal carries its own writer's journal");
    std::int64_t bytes_left = kMostCarriedBytes;
    TRY(check_carried(repo, bundle, bytes_left));
    // The other parents stand on main or are the proposal before.
    TRY_ASSIGN(std::optional<Oid> main, repo.ref(kMain));
    std::set<Oid> carried;
    for (const auto* some : {&bundle.candidates, &bundle.journals, &bundle.artifacts})
        carried.insert(some->begin(), some->end());
    const Oid from = tip.parents.front();
    TRY_ASSIGN(bool on_main, repo.descends(*main, from));
    if (!on_main) return refuse("a proposal stands on a commit of main that is here: pull, or push main first");
    for (std::size_t i = 1; i < tip.parents.size(); ++i) {
        if (carried.count(tip.parents[i])) continue;
        TRY_ASSIGN(std::string before_key, signer_of(repo, tip.parents[i]));
        if (before_key != key) return refuse("a proposal carries something else than its writer's finds");
    }
    return check_proposal_tree(repo, tip, from, bundle.journals[0]);
}

Result<void> check_deletion(const std::string& ref, bool may_delete) {
    const bool transient = ref.starts_with("refs/heads/candidates/") || ref.starts_with("refs/heads/proposal/") ||
                           ref.starts_with(kArtifactRefs);
    if (!transient) return refuse(fmt::format("'{}' is never deleted", ref));
    if (!may_delete) return refuse(fmt::format("'{}': only maintainers delete (cultivar.allowDelete)", ref));
    return {};
}

}  // namespace

Result<void> check_update(const Repo& repo, const RefUpdate& update, bool may_delete) {
    if (update.after.empty()) return check_deletion(update.ref, may_delete);
    auto below = [&](std::string_view folder) -> std::optional<std::string> {
        if (!update.ref.starts_with(folder)) return std::nullopt;
        return update.ref.substr(folder.size());
    };
    if (update.ref == kMain) return check_main(repo, update);
    if (below("refs/heads/candidates/")) return check_candidate(repo, update);
    if (auto writer = below("refs/heads/journal/")) return check_log(repo, update, *writer, false);
    if (auto writer = below("refs/heads/ledger/")) return check_log(repo, update, *writer, true);
    if (auto writer = below("refs/heads/proposal/")) return check_proposal(repo, update, *writer);
    if (update.ref == "refs/heads/archive") return check_archive(repo, update);
    if (auto digest = artifact_of_ref(update.ref)) return check_artifact(repo, update, *digest);
    return refuse(
        fmt::format("a pool has no ref '{}': it has main, candidates/, journal/, ledger/, proposal/, archive and "
                    "refs/artifacts/",
                    update.ref));
}

std::int64_t update_memory_bytes(const Repo& repo) {
    constexpr std::int64_t kLeast = 256 << 20, kBeside = 64 << 20;
    const auto task = current_task(repo);
    return std::max(kLeast, task ? kBeside + 3 * task->artifact_cap_bytes : 0);
}

}  // namespace cultivar
