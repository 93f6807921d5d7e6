#include "pool/sync/pull.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include <fmt/format.h>

#include "pool/clone/agreed_terms.h"
#include "pool/clone/trust_roots.h"
#include "pool/lineage/candidate_commit_format.h"
#include "pool/storage/extra_remote.h"
#include "pool/sync/archive.h"
#include "pool/sync/ref_choice.h"
#include "pool/util/secret_random.h"

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

// "origin/journal/x", of a refspec.
std::string target_of(const std::string& refspec) {
    constexpr std::string_view kRemotes = "refs/remotes/";
    const std::string here = refspec.substr(refspec.find(':') + 1);
    return here.starts_with(kRemotes) ? here.substr(kRemotes.size()) : here;
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
        report.refused.push_back({target_of(refspecs[0]), part.error().message});
        return {};
    }
    const auto middle = refspecs.begin() + static_cast<std::ptrdiff_t>(refspecs.size() / 2);
    TRY(fetch_in_halves(transport, {refspecs.begin(), middle}, report));
    return fetch_in_halves(transport, {middle, refspecs.end()}, report);
}

// main and this clone's own first. Of the rest nothing keeps those away. Errors: theirs, interrupted.
Result<FetchReport> fetch_chosen(Transport& transport, const RefChoice& choice, std::vector<Refusal>& troubles) {
    FetchReport report;
    for (const auto* part : {&choice.first, &choice.known, &choice.fresh}) {
        std::vector<std::string> refspecs;
        for (const OfferedRef& ref : *part) refspecs.push_back(fmt::format("{}:{}", ref.oid, tracking_ref(ref.name)));
        auto fetched = fetch_in_halves(transport, refspecs, report);
        if (fetched) continue;
        if (part == &choice.first || fetched.error().code == Code::interrupted) return fail(fetched.error());
        troubles.push_back({fmt::format("{} branches of {}", refspecs.size(), kRemote), fetched.error().message});
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
Result<FetchReport> fetch_past_squatters(Clone& clone, const std::function<Result<FetchReport>()>& fetch,
                                         const std::set<std::string>& worthless) {
    auto fetched = fetch();
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
    return cleared ? fetch() : fetched;
}

Result<void> fetch_extra_remotes(Clone& clone, Transport& transport, std::vector<Refusal>& refused) {
    TRY_ASSIGN(std::vector<ExtraRemote> known, extra_remotes(clone.repo));
    for (const ExtraRemote& source : known) {
        auto fetched =
            fetch_past_squatters(clone, [&] { return transport.fetch(source.url, refspecs_of(source)); }, {});
        if (!fetched && fetched.error().code == Code::interrupted) return fail(fetched.error());
        if (!fetched) refused.push_back({"source " + source.name, fetched.error().message});
    }
    return {};
}

// The hosting's maintainers delete a harmful branch; then it goes from here too. Only a branch of which nothing is good
// is ever deleted: a hosting that loses everything must not take the records of others with it, nor this clone's own.
Result<std::size_t> drop_deleted(Clone& clone, Index& index, const std::set<std::string>& gone) {
    if (gone.empty()) return std::size_t{0};
    TRY_ASSIGN(const std::set<std::string> worthless, worthless_of_others(clone, index));
    std::size_t dropped = 0;
    for (const std::string& ref : worthless) {
        if (!gone.contains(ref)) continue;
        TRY_ASSIGN(const std::optional<Oid> there, clone.repo.ref(ref));
        dropped += there && clone.repo.delete_ref(ref);
    }
    return dropped;
}

// The name that the content of a branch gives it, where it has been read.
std::optional<std::string> right_name(Clone& clone, Index& index, std::string_view kind, const Oid& oid) {
    if (kind == "candidates") {
        const auto kin = index.lineage().kin_of(oid);
        if (!kin || !*kin) return std::nullopt;
        return "refs/heads/" + candidate_branch((*kin)->candidate, oid);
    }
    if (!clone.repo.has_object(oid)) return std::nullopt;
    const auto tip = clone.repo.read_commit(oid);
    return tip ? std::optional(fmt::format("refs/heads/{}/{}", kind, tip->author.name)) : std::nullopt;
}

// Nothing fails because a remote offers too much.
Result<RefChoice> choose_refs(Clone& clone, Index& index, Transport& transport, const std::vector<Ref>& here) {
    constexpr std::size_t kSecretDigits = 64;
    const std::string secret = SecretRandom().hex_digits(kSecretDigits);
    RefChooser chooser(here, {"refs/heads/main", "refs/heads/archive", clone.journal_ref(), clone.ledger_ref()}, secret,
                       [&](std::string_view kind, const Oid& oid) { return right_name(clone, index, kind, oid); });
    const auto listed =
        transport.each_ref(kRemote, [&](std::string_view name, std::string_view oid) { chooser.offer(name, oid); });
    if (!listed && !sends_too_much(listed.error())) return fail(listed.error());
    if (listed) return chooser.choose();
    RefChoice blind;
    blind.is_listed = false;
    return blind;
}

// Of a remote that has more branches than can be listed: main, and the logs that this clone has. By patterns, since a ref
// named in full must exist.
Result<FetchReport> fetch_unlisted(const Clone& clone, Transport& transport, std::vector<Refusal>& troubles) {
    constexpr std::size_t kMostLogs = 1000;
    troubles.push_back(
        {kRemote, "has more branches than can be listed: only main and logs that are here already came"});
    std::set<std::string> logs = {clone.journal_ref(), clone.ledger_ref()};
    for (const char* what : {"journal", "ledger"}) {
        const std::string folder = fmt::format("refs/remotes/{}/{}/", kRemote, what);
        TRY_ASSIGN(const std::vector<Ref> here, clone.repo.refs(folder));
        for (const Ref& ref : here) {
            if (logs.size() < kMostLogs)
                logs.insert(fmt::format("refs/heads/{}/{}", what, ref.name.substr(folder.size())));
        }
    }
    std::vector<std::string> refspecs = {"refs/heads/main:" + tracking_ref("refs/heads/main")};
    for (const std::string& log : logs) refspecs.push_back(fmt::format("{}*:{}*", log, tracking_ref(log)));
    return transport.fetch(kRemote, refspecs);
}

// `troubles`: those that do not end the pull.
Result<FetchReport> fetch_origin(const Clone& clone, Transport& transport, const RefChoice& choice,
                                 std::vector<Refusal>& troubles) {
    troubles.clear();
    if (!choice.is_listed) return fetch_unlisted(clone, transport, troubles);
    if (choice.is_empty()) return FetchReport{};
    if (!choice.is_everything()) return fetch_chosen(transport, choice, troubles);
    // By patterns: what moves or goes meanwhile is no error. One for the archive, since a ref named in full must exist.
    std::vector<std::string> refspecs;
    for (const char* what : {"main", "candidates/*", "journal/*", "ledger/*", "archiv*"})
        refspecs.push_back(fmt::format("refs/heads/{0}:refs/remotes/{1}/{0}", what, kRemote));
    auto fetched = transport.fetch(kRemote, refspecs);
    return fetched || !sends_too_much(fetched.error()) ? fetched : fetch_chosen(transport, choice, troubles);
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
    TRY_ASSIGN(const std::vector<Ref> refs_before, clone.repo.refs(fmt::format("refs/remotes/{}/", kRemote)));
    TRY_ASSIGN(const std::set<std::string> worthless, worthless_of_others(clone, index));
    TRY_ASSIGN(const RefChoice choice, choose_refs(clone, index, transport, refs_before));
    if (choice.is_listed && !choice.has_main)
        return fail(Code::git, "the remote has no branch main yet", "cultivar propose");
    std::vector<Refusal> troubles;
    auto fetched = fetch_past_squatters(
        clone, [&] { return fetch_origin(clone, transport, choice, troubles); }, worthless);
    if (!fetched) return fail(fetched.error());
    TRY(require_same_pool(clone, transport, *fetched, refs_before, main_before));
    const Oid main_here = clone.main;
    TRY_ASSIGN(const std::optional<Error> main_refused, take_main(clone, main_before));
    PullReport report;
    report.left = choice.is_everything() ? 0 : choice.left + choice.strange.size();
    TRY_ASSIGN(report.rejoined, merge_fetched_logs(clone, fetched->refused));
    report.main_refused = main_refused;
    std::vector<Refusal> refused = troubles;
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
    TRY_ASSIGN(const std::size_t deleted, drop_deleted(clone, index, choice.gone));
    TRY(pack_many_refs(clone.repo));
    if (dropped + deleted > 0) TRY(index.refresh());
    return report;
}

}  // namespace cultivar
