#include "pool/rules/retirement.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

class RetirementRule : public ::testing::Test {
protected:
    void say(const std::string& writer, const std::string& at, bool retired = true) {
        words_.push_back({{"", "c", retired, "since " + writer + " says so", writer, at}, "key of " + writer});
    }
    std::optional<Retired> seen_by(const std::string& own) const {
        auto retired =
            retired_by(words_, {own, {"key of vera", "key of vic"}, [this](const std::string&) { return keepers_; }});
        return retired.empty() ? std::nullopt : std::optional(retired.at("c"));
    }

    std::vector<RetirementStatement> words_;
    std::set<std::string> keepers_ = {"ann", "bob"};
};

TEST_F(RetirementRule, BindsEverybodyOnceAllWhoKeptItSaySo) {
    say("ann", "2026-01-01T00:00:00Z");
    EXPECT_FALSE(seen_by("eve"));
    say("bob", "2026-01-02T00:00:00Z");
    ASSERT_TRUE(seen_by("eve"));
    EXPECT_TRUE(seen_by("eve")->everywhere);
    EXPECT_EQ(seen_by("eve")->writer, "bob") << "the newest word tells why";
    say("ann", "2026-01-03T00:00:00Z", false);
    EXPECT_FALSE(seen_by("eve"));
}

TEST_F(RetirementRule, TellsWhetherOnlyItsKeepersSaidSo) {
    say("ann", "2026-01-01T00:00:00Z"), say("bob", "2026-01-02T00:00:00Z");
    EXPECT_TRUE(seen_by("eve")->by_keepers);
    EXPECT_FALSE(seen_by("ann")->by_keepers) << "its own word";
    say("vera", "2026-01-03T00:00:00Z");
    EXPECT_FALSE(seen_by("eve")->by_keepers) << "a verifier's";
}

TEST_F(RetirementRule, ByOthersBindsThemAlone) {
    say("mallory", "2026-01-01T00:00:00Z");
    EXPECT_FALSE(seen_by("ann"));
    ASSERT_TRUE(seen_by("mallory"));
    EXPECT_FALSE(seen_by("mallory")->everywhere);
    keepers_.clear();
    EXPECT_FALSE(seen_by("ann")) << "nobody kept it, so nobody's word is everybody's";
}

TEST_F(RetirementRule, TakesTheNewestOfTheVerifiersBeforeThoseWhoKeptIt) {
    say("ann", "2026-01-01T00:00:00Z");
    say("bob", "2026-01-01T00:00:00Z");
    say("vera", "2026-01-02T00:00:00Z", false);
    EXPECT_FALSE(seen_by("eve"));
    say("vic", "2026-01-03T00:00:00Z");
    EXPECT_EQ(seen_by("eve")->writer, "vic");
    words_.back().key = "another key of that name";
    EXPECT_FALSE(seen_by("eve")) << "standing belongs to keys";
}

TEST_F(RetirementRule, TakesOnesOwnWordFirst) {
    say("vera", "2026-01-02T00:00:00Z");
    say("eve", "2026-01-01T00:00:00Z", false);
    EXPECT_FALSE(seen_by("eve"));
    EXPECT_TRUE(seen_by("ann"));
}

TEST_F(RetirementRule, GoesByTheTimeThatTheWordsGiveNotByTheOrderTheyCameIn) {
    say("vera", "2026-01-02T00:00:00Z");
    say("vera", "2026-01-01T00:00:00Z", false);
    EXPECT_TRUE(seen_by("eve"));
    say("vera", "2026-01-02T00:00:00Z", false);
    EXPECT_FALSE(seen_by("eve")) << "of two at one time the later";
}

}  // namespace
}  // namespace cultivar
