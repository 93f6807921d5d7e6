#include "energy/factors/factors.h"

#include <fstream>

#include "energy/factors/built_in.h"
#include "energy/factors/fetch.h"
#include "tests/energy/support.h"

namespace cultivar {
namespace {

class FactorFileTest : public ::testing::Test {
protected:
    FactorFileTest() : folder_(std::filesystem::temp_directory_path() / fmt::format("factors-{}", ::getpid())) {
        std::filesystem::create_directories(folder_);
    }
    ~FactorFileTest() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& name, const std::string& text) {
        const std::string path = (folder_ / name).string();
        std::ofstream(path) << text;
        return path;
    }
    // The factors of a file, or its error.
    std::string told(const std::string& toml) {
        const auto file = read_factor_file(write("energy.toml", toml));
        if (!file) return file.error().message.substr(folder_.string().size() + 1);
        std::string text;
        for (const Factor& one : *file)
            text +=
                fmt::format("{} '{}' {:g} ({:g} to {:g}) {} [{} {}]{}\n", name(one.kind), one.zone, one.range.value,
                            one.range.low, one.range.high, one.unit, one.source, one.year, one.series ? " series" : "");
        return text;
    }

    std::filesystem::path folder_;
};

TEST_F(FactorFileTest, ConstantsHaveBoundsUnitAndSource) {
    EXPECT_EQ(told(R"(
[[factor]]
quantity = "carbon"
grid = "marginal"
zone = "US-CAL"
value = 1000
unit = "lbs/MWh"
source = "a book"
year = 2025
[[factor]]
quantity = "price"
value = -50
low = -60.0
unit = "EUR/MWh"
source = "a bill"
[[factor]]
quantity = "embodied"
value = 181
low = 150
high = 500
life_years = 4
source = "Boavizta"
)"),
              "carbon, marginal 'US-CAL' 453.592 (453.592 to 453.592) g/kWh [a book 2025]\n"
              "price '' -0.05 (-0.06 to -0.05) EUR/kWh [a bill 0]\n"
              "embodied '' 181 (150 to 500) kg [Boavizta 0]\n");
}

TEST_F(FactorFileTest, AFigureWithoutItsSourceIsRefused) {
    EXPECT_EQ(told("[[factor]]\nquantity = \"pue\"\nvalue = 1.2\n"), "energy.toml: a factor of pue has no source");
    EXPECT_EQ(told("[[factor]]\nquantity = \"pue\"\nvalue = 0.9\nsource = \"x\"\n"),
              "energy.toml:2:12: 'pue' is below 1");
    EXPECT_EQ(told("[[factor]]\nquantity = \"carbon\"\nvalue = 1\nsource = \"x\"\n"),
              "energy.toml: a factor of carbon does not name its grid");
    EXPECT_EQ(told("[[factor]]\nquantity = \"carbon\"\ngrid = \"average\"\nvalue = nan\nsource = \"x\"\n"),
              "energy.toml:2:12: 'low', 'value' and 'high' do not ascend, or are out of range");
    EXPECT_EQ(told("[[factor]]\nquantity = \"price\"\nvalue = 1\nsource = \"x\"\n"),
              "energy.toml: a factor of price has no unit that fits");
    EXPECT_EQ(told("[[factor]]\nquantity = \"pue\"\nvalue = 1.2\nsource = \"x\"\nyaer = 2020\n"),
              "energy.toml:5:8: unknown key 'factor.0.yaer', did you mean 'factor.0.year'?");
}

TEST_F(FactorFileTest, AFileIsASeries) {
    write("gb.json", R"({"data":[
        {"from":"2026-01-01T00:00Z","to":"2026-01-01T00:30Z","intensity":{"forecast":230,"actual":200}},
        {"from":"2026-01-01T00:30Z","to":"2026-01-01T01:00Z","intensity":{"forecast":220,"actual":300}}]})");
    EXPECT_EQ(told("[[factor]]\nquantity = \"carbon\"\nfile = \"gb.json\"\nzone = \"GB\"\n"),
              "carbon, average 'GB' 250 (200 to 300) g/kWh [NESO Carbon Intensity API 0] series\n");
    EXPECT_TRUE(told("[[factor]]\nquantity = \"price\"\nfile = \"gb.json\"\n").find("holds carbon in g/kWh") !=
                std::string::npos);
}

TEST_F(FactorFileTest, NoFileStatesNothing) {
    const auto file = read_factor_file((folder_ / "none.toml").string());
    ASSERT_TRUE(file);
    EXPECT_TRUE(file->empty());
}

TEST_F(FactorFileTest, FetchKeepsAnOutputThatIsGridData) {
    const std::string toml = write("energy.toml", R"([[factor]]
quantity = "carbon"
file = "fr.json"
fetch = ["sh", "-c", '''printf '{"zone":"FR","carbonIntensity":41,"datetime":"2026-01-01T00:00Z"}' ''']
)");
    const auto files = fetched_files(toml);
    ASSERT_TRUE(files && files->size() == 1);
    const auto done = fetch_file(files->front(), [] { return false; });
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(read_factor_file(toml)->at(0).range.value, 41);
}

TEST_F(FactorFileTest, FetchKeepsTheOldFileOtherwise) {
    const std::string path = write("fr.json", "old");
    for (const char* command : {"echo nonsense", "exit 3", "printf ''"}) {
        const FetchedFile file{path, {"sh", "-c", command}};
        EXPECT_FALSE(fetch_file(file, [] { return false; })) << command;
    }
    std::string text;
    std::ifstream(path) >> text;
    EXPECT_EQ(text, "old");
}

TEST(Factors, TheCloserZoneAndTheNearerOriginCount) {
    Factor pool = constant(FactorKind::carbon_average, Range::exactly(3), "g/kWh", "DE-BY");
    pool.stated_in = "pool.toml";
    const Factors factors({constant(FactorKind::carbon_average, Range::exactly(1), "g/kWh", "DE"),
                           constant(FactorKind::carbon_average, Range::exactly(2), "g/kWh", "FR"), pool});
    const auto value = [&](const char* zone) {
        const auto found = factors.find(FactorKind::carbon_average, zone, 0);
        return found ? found->value.range.value : -1;
    };
    EXPECT_EQ(value("DE-BY"), 1);  // the user's word goes before the pool's
    EXPECT_EQ(value("DE"), 1);
    EXPECT_EQ(value("FR"), 2);
    EXPECT_EQ(value("DEX"), -1);
    EXPECT_EQ(value(""), -1);
}

TEST(Factors, OutsideASeriesTheNextFactorCounts) {
    const Factors factors(
        {series_of(FactorKind::carbon_average, {{kNewYear_s, 100}, {kNewYear_s + 1800, 200}}, "g/kWh", "GB"),
         constant(FactorKind::carbon_average, Range::exactly(5), "g/kWh")});
    const auto at = [&](std::int64_t offset_s) {
        return factors.find(FactorKind::carbon_average, "GB", kNewYear_s + offset_s)->value;
    };
    EXPECT_EQ(at(0).range, Range::exactly(100));
    EXPECT_EQ(at(900).range, (Range{150, 100, 200}));
    EXPECT_TRUE(at(900).is_gap);
    EXPECT_EQ(at(2700).range, Range::exactly(5));
    EXPECT_EQ(at(-1).range, Range::exactly(5));
}

TEST(BuiltIn, EveryFactorHasSourceYearAndRange) {
    for (const Factor& one : built_in_factors()) {
        EXPECT_FALSE(one.source.empty());
        EXPECT_GE(one.year, 2020);
        EXPECT_LE(one.range.low, one.range.value);
        EXPECT_LE(one.range.value, one.range.high);
        EXPECT_NE(one.kind, FactorKind::carbon_marginal);
    }
}

// France, 2023: (2.2 x 476 + 31.4 x 287 + 335.6 x 517 + 53.2 x 4491 + 23.3 x 1 + 9.5 x 303 + 0.6 x 251 + 9.7 x 476)
// / 514.1 TWh = 837.3 gallons/MWh = 3.17 L/kWh.
TEST(BuiltIn, WaterFollowsTheMix) {
    const Factors factors(built_in_factors());
    const Range france = factors.find(FactorKind::water_off_site, "FR", 0)->value.range;
    EXPECT_NEAR(france.value, 3.17, 0.01);
    // Without hydropower's reservoirs, and with those of the United States.
    EXPECT_NEAR(france.low, 1.39, 0.02);
    EXPECT_NEAR(france.high, 5.93, 0.2);
    EXPECT_EQ(factors.find(FactorKind::carbon_average, "GB-LON", 0)->value.range.value, 238);
    EXPECT_EQ(factors.find(FactorKind::carbon_average, "XX", 0)->value.range.value, 445);
    EXPECT_FALSE(factors.find(FactorKind::water_off_site, "XX", 0));
}

}  // namespace
}  // namespace cultivar
