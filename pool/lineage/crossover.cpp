#include "pool/lineage/crossover.h"

#include <algorithm>

#include <fmt/format.h>

#include "pool/util/sha256.h"

namespace cultivar {
namespace {

class Merge {
public:
    Merge(const Space& space, const CrossParent& a, const CrossParent& b,
          const std::vector<std::pair<Oid, Genes>>& bases)
        : genes(a.candidate.genes), space_(space), a_(a), b_(b), bases_(bases) {
        std::string text = "cross 1\n" + a.commit + "\n" + b.commit + "\n";
        for (const auto& base : bases) text += base.first + "\n";
        seed_ = sha256_hex(text);
    }

    const std::string& seed() const { return seed_; }
    Genes genes;  // a's, where nothing else was taken
    std::map<std::string, CrossOrigin> origins;

    void merge_all() {
        for (const Gene& gene : space_.genes()) merge_one(gene.name);
    }

    // True when the genes satisfy the space.
    bool repair() {
        std::map<const Constraint*, int> rounds;
        for (std::size_t i = 0; i < 2 * space_.constraints().size() + 1; ++i) {
            const Constraint* violated = space_.violated(genes);
            if (!violated) return true;
            char side = drawn(violated->left);
            if (rounds[violated]++ % 2 == 1) side = side == 'a' ? 'b' : 'a';
            for (const std::string& name : {violated->left, violated->right}) take(name, side, false, true);
        }
        return false;
    }

private:
    const Value& of_a(const std::string& gene) const { return a_.candidate.genes.at(gene); }
    const Value& of_b(const std::string& gene) const { return b_.candidate.genes.at(gene); }

    char drawn(const std::string& gene) const {
        char digit = sha256_hex(seed_ + " " + gene + " " + to_toml(of_a(gene)) + " " + to_toml(of_b(gene)))[0];
        return std::string_view("02468ace").find(digit) != std::string_view::npos ? 'a' : 'b';
    }

    const Value* base_of(const std::string& gene) const {
        const Value* base = nullptr;
        for (const auto& [oid, values] : bases_) {
            auto value = values.find(gene);
            if (value == values.end() || (base && !(*base == value->second))) return nullptr;
            base = &value->second;
        }
        return base;
    }

    void merge_one(const std::string& gene) {
        if (of_a(gene) == of_b(gene)) return;
        const Value* base = base_of(gene);
        if (base && of_a(gene) == *base) return take(gene, 'b', false, false);
        if (base && of_b(gene) == *base) return take(gene, 'a', false, false);
        take(gene, drawn(gene), true, false);
    }

    void take(const std::string& gene, char side, bool contested, bool repaired) {
        const Value& value = side == 'a' ? of_a(gene) : of_b(gene);
        genes.at(gene) = value;
        if (!(of_a(gene) == of_b(gene))) origins[gene] = {gene, to_toml(value), side, contested, repaired};
    }

    const Space& space_;
    const CrossParent& a_;
    const CrossParent& b_;
    const std::vector<std::pair<Oid, Genes>>& bases_;
    std::string seed_;
};

// The cross, be it a parent itself or not.
Result<Cross> merge_genes(const Space& space, const std::string& task_id, CrossParent a, CrossParent b,
                          std::vector<std::pair<Oid, Genes>> bases, SourceFiles files) {
    if (a.commit > b.commit) std::swap(a, b);
    std::sort(bases.begin(), bases.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
    if (bases.size() > kMaxCrossBases) bases.resize(kMaxCrossBases);
    auto pair = [&] { return fmt::format("{} and {}", a.candidate.id.substr(0, 8), b.candidate.id.substr(0, 8)); };
    Merge merge(space, a, b, bases);
    merge.merge_all();
    if (!merge.repair()) return fail(Code::unfit, fmt::format("the cross of {} violates the search space", pair()));
    auto child = make_candidate(space, task_id, merge.genes, std::move(files));
    if (!child) return fail(Code::unfit, fmt::format("the cross of {}: {}", pair(), child.error().message));
    Cross result{std::move(*child), {}, {}, merge.seed()};
    for (auto& [gene, origin] : merge.origins) result.origins.push_back(std::move(origin));
    for (const auto& base : bases) result.bases.push_back(base.first);
    return result;
}

}  // namespace

Result<Cross> cross(const Space& space, const std::string& task_id, const CrossParent& a, const CrossParent& b,
                    std::vector<std::pair<Oid, Genes>> bases, SourceFiles files) {
    TRY_ASSIGN(Cross made, merge_genes(space, task_id, a, b, std::move(bases), std::move(files)));
    for (const CrossParent* parent : {&a, &b}) {
        if (parent->candidate == made.child)
            return fail(Code::unfit, fmt::format("the cross of {:.8} and {:.8} is {:.8} itself", a.candidate.id,
                                                 b.candidate.id, made.child.id));
    }
    return made;
}

Result<std::pair<Oid, Genes>> defaults_base(const Space& space) {
    TRY_ASSIGN(Genes defaults, space.complete({}));
    return std::pair<Oid, Genes>(kDefaultsBase, std::move(defaults));
}

Result<Cross> cross_of_contents(const Space& space, const std::string& task_id, const Candidate& a, const Candidate& b,
                                const std::optional<Candidate>& base, SourceFiles files) {
    auto stand_in = [](const Candidate& candidate) { return sha256_hex(candidate.toml); };
    std::vector<std::pair<Oid, Genes>> bases;
    if (base) {
        bases.emplace_back(stand_in(*base), base->genes);
    } else {
        TRY_ASSIGN(bases.emplace_back(), defaults_base(space));
    }
    return merge_genes(space, task_id, {stand_in(a), a}, {stand_in(b), b}, std::move(bases), std::move(files));
}

}  // namespace cultivar
