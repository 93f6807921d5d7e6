#include "pool/transport/retrying_transport.h"

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/transport/git_messages.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Outcome = Result<std::vector<PushStatus>>;

const PushStatus kMoved = {"a", true, true, ""};
PushStatus refused(const std::string& why, const std::string& ref = "a") {
    return {ref, false, false, why, refusal_of(why)};
}
Outcome lost(const std::string& why) { return fail(Code::git, "cannot reach 'origin': " + why, "", reason_of(why)); }

// Follows the test's script, push by push.
class Scripted : public Transport {
public:
    Scripted(std::deque<Outcome> outcomes, std::vector<std::vector<std::string>>& asked)
        : outcomes_(std::move(outcomes)), asked_(asked) {}
    Result<FetchReport> fetch(const std::string&, const std::vector<std::string>&) override { return FetchReport{}; }
    Result<void> each_ref(const std::string&, const RefVisitor&) override { return {}; }
    Outcome push(const std::string&, const std::vector<PushItem>& items) override {
        std::vector<std::string>& now = asked_.emplace_back();
        for (const PushItem& item : items) now.push_back(item.remote);
        if (outcomes_.empty()) throw std::runtime_error("pushed once too often");
        Outcome outcome = outcomes_.front();
        outcomes_.pop_front();
        return outcome;
    }

private:
    std::deque<Outcome> outcomes_;
    std::vector<std::vector<std::string>>& asked_;
};

class RetryingTest : public ::testing::Test {
protected:
    Outcome push(std::deque<Outcome> outcomes, const std::vector<std::string>& refs = {"a"}) {
        Backoff backoff;
        backoff.sleep = [this](double seconds) {
            slept_s_.push_back(seconds);
            return !stopped_;
        };
        backoff.uniform = [] { return 0.5; };
        std::vector<PushItem> items;
        for (const std::string& ref : refs) items.push_back({ref, ref});
        return retrying(std::make_unique<Scripted>(std::move(outcomes), asked_), backoff)->push("origin", items);
    }

    std::vector<std::vector<std::string>> asked_;
    std::vector<double> slept_s_;
    bool stopped_ = false;
};

TEST_F(RetryingTest, GoesOnAfterALostConnectionWithGrowingPauses) {
    auto sent = must(push({lost("Connection reset by peer"), lost("early EOF"), std::vector{kMoved}}));
    EXPECT_TRUE(sent[0].accepted);
    EXPECT_THAT(slept_s_, ElementsAre(1, 2));
}

TEST_F(RetryingTest, GivesUpAfterThreeTriesWithTheLastError) {
    auto sent = push({lost("early EOF"), lost("timed out"), lost("Connection refused")});
    EXPECT_EQ(trouble(sent).message, "cannot reach 'origin': Connection refused");
    EXPECT_THAT(asked_, SizeIs(3));
}

TEST_F(RetryingTest, SendsOnlyTheRefsAgainWhoseRefusalMayPass) {
    std::vector<PushStatus> first = {{"a", true, true, ""},
                                     refused("[remote rejected] (cannot lock ref 'refs/heads/b')", "b"),
                                     refused("[remote rejected] (hook declined)", "c")};
    auto sent = must(push({first, std::vector{PushStatus{"b", true, true, ""}}}, {"a", "b", "c"}));
    EXPECT_THAT(asked_, ElementsAre(ElementsAre("a", "b", "c"), ElementsAre("b")));
    EXPECT_TRUE(sent[0].accepted && sent[1].accepted);
    EXPECT_EQ(sent[2].reason, "[remote rejected] (hook declined)");
}

TEST_F(RetryingTest, KeepsWhatWasToldWhenTheNextTryIsLost) {
    auto sent = must(push({std::vector{refused("[remote rejected] (failed to lock)")}, lost("Permission denied")}));
    EXPECT_EQ(sent[0].reason, "[remote rejected] (failed to lock)");
}

TEST_F(RetryingTest, StopsWhenItIsToldTo) {
    stopped_ = true;
    EXPECT_FALSE(push({lost("early EOF")}));
}

TEST_F(RetryingTest, TakesARuleAsFinal) {
    for (const char* rule :
         {"[rejected] (non-fast-forward)", "[rejected] (fetch first)", "[remote rejected] (pre-receive hook declined)",
          "[remote rejected] (protected branch)", "[remote rejected] (permission denied)"})
        EXPECT_FALSE(may_pass(refused(rule))) << rule;
    for (const char* rule :
         {"git@host: Permission denied (publickey)", "Host key verification failed.",
          "The requested URL returned error: 403", "unexpected http status code: 404",
          "repository 'http://h/p/' not found", "stopped talking to the remote: no progress for 120 s"})
        EXPECT_FALSE(push({lost(rule)})) << rule;
    EXPECT_THAT(slept_s_, IsEmpty());
}

TEST_F(RetryingTest, TakesTheStateOfTheServerAsPassing) {
    for (const char* state : {"The requested URL returned error: 502", "unexpected http status code: 503",
                              "Could not resolve host: example.org", "the remote end hung up unexpectedly",
                              "failed to connect to 127.0.0.1: Connection refused"})
        EXPECT_TRUE(may_pass(refused(state)) && reason_of(state) == Reason::transient) << state;
    EXPECT_FALSE(may_pass(Error{Code::interrupted, "interrupted; connection closed", "", Reason::transient}));
}

}  // namespace
}  // namespace cultivar
