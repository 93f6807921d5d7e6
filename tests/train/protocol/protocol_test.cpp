#include "train/protocol/protocol.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cultivar {
namespace {

using testing::HasSubstr;

Specification example() {
    Specification specification;
    specification.genes = {{"model.layers", std::int64_t{4}},
                           {"model.mlp", std::string("relu2")},
                           {"model.tied_embedding", true},
                           {"optim.matrix_lr", 0.1},
                           {"optim.grad_clip", 30.0}};
    specification.seed = (std::uint64_t{1} << 53) - 1;
    specification.budget_s = 20.5;
    specification.threads = 2;
    specification.train_shards = {"a.bin", "b.bin"};
    specification.val_shard = "v.bin";
    specification.byte_table = "t.bytes";
    specification.vocabulary = 1024;
    specification.artifact_cap_bytes = 16'000'000;
    specification.work_dir = "/tmp/w";
    specification.artifact = "/tmp/w/artifact";
    return specification;
}

std::string replaced(std::string text, const std::string& old_part, const std::string& new_part) {
    const std::size_t at = text.find(old_part);
    EXPECT_NE(at, std::string::npos) << old_part;
    return at == std::string::npos ? text : text.replace(at, old_part.size(), new_part);
}

TEST(Protocol, BringsASpecificationBackWithTheTypesOfItsGenes) {
    const auto parsed = parse_specification(to_json(example()));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->genes, example().genes);
    EXPECT_EQ(parsed->seed, example().seed);
    EXPECT_EQ(parsed->budget_s, 20.5);
    EXPECT_EQ(parsed->threads, 2);
    EXPECT_EQ(parsed->device, "cpu");
    EXPECT_EQ(parsed->train_shards, example().train_shards);
    EXPECT_EQ(parsed->val_shard, "v.bin");
    EXPECT_EQ(parsed->byte_table, "t.bytes");
    EXPECT_EQ(parsed->vocabulary, 1024);
    EXPECT_EQ(parsed->artifact_cap_bytes, 16'000'000);
    EXPECT_EQ(parsed->work_dir, "/tmp/w");
    EXPECT_EQ(parsed->artifact, "/tmp/w/artifact");
}

TEST(Protocol, SaysByWhichClockTheBudgetCounts) {
    Specification specification = example();
    EXPECT_FALSE(parse_specification(to_json(specification))->cpu_clock);
    EXPECT_EQ(to_json(specification).find("budget_clock"), std::string::npos);
    specification.cpu_clock = true;
    const std::string json = to_json(specification);
    EXPECT_TRUE(parse_specification(json)->cpu_clock);
    EXPECT_FALSE(parse_specification(replaced(json, "\"cpu\",\"threads\"", "\"wall\",\"threads\""))->cpu_clock);
    EXPECT_FALSE(parse_specification(replaced(json, "\"cpu\",\"threads\"", "\"sun\",\"threads\"")));
}

TEST(Protocol, BringsThePoolsCapsAndLeavesOutWhatIsNotCapped) {
    Specification specification = example();
    EXPECT_EQ(to_json(specification).find("\"caps\""), std::string::npos);
    EXPECT_EQ(parse_specification(to_json(specification))->caps, UseCost{});
    for (const UseCost& caps : {UseCost{1'000'000, 2.5e6, 1e-3}, UseCost{std::nullopt, 1.0, std::nullopt}}) {
        specification.caps = caps;
        const auto parsed = parse_specification(to_json(specification));
        ASSERT_TRUE(parsed) << parsed.error().message;
        EXPECT_EQ(parsed->caps, caps);
    }
    specification.caps = {1'000'000, {}, {}};
    const auto wrong = parse_specification(replaced(to_json(specification), ":1000000", ":\"many\""));
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().message, "specification caps: 'parameters' must be a whole number");
    EXPECT_FALSE(parse_specification(replaced(to_json(specification), "{\"parameters\":1000000}", "[]")));
}

TEST(Protocol, AsksABenchmarkForNothingButThreads) {
    const auto bench = parse_specification(R"({"protocol":1,"mode":"bench","threads":2})");
    ASSERT_TRUE(bench) << bench.error().message;
    EXPECT_EQ(bench->mode, Specification::Mode::bench);
    EXPECT_FALSE(parse_specification(R"({"protocol":1,"mode":"bench"})"));
}

TEST(Protocol, ScoresTheChunksAskedFor) {
    Specification specification = example();
    specification.mode = Specification::Mode::score;
    specification.chunks = {0, 63};
    const auto parsed = parse_specification(to_json(specification));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->chunks, specification.chunks);
    EXPECT_FALSE(parse_specification(replaced(to_json(specification), "[0,63]", "[64]")));
    EXPECT_FALSE(parse_specification(replaced(to_json(specification), "[0,63]", "[-1]")));
}

TEST(Protocol, CarriesTheClockOfARunToTheLastBit) {
    Specification specification = example();
    specification.clock = {0, 0.1 + 0.2, 1.0 / 3.0};
    specification.checkpoint_s = 0.5;
    const auto parsed = parse_specification(to_json(specification));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->clock, specification.clock);
    EXPECT_EQ(parsed->checkpoint_s, 0.5);
}

TEST(Protocol, ReplaysWithNothingButWhatTrainingTakes) {
    const std::string good = R"({"protocol":1,"mode":"replay","threads":1,"genes":{},"device":"cpu","vocabulary":9,)"
                             R"("seed":1,"budget_s":1,"train_shards":["a"],"work_dir":"w","clock":[0,0.5]})";
    const auto parsed = parse_specification(good);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->mode, Specification::Mode::replay);
    EXPECT_EQ(parsed->checkpoint_s, 30);
    for (const char* bad : {"[]", "[0.5]", "[0,2,1]", "[0,null]", "0"}) {
        const auto refused = parse_specification(replaced(good, "[0,0.5]", bad));
        ASSERT_FALSE(refused) << bad;
        EXPECT_THAT(refused.error().message, HasSubstr("'clock'"));
    }
}

TEST(Protocol, RefusesASpecificationFieldByField) {
    const std::string good = to_json(example());
    for (const auto& [from, to, field] : std::vector<std::tuple<std::string, std::string, std::string>>{
             {"\"seed\":9007199254740991", "\"seed\":9007199254740992", "seed"},
             {"\"seed\":9007199254740991", "\"seed\":-1", "seed"},
             {"\"budget_s\":20.5", "\"budget_s\":0", "budget_s"},
             {"\"budget_s\":20.5", "\"budget_s\":\"20\"", "budget_s"},
             {"\"threads\":2", "\"threads\":0", "threads"},
             {"\"threads\":2", "\"threads\":2.5", "threads"},
             {"\"vocabulary\":1024", "\"vocabulary\":65537", "vocabulary"},
             {"\"checkpoint_s\":30", "\"checkpoint_s\":0", "checkpoint_s"},
             {"[\"a.bin\",\"b.bin\"]", "[]", "train_shards"},
             {"[\"a.bin\",\"b.bin\"]", "[1]", "train_shards"},
             {"\"work_dir\"", "\"workdir\"", "work_dir"},
             {"\"mode\":\"train\"", "\"mode\":\"paint\"", "mode"},
             {"true", "null", "model.tied_embedding"}}) {
        const auto parsed = parse_specification(replaced(good, from, to));
        ASSERT_FALSE(parsed) << to;
        EXPECT_EQ(parsed.error().code, Code::usage);
        EXPECT_THAT(parsed.error().message, HasSubstr("'" + field + "'"));
    }
    EXPECT_FALSE(parse_specification("[]"));
    EXPECT_FALSE(parse_specification("{"));
}

TEST(Protocol, StopsAtANewerProtocol) {
    const auto parsed = parse_specification(R"({"protocol":2,"mode":"dream"})");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, Code::newer);
}

template <typename T>
T round_trip(const T& event) {
    const auto parsed = parse_event(to_line(Event(event)));
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
    EXPECT_TRUE(parsed && std::holds_alternative<T>(*parsed)) << to_line(Event(event));
    return parsed && std::holds_alternative<T>(*parsed) ? std::get<T>(*parsed) : T{};
}

TEST(Protocol, BringsEveryEventBack) {
    const StartEvent start = round_trip(StartEvent{"cultivar-lm 0.1.0", 17'059'912, 1.5e7, 2.25, 3e8});
    EXPECT_EQ(start.trainer, "cultivar-lm 0.1.0");
    EXPECT_EQ(start.parameters, 17'059'912);
    EXPECT_EQ(start.flops_per_token, 1.5e7);
    EXPECT_EQ(start.resumed_s, 2.25);
    EXPECT_EQ(start.memory_bytes, 3e8);
    const StepEvent step = round_trip(StepEvent{3, 0.75, 0.5, 6.9, 49'152, 1.25, 0.875});
    EXPECT_EQ(step.step, 3);
    EXPECT_EQ(step.elapsed_s, 0.75);
    EXPECT_EQ(step.before_s, 0.5);
    EXPECT_EQ(step.train_loss, 6.9);
    EXPECT_EQ(step.tokens, 49'152);
    EXPECT_EQ(step.wall_s, 1.25);
    EXPECT_EQ(step.here_s, 0.875);
    EXPECT_THAT(to_line(StepEvent{3, 0.75, 0.5, 6.9, 49'152}), testing::Not(testing::ContainsRegex("wall_s|here_s")));
    round_trip(EvalEvent{});
    round_trip(UnknownEvent{});
    const ErrorEvent error = round_trip(ErrorEvent{"unfit", "a step takes \"30 s\""});
    EXPECT_EQ(error.kind, "unfit");
    EXPECT_EQ(error.message, "a step takes \"30 s\"");
}

TEST(Protocol, BringsADoneEventBackToTheLastBit) {
    DoneEvent done;
    done.steps = 100;
    done.tokens = 1'638'400;
    done.train_s = 20.0625;
    done.artifact = "/tmp/w/artifact";
    done.artifact_bytes = 12'345;
    done.parameters = 17;
    done.val_loss = 0.1 + 0.2;
    done.val_bpb = 1.0 / 3.0;
    done.val_tokens = 4096;
    done.val_bytes = 10'000;
    done.chunks = {0, 5};
    done.chunk_loss_sums = {100.1, 1e-300};
    const DoneEvent back = round_trip(done);
    EXPECT_EQ(back.steps, done.steps);
    EXPECT_EQ(back.train_s, done.train_s);
    EXPECT_EQ(back.artifact, done.artifact);
    EXPECT_EQ(back.val_loss, done.val_loss);
    EXPECT_EQ(back.val_bpb, done.val_bpb);
    EXPECT_EQ(back.val_bytes, done.val_bytes);
    EXPECT_EQ(back.chunks, done.chunks);
    EXPECT_EQ(back.chunk_loss_sums, done.chunk_loss_sums);
    DoneEvent bench;
    bench.flops_per_s = 3.5e10;
    EXPECT_EQ(round_trip(bench).flops_per_s, 3.5e10);
    DoneEvent replay;
    replay.replayed_steps = 32;
    replay.tokens = 32'768;
    replay.train_s = 1.0 / 3.0;
    EXPECT_EQ(round_trip(replay).replayed_steps, 32);
    EXPECT_EQ(round_trip(replay).tokens, 32'768);
    EXPECT_EQ(round_trip(replay).train_s, 1.0 / 3.0);
    EXPECT_EQ(round_trip(replay).steps, 0);
    DoneEvent command;
    command.score = -1.0 / 3.0;
    EXPECT_EQ(round_trip(command).score, command.score);
    EXPECT_EQ(std::get<DoneEvent>(*parse_event(R"({"event":"done","score":0})")).score, 0);
    EXPECT_FALSE(parse_event(R"({"event":"done","score":null})"));
}

TEST(Protocol, SkipsEventsAndFieldsThatItDoesNotKnow) {
    EXPECT_TRUE(std::holds_alternative<UnknownEvent>(*parse_event(R"({"event":"sing","loud":true})")));
    EXPECT_TRUE(std::holds_alternative<EvalEvent>(*parse_event(R"({"event":"eval","why":"x"})")));
}

TEST(Protocol, RefusesFiguresThatAreNotNumbers) {
    StepEvent diverged{1, 1, 0, std::numeric_limits<double>::quiet_NaN(), 1};
    EXPECT_EQ(parse_event(to_line(diverged)).error().code, Code::corrupt);
    diverged.train_loss = std::numeric_limits<double>::infinity();
    EXPECT_EQ(parse_event(to_line(diverged)).error().code, Code::corrupt);
    EXPECT_FALSE(parse_event(R"({"event":"step","step":1,"elapsed_s":1,"before_s":0,"train_loss":1e999,"tokens":1})"));
}

TEST(Protocol, RefusesForeignLines) {
    for (const char* line : {"", "step 1", "[]", "{}", R"({"event":3})", R"({"event":"start"})",
                             R"({"event":"step","step":1.5,"elapsed_s":1,"before_s":0,"train_loss":1,"tokens":1})",
                             R"({"event":"step","step":-1,"elapsed_s":1,"before_s":0,"train_loss":1,"tokens":1})",
                             R"({"event":"done","steps":1,"tokens":1,"train_s":1})",
                             R"({"event":"done","replayed_steps":0,"tokens":1,"train_s":1})",
                             R"({"event":"done","val_loss":1,"val_bpb":1,"val_tokens":1,"val_bytes":1,"chunks":[1]})",
                             R"({"event":"done","val_loss":1,"val_bpb":1,"val_tokens":1,"val_bytes":1,"chunks":[1],)"
                             R"("chunk_loss_sums":[1,2]})"}) {
        EXPECT_EQ(parse_event(line).error().code, Code::corrupt) << line;
    }
    EXPECT_FALSE(parse_event(R"({"event":"eval","x":")" + std::string(kMaxEventBytes, 'x') + "\"}"));
}

}  // namespace
}  // namespace cultivar
