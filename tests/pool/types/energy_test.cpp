#include "pool/types/energy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/rules/record_checks.h"
#include "pool/types/energy_error.h"
#include "pool/types/verdict.h"
#include "pool/util/file.h"
#include "pool/util/utc_time.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kSlot = 1'795'232'700;  // 2026-11-21T03:45:00Z

// golden/records.jsonl: its last line is a run with domains and with the joules of a proposer's call.
std::string golden_line() {
    std::string text = must(read_file(CULTIVAR_GOLDEN "records.jsonl"));
    text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

std::string spoilt(std::string line, const std::string& from, const std::string& to) {
    const std::size_t at = line.find(from);
    if (at == std::string::npos) throw std::runtime_error("'" + from + "' is not in the line");
    return line.replace(at, from.size(), to);
}

cultivar::Run golden_run() { return std::get<cultivar::Run>(must(parse_line(golden_line()))); }

Energy with_slots(std::vector<EnergySlot> slots) {
    Energy energy;
    energy.domains = {{"cpu", "rapl", 0.05, std::move(slots)}};
    return energy;
}

TEST(EnergyOfARecord, TellsJoulesByDomainAndSlot) {
    const auto run = golden_run();
    EXPECT_EQ(run.energy.joules, 1913.125);
    EXPECT_EQ(run.energy.slot_s, 900);
    ASSERT_EQ(run.energy.domains.size(), 2U);
    EXPECT_EQ(run.energy.domains[0],
              (EnergyDomain{"cpu", "rapl", 0.05, {{kSlot, 12.5, 250.125, 62.5}, {kSlot + 900, 15, 300.5, 75}}}));
    EXPECT_EQ(run.energy.domains[1].method, "nvml");
    ASSERT_TRUE(run.proposer_energy);
    EXPECT_EQ(run.proposer_energy->joules, 2400);
    EXPECT_EQ(run.proposer_energy->low, 360);
    EXPECT_EQ(run.proposer_energy->high, 14'400);
    EXPECT_EQ(run.proposer_energy->method, "estimated");
}

TEST(EnergyOfARecord, FromBeforeTheDomainsHasItsTotalsAlone) {
    const std::string text = must(read_file(CULTIVAR_GOLDEN "records.jsonl"));
    const auto run = std::get<cultivar::Run>(must(parse_line(text.substr(0, text.find('\n')))));
    EXPECT_EQ(run.energy.joules, 412.5);
    EXPECT_TRUE(run.energy.domains.empty());
    EXPECT_FALSE(run.proposer_energy);
    EXPECT_EQ(wrong_in(run.energy, run.wall_s), std::nullopt);
}

TEST(EnergyOfARecord, MayHaveWordsOfTheFuture) {
    const std::string line = spoilt(golden_line(), R"("domain":"cpu","method":"rapl")",
                                    R"("domain":"npu","hue":[1],"method":"wattmeter-2")");
    const auto run = std::get<cultivar::Run>(must(parse_line(line)));
    EXPECT_EQ(run.energy.domains[0].domain, "npu");
    EXPECT_EQ(error_of(run.energy.domains[0].method), 1);
}

TEST(EnergyOfARecord, IsRefusedWhereAValueIsOfTheWrongKindOrOutOfRange) {
    const std::pair<const char*, const char*> cases[] = {
        {R"("slot_s":900)", R"("slot_s":60)"},
        {R"("slot_s":900)", R"("slot_s":-900)"},
        {R"("slot_s":900)", R"("slot_s":172800)"},
        {R"("slot_s":900)", R"("slot_s":900.5)"},
        {R"("slot_s":900,)", ""},
        {R"("domains":[)", R"("domains":[7,)"},
        {R"("domains":[)", R"("domains":[[],)"},
        {R"("domains":[)", R"("domains":[{},)"},
        {R"("domain":"cpu")", R"("domain":"")"},
        {R"("domain":"cpu")", R"("domain":"c\u001b[31mpu")"},
        {R"("domain":"cpu")", R"("domain":"abcdefghijklmnopqrstuvwxyzabcdefgh")"},
        {R"("method":"rapl")", R"("method":null)"},
        {R"("error":0.05)", R"("error":-0.05)"},
        {R"("error":0.05)", R"("error":1e300)"},
        {R"("error":0.05)", R"("error":null)"},
        {R"("2026-11-21T03:45Z")", R"("2026-11-21T03:45:00Z")"},
        {R"("2026-11-21T03:45Z")", R"("2026-11-21T03:45+")"},
        {R"("2026-11-21T03:45Z")", R"("2026-13-21T03:45Z")"},
        {R"("2026-11-21T03:45Z")", R"("1915-01-01T00:00Z")"},
        {R"("2026-11-21T03:45Z")", "1795232700"},
        {"12.5,250.125,62.5]", "12.5,250.125]"},
        {"12.5,250.125,62.5]", "12.5,250.125,62.5,1]"},
        {"12.5,250.125,62.5]", "-12.5,250.125,62.5]"},
        {"12.5,250.125,62.5]", "12.5,-250.125,62.5]"},
        {"12.5,250.125,62.5]", "12.5,250.125,-62.5]"},
        {"12.5,250.125,62.5]", "12.5,1e999,62.5]"},
        {"12.5,250.125,62.5]", "12.5,null,62.5]"},
        {"12.5,250.125,62.5]", "1e6,250.125,62.5]"},
        {R"("joules_range":[360.0,14400.0])", R"("joules_range":[2500.0,14400.0])"},
        {R"("joules_range":[360.0,14400.0])", R"("joules_range":[360.0,2000.0])"},
        {R"("joules_range":[360.0,14400.0])", R"("joules_range":[360.0])"},
        {R"("joules_range":[360.0,14400.0],)", ""},
        {R"("joules":2400.0)", R"("joules":-1)"}};
    for (auto [from, to] : cases) {
        const auto record = parse_line(spoilt(golden_line(), from, to));
        ASSERT_FALSE(record) << to;
        EXPECT_EQ(record.error().code, Code::corrupt) << to;
    }
}

TEST(EnergyOfARecord, IsRefusedWhereItHasTooManyDomainsOrSlots) {
    Energy energy;
    energy.domains.assign(kMostEnergyDomains, {"gpu", "nvml", 0.05});
    EXPECT_TRUE(parse_energy(to_text(energy)));
    energy.domains.push_back({"gpu", "nvml", 0.05});
    EXPECT_THAT(trouble(parse_energy(to_text(energy))).message, HasSubstr("domains"));
    energy.domains.resize(2);
    for (std::int64_t i = 0; i < 1'001; ++i) {
        for (EnergyDomain& one : energy.domains) one.slots.push_back({kSlot + 900 * i, 1, 1, 0});
    }
    EXPECT_THAT(trouble(parse_energy(to_text(energy))).message, HasSubstr("too many slots"));
    for (EnergyDomain& one : energy.domains) one.slots.pop_back();
    EXPECT_EQ(must(parse_energy(to_text(energy))), energy);
    EXPECT_FALSE(parse_energy(std::string(300'000, '[')));
    EXPECT_FALSE(parse_energy("{\"joules\":1"));
}

TEST(EnergyOfARecord, IsRefusedWhereNoMachineCouldHaveMeasuredIt) {
    const std::pair<Energy, const char*> cases[] = {
        {with_slots({{kSlot + 1, 1, 1, 0}}), "begin at a multiple"},
        {with_slots({{kSlot + 900, 1, 1, 0}, {kSlot, 1, 1, 0}}), "do not ascend"},
        {with_slots({{kSlot, 1, 1, 0}, {kSlot, 1, 1, 0}}), "do not ascend"},
        {with_slots({{kSlot, 901, 1, 0}}), "longer than itself"},
        {with_slots({{kSlot, 1, 200'001, 0}}), "more than any machine draws"},
        {with_slots({{kSlot, 1, 1, 200'001}}), "more than any machine draws"},
        {with_slots({{kSlot, 60, 1, 0}, {kSlot + 900, 60, 1, 0}}), "was measured for 120 s of 100 s"}};
    for (const auto& [energy, words] : cases) {
        ASSERT_TRUE(wrong_in(energy, 100)) << words;
        EXPECT_THAT(*wrong_in(energy, 100), HasSubstr(words));
    }
    EXPECT_EQ(wrong_in(with_slots({{kSlot, 50, 5e6, 1}, {kSlot + 900, 50, 1, 0}}), 100), std::nullopt);
    Energy odd = with_slots({{0, 1, 1, 0}});
    odd.slot_s = 1000;
    EXPECT_TRUE(wrong_in(odd, 100));
    Energy hot = with_slots({{kSlot, 50, 5e6, 0}});
    hot.domains.resize(kMostEnergyDomains, hot.domains[0]);
    EXPECT_THAT(wrong_in(hot, 50).value_or(""), HasSubstr("4e+07 J in 50 s"));
}

TEST(EnergyOfARecord, CountsForNothingInARunThatContradictsIt) {
    const Task task = tiny_task();
    auto run = scored_run(task, "bob.box.01234567", {}, 2.0);
    run.energy.domains = {{"machine", "meter", 0.1, {{kSlot, 20, 300, 0}}}};
    EXPECT_TRUE(check_run(task, task.id(), run, run.writer));
    run.energy.domains[0].slots[0].seconds = 400;
    const auto checked = check_run(task, task.id(), run, run.writer);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, Code::corrupt);
    EXPECT_THAT(checked.error().message, HasSubstr("was measured for 400 s"));
}

TEST(EnergyOfARecord, OfPartsOfARunAddsUp) {
    Energy whole = with_slots({{kSlot, 100, 1000, 200}});
    Energy more = with_slots({{kSlot, 50, 400, 100}, {kSlot + 900, 10, 90, 20}});
    more.domains.push_back({"gpu", "nvml", 0.05, {{kSlot, 50, 9000, 0}}});
    more.domains.push_back({"cpu", "estimated", 1, {{kSlot, 5, 100, 0}}});
    add_slots(whole, more);
    EXPECT_EQ(whole.domains[0].slots, (std::vector<EnergySlot>{{kSlot, 150, 1400, 300}, {kSlot + 900, 10, 90, 20}}));
    EXPECT_EQ(whole.domains[1], more.domains[1]);
    EXPECT_EQ(whole.domains[2], more.domains[2]) << "another method is another domain";
    add_slots(whole, with_slots({{kSlot, 800, 1, 0}}));
    EXPECT_EQ(whole.domains[0].slots[0].seconds, 900) << "a clock that was put back makes no slot longer";
}

TEST(EnergyOfARecord, HasTheErrorOfItsDomainsByTheirJoules) {
    Energy energy = with_slots({{kSlot, 10, 100, 0}});
    energy.domains.push_back({"gpu", "estimated", 1, {{kSlot, 10, 300, 0}}});
    EXPECT_DOUBLE_EQ(error_of(energy), (100 * 0.05 + 300) / 400);
    Energy old;
    old.method = "declared";
    EXPECT_EQ(error_of(old), 0.3) << "an older record has a method alone";
    old.method = "guessed";
    EXPECT_EQ(error_of(old), 1);
}

TEST(EnergyOfARecord, HasLongerSlotsWhereTheyWouldBeTooMany) {
    Energy energy;
    energy.domains.assign(2, {"cpu", "rapl", 0.05});
    const std::int64_t midnight = 1'795'219'200;
    for (std::int64_t i = 0; i < 1'000; ++i) {
        for (EnergyDomain& one : energy.domains) one.slots.push_back({midnight + 900 * i, 900, 10, 1});
    }
    round_figures(energy);
    EXPECT_EQ(energy.slot_s, 1800);
    ASSERT_EQ(energy.domains[1].slots.size(), 500U);
    EXPECT_EQ(energy.domains[1].slots[499], (EnergySlot{midnight + 1800 * 499, 1800, 20, 2}));
    EXPECT_EQ(wrong_in(energy, 900'000), std::nullopt);
    Energy more = with_slots({{midnight + 900, 1, 1, 0}});
    add_slots(energy, more);
    EXPECT_EQ(energy.domains[0].slots[0].gross_joules, 21) << "slots of two lengths meet in the longer one";
}

TEST(EnergyOfARecord, IsAsPreciseAsItIsWorthAndNoMore) {
    Energy energy = with_slots({{kSlot, 1.0 / 3, 2.0 / 3, 1e-9}});
    round_figures(energy);
    EXPECT_EQ(energy.domains[0].slots[0], (EnergySlot{kSlot, 0.333, 0.667, 0}));
}

TEST(EnergyOfARecord, IsMeasuredForNoLongerThanTheRunTook) {
    Energy energy = with_slots({{kSlot, 30, 300, 0}, {kSlot + 900, 10, 100, 0}});
    limit_seconds(energy, 50);
    EXPECT_EQ(energy.domains[0].slots[0].seconds, 30);
    limit_seconds(energy, 20);
    EXPECT_EQ(energy.domains[0].slots[0].seconds, 15);
    EXPECT_EQ(energy.domains[0].slots[1].seconds, 5);
    EXPECT_EQ(energy.domains[0].slots[0].gross_joules, 300);
}

TEST(EnergyOfAVerdict, IsKeptWithItsZoneAndCheckedAsThatOfARun) {
    std::string line = must(read_file(CULTIVAR_GOLDEN "verdict.json"));
    line.pop_back();
    Verdict verdict = must(parse_verdict(line));
    EXPECT_FALSE(verdict.energy) << "an older verdict has none";
    EXPECT_EQ(verdict.zone, "");
    verdict.energy = with_slots({{kSlot, 1.5, 22.5, 3.0}});
    verdict.energy->method = "rapl";
    verdict.zone = "DE";
    const std::string written = to_line(verdict);
    EXPECT_THAT(written, HasSubstr(R"("ratio":0.0625,"energy":{"joules":0.0,)"));
    EXPECT_THAT(written, HasSubstr(R"("zone":"DE")"));
    const Verdict read = must(parse_verdict(written));
    EXPECT_EQ(read.energy, verdict.energy);
    EXPECT_EQ(read.zone, "DE");
    EXPECT_EQ(to_line(read), written);
    for (auto [from, to] :
         {std::pair("1.5,22.5,3.0]", "15,22.5,3.0]"), std::pair("1.5,22.5,3.0]", "1.5,1e9,3.0]"),
          std::pair("\"slot_s\":900", "\"slot_s\":\"900\""), std::pair("\"zone\":\"DE\"", "\"zone\":7")})
        EXPECT_EQ(trouble(parse_verdict(spoilt(written, from, to))).code, Code::corrupt) << to;
}

}  // namespace
}  // namespace cultivar
