#include "pool/sync/pull.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "pool/clone/agreed_terms.h"
#include "pool/clone/trust_roots.h"
#include "pool/storage/extra_remote.h"
#include "pool/sync/archive.h"

namespace cultivar {
namespace {

constexpr std::size_t kLooseRefs = 100;  // that came with a pull: worth packing

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

// Somebody put more there than this clone takes: that must not keep everything else away.
bool sends_too_much(const Error& error) { return error.reason == Reason::too_large; }

std::string source_of(const std::string& refspec) { return refspec.substr(0, refspec.find(':')); }

// The refs that "A*:B*" stands for, of those that changed.
Result<std::vector<std::string>> refspecs_of_pattern(const Clone& clone, Transport& transport,
                                                     const std::string& pattern) {
    const std::string from = pattern.substr(0, pattern.find('*'));
    const std::string to = pattern.substr(pattern.find(':') + 1, pattern.size() - pattern.find(':') - 2);
    std::vector<std::string> refspecs;
    TRY_ASSIGN(const RemoteRefs there, transport.list(kRemote));
    for (const auto& [name, oid] : there) {
        if (!name.starts_with(from)) continue;
        const std::string here = to + name.substr(from.size());
        TRY_ASSIGN(const std::optional<Oid> known, clone.repo.ref(here));
        if (known != oid) refspecs.push_back(fmt::format("{}:{}", name, here));
    }
    return refspecs;
}

// What is too much together comes in halves, so that in the end the one ref that is too much is refused alone.
Result<void> fetch_in_halves(Transport& transport, const std::vector<std::string>& refspecs, FetchReport& report) {
    if (refspecs.empty()) return {};
    auto part = transport.fetch(kRemote, refspecs);
    if (part) {
        report.refused.insert(report.refused.end(), part->refused.begin(), part->refused.end());
        return {};
    }
    if (!sends_too_much(part.error())) return fail(part.error());
    if (refspecs.size() == 1) {
        report.refused.push_back({source_of(refspecs[0]), part.error().message});
        return {};
    }
    const auto middle = refspecs.begin() + static_cast<std::ptrdiff_t>(refspecs.size() / 2);
    TRY(fetch_in_halves(transport, {refspecs.begin(), middle}, report));
    return fetch_in_halves(transport, {middle, refspecs.end()}, report);
}

// Each refspec by itself, `main` first; of a pattern that is too much, each ref. Errors: those of main, interrupted.
Result<FetchReport> fetch_one_by_one(const Clone& clone, Transport& transport,
                                     const std::vector<std::string>& refspecs) {
    FetchReport report;
    for (const std::string& refspec : refspecs) {
        std::vector<std::string> parts = {refspec};
        if (refspec.find('*') != std::string::npos) {
            TRY_ASSIGN(parts, refspecs_of_pattern(clone, transport, refspec));
        }
        auto fetched = fetch_in_halves(transport, parts, report);
        if (fetched) continue;
        if (refspec == refspecs.front() || fetched.error().code == Code::interrupted) return fail(fetched.error());
        report.refused.push_back({source_of(refspec), fetched.error().message});
    }
    return report;
}

// Others' branches on the remote of which nothing here is good.
Result<std::set<std::string>> worthless_of_others(const Clone& clone, Index& index) {
    TRY_ASSIGN(std::set<std::string> worthless, index.worthless_refs());
    worthless.erase(tracking_ref(clone.journal_ref()));
    worthless.erase(tracking_ref(clone.ledger_ref()));
    return worthless;
}

// Names are flat: a branch below one, such as journal/<writer>/x, once fetched would keep that one away for good. So would
// rubbish of that name itself, which its owner's branch does not descend from.
Result<FetchReport> fetch_past_squatters(Clone& clone, Transport& transport, const std::string& remote,
                                         const std::vector<std::string>& refspecs,
                                         const std::set<std::string>& worthless) {
    auto fetched = transport.fetch(remote, refspecs);
    if (!fetched && remote == kRemote && sends_too_much(fetched.error()))
        fetched = fetch_one_by_one(clone, transport, refspecs);
    if (!fetched) return fetched;
    bool cleared = false;
    for (const RefusedRef& one : fetched->refused) {
        const std::string here = one.ref.starts_with("refs/") ? one.ref : "refs/remotes/" + one.ref;
        TRY_ASSIGN(const std::vector<Ref> below, clone.repo.refs(here + "/"));
        for (const Ref& squatter : below) TRY(clone.repo.delete_ref(squatter.name));
        const bool is_rubbish = one.rewound && worthless.contains(here);
        if (is_rubbish) TRY(clone.repo.delete_ref(here));
        cleared = cleared || is_rubbish || !below.empty();
    }
    return cleared ? transport.fetch(remote, refspecs) : fetched;
}

Result<void> fetch_extra_remotes(Clone& clone, Transport& transport, std::vector<Refusal>& refused) {
    TRY_ASSIGN(std::vector<ExtraRemote> known, extra_remotes(clone.repo));
    for (const ExtraRemote& source : known) {
        auto fetched = fetch_past_squatters(clone, transport, source.url, refspecs_of(source), {});
        if (!fetched && fetched.error().code == Code::interrupted) return fail(fetched.error());
        if (!fetched) refused.push_back({"source " + source.name, fetched.error().message});
    }
    return {};
}

// The hosting's maintainers delete a harmful branch; then it goes from here too. Only a branch of which nothing is good
// is ever deleted: a hosting that loses everything must not take the records of others with it, nor this clone's own.
Result<std::size_t> drop_deleted(Clone& clone, Index& index, Transport& transport) {
    TRY_ASSIGN(std::set<std::string> worthless, worthless_of_others(clone, index));
    if (worthless.empty()) return std::size_t{0};
    auto listed = transport.list(kRemote);
    if (!listed && listed.error().code == Code::interrupted) return fail(listed.error());
    if (!listed) return std::size_t{0};  // the next pull asks again
    for (const auto& [name, oid] : *listed) worthless.erase(tracking_ref(name));
    std::size_t dropped = 0;
    for (const std::string& ref : worthless) {
        TRY_ASSIGN(const std::optional<Oid> there, clone.repo.ref(ref));
        dropped += there && clone.repo.delete_ref(ref);
    }
    return dropped;
}

constexpr const char* kTheirMain = "refs/cultivar/their-main";

// The remote's main as it is there, if it moved or was refused because it does not follow ours.
Result<std::optional<Oid>> their_main(Clone& clone, Transport& transport, const FetchReport& fetched,
                                      const std::optional<Oid>& before) {
    const bool refused = std::any_of(fetched.refused.begin(), fetched.refused.end(),
                                     [](const RefusedRef& one) { return one.ref == "origin/main" && one.rewound; });
    TRY_ASSIGN(std::optional<Oid> now, clone.repo.ref(tracking_ref("refs/heads/main")));
    if (!refused) return now == before ? std::optional<Oid>() : now;
    TRY(transport.fetch(kRemote, {fmt::format("+refs/heads/main:{}", kTheirMain)}));
    TRY_ASSIGN(now, clone.repo.ref(kTheirMain));
    if (now) TRY(clone.repo.delete_ref(kTheirMain));
    return now;
}

// Puts the refs that follow the remote back to `before`, sorted by name.
Result<void> put_back(Repo& repo, const std::string& prefix, const std::vector<Ref>& before) {
    TRY_ASSIGN(const std::vector<Ref> now, repo.refs(prefix));
    for (const Ref& ref : now) {
        const auto old = std::ranges::lower_bound(before, ref.name, {}, &Ref::name);
        if (old == before.end() || old->name != ref.name) {
            TRY(repo.delete_ref(ref.name));
        } else if (old->oid != ref.oid) {
            TRY(repo.set_ref(ref.name, old->oid, ref.oid));
        }
    }
    return {};
}

// The remote, or what is behind its address, may have become that of another pool.
Result<void> require_same_pool(Clone& clone, Transport& transport, const FetchReport& fetched,
                               const std::vector<Ref>& before, const std::optional<Oid>& main_before) {
    TRY_ASSIGN(const std::optional<Oid> theirs, their_main(clone, transport, fetched, main_before));
    if (!theirs) return {};
    TRY_ASSIGN(const bool related, clone.repo.have_common_ancestor(*theirs, clone.main));
    if (related) return {};
    TRY(put_back(clone.repo, fmt::format("refs/remotes/{}/", kRemote), before));
    return fail(
        Code::corrupt,
        "the remote holds another pool: its main shares no history with this one's, and nothing of it was taken",
        "git remote -v");
}

Result<void> check_new_main(Clone& clone, const Task& before, const Oid& main_here) {
    TRY(clone.reload_task());
    if (clone.main != main_here) TRY(clone.repo.check_paths(clone.main));
    TRY(may_follow(before, clone.task));
    TRY(trusted_roots(clone));
    return {};
}

// Goes on with the main before where the new one cannot be: returns why. Errors: there is none before.
Result<std::optional<Error>> take_main(Clone& clone, const std::optional<Oid>& tracked_before) {
    const std::string ref = tracking_ref("refs/heads/main");
    const Task before = clone.task;
    const Oid main_here = clone.main;
    const auto follows = check_new_main(clone, before, main_here);
    if (follows) return std::optional<Error>();
    TRY_ASSIGN(const std::optional<Oid> now, clone.repo.ref(ref));
    const bool moved = now && now != tracked_before;
    if (moved && tracked_before) TRY(clone.repo.set_ref(ref, *tracked_before, *now));
    if (moved && !tracked_before) TRY(clone.repo.delete_ref(ref));
    TRY(clone.reload_task());
    Error why = follows.error();
    why.message = "the remote's main is refused: " + why.message;
    if (!moved) return fail(why);
    return std::optional(why);
}

}  // namespace

Result<PullReport> pull(Clone& clone, Index& index, Transport& transport) {
    TRY_ASSIGN(bool remote, has_remote(clone));
    if (!remote) return fail(Code::not_found, "this pool has no remote", "git remote add origin URL");
    TRY(note_terms(clone));
    const std::string main_ref = tracking_ref("refs/heads/main");
    TRY_ASSIGN(std::optional<Oid> main_before, clone.repo.ref(main_ref));
    std::vector<std::string> refspecs;
    for (const char* what : {"main", "candidates/*", "journal/*", "ledger/*"})
        refspecs.push_back(fmt::format("refs/heads/{0}:refs/remotes/{1}/{0}", what, kRemote));
    // A ref named in full must exist, a pattern need not.
    refspecs.push_back(fmt::format("refs/heads/archiv*:refs/remotes/{}/archiv*", kRemote));
    TRY_ASSIGN(const std::vector<Ref> refs_before, clone.repo.refs(fmt::format("refs/remotes/{}/", kRemote)));
    TRY_ASSIGN(const std::set<std::string> worthless, worthless_of_others(clone, index));
    auto fetched = fetch_past_squatters(clone, transport, kRemote, refspecs, worthless);
    if (!fetched && fetched.error().reason == Reason::ref_missing)
        return fail(Code::git, "the remote has no branch main yet", "cultivar propose");
    if (!fetched) return fail(fetched.error());
    TRY(require_same_pool(clone, transport, *fetched, refs_before, main_before));
    const Oid main_here = clone.main;
    TRY_ASSIGN(const std::optional<Error> main_refused, take_main(clone, main_before));
    PullReport report;
    TRY_ASSIGN(report.rejoined, merge_fetched_logs(clone, fetched->refused));
    report.main_refused = main_refused;
    std::vector<Refusal> refused;
    if (main_refused) refused.push_back({"origin/main", main_refused->message + "; the one before goes on"});
    for (const RefusedRef& one : fetched->refused)
        refused.push_back({one.ref, one.rewound ? rewound(clone, one.ref) : one.why});
    TRY(fetch_extra_remotes(clone, transport, refused));
    TRY_ASSIGN(static_cast<RefreshReport&>(report), index.refresh());
    report.refused.insert(report.refused.end(), refused.begin(), refused.end());
    report.main_moved = clone.main != main_here;
    TRY_ASSIGN(const std::string behind, clone.follow_main());
    if (!behind.empty()) report.refused.push_back({"main", behind});
    TRY_ASSIGN(report.changed_terms, terms_to_agree(clone));
    TRY_ASSIGN(std::size_t dropped, drop_archived_branches(clone, index));
    TRY_ASSIGN(const std::size_t deleted, drop_deleted(clone, index, transport));
    TRY(pack_many_refs(clone.repo));
    if (dropped + deleted > 0) TRY(index.refresh());
    return report;
}

}  // namespace cultivar
