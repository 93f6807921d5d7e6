#include "pool/clone/agreed_terms.h"

#include <cmath>
#include <sstream>

#include <fmt/format.h>

#include "pool/util/file.h"

namespace cultivar {
namespace {

std::string terms_path(const Clone& clone) { return clone.state_dir + "terms"; }

// The terms that the user agreed to last; of a term that nobody agreed to, the present one.
Result<Task> agreed_task(const Clone& clone) {
    Task agreed = clone.task;
    auto text = read_file(terms_path(clone), 4096);
    if (!text && text.error().code == Code::not_found) return agreed;
    if (!text) return fail(text.error());
    std::istringstream words(*text);
    words >> agreed.budget_s >> agreed.verify_share;
    bool good = !words.fail();
    if (good && !(words >> std::ws).eof()) {
        words >> agreed.noiseless >> agreed.record_min_gain_nats >> agreed.record_p_value >> agreed.record_min_seeds;
        good = !words.fail();
    }
    if (!good) return fail(Code::io, fmt::format("'{}' is damaged", terms_path(clone)), "cultivar trust");
    return agreed;
}

}  // namespace

Result<std::vector<std::string>> terms_to_agree(const Clone& clone) {
    TRY_ASSIGN(const Task agreed, agreed_task(clone));
    return changed_terms(agreed, clone.task);
}

Result<void> agree_to_terms(const Clone& clone) {
    const Task& task = clone.task;
    return write_file_atomically(terms_path(clone),
                                 fmt::format("{} {} {:d} {} {} {}\n", task.budget_s, task.verify_share, task.noiseless,
                                             task.record_min_gain_nats, task.record_p_value, task.record_min_seeds));
}

Result<void> note_terms(const Clone& clone) {
    auto there = read_file(terms_path(clone), 4096);
    if (!there) return there.error().code == Code::not_found ? agree_to_terms(clone) : Result<void>();
    TRY_ASSIGN(const std::vector<std::string> changes, terms_to_agree(clone));
    return changes.empty() ? agree_to_terms(clone) : Result<void>();  // with terms that were not kept yet
}

Result<void> check_terms(const Clone& clone, RunBudget budget) {
    TRY_ASSIGN(Task agreed, agreed_task(clone));
    if (budget == RunBudget::own) agreed.budget_s = clone.task.budget_s;
    const std::vector<std::string> changes = changed_terms(agreed, clone.task);
    if (changes.empty()) return note_terms(clone);
    TRY_ASSIGN(const std::optional<Oid> here, clone.repo.ref("refs/heads/main"));
    TRY_ASSIGN(const std::optional<Oid> there, clone.repo.ref(tracking_ref("refs/heads/main")));
    if (here == clone.main && there != clone.main) return agree_to_terms(clone);
    return fail(Code::not_found, fmt::format("main changed since you last agreed: {}", fmt::join(changes, "; ")),
                "cultivar trust");
}

}  // namespace cultivar
