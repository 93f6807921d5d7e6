// The methods that search_bench compares, behind one interface: choose the next run, take its result, name the best.
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
    bool again = false;  // repeats a known row on purpose
};

class SearchMethod {
public:
    virtual ~SearchMethod() = default;
    // Returns nothing if it must wait for a result or, with no run under way, gives up.
    virtual std::optional<Launch> next() = 0;
    virtual void finished(const Launch& launch, double loss) = 0;
    // Returns the row that it would publish now. At least one run must have finished.
    virtual std::size_t best() const = 0;
};

// The number of first rows, drawn without repeats: the same rows for every method.
inline constexpr std::size_t kFirstRows = 10;
std::vector<std::size_t> first_rows_of(const SearchTable& table, std::uint64_t seed, std::size_t count);

//   ours      the planner of `cultivar explore`: the first rows are the pool's seeds
//   random    uniformly, with repeats
//   keep      keep or discard from one start: a mutation of the best so far, kept if its run was better
//   softmax   a mutation of a parent drawn by the softmax of levels at T = 0.05
//   tpe       multivariate TPE alone, without repeats
const std::vector<std::string_view>& search_methods();

// The contents of the pool before `ours` begins.
struct Prelude {
    int known = 0;   // own results of random rows
    int forged = 0;  // unverified results of a stranger, kept and claimed: random rows, each better than any true one
    const SearchTable* elsewhere = nullptr;  // table of the same space: a stranger's runs in another category
    int told = 100;                          // number of runs there, chosen by `ours`
};

// Returns null for an unknown method. The tables must outlive the method. Only `ours` has a prelude.
std::unique_ptr<SearchMethod> make_search_method(std::string_view name, const SearchTable& table, std::uint64_t seed,
                                                 const Prelude& prelude = {});

}  // namespace cultivar
