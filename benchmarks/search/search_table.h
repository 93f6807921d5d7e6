// A table of real trainings as a search space with looked-up scores.
//
// The format is CSV, gzipped or plain. The header is `name:kind:levels,...,loss0,loss1,...` with the kinds `ord`
// (ordered levels) and `cat`. A row has the level of each parameter, then a loss per seed (lower is better, empty:
// missing). An assignment without a row does not exist. Ordered parameters become whole numbers with levels, the others
// choices; none is structural.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bandit/space/random.h"
#include "pool/types/search_space.h"

namespace cultivar {

class SearchTable {
public:
    // Errors: io, corrupt.
    static Result<SearchTable> load(const std::string& path);

    const std::string& name() const { return name_; }  // the file's name without folder and endings
    const Space& space() const { return *space_; }
    std::size_t rows() const { return losses_.size(); }

    Genes genes(std::size_t row) const;
    std::optional<std::size_t> find(const Genes& complete) const;
    // Draws the loss of one of the row's seeds.
    double draw(std::size_t row, Random& luck) const { return losses_[row][luck.below(losses_[row].size())]; }
    // Returns (true mean - best) / (median - best) over the table's true means.
    double regret(std::size_t row) const { return (means_[row] - best_) / (median_ - best_); }
    double best() const { return best_; }  // of the true means
    double median() const { return median_; }

private:
    Result<void> read_header(const std::vector<std::string>& fields);
    Result<void> read_row(const std::vector<std::string>& fields);
    Result<void> measure();

    std::string name_;
    std::optional<Space> space_;
    std::vector<std::vector<std::int64_t>> levels_;  // by row, then by gene
    std::vector<std::vector<double>> losses_;        // by row; not empty
    std::vector<double> means_;
    std::unordered_map<std::uint64_t, std::size_t> at_;
    double best_ = 0, median_ = 0;
};

}  // namespace cultivar
