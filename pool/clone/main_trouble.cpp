#include "pool/clone/main_trouble.h"

#include <fmt/format.h>

namespace cultivar {

Result<std::string> main_trouble(const Clone& clone) {
    TRY_ASSIGN(const std::optional<Oid> here, clone.repo.ref("refs/heads/main"));
    TRY_ASSIGN(const std::optional<Oid> there, clone.repo.ref(tracking_ref("refs/heads/main")));
    if (!here || !there || *here == *there) return std::string();
    if (*here == clone.main) {
        auto before = task_at(clone.repo, *there);
        auto follows = before ? may_follow(*before, clone.task) : Result<void>();
        return follows ? std::string() : "others will refuse main as it is here: " + follows.error().message;
    }
    TRY_ASSIGN(const bool behind, clone.repo.descends(*there, *here));
    if (behind) return std::string();
    const auto task = task_at(clone.repo, *here);
    const std::string broken = task ? "" : fmt::format(", and this one is broken: {}", task.error().message);
    return fmt::format("main here and on the remote have parted; the remote's counts{}", broken);
}

}  // namespace cultivar
