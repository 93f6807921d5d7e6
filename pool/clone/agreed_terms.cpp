#include "pool/clone/agreed_terms.h"

#include <cmath>
#include <sstream>

#include <fmt/format.h>

#include "pool/util/file.h"

namespace cultivar {
namespace {

std::string terms_path(const Clone& clone) { return clone.state_dir + "terms"; }

}  // namespace

Result<std::vector<std::string>> terms_to_agree(const Clone& clone) {
    auto text = read_file(terms_path(clone), 4096);
    if (!text && text.error().code == Code::not_found) return std::vector<std::string>();
    if (!text) return fail(text.error());
    Task agreed = clone.task;
    std::istringstream words(*text);
    words >> agreed.budget_s >> agreed.verify_share;
    if (!words) return fail(Code::io, fmt::format("'{}' is damaged", terms_path(clone)), "cultivar trust");
    return changed_terms(agreed, clone.task);
}

Result<void> agree_to_terms(const Clone& clone) {
    return write_file_atomically(terms_path(clone),
                                 fmt::format("{} {}\n", clone.task.budget_s, clone.task.verify_share));
}

Result<void> note_terms(const Clone& clone) {
    auto there = read_file(terms_path(clone), 4096);
    return there || there.error().code != Code::not_found ? Result<void>() : agree_to_terms(clone);
}

Result<void> check_terms(const Clone& clone) {
    TRY_ASSIGN(const std::vector<std::string> changes, terms_to_agree(clone));
    if (changes.empty()) return note_terms(clone);
    TRY_ASSIGN(const std::optional<Oid> here, clone.repo.ref("refs/heads/main"));
    TRY_ASSIGN(const std::optional<Oid> there, clone.repo.ref(tracking_ref("refs/heads/main")));
    if (here == clone.main && there != clone.main) return agree_to_terms(clone);
    return fail(Code::not_found, fmt::format("main changed since you last agreed: {}", fmt::join(changes, "; ")),
                "cultivar trust");
}

}  // namespace cultivar
