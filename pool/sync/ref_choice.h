// Chooses among the branches that a remote offers, before anything of them is fetched. A name costs a stranger nothing:
// one who pushes 100,000 of them must neither fail the pulls of others nor crowd anybody out.
//
//   first   main, this clone's own logs and the archive
//   known   other branches that this clone has, and that moved
//   fresh   new ones with a well-formed name: at most four names for an object, of which the object's own is the only one
//           once it is here, and 20,000 in all. A secret draws among them, and candidates, journals and ledgers take turns
//
// Names are met one at a time, and only what may be chosen is kept.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pool/git/repository.h"

namespace cultivar {

struct OfferedRef {
    std::string name;  // full, on the remote
    Oid oid;

    bool operator==(const OfferedRef&) const = default;
};

struct RefChoice {
    static constexpr std::size_t kMostFresh = 20'000, kMostOfObject = 4, kMostStrange = 1000;

    bool is_listed = true;  // else there are more than can be listed, and the rest says nothing
    bool has_main = false;
    std::vector<OfferedRef> first{}, known{};  // those that differ from what is here
    std::vector<OfferedRef> fresh{};
    std::vector<OfferedRef> strange{};  // new names that no branch of a pool has, the first kMostStrange
    std::size_t left = 0;               // new names in none of these lists
    std::set<std::string> gone{};       // refs here, as they are called here, that the remote does not offer

    // Is it all that the remote offers?
    bool is_everything() const { return left == 0; }
    bool is_empty() const { return first.empty() && known.empty() && fresh.empty() && strange.empty(); }
};

class RefChooser {
public:
    // The name that a branch of a kind ("candidates", "journal", "ledger") has by the content of its object, if that is
    // here: full, as on the remote. Asked only where an object has more names than may be kept.
    using RightName = std::function<std::optional<std::string>(std::string_view kind, const Oid& oid)>;

    // `here`: the refs that follow the remote, sorted. `own`: the branches that are always taken, as on the remote.
    // `secret`: of this pull.
    RefChooser(std::vector<Ref> here, std::set<std::string> own, std::string secret, RightName right_name)
        : here_(std::move(here)),
          seen_(here_.size()),
          own_(std::move(own)),
          secret_(std::move(secret)),
          right_name_(std::move(right_name)) {
        for (const Ref& ref : here_) ++names_here_[ref.oid];
    }

    void offer(std::string_view name, std::string_view oid);
    RefChoice choose();  // once, after the last offer

private:
    static constexpr std::array<std::string_view, 3> kKinds = {"candidates", "journal", "ledger"};
    struct Kind {
        std::map<std::string, OfferedRef> by_lot{};
        std::map<Oid, std::set<std::string>> lots_of{};  // of an object
        // Of the objects that had too many names; forgotten where there are too many such objects.
        std::map<Oid, std::optional<std::string>> right_names{};
    };
    static constexpr std::size_t kMostRightNames = 100'000;

    bool is_known(const std::string& name, const Oid& oid);
    static std::optional<std::size_t> kind_of(const std::string& name, const Oid& oid);
    void draw(std::size_t kind, OfferedRef ref);
    void thin(std::size_t kind, const Oid& oid);
    const std::optional<std::string>& right_name_of(std::size_t kind, const Oid& oid);
    void drop(Kind& kind, const std::string& lot);

    std::vector<Ref> here_;
    std::vector<bool> seen_;
    std::map<Oid, std::size_t> names_here_{};
    std::set<std::string> own_;
    std::string secret_;
    RightName right_name_;
    RefChoice choice_{};
    std::array<Kind, kKinds.size()> kinds_{};
};

}  // namespace cultivar
