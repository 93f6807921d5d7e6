#include "bandit/model/tpe.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "bandit/space/coordinates.h"
#include "eval/statistics/significance.h"

namespace cultivar {
namespace {

constexpr double kGoodShare = 0.15;
constexpr std::size_t kMostGood = 25, kMostBad = 250;
constexpr std::size_t kFullWeight = 25;  // this many newest observations of a group weigh 1, older ones less
struct Kernel {
    Point centre;               // kAbsent means the gene's prior
    std::vector<double> width;  // ordered genes
    std::vector<double> norm;   // ln(mass within [0, 1] * width * sqrt(2 pi))
    double log_weight = 0;
};

double log_norm(double centre, double width) {
    double mass = normal_cdf((1 - centre) / width) - normal_cdf(-centre / width);
    return std::log(std::max(mass, 1e-300) * width * std::sqrt(2 * M_PI));
}

// A group of observations as a probability density over the space.
class Mixture {
public:
    Mixture(const Space& space, const std::vector<Point>& points, const std::vector<double>& weights)
        : space_(space), kernels_(points.size() + 1) {
        std::size_t genes = space.genes().size();
        kernels_.back().centre.assign(genes, kAbsent);  // the prior, weight 1
        for (std::size_t i = 0; i < points.size(); ++i) {
            kernels_[i].centre = points[i];
            kernels_[i].log_weight = std::log(weights[i]);
        }
        for (Kernel& kernel : kernels_) {
            kernel.width.assign(genes, 1);
            kernel.norm.assign(genes, 0);
        }
        for (std::size_t gene = 0; gene < genes; ++gene) {
            if (ordered(space.genes()[gene])) set_widths(gene);
        }
    }

    // Returns ln of the density at `point`, up to a constant.
    double log_density(const Point& point) const {
        double highest = -std::numeric_limits<double>::infinity();
        std::vector<double> logs;
        logs.reserve(kernels_.size());
        for (const Kernel& kernel : kernels_) {
            logs.push_back(kernel.log_weight + log_kernel(kernel, point, false));
            highest = std::max(highest, logs.back());
        }
        double sum = 0;
        for (double log : logs) sum += std::exp(log - highest);
        return highest + std::log(sum);
    }

    // Draws a kernel by its weight given the structural genes of `base`.
    const Kernel& draw(const Point& base, Random& random) const {
        std::vector<double> weights;
        for (const Kernel& kernel : kernels_)
            weights.push_back(std::exp(kernel.log_weight + log_kernel(kernel, base, true)));
        return kernels_[random.pick(weights)];
    }

    Value sample(const Kernel& kernel, std::size_t index, Random& random) const {
        const Gene& gene = space_.genes()[index];
        auto count = static_cast<std::uint64_t>(value_count(gene));
        double centre = kernel.centre[index];
        if (!ordered(gene)) {
            bool stay = centre != kAbsent && !random.chance(smoothing() * static_cast<double>(count) /
                                                            (1 + smoothing() * static_cast<double>(count)));
            return from_index(gene, stay ? static_cast<std::size_t>(centre) : random.below(count));
        }
        if (centre == kAbsent) return from_unit(gene, random.uniform());
        double width = kernel.width[index];
        double low = normal_cdf(-centre / width), high = normal_cdf((1 - centre) / width);
        return from_unit(gene, centre + width * normal_quantile(low + random.uniform() * (high - low)));
    }

private:
    double smoothing() const { return 1.0 / static_cast<double>(kernels_.size()); }

    // Sets the widths: the larger gap to a neighbouring centre, within [1 / min(100, n + 1), 1].
    void set_widths(std::size_t gene) {
        std::vector<Kernel*> present;
        for (Kernel& kernel : kernels_) {
            if (kernel.centre[gene] != kAbsent) present.push_back(&kernel);
        }
        std::ranges::stable_sort(present, {}, [&](const Kernel* kernel) { return kernel->centre[gene]; });
        double narrowest = 1.0 / std::min(100.0, static_cast<double>(present.size()) + 2);
        for (std::size_t i = 0; i < present.size(); ++i) {
            double centre = present[i]->centre[gene];
            double below = centre - (i > 0 ? present[i - 1]->centre[gene] : 0.0);
            double above = (i + 1 < present.size() ? present[i + 1]->centre[gene] : 1.0) - centre;
            double gap = present.size() > 1 && i == 0                    ? above
                         : present.size() > 1 && i + 1 == present.size() ? below
                                                                         : std::max(below, above);
            double width = std::clamp(gap, narrowest, 1.0);
            present[i]->width[gene] = width;
            present[i]->norm[gene] = log_norm(centre, width);
        }
    }

    double log_kernel(const Kernel& kernel, const Point& point, bool structural_only) const {
        double log = 0;
        for (std::size_t i = 0; i < point.size(); ++i) {
            const Gene& gene = space_.genes()[i];
            if (point[i] == kAbsent || (structural_only && !gene.structural)) continue;
            double centre = kernel.centre[i];
            if (ordered(gene)) {
                if (centre == kAbsent) continue;  // uniform on [0, 1]
                double z = (point[i] - centre) / kernel.width[i];
                log += -0.5 * z * z - kernel.norm[i];
            } else {
                auto count = static_cast<double>(value_count(gene));
                double hit = centre == point[i] ? 1 : 0;
                log += centre == kAbsent ? -std::log(count) : std::log((hit + smoothing()) / (1 + smoothing() * count));
            }
        }
        return log;
    }

    const Space& space_;
    std::vector<Kernel> kernels_;
};

// The newest 25 weigh 1, older ones down to 1/n.
double age_weight(std::size_t index, std::size_t count) {
    if (count - index <= kFullWeight) return 1;
    auto older = static_cast<double>(count - kFullWeight);
    double first = 1.0 / static_cast<double>(count);
    return first + (1 - first) * static_cast<double>(index) / older;
}

Mixture mixture_of(const Space& space, const std::vector<Observation>& observations, std::vector<std::size_t> group) {
    std::ranges::sort(group);  // oldest first again
    if (group.size() > kMostBad) group.erase(group.begin(), group.end() - kMostBad);
    std::vector<Point> points;
    std::vector<double> weights;
    for (std::size_t i = 0; i < group.size(); ++i) {
        points.push_back(to_point(space, *observations[group[i]].genes));
        weights.push_back(observations[group[i]].weight * age_weight(i, group.size()));
    }
    return {space, points, weights};
}

}  // namespace

struct Parzen::Mixtures {
    const Space& space;
    Mixture good, bad;
};

Parzen::Parzen(const Space& space, const std::vector<Observation>& observations) {
    std::vector<std::size_t> order(observations.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    auto split = static_cast<std::size_t>(std::ceil(kGoodShare * static_cast<double>(order.size())));
    auto border = order.begin() + static_cast<std::ptrdiff_t>(std::min(split, kMostGood));
    std::ranges::nth_element(order, border, {}, [&](std::size_t i) { return std::pair(observations[i].score, i); });
    mixtures_.reset(new Mixtures{space, mixture_of(space, observations, {order.begin(), border}),
                                 mixture_of(space, observations, {border, order.end()})});
}
Parzen::~Parzen() = default;
Parzen::Parzen(Parzen&&) noexcept = default;
Parzen& Parzen::operator=(Parzen&&) noexcept = default;

Genes Parzen::sample(const Genes& base, double share, Random& random) const {
    const auto& [space, good, bad] = *mixtures_;
    const Kernel& kernel = good.draw(to_point(space, base), random);
    Genes genes = base;
    for (std::size_t i = 0; i < space.genes().size(); ++i) {
        const Gene& gene = space.genes()[i];
        if (gene.structural || value_count(gene) < 2 || !random.chance(share) || !space.active(gene, genes)) continue;
        genes.at(gene.name) = good.sample(kernel, i, random);
    }
    return genes;
}

double Parzen::gain(const Genes& genes) const {
    Point point = to_point(mixtures_->space, genes);
    return mixtures_->good.log_density(point) - mixtures_->bad.log_density(point);
}

}  // namespace cultivar
