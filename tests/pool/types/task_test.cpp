#include "pool/types/task.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/types/task_parser.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string golden() { return must(read_file(CULTIVAR_GOLDEN "pool.toml")); }

std::string with(const std::string& from, const std::string& to) {
    std::string toml = golden();
    std::size_t at = toml.find(from);
    if (at == std::string::npos) throw std::runtime_error("'" + from + "' is not in pool.toml");
    return toml.replace(at, from.size(), to);
}

std::string complaint(const std::string& toml) {
    auto task = parse_task(toml, "pool.toml");
    if (task) return "no complaint";
    EXPECT_EQ(task.error().code, Code::usage);
    return task.error().message;
}

TEST(Task, OfTheGoldenFileReadsAndWritesBackByteForByte) {
    EXPECT_EQ(to_toml(must(parse_task(golden(), "pool.toml"))), golden());
    EXPECT_EQ(to_toml(tiny_task()), golden());
}

TEST(Task, IsWrittenSoThatItReadsBackWhateverItsWordsHold) {
    const std::string wild = "say \"this\"\nand \\ that\ttoo\x7f [x] # é", line = "say \"this\" and \\ that # é";
    Task task = tiny_task();
    task.name = task.data->sources[0].sha256 = wild;
    task.data->slice.name = task.data->sources[0].name = line;
    task.kind = task.metric = task.data->tokenizer = task.data->tokenizer_sha256 = line;
    const std::string toml = to_toml(task);
    Task again = must(parse_task(toml, "pool.toml"));
    EXPECT_EQ(again.name, wild);
    EXPECT_EQ(again.kind, line);
    EXPECT_EQ(again.metric, line);
    EXPECT_EQ(again.data->tokenizer, line);
    EXPECT_EQ(again.data->sources[0].name, line);
    EXPECT_EQ(again.data->sources[0].sha256, wild);
    EXPECT_EQ(to_toml(again), toml);
    EXPECT_EQ(again.id(), task.id());
}

TEST(Task, NamesOfFilesLeadNowhereElse) {
    for (const char* name : {"", ".", "..", "a/b", "/etc/passwd", "../x", "a\nb", "a\x1b[2J"}) {
        Task task = tiny_task();
        task.data->sources[0].name = name;
        EXPECT_THAT(complaint(to_toml(task)), HasSubstr("is not a file's name")) << name;
        task = tiny_task();
        task.data->train[0].name = name;
        EXPECT_THAT(complaint(to_toml(task)), HasSubstr("is not a data file")) << name;
    }
    Task odd = tiny_task();
    odd.data->sources[0].name = "corpus.txt; touch PWNED #";  // a name all the same: whoever shows it quotes it
    EXPECT_EQ(must(parse_task(to_toml(odd), "pool.toml")).data->sources[0].name, odd.data->sources[0].name);
}

// The task id is a digest of lines: a word with a line feed in it could imitate another task.
TEST(Task, IsRefusedWhenAWordOfItsIdHoldsALine) {
    const std::pair<const char*, const char*> cases[] = {
        {"kind = \"lm\"", "kind = \"lm\\nmetric x\""},
        {"metric = \"val_bpb\"", "metric = \"val_bpb\\n\""},
        {"tokenizer = \"byte\"", "tokenizer = \"byte\\u0000\""},
    };
    for (const auto& [from, to] : cases) EXPECT_NE(complaint(with(from, to)), "no complaint") << to;
}

// The lines that make scores comparable, written out; sha256sum gave their digest.
TEST(Task, IdIsTheDigestOfWhatMakesScoresComparable) {
    auto digits = [](char digit) { return std::string(64, digit); };
    const std::string text =
        "cultivar-task 1\nkind lm\nmetric val_bpb\ndirection minimize\nartifact_cap_bytes 16000000\n"
        "window_stride_tokens 0\ntokenizer byte \nbyte_table " +
        digits('6') + "\ntrain " + digits('2') + "\ntrain " + digits('3') + "\nslice " + digits('4') + "\nfull " +
        digits('5') +
        "\ngene model.heads 4\ngene model.layers 4\ngene model.mlp \"relu2\"\ngene model.tied false\n"
        "gene model.unique 2\ngene model.width 128\ngene optim.bias 0.5\ngene optim.lr 0.04\n";
    EXPECT_EQ(task_id_text(tiny_task()), text);
    EXPECT_EQ(tiny_task().id(), "00880da27ace91c8893938e7871bc237d793571c23b05215aa90b1a8e90003df");
    EXPECT_EQ(must(parse_task(golden(), "pool.toml")).id(), tiny_task().id());
}

TEST(Task, OfACommandMayDeclareThatItsRunsAreFreeOfNoise) {
    const std::string words =
        "noise = \"none\"\ncommand.run = [\"jq\", \".\"]\n[gene.x]\ntype = \"real\"\ndefault = "
        "0.0\nrange = [0.0, 1.0]\n";
    Task draft = tiny_task();
    draft.kind = kCommandKind;
    draft.data.reset();
    Task task = must(parse_task(words, "task.toml", &draft));
    EXPECT_TRUE(task.noiseless);
    EXPECT_TRUE(must(parse_task(to_toml(task), "pool.toml")).noiseless);
    EXPECT_FALSE(parse_task("noise = \"some\"\n" + words.substr(words.find("command")), "task.toml", &draft));
    const std::string id = task.id();
    task.noiseless = false;
    EXPECT_EQ(task.id(), id) << "it says how to search, not what is scored";
    EXPECT_FALSE(parse_task(with("direction = \"minimize\"", "noise = \"none\""), "pool.toml"));
}

TEST(Task, IdSurvivesWiderRangesNewGenesAndOtherRules) {
    const std::pair<const char*, const char*> cases[] = {
        {"range = [1, 32]", "range = [1, 64]"},
        {"levels = [1, 2, 4, 8]", "levels = [1, 2, 4, 8, 16]"},
        {"\"swiglu\"]", "\"swiglu\", \"silu\"]"},
        {"budget_s = 20.0", "budget_s = 600"},
        {"min_seeds = 3", "min_seeds = 5"},
        {"share = 0.05", "share = 0.1"},
        {"name = \"tiny\"", "name = \"renamed\""},
        {"help = \"how deep the model is\"", "help = \"depth\""},
        {"unit = \"blocks\"", "unit = \"layers\""},
        {"[gene.optim.bias]",
         "[gene.optim.late]\ntype = \"real\"\ndefault = 0\nrange = [0, 1]\nsince = 1\n\n[gene.optim.bias]"}};
    const Task before = tiny_task();
    for (auto [from, to] : cases) {
        Task after = must(parse_task(with(from, to), "pool.toml"));
        EXPECT_EQ(after.id(), before.id()) << to;
        EXPECT_TRUE(may_follow(before, after)) << to;
    }
}

TEST(Task, IdChangesWithWhateverMakesScoresIncomparable) {
    const std::pair<std::string, std::string> cases[] = {
        {"default = 0.04", "default = 0.05"},
        {"default = \"relu2\"", "default = \"gelu\""},
        {"artifact_cap_bytes = 16000000", "artifact_cap_bytes = 16000001"},
        {"metric = \"val_bpb\"", "metric = \"val_loss\""},
        {"direction = \"minimize\"", "direction = \"maximize\""},
        {"kind = \"lm\"", "kind = \"other\""},
        {"tokenizer = \"byte\"", "tokenizer = \"sentencepiece\""},
        {std::string(64, '3'), std::string(64, 'b')},
        {std::string(64, '4'), std::string(64, 'b')},
        {std::string(64, '5'), std::string(64, 'b')},
        {std::string(64, '6'), std::string(64, 'b')},
        {"[gene.optim.bias]", "[gene.optim.late]\ntype = \"real\"\ndefault = 0\nrange = [0, 1]\n\n[gene.optim.bias]"}};
    const Task before = tiny_task();
    for (const auto& [from, to] : cases) {
        Task after = must(parse_task(with(from, to), "pool.toml"));
        EXPECT_NE(after.id(), before.id()) << to;
        EXPECT_EQ(trouble(may_follow(before, after)).code, Code::corrupt) << to;
    }
}

std::string with_caps(const std::string& lines) { return with("\n[record]", "\n[caps]\n" + lines + "\n[record]"); }

TEST(Task, MayCapWhatAModelCostsToUse) {
    const std::string toml =
        with_caps("parameters = 1000000\nforward_flops_per_token = 2.5e+06\njoules_per_token = 0.001\n");
    Task capped = must(parse_task(toml, "pool.toml"));
    EXPECT_EQ(capped.caps.parameters, 1'000'000);
    EXPECT_EQ(capped.caps.forward_flops_per_token, 2.5e6);
    EXPECT_EQ(capped.caps.joules_per_token, 0.001);
    EXPECT_EQ(must(parse_task(to_toml(capped), "pool.toml")).caps, capped.caps);
    EXPECT_THAT(task_id_text(capped), HasSubstr("window_stride_tokens 0\ncap parameters 1000000\n"
                                                "cap forward_flops_per_token 2500000.0\ncap joules_per_token 0.001\n"
                                                "tokenizer byte"));
    Task one = must(parse_task(with_caps("forward_flops_per_token = 3000000\n"), "pool.toml"));
    EXPECT_EQ(one.caps, (UseCost{std::nullopt, 3e6, std::nullopt}));
}

TEST(Task, SettlesItsCapsBeforeDataCome) {
    const Task plain = tiny_task(), capped = must(parse_task(with_caps("parameters = 1000000\n"), "pool.toml"));
    EXPECT_EQ(trouble(may_follow(plain, capped)).code, Code::corrupt);
    EXPECT_EQ(trouble(may_follow(capped, plain)).code, Code::corrupt);
    Task empty = plain;
    empty.data.reset();
    EXPECT_TRUE(may_follow(empty, capped));
}

TEST(Task, RefusesCapsThatAllowNothingOrMeanNothing) {
    for (const char* line : {"parameters = 0", "parameters = -5", "parameters = 1.5", "parameters = [1]",
                             "forward_flops_per_token = 0", "forward_flops_per_token = nan", "joules_per_token = -0.1",
                             "joules_per_token = inf", "joules_per_token = \"few\"", "joules = 1.0"})
        EXPECT_THAT(complaint(with_caps(std::string(line) + "\n")), HasSubstr("caps.")) << line;
    EXPECT_THAT(complaint(with_caps("parameter = 7\n")), HasSubstr("did you mean 'caps.parameters'"));
}

TEST(Task, MayNotLoseOrRedefineAGene) {
    const Task before = tiny_task();
    auto follow = [&](const std::function<void(std::vector<Gene>&)>& change) {
        std::vector<Gene> genes = tiny_genes();
        change(genes);
        Task after = before;
        after.space = must(Space::make(genes, {}));
        return trouble(may_follow(before, after)).message;
    };
    EXPECT_EQ(follow([](auto& genes) { genes.pop_back(); }), "pool.toml lost the gene 'optim.bias'");
    EXPECT_THAT(follow([](auto& genes) { genes[6].default_value = 0.5; }), HasSubstr("'optim.lr'"));
    EXPECT_THAT(follow([](auto& genes) { genes[7].since = 1; }), HasSubstr("'optim.bias'"));
    EXPECT_THAT(follow([](auto& genes) { genes[0].type = GeneType::real; }), HasSubstr("'model.layers'"));
    Task later = before;
    later.created = "2026-11-22T03:40:00Z";
    EXPECT_THAT(trouble(may_follow(before, later)).message, HasSubstr("creation time"));
}

TEST(Task, NeverNarrowsItsSpace) {
    const Task before = tiny_task();
    auto narrowed = [&](auto&& change) {
        std::vector<Gene> genes = tiny_genes();
        std::vector<Constraint> constraints = tiny_constraints();
        change(genes, constraints);
        Task after = before;
        after.space = must(Space::make(genes, constraints));
        return may_follow(before, after) ? std::string() : trouble(may_follow(before, after)).message;
    };
    EXPECT_THAT(narrowed([](auto& genes, auto&) {
                    genes[6].when = Condition{"model.tied", {false}};
                }),
                HasSubstr("condition of 'optim.lr'"));
    EXPECT_THAT(narrowed([](auto& genes, auto&) {
                    genes[5].when = Condition{"model.tied", {false}};
                }),
                HasSubstr("condition of 'model.unique'"));
    EXPECT_EQ(narrowed([](auto& genes, auto&) { genes[5].when = Condition{"model.tied", {true, false}}; }), "");
    EXPECT_EQ(narrowed([](auto& genes, auto&) { genes[1].multiple_of = 4; }), "");
    EXPECT_THAT(narrowed([](auto& genes, auto&) { genes[1].multiple_of = 16; }), HasSubstr("values of 'model.width'"));
    EXPECT_THAT(narrowed([](auto& genes, auto&) {
                    genes[2].levels = {2, 4, 8};
                }),
                HasSubstr("values of 'model.heads'"));
    EXPECT_THAT(narrowed([](auto& genes, auto&) { genes[3].choices.pop_back(); }), HasSubstr("values of 'model.mlp'"));
    EXPECT_THAT(narrowed([](auto& genes, auto&) { genes[6].high = 1; }), HasSubstr("values of 'optim.lr'"));
    EXPECT_THAT(narrowed([](auto&, auto& constraints) { constraints.pop_back(); }), HasSubstr("lost or changed"));
    EXPECT_THAT(narrowed([](auto&, auto& constraints) {
                    constraints.push_back({Constraint::Kind::at_most, "model.heads", "model.layers", 1});
                }),
                HasSubstr("new constraint"));
    auto with_late = [](std::int64_t value) {
        return [value](auto& genes, auto& constraints) {
            Gene late;
            late.name = "model.late";
            late.type = GeneType::integer;
            late.default_value = whole(value);
            late.low = 0, late.high = 100, late.since = 1;
            genes.push_back(late);
            constraints.push_back({Constraint::Kind::at_most, "model.late", "model.layers", 1});
        };
    };
    EXPECT_EQ(narrowed(with_late(1)), "") << "it holds for every old candidate";
    EXPECT_THAT(narrowed(with_late(4)), HasSubstr("new constraint")) << "a candidate of one layer would be lost";
}

TEST(Task, SaysWhatAChangedMainCostsItsContributors) {
    const Task before = tiny_task();
    Task after = before;
    EXPECT_TRUE(changed_terms(before, after).empty());
    after.budget_s = 1e7;
    after.verify_share = 0.9;
    EXPECT_EQ(changed_terms(before, after),
              (std::vector<std::string>{"a run trains for 1e+07 s instead of 20 s",
                                        "verification may take 90 % of the search instead of 5 %"}));
}

TEST(Task, MayGainItsDataOnceAndKeepsItThen) {
    Task empty = tiny_task();
    empty.data.reset();
    EXPECT_TRUE(may_follow(empty, tiny_task()));
    EXPECT_FALSE(may_follow(tiny_task(), empty));
    EXPECT_EQ(to_toml(must(parse_task(to_toml(empty), "pool.toml"))), to_toml(empty));
}

TEST(Task, RefusesTypingMistakesAndSaysWhere) {
    EXPECT_EQ(complaint(with("budget_s", "budget_z")),
              "pool.toml:13:12: unknown key 'task.budget_z', did you mean 'task.budget_s'?");
    EXPECT_THAT(complaint(with("structural = true", "structurall = true")), HasSubstr("did you mean"));
    EXPECT_THAT(complaint(with("factor = 2", "factr = 2")), HasSubstr("unknown key 'constraint.0.factr'"));
    EXPECT_THAT(complaint(with("kind = \"multiple\"", "kind = \"times\"")),
                HasSubstr("'times' is no kind of constraint"));
    EXPECT_THAT(complaint(with("type = \"choice\"", "type = \"word\"")), HasSubstr("'word' is no type"));
    EXPECT_THAT(complaint(with("budget_s = 20.0", "budget_s = \"long\"")),
                StartsWith("pool.toml:13:12: 'task.budget_s'"));
    EXPECT_THAT(complaint(with("range = [1, 32]", "range = [32, 1]")), HasSubstr("'range' takes [low, high]"));
    EXPECT_THAT(complaint(with("levels = [1, 2, 4, 8]", "levels = [2, 1]")), HasSubstr("ascending"));
    EXPECT_THAT(complaint(with("default = 128", "default = 1")), HasSubstr("'model.width' = 1"));
    EXPECT_THAT(complaint(with("when = \"model.tied\"", "when = \"model.tide\"")), HasSubstr("'model.tide'"));
    EXPECT_THAT(complaint("format = 1\nname = \"x\n"), StartsWith("pool.toml:2:"));
    EXPECT_THAT(complaint(with("name = \"tiny\"\n", "")), HasSubstr("'name' is missing"));
}

TEST(Task, RefusesFiguresThatMakeNoSense) {
    const std::pair<const char*, const char*> cases[] = {{"budget_s = 20.0", "budget_s = 0"},
                                                         {"budget_s = 20.0", "budget_s = nan"},
                                                         {"budget_s = 20.0", "budget_s = inf"},
                                                         {"artifact_cap_bytes = 16000000", "artifact_cap_bytes = 0"},
                                                         {"share = 0.05", "share = 2000"},
                                                         {"share = 0.05", "share = nan"},
                                                         {"p_value = 0.01", "p_value = nan"},
                                                         {"min_gain_nats = 0.005", "min_gain_nats = nan"},
                                                         {"min_seeds = 3", "min_seeds = 1"},
                                                         {"min_seeds = 3", "min_seeds = 4294967299"},
                                                         {"direction = \"minimize\"", "direction = \"sideways\""},
                                                         {"created = \"2026-11-21T03:40:00Z\"", "created = \"today\""},
                                                         {"range = [-10.0, 10.0]", "range = [nan, 10.0]"},
                                                         {"range = [-10.0, 10.0]", "range = [-10.0, inf]"},
                                                         {"range = [-10.0, 10.0]", "range = [-10.0, \"ten\", 10.0]"},
                                                         {"when = \"model.tied\"", "when = []"},
                                                         {"when = \"model.tied\"", "when = [\"model.tied\"]"},
                                                         {"vocabulary = 257", "vocabulary = 0"},
                                                         {"name = \"slice.bin\"", "name = \"../slice.bin\""},
                                                         {"name = \"slice.bin\"", "name = \".bashrc\""},
                                                         {"targets = 65536", "targets = 0"}};
    for (auto [from, to] : cases) EXPECT_THAT(complaint(with(from, to)), StartsWith("pool.toml:")) << to;
}

// Everybody who looks at a pool pays for the size of its space.
TEST(Task, HasASpaceOfALimitedSize) {
    const auto many = [](std::size_t count, const std::function<std::string(std::size_t)>& one) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) text += one(i);
        return text;
    };
    const auto numbers = [&](std::size_t count) {
        return many(count, [](std::size_t i) { return fmt::format("{}, ", i + 1); });
    };
    const auto levels = [&](std::size_t count) {
        return complaint(with("levels = [1, 2, 4, 8]", "levels = [" + numbers(count) + "]"));
    };
    EXPECT_EQ(levels(kMaxGeneValues), "no complaint");
    EXPECT_THAT(levels(kMaxGeneValues + 1), HasSubstr("'levels' takes at most 1000 values"));
    const std::string head = "\n[gene.zz]\ntype = \"choice\"\ndefault = \"a\"\nchoices = [\"a\"";
    const auto words = many(kMaxGeneValues, [](std::size_t i) { return fmt::format(", \"w{}\"", i); });
    EXPECT_THAT(complaint(golden() + head + words + "]\n"), HasSubstr("'choices' takes at most 1000 values"));
    EXPECT_THAT(complaint(golden() + head + ", \"" + std::string(kMaxChoice_bytes + 1, 'x') + "\"]\n"),
                HasSubstr("at most 256 bytes"));
    const auto genes = many(kMaxGenes, [](std::size_t i) {
        return fmt::format("\n[gene.zz{}]\ntype = \"boolean\"\ndefault = false\n", i);
    });
    EXPECT_THAT(complaint(golden() + genes), HasSubstr("more than 500 genes"));
    const auto constraints = many(kMaxConstraints, [](std::size_t) {
        return "\n[[constraint]]\nkind = \"at_most\"\nleft = \"model.layers\"\nright = \"model.layers\"\n";
    });
    EXPECT_THAT(complaint(golden() + constraints), HasSubstr("more than 500 constraints"));
    const auto chain = [&](std::size_t count) {
        return complaint(golden() + "\n[gene.zz0]\ntype = \"boolean\"\ndefault = false\n" +
                         many(count, [](std::size_t i) {
                             return fmt::format(
                                 "\n[gene.zz{}]\ntype = \"boolean\"\ndefault = false\n"
                                 "when = \"zz{}\"\nequals = [true]\n",
                                 i + 1, i);
                         }));
    };
    EXPECT_EQ(chain(kMaxConditions), "no complaint");
    EXPECT_THAT(chain(kMaxConditions + 1), HasSubstr("more than 16 others"));
}

TEST(Task, SaysByWhichClockABudgetCountsAndThatIsPartOfItsId) {
    const auto clock = [](const std::string& format, const std::string& line) {
        std::string text = with("format = 1", "format = " + format);
        return text.replace(text.find("budget_s"), 0, line);
    };
    const auto plain = must(parse_task(golden(), "pool.toml"));
    const auto cpu = must(parse_task(clock("2", "clock = \"cpu\"\n"), "pool.toml"));
    EXPECT_FALSE(plain.cpu_clock);
    EXPECT_TRUE(cpu.cpu_clock);
    EXPECT_NE(cpu.id(), plain.id());
    EXPECT_EQ(must(parse_task(to_toml(cpu), "pool.toml")).id(), cpu.id());
    EXPECT_THAT(to_toml(cpu), HasSubstr("\nclock = \"cpu\"\n"));
    EXPECT_EQ(must(parse_task(clock("2", "clock = \"wall\"\n"), "pool.toml")).id(), plain.id());
    EXPECT_EQ(must(parse_task(clock("2", ""), "pool.toml")).id(), plain.id());
    EXPECT_THAT(complaint(clock("1", "clock = \"cpu\"\n")), HasSubstr("'clock' needs format = 2"));
    EXPECT_THAT(complaint(clock("2", "clock = \"sun\"\n")), HasSubstr("'sun' is no clock: cpu, wall"));
}

TEST(Task, OfALaterFormatIsLeftToALaterProgram) {
    EXPECT_EQ(trouble(parse_task(with("format = 1", "format = 3"), "pool.toml")).code, Code::newer);
    EXPECT_EQ(
        trouble(parse_task("format = 2\nname = \"n\"\ncreated = \"2026-11-21T03:40:00Z\"\n[task]\nkind = \"game\"\n",
                           "pool.toml"))
            .code,
        Code::newer);
    EXPECT_EQ(trouble(parse_task("format = 3\n[some.new]\nthing = 1\n", "pool.toml")).code, Code::newer);
}

}  // namespace
}  // namespace cultivar
