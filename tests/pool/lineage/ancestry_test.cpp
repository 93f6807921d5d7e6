#include "pool/lineage/ancestry.h"

#include <algorithm>
#include <map>
#include <random>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Ancestry, HasTheBaseOfTwoSiblingsInTheirParent) {
    Ancestry graph;
    auto root = graph.add(0, 0), parent = graph.add(root, 0);
    auto a = graph.add(parent, 0), b = graph.add(parent, 0);
    EXPECT_THAT(graph.merge_bases(a, b), ElementsAre(parent));
    EXPECT_THAT(graph.merge_bases(b, a), ElementsAre(parent));
}

TEST(Ancestry, HasTheBaseOfANodeAndItsAncestorInTheAncestor) {
    Ancestry graph;
    auto root = graph.add(0, 0), child = graph.add(root, 0), grandchild = graph.add(child, root);
    EXPECT_THAT(graph.merge_bases(grandchild, child), ElementsAre(child));
    EXPECT_THAT(graph.merge_bases(root, grandchild), ElementsAre(root));
    EXPECT_THAT(graph.merge_bases(child, child), ElementsAre(child));
}

TEST(Ancestry, HasBothBasesOfACrissCross) {
    Ancestry graph;
    auto root = graph.add(0, 0), a = graph.add(root, 0), b = graph.add(root, 0);
    auto ab = graph.add(a, b), ba = graph.add(a, b);
    EXPECT_THAT(graph.merge_bases(ab, ba), ElementsAre(b, a));
}

TEST(Ancestry, HasNoBaseOfTheUnrelated) {
    Ancestry graph;
    auto root = graph.add(0, 0), stranger = graph.add(0, 0);
    EXPECT_THAT(graph.merge_bases(graph.add(root, 0), graph.add(stranger, 0)), IsEmpty());
}

// Random histories, most of them criss-cross; git gives the expected answers.
TEST(Ancestry, AgreesWithGitOnRandomHistories) {
    constexpr int kNodes = 120;
    for (unsigned seed = 1; seed <= 4; ++seed) {
        std::mt19937 random(seed);
        auto below = [&](std::size_t limit) { return std::uniform_int_distribution<std::size_t>(1, limit)(random); };
        TempFolder folder;
        shell("git init -q --bare " + folder.file("r"));
        Ancestry graph;
        std::string stream;
        for (int i = 1; i <= kNodes; ++i) {
            std::size_t known = graph.size();
            std::size_t oldest = known > 15 ? known - 15 : 0;  // parents are young, as in a pool
            auto draw = [&] { return static_cast<Ancestry::Node>(oldest + below(known - oldest)); };
            Ancestry::Node first = known > 2 ? draw() : 0, second = known > 2 && random() % 2 ? draw() : 0;
            if (second == first) second = 0;
            graph.add(first, second);
            stream += fmt::format("commit refs/heads/n{0}\nmark :{0}\ncommitter x <x@example.org> {1} +0000\ndata 0\n",
                                  i, 1795232400 + i);
            if (first) stream += fmt::format("from :{}\n", first);
            if (second) stream += fmt::format("merge :{}\n", second);
            stream += "\n";
        }
        folder.write("stream", stream);
        git(folder.file("r"),
            "fast-import --quiet --export-marks=" + folder.file("marks") + " < " + folder.file("stream"));
        std::map<std::string, Ancestry::Node> node_of;
        std::istringstream marks(shell("cat " + folder.file("marks")));
        for (std::string mark, oid; marks >> mark >> oid;)
            node_of[oid] = static_cast<Ancestry::Node>(std::stoul(mark.substr(1)));
        for (int pair = 0; pair < 40; ++pair) {
            auto a = static_cast<Ancestry::Node>(below(kNodes)), b = static_cast<Ancestry::Node>(below(kNodes));
            std::vector<Ancestry::Node> expected;
            std::istringstream bases(git(folder.file("r"), fmt::format("merge-base --all n{} n{} || true", a, b)));
            for (std::string oid; bases >> oid;) expected.push_back(node_of.at(oid));
            std::sort(expected.rbegin(), expected.rend());
            EXPECT_EQ(graph.merge_bases(a, b), expected) << seed << ": " << a << " and " << b;
        }
    }
}

}  // namespace
}  // namespace cultivar
