// The methods that search_bench compares, behind one interface: what runs next, what came of it, what is best.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/search/search_table.h"

namespace cultivar {

struct Launch {
    std::size_t row = 0;
    bool again = false;  // a known one once more, on purpose
};

class SearchMethod {
public:
    virtual ~SearchMethod() = default;
    // Nothing: wait for a result, or, when nothing is under way, give up.
    virtual std::optional<Launch> next() = 0;
    virtual void finished(const Launch& launch, double loss) = 0;
    // The row that it would publish now. Something was finished.
    virtual std::size_t best() const = 0;
};

// Rows that a search begins with, drawn without repeats: the same for every method.
inline constexpr std::size_t kFirstRows = 10;
std::vector<std::size_t> first_rows_of(const SearchTable& table, std::uint64_t seed, std::size_t count);

//   ours      the planner of `cultivar explore`: the first rows are the pool's seeds
//   random    uniformly, with repeats
//   keep      keep or discard from one start: a mutation of the best so far, kept if its run was better
//   softmax   a mutation of a parent drawn by the softmax of levels at T = 0.05
//   tpe       multivariate TPE alone, without repeats
const std::vector<std::string_view>& search_methods();

// What a pool holds before `ours` begins in it.
struct Prelude {
    int known = 0;   // own results, of random rows
    int forged = 0;  // unverified results of a stranger, kept and claimed: random rows, each better than any true one
    const SearchTable* elsewhere = nullptr;  // of the same space: another category, in which a stranger ran
    int told = 100;                          // runs there, chosen by `ours`
};

// Null: no such method. The tables outlive the method. Only `ours` has a prelude.
std::unique_ptr<SearchMethod> make_search_method(std::string_view name, const SearchTable& table, std::uint64_t seed,
                                                 const Prelude& prelude = {});

}  // namespace cultivar
