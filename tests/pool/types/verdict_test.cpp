#include "pool/types/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/types/record.h"
#include "pool/util/file.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

// golden/verdict.json: an in-toto statement written by Python's json from the form in pool/types/verdict.h. It must
// never change.
std::string golden_verdict() {
    std::string line = must(read_file(CULTIVAR_GOLDEN "verdict.json"));
    line.pop_back();
    return line;
}

std::string changed(const std::string& from, const std::string& to) {
    std::string line = golden_verdict();
    std::size_t at = line.find(from);
    if (at == std::string::npos) throw std::runtime_error("'" + from + "' is not in the verdict");
    return line.replace(at, from.size(), to);
}

TEST(Verdict, OfTheGoldenFileReadsAndWritesBackByteForByte) {
    EXPECT_EQ(record_id(golden_verdict()), "0b535ed7f1202d83ea9ffc24441c836960175864e03294a15bb0d458c7a3fc65");
    Verdict verdict = must(parse_verdict(golden_verdict()));
    EXPECT_EQ(to_line(verdict), golden_verdict());
    EXPECT_EQ(verdict.claim, std::string(64, 'c'));
    EXPECT_EQ(verdict.artifact, std::string(64, 'a'));
    EXPECT_EQ(verdict.result, VerdictResult::rejected);
    EXPECT_EQ(verdict.tier, Tier::rescore);
    EXPECT_EQ(verdict.claimed_bpb, 1.48);
    EXPECT_EQ(verdict.measured_bpb, 1.52);
    EXPECT_EQ(verdict.chunks, 16);
    EXPECT_EQ(verdict.ratio, 0.0625);
    EXPECT_EQ(verdict.verifier, "vera.server.89abcdef");
}

TEST(Verdict, MayHaveMeasuredNothing) {
    Verdict verdict = must(parse_verdict(changed(R"("val_bpb":1.52)", R"("val_bpb":null)")));
    EXPECT_EQ(verdict.measured_bpb, std::nullopt);
    EXPECT_THAT(to_line(verdict), HasSubstr(R"("measured":{"val_bpb":null,"chunks":16})"));
}

TEST(Verdict, OfAClaimWithoutAnArtifactHasOneSubjectAndScoresOfAnySign) {
    Verdict verdict = must(parse_verdict(golden_verdict()));
    verdict.artifact.clear(), verdict.slice.clear();
    verdict.claimed_bpb = -0.93, verdict.measured_bpb = -0.92;
    verdict.reruns = {{7, -0.91}};
    const Verdict read = must(parse_verdict(to_line(verdict)));
    EXPECT_EQ(read.artifact, "");
    EXPECT_EQ(read.claimed_bpb, -0.93);
    EXPECT_EQ(read.measured_bpb, -0.92);
    EXPECT_EQ(read.reruns.front().val_bpb, -0.91);
    EXPECT_EQ(to_line(read), to_line(verdict));
}

TEST(Verdict, IsRefusedWhenAnythingIsMissingOrOutOfRange) {
    const std::pair<const char*, const char*> cases[] = {
        {R"("subject":)", R"("subjects":)"},
        {R"("name":"artifact","digest":{"sha256":"a)", R"("name":"artifact","digest":{"sha256":"A)"},
        {R"("sha256":"cc)", R"("sha256":"c)"},
        {R"("task":"77)", R"("task":"7)"},
        {R"("result":"rejected")", R"("result":"splendid")"},
        {R"("tier":"rescore")", R"("tier":"guess")"},
        {R"("reason":)", R"("raison":)"},
        {R"("reason":")", R"("reason":[],"old":")"},
        {R"("claimed":{"val_bpb":1.48})", R"("claimed":{"val_bpb":1e300})"},
        {R"("claimed":{"val_bpb":1.48})", R"("claimed":1.48)"},
        {R"("predicate":{"v":1)", R"("predicate":{"w":1)"},
        {R"("seconds":1.5)", R"("seconds":1e999)"},
        {R"("seconds":1.5)", R"("seconds":"1.5")"},
        {R"("at":"2026-11-21T05:00:00Z")", R"("at":"yesterday")"}};
    for (auto [from, to] : cases) {
        auto verdict = parse_verdict(changed(from, to));
        ASSERT_FALSE(verdict) << to;
        EXPECT_EQ(verdict.error().code, Code::corrupt) << to;
    }
    for (std::string line : {std::string(), std::string("[]"), std::string("{"), std::string(200'000, '['),
                             std::string(kMaxRecordBytes + 1, ' ')})
        EXPECT_EQ(trouble(parse_verdict(line)).code, Code::corrupt);
}

// The fields that came after "at".
TEST(Verdict, SaysWhatItRestsOnAndWhetherItIsARecord) {
    Verdict verdict = must(parse_verdict(golden_verdict()));
    verdict.data = {{"slice", std::string(64, '4')}, {"full", std::string(64, '5')}};
    verdict.evaluator_sha256 = std::string(64, 'e');
    verdict.checks = {{"holdout", 1.5, 1.62, 0.05, 32}, {"replay", std::nullopt, 0.001, std::nullopt, 32}};
    verdict.reruns = {{0x123456789abc, 1.475}, {7, 1.49}};
    verdict.record = RecordMark{true, 3, std::string(64, 'b'), 0.01, 0.004, -0.001, 0.02};
    const std::string line = to_line(verdict);
    EXPECT_TRUE(line.starts_with(golden_verdict().substr(0, golden_verdict().size() - 2)));
    const Verdict read = must(parse_verdict(line));
    EXPECT_EQ(to_line(read), line);
    EXPECT_EQ(read.data.at(1).name, "full");
    EXPECT_EQ(read.checks.at(0).measured, 1.62);
    EXPECT_EQ(read.checks.at(1).claimed, std::nullopt);
    EXPECT_THAT(line,
                HasSubstr(R"("reruns":[{"seed":20015998343868,"val_bpb":1.475},{"seed":7,"val_bpb":1.49}],"record")"));
    EXPECT_EQ(fresh_scores(read.reruns), (std::vector<double>{1.475, 1.49}));
    EXPECT_EQ(read.reruns.front().seed, 20015998343868U);
    ASSERT_TRUE(read.record);
    EXPECT_TRUE(read.record->accepted);
    EXPECT_EQ(read.record->low, -0.001);
    verdict.record = RecordMark();
    verdict.record->accepted = true, verdict.record->seeds = 3;
    EXPECT_THAT(to_line(verdict), HasSubstr(R"("record":{"accepted":true,"seeds":3,"against":null,"gain":null)"));
    EXPECT_EQ(to_line(must(parse_verdict(to_line(verdict)))), to_line(verdict));
    EXPECT_TRUE(read.earns);
    verdict.earns = false, verdict.reruns = {{7, 1.49, 2.5}};
    EXPECT_THAT(to_line(verdict), HasSubstr(R"([{"seed":7,"val_bpb":1.49,"seconds":2.5}])"));
    EXPECT_THAT(to_line(verdict), HasSubstr(R"("earns":false)"));
    EXPECT_EQ(to_line(must(parse_verdict(to_line(verdict)))), to_line(verdict));
    const std::pair<const char*, const char*> cases[] = {{R"("evaluator_sha256":"ee)", R"("evaluator_sha256":"e)"},
                                                         {R"("seeds":3)", R"("seeds":"3")"},
                                                         {R"("seed":7)", R"("seed":-7)"},
                                                         {R"("val_bpb":1.49)", R"("val_bpb":null)"},
                                                         {R"("data":[{"name")", R"("data":[{"nome")"},
                                                         {R"("count":32)", R"("count":-1)"}};
    for (auto [from, to] : cases) {
        std::string bent = line;
        ASSERT_NE(bent.find(from), std::string::npos) << from;
        bent.replace(bent.find(from), std::string(from).size(), to);
        EXPECT_EQ(trouble(parse_verdict(bent)).code, Code::corrupt) << to;
    }
}

// A verdict of an older verifier has no certainty, and means all of its "accepted".
TEST(Verdict, SaysHowSureItIsBesideItsResult) {
    const std::string line = changed(R"("result":"rejected")", R"("result":"accepted")");
    Verdict verdict = must(parse_verdict(line));
    EXPECT_STREQ(word(verdict), "accepted");
    EXPECT_EQ(to_line(verdict), line);
    for (Certainty certainty : {Certainty::provisional, Certainty::scored}) {
        verdict.certainty = certainty;
        const std::string later = to_line(verdict);
        EXPECT_THAT(later, HasSubstr(R"("result":"accepted")")) << "for programs that do not know the new field";
        EXPECT_THAT(later, HasSubstr(fmt::format(R"("certainty":"{}")", name(certainty))));
        EXPECT_STREQ(word(must(parse_verdict(later))), name(certainty));
        EXPECT_EQ(to_line(must(parse_verdict(later))), later);
    }
    const std::string unknown = line.substr(0, line.size() - 2) + R"(,"certainty":"splendid"}})";
    EXPECT_STREQ(word(must(parse_verdict(unknown))), "scored") << "the least sure one";
    verdict.result = VerdictResult::rejected;
    EXPECT_STREQ(word(verdict), "rejected");
}

// A list that is copied, and a cost that is written again, would need a stack as deep as they nest.
TEST(Verdict, IsRefusedWhenItNestsDeeply) {
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    for (const std::string field : {R"("checks":)", R"("data":)", R"("unknown":)"})
        EXPECT_FALSE(parse_verdict(changed(R"("v":1,)", R"("v":1,)" + field + deep + ",")));
    EXPECT_FALSE(parse_verdict(changed(R"("cost":{)", R"("cost":{"energy":)" + deep + ",")));
}

// Their number is bounded by the length of a line alone. A reader that looks for each among all before takes minutes here.
TEST(Verdict, OfManyUnknownFieldsIsReadInOneGo) {
    std::string fields;
    for (int i = 0; fields.size() < 200'000; ++i) fields += "\"" + std::to_string(i) + "\":0,";
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(parse_verdict(changed(R"("v":1,)", fields + R"("v":1,)")));
}

TEST(Verdict, OfALaterFormatIsLeftToALaterProgram) {
    EXPECT_EQ(trouble(parse_verdict(changed("urn:cultivar:verdict:1", "urn:cultivar:verdict:2"))).code, Code::newer);
    EXPECT_EQ(trouble(parse_verdict(changed(R"("predicate":{"v":1)", R"("predicate":{"v":2)"))).code, Code::newer);
}

// A verdict keeps the plan of its audit; one from before "plan" is read by the text of "chosen", which had these forms.
TEST(Verdict, SaysHowFarItsClaimWasToBeAudited) {
    Verdict verdict = must(parse_verdict(golden_verdict()));
    EXPECT_EQ(verdict.plan, std::nullopt) << "the first verdicts kept no reason";
    const auto read_with = [&](const std::string& chosen) {
        const std::string line = golden_verdict();
        return must(parse_verdict(line.substr(0, line.size() - 2) + R"(,"chosen":")" + chosen + R"("}})")).plan;
    };
    using Plan = PlannedAudit;
    EXPECT_EQ(read_with("in full: drawn by lot"), (Plan{Tier::rerun, AuditExtent::in_full}));
    EXPECT_EQ(read_with("in full: 4 candidates come from it, its rerun waits"),
              (Plan{Tier::replay, AuditExtent::in_full, true}));
    EXPECT_EQ(read_with("replayed: no key answers for it"), (Plan{Tier::replay, AuditExtent::whole}));
    EXPECT_EQ(read_with("replayed: its key has only 0 valid claims in a row"), Plan{Tier::replay});
    EXPECT_EQ(read_with("scored again: the lot spared it a replay, one in 2.0, its key has 20 valid claims in a row"),
              Plan{Tier::rescore});
    for (Tier tier : {Tier::structure, Tier::rescore, Tier::replay, Tier::rerun})
        EXPECT_EQ(read_with(std::string(name(tier)) + ": asked for by name"), Plan{tier});
    EXPECT_EQ(read_with("because"), std::nullopt);

    verdict.chosen = "in full: to say otherwise";
    verdict.plan = Plan{Tier::rescore, AuditExtent::sample};
    EXPECT_THAT(to_line(verdict), testing::EndsWith(R"("plan":{"tier":"rescore","extent":"sample"}}})"));
    EXPECT_EQ(must(parse_verdict(to_line(verdict))).plan, verdict.plan) << "the text decides nothing";
    verdict.plan = Plan{Tier::replay, AuditExtent::in_full, true};
    const std::string line = to_line(verdict);
    EXPECT_THAT(line, testing::EndsWith(R"("plan":{"tier":"replay","extent":"in_full","rerun_waits":true}}})"));
    EXPECT_EQ(must(parse_verdict(line)).plan, verdict.plan);
    for (auto [from, to] : {std::pair{R"("tier":"replay")", R"("tier":"guess")"},
                            std::pair{R"("extent":"in_full")", R"("extent":"half")"},
                            std::pair{R"("rerun_waits":true)", R"("rerun_waits":1)"}}) {
        std::string bent = line;
        bent.replace(bent.find(from), std::string(from).size(), to);
        EXPECT_EQ(trouble(parse_verdict(bent)).code, Code::corrupt) << to;
    }
}

TEST(Audit, IsReadByTheNamesThatItWrites) {
    for (Tier tier : {Tier::structure, Tier::rescore, Tier::replay, Tier::rerun}) EXPECT_EQ(tier_of(name(tier)), tier);
    EXPECT_FALSE(tier_of("guess"));
    for (VerdictResult one : {VerdictResult::accepted, VerdictResult::rejected, VerdictResult::inconclusive})
        EXPECT_EQ(verdict_result_of(name(one)), one);
    for (AuditExtent one : {AuditExtent::sample, AuditExtent::whole, AuditExtent::in_full})
        EXPECT_EQ(audit_extent_of(name(one)), one);
}

TEST(VerdictTime, IsNowButAfterTheVerdictThatItReplaces) {
    const std::int64_t now_s = must(parse_utc("2026-11-21T04:00:00Z"));
    EXPECT_EQ(verdict_time(std::nullopt, now_s), "2026-11-21T04:00:00Z");
    for (const auto& [before, expected] : {std::pair{"2026-11-21T03:00:00Z", "2026-11-21T04:00:00Z"},
                                           std::pair{"2026-11-21T04:00:00Z", "2026-11-21T04:00:01Z"},
                                           std::pair{"2027-11-21T04:00:00Z", "2027-11-21T04:00:01Z"}}) {
        Verdict old;
        old.at = before;
        EXPECT_EQ(verdict_time(old, now_s), expected);
    }
}

}  // namespace
}  // namespace cultivar
