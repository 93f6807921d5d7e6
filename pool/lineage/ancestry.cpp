#include "pool/lineage/ancestry.h"

#include <array>
#include <cstddef>
#include <memory_resource>
#include <queue>
#include <unordered_map>

namespace cultivar {
namespace {

constexpr unsigned kFromA = 1, kFromB = 2, kBelowABase = 4;
constexpr unsigned kCommon = kFromA | kFromB;

// Paints ancestors from the youngest down. Children have larger numbers than their parents, so whoever is taken has all
// its colours: a node with both that is not below a base is a base itself.
class Painter {
public:
    void paint(Ancestry::Node node, unsigned colours) {
        auto [at, fresh] = colours_.try_emplace(node, 0U);
        if (fresh) waiting_.push(node);
        const bool was_open = !fresh && !(at->second & kBelowABase);
        at->second |= colours;
        const bool is_open = !(at->second & kBelowABase);
        open_ += static_cast<int>(is_open) - static_cast<int>(was_open);
    }
    bool undecided() const { return open_ > 0; }
    std::pair<Ancestry::Node, unsigned> take() {
        const Ancestry::Node node = waiting_.top();
        waiting_.pop();
        const unsigned colours = colours_.at(node);
        if (!(colours & kBelowABase)) --open_;
        return {node, colours};
    }

private:
    std::array<std::byte, 16384> block_;  // enough for most: hundreds of nodes, none of which is worth an allocation
    std::pmr::monotonic_buffer_resource memory_{block_.data(), block_.size()};
    std::pmr::unordered_map<Ancestry::Node, unsigned> colours_{&memory_};
    std::priority_queue<Ancestry::Node> waiting_;
    int open_ = 0;  // waiting nodes that may still be a base or lead to one
};

}  // namespace

Ancestry::Node Ancestry::add(Node parent, Node other_parent) {
    parents_.push_back({parent, other_parent});
    return static_cast<Node>(parents_.size());
}

std::vector<Ancestry::Node> Ancestry::merge_bases(Node a, Node b) const {
    std::vector<Node> bases;
    Painter painter;
    painter.paint(a, kFromA);
    painter.paint(b, kFromB);
    while (painter.undecided()) {
        auto [node, colours] = painter.take();
        if (colours == kCommon) {
            bases.push_back(node);
            colours |= kBelowABase;
        }
        for (Node parent : parents_[node - 1]) {
            if (parent != 0) painter.paint(parent, colours);
        }
    }
    return bases;
}

}  // namespace cultivar
