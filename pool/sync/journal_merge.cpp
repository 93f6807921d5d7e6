#include "pool/sync/journal_merge.h"

#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "pool/clone/journal.h"
#include "pool/git/sshsig.h"
#include "pool/storage/bundle.h"
#include "pool/storage/segment_log.h"

namespace cultivar {
namespace {

constexpr const char* kScratch = "refs/cultivar/elsewhere";  // the log under inspection
constexpr int kTries = 5;                                    // another process of this clone may be committing

bool is_proposal(const std::string& ref) { return ref.starts_with("refs/heads/proposal/"); }

// A claim's line without its time; nothing for other records.
std::optional<std::string> claimed_by(const std::string& line) {
    auto record = parse_line(line);
    Claim* claim = record ? std::get_if<Claim>(&*record) : nullptr;
    if (!claim) return std::nullopt;
    claim->at.clear();
    return to_line(*claim);
}

// The lines of `ours` that `theirs` lacks, in their order.
std::vector<std::string> lacking(const std::vector<std::string>& ours, const std::vector<std::string>& theirs) {
    std::set<std::string> there(theirs.begin(), theirs.end());
    for (const std::string& line : theirs) {
        if (auto claim = claimed_by(line)) there.insert(*claim);
    }
    std::vector<std::string> missing;
    for (const std::string& line : ours) {
        auto claim = claimed_by(line);
        if (!there.count(line) && !(claim && there.count(*claim))) missing.push_back(line);
    }
    return missing;
}

Result<std::optional<JournalMerge>> merge_log_once(Clone& clone, const std::string& ref, const Oid& theirs) {
    TRY_ASSIGN(std::optional<Oid> here, clone.repo.ref(ref));
    if (here) {
        TRY_ASSIGN(bool held, clone.repo.descends(*here, theirs));
        if (held) return std::nullopt;
    }
    TRY_ASSIGN(std::vector<std::string> their_lines, read_log(clone.repo, theirs, 0));
    std::vector<std::string> our_lines;
    if (here) {
        TRY_ASSIGN(our_lines, read_log(clone.repo, *here, 0));
    }
    const std::vector<std::string> missing = lacking(our_lines, their_lines);
    Oid next = theirs;
    if (!missing.empty()) {
        TRY_ASSIGN(next, extend_log(clone.repo, theirs, missing, clone.identity(), clone.key));
    }
    TRY_ASSIGN(const std::vector<std::string> spooled, spooled_lines(clone));
    // Records that leave the spool must be on the disk first, and out of the spool before the log holds them.
    TRY(sync_filesystem(clone.repo.git_dir()));
    TRY(drop_spooled(clone, {their_lines.begin(), their_lines.end()}));
    TRY(clone.repo.set_ref(ref, next, here.value_or("")));
    std::set<std::string> known(our_lines.begin(), our_lines.end());
    known.insert(spooled.begin(), spooled.end());
    const auto fresh = std::ranges::count_if(their_lines, [&](const std::string& line) { return !known.count(line); });
    return JournalMerge{static_cast<std::size_t>(fresh), missing.size()};
}

Result<void> check_own(const Clone& clone, const Oid& commit) {
    TRY_ASSIGN(std::string key, signer_of(clone.repo, commit));
    if (!key.empty() && key == clone.key.fingerprint()) return {};
    return fail(Code::corrupt, key.empty() ? "is not signed" : "is signed by another key than this clone's");
}

Result<std::optional<JournalMerge>> merge_proposal(Clone& clone, const std::string& ref, const Oid& theirs) {
    TRY(check_own(clone, theirs));
    TRY_ASSIGN(Bundle bundle, read_bundle(clone.repo, theirs));
    if (bundle.journals.size() != 1) return fail(Code::corrupt, "carries no journal of this clone");
    TRY_ASSIGN(auto joined, merge_log(clone, clone.journal_ref(), bundle.journals[0]));
    TRY_ASSIGN(std::optional<Oid> here, clone.repo.ref(ref));
    TRY(clone.repo.set_ref(ref, theirs, here.value_or("")));
    return joined;
}

// Any other error is of the log that somebody put under this clone's name.
bool is_of_this_machine(const Error& error) {
    return error.code == Code::io || error.code == Code::busy || error.code == Code::interrupted;
}

}  // namespace

void JournalMerge::add(const std::optional<JournalMerge>& more) {
    if (!more) return;
    theirs += more->theirs;
    ours += more->ours;
}

Result<std::optional<JournalMerge>> merge_log(Clone& clone, const std::string& ref, const Oid& theirs) {
    TRY(check_own(clone, theirs));
    for (int tried = 1;; ++tried) {
        auto joined = merge_log_once(clone, ref, theirs);
        if (joined || joined.error().code != Code::busy || tried == kTries) return joined;
    }
}

Result<JournalMerge> merge_fetched_logs(Clone& clone, std::vector<RefusedRef>& refused) {
    JournalMerge sum;
    for (const std::string& ref : {clone.journal_ref(), clone.ledger_ref()}) {
        TRY_ASSIGN(std::optional<Oid> there, clone.repo.ref(tracking_ref(ref)));
        if (!there) continue;
        auto joined = merge_log(clone, ref, *there);
        if (!joined && is_of_this_machine(joined.error())) return fail(joined.error());
        if (!joined) refused.push_back({tracking_ref(ref), joined.error().message});
        if (joined) sum.add(*joined);
    }
    return sum;
}

Result<std::optional<JournalMerge>> merge_remote_log(Clone& clone, Transport& transport, const std::string& remote,
                                                     const std::string& ref) {
    TRY_ASSIGN(std::optional<Oid> left, clone.repo.ref(kScratch));
    if (left) TRY(clone.repo.delete_ref(kScratch));
    TRY(transport.fetch(remote, {fmt::format("+{}:{}", ref, kScratch)}));
    TRY_ASSIGN(std::optional<Oid> theirs, clone.repo.ref(kScratch));
    if (!theirs) return fail(Code::git, fmt::format("cannot fetch '{}' from '{}'", ref, remote));
    auto joined = is_proposal(ref) ? merge_proposal(clone, ref, *theirs) : merge_log(clone, ref, *theirs);
    TRY(clone.repo.delete_ref(kScratch));
    return joined;
}

}  // namespace cultivar
