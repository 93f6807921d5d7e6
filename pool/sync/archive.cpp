#include "pool/sync/archive.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "pool/storage/bundle.h"
#include "pool/storage/extra_remote.h"

namespace cultivar {
namespace {

constexpr const char* kLocal = "refs/heads/archive";
constexpr std::size_t kDeletionsAPush = 500;

std::string tracking() { return tracking_ref("refs/heads/archive"); }
std::string branches() { return tracking_ref("refs/heads/candidates/"); }

// By date, which grows along every line of descent.
Result<void> oldest_first(const Repo& repo, std::vector<Ref>& refs) {
    std::map<Oid, std::int64_t> unix_s;
    for (const Ref& ref : refs) {
        TRY_ASSIGN(Commit commit, repo.read_commit(ref.oid));
        unix_s[ref.oid] = commit.author.unix_s;
    }
    std::ranges::sort(refs, {}, [&](const Ref& ref) { return std::pair(unix_s.at(ref.oid), ref.oid); });
    return {};
}

bool is_retired(const std::map<std::string, Retired>& retired, const Ref& branch) {
    const auto named = parse_candidate_branch(branch.name);
    const auto found = named ? retired.find(named->first) : retired.end();
    return found != retired.end() && found->second.everywhere;
}

Result<void> plan_sources(Clone& clone, Index& index, const std::set<Oid>& live, ArchivePlan& plan) {
    TRY_ASSIGN(std::vector<Ref> refs, clone.repo.refs("refs/sources/"));
    std::set<Oid> taken;
    auto take = [&](const Oid& oid, bool journal) -> Result<void> {
        TRY_ASSIGN(bool wanted, journal ? index.may_archive_journal(oid) : index.may_archive_candidate(oid));
        if (wanted && !live.count(oid) && taken.insert(oid).second)
            (journal ? plan.journals : plan.candidates).push_back(oid);
        return {};
    };
    for (const Ref& ref : refs) {
        if (ref.name.find("/bundle/") == std::string::npos) {
            TRY(take(ref.oid, ref.name.find("/journal/") != std::string::npos));
            continue;
        }
        auto bundle = read_bundle(clone.repo, ref.oid);
        if (!bundle) continue;
        for (const Oid& oid : bundle->candidates) TRY(take(oid, false));
        for (const Oid& oid : bundle->journals) TRY(take(oid, true));
    }
    return {};
}

// Appends the plan's commits to the chain: candidates oldest first, a hundred per commit.
Result<std::size_t> append(Clone& clone, const ArchivePlan& plan, Bundle& chain) {
    std::vector<Oid> candidates;
    for (const Ref& ref : plan.branches) candidates.push_back(ref.oid);
    candidates.insert(candidates.end(), plan.candidates.begin(), plan.candidates.end());
    TRY(clone.repo.write_tree({}));
    std::size_t commits = 0;
    auto write = [&](Bundle bundle) -> Result<void> {
        bundle.before = chain.before;
        const std::string message =
            fmt::format("archive {} candidates, {} journals\n", bundle.candidates.size(), bundle.journals.size());
        TRY_ASSIGN(chain.before, write_bundle(clone.repo, bundle, kEmptyTree, clone.identity(), message, clone.key));
        ++commits;
        return {};
    };
    for (const std::vector<Oid>* carried :
         std::initializer_list<const std::vector<Oid>*>{&plan.journals, &candidates}) {
        for (std::size_t i = 0; i < carried->size(); i += kBundleParents) {
            Bundle bundle;
            const std::size_t end = std::min(i + kBundleParents, carried->size());
            (carried == &candidates ? bundle.candidates : bundle.journals)
                .assign(carried->begin() + static_cast<std::ptrdiff_t>(i),
                        carried->begin() + static_cast<std::ptrdiff_t>(end));
            TRY(write(std::move(bundle)));
        }
    }
    return commits;
}

Result<void> delete_branches(Transport& transport, const std::vector<Ref>& refs, ArchiveReport& report) {
    for (std::size_t i = 0; i < refs.size(); i += kDeletionsAPush) {
        std::vector<PushItem> items;
        for (std::size_t j = i; j < std::min(i + kDeletionsAPush, refs.size()); ++j)
            items.push_back({"", "refs/heads/candidates/" + refs[j].name.substr(branches().size())});
        TRY_ASSIGN(std::vector<PushStatus> statuses, transport.push(kRemote, items));
        for (const PushStatus& status : statuses) {
            report.deleted += status.accepted;
            if (!status.accepted) report.refused.push_back(status);
        }
    }
    return {};
}

}  // namespace

Result<ArchivePlan> plan_archive(Clone& clone, Index& index, std::size_t keep) {
    ArchivePlan plan;
    TRY_ASSIGN(std::vector<Ref> live, clone.repo.refs(branches()));
    std::set<Oid> oids;
    for (const Ref& ref : live) oids.insert(ref.oid);
    std::vector<Ref> good;
    for (const Ref& ref : live) {
        TRY_ASSIGN(bool wanted, index.may_archive_candidate(ref.oid));
        if (wanted) good.push_back(ref);
    }
    TRY(oldest_first(clone.repo, good));
    TRY_ASSIGN(auto retired, index.retired_candidates());
    const auto stays =
        std::stable_partition(good.begin(), good.end(), [&](const Ref& ref) { return is_retired(retired, ref); });
    const auto staying = static_cast<std::size_t>(good.end() - stays);
    good.resize(good.size() - std::min(staying, keep));
    plan.branches = std::move(good);
    TRY(plan_sources(clone, index, oids, plan));
    return plan;
}

Result<ArchiveReport> archive(Clone& clone, Index& index, Transport& transport, const ArchivePlan& plan) {
    ArchiveReport report;
    Bundle chain;
    TRY_ASSIGN(chain.before, clone.repo.ref(tracking()));
    TRY_ASSIGN(const std::set<std::string> worthless, index.worthless_refs());
    if (worthless.contains(tracking()))
        return fail(Code::corrupt, "what is on the remote's branch 'archive' is no archive, and nobody would read on",
                    "git push origin :refs/heads/archive && cultivar pull");
    TRY_ASSIGN(report.commits, append(clone, plan, chain));
    if (report.commits == 0) return report;
    TRY_ASSIGN(std::optional<Oid> local, clone.repo.ref(kLocal));
    TRY(clone.repo.set_ref(kLocal, *chain.before, local.value_or("")));
    TRY_ASSIGN(std::vector<PushStatus> pushed, transport.push(kRemote, {{kLocal, kLocal}}));
    if (!pushed[0].accepted) {
        TRY(clone.repo.delete_ref(kLocal));
        return fail(Code::busy, fmt::format("the remote refused the archive: {}", pushed[0].reason), "cultivar pull");
    }
    TRY_ASSIGN(std::optional<Oid> theirs, clone.repo.ref(tracking()));
    TRY(clone.repo.set_ref(tracking(), *chain.before, theirs.value_or("")));
    TRY(index.refresh());
    TRY_ASSIGN(const std::set<Oid> archived, index.archived());
    std::vector<Ref> settled = plan.branches;  // as everybody else will read the archive
    std::erase_if(settled, [&](const Ref& ref) { return !archived.contains(ref.oid); });
    TRY(delete_branches(transport, settled, report));
    TRY(drop_archived_branches(clone, index));
    TRY(index.refresh());
    return report;
}

Result<std::size_t> drop_archived_branches(Clone& clone, Index& index) {
    TRY_ASSIGN(std::set<Oid> archived, index.archived());
    if (archived.empty()) return std::size_t{0};
    std::size_t dropped = 0;
    for (const std::string& prefix : {branches(), std::string("refs/heads/candidates/")}) {
        TRY_ASSIGN(std::vector<Ref> refs, clone.repo.refs(prefix));
        for (const Ref& ref : refs) {
            if (!archived.count(ref.oid)) continue;
            TRY(clone.repo.delete_ref(ref.name));
            ++dropped;
        }
    }
    return dropped;
}

}  // namespace cultivar
