#include "pool/types/record.h"

#include <algorithm>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// golden/records.jsonl: a scored run, a failed one, a claim, a lease, a run with the joules of its training, a
// retirement, a failed run with the kind of its failure, and a run with domains of energy, all of format 1, written by Python's json from the field lists in pool/types/record.h. Pools contain such
// bytes: they must never change.
std::vector<std::string> golden_lines() {
    std::string text = must(read_file(CULTIVAR_GOLDEN "records.jsonl"));
    std::vector<std::string> lines;
    for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
        lines.push_back(text.substr(begin, end - begin));
    return lines;
}

std::string replaced(std::string line, const std::string& from, const std::string& to) {
    std::size_t at = line.find(from);
    if (at == std::string::npos) throw std::runtime_error("'" + from + "' is not in the line");
    return line.replace(at, from.size(), to);
}

// (Inside a TEST, Run is gtest's.)
Run run_of(const std::string& line) { return std::get<Run>(must(parse_line(line))); }

TEST(Record, OfTheGoldenFileReadsAndWritesBackByteForByte) {
    const char* const ids[] = {"3a1e1e912995fc097ffd733ecad33a7249887e5fabab3c11eab7dfadeaef068d",
                               "89d6b9c5e65f597773a856fd23413a22b1b32e9785d65eaba081ea3a2bc22ab6",
                               "df0652fd728a015f8f8e97cf0eba6d4e892da4c98756c0229d209227c9b4e09a",
                               "2ef789213d55dadc1b338d1583867a1bb1cf17f9c4e44a65a864e9695858640d",
                               "dd3d8b19432a77b0a31673ed10dd615a9455870a6b3a3807db0b4567426f2da1",
                               "bd81addce9e0be82c0777d94d2d80515301faae0d367b57ceece0042e54681f4",
                               "9d30b924d25ae95d862a0d0d36015921374b79e35308fd3be382f67345bb8e4c",
                               "f516fc1768aa45d115a5f09860eb6bb24e357f9e5c7971223a90d6e22c26fdcd"};
    std::vector<std::string> lines = golden_lines();
    ASSERT_EQ(lines.size(), std::size(ids));
    for (std::size_t i = 0; i < lines.size(); ++i) {
        EXPECT_EQ(record_id(lines[i]), ids[i]);
        EXPECT_EQ(to_line(must(parse_line(lines[i]))), lines[i]);
    }
}

TEST(Record, SaysWhoseFaultAFailureWasAndReadsAWordOfTheFutureAsUnknown) {
    const std::string line = golden_lines()[6];
    EXPECT_EQ(run_of(line).failure, FailureKind::candidate);
    EXPECT_EQ(run_of(line).failed_worker, std::string(64, 'b'));
    EXPECT_EQ(run_of(golden_lines()[1]).failure, FailureKind::unknown) << "an older record does not say";
    EXPECT_EQ(run_of(replaced(line, "\"candidate\",\"worker\"", "\"weather\",\"worker\"")).failure,
              FailureKind::unknown);
    EXPECT_FALSE(parse_line(replaced(line, "\"kind\":\"candidate\"", "\"kind\":7")));
    EXPECT_FALSE(parse_line(replaced(line, std::string(64, 'b'), "b")));
}

TEST(Record, OfTheGoldenFileMeansWhatItSays) {
    std::vector<std::string> lines = golden_lines();
    auto run = run_of(lines[0]);
    EXPECT_EQ(run.toml, "model.layers = 6\noptim.lr = 1e-04\n");
    EXPECT_EQ(run.candidate, sha256_hex(run.task + run.toml).substr(0, 32));
    EXPECT_EQ(run.status, RunStatus::done);
    EXPECT_EQ(run.decision, Decision::kept);
    EXPECT_EQ(run.reason, "better by 0.03 \u00b1 0.01 \"bpb\"");
    EXPECT_EQ(run.trace_loss.at(2), 6.25);
    EXPECT_EQ(run.curve.at(1).step, 812);
    EXPECT_EQ(run.chunk_loss_sums.at(63), 1087.5);
    EXPECT_EQ(run.val_bpb, 1.48);
    EXPECT_EQ(run.expected_bpb, std::nullopt);
    EXPECT_EQ(run.energy.idle_watts, 5.0);
    EXPECT_EQ(run.zone, "");
    EXPECT_EQ(run.proposer_tokens, 1200);
    auto failed = run_of(lines[1]);
    EXPECT_EQ(failed.status, RunStatus::failed);
    EXPECT_EQ(failed.artifact, "");
    EXPECT_EQ(failed.expected_bpb, 2.25);
    EXPECT_EQ(failed.network_bytes, 4096);
    Claim claim = std::get<Claim>(must(parse_line(lines[2])));
    EXPECT_EQ(claim.artifact_run, record_id(lines[0]));
    Retirement retirement = std::get<Retirement>(must(parse_line(lines[5])));
    EXPECT_TRUE(retirement.retired);
    EXPECT_EQ(retirement.reason, "diverges with \"long\" budgets");
    Lease lease = std::get<Lease>(must(parse_line(lines[3])));
    EXPECT_EQ(lease.replicate, 2);
}

TEST(Record, TellsWhatItsModelCostsToUseAsFarAsItKnows) {
    std::vector<std::string> lines = golden_lines();
    UseCost old = use_cost(run_of(lines[0])), now = use_cost(run_of(lines[4]));
    EXPECT_EQ(old, (UseCost{1'234'567, 2469134.0, std::nullopt}));
    EXPECT_EQ(now.joules_per_token, 244.75 / 1'662'976);
    EXPECT_EQ(use_cost(run_of(replaced(lines[4], R"("tokens":1662976)", R"("tokens":0)"))).joules_per_token,
              std::nullopt);
    EXPECT_FALSE(parse_line(replaced(lines[4], R"("train_joules":244.75)", R"("train_joules":-1)")));
    EXPECT_FALSE(parse_line(replaced(lines[4], R"("train_joules":244.75)", R"("train_joules":null)")));
    EXPECT_FALSE(parse_line(replaced(lines[4], R"("train_s")", R"("train_wall_s":-1,"train_s")")));
}

TEST(Record, TellsWhatAnExternalProposerTookOnlyWhereOneWasAsked) {
    std::vector<std::string> lines = golden_lines();
    auto run = run_of(lines[0]);
    EXPECT_EQ(run.proposer, "");
    run.proposer = "proposer:scribe";
    run.proposer_seconds = 12.5;
    std::string line = to_line(run);
    EXPECT_NE(line.find(R"("name":"proposer:scribe","seconds":12.5})"), std::string::npos) << line;
    run.proposer_refused = "no answer within 60 s";
    auto again = run_of(to_line(run));
    EXPECT_EQ(again.proposer, "proposer:scribe");
    EXPECT_EQ(again.proposer_seconds, 12.5);
    EXPECT_EQ(again.proposer_refused, "no answer within 60 s");
    EXPECT_EQ(again.proposer_tokens, 1200);
    EXPECT_FALSE(parse_line(replaced(line, R"("seconds":12.5)", R"("seconds":-1)")));
    EXPECT_FALSE(parse_line(replaced(line, R"("name":"proposer:scribe")", R"("name":7)")));
}

// The field decides; a run from before that field is read by the text of its choice, which had two forms.
TEST(Record, OfARunSaysWhetherAPersonAskedForIt) {
    const std::string line = golden_lines()[0];
    auto run = run_of(line);
    EXPECT_FALSE(run.by_hand);
    for (const char* choice : {"cross: asked for by hand, of 1a2b3c4d and 5e6f7a8b", "import: asked for by hand"}) {
        run.choice = choice;
        const std::string old = to_line(run);
        EXPECT_EQ(old.find("by_hand"), std::string::npos);
        EXPECT_TRUE(run_of(old).by_hand) << choice;
        EXPECT_THAT(to_line(run_of(old)), testing::EndsWith(R"(,"by_hand":true})"));
    }
    run.choice = "tune: of what was asked for by hand";
    EXPECT_FALSE(run_of(to_line(run)).by_hand);
    run.by_hand = true;
    EXPECT_TRUE(run_of(to_line(run)).by_hand) << "the text decides nothing";
    EXPECT_FALSE(parse_line(replaced(to_line(run), R"("by_hand":true)", R"("by_hand":"yes")")));
}

TEST(Record, OfALeaseMaySayWhatTheCandidateIs) {
    Lease lease = std::get<Lease>(must(parse_line(golden_lines()[3])));
    EXPECT_EQ(lease.toml, "");
    EXPECT_EQ(to_line(lease), golden_lines()[3]) << "a lease that does not keeps its bytes";
    lease.toml = "optim.lr = 1e-04\n";
    lease.parents = {std::string(32, 'a')};
    Lease again = std::get<Lease>(must(parse_line(to_line(lease))));
    EXPECT_EQ(again.toml, lease.toml);
    EXPECT_EQ(again.parents, lease.parents);
    EXPECT_FALSE(parse_line(replaced(to_line(lease), R"("parents":[")", R"("parents":["x)")));
}

TEST(Record, RefusesARunWithoutAnyOneOfItsFields) {
    for (const char* field : {"v",
                              "type",
                              "task",
                              "candidate",
                              "toml",
                              "parents",
                              "category",
                              "budget_s",
                              "replicate",
                              "seed",
                              "status",
                              "decision",
                              "reason",
                              "operator",
                              "choice",
                              "steps",
                              "tokens",
                              "train_s",
                              "wall_s",
                              "trace",
                              "elapsed_s",
                              "loss",
                              "curve",
                              "chunk_loss_sums",
                              "val_loss",
                              "val_bpb",
                              "expected_bpb",
                              "artifact",
                              "artifact_bytes",
                              "parameters",
                              "flops_per_token",
                              "started",
                              "ended",
                              "writer",
                              "energy",
                              "joules",
                              "idle_watts",
                              "method",
                              "zone",
                              "network_bytes",
                              "proposer",
                              "usd",
                              "trainer"}) {
        std::string line = replaced(golden_lines()[0], '"' + std::string(field) + "\":", "\"x\":");
        auto record = parse_line(line);
        ASSERT_FALSE(record) << field;
        EXPECT_EQ(record.error().code, Code::corrupt) << field;
        EXPECT_THAT(record.error().message, HasSubstr(field));
    }
}

TEST(Record, RefusesValuesOfTheWrongKindOrOutOfRange) {
    const std::pair<const char*, const char*> cases[] = {
        {R"("v":1)", R"("v":"1")"},
        {R"("v":1)", R"("v":1.5)"},
        {R"("steps":812)", R"("steps":-1)"},
        {R"("steps":812)", R"("steps":812.5)"},
        {R"("steps":812)", R"("steps":18446744073709551615)"},
        {R"("seed":)", R"("seed":9007199254740993,"old":)"},
        {R"("replicate":1)", R"("replicate":4294967297)"},
        {R"("train_s":20.125)", R"("train_s":NaN)"},
        {R"("train_s":20.125)", R"("train_s":null)"},
        {R"("train_s":20.125)", R"("train_s":1e999)"},
        {R"("train_s":20.125)", R"("train_s":-0.5)"},
        {R"("val_loss":2.5)", R"("val_loss":"2.5")"},
        {R"("val_bpb":1.48)", R"("val_bpb":null)"},
        {R"("status":"done")", R"("status":"excellent")"},
        {R"("decision":"kept")", R"("decision":0)"},
        {R"("reason":")", R"("reason":["a"],"old":")"},
        {R"("parents":[)", R"("parents":["00000000000000000000000000000000","00000000000000000000000000000001",)"},
        {R"("parents":[")", R"("parents":["X)"},
        {R"("trace":{)", R"("trace":[],"old":{)"},
        {R"([10.0,400,3.5])", R"([10.0,400])"},
        {R"([10.0,400,3.5])", R"([10.0,-4,3.5])"},
        {R"([10.0,400,3.5])", R"([10.0,400,"3.5"])"},
        {R"("artifact":"aa)", R"("artifact":"AA)"},
        {R"("started":"2026-11-21T04:00:00Z")", R"("started":"2026-11-31T04:00:00Z")"},
        {R"("started":"2026-11-21T04:00:00Z")", R"("started":"2026-11-21 04:00:00")"},
        {R"("proposer":{"tokens":1200)", R"("proposer":{"tokens":-1)"}};
    for (auto [from, to] : cases) {
        auto record = parse_line(replaced(golden_lines()[0], from, to));
        ASSERT_FALSE(record) << to;
        EXPECT_EQ(record.error().code, Code::corrupt) << to;
    }
}

TEST(Record, RefusesWhatIsNotARecordAtAll) {
    for (std::string line : {"", "null", "7", "[]", "{}", "{\"v\":1", "{\"v\":1,\"type\":7}", "{\"v\":1}\n{\"v\":1}"})
        EXPECT_EQ(trouble(parse_line(line)).code, Code::corrupt) << line;
    std::string text = golden_lines()[0];
    EXPECT_FALSE(parse_line(replaced(text, "drawn", "\xff\xfe")));
}

TEST(Record, RefusesHugeAndDeepOnesWithoutFallingOver) {
    const std::string line = golden_lines()[0];
    std::string deep = replaced(
        line, "\"trainer\":", "\"more\":" + std::string(120'000, '[') + std::string(120'000, ']') + ",\"trainer\":");
    EXPECT_EQ(trouble(parse_line(deep)).code, Code::corrupt);
    EXPECT_EQ(trouble(parse_line(std::string(kMaxRecordBytes, '['))).code, Code::corrupt);
    std::string many;
    for (int i = 0; i < 40'000; ++i) many += "1,";
    EXPECT_THAT(trouble(parse_line(replaced(line, "\"chunk_loss_sums\":[", "\"chunk_loss_sums\":[" + many))).message,
                HasSubstr("chunk_loss_sums"));
    EXPECT_THAT(trouble(parse_line(replaced(line, "\"elapsed_s\":[", "\"elapsed_s\":[" + many))).message,
                HasSubstr("elapsed_s"));
    std::string padded = line + std::string(kMaxRecordBytes - line.size(), ' ');
    EXPECT_TRUE(parse_line(padded));
    EXPECT_THAT(trouble(parse_line(padded + " ")).message, HasSubstr("262145 bytes"));
}

TEST(Record, OfALaterFormatIsLeftToALaterProgram) {
    const std::string line = golden_lines()[3];
    EXPECT_EQ(trouble(parse_line(replaced(line, "\"v\":1", "\"v\":2"))).code, Code::newer);
    EXPECT_EQ(trouble(parse_line(replaced(line, "\"lease\"", "\"obituary\""))).code, Code::newer);
    EXPECT_EQ(trouble(parse_line("{\"v\":2,\"type\":\"run\"}")).code, Code::newer);
}

TEST(Record, MayHaveFieldsThatThisVersionDoesNotKnow) {
    for (const std::string& line : golden_lines())
        EXPECT_TRUE(parse_line(replaced(line, "{\"v\":1", "{\"colour\":{\"a\":[null]},\"v\":1"))) << line;
}

TEST(Record, IsOneLineWhateverItsTextHolds) {
    auto run = run_of(golden_lines()[0]);
    run.reason = "two\nlines\t\"quoted\" \x01";
    run.choice = "not UTF-8: \xff";
    std::string line = to_line(run);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    auto again = run_of(line);
    EXPECT_EQ(again.reason, run.reason);
    EXPECT_EQ(again.choice, "not UTF-8: \ufffd");
}

TEST(Record, NeverWritesAFigureThatIsNotOne) {
    auto run = run_of(golden_lines()[0]);
    run.train_s = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THAT(to_line(run), HasSubstr("\"train_s\":null"));
    EXPECT_FALSE(parse_line(to_line(run)));
}

TEST(Utc, GoesToTextAndBack) {
    EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00Z");
    EXPECT_EQ(utc_text(1795232400), "2026-11-21T03:40:00Z");  // date -u -d @1795232400
    EXPECT_EQ(must(parse_utc("2024-02-29T23:59:59Z")), 1709251199);
    for (const char* text :
         {"", "2026-11-21T03:40:00", "2026-11-21T03:40:00+", "2026-11-21t03:40:00Z", "2026-02-29T00:00:00Z",
          "2026-11-21T24:00:00Z", "2026-11-21T03:40:60Z", " 026-11-21T03:40:00Z", "2026-1-021T03:40:00Z"})
        EXPECT_EQ(trouble(parse_utc(text)).code, Code::corrupt) << text;
}

TEST(Record, KeepsFiguresAsPreciseAsTheyAreWorthAndNoMore) {
    cultivar::Run run = run_of(golden_lines()[0]);
    run.train_s = 599.79696812345;
    run.trace_elapsed_s = {0, 1.0 / 3};
    run.trace_loss = {5.53347338912, 1e-7 / 3};
    run.curve = {{9.17471512, 24, 3.688661234}};
    run.chunk_loss_sums[0] = 38457.818254321;
    round_figures(run);
    EXPECT_THAT(to_line(run), AllOf(HasSubstr(R"("train_s":599.797,)"), HasSubstr(R"("elapsed_s":[0.0,0.3333])"),
                                    HasSubstr(R"("loss":[5.533473,3.333333e-08])"), HasSubstr("[[9.175,24,3.6887]]"),
                                    HasSubstr("[38457.818,")));
    const std::string line = to_line(run);
    round_figures(run);
    EXPECT_EQ(to_line(run), line) << "what is rounded stays as it is";
}

}  // namespace
}  // namespace cultivar
