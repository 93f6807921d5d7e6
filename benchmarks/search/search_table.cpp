#include "benchmarks/search/search_table.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include <fmt/format.h>

#include "bandit/space/coordinates.h"
#include "benchmarks/common/csv_file.h"

namespace cultivar {
namespace {

constexpr std::int64_t kMostLevels = 100'000;

std::optional<std::int64_t> whole(const std::string& text) {
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Gene ordered_gene(std::string name, std::int64_t levels) {
    Gene gene;
    gene.name = std::move(name);
    gene.type = GeneType::integer;
    gene.default_value = std::int64_t{0};
    gene.high = static_cast<double>(levels - 1);
    gene.levels.resize(static_cast<std::size_t>(levels));
    std::iota(gene.levels.begin(), gene.levels.end(), std::int64_t{0});
    return gene;
}

Gene unordered_gene(std::string name, std::int64_t levels) {
    Gene gene;
    gene.name = std::move(name);
    gene.type = GeneType::choice;
    for (std::int64_t level = 0; level < levels; ++level) gene.choices.push_back(fmt::format("level_{}", level));
    gene.default_value = gene.choices.front();
    return gene;
}

std::uint64_t key(const std::vector<std::int64_t>& levels) {
    std::uint64_t hash = 0;
    for (std::int64_t level : levels) {
        hash ^= static_cast<std::uint64_t>(level);
        hash = splitmix64(hash);
    }
    return hash;
}

}  // namespace

Result<SearchTable> SearchTable::load(const std::string& path) {
    TRY_ASSIGN(CsvFile file, read_csv(path));
    SearchTable table;
    table.name_ = stem_of(path);
    TRY(table.read_header(file.header));
    for (const auto& row : file.rows) TRY(table.read_row(row));
    TRY(table.measure());
    return table;
}

Result<void> SearchTable::read_header(const std::vector<std::string>& fields) {
    std::vector<Gene> genes;
    for (const std::string& field : fields) {
        const std::size_t kind = field.find(':'), count = field.rfind(':');
        if (kind == count) break;  // the loss columns begin
        const std::string word = field.substr(kind + 1, count - kind - 1);
        auto levels = whole(field.substr(count + 1));
        if (!levels || *levels < 1 || *levels > kMostLevels || (word != "ord" && word != "cat"))
            return fail(Code::corrupt, fmt::format("table '{}': '{}' is no parameter", name_, field));
        std::string name = fmt::format("p{:02}", genes.size());
        genes.push_back(word == "ord" ? ordered_gene(name, *levels) : unordered_gene(name, *levels));
    }
    TRY_ASSIGN(space_, Space::make(std::move(genes), {}));
    return {};
}

Result<void> SearchTable::read_row(const std::vector<std::string>& fields) {
    std::vector<std::int64_t> levels;
    std::vector<double> losses;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i < space_->genes().size()) {
            auto level = whole(fields[i]);
            if (!level || *level < 0 || *level >= value_count(space_->genes()[i]))
                return fail(Code::corrupt, fmt::format("table '{}': no level '{}'", name_, fields[i]));
            levels.push_back(*level);
        } else if (auto loss = number_of(fields[i])) {
            losses.push_back(*loss);
        }
    }
    if (losses.empty()) return {};
    if (levels.size() < space_->genes().size() || !at_.emplace(key(levels), losses_.size()).second)
        return fail(Code::corrupt,
                    fmt::format("table '{}': row '{}' is short or there twice", name_, fmt::join(fields, ",")));
    means_.push_back(std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size()));
    levels_.push_back(std::move(levels));
    losses_.push_back(std::move(losses));
    return {};
}

Result<void> SearchTable::measure() {
    std::vector<double> sorted = means_;
    std::ranges::sort(sorted);
    if (sorted.empty() || !(sorted[sorted.size() / 2] > sorted.front()))
        return fail(Code::corrupt, fmt::format("table '{}' has nothing to find", name_));
    best_ = sorted.front();
    median_ = sorted[sorted.size() / 2];
    return {};
}

Genes SearchTable::genes(std::size_t row) const {
    Genes genes;
    for (std::size_t i = 0; i < levels_[row].size(); ++i) {
        const Gene& gene = space_->genes()[i];
        if (ordered(gene)) {
            genes[gene.name] = levels_[row][i];
        } else {
            genes[gene.name] = from_index(gene, static_cast<std::size_t>(levels_[row][i]));
        }
    }
    return genes;
}

std::optional<std::size_t> SearchTable::find(const Genes& complete) const {
    std::vector<std::int64_t> levels;
    for (const Gene& gene : space_->genes()) {
        const Value& value = complete.at(gene.name);
        levels.push_back(ordered(gene) ? std::get<std::int64_t>(value)
                                       : static_cast<std::int64_t>(to_index(gene, value)));
    }
    auto found = at_.find(key(levels));
    if (found == at_.end() || levels_[found->second] != levels) return std::nullopt;
    return found->second;
}

}  // namespace cultivar
